package io.tlsrpt.stream;

import io.tlsrpt.report.FailureDetail;
import io.tlsrpt.report.Policy;
import io.tlsrpt.report.PolicyResult;
import io.tlsrpt.report.TlsReport;
import io.tlsrpt.stream.Examination.CountedEntry;
import io.tlsrpt.stream.Examination.Sound;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.EventSize;
import io.tlsrpt.topics.ReportHeaders;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A report as events: for each policy entry its failures first, its summary last, so that who adds up knows when an
/// entry is whole. Text is cut as [EventSize] says, which makes every event writable.
final class Flattening {

    private Flattening() {}

    /// @param revision part of each event-id
    static List<Event> events(Sound sound, int revision) {
        List<Event> events = new ArrayList<>();
        for (CountedEntry entry : sound.counted()) {
            String entryId = sound.reportKey() + "#" + revision + "." + entry.index();
            int detail = 0;
            for (FailureDetail failure : entry.result().failureDetails()) {
                events.add(event(sound, entry, entryId + "." + detail++, failure));
            }
            events.add(event(sound, entry, entryId, null));
        }
        return events;
    }

    /// @param failure absent for the summary
    private static Event event(Sound sound, CountedEntry entry, String eventId, @Nullable FailureDetail failure) {
        TlsReport report = sound.report();
        ReportHeaders headers = sound.headers();
        PolicyResult result = entry.result();
        Policy policy = result.policy();
        Cutting cutting = new Cutting();
        return new Event(
                failure == null ? Event.SUMMARY : Event.FAILURE,
                eventId,
                null,
                failure == null
                        ? null
                        : cutting.text("result-type", failure.resultType().word()),
                failure == null ? null : failure.resultType().failureClass().word(),
                failure == null ? null : failure.failedSessionCount(),
                failure == null ? null : cutting.optional("sending-mta-ip", failure.sendingMtaIp()),
                failure == null ? null : cutting.optional("receiving-mx-hostname", failure.receivingMxHostname()),
                failure == null ? null : cutting.optional("receiving-mx-helo", failure.receivingMxHelo()),
                failure == null ? null : cutting.optional("receiving-ip", failure.receivingIp()),
                failure == null ? null : cutting.optional("failure-reason-code", failure.failureReasonCode()),
                failure == null ? null : cutting.optional("additional-information", failure.additionalInformation()),
                failure == null ? result.totalSuccessfulSessionCount() : null,
                failure == null ? result.totalFailureSessionCount() : null,
                cutting.text("policy-domain", entry.domain()),
                cutting.text("policy-type", policy.policyType()),
                policy.policyMode(),
                cutting.mxHosts(policy.mxHost()),
                cutting.text("submitter", report.submitter()),
                cutting.optional("organization-name", report.organizationName()),
                cutting.text("report-id", report.reportId()),
                report.dateRange().start(),
                report.dateRange().end(),
                headers.authentication().word(),
                EventSize.cut(headers.source(), EventSize.MAX_SOURCE_BYTES),
                headers.receivedAt(),
                headers.backfill(),
                cutting.names());
    }

    /// What takes the event back: the same with `!` after its id and negated counts.
    static Event retraction(Event event) {
        return new Event(
                event.kind(),
                event.eventId() + "!",
                true,
                event.resultType(),
                event.failureClass(),
                negated(event.failedSessionCount()),
                event.sendingMtaIp(),
                event.receivingMxHostname(),
                event.receivingMxHelo(),
                event.receivingIp(),
                event.failureReasonCode(),
                event.additionalInformation(),
                negated(event.totalSuccessfulSessionCount()),
                negated(event.totalFailureSessionCount()),
                event.policyDomain(),
                event.policyType(),
                event.policyMode(),
                event.mxHost(),
                event.submitter(),
                event.organizationName(),
                event.reportId(),
                event.startDatetime(),
                event.endDatetime(),
                event.authentication(),
                event.source(),
                event.receivedAt(),
                event.backfill(),
                event.truncated());
    }

    private static @Nullable Long negated(@Nullable Long count) {
        return count == null ? null : -count;
    }

    /// Cuts text and remembers the names of what was cut.
    private static final class Cutting {

        private final Set<String> cut = new LinkedHashSet<>();

        String text(String name, String text) {
            return text(name, text, EventSize.MAX_TEXT_BYTES);
        }

        @Nullable
        String optional(String name, @Nullable String text) {
            return text == null ? null : text(name, text, EventSize.MAX_TEXT_BYTES);
        }

        List<String> mxHosts(List<String> names) {
            List<String> kept = new ArrayList<>(Math.min(names.size(), EventSize.MAX_MX_HOSTS));
            for (String host : names.subList(0, Math.min(names.size(), EventSize.MAX_MX_HOSTS))) {
                kept.add(text("mx-host", host, EventSize.MAX_MX_HOST_BYTES));
            }
            if (kept.size() < names.size()) {
                cut.add("mx-host");
            }
            return kept;
        }

        @Nullable
        List<String> names() {
            return cut.isEmpty() ? null : List.copyOf(cut);
        }

        private String text(String name, String text, int maxBytes) {
            String kept = EventSize.cut(text, maxBytes);
            if (kept.length() < text.length()) {
                cut.add(name);
            }
            return kept;
        }
    }
}

package io.tlsrpt.stream;

import io.tlsrpt.report.CanaryReport;
import io.tlsrpt.report.Leniency;
import io.tlsrpt.report.Plausibility;
import io.tlsrpt.report.PolicyResult;
import io.tlsrpt.report.Reading;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.report.ReportReader;
import io.tlsrpt.report.TlsReport;
import io.tlsrpt.topics.EventSize;
import io.tlsrpt.topics.ReportHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/// Everything that can be said of a raw record without looking at any store, and so without having changed one when
/// something about the record is wrong. Total: every record gives a finding, none an exception.
final class Examination {

    private static final ReportReader READER = new ReportReader(ReportReader.Limits.DEFAULT);

    private static final int MAX_DOMAIN_LENGTH = 255;

    /// As much as intake may be set to take.
    private static final int MAX_DOCUMENT_BYTES = 10 * 1024 * 1024;

    private Examination() {}

    sealed interface Finding {}

    /// The record cannot be counted at all.
    record Refused(RefusalReason reason, String detail) implements Finding {}

    /// The record is a report of which at least one entry can be counted, or one without entries.
    ///
    /// @param contentSha256 as intake computed it
    /// @param counted the entries that are counted
    /// @param refused the entries that are not
    /// @param canary whether it is a [CanaryReport]: it gets its verdict, and nothing of it is counted
    record Sound(
            String reportKey,
            String contentSha256,
            ReportHeaders headers,
            TlsReport report,
            Set<Leniency> leniencies,
            List<CountedEntry> counted,
            List<RefusedEntry> refused,
            boolean canary)
            implements Finding {}

    /// @param index place in `policies`
    /// @param domain the entry's policy-domain, or the channel's
    record CountedEntry(int index, String domain, PolicyResult result) {}

    /// @param index place in `policies`
    record RefusedEntry(
            int index, RefusalReason reason, @Nullable String domain, PolicyResult result) {}

    static Finding of(byte @Nullable [] key, byte @Nullable [] document, Headers recordHeaders, Duration retention) {
        try {
            return examine(key, document, recordHeaders, retention);
        } catch (RuntimeException unforeseen) {
            // Its message may quote the document.
            return new Refused(
                    RefusalReason.INTERNAL,
                    "unforeseen " + unforeseen.getClass().getName());
        }
    }

    private static Finding examine(
            byte @Nullable [] key, byte @Nullable [] document, Headers recordHeaders, Duration retention) {
        if (key == null || key.length == 0) {
            return notOurs("the record has no key");
        }
        String reportKey = new String(key, StandardCharsets.UTF_8);
        if (key.length > EventSize.MAX_REPORT_KEY_BYTES
                || reportKey.indexOf('#') >= 0
                || !Arrays.equals(reportKey.getBytes(StandardCharsets.UTF_8), key)) {
            return notOurs("the record's key is no report-key");
        }
        ReportHeaders headers;
        try {
            headers = ReportHeaders.read(recordHeaders);
        } catch (RuntimeException malformed) {
            return notOurs("a record header that intake writes is missing or malformed: source, received-at,"
                    + " authentication or foreign-domains");
        }
        String contentSha256 = headers.contentSha256();
        if (contentSha256 == null) {
            return notOurs("record header content-sha256 is missing");
        }
        String channelDomain = headers.channelDomain();
        if (channelDomain != null && channelDomain.length() > MAX_DOMAIN_LENGTH) {
            return notOurs("record header channel-domain is no domain");
        }
        if (document == null) {
            return new Refused(RefusalReason.EMPTY, "the record has no value");
        }
        if (document.length > MAX_DOCUMENT_BYTES) {
            return new Refused(RefusalReason.TOO_LARGE, "the document has " + document.length + " bytes");
        }
        return switch (READER.read(document)) {
            case Reading.Unreadable unreadable -> new Refused(unreadable.reason(), unreadable.detail());
            case Reading.Read read -> judge(reportKey, contentSha256, headers, read, document.length, retention);
        };
    }

    private static Finding judge(
            String reportKey,
            String contentSha256,
            ReportHeaders headers,
            Reading.Read read,
            int bytes,
            Duration retention) {
        TlsReport report = read.report();
        // Against the arrival, so that a replay years later judges alike.
        var implausible = Plausibility.refusal(report.dateRange(), headers.receivedAt(), retention);
        if (implausible.isPresent()) {
            return new Refused(implausible.get().reason(), implausible.get().detail());
        }
        if (EventSize.upperBound(report, reportKey) > EventSize.MAX_REPORT_BYTES) {
            return new Refused(
                    RefusalReason.TOO_MANY_DETAILS, "the report's events would take more than 64 MiB together");
        }
        Set<String> foreign = new HashSet<>(headers.foreignDomains());
        List<CountedEntry> counted = new ArrayList<>();
        List<RefusedEntry> refused = new ArrayList<>();
        for (int i = 0; i < report.policies().size(); i++) {
            PolicyResult entry = report.policies().get(i);
            String named = entry.policy().policyDomain();
            String domain = named == null ? headers.channelDomain() : named;
            if (domain == null) {
                refused.add(new RefusedEntry(i, RefusalReason.NO_POLICY_DOMAIN, null, entry));
            } else if (foreign.contains(domain)) {
                refused.add(new RefusedEntry(i, RefusalReason.FOREIGN_DOMAIN, domain, entry));
            } else {
                counted.add(new CountedEntry(i, domain, entry));
            }
        }
        if (counted.isEmpty() && !refused.isEmpty()) {
            return new Refused(refused.getFirst().reason(), refusedEntries(report, refused));
        }
        return new Sound(
                reportKey,
                contentSha256,
                headers,
                report,
                read.leniencies(),
                counted,
                refused,
                CanaryReport.is(report, bytes));
    }

    /// For people: `2 of 5 entries refused: foreign-domain 1, no-policy-domain 1`.
    static String refusedEntries(TlsReport report, List<RefusedEntry> refused) {
        Map<RefusalReason, Integer> byReason = new EnumMap<>(RefusalReason.class);
        for (RefusedEntry entry : refused) {
            byReason.merge(entry.reason(), 1, Integer::sum);
        }
        StringJoiner reasons = new StringJoiner(", ");
        byReason.forEach((reason, count) -> reasons.add(reason.word() + " " + count));
        return refused.size() + " of " + report.policies().size() + " entries refused: " + reasons;
    }

    private static Refused notOurs(String detail) {
        return new Refused(RefusalReason.INTERNAL, detail);
    }
}

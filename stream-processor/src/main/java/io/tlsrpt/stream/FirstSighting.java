package io.tlsrpt.stream;

import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.Leniency;
import io.tlsrpt.report.PolicyResult;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.report.ReportKey;
import io.tlsrpt.report.TlsReport;
import io.tlsrpt.stream.Examination.CountedEntry;
import io.tlsrpt.stream.Examination.Refused;
import io.tlsrpt.stream.Examination.RefusedEntry;
import io.tlsrpt.stream.Examination.Sound;
import io.tlsrpt.stream.ProcessorMetrics.Outcome;
import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.EventSize;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import io.tlsrpt.topics.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Counts each report once: the first sighting of a report-key wins, the same content again is a duplicate, other
/// content a conflict. A trusted copy replaces an untrusted one, whatever its content: a forged post must not suppress
/// the genuine mail.
///
/// Whatever can be wrong about a record is found before the first store is changed ([Examination]); what comes after
/// cannot fail for any content.
final class FirstSighting implements Processor<byte[], byte[], Object, Object> {

    private static final Logger LOG = LoggerFactory.getLogger(FirstSighting.class);

    /// What the entries and the policy-domains of a report record may take each, so that it is never over 1 MiB.
    private static final int MAX_LISTED_BYTES = 256 * 1024;
    private static final int LISTED_ENTRY_BYTES = 200;

    private static final String FOREIGN_DOMAINS = "foreign-domains";

    private final Topics topics;
    private final Duration remembered;
    private final Duration refusedKept;
    private final ProcessorMetrics metrics;

    @SuppressWarnings("NullAway.Init") // set by init
    private ProcessorContext<Object, Object> context;

    @SuppressWarnings("NullAway.Init") // set by init
    private KeyValueStore<String, SeenReport> seenReports;

    @SuppressWarnings("NullAway.Init") // set by init
    private KeyValueStore<String, Event> replaceableEvents;

    @SuppressWarnings("NullAway.Init") // set by init
    private Sweep<String, SeenReport> sweep;

    @SuppressWarnings("NullAway.Init") // set by init
    private Departures departures;

    @SuppressWarnings("NullAway.Init") // set by init
    private Forgetting<String, SeenReport> forgetting;

    FirstSighting(Topics topics, ProcessorMetrics metrics) {
        this.topics = topics;
        this.remembered = Retention.remembered(topics);
        this.refusedKept = Objects.requireNonNull(topics.rejected().retention());
        this.metrics = metrics;
    }

    @Override
    public void init(ProcessorContext<Object, Object> context) {
        this.context = context;
        this.seenReports = context.getStateStore(ReportTopology.SEEN_REPORTS);
        this.replaceableEvents = context.getStateStore(ReportTopology.REPLACEABLE_EVENTS);
        this.sweep = new Sweep<>(seenReports);
        this.departures = new Departures(context);
        this.forgetting = new Forgetting<>(departures, seenReports);
        context.schedule(Sweep.INTERVAL, PunctuationType.WALL_CLOCK_TIME, this::expire);
        context.schedule(Forgetting.INTERVAL, PunctuationType.WALL_CLOCK_TIME, this::forget);
    }

    @Override
    public void process(Record<byte[], byte[]> raw) {
        RecordMetadata lies = context.recordMetadata().orElseThrow();
        RawPosition position = new RawPosition(lies.partition(), lies.offset());
        switch (Examination.of(raw.key(), raw.value(), raw.headers(), topics.retention())) {
            case Refused refused -> {
                reject(raw, position, refused);
                metrics.rawRecord();
            }
            case Sound sound -> {
                if (sound.canary()) {
                    judgeCanary(raw, position, sound);
                    metrics.canary();
                } else {
                    judge(raw, position, sound);
                    metrics.rawRecord();
                }
            }
        }
    }

    private void judge(Record<byte[], byte[]> raw, RawPosition position, Sound sound) {
        SeenReport seen = seenReports.get(sound.reportKey());
        Authentication authentication = sound.headers().authentication();
        if (seen == null) {
            count(raw, position, sound, 0, null);
        } else if (seen.replaceable() && authentication.trusted()) {
            count(raw, position, sound, seen.revision() + 1, seen.revision());
        } else if (seen.contentSha256().equals(sound.contentSha256())) {
            verdict(raw, position, Outcome.DUPLICATE, seen.revision(), null, "first seen " + place(seen.raw()));
        } else {
            String detail = "other content under the same report-key was first seen " + place(seen.raw());
            rejected(raw, raw.value(), raw.headers(), RefusalReason.CONFLICTING_DUPLICATE, detail);
            verdict(raw, position, Outcome.CONFLICT, seen.revision(), null, detail);
        }
    }

    /// Our own report is done with its verdict: whoever sent it waits for nothing else.
    private void judgeCanary(Record<byte[], byte[]> raw, RawPosition position, Sound sound) {
        SeenReport seen = seenReports.get(sound.reportKey());
        if (seen == null) {
            seenReports.put(sound.reportKey(), seen(sound, 0, position));
            forwardVerdict(raw, position, Outcome.ACCEPTED, 0, null, null);
        } else {
            forwardVerdict(
                    raw,
                    position,
                    seen.contentSha256().equals(sound.contentSha256()) ? Outcome.DUPLICATE : Outcome.CONFLICT,
                    seen.revision(),
                    null,
                    "first seen " + place(seen.raw()));
        }
    }

    private static SeenReport seen(Sound sound, int revision, RawPosition position) {
        ReportHeaders headers = sound.headers();
        return new SeenReport(
                SeenReport.VERSION,
                revision,
                headers.authentication().word(),
                sound.contentSha256(),
                headers.receivedAt(),
                position,
                null,
                null);
    }

    private static String place(RawPosition raw) {
        return "in raw partition " + raw.partition() + " at offset " + raw.offset();
    }

    private void reject(Record<byte[], byte[]> raw, RawPosition position, Refused refused) {
        rejected(raw, raw.value(), raw.headers(), refused.reason(), refused.detail());
        verdict(raw, position, Outcome.REJECTED, null, refused.reason(), refused.detail());
    }

    /// @param replaces the revision that is taken back, if any
    private void count(
            Record<byte[], byte[]> raw, RawPosition position, Sound sound, int revision, @Nullable Integer replaces) {
        // Of a domain that has departed since it arrived nothing is counted: the state is being made anew, or was
        // behind.
        Predicate<String> departed =
                domain -> departures.covers(domain, sound.headers().receivedAt());
        List<CountedEntry> counted = sound.counted().stream()
                .filter(entry -> !departed.test(entry.domain()))
                .toList();
        boolean nothingLeft = counted.isEmpty() && !sound.counted().isEmpty();
        AcceptedReport report = nothingLeft ? null : report(sound, counted, revision, replaces, position);
        SeenReport seen = seen(sound, revision, position).with(sound.reportKey(), report);
        List<Event> events = Flattening.events(sound, revision).stream()
                .filter(event -> !departed.test(event.policyDomain()))
                .toList();
        if (replaces != null) {
            takeBack(raw, sound.reportKey());
        }
        seenReports.put(sound.reportKey(), seen);
        int sequence = 0;
        for (Event event : events) {
            if (seen.replaceable()) {
                replaceableEvents.put(eventsOf(sound.reportKey()) + eightDigits(sequence++), event);
            }
            event(raw, event);
            if (replaces == null) {
                metrics.sessions(event);
            }
        }
        if (report != null || replaces != null) {
            forward(raw, sound.reportKey(), report, topics.reports(), ReportTopology.WRITE_REPORTS);
        }
        for (RefusedEntry entry : sound.refused()) {
            refuse(raw, sound, entry);
        }
        verdict(
                raw,
                position,
                replaces == null ? Outcome.ACCEPTED : Outcome.REPLACED,
                revision,
                null,
                sound.refused().isEmpty() ? null : Examination.refusedEntries(sound.report(), sound.refused()));
    }

    /// Emits what the untrusted revision counted once more, negated.
    private void takeBack(Record<byte[], byte[]> raw, String reportKey) {
        try (KeyValueIterator<String, Event> events =
                replaceableEvents.prefixScan(eventsOf(reportKey), new StringSerializer())) {
            while (events.hasNext()) {
                KeyValue<String, Event> counted = events.next();
                if (!departures.covers(counted.value.policyDomain(), counted.value.receivedAt())) {
                    event(raw, Flattening.retraction(counted.value));
                }
                replaceableEvents.delete(counted.key);
            }
        }
    }

    /// No report-key has a `#`, so this is the beginning of its own events' keys only.
    private static String eventsOf(String reportKey) {
        return reportKey + "#";
    }

    private static String eightDigits(int sequence) {
        return Integer.toString(100_000_000 + sequence).substring(1);
    }

    private void event(Record<byte[], byte[]> raw, Event event) {
        forward(raw, event.policyDomain(), event, topics.events(), ReportTopology.WRITE_EVENTS);
        metrics.event(event);
    }

    private void refuse(Record<byte[], byte[]> raw, Sound sound, RefusedEntry entry) {
        // The list of all foreign domains, once more with each of its many entries, would be far larger than they are.
        Headers headers = new RecordHeaders(raw.headers());
        headers.remove(FOREIGN_DOMAINS);
        ReportHeaders.put(headers, ReportHeaders.ENTRY, Integer.toString(entry.index()));
        rejected(
                raw,
                EntryDocument.write(entry.result()),
                headers,
                entry.reason(),
                "entry " + entry.index() + " of " + sound.report().policies().size()
                        + "; the report's other entries were accepted");
        metrics.refusedEntry(entry.reason());
    }

    private void rejected(
            Record<byte[], byte[]> raw, byte @Nullable [] value, Headers headers, RefusalReason reason, String detail) {
        Instant arrived = Instant.ofEpochMilli(raw.timestamp());
        if (arrived.plus(refusedKept).isBefore(Instant.ofEpochMilli(context.currentSystemTimeMs()))) {
            return; // read again after it was refused long ago: what was kept of it then has gone since
        }
        Rejection rejection = Rejection.of(raw.key(), value, headers, topics, reason, detail);
        context.forward(
                new Record<>(rejection.key(), rejection.value(), raw.timestamp(), rejection.headers()),
                ReportTopology.WRITE_REJECTED);
    }

    /// Comes last of all that is said of a raw record: were anything before it to fail, the safety net gives the one
    /// verdict instead.
    private void verdict(
            Record<byte[], byte[]> raw,
            RawPosition position,
            Outcome outcome,
            @Nullable Integer revision,
            @Nullable RefusalReason reason,
            @Nullable String detail) {
        forwardVerdict(raw, position, outcome, revision, reason, detail);
        metrics.verdict(outcome, reason);
        (outcome == Outcome.ACCEPTED ? LOG.atDebug() : LOG.atInfo())
                .addKeyValue("verdict", outcome.word())
                .addKeyValue("reason", reason == null ? "" : reason.word())
                .addKeyValue("partition", position.partition())
                .addKeyValue("offset", position.offset())
                .log("raw record judged");
    }

    private void forwardVerdict(
            Record<byte[], byte[]> raw,
            RawPosition position,
            Outcome outcome,
            @Nullable Integer revision,
            @Nullable RefusalReason reason,
            @Nullable String detail) {
        String reportKey = shownKey(raw.key());
        Verdict verdict = new Verdict(
                outcome.word(), reportKey, revision, reason == null ? null : reason.word(), detail, position);
        forward(raw, reportKey, verdict, topics.verdicts(), ReportTopology.WRITE_VERDICTS);
    }

    /// The key as text, cut; `-` when the record has none.
    static String shownKey(byte @Nullable [] key) {
        return key == null || key.length == 0
                ? "-"
                : EventSize.cut(new String(key, StandardCharsets.UTF_8), EventSize.MAX_REPORT_KEY_BYTES);
    }

    private void forward(
            Record<byte[], byte[]> raw, String key, @Nullable Object value, Topics.Topic topic, String sink) {
        context.forward(new Record<>(key, value, raw.timestamp(), topic.newHeaders()), sink);
    }

    private AcceptedReport report(
            Sound sound, List<CountedEntry> kept, int revision, @Nullable Integer replaces, RawPosition position) {
        TlsReport report = sound.report();
        ReportHeaders headers = sound.headers();
        List<String> domains = new ArrayList<>();
        List<AcceptedReport.Entry> entries = new ArrayList<>();
        int domainBytes = 0;
        for (String domain :
                kept.stream().map(CountedEntry::domain).distinct().sorted().toList()) {
            String listed = text(domain);
            domainBytes += EventSize.jsonBytes(listed, Integer.MAX_VALUE) + 1;
            if (domainBytes > MAX_LISTED_BYTES) {
                break;
            }
            domains.add(listed);
        }
        int entryBytes = 0;
        for (CountedEntry counted : kept) {
            PolicyResult result = counted.result();
            AcceptedReport.Entry entry = new AcceptedReport.Entry(
                    text(counted.domain()),
                    text(result.policy().policyType()),
                    result.policy().policyMode(),
                    result.totalSuccessfulSessionCount(),
                    result.totalFailureSessionCount());
            entryBytes += LISTED_ENTRY_BYTES
                    + EventSize.jsonBytes(entry.policyDomain(), Integer.MAX_VALUE)
                    + EventSize.jsonBytes(entry.policyType(), Integer.MAX_VALUE);
            if (entryBytes > MAX_LISTED_BYTES) {
                break;
            }
            entries.add(entry);
        }
        return new AcceptedReport(
                sound.reportKey(),
                revision,
                text(report.submitter()),
                textOrNull(report.organizationName()),
                textOrNull(report.contactInfo()),
                text(report.reportId()),
                report.dateRange().start(),
                report.dateRange().end(),
                domains,
                entries,
                headers.authentication().word(),
                EventSize.cut(headers.source(), EventSize.MAX_SOURCE_BYTES),
                headers.receivedAt(),
                headers.backfill(),
                Stream.concat(
                                sound.headers().leniencies().stream(),
                                sound.leniencies().stream().map(Leniency::word))
                        .distinct()
                        .sorted()
                        .toList(),
                position,
                replaces);
    }

    private static String text(String text) {
        return EventSize.cut(text, EventSize.MAX_TEXT_BYTES);
    }

    private static @Nullable String textOrNull(@Nullable String text) {
        return text == null ? null : text(text);
    }

    /// Forgets reports of which no copy can come any more: it would be too old by then.
    private void expire(long now) {
        Instant horizon = Retention.before(Instant.ofEpochMilli(now), remembered);
        long removed = sweep.slice(seen -> {
            if (!seen.value.receivedAt().isBefore(horizon)) {
                return 0;
            }
            int events = seen.value.replaceable() ? forgetEvents(seen.key, event -> true) : 0;
            seenReports.delete(seen.key);
            context.forward(
                    new Record<>(seen.key, null, now, topics.reports().newHeaders()), ReportTopology.WRITE_REPORTS);
            return 1 + events;
        });
        metrics.expired(ReportTopology.SEEN_REPORTS, removed);
    }

    /// Takes departed domains out. That there was such a report is kept, so that a copy of it is known as one.
    private void forget(long now) {
        long forgotten = forgetting.slice((seen, departed) -> {
            List<String> gone = gone(seen, departed);
            if (gone.isEmpty()) {
                return 0;
            }
            int events = seen.value.replaceable()
                    ? forgetEvents(seen.key, event -> gone.contains(String.valueOf(event.policyDomain())))
                    : 0;
            AcceptedReport shared = seen.value.shared();
            AcceptedReport rest = shared == null ? null : shared.without(gone);
            seenReports.put(seen.key, seen.value.with(seen.key, rest));
            context.forward(
                    new Record<>(seen.key, rest, now, topics.reports().newHeaders()), ReportTopology.WRITE_REPORTS);
            return 1 + events;
        });
        metrics.forgotten(ReportTopology.SEEN_REPORTS, forgotten);
    }

    /// The domains of a report that departed after it had arrived and are in it still.
    private static List<String> gone(KeyValue<String, SeenReport> seen, Map<String, Instant> departed) {
        if (seen.value.forgotten()) {
            return List.of();
        }
        AcceptedReport shared = seen.value.shared();
        List<String> named = shared == null ? null : shared.policyDomains();
        return (named == null ? ReportKey.policyDomains(seen.key) : named)
                .stream()
                        .filter(domain -> {
                            Instant at = departed.get(domain);
                            return at != null && !seen.value.receivedAt().isAfter(at);
                        })
                        .toList();
    }

    private int forgetEvents(String reportKey, Predicate<Event> which) {
        int forgotten = 0;
        try (KeyValueIterator<String, Event> events =
                replaceableEvents.prefixScan(eventsOf(reportKey), new StringSerializer())) {
            while (events.hasNext()) {
                KeyValue<String, Event> event = events.next();
                if (which.test(event.value)) {
                    replaceableEvents.delete(event.key);
                    forgotten++;
                }
            }
        }
        return forgotten;
    }
}

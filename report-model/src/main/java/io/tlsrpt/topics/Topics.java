package io.tlsrpt.topics;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/// The catalogue: every topic once, with its record, how long it is kept and how it is partitioned.
/// Consumers should read all of them with `isolation.level=read_committed`.
///
/// @param prefix of every name; `tlsrpt.` unless configured
/// @param retention how long documents and events are kept
public record Topics(String prefix, Duration retention) {

    /// Largest record of the raw and rejected topics: a document of 10 MiB and its headers.
    public static final int MAX_DOCUMENT_RECORD_BYTES = 12 * 1024 * 1024;

    /// Largest record of every other topic: no event or aggregate is over 256 KiB.
    public static final int MAX_RECORD_BYTES = 1024 * 1024;

    public static final Duration SEEN_SLACK = Duration.ofDays(3);

    /// How much longer than documents a departure is remembered: a broker deletes whole segments, so some documents
    /// stay
    /// a little longer than they are kept, and one that is read again must find the departure.
    public static final Duration DEPARTURE_SLACK = Duration.ofDays(30);

    /// What one topic is.
    ///
    /// @param schema value of the `schema` header of each record
    /// @param cleanup `delete` or `compact`
    /// @param retention of a `delete` topic; absent for a compacted one
    /// @param retentionBytes byte limit per partition; absent when none
    /// @param flushed whether one copy must be on the disk before it is acknowledged where only one copy exists
    public record Topic(
            String name,
            String schema,
            String cleanup,
            @Nullable Duration retention,
            @Nullable Long retentionBytes,
            int maxMessageBytes,
            boolean flushed) {

        /// Headers of a new record of ours: `schema`.
        public Headers newHeaders() {
            Headers headers = new RecordHeaders();
            ReportHeaders.put(headers, ReportHeaders.SCHEMA, schema);
            return headers;
        }
    }

    public Topic raw() {
        return new Topic(
                prefix + "reports.raw",
                "tlsrpt.report-document/1",
                "delete",
                retention,
                null,
                MAX_DOCUMENT_RECORD_BYTES,
                true);
    }

    public Topic rejected() {
        return new Topic(
                prefix + "reports.rejected",
                "tlsrpt.rejected/1",
                "delete",
                Duration.ofDays(30),
                256L * 1024 * 1024,
                MAX_DOCUMENT_RECORD_BYTES,
                true);
    }

    public Topic verdicts() {
        return deleted("verdicts", "tlsrpt.verdict/1", Duration.ofDays(7));
    }

    public Topic reports() {
        return compacted("reports", "tlsrpt.report/1");
    }

    public Topic events() {
        return deleted("events", "tlsrpt.event/1", retention);
    }

    public Topic aggregates() {
        return compacted("aggregates", "tlsrpt.aggregate/1");
    }

    public Topic alerts() {
        return compacted("alerts", "tlsrpt.alert/1");
    }

    public Topic alertHistory() {
        return deleted("alert-history", "tlsrpt.alert/1", retention);
    }

    public Topic alertActions() {
        return deleted("alert-actions", "tlsrpt.alert-action/1", retention);
    }

    public Topic inspections() {
        return deleted("inspections", "tlsrpt.inspection/1", Duration.ofDays(90));
    }

    public Topic silences() {
        return compacted("silences", "tlsrpt.silence/1");
    }

    public Topic notifications() {
        return compacted("notifications", "tlsrpt.notification/1");
    }

    public Topic domains() {
        return compacted("domains", "tlsrpt.domain/1");
    }

    public Topic departures() {
        return deleted("departures", "tlsrpt.departure/1", retention.plus(DEPARTURE_SLACK));
    }

    /// Every topic that this release writes.
    public List<Topic> all() {
        return List.of(
                raw(),
                rejected(),
                verdicts(),
                reports(),
                events(),
                aggregates(),
                alerts(),
                alertHistory(),
                alertActions(),
                inspections(),
                silences(),
                notifications(),
                domains(),
                departures());
    }

    /// Where the records of a policy-domain lie, in every topic that is partitioned by it: murmur2 of its UTF-8 bytes.
    public static int partition(String domain, int partitions) {
        return Utils.toPositive(Utils.murmur2(domain.getBytes(StandardCharsets.UTF_8))) % partitions;
    }

    private Topic compacted(String name, String schema) {
        return new Topic(prefix + name, schema, "compact", null, null, MAX_RECORD_BYTES, false);
    }

    private Topic deleted(String name, String schema, Duration kept) {
        return new Topic(prefix + name, schema, "delete", kept, null, MAX_RECORD_BYTES, false);
    }
}

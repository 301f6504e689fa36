package io.tlsrpt.ingest;

import io.tlsrpt.report.Leniency;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One document as its channel took it, not yet looked at.
///
/// @param bytes as sent, or only their head when `cut`
/// @param cut whether the document was longer than the channel takes
/// @param receivedAt when the channel took it; dates are judged against it
/// @param remote the peer's address, or the file's name; a stranger's text
/// @param proof of who sent it
/// @param channelDomain the domain that the channel stands for, for reports that name none
/// @param backfill whether the report may notify
/// @param leniencies what was tolerated in what it came in, such as a mail
@SuppressWarnings("ArrayRecordComponent") // a document of megabytes, handed on and never compared
record Submission(
        byte[] bytes,
        boolean cut,
        Source source,
        Instant receivedAt,
        @Nullable String remote,
        Proof proof,
        @Nullable String channelDomain,
        Backfill backfill,
        @Nullable String messageId,
        @Nullable String traceparent,
        Set<Leniency> leniencies) {

    Submission {
        leniencies = Set.copyOf(leniencies);
    }

    /// What came without a wrapping.
    Submission(
            byte[] bytes,
            boolean cut,
            Source source,
            Instant receivedAt,
            @Nullable String remote,
            Proof proof,
            @Nullable String channelDomain,
            Backfill backfill,
            @Nullable String messageId,
            @Nullable String traceparent) {
        this(bytes, cut, source, receivedAt, remote, proof, channelDomain, backfill, messageId, traceparent, Set.of());
    }

    /// Bytes that are kept of a document that is too large.
    static final int HEAD_BYTES = 64 * 1024;

    /// Whether a report is old news that never notifies.
    enum Backfill {
        YES,
        NO,
        /// yes when the report ends more than 72 h before it was received
        BY_AGE
    }
}

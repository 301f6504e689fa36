package io.tlsrpt.ingest;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// One mail as its channel took it, not yet looked at.
///
/// @param bytes as received, line ends included: signatures are over them; only the head when `cut`
/// @param cut whether the mail was longer than the channel takes
/// @param receivedAt when we took it; dates of reports are judged against it
/// @param deliveredAt when a mail server of ours first had it; signatures are judged against it (RFC 6376 §3.5)
/// @param remote the peer's address, the mailbox or the file's name; a stranger's text
/// @param vouched whether the operator vouches for it, so that signatures are not asked for
/// @param channelDomain the domain that the recipient stands for, for reports that name none
@SuppressWarnings("ArrayRecordComponent") // megabytes, handed on and never compared
record Mail(
        byte[] bytes,
        boolean cut,
        Source source,
        Instant receivedAt,
        Instant deliveredAt,
        @Nullable String remote,
        boolean vouched,
        @Nullable String channelDomain,
        Submission.Backfill backfill) {}

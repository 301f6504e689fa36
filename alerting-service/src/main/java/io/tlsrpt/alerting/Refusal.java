package io.tlsrpt.alerting;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A report that was refused, as far as its headers tell.
///
/// @param submitter who it says it is from
/// @param reason the word of the refusal
/// @param detail in words, cleaned and cut
/// @param domains ours that it was about
record Refusal(
        String submitter,
        String reason,
        @Nullable String detail,
        @Nullable String source,
        List<String> domains,
        Instant receivedAt) {}

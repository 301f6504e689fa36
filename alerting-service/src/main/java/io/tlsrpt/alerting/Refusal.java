package io.tlsrpt.alerting;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A report that was refused, as far as its headers tell. Anybody can send one in anybody's name.
///
/// @param submitter who it says it is from, cleaned; absent where it could not be read
/// @param reason the word of the refusal
/// @param detail in words, cleaned and cut
/// @param source how it came
/// @param domains ours that it was about, as far as it could be read
record Refusal(
        @Nullable String submitter,
        String reason,
        @Nullable String detail,
        @Nullable String source,
        List<String> domains) {}

package io.tlsrpt.alerting;

import io.tlsrpt.runtime.Settings.Severity;
import org.jspecify.annotations.Nullable;

/// What a rule says of a tally when it says anything: how bad, and by which branch.
///
/// @param branch as documented with the rule, such as `A`, `B`, `C` or `never`
/// @param picture what the reports make likely; absent where they show no more than the fault
record Call(Severity severity, String branch, @Nullable Picture picture) {

    /// What the reports make likely: where STARTTLS is missing, or how a TLSA record went wrong.
    enum Picture {
        SERVER("the server lost STARTTLS"),
        SOME_PATHS("some paths or backends lost STARTTLS"),
        ONE_PATH("one path only: possible downgrade attack or middlebox near %s"),
        UNCLEAR("nobody else has confirmed it yet"),
        NEVER("STARTTLS was never offered"),
        RENEWED("certificate probably renewed without publishing the new TLSA first"),
        PARTIAL("one MX host or one of several keys only, or the TTL has not elapsed");

        private final String words;

        Picture(String words) {
            this.words = words;
        }

        /// @param reporter the one that saw it
        String words(String reporter) {
            return words.replace("%s", reporter);
        }
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.runtime.Settings.Severity;
import org.jspecify.annotations.Nullable;

/// What a rule says of a tally when it says anything: how bad, and by which branch.
///
/// @param branch as documented with the rule: `A`, `B`, `C` or `never`
/// @param locality where STARTTLS is missing; absent for certificates
record Call(Severity severity, String branch, @Nullable Locality locality) {

    /// Where STARTTLS is missing.
    enum Locality {
        SERVER("the server lost STARTTLS"),
        SOME_PATHS("some paths or backends lost STARTTLS"),
        ONE_PATH("one path only: possible downgrade attack or middlebox near %s"),
        UNCLEAR("nobody else has confirmed it yet"),
        NEVER("STARTTLS was never offered");

        private final String words;

        Locality(String words) {
            this.words = words;
        }

        /// @param reporter the one that saw it
        String words(String reporter) {
            return words.replace("%s", reporter);
        }
    }
}

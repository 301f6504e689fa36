package io.tlsrpt.console;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Whether somebody vouches for reports. Numbers of different trust are never added.
enum Trust {
    /// Signed by the reporter (`dkim`) or vouched for by the operator.
    VERIFIED,
    /// Anybody can have sent them (`none`).
    UNVERIFIED;

    static final List<String> WORDS = Arrays.stream(values()).map(Trust::word).toList();

    /// @param authentication of a report
    static Trust of(String authentication) {
        return authentication.equals("none") ? UNVERIFIED : VERIFIED;
    }

    static Trust named(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}

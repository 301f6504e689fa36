package io.tlsrpt.alerting;

import org.jspecify.annotations.Nullable;

/// Why an incident ended.
enum Resolution {
    RECOVERED("recovered"),
    STALE("stale"),
    MANUAL("manual"),
    RETRACTED("retracted"),
    /// A live look found it mended.
    PROBE("probe");

    private final String word;

    Resolution(String word) {
        this.word = word;
    }

    /// The resolution of this word; null when there is none.
    static @Nullable Resolution ofWord(@Nullable String word) {
        for (Resolution resolution : values()) {
            if (resolution.word.equals(word)) {
                return resolution;
            }
        }
        return null;
    }

    String word() {
        return word;
    }
}

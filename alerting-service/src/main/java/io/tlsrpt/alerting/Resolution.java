package io.tlsrpt.alerting;

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

    String word() {
        return word;
    }
}

package io.tlsrpt.report;

/// A deviation from RFC 8460 that real senders show and that we read all the same. Counted by name.
public enum Leniency {
    /// RFC 8460 §4.4 asks for RFC 3339 date-times; a zone is missing. Read as UTC. Witness: date-without-zone.json
    DATE_WITHOUT_ZONE("date-without-zone");

    private final String word;

    Leniency(String word) {
        this.word = word;
    }

    public String word() {
        return word;
    }
}

package io.tlsrpt.ingest;

/// The channel a document came through.
enum Source {
    HTTPS("https"),
    SMTP("smtp"),
    LMTP("lmtp"),
    IMAP("imap"),
    FILE("file");

    private final String word;

    Source(String word) {
        this.word = word;
    }

    String word() {
        return word;
    }
}

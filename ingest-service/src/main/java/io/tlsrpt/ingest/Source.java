package io.tlsrpt.ingest;

/// The channel a document came through.
enum Source {
    HTTPS("https"),
    FILE("file");

    private final String word;

    Source(String word) {
        this.word = word;
    }

    String word() {
        return word;
    }
}

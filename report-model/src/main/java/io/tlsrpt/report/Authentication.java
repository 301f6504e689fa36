package io.tlsrpt.report;

/// How far we know who sent a report. Counts of different trust never mix.
public enum Authentication {
    /// mail whose DKIM signature by the reporting domain verified (RFC 8460 §3)
    DKIM("dkim"),
    /// vouched for by the operator: imported files, a trusted mailbox or network
    OPERATOR("operator"),
    /// everything else: HTTPS has no sender authentication (RFC 8460 §5.4)
    NONE("none");

    private final String word;

    Authentication(String word) {
        this.word = word;
    }

    public String word() {
        return word;
    }

    /// Whether such a report may be replaced by one that is trusted, and may not page anybody alone.
    public boolean trusted() {
        return this != NONE;
    }

    /// @throws IllegalArgumentException when the word is none of ours
    public static Authentication of(String word) {
        for (Authentication authentication : values()) {
            if (authentication.word.equals(word)) {
                return authentication;
            }
        }
        throw new IllegalArgumentException("authentication is dkim, operator or none, not " + word);
    }
}

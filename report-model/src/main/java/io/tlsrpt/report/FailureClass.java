package io.tlsrpt.report;

/// What kind of trouble a result type means; words outside the registry are `other`.
public enum FailureClass {
    STARTTLS("starttls"),
    CERTIFICATE("certificate"),
    DANE("dane"),
    STS_POLICY("sts-policy"),
    OTHER("other");

    private final String word;

    FailureClass(String word) {
        this.word = word;
    }

    public String word() {
        return word;
    }
}

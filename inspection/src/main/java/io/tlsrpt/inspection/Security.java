package io.tlsrpt.inspection;

import java.util.Locale;

/// What DNSSEC says about an answer, by our own validation (RFC 4033 §5), best first.
enum Security {
    SECURE,

    /// Proved to come from a zone that is not signed.
    INSECURE,

    /// It could not be judged: no answer, or the trust anchors themselves cannot be validated from here.
    UNKNOWN,

    /// Signatures are missing, expired or false: validating senders get no answer at all.
    BOGUS;

    /// As written in the topic.
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// That of two answers which are needed together.
    Security and(Security other) {
        return compareTo(other) >= 0 ? this : other;
    }
}

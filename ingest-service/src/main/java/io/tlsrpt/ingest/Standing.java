package io.tlsrpt.ingest;

/// Whose a policy-domain is.
sealed interface Standing {

    Standing OURS = new Ours();
    Standing PENDING = new Pending();

    /// Configured, or discovered and accepted.
    record Ours() implements Standing {}

    /// Discovered: its entries are counted, nobody is told of them.
    record Pending() implements Standing {}

    /// @param why for people
    record Foreign(String why) implements Standing {}
}

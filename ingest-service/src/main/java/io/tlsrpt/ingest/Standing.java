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
    /// @param undecided DNS could not tell, and may tell otherwise later
    record Foreign(String why, boolean undecided) implements Standing {}
}

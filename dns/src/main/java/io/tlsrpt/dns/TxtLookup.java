package io.tlsrpt.dns;

/// Asks for the TXT records of a name.
@FunctionalInterface
public interface TxtLookup {

    /// Blocks until there is an answer or the time is over; never throws because of DNS.
    ///
    /// @param name an absolute name in A-labels, with or without the final dot
    TxtAnswer txt(String name);
}

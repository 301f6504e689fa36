package io.tlsrpt.dns;

import java.util.List;

/// What came back for the TXT records of a name. Absent and broken are different things: a domain whose servers fail
/// has
/// not withdrawn anything.
public sealed interface TxtAnswer {

    /// @param records each the bytes of its character-strings, joined with nothing between (RFC 7208 §3.3)
    record Found(List<byte[]> records) implements TxtAnswer {
        public Found {
            records = List.copyOf(records);
        }
    }

    /// NXDOMAIN, or a name without TXT records.
    record None() implements TxtAnswer {}

    /// Time-out, SERVFAIL, bogus, unreachable: ask again later.
    ///
    /// @param why for people
    record Failed(String why) implements TxtAnswer {}
}

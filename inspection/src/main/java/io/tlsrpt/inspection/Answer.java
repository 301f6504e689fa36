package io.tlsrpt.inspection;

import java.util.List;
import org.xbill.DNS.Record;

/// What DNS holds under a name. Absent and broken are different things.
sealed interface Answer {

    /// What our own validation says about all of it, each step of a chain of aliases included.
    Security security();

    /// The records of the type asked for.
    ///
    /// @param owner the name that holds them, in lower case without a final dot: another one than asked when there are
    /// aliases
    record Found(String owner, List<Record> records, Security security) implements Answer {
        public Found {
            records = List.copyOf(records);
        }

        /// Those of a class of records, at most so many.
        <T extends Record> List<T> records(Class<T> type, int most) {
            return records.stream()
                    .filter(type::isInstance)
                    .map(type::cast)
                    .limit(most)
                    .toList();
        }
    }

    /// There is nothing.
    ///
    /// @param owner the end of the aliases
    /// @param nameExists whether there are records of other types (NODATA), or the name is unknown altogether
    /// (NXDOMAIN)
    record None(String owner, boolean nameExists, Security security) implements Answer {}

    /// No answer that could be used.
    ///
    /// @param security [Security#BOGUS] when there was one and DNSSEC forbids to believe it
    /// @param why for people
    record Broken(Security security, String why) implements Answer {}
}

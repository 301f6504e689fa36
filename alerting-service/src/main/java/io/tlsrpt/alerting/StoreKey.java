package io.tlsrpt.alerting;

import java.time.LocalDate;

/// Keys of the state stores: parts joined by a character that no part contains, so that a prefix of whole parts finds
/// what lies under it.
final class StoreKey {

    private static final char SEPARATOR = '\0';

    private StoreKey() {}

    static String of(String... parts) {
        StringBuilder key = new StringBuilder();
        for (String part : parts) {
            if (!key.isEmpty()) {
                key.append(SEPARATOR);
            }
            key.append(part.replace(SEPARATOR, '\uFFFD'));
        }
        return key.toString();
    }

    /// Everything that begins with these parts and has more.
    static String prefix(String... parts) {
        return of(parts) + SEPARATOR;
    }

    /// The day that is the second part of every key.
    static LocalDate day(String key) {
        int from = key.indexOf(SEPARATOR) + 1;
        int to = key.indexOf(SEPARATOR, from);
        return LocalDate.parse(key.substring(from, to < 0 ? key.length() : to));
    }
}

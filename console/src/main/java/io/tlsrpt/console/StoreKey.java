package io.tlsrpt.console;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;

/// Keys of the views: parts joined by a zero byte, so that keys sort part by part and every range of whole parts is one
/// scan.
final class StoreKey {

    /// How keys sort in a store, for text that has to sort the same way.
    static final Comparator<String> ORDER = (left, right) ->
            Arrays.compareUnsigned(left.getBytes(StandardCharsets.UTF_8), right.getBytes(StandardCharsets.UTF_8));

    private StoreKey() {}

    /// The keys that lie between two, of which neither is one.
    record Range(Bytes first, Bytes last) {

        /// All that begin with these parts.
        static Range of(String... parts) {
            return new Range(StoreKey.first(parts), after(parts));
        }

        boolean contains(Bytes key) {
            return key.compareTo(first) > 0 && key.compareTo(last) < 0;
        }
    }

    static Bytes of(String... parts) {
        return Bytes.wrap(joined(parts).getBytes(StandardCharsets.UTF_8));
    }

    /// The first key that could begin with these parts.
    static Bytes first(String... parts) {
        return Bytes.wrap((joined(parts) + '\u0000').getBytes(StandardCharsets.UTF_8));
    }

    /// After the last key that begins with these parts, before every other key behind them.
    static Bytes after(String... parts) {
        return Bytes.wrap((joined(parts) + '\u0001').getBytes(StandardCharsets.UTF_8));
    }

    static List<String> parts(Bytes key) {
        return List.of(new String(key.get(), StandardCharsets.UTF_8).split("\u0000", -1));
    }

    /// A time as text that sorts oldest first.
    static String oldestFirst(Instant time) {
        return HexFormat.of().toHexDigits(time.toEpochMilli() ^ Long.MIN_VALUE);
    }

    /// The time of a text that sorts oldest first.
    static Instant time(String oldestFirst) {
        return Instant.ofEpochMilli(HexFormat.fromHexDigitsToLong(oldestFirst) ^ Long.MIN_VALUE);
    }

    /// A time as text that sorts newest first.
    static String newestFirst(Instant time) {
        return HexFormat.of().toHexDigits(~(time.toEpochMilli() ^ Long.MIN_VALUE));
    }

    private static String joined(String... parts) {
        StringBuilder key = new StringBuilder();
        for (int i = 0; i < parts.length; i++) {
            if (i > 0) {
                key.append('\u0000');
            }
            // a zero byte inside a part would shift the parts behind it; nothing legitimate has one
            key.append(parts[i].replace('\u0000', '\uFFFD'));
        }
        return key.toString();
    }
}

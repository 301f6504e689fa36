package io.tlsrpt.stream;

import java.time.Duration;
import java.util.function.ToIntFunction;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/// Goes round a store in bounded slices, one slice each time it is called, so that expiry never holds up the records.
/// Where it stands is kept in memory only: after a restart it begins again.
final class Sweep<K, V> {

    /// How often a processor calls its sweeps, on the wall clock.
    static final Duration INTERVAL = Duration.ofSeconds(30);

    private static final int SLICE = 5_000;

    private final KeyValueStore<K, V> store;
    private @Nullable K next;

    Sweep(KeyValueStore<K, V> store) {
        this.store = store;
    }

    /// Whether the next slice is the first of a round.
    boolean atBeginning() {
        return next == null;
    }

    /// @param visit looks at a record, removes it where its time is over, and says how many records that took
    /// @return how many records were removed
    long slice(ToIntFunction<KeyValue<K, V>> visit) {
        long removed = 0;
        int looked = 0;
        try (KeyValueIterator<K, V> records = next == null ? store.all() : store.range(next, null)) {
            next = null;
            while (records.hasNext()) {
                if (looked >= SLICE) {
                    next = records.peekNextKey();
                    break;
                }
                int taken = visit.applyAsInt(records.next());
                removed += taken;
                looked += 1 + taken;
            }
        }
        return removed;
    }
}

package io.tlsrpt.stream;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.function.ToIntBiFunction;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/// Goes round a store once whenever a domain has departed, in slices that do not hold up the records, and after a start
/// once more: where it stood is kept nowhere, and what is forgotten already is not there to be found again.
final class Forgetting<K, V> {

    /// How often a processor calls it, on the wall clock.
    static final Duration INTERVAL = Duration.ofSeconds(1);

    private final Departures departures;
    private final Sweep<K, V> sweep;

    /// Of which nothing is left.
    private Map<String, Instant> done = Map.of();

    /// What this round is about; absent between rounds.
    private @Nullable Map<String, Instant> underWay;

    Forgetting(Departures departures, KeyValueStore<K, V> store) {
        this.departures = departures;
        this.sweep = new Sweep<>(store);
    }

    /// @param visit looks at a record and at when which domain departed, removes what is to go, and says how many
    /// records that took
    /// @return how many records were removed
    long slice(ToIntBiFunction<KeyValue<K, V>, Map<String, Instant>> visit) {
        Map<String, Instant> asked = underWay;
        if (asked == null) {
            asked = departures.all();
            if (asked.equals(done)) {
                return 0;
            }
            underWay = asked;
        }
        Map<String, Instant> gone = asked;
        long removed = sweep.slice(record -> visit.applyAsInt(record, gone));
        if (sweep.atBeginning()) {
            done = asked;
            underWay = null;
        }
        return removed;
    }
}

package io.tlsrpt.alerting;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/// Deletes what is too old from a store, a bounded slice at a time, so that a large store never holds up the records.
final class Sweep<V> {

    private static final int SLICE = 2_000;

    private final KeyValueStore<String, V> store;
    private @Nullable String next;

    Sweep(KeyValueStore<String, V> store) {
        this.store = store;
    }

    void slice(Predicate<KeyValue<String, V>> tooOld) {
        List<String> doomed = new ArrayList<>();
        String resume = null;
        try (KeyValueIterator<String, V> entries = next == null ? store.all() : store.range(next, null)) {
            for (int i = 0; entries.hasNext(); i++) {
                if (i == SLICE) {
                    resume = entries.peekNextKey();
                    break;
                }
                KeyValue<String, V> entry = entries.next();
                if (tooOld.test(entry)) {
                    doomed.add(entry.key);
                }
            }
        }
        next = resume;
        doomed.forEach(store::delete);
    }
}

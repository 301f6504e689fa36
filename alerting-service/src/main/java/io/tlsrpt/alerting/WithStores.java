package io.tlsrpt.alerting;

import io.tlsrpt.topics.JsonSerde;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/// A processor of detection and the state stores that are its own.
///
/// @param processor makes a new one for each task
record WithStores<A, B, C, D>(Supplier<Processor<A, B, C, D>> processor, Set<StoreBuilder<?>> stores)
        implements ProcessorSupplier<A, B, C, D> {

    @Override
    public Processor<A, B, C, D> get() {
        return processor.get();
    }

    /// A persistent store of records as JSON.
    static <V> StoreBuilder<KeyValueStore<String, V>> store(String name, Class<V> values) {
        return Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(name), Serdes.String(), new JsonSerde<>(values));
    }
}

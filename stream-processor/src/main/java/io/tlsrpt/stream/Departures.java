package io.tlsrpt.stream;

import io.tlsrpt.topics.Departure;
import io.tlsrpt.topics.JsonSerde;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which domains are to be forgotten, and since when: the topic `tlsrpt.departures`, held whole by every instance. It
/// is a fact to judge by, not an order to be carried out once, so a state that is made anew from the raw topic forgets
/// as well.
final class Departures {

    private static final Logger LOG = LoggerFactory.getLogger(Departures.class);
    private static final JsonSerde<Departure> DEPARTURE = new JsonSerde<>(Departure.class);

    static final String READ_DEPARTURES = "read-departures";
    static final String KEEP_DEPARTURES = "keep-departures";
    static final String STORE = "departures";

    private final ReadOnlyKeyValueStore<String, Departure> store;

    Departures(ProcessingContext context) {
        this.store = context.getStateStore(STORE);
    }

    /// Adds the global store to a topology.
    static void addTo(Topology graph, String topic) {
        graph.addGlobalStore(
                Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(STORE), Serdes.String(), DEPARTURE)
                        .withLoggingDisabled(),
                READ_DEPARTURES,
                new StringDeserializer(),
                new ByteArrayDeserializer(),
                topic,
                KEEP_DEPARTURES,
                Keeping::new);
    }

    /// Whether what arrived about this domain then is to be forgotten.
    boolean covers(@Nullable String domain, Instant arrivedAt) {
        Departure departure = domain == null ? null : store.get(domain);
        return departure != null && departure.covers(arrivedAt);
    }

    /// All of them, by domain.
    Map<String, Instant> all() {
        Map<String, Instant> all = new HashMap<>();
        try (KeyValueIterator<String, Departure> entries = store.all()) {
            entries.forEachRemaining(entry -> all.put(entry.key, entry.value.departedAt()));
        }
        return all;
    }

    private static final class Keeping extends ContextualProcessor<@Nullable String, byte @Nullable [], Void, Void> {

        @Override
        public void process(Record<@Nullable String, byte @Nullable []> record) {
            KeyValueStore<String, Departure> store = context().getStateStore(STORE);
            String domain = record.key();
            try {
                Departure departure = DEPARTURE.readOrNull(record.value());
                if (domain == null || departure == null || !domain.equals(departure.policyDomain())) {
                    throw new SerializationException("no departure");
                }
                Departure known = store.get(domain);
                if (known == null || known.departedAt().isBefore(departure.departedAt())) {
                    store.put(domain, departure);
                }
            } catch (SerializationException notOurs) {
                LOG.atWarn()
                        .addKeyValue(
                                "position",
                                context().recordMetadata().map(Object::toString).orElse("unknown"))
                        .log("a record of the departures topic is no departure");
            }
        }
    }
}

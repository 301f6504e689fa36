package io.tlsrpt.console;

import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Routes;
import io.tlsrpt.runtime.Service;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.StreamsHost;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Topics;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The query API over views of the compacted topics. While the views are restored it answers 503 and is not ready.
public final class ConsoleService implements Service {

    private static final Logger LOG = LoggerFactory.getLogger(ConsoleService.class);

    private final Surroundings surroundings;
    private final StreamsHost streams;
    private final TopicReader reader;
    private final QueryApi api;

    public ConsoleService(Surroundings surroundings) {
        this.surroundings = surroundings;
        Settings settings = surroundings.settings();
        Topics topics = new Topics(settings.topicPrefix(), settings.retention());
        KafkaSettings kafka = new KafkaSettings(settings);
        // Nothing is produced, and View.changes makes reading twice harmless. Exactly-once would only wipe the stores
        // after a crash and read the topics from their beginning.
        Properties properties = kafka.streams(
                settings.topicPrefix() + "console",
                Map.of("processing.guarantee", "at_least_once", "global.consumer.isolation.level", "read_committed"));
        Views views = new Views(this::store);
        this.streams = new StreamsHost(
                name(),
                views.topology(topics, new StreamsConfig(properties), surroundings.meters()),
                properties,
                surroundings);
        AtomicInteger readers = new AtomicInteger();
        this.reader = new TopicReader(
                topics,
                () -> new KafkaConsumer<>(
                        kafka.consumer(
                                settings.topicPrefix() + "console-reader-" + readers.incrementAndGet(), Map.of()),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer()),
                surroundings.clock());
        this.api = new QueryApi(
                views,
                reader,
                () -> surroundings.current().get().domains(),
                surroundings.clock(),
                new LoopbackNames(settings),
                surroundings.meters());
    }

    @Override
    public String name() {
        return "console";
    }

    @Override
    public List<Routes> routes() {
        Settings.Api listener = surroundings.settings().api();
        return List.of(new Routes("api", listener.listen(), listener.tls(), api::routing));
    }

    /// Kafka returns from its start only when global stores are restored; the listener need not wait for that.
    @Override
    public void start() {
        Thread.ofPlatform().name("console-restore").start(() -> {
            try {
                streams.start();
            } catch (RuntimeException failed) {
                surroundings.health().dead(name(), "the views cannot be restored; the log has the cause");
                LOG.atError().setCause(failed).log("the views cannot be restored");
            }
        });
    }

    @Override
    public void close() {
        streams.close();
        reader.close();
    }

    private ReadOnlyKeyValueStore<Bytes, byte[]> store(String name) {
        KafkaStreams views = streams.streams();
        if (views.state() != KafkaStreams.State.RUNNING) {
            throw new InvalidStateStoreException("the views are being restored");
        }
        return views.store(StoreQueryParameters.fromNameAndType(name, QueryableStoreTypes.keyValueStore()));
    }
}

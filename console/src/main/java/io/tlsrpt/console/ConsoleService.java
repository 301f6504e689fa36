package io.tlsrpt.console;

import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Routes;
import io.tlsrpt.runtime.Service;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.StreamsHost;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The API over views of the compacted topics: what is asked, and what people do. While the views are restored it
/// answers 503 and is not ready.
public final class ConsoleService implements Service {

    private static final Logger LOG = LoggerFactory.getLogger(ConsoleService.class);

    private final Surroundings surroundings;
    private final Topics topics;
    private final KafkaSettings kafka;
    private final Views views;
    private final TopicReader reader;
    private final TopicWriter writer;
    private final LiveStreams live;
    private final ApiRoutes api;
    private final RestoreProgress progress;
    private volatile @Nullable StreamsHost streams;

    public ConsoleService(Surroundings surroundings) {
        this.surroundings = surroundings;
        Settings settings = surroundings.settings();
        this.topics = new Topics(settings.topicPrefix(), settings.retention());
        this.kafka = new KafkaSettings(settings);
        this.views = new Views(this::store);
        this.progress = new RestoreProgress(name(), surroundings.health(), surroundings.clock(), surroundings.meters());
        AtomicInteger readers = new AtomicInteger();
        this.reader = new TopicReader(
                topics, () -> consumer("console-reader-" + readers.incrementAndGet(), Map.of()), surroundings.clock());
        AtomicInteger followers = new AtomicInteger();
        this.live = new LiveStreams(
                topics,
                () -> consumer("console-stream-" + followers.incrementAndGet(), LiveStreams.CONSUMER),
                surroundings.meters());
        this.writer = new TopicWriter(() -> new KafkaProducer<>(
                impatient(kafka.producer(settings.topicPrefix() + "console")),
                new ByteArraySerializer(),
                new ByteArraySerializer()));
        QueryApi questions = new QueryApi(views, reader, surroundings.clock());
        DomainsApi domains = new DomainsApi(views, reader, surroundings.current(), surroundings.clock());
        ActionsApi actions = new ActionsApi(views, writer, topics, surroundings.clock());
        DeparturesApi departures =
                new DeparturesApi(views, writer, topics, surroundings.current(), surroundings.clock());
        ExplainApi explanations = new ExplainApi(views, surroundings.current(), surroundings.clock());
        Access access = new Access(surroundings.current(), settings.api().listen(), surroundings.meters());
        SessionApi sessions = new SessionApi(access, machine());
        this.api = new ApiRoutes(
                Stream.of(
                                questions.endpoints(),
                                domains.endpoints(),
                                actions.endpoints(),
                                departures.endpoints(),
                                explanations.endpoints(),
                                live.endpoints(),
                                sessions.endpoints(),
                                new RunbookPage().endpoints(),
                                new Dashboard().endpoints())
                        .flatMap(List::stream)
                        .toList(),
                access,
                surroundings.meters());
    }

    private KafkaConsumer<byte[], byte[]> consumer(String clientId, Map<String, String> more) {
        return new KafkaConsumer<>(
                kafka.consumer(surroundings.settings().topicPrefix() + clientId, more),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
    }

    private static String machine() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException nameless) {
            return "localhost";
        }
    }

    /// Somebody waits for the answer.
    private static Properties impatient(Properties producer) {
        producer.put("linger.ms", "0");
        producer.put("max.block.ms", "5000");
        producer.put("request.timeout.ms", "5000");
        producer.put("delivery.timeout.ms", "8000");
        return producer;
    }

    @Override
    public String name() {
        return "console";
    }

    /// Everything that can be asked here.
    List<ApiRoutes.Endpoint> endpoints() {
        return api.endpoints();
    }

    @Override
    public List<Routes> routes() {
        Settings.Api listener = surroundings.settings().api();
        return List.of(new Routes("api", listener.listen(), listener.tls(), api::routing));
    }

    @Override
    public void start() {
        Settings settings = surroundings.settings();
        TopicSetup.ensure(
                kafka.admin(settings.topicPrefix() + "console-topics"),
                topics,
                settings.kafka().newTopicPartitions(),
                settings.kafka().newTopicCopies());
        // Nothing is produced, and View.changes makes reading twice harmless. Exactly-once would only wipe the stores
        // after a crash and read the topics from their beginning.
        Properties properties = kafka.streams(
                settings.topicPrefix() + "console",
                Map.of("processing.guarantee", "at_least_once", "global.consumer.isolation.level", "read_committed"));
        Topology graph = views.topology(topics, new StreamsConfig(properties), surroundings.meters());
        StreamsHost host = new StreamsHost(name(), graph, properties, surroundings);
        host.streams().setGlobalStateRestoreListener(progress);
        streams = host;
        // Kafka returns from its start only when the global stores are restored; the listener need not wait for that.
        Thread.ofPlatform().name("console-restore").start(() -> restore(host, graph));
    }

    private void restore(StreamsHost host, Topology graph) {
        try (KafkaConsumer<byte[], byte[]> ends = consumer("console-restore", Map.of())) {
            progress.begin(
                    ends,
                    graph.describe().globalStores().stream()
                            .flatMap(store -> store.source().topicSet().stream())
                            .toList());
            host.start();
            progress.end();
            LOG.atInfo().addKeyValue("seconds", progress.seconds()).log("the views are restored");
        } catch (RuntimeException failed) {
            if (progress.stopped()) {
                return;
            }
            surroundings.health().dead(name(), "the views cannot be restored; the log has the cause");
            LOG.atError().setCause(failed).log("the views cannot be restored");
        }
    }

    @Override
    public void quiesce() {
        live.close();
    }

    @Override
    public void close() {
        live.close();
        progress.stop();
        if (streams != null) {
            streams.close();
        }
        reader.close();
        writer.close();
    }

    private ReadOnlyKeyValueStore<Bytes, byte[]> store(String name) {
        StreamsHost host = streams;
        if (host == null || host.streams().state() != KafkaStreams.State.RUNNING) {
            throw new StillRestoring(progress);
        }
        return host.streams().store(StoreQueryParameters.fromNameAndType(name, QueryableStoreTypes.keyValueStore()));
    }
}

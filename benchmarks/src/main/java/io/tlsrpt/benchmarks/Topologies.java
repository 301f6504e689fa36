package io.tlsrpt.benchmarks;

import io.tlsrpt.ingest.IngestService;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.LiveSettings;
import io.tlsrpt.runtime.ServiceHost;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.StreamsHost;
import io.tlsrpt.standalone.EmbeddedBroker;
import io.tlsrpt.stream.ProcessorService;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;

/// Services one at a time, on an embedded broker in this process: intake alone, then the stream-processor on a raw
/// topic
/// that is full before it starts, beside a topology that only copies the same records.
final class Topologies implements AutoCloseable {

    /// As the stream-processor reads ahead.
    private static final Map<String, String> READ_AHEAD =
            Map.of("buffered.records.per.partition", "5", "main.consumer.max.poll.records", "20");

    private final Path directory;
    private final EmbeddedBroker broker;

    Topologies(Path directory) {
        this.directory = directory;
        this.broker = EmbeddedBroker.start(directory.resolve("broker"), new HostPort("127.0.0.1", 0));
    }

    /// Reports per second.
    ///
    /// @param post by intake alone
    /// @param produced by a producer with as many records under way as intake had connections
    /// @param copied by a copying topology with the processor's read-ahead
    /// @param copiedFarAhead by the same with the read-ahead that the other topologies have
    /// @param judged verdicts
    /// @param aggregated aggregates, which come after the verdicts
    record Result(
            Load.Result post,
            double produced,
            double copied,
            double copiedFarAhead,
            double judged,
            double aggregated) {}

    /// @param run prefix of the topics, so that each run begins with empty ones
    Result run(String run, List<Document> documents, int connections) {
        Settings settings = settings(run);
        Topics topics = new Topics(settings.topicPrefix(), settings.retention());
        KafkaSettings kafka = new KafkaSettings(settings);
        TopicSetup.ensure(
                kafka.admin("benchmark"),
                topics,
                settings.kafka().newTopicPartitions(),
                settings.kafka().newTopicCopies());
        String twin = run + "twin";
        double produced;
        try (RawTopics raw = new RawTopics(
                kafka.admin("benchmark"),
                kafka.producer("benchmark"),
                topics.raw().name())) {
            List.of(twin, run + "copies", run + "copies-far-ahead").forEach(raw::createTwin);
            raw.flush(false, run + "copies", run + "copies-far-ahead");
            raw.flush(true);
            produced = raw.produce(twin, documents, connections);
        }
        Load.Result post = postToIntakeAlone(settings, documents, connections);
        double copied = copy(settings, topics, run + "copies", READ_AHEAD, documents.size());
        double copiedFarAhead = copy(settings, topics, run + "copies-far-ahead", Map.of(), documents.size());
        Map<String, Double> judged = judge(settings, topics, documents.size());
        return new Result(
                post,
                produced,
                copied,
                copiedFarAhead,
                rate(judged, topics.verdicts().name()),
                rate(judged, topics.aggregates().name()));
    }

    private static Load.Result postToIntakeAlone(Settings settings, List<Document> documents, int connections) {
        try (ServiceHost host = new ServiceHost(LiveSettings.fixed(settings))) {
            host.start(List.of(new IngestService(host.surroundings())));
            return Posts.send(host.address("intake"), documents, connections);
        }
    }

    private static double copy(Settings settings, Topics topics, String to, Map<String, String> more, int records) {
        Properties properties = new KafkaSettings(settings).streams(to, more);
        Topology graph = new Topology(new TopologyConfig(new StreamsConfig(properties)));
        graph.addSource(
                "read-raw",
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer(),
                topics.raw().name());
        graph.addSink("write-copy", to, new ByteArraySerializer(), new ByteArraySerializer(), "read-raw");
        try (ServiceHost host = new ServiceHost(LiveSettings.fixed(settings));
                StreamsHost copying = new StreamsHost("copy", graph, properties, host.surroundings())) {
            copying.start();
            return rate(Arrivals.await(consumer(settings), List.of(to), records), to);
        }
    }

    private static Map<String, Double> judge(Settings settings, Topics topics, int records) {
        try (ServiceHost host = new ServiceHost(LiveSettings.fixed(settings))) {
            host.start(List.of(new ProcessorService(host.surroundings())));
            return Arrivals.await(
                    consumer(settings),
                    List.of(topics.verdicts().name(), topics.aggregates().name()),
                    records);
        }
    }

    private static double rate(Map<String, Double> rates, String topic) {
        return rates.getOrDefault(topic, Double.NaN);
    }

    private static Properties consumer(Settings settings) {
        return new KafkaSettings(settings).consumer("benchmark", Map.of());
    }

    private Settings settings(String run) {
        return SettingsFile.parse("benchmark", """
                        data: "%s"
                        topic-prefix: "%s"
                        intake: {listen: "127.0.0.1:0"}
                        api: {listen: "127.0.0.1:0"}
                        admin: {listen: "127.0.0.1:0"}
                        mail: {smtp: {listen: "127.0.0.1:0"}}
                        """.formatted(directory.resolve(run), run), name -> null)
                .withEmbeddedBroker(broker.bootstrapServers());
    }

    @Override
    public void close() {
        broker.close();
    }
}

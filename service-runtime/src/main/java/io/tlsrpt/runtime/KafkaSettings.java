package io.tlsrpt.runtime;

import java.util.Map;
import java.util.Properties;

/// Client properties from the settings: ours first, what the operator passes through wins, what correctness rests on
/// wins over both.
public final class KafkaSettings {

    /// A document of 10 MiB with its headers; what one of our producers sends, every topic takes.
    private static final String MAX_REQUEST_BYTES = "13631488";

    private final Settings settings;

    public KafkaSettings(Settings settings) {
        this.settings = settings;
    }

    /// For an `Admin` client.
    public Properties admin(String clientId) {
        return with(Map.of("client.id", clientId), Map.of());
    }

    /// For a producer: acks=all and idempotence always.
    public Properties producer(String clientId) {
        return with(
                Map.of(
                        "client.id",
                        clientId,
                        "compression.type",
                        "zstd",
                        "linger.ms",
                        "5",
                        "max.request.size",
                        MAX_REQUEST_BYTES),
                Map.of("acks", "all", "enable.idempotence", "true"));
    }

    /// For a consumer without a group, or with the one in `more`: read_committed always.
    public Properties consumer(String clientId, Map<String, String> more) {
        Properties properties = with(
                Map.of(
                        "client.id", clientId,
                        "enable.auto.commit", "false",
                        "auto.offset.reset", "earliest",
                        "max.partition.fetch.bytes", "2097152",
                        "fetch.max.bytes", "16777216"),
                // A topic that a reader conjures up has none of the settings it needs; TopicSetup makes them all.
                Map.of("isolation.level", "read_committed", "allow.auto.create.topics", "false"));
        properties.putAll(more);
        return properties;
    }

    /// For a Streams application: exactly_once_v2 always; state under the data directory, its memory bounded. Its
    /// internal topics have as many copies as ours: what they hold cannot be had again from elsewhere.
    public Properties streams(String applicationId, Map<String, String> more) {
        int copies = settings.kafka().newTopicCopies();
        Properties properties = with(
                Map.ofEntries(
                        Map.entry("client.id", applicationId),
                        Map.entry("replication.factor", Integer.toString(copies)),
                        Map.entry("topic.min.insync.replicas", copies >= 3 ? "2" : "1"),
                        Map.entry("topic.max.message.bytes", MAX_REQUEST_BYTES),
                        Map.entry(
                                "state.dir", settings.data().resolve("streams").toString()),
                        Map.entry("commit.interval.ms", "100"),
                        Map.entry("num.stream.threads", "1"),
                        Map.entry("statestore.cache.max.bytes", "0"),
                        Map.entry("buffered.records.per.partition", "100"),
                        Map.entry("main.consumer.max.poll.records", "100"),
                        Map.entry("main.consumer.fetch.max.bytes", "16777216"),
                        Map.entry("main.consumer.max.partition.fetch.bytes", "2097152"),
                        Map.entry("producer.compression.type", "zstd"),
                        Map.entry("producer.linger.ms", "5"),
                        Map.entry("producer.max.request.size", MAX_REQUEST_BYTES),
                        Map.entry("producer.transaction.timeout.ms", "60000"),
                        Map.entry("rocksdb.config.setter", BoundedRocksDb.class.getName()),
                        Map.entry("processing.exception.handler.global.enabled", "true")),
                Map.of(
                        "application.id", applicationId,
                        "processing.guarantee", "exactly_once_v2",
                        "ensure.explicit.internal.resource.naming", "true"));
        properties.putAll(more);
        return properties;
    }

    private Properties with(Map<String, String> ours, Map<String, String> fixed) {
        Properties properties = new Properties();
        properties.putAll(ours);
        properties.putAll(settings.kafka().properties());
        properties.put(
                "bootstrap.servers",
                java.util.Objects.requireNonNull(settings.kafka().bootstrapServers(), "kafka.bootstrap-servers"));
        properties.putAll(fixed);
        return properties;
    }
}

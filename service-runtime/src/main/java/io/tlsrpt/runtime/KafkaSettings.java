package io.tlsrpt.runtime;

import java.util.Map;
import java.util.Properties;

/// Client properties from the settings: ours first, what the operator passes through wins, what correctness rests on
/// wins over both.
public final class KafkaSettings {

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
                        "13631488"),
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
                Map.of("isolation.level", "read_committed"));
        properties.putAll(more);
        return properties;
    }

    /// For a Streams application: exactly_once_v2 always; state under the data directory, its memory bounded.
    public Properties streams(String applicationId, Map<String, String> more) {
        Properties properties = with(
                Map.ofEntries(
                        Map.entry("client.id", applicationId),
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
                        Map.entry("producer.max.request.size", "13631488"),
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

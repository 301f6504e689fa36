package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Topics;
import io.tlsrpt.topics.Verdict;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import tools.jackson.databind.JsonNode;

/// The whole program on a real broker, as a person or a program outside of it sees it.
final class House implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final Standalone standalone;
    private final Topics topics;
    private final HttpClient http = HttpClient.newHttpClient();

    private House(Standalone standalone) {
        this.standalone = standalone;
        this.topics = new Topics(
                standalone.settings().topicPrefix(), standalone.settings().retention());
    }

    /// Everything on free ports, with its data in a directory.
    static House start(Path data, String... moreYaml) {
        return ready(Standalone.start(settings(data, moreYaml), null));
    }

    /// With the settings of a file, which is read again when it changes.
    static House startWith(Path file) {
        return ready(Standalone.start(file));
    }

    private static House ready(Standalone standalone) {
        House house = new House(standalone);
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(house.standalone.host().health().notReady()).isEmpty());
        return house;
    }

    static Settings settings(Path data, String... moreYaml) {
        String yaml = """
                data: "%s"
                api: {listen: "127.0.0.1:0"}
                admin: {listen: "127.0.0.1:0"}
                """.formatted(data.toString().replace("\\", "\\\\")) + String.join("\n", moreYaml) + "\n";
        String intake = yaml.contains("intake:") ? "" : "intake: {listen: '127.0.0.1:0'}\n";
        String kafka = yaml.contains("kafka:") ? "" : "kafka: {embedded-listen: '127.0.0.1:0'}\n";
        String mail = yaml.contains("mail:") ? "" : "mail: {smtp: {listen: '127.0.0.1:0'}}\n";
        return SettingsFile.parse("test", yaml + intake + kafka + mail, name -> null);
    }

    Standalone standalone() {
        return standalone;
    }

    HttpResponse<String> post(byte[] body) {
        return send(HttpRequest.newBuilder(uri(standalone.intakeAddress(), "/v1/tlsrpt"))
                .header("Content-Type", "application/tlsrpt+gzip")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build());
    }

    /// The lines of the import door's answer.
    List<JsonNode> importFile(String name, byte[] body) {
        HttpResponse<String> answer =
                send(HttpRequest.newBuilder(uri(standalone.apiAddress(), "/api/v1/import?name=" + name))
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                        .build());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return answer.body().lines().map(Json.MAPPER::readTree).toList();
    }

    JsonNode get(String path) {
        HttpResponse<String> answer =
                send(HttpRequest.newBuilder(uri(standalone.apiAddress(), path)).build());
        assertThat(answer.statusCode()).as(path + " " + answer.body()).isEqualTo(200);
        return Json.MAPPER.readTree(answer.body());
    }

    String metrics() {
        return send(HttpRequest.newBuilder(uri(standalone.adminAddress(), "/metrics"))
                        .build())
                .body();
    }

    /// Every record there is, in the order of each partition.
    List<ConsumerRecord<byte[], byte[]>> records(Topics.Topic topic) {
        return records(standalone.bootstrapServers(), topic);
    }

    static List<ConsumerRecord<byte[], byte[]>> records(String bootstrapServers, Topics.Topic topic) {
        Map<String, Object> properties = Map.of(
                "bootstrap.servers",
                bootstrapServers,
                "isolation.level",
                "read_committed",
                "auto.offset.reset",
                "earliest",
                "max.partition.fetch.bytes",
                16 * 1024 * 1024);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic.name()).stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
        }
        return records;
    }

    List<Event> events() {
        JsonSerde<Event> serde = new JsonSerde<>(Event.class);
        return records(topics.events()).stream()
                .map(each -> serde.read(each.value()))
                .toList();
    }

    /// The latest state of each cell.
    List<Aggregate> aggregates() {
        JsonSerde<Aggregate> serde = new JsonSerde<>(Aggregate.class);
        return latest(topics.aggregates()).values().stream().map(serde::read).toList();
    }

    List<Alert> alerts() {
        JsonSerde<Alert> serde = new JsonSerde<>(Alert.class);
        return latest(topics.alerts()).values().stream().map(serde::read).toList();
    }

    private Map<String, byte[]> latest(Topics.Topic topic) {
        Map<String, byte[]> latest = new LinkedHashMap<>();
        for (ConsumerRecord<byte[], byte[]> each : records(topic)) {
            String key = new String(each.key(), java.nio.charset.StandardCharsets.UTF_8);
            if (each.value() == null) {
                latest.remove(key);
            } else {
                latest.put(key, each.value());
            }
        }
        return latest;
    }

    List<Verdict> verdicts() {
        JsonSerde<Verdict> serde = new JsonSerde<>(Verdict.class);
        return records(topics.verdicts()).stream()
                .map(each -> serde.read(each.value()))
                .toList();
    }

    Topics topics() {
        return topics;
    }

    /// Waits until each raw record has its verdict, and returns how many of each there are.
    Map<String, Long> judged(long rawRecords) {
        await().atMost(PATIENCE.multipliedBy(4))
                .pollInterval(Duration.ofMillis(300))
                .until(() -> verdicts().size() >= rawRecords);
        Map<String, Long> counts = new TreeMap<>();
        verdicts().forEach(verdict -> counts.merge(verdict.verdict(), 1L, Long::sum));
        return counts;
    }

    @Override
    public void close() {
        http.close();
        standalone.close();
    }

    private HttpResponse<String> send(HttpRequest request) {
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException failed) {
            throw new java.io.UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    static URI uri(HostPort address, String path) {
        return URI.create("http://" + address + path);
    }
}

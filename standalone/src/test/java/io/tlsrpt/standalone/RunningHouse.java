package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.runtime.HostPort;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import tools.jackson.databind.JsonNode;

/// The services and their broker, wherever they run, as a person or a program outside of them sees them.
public class RunningHouse implements AutoCloseable {

    /// How long is waited for what must come, on a machine that has much else to do.
    public static final Duration PATIENCE = Duration.ofMinutes(4);

    private final Doors doors;
    private final Topics topics;
    private final HttpClient http = HttpClient.newHttpClient();

    /// Where it is reached.
    ///
    /// @param imports the API of the process that has the import door
    /// @param api the API of the process that answers questions
    /// @param admin of each process
    public record Doors(
            String bootstrapServers, HostPort intake, HostPort imports, HostPort api, List<HostPort> admin) {}

    public RunningHouse(Doors doors, Topics topics) {
        this.doors = doors;
        this.topics = topics;
    }

    public HttpResponse<String> post(byte[] body) {
        return send(HttpRequest.newBuilder(uri(doors.intake(), "/v1/tlsrpt"))
                .header("Content-Type", "application/tlsrpt+gzip")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build());
    }

    /// The lines of the import door's answer.
    public List<JsonNode> importFile(String name, byte[] body) {
        HttpResponse<String> answer = send(HttpRequest.newBuilder(uri(doors.imports(), "/api/v1/import?name=" + name))
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return answer.body().lines().map(Json.MAPPER::readTree).toList();
    }

    public JsonNode get(String path) {
        HttpResponse<String> answer =
                send(HttpRequest.newBuilder(uri(doors.api(), path)).build());
        assertThat(answer.statusCode()).as(path + " " + answer.body()).isEqualTo(200);
        return Json.MAPPER.readTree(answer.body());
    }

    /// Of all its processes, one after the other.
    public String metrics() {
        return doors.admin().stream()
                .map(process -> send(HttpRequest.newBuilder(uri(process, "/metrics"))
                                .build())
                        .body())
                .collect(Collectors.joining("\n"));
    }

    /// Every record there is, in the order of each partition.
    public List<ConsumerRecord<byte[], byte[]>> records(Topics.Topic topic) {
        return records(doors.bootstrapServers(), topic);
    }

    public static List<ConsumerRecord<byte[], byte[]>> records(String bootstrapServers, Topics.Topic topic) {
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

    public List<Event> events() {
        JsonSerde<Event> serde = new JsonSerde<>(Event.class);
        return records(topics.events()).stream()
                .map(each -> serde.read(each.value()))
                .toList();
    }

    /// The latest state of each cell.
    public List<Aggregate> aggregates() {
        JsonSerde<Aggregate> serde = new JsonSerde<>(Aggregate.class);
        return latest(topics.aggregates()).values().stream().map(serde::read).toList();
    }

    public List<Alert> alerts() {
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

    public List<Verdict> verdicts() {
        JsonSerde<Verdict> serde = new JsonSerde<>(Verdict.class);
        return records(topics.verdicts()).stream()
                .map(each -> serde.read(each.value()))
                .toList();
    }

    public Topics topics() {
        return topics;
    }

    /// Waits until each raw record has its verdict, and returns how many of each there are.
    public Map<String, Long> judged(long rawRecords) {
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

    public static URI uri(HostPort address, String path) {
        return URI.create("http://" + address + path);
    }
}

package io.tlsrpt.connect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.standalone.Standalone;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/// The whole program, which writes the topics that sinks read.
final class House implements AutoCloseable {

    private final Standalone standalone;
    private final HttpClient http = HttpClient.newHttpClient();

    House(Path directory) throws IOException {
        Path settings = directory.resolve("tlsrpt.yaml");
        Files.writeString(settings, """
                data: "%s"
                kafka: {embedded-listen: "127.0.0.1:0"}
                intake: {listen: "127.0.0.1:0"}
                api: {listen: "127.0.0.1:0"}
                admin: {listen: "127.0.0.1:0"}
                mail: {smtp: {enabled: false}}
                alerting: {inspection: {enabled: false}}
                """.formatted(directory.resolve("data")));
        standalone = Standalone.start(settings);
        await().atMost(Duration.ofSeconds(90))
                .untilAsserted(
                        () -> assertThat(standalone.host().health().notReady()).isEmpty());
    }

    String bootstrapServers() {
        return standalone.bootstrapServers();
    }

    Topics topics() {
        return new Topics(
                standalone.settings().topicPrefix(), standalone.settings().retention());
    }

    /// As a reporter does it, whom nobody vouches for.
    void post(byte[] report) {
        send("http://" + standalone.intakeAddress() + "/v1/tlsrpt", "application/tlsrpt+json", report, 201);
    }

    /// As the operator does it.
    void importFile(String name, byte[] file) {
        send(
                "http://" + standalone.apiAddress() + "/api/v1/import?name=" + name,
                "application/octet-stream",
                file,
                200);
    }

    /// As somebody at the dashboard does it.
    void resolve(String alertId, String incidentId) {
        String body = "{\"by\":\"alice\",\"incident-id\":\"" + incidentId + "\"}";
        send(
                "http://" + standalone.apiAddress() + "/api/v1/alerts/" + alertId + "/resolve",
                "application/json",
                body.getBytes(StandardCharsets.UTF_8),
                202);
    }

    private void send(String uri, String type, byte[] body, int status) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(uri))
                .header("Content-Type", type)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
        try {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    /// Every committed record there is now, in the order of each partition.
    List<ConsumerRecord<byte[], byte[]>> records(String topic) {
        Map<String, Object> properties =
                Map.of("bootstrap.servers", bootstrapServers(), "isolation.level", "read_committed");
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
        }
        return records;
    }

    /// The latest value of each key that has one.
    Map<String, byte[]> latest(String topic) {
        Map<String, byte[]> latest = new LinkedHashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records(topic)) {
            String key = new String(record.key(), StandardCharsets.UTF_8);
            if (record.value() == null) {
                latest.remove(key);
            } else {
                latest.put(key, record.value());
            }
        }
        return latest;
    }

    @Override
    public void close() {
        http.close();
        standalone.close();
    }
}

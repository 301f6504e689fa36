package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.ingest.IngestService;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.HttpListener;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IngestIT {

    private static final Clock NOON = Clock.fixed(Instant.parse("2026-11-22T12:00:00Z"), java.time.ZoneOffset.UTC);

    @TempDir
    Path data;

    @Test
    void reportsPostedWhileTheBrokerIsStoppedAreAllThereOnceItIsBack() throws Exception {
        EmbeddedBroker broker = EmbeddedBroker.start(data.resolve("broker"), HostPort.parse("127.0.0.1:0"));
        Settings settings = SettingsFile.parse(
                        "test.yaml",
                        "data: " + data
                                + "\nintake: {listen: '127.0.0.1:0'}\napi: {listen: '127.0.0.1:0'}\nmail: {smtp: {enabled: false}}\n",
                        name -> null)
                .withEmbeddedBroker(broker.bootstrapServers());
        Topics topics = new Topics(settings.topicPrefix(), settings.retention());
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        Health health = new Health();
        IngestService service = new IngestService(new Surroundings(settings, () -> settings, meters, health, NOON));
        service.start();
        try (HttpListener listener = HttpListener.start(service.routes(), meters);
                HttpClient client = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://" + listener.address() + "/v1/tlsrpt");
            await().until(health::isReady);
            assertThat(post(client, uri, 0)).isEqualTo(201);

            broker.close();
            List<Integer> answers = new ArrayList<>();
            for (int i = 1; i <= 200; i++) {
                answers.add(post(client, uri, i));
            }
            assertThat(answers).containsOnly(201);
            assertThat(meters.get("tlsrpt.spool.entries").gauge().value()).isEqualTo(200);

            broker = EmbeddedBroker.start(data.resolve("broker"), HostPort.parse(broker.bootstrapServers()));
            await().atMost(Duration.ofMinutes(1))
                    .until(() -> meters.get("tlsrpt.spool.entries").gauge().value() == 0);
            assertThat(post(client, uri, 201)).isEqualTo(201);

            List<ConsumerRecord<String, byte[]>> raw = raw(settings, topics);
            assertThat(raw.stream().map(ConsumerRecord::key).distinct())
                    .containsExactlyInAnyOrderElementsOf(IntStream.rangeClosed(0, 201)
                            .mapToObj(i -> "google.com|r" + i + "|2026-11-20T00:00:00Z|example.com")
                            .toList());
            // those whose acknowledgement was waited for may be there twice, no others
            assertThat(raw).hasSizeBetween(202, 203);
            assertThat(raw)
                    .allSatisfy(record -> assertThat(
                                    ReportHeaders.read(record.headers()).receivedAt())
                            .isEqualTo(NOON.instant()));
        } finally {
            service.close();
            broker.close();
        }
    }

    private static int post(HttpClient client, URI uri, int i) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri)
                .POST(HttpRequest.BodyPublishers.ofByteArray(
                        SampleReports.report().id("r" + i).gzip()))
                .build();
        return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    private static List<ConsumerRecord<String, byte[]>> raw(Settings settings, Topics topics) {
        List<ConsumerRecord<String, byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<String, byte[]> consumer = new KafkaConsumer<>(
                new KafkaSettings(settings).consumer("test", Map.of()),
                new StringDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer
                    .partitionsFor(topics.raw().name())
                    .stream()
                    .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
                consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            }
        }
        return records;
    }
}

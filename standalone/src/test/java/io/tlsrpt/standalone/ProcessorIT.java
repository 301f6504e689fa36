package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.ContentDigest;
import io.tlsrpt.report.Reading;
import io.tlsrpt.report.ReportKey;
import io.tlsrpt.report.ReportReader;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import io.tlsrpt.topics.Verdict;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Two stream processors, each a process of its own, on a real broker; one is killed in the middle of the work.
class ProcessorIT {

    private static final int PARTITIONS = 4;
    private static final int REPORTS = 1_200;
    private static final int DOMAINS = 20;

    /// Failure and summary of each report, both once more as retractions and anew where it was replaced.
    private static final int EVENTS = 2 * REPORTS + 4 * (REPORTS / 5);

    private final Topics topics = new Topics("tlsrpt.", Duration.ofDays(400));
    private final Clock clock = Clock.systemUTC();
    private final LocalDate day = LocalDate.now(clock).minusDays(1);

    /// Sums by domain and trust: successful, failed, reports, sessions with an expired certificate.
    private final Map<String, List<Long>> expected = new TreeMap<>();

    @TempDir
    Path directory;

    @Test
    void aKilledInstanceLosesNothingAndCountsNothingTwice() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("broker"), HostPort.parse("127.0.0.1:0"))) {
            String servers = broker.bootstrapServers();
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
                new TopicSetup(admin, topics, PARTITIONS, 1).run();
            }
            List<ProducerRecord<byte[], byte[]>> raw = rawRecords();
            Process survivor = processor(directory.resolve("survivor"), servers);
            Process victim = processor(directory.resolve("victim"), servers);
            try (Committed verdicts = new Committed(servers, topics.verdicts());
                    Committed events = new Committed(servers, topics.events());
                    Committed aggregates = new Committed(servers, topics.aggregates())) {
                send(servers, raw.subList(0, raw.size() / 2));
                await().atMost(Duration.ofSeconds(90)).until(() -> verdicts.poll() > 100);
                // SIGKILL, with half of the work to come
                victim.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
                send(servers, raw.subList(raw.size() / 2, raw.size()));

                await().atMost(Duration.ofMinutes(2)).until(() -> verdicts.poll() >= raw.size());
                await().atMost(Duration.ofMinutes(2))
                        .untilAsserted(() -> assertThat(sums(aggregates)).isEqualTo(expected));
                await().atMost(Duration.ofSeconds(30)).until(() -> events.poll() >= EVENTS);

                assertEachRawRecordHasOneVerdict(verdicts, raw.size());
                assertNoEventTwiceAndEachInItsDomainsPartition(events);
                assertThat(aggregates.records)
                        .allSatisfy(record -> assertThat(record.partition())
                                .isEqualTo(Topics.partition(
                                        new JsonSerde<>(AggregateKey.class)
                                                .read(record.key())
                                                .policyDomain(),
                                        PARTITIONS)));
                assertThat(survivor.isAlive()).isTrue();
            } finally {
                victim.destroyForcibly();
                survivor.destroy();
                assertThat(survivor.waitFor(60, TimeUnit.SECONDS)).isTrue();
            }
        }
    }

    private static void assertEachRawRecordHasOneVerdict(Committed verdicts, int raw) {
        assertThat(verdicts.values(Verdict.class).stream().map(Verdict::raw))
                .hasSize(raw)
                .doesNotHaveDuplicates();
    }

    private static void assertNoEventTwiceAndEachInItsDomainsPartition(Committed events) {
        assertThat(events.values(Event.class).stream().map(Event::eventId)).doesNotHaveDuplicates();
        assertThat(events.records).hasSize(EVENTS);
        assertThat(events.records)
                .allSatisfy(record -> assertThat(record.partition())
                        .isEqualTo(Topics.partition(new String(record.key(), StandardCharsets.UTF_8), PARTITIONS)));
    }

    private Map<String, List<Long>> sums(Committed aggregates) {
        aggregates.poll();
        Map<String, Aggregate> latest = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : aggregates.records) {
            String key = new String(record.key(), StandardCharsets.UTF_8);
            if (record.value() == null) {
                latest.remove(key);
            } else {
                latest.put(key, new JsonSerde<>(Aggregate.class).read(record.value()));
            }
        }
        Map<String, List<Long>> sums = new TreeMap<>();
        for (Aggregate cell : latest.values()) {
            sums.put(
                    cell.policyDomain() + " " + cell.authentication(),
                    List.of(
                            cell.totalSuccessfulSessionCount(),
                            cell.totalFailureSessionCount(),
                            cell.reportCount(),
                            cell.failures().getFirst().failedSessionCount()));
        }
        return sums;
    }

    /// Every report untrusted, every third twice, every fifth once more by the operator with other numbers.
    private List<ProducerRecord<byte[], byte[]>> rawRecords() {
        List<ProducerRecord<byte[], byte[]>> raw = new ArrayList<>();
        for (int i = 0; i < REPORTS; i++) {
            raw.add(record(i, i, Authentication.NONE));
            if (i % 3 == 0) {
                raw.add(record(i, i, Authentication.NONE));
            }
            boolean replaced = i % 5 == 0;
            if (replaced) {
                raw.add(record(i, 2L * i + 1, Authentication.OPERATOR));
            }
            expect(i, replaced ? 2L * i + 1 : i, replaced ? Authentication.OPERATOR : Authentication.NONE);
        }
        return raw;
    }

    private void expect(int report, long successful, Authentication authentication) {
        expected.merge(
                "d" + report % DOMAINS + ".example " + authentication.word(),
                List.of(successful, 2L, 1L, 2L),
                (had, more) -> List.of(
                        had.get(0) + more.get(0),
                        had.get(1) + more.get(1),
                        had.get(2) + more.get(2),
                        had.get(3) + more.get(3)));
    }

    private ProducerRecord<byte[], byte[]> record(int report, long successful, Authentication authentication) {
        byte[] document = SampleReports.report()
                .id("r" + report)
                .day(day)
                .policy("sts", "d" + report % DOMAINS + ".example", successful, 2)
                .failure("certificate-expired", "mx1.d.example", 2)
                .bytes();
        var read = (Reading.Read) new ReportReader(ReportReader.Limits.DEFAULT).read(document);
        ReportHeaders headers = new ReportHeaders(
                "https",
                clock.instant(),
                null,
                authentication,
                null,
                read.report().submitter(),
                ContentDigest.sha256(read.report()),
                null,
                List.of(),
                false,
                null,
                null);
        return new ProducerRecord<>(
                topics.raw().name(),
                null,
                null,
                ReportKey.of(read.report(), null).getBytes(StandardCharsets.UTF_8),
                document,
                headers.write(topics.raw().schema()));
    }

    static void send(String servers, List<ProducerRecord<byte[], byte[]>> records) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", servers, "acks", "all"),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            List<Future<RecordMetadata>> acknowledged =
                    records.stream().map(producer::send).toList();
            for (Future<RecordMetadata> each : acknowledged) {
                each.get();
            }
        }
    }

    /// A stream processor as a process of its own.
    static Process processor(Path home, String servers) throws IOException {
        Files.createDirectories(home);
        Path config = home.resolve("tlsrpt.yaml");
        // short timeouts, so that the survivor takes over soon
        Files.writeString(config, """
                data: %s
                kafka:
                  bootstrap-servers: %s
                  replication-factor: 1
                  properties:
                    session.timeout.ms: "6000"
                    heartbeat.interval.ms: "1000"
                    producer.transaction.timeout.ms: "10000"
                admin:
                  listen: 127.0.0.1:0
                """.formatted(home, servers));
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "io.tlsrpt.stream.ProcessorMain",
                        "--config",
                        config.toString())
                .redirectErrorStream(true)
                .redirectOutput(home.resolve("log.txt").toFile())
                .start();
    }

    /// All of a topic that a read_committed consumer sees.
    private static final class Committed implements AutoCloseable {

        final List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        private final KafkaConsumer<byte[], byte[]> consumer;

        Committed(String servers, Topics.Topic topic) {
            consumer = new KafkaConsumer<>(
                    Map.of("bootstrap.servers", servers, "isolation.level", "read_committed"),
                    new ByteArrayDeserializer(),
                    new ByteArrayDeserializer());
            List<TopicPartition> partitions = new ArrayList<>();
            for (int partition = 0; partition < PARTITIONS; partition++) {
                partitions.add(new TopicPartition(topic.name(), partition));
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
        }

        /// @return how many records were read so far
        int poll() {
            consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            return records.size();
        }

        <T> List<T> values(Class<T> type) {
            JsonSerde<T> serde = new JsonSerde<>(type);
            return records.stream().map(record -> serde.read(record.value())).toList();
        }

        @Override
        public void close() {
            consumer.close();
        }
    }
}

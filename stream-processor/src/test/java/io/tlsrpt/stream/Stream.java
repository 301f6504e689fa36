package io.tlsrpt.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.CanaryReport;
import io.tlsrpt.report.ContentDigest;
import io.tlsrpt.report.Reading;
import io.tlsrpt.report.ReportKey;
import io.tlsrpt.report.ReportReader;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Departure;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import io.tlsrpt.topics.Verdict;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;

/// The whole topology under test, fed as intake feeds it, with all that it wrote.
final class Stream implements AutoCloseable {

    static final Instant NOW = Instant.parse("2026-11-22T06:00:00Z");
    static final Duration RETENTION = Duration.ofDays(400);

    final Topics topics;
    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final TopologyTestDriver driver;

    final List<Verdict> verdicts = new ArrayList<>();
    final List<Event> events = new ArrayList<>();
    final List<AcceptedReport> reports = new ArrayList<>();
    final List<TestRecord<byte[], byte[]>> rejected = new ArrayList<>();
    final List<String> aggregateKeys = new ArrayList<>();
    final Map<String, Aggregate> cells = new LinkedHashMap<>();
    final Map<String, String> latestReports = new LinkedHashMap<>();
    int rawRecords;

    private final TestInputTopic<byte[], byte[]> raw;
    private final TestInputTopic<byte[], byte[]> foreignEvents;

    Stream(Path stateDirectory) {
        this(stateDirectory, RETENTION);
    }

    Stream(Path stateDirectory, Duration retention) {
        topics = new Topics("tlsrpt.", retention);
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "tlsrpt.stream-processor");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        properties.put(StreamsConfig.STATE_DIR_CONFIG, stateDirectory.toString());
        properties.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, "true");
        ProcessorMetrics metrics = new ProcessorMetrics(meters);
        properties.putAll(SafetyNet.properties(topics, metrics));
        driver = new TopologyTestDriver(ReportTopology.build(properties, topics, metrics), properties, NOW);
        raw = driver.createInputTopic(topics.raw().name(), new ByteArraySerializer(), new ByteArraySerializer());
        foreignEvents =
                driver.createInputTopic(topics.events().name(), new ByteArraySerializer(), new ByteArraySerializer());
    }

    /// What intake would make of a document.
    static TestRecord<byte[], byte[]> taken(byte[] document, Authentication authentication, Instant receivedAt) {
        return taken(document, authentication, receivedAt, null, List.of());
    }

    static TestRecord<byte[], byte[]> taken(
            byte[] document,
            Authentication authentication,
            Instant receivedAt,
            @Nullable String channelDomain,
            List<String> foreignDomains) {
        Reading reading = new ReportReader(ReportReader.Limits.DEFAULT).read(document);
        assertThat(reading).isInstanceOf(Reading.Read.class);
        var report = ((Reading.Read) reading).report();
        Headers headers = new ReportHeaders(
                        authentication == Authentication.OPERATOR ? "file" : "https",
                        receivedAt,
                        "192.0.2.1",
                        authentication,
                        null,
                        report.submitter(),
                        ContentDigest.sha256(report),
                        channelDomain,
                        foreignDomains,
                        false,
                        null,
                        null)
                .write("tlsrpt.report-document/1");
        return new TestRecord<>(
                ReportKey.of(report, channelDomain).getBytes(StandardCharsets.UTF_8), document, headers, receivedAt);
    }

    void post(SampleReports report) {
        post(report.bytes(), Authentication.NONE);
    }

    void post(SampleReports report, Authentication authentication) {
        post(report.bytes(), authentication);
    }

    void post(byte[] document, Authentication authentication) {
        put(taken(document, authentication, NOW));
    }

    void put(TestRecord<byte[], byte[]> record) {
        // The driver hands out the headers it was given: each run needs its own.
        raw.pipeInput(new TestRecord<>(
                record.key(), record.value(), new RecordHeaders(record.headers()), record.timestamp()));
        rawRecords++;
        drain();
    }

    /// What the console writes when a domain is to be forgotten.
    void depart(String domain, Instant at) {
        driver.createInputTopic(
                        topics.departures().name(),
                        new StringSerializer(),
                        new JsonSerde<>(Departure.class).serializer())
                .pipeInput(domain, new Departure(domain, at, "alice"), at);
        drain();
    }

    /// Something in the events topic that the processor did not write.
    void putForeignEvent(byte @Nullable [] value) {
        foreignEvents.pipeInput("example.com".getBytes(StandardCharsets.UTF_8), value);
        drain();
    }

    void pass(Duration time) {
        driver.advanceWallClockTime(time);
        drain();
    }

    Verdict lastVerdict() {
        return verdicts.getLast();
    }

    List<String> verdictWords() {
        return verdicts.stream().map(Verdict::verdict).toList();
    }

    /// The only cell there is.
    Aggregate cell() {
        assertThat(cells).hasSize(1);
        return cells.values().iterator().next();
    }

    static String reason(TestRecord<byte[], byte[]> rejected) {
        return String.valueOf(ReportHeaders.text(rejected.headers(), ReportHeaders.REASON));
    }

    /// The equation of the verdicts, by what lies in the topics and by the counters, which leave out our own reports.
    void assertEveryRawRecordHasOneVerdict() {
        assertThat(verdicts).hasSize(rawRecords);
        assertThat(verdicts.stream().map(Verdict::raw).distinct()).hasSize(rawRecords);
        List<Verdict> counted = verdicts.stream()
                .filter(verdict -> !verdict.reportKey().startsWith(CanaryReport.DOMAIN))
                .toList();
        assertThat(meters.get("tlsrpt.processor.raw").counter().count()).isEqualTo(counted.size());
        assertThat(meters.get("tlsrpt.processor.canaries").counter().count()).isEqualTo(rawRecords - counted.size());
        assertThat(meters.get("tlsrpt.processor.verdicts").counters().stream()
                        .mapToDouble(counter -> counter.count())
                        .sum())
                .isEqualTo(counted.size());
        for (ProcessorMetrics.Outcome outcome : ProcessorMetrics.Outcome.values()) {
            assertThat(meters.get("tlsrpt.processor.verdicts").tag("verdict", outcome.word()).counters().stream()
                            .mapToDouble(counter -> counter.count())
                            .sum())
                    .as(outcome.word())
                    .isEqualTo((double) counted.stream()
                            .filter(verdict -> verdict.verdict().equals(outcome.word()))
                            .count());
        }
    }

    private void drain() {
        drain(topics.verdicts(), Verdict.class, (key, record) -> {
            Verdict verdict = Objects.requireNonNull(record);
            assertThat(verdict.reportKey()).isEqualTo(key);
            verdicts.add(verdict);
        });
        drain(topics.reports(), AcceptedReport.class, (key, report) -> {
            if (report == null) {
                latestReports.remove(key);
            } else {
                assertThat(report.reportKey()).isEqualTo(key);
                reports.add(report);
                latestReports.put(key, report.authentication());
            }
        });
        drain(topics.events(), Event.class, (key, record) -> {
            Event event = Objects.requireNonNull(record);
            assertThat(event.policyDomain()).isEqualTo(key);
            events.add(event);
        });
        drain(topics.aggregates(), Aggregate.class, (key, aggregate) -> {
            aggregateKeys.add(key);
            if (aggregate == null) {
                cells.remove(key);
            } else {
                assertThat(new String(
                                new JsonSerde<>(AggregateKey.class).write(aggregate.key()), StandardCharsets.UTF_8))
                        .isEqualTo(key);
                cells.put(key, aggregate);
            }
        });
        for (TestRecord<byte[], byte[]> record : records(topics.rejected())) {
            rejected.add(record);
        }
    }

    private interface Sink<T> {
        void take(String key, @Nullable T value);
    }

    private <T> void drain(Topics.Topic topic, Class<T> type, Sink<T> sink) {
        for (TestRecord<byte[], byte[]> record : records(topic)) {
            byte[] value = record.value();
            if (value != null) {
                assertThat(value).hasSizeLessThan(Topics.MAX_RECORD_BYTES - 16 * 1024);
                assertThat(new String(value, StandardCharsets.UTF_8)).isEqualTo(compact(value));
            }
            sink.take(new String(record.key(), StandardCharsets.UTF_8), new JsonSerde<>(type).readOrNull(value));
        }
    }

    private static String compact(byte[] json) {
        return Json.MAPPER.writeValueAsString(Json.MAPPER.readTree(json));
    }

    private List<TestRecord<byte[], byte[]>> records(Topics.Topic topic) {
        TestOutputTopic<byte[], byte[]> output =
                driver.createOutputTopic(topic.name(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        List<TestRecord<byte[], byte[]>> records = output.readRecordsToList();
        for (TestRecord<byte[], byte[]> record : records) {
            assertThat(ReportHeaders.text(record.headers(), ReportHeaders.SCHEMA))
                    .isEqualTo(topic.schema());
        }
        return records;
    }

    @Override
    public void close() {
        driver.close();
    }
}

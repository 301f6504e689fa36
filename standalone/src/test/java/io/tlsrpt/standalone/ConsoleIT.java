package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.console.ConsoleService;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.LiveSettings;
import io.tlsrpt.runtime.ServiceHost;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The console over a real broker, with records as the other services write them.
class ConsoleIT {

    private static final String DOMAIN = "example.com";

    @TempDir
    private Path directory;

    private final Instant arrival = Instant.now();
    private final LocalDate today = LocalDate.ofInstant(arrival, ZoneOffset.UTC);
    private final HttpClient http = HttpClient.newHttpClient();
    private EmbeddedBroker broker;
    private Settings settings;
    private Topics topics;
    private ServiceHost host;
    private Producer<byte[], byte[]> producer;

    @BeforeEach
    void start() {
        Settings configured = House.settings(directory);
        broker = EmbeddedBroker.start(directory.resolve("broker"), HostPort.parse("127.0.0.1:0"));
        settings = configured.withEmbeddedBroker(broker.bootstrapServers());
        topics = new Topics(settings.topicPrefix(), settings.retention());
        host = startConsole();
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", broker.bootstrapServers(), "transactional.id", "it", "acks", "all"),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        producer.initTransactions();
    }

    @AfterEach
    void stop() {
        producer.close();
        host.close();
        broker.close();
        http.close();
    }

    @Test
    void whatWasStoppedGoesOnWhereItEndedAndForgetsWhatExpiredMeanwhile() {
        committed(() -> {
            put(cell(today, "google.com", 100));
            put(cell(today, "microsoft.com", 50));
            put(cell(today.minusDays(1), "google.com", 70));
        });
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(get("/api/v1/domains/example.com/aggregates")
                                .path("rows")
                                .size())
                        .isEqualTo(3));
        assertThat(overview()
                        .path("last-window-totals")
                        .path(0)
                        .path("total-successful-session-count")
                        .longValue())
                .isEqualTo(150);

        host.close();
        committed(() -> {
            put(cell(today, "google.com", 110));
            send(topics.aggregates(), 0, key(today, "microsoft.com"), null, new RecordHeaders());
        });
        host = startConsole();

        assertThat(get("/api/v1/domains/example.com/aggregates").path("rows").size())
                .isEqualTo(2);
        assertThat(overview()
                        .path("last-window-totals")
                        .path(0)
                        .path("total-successful-session-count")
                        .longValue())
                .isEqualTo(110);
        assertThat(overview().path("state").stringValue()).isEqualTo("regular");
    }

    @Test
    void eventsOfAnAbortedTransactionAreNeverSeenAndPagesAreWhole() {
        committed(() -> {
            for (int i = 0; i < 40; i++) {
                event(DOMAIN, "committed-" + i);
                event("other.example", "other-" + i);
            }
        });
        producer.beginTransaction();
        event(DOMAIN, "aborted");
        producer.flush();
        producer.abortTransaction();
        committed(() -> event(DOMAIN, "last"));

        List<String> seen = new ArrayList<>();
        String cursor = "";
        do {
            JsonNode page = get("/api/v1/domains/example.com/events?limit=7" + cursor);
            page.path("rows").forEach(row -> seen.add(row.path("event-id").stringValue()));
            cursor = page.path("complete").booleanValue()
                    ? ""
                    : "&cursor=" + page.path("cursor").stringValue();
        } while (!cursor.isEmpty());

        assertThat(seen)
                .hasSize(41)
                .doesNotHaveDuplicates()
                .doesNotContain("aborted")
                .endsWith("last");
    }

    @Test
    void refusedDocumentsComeNewestFirstAndAcceptedOnesAsTheyWereSent() {
        committed(() -> {
            for (int i = 0; i < 150; i++) {
                RecordHeaders headers = new RecordHeaders();
                ReportHeaders.put(headers, ReportHeaders.REASON, i % 2 == 0 ? "not-json" : "empty");
                ReportHeaders.put(headers, ReportHeaders.DETAIL, Integer.toString(i));
                send(topics.rejected(), i % 4, bytes("k"), bytes("<b>" + i), headers);
            }
        });
        String key = "google.com|r 1|2026-11-20T00:00:00Z|example.com";
        byte[] document = bytes("{\"as\":\"sent\"}");
        committed(() -> {
            RecordMetadata raw = send(topics.raw(), 3, bytes(key), document, new RecordHeaders());
            send(topics.reports(), 3, bytes(key), Json.MAPPER.writeValueAsBytes(report(key, raw)), new RecordHeaders());
        });

        JsonNode refused = get("/api/v1/rejected?limit=200");
        assertThat(refused.path("complete").booleanValue()).isTrue();
        assertThat(refused.path("rows").size()).isEqualTo(150);
        assertThat(refused.path("rows").path(0).path("detail").stringValue()).isIn("146", "147", "148", "149");
        assertThat(get("/api/v1/rejected?limit=200&reason=empty").path("rows").size())
                .isEqualTo(75);

        String query = "?key=" + URLEncoder.encode(key, StandardCharsets.UTF_8);
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(get("/api/v1/domains/example.com/reports")
                                .path("rows")
                                .size())
                        .isEqualTo(1));
        assertThat(get("/api/v1/reports" + query).path("report-id").stringValue())
                .isEqualTo("r 1");
        assertThat(answer("/api/v1/reports/raw" + query).body()).isEqualTo("{\"as\":\"sent\"}");
        assertThat(get("/api/v1/reporters")
                        .path("rows")
                        .path(0)
                        .path("submitter")
                        .stringValue())
                .isEqualTo("google.com");
    }

    private ServiceHost startConsole() {
        ServiceHost started = new ServiceHost(LiveSettings.fixed(settings));
        started.start(List.of(new ConsoleService(started.surroundings())));
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(started.health().notReady()).isEmpty());
        return started;
    }

    private void committed(Runnable sends) {
        producer.beginTransaction();
        sends.run();
        producer.commitTransaction();
    }

    private RecordMetadata send(
            Topics.Topic topic, int partition, byte[] key, byte @Nullable [] value, RecordHeaders headers) {
        var sent = producer.send(new ProducerRecord<>(topic.name(), partition, key, value, headers));
        producer.flush();
        return sent.resultNow();
    }

    private void put(Aggregate cell) {
        send(
                topics.aggregates(),
                0,
                key(cell.window(), cell.submitter()),
                Json.MAPPER.writeValueAsBytes(cell),
                new RecordHeaders());
    }

    private static byte[] key(LocalDate window, String submitter) {
        return Json.MAPPER.writeValueAsBytes(new AggregateKey(window, DOMAIN, "sts", submitter, "dkim"));
    }

    private Aggregate cell(LocalDate window, String submitter, long successful) {
        return new Aggregate(
                window,
                DOMAIN,
                "sts",
                submitter,
                "dkim",
                successful,
                0,
                1,
                "enforce",
                List.of(),
                arrival,
                arrival,
                arrival,
                false);
    }

    private void event(String domain, String id) {
        Event event = new Event(
                "summary",
                id,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                1L,
                0L,
                domain,
                "sts",
                null,
                null,
                "google.com",
                null,
                "r",
                arrival,
                arrival,
                "dkim",
                "smtp",
                arrival,
                false,
                null);
        send(
                topics.events(),
                Topics.partition(domain, settings.kafka().newTopicPartitions()),
                bytes(domain),
                Json.MAPPER.writeValueAsBytes(event),
                new RecordHeaders());
    }

    private AcceptedReport report(String key, RecordMetadata raw) {
        return new AcceptedReport(
                key,
                0,
                "google.com",
                "Google Inc.",
                "smtp-tls-reporting@google.com",
                "r 1",
                arrival,
                arrival,
                List.of(DOMAIN),
                List.of(),
                "dkim",
                "smtp",
                arrival,
                false,
                List.of(),
                new RawPosition(raw.partition(), raw.offset()),
                null);
    }

    private JsonNode overview() {
        return get("/api/v1/domains").path("rows").path(0);
    }

    private JsonNode get(String path) {
        HttpResponse<String> answer = answer(path);
        assertThat(answer.statusCode()).as(path + " " + answer.body()).isEqualTo(200);
        return Json.MAPPER.readTree(answer.body());
    }

    private HttpResponse<String> answer(String path) {
        HostPort api = host.address("api");
        try {
            return http.send(
                    HttpRequest.newBuilder(URI.create("http://" + api + path)).build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

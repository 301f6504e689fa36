package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.console.ConsoleService;
import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.ContentDigest;
import io.tlsrpt.report.Reading;
import io.tlsrpt.report.ReportKey;
import io.tlsrpt.report.ReportReader;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.LiveSettings;
import io.tlsrpt.runtime.ServiceHost;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Two consoles and two stream processors on one broker, one of the processors killed in the middle of the work.
class TwoConsolesIT {

    private static final int PARTITIONS = 4;
    private static final int REPORTS = 1_200;
    private static final int DOMAINS = 12;
    private static final List<String> REPORTERS = List.of("google.com", "microsoft.com", "mail.example");

    private final Topics topics = new Topics("tlsrpt.", Duration.ofDays(400));
    private final Clock clock = Clock.systemUTC();
    private final LocalDate day = LocalDate.now(clock).minusDays(1);
    private final HttpClient http = HttpClient.newHttpClient();

    @TempDir
    private Path directory;

    @Test
    void bothGiveTheFullAndEqualAnswerWhileAProcessorIsKilledAndItsWorkMoves() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("broker"), HostPort.parse("127.0.0.1:0"))) {
            String servers = broker.bootstrapServers();
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
                new TopicSetup(admin, topics, PARTITIONS, 1).run();
            }
            Process survivor = ProcessorIT.processor(directory.resolve("survivor"), servers);
            Process victim = ProcessorIT.processor(directory.resolve("victim"), servers);
            try (ServiceHost one = console("one", servers);
                    ServiceHost other = console("other", servers);
                    Asking askingOne = new Asking(one.address("api"));
                    Asking askingOther = new Asking(other.address("api"))) {
                List<ProducerRecord<byte[], byte[]>> raw = rawRecords();
                ProcessorIT.send(servers, alerts());
                ProcessorIT.send(servers, raw.subList(0, raw.size() / 2));
                await().atMost(Duration.ofMinutes(2)).until(() -> askingOne.seen > 100 && askingOther.seen > 100);
                victim.destroyForcibly().waitFor(10, TimeUnit.SECONDS); // SIGKILL, with half of the work to come
                ProcessorIT.send(servers, raw.subList(raw.size() / 2, raw.size()));

                HostPort first = one.address("api");
                HostPort second = other.address("api");
                for (HostPort console : List.of(first, second)) {
                    await().atMost(Duration.ofMinutes(3))
                            .untilAsserted(() -> assertThat(sums(console)).isEqualTo(expected()));
                }
                assertEqualAnswers(first, second);
                assertThat(askingOne.answers.get()).isGreaterThan(50);
                assertThat(askingOther.answers.get()).isGreaterThan(50);
                assertThat(askingOne.wrong).isEmpty();
                assertThat(askingOther.wrong).isEmpty();
                assertThat(survivor.isAlive()).isTrue();
            } finally {
                victim.destroyForcibly();
                survivor.destroy();
                assertThat(survivor.waitFor(60, TimeUnit.SECONDS)).isTrue();
                http.close();
            }
        }
    }

    /// Byte for byte, over all pages, with their tags.
    private void assertEqualAnswers(HostPort one, HostPort other) {
        for (String path : paths().toList()) {
            // what both have read from the broker by now is the same; how far each has got need not be yet
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() ->
                            assertThat(pages(one, path)).as(path).isNotEmpty().isEqualTo(pages(other, path)));
        }
        assertThat(rows(one, "/api/v1/rejected?limit=50")).hasSize(REPORTS / 10);
        assertThat(rows(one, "/api/v1/alerts?limit=2")).hasSize(5);
        assertThat(rows(one, "/api/v1/reporters?limit=2")).hasSize(REPORTERS.size());
        assertThat(rows(one, "/api/v1/domains/d0.example/events?limit=40")).hasSize(2 * REPORTS / DOMAINS);
        assertThat(rows(one, "/api/v1/domains/d0.example/reports?limit=40")).hasSize(REPORTS / DOMAINS);
    }

    private static Stream<String> paths() {
        Stream<String> whole = Stream.of(
                "/api/v1/domains?limit=5",
                "/api/v1/reporters?limit=2",
                "/api/v1/reporters/" + REPORTERS.getFirst(),
                "/api/v1/rejected?limit=50",
                "/api/v1/alerts?limit=2",
                "/api/v1/alerts?state=firing",
                "/api/v1/help",
                "/api/v1/silences");
        Stream<String> ofDomains = IntStream.range(0, DOMAINS)
                .mapToObj(i -> "/api/v1/domains/d" + i + ".example")
                .flatMap(domain -> Stream.of(
                        domain,
                        domain + "/readiness",
                        domain + "/summary",
                        domain + "/aggregates?limit=2",
                        domain + "/events?limit=40",
                        domain + "/reports?limit=40"));
        return Stream.concat(whole, ofDomains);
    }

    private List<String> pages(HostPort console, String path) {
        List<String> pages = new ArrayList<>();
        String cursor = "";
        do {
            HttpResponse<String> page = get(console, path + cursor);
            assertThat(page.statusCode()).as(path).isEqualTo(200);
            pages.add(page.headers().firstValue("ETag").orElse("no tag") + "\n" + page.body());
            String next = Json.MAPPER.readTree(page.body()).path("cursor").asString("");
            cursor = next.isEmpty() ? "" : (path.contains("?") ? "&" : "?") + "cursor=" + next;
        } while (!cursor.isEmpty());
        return pages;
    }

    private List<JsonNode> rows(HostPort console, String path) {
        List<JsonNode> rows = new ArrayList<>();
        for (String page : pages(console, path)) {
            Json.MAPPER
                    .readTree(page.substring(page.indexOf('\n')))
                    .path("rows")
                    .forEach(rows::add);
        }
        return rows;
    }

    /// By domain and reporter: successful, failed, reports, sessions with an expired certificate.
    private Map<String, List<Long>> sums(HostPort console) {
        Map<String, List<Long>> sums = new TreeMap<>();
        for (int i = 0; i < DOMAINS; i++) {
            for (JsonNode cell : rows(console, "/api/v1/domains/d" + i + ".example/aggregates")) {
                sums.put(
                        cell.path("policy-domain").stringValue() + " "
                                + cell.path("submitter").stringValue(),
                        List.of(
                                cell.path("total-successful-session-count").longValue(),
                                cell.path("total-failure-session-count").longValue(),
                                cell.path("report-count").longValue(),
                                cell.path("failures")
                                        .path(0)
                                        .path("failed-session-count")
                                        .longValue()));
            }
        }
        return sums;
    }

    private static Map<String, List<Long>> expected() {
        Map<String, List<Long>> expected = new TreeMap<>();
        for (int i = 0; i < REPORTS; i++) {
            expected.merge(
                    "d" + i % DOMAINS + ".example " + reporter(i),
                    List.of((long) i, 2L, 1L, 2L),
                    (had, more) -> List.of(
                            had.get(0) + more.get(0),
                            had.get(1) + more.get(1),
                            had.get(2) + more.get(2),
                            had.get(3) + more.get(3)));
        }
        return expected;
    }

    private static String reporter(int report) {
        return REPORTERS.get(report / DOMAINS % REPORTERS.size());
    }

    /// Every third twice, every tenth once more with other numbers, which is refused.
    private List<ProducerRecord<byte[], byte[]>> rawRecords() {
        List<ProducerRecord<byte[], byte[]>> raw = new ArrayList<>();
        for (int i = 0; i < REPORTS; i++) {
            raw.add(record(i, i));
            if (i % 3 == 0) {
                raw.add(record(i, i));
            }
            if (i % 10 == 0) {
                raw.add(record(i, i + 1L));
            }
        }
        return raw;
    }

    private ProducerRecord<byte[], byte[]> record(int report, long successful) {
        byte[] document = SampleReports.report()
                .id("r" + report)
                .contact("tls@" + reporter(report))
                .day(day)
                .policy("sts", "d" + report % DOMAINS + ".example", successful, 2)
                .failure("certificate-expired", "mx1.d.example", 2)
                .bytes();
        var read = (Reading.Read) new ReportReader(ReportReader.Limits.DEFAULT).read(document);
        ReportHeaders headers = new ReportHeaders(
                "https",
                clock.instant(),
                null,
                Authentication.NONE,
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

    private List<ProducerRecord<byte[], byte[]>> alerts() {
        List<ProducerRecord<byte[], byte[]>> alerts = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            String id = Integer.toString(i).repeat(64);
            Map<String, Object> alert = new LinkedHashMap<>();
            alert.put("alert-id", id);
            alert.put("incident-id", id + "-1");
            alert.put("rule", "certificate");
            alert.put("policy-domain", "d" + i + ".example");
            alert.put("state", i % 2 == 0 ? "firing" : "resolved");
            alert.put("severity", "critical");
            alert.put("transition", 1);
            alert.put("opened-at", "2026-11-20T00:00:00Z");
            alert.put("updated-at", "2026-11-20T00:00:0" + i + "Z");
            alert.put("summary", "expired certificate");
            alert.put("evidence", Map.of("window", "2026-11-20"));
            alerts.add(new ProducerRecord<>(
                    topics.alerts().name(),
                    Topics.partition("d" + i + ".example", PARTITIONS),
                    id.getBytes(StandardCharsets.UTF_8),
                    Json.MAPPER.writeValueAsBytes(alert)));
        }
        return alerts;
    }

    private ServiceHost console(String name, String servers) throws IOException {
        Settings settings =
                House.settings(Files.createDirectories(directory.resolve(name))).withEmbeddedBroker(servers);
        ServiceHost started = new ServiceHost(LiveSettings.fixed(settings));
        started.start(List.of(new ConsoleService(started.surroundings())));
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(started.health().notReady()).isEmpty());
        return started;
    }

    private HttpResponse<String> get(HostPort console, String path) {
        try {
            return http.send(
                    HttpRequest.newBuilder(House.uri(console, path)).build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    /// Asks one console all the time; what it says is never an error and never less than before.
    private final class Asking implements AutoCloseable {

        private static final int MOST_WRONG = 20;

        volatile long seen;
        final AtomicInteger answers = new AtomicInteger();
        final List<String> wrong = new CopyOnWriteArrayList<>();
        private final AtomicBoolean stopped = new AtomicBoolean();
        private final Thread thread;

        Asking(HostPort console) {
            thread = Thread.ofPlatform().start(() -> {
                while (!stopped.get() && wrong.size() < MOST_WRONG) {
                    try {
                        ask(console);
                    } catch (RuntimeException failed) {
                        wrong.add(failed.toString());
                    }
                }
            });
        }

        private void ask(HostPort console) {
            long reports = 0;
            for (int i = 0; i < DOMAINS; i++) {
                String domain = "/api/v1/domains/d" + i + ".example";
                JsonNode cells = answered(console, domain + "/aggregates");
                for (JsonNode cell : cells.path("rows")) {
                    reports += cell.path("report-count").longValue();
                }
                answered(console, domain + "/reports?limit=5");
            }
            answered(console, "/api/v1/domains/d0.example/events?limit=5");
            answered(console, "/api/v1/domains");
            answered(console, "/api/v1/reporters");
            answered(console, "/api/v1/alerts");
            if (reports < seen) {
                wrong.add(reports + " reports after " + seen);
            }
            seen = reports;
        }

        private JsonNode answered(HostPort console, String path) {
            HttpResponse<String> answer = get(console, path);
            if (answer.statusCode() != 200) {
                wrong.add(path + " " + answer.statusCode() + " " + answer.body());
            }
            answers.incrementAndGet();
            return Json.MAPPER.readTree(answer.body());
        }

        @Override
        public void close() {
            stopped.set(true);
            try {
                thread.join();
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        }
    }
}

package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.cli.Commands;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A domain that departs, from the command line to every topic, on a real broker; another is behind the same MX.
class ForgetIT {

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final String GONE = "gone.example";
    private static final String STAYS = "stays.example";
    private static final String SHARED_MX = "mx.shared.example";

    @TempDir
    private Path directory;

    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final HttpClient http = HttpClient.newHttpClient();
    private HttpServer receiver;

    @BeforeEach
    void listen() throws IOException {
        receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        receiver.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        receiver.createContext("/", exchange -> {
            try (exchange) {
                heard.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
                exchange.sendResponseHeaders(204, -1);
            }
        });
        receiver.start();
    }

    @AfterEach
    void stop() {
        http.close();
        receiver.stop(0);
    }

    private static LocalDate yesterday() {
        return LocalDate.now(ZoneOffset.UTC).minusDays(1);
    }

    private static SampleReports failing(String id, String mx, String... domains) {
        SampleReports report = SampleReports.report().id(id).day(yesterday());
        for (String domain : domains) {
            report.policy("sts", domain, 9, 31).mode("enforce").failure("certificate-expired", mx, 31);
        }
        return report;
    }

    private void configure(String domains) throws IOException {
        Path file = directory.resolve("tlsrpt.yaml");
        Path next = directory.resolve("next.yaml");
        Files.writeString(next, """
                data: "%s"
                domains: %s
                api: {listen: "127.0.0.1:0"}
                admin: {listen: "127.0.0.1:0"}
                intake: {listen: "127.0.0.1:0"}
                kafka: {embedded-listen: "127.0.0.1:0"}
                mail: {smtp: {enabled: false}}
                alerting:
                  warning-wait: 0s
                  inspection: {enabled: false}
                  receivers:
                    - {name: ops, url: "http://127.0.0.1:%d/", allow-private-addresses: true, min-severity: info}
                """.formatted(
                        directory.resolve("data").toString().replace("\\", "\\\\"),
                        domains,
                        receiver.getAddress().getPort()));
        Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
    }

    private House start() {
        return House.startWith(directory.resolve("tlsrpt.yaml"));
    }

    private HttpResponse<String> send(House house, String method, String path) {
        try {
            return http.send(
                    HttpRequest.newBuilder(RunningHouse.uri(house.standalone().apiAddress(), path))
                            .header("Content-Type", "application/json")
                            .method(
                                    method,
                                    method.equals("GET")
                                            ? HttpRequest.BodyPublishers.noBody()
                                            : HttpRequest.BodyPublishers.ofString("{}"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(stopped);
        }
    }

    private int cli(House house, String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return Commands.root(
                        new Commands.Defaults(
                                "http://" + house.standalone().apiAddress(),
                                house.standalone().bootstrapServers(),
                                "tlsrpt."),
                        new PrintWriter(out, true),
                        new PrintWriter(err, true))
                .execute(arguments);
    }

    /// By key, as a reader sees it after compaction.
    private static Map<String, JsonNode> latest(House house, Topics.Topic topic) {
        Map<String, JsonNode> latest = new LinkedHashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : house.records(topic)) {
            String key = new String(record.key(), StandardCharsets.UTF_8);
            if (record.value() == null) {
                latest.remove(key);
            } else {
                latest.put(key, Json.MAPPER.readTree(record.value()));
            }
        }
        return latest;
    }

    private static List<Aggregate> cellsOfTheOther(House house) {
        return house.aggregates().stream()
                .filter(cell -> cell.policyDomain().equals(STAYS))
                .sorted(Comparator.comparing(Aggregate::authentication))
                .toList();
    }

    private void assertForgotten(House house) {
        Topics topics = house.topics();
        assertThat(house.aggregates())
                .extracting(Aggregate::policyDomain)
                .isNotEmpty()
                .containsOnly(STAYS);
        assertThat(latest(house, topics.alerts()).values().toString()).doesNotContain(GONE);
        assertThat(latest(house, topics.silences())).isEmpty();
        Map<String, JsonNode> alerts = latest(house, topics.alerts());
        assertThat(latest(house, topics.notifications()).keySet())
                .isNotEmpty()
                .allSatisfy(key -> assertThat(alerts).containsKey(key.substring(0, key.indexOf('/'))));
        assertThat(latest(house, topics.reports()).values()).isNotEmpty().allSatisfy(report -> {
            // A report-key names all domains of its report.
            assertThat(report.path("policy-domains").toString()).isEqualTo("[\"" + STAYS + "\"]");
            assertThat(report.path("entries").toString()).doesNotContain(GONE);
        });
        assertThat(latest(house, topics.domains())).isEmpty();
    }

    @Test
    void aDepartedDomainIsForgottenAndNobodyIsTold() throws Exception {
        configure("[{name: " + GONE + "}, {name: " + STAYS + "}]");
        House house = start();
        try {
            // the alert of the shared MX is opened by the one that stays
            house.importFile("first.json", failing("first", SHARED_MX, STAYS).bytes());
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(heard).anyMatch(body -> body.contains(SHARED_MX)));
            assertThat(house.post(failing("posted", SHARED_MX, GONE, STAYS).bytes())
                            .statusCode())
                    .isEqualTo(201);
            house.importFile(
                    "both.json", failing("both", SHARED_MX, GONE, STAYS).bytes());
            house.importFile(
                    "alone.json", failing("alone", "mx.gone.example", GONE).bytes());
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(heard)
                            .anyMatch(body -> body.contains("mx.gone.example"))
                            .anyMatch(body -> body.contains(SHARED_MX)));
            assertThat(cli(house, "silence", "add", "--domain", GONE, "--for", "2h", "--comment", "work"))
                    .as(err.toString())
                    .isZero();
            await().atMost(PATIENCE)
                    .until(() -> latest(house, house.topics().notifications()).size() >= 2);
            await().atMost(PATIENCE)
                    .until(() -> send(house, "GET", "/api/v1/silences").body().contains(GONE));
            List<Aggregate> before = cellsOfTheOther(house);
            assertThat(before).hasSize(2);

            // still ours
            HttpResponse<String> refused = send(house, "POST", "/api/v1/domains/" + GONE + "/purge");
            assertThat(refused.statusCode()).isEqualTo(409);
            assertThat(refused.body()).contains("stands under domains:");
            assertThat(cli(house, "forget", GONE)).isEqualTo(1);
            assertThat(err.toString()).contains("without --yes");
            assertThat(cli(house, "forget", GONE, "--yes")).isEqualTo(1);
            assertThat(err.toString()).contains("stands under domains:");
            assertThat(cli(house, "forget", "unknown.example")).isEqualTo(1);
            assertThat(err.toString()).contains("nothing names unknown.example");
            assertThat(cli(house, "forget", "no domain")).isEqualTo(2);
            assertThat(cli(house, "forget", "*." + GONE)).isEqualTo(2);
            assertThat(cli(house, "forget", GONE, "--dry-run")).isZero();
            assertThat(out.toString()).contains("tlsrpt.aggregates", "tlsrpt.events", "GONE BY");
            assertThat(house.aggregates()).hasSize(before.size() + 2);

            configure("[{name: " + STAYS + "}]");
            await().atMost(PATIENCE)
                    .until(() -> send(house, "POST", "/api/v1/domains/GONE.example./purge")
                                    .statusCode()
                            == 202);
            house.close(); // in the middle of it
            int told = heard.size();

            try (House again = start()) {
                assertThat(cli(again, "forget", "Gone.Example", "--yes", "--json"))
                        .as(err.toString())
                        .isZero();
                JsonNode said = Json.MAPPER.readTree(out.toString());
                assertThat(said.path("complete").asBoolean()).isTrue();
                assertThat(said.path("domain").asString()).isEqualTo(GONE);
                said.path("live").forEach(count -> assertThat(count.asInt()).isZero());
                for (JsonNode row : said.path("expiring")) {
                    if (row.path("topic").asString().equals("tlsrpt.events")) {
                        assertThat(row.path("records").asInt()).isEqualTo(6);
                        assertThat(Instant.parse(row.path("expires-at").asString()))
                                .isEqualTo(
                                        Instant.parse(row.path("last-record-at").asString())
                                                .plus(Duration.ofDays(400)));
                        assertThat(Instant.parse(row.path("gone-by").asString()))
                                .isEqualTo(Instant.parse(row.path("expires-at").asString())
                                        .plus(Duration.ofDays(7)));
                    }
                }
                assertForgotten(again);
                assertThat(cellsOfTheOther(again)).isEqualTo(before);
                assertThat(send(again, "GET", "/api/v1/domains").body())
                        .contains(STAYS)
                        .doesNotContain(GONE);
                assertThat(send(again, "GET", "/api/v1/domains/" + GONE).statusCode())
                        .isEqualTo(404);
                assertThat(again.alerts()).singleElement().satisfies(alert -> {
                    assertThat(alert.receivingMxHostname()).isEqualTo(SHARED_MX);
                    assertThat(alert.state()).isEqualTo(Alert.FIRING);
                });

                // a copy of what was forgotten is not ours, and nothing comes of it
                assertThat(again.importFile(
                                        "alone.json",
                                        failing("alone", "mx.gone.example", GONE)
                                                .bytes())
                                .getFirst()
                                .path("reason")
                                .asString())
                        .isEqualTo("foreign-domain");

                // the first that is heard is news of the other
                again.importFile(
                        "new.json", failing("new", "mx.new.example", STAYS).bytes());
                await().atMost(PATIENCE).until(() -> heard.size() > told);
                assertThat(heard.get(told)).contains("mx.new.example");

                // a vouched-for copy takes the place of the posted one, exactly
                JsonNode replaced = again.importFile(
                                "posted.json",
                                failing("posted", SHARED_MX, GONE, STAYS).bytes())
                        .getFirst();
                assertThat(replaced.path("verdict").asString()).isEqualTo("replaced");
                await().atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(cellsOfTheOther(again))
                                .singleElement()
                                .satisfies(cell -> {
                                    assertThat(cell.authentication()).isEqualTo("operator");
                                    assertThat(cell.reportCount()).isEqualTo(4);
                                    assertThat(cell.totalFailureSessionCount()).isEqualTo(4 * 31);
                                    assertThat(cell.totalSuccessfulSessionCount())
                                            .isEqualTo(4 * 9);
                                }));
                assertForgotten(again);
                assertThat(heard.subList(told, heard.size())).noneMatch(body -> body.contains(GONE));
            }
        } finally {
            house.close();
        }
    }
}

package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.dns.Bind;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.ReportHeaders;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A domain that nobody configured, from its record in a real BIND to an alert.
class DiscoveryIT {

    private static final String OURS = " IN TXT \"v=TLSRPTv1; rua=mailto:tlsrpt@reports.example\"";
    private static final String THEIRS = " IN TXT \"v=TLSRPTv1; rua=mailto:tlsrpt@elsewhere.example\"";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private final HttpClient http = HttpClient.newHttpClient();
    private @Nullable Bind bind;
    private @Nullable House house;

    @BeforeEach
    void start() throws IOException {
        bind = new Bind(Files.createDirectory(directory.resolve("dns"))).zone("test");
        publish(List.of(
                "_smtp._tls.found" + OURS,
                "_smtp._tls.late" + OURS,
                "_smtp._tls.more" + OURS,
                "_smtp._tls.else" + THEIRS));
        house = startHouse();
    }

    @AfterEach
    void stop() {
        http.close();
        if (house != null) {
            house.close();
        }
        if (bind != null) {
            bind.close();
        }
    }

    private House house() {
        return Objects.requireNonNull(house);
    }

    private void publish(List<String> records) throws IOException {
        Bind server = Objects.requireNonNull(bind);
        server.stop();
        server.write("test", records);
        server.start();
    }

    private House startHouse() {
        return House.start(directory.resolve("house"), """
                domains: [{name: example.com}]
                rua: ["mailto:TLSRPT@reports.example"]
                discovery: {enabled: true, max-domains: 2, max-reports-per-day: 3}
                dns: {servers: ["127.0.0.1:%d"], timeout: 2s}
                mail: {smtp: {enabled: false}}
                """.formatted(
                        Objects.requireNonNull(bind).address().getPort()));
    }

    private static LocalDate yesterday() {
        return LocalDate.now(Clock.systemUTC().withZone(ZoneOffset.UTC)).minusDays(1);
    }

    private JsonNode imported(SampleReports report) {
        return house().importFile("report.json", report.bytes()).getFirst();
    }

    /// 31 of 40 sessions failed: enough for an alert by itself.
    private static SampleReports failing(String id, LocalDate day, String domain) {
        return SampleReports.report()
                .id(id)
                .day(day)
                .policy("sts", domain, 9, 31)
                .mode("enforce")
                .failure("certificate-expired", "mx1.example.com", 31);
    }

    private static String verdict(JsonNode line) {
        return line.path("verdict").asString() + " " + line.path("reason").asString("");
    }

    private String state(String domain) {
        for (JsonNode row : house().get("/api/v1/domains").path("rows")) {
            if (row.path("domain").asString().equals(domain)) {
                return row.path("state").asString();
            }
        }
        return "absent";
    }

    private int cli(String... command) {
        List<String> words = new ArrayList<>(List.of(command));
        words.add("--url=http://" + house().standalone().apiAddress());
        return StandaloneMain.commands()
                .setOut(new PrintWriter(new StringWriter()))
                .setErr(new PrintWriter(new StringWriter()))
                .execute(words.toArray(String[]::new));
    }

    private void judgedNotOurs(int cells) {
        await().atMost(PATIENCE)
                .until(() -> house().metrics()
                        .lines()
                        .anyMatch(line -> line.startsWith("tlsrpt_detection_aggregates_total")
                                && line.contains("outcome=\"not-ours\"")
                                && line.endsWith(" " + cells + ".0")));
    }

    @Test
    void aDiscoveredDomainIsCountedButTellsNobodyUntilItIsAcceptedAndIsOursForGoodThen() throws Exception {
        assertThat(verdict(imported(failing("one", yesterday().minusDays(1), "found.test"))))
                .isEqualTo("accepted ");
        assertThat(house().events()).hasSize(2);
        judgedNotOurs(1);
        await().atMost(PATIENCE).until(() -> state("found.test").equals("pending"));
        assertThat(house().alerts()).isEmpty();

        assertThat(cli("domains", "accept", "found.test")).isZero();
        assertThat(verdict(imported(failing("two", yesterday(), "found.test")))).isEqualTo("accepted ");

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(house().alerts())
                        .singleElement()
                        .satisfies(alert -> {
                            assertThat(alert.state()).isEqualTo(Alert.FIRING);
                            assertThat(alert.policyDomain()).isEqualTo("found.test");
                            assertThat(alert.evidence().window()).isEqualTo(yesterday());
                        }));
        assertThat(state("found.test")).isEqualTo("regular");

        house().close();
        publish(List.of());
        house = startHouse();
        assertThat(verdict(imported(failing("three", yesterday(), "found.test"))))
                .as("its record is gone, and we were started anew")
                .isEqualTo("accepted ");
        assertThat(cli("domains", "accept", "never.test")).isEqualTo(1);
    }

    @Test
    void eachEntryIsJudgedByItself() {
        SampleReports report = SampleReports.report()
                .id("three")
                .day(yesterday())
                .policy("sts", "example.com", 10, 0)
                .policy("sts", "found.test", 20, 0)
                .policy("sts", "else.test", 30, 0);

        assertThat(verdict(imported(report))).isEqualTo("accepted ");

        assertThat(house().records(house().topics().raw()))
                .singleElement()
                .satisfies(raw -> assertThat(ReportHeaders.text(raw.headers(), "foreign-domains"))
                        .isEqualTo("[\"else.test\"]"));
        assertThat(house().aggregates())
                .extracting(cell -> cell.policyDomain() + " " + cell.totalSuccessfulSessionCount())
                .containsExactlyInAnyOrder("example.com 10", "found.test 20");
        assertThat(house().records(house().topics().rejected()))
                .singleElement()
                .satisfies(rejected -> assertThat(ReportHeaders.text(rejected.headers(), "reason"))
                        .isEqualTo("foreign-domain"));
    }

    @Test
    void strangersAreRefusedAndTheCapsHold() {
        JsonNode stranger = imported(failing("one", yesterday(), "else.test"));
        assertThat(verdict(stranger)).isEqualTo("rejected foreign-domain");
        assertThat(stranger.path("detail").asString())
                .contains("else.test (not configured, and its TLSRPT record lists none of our addresses)");

        for (String id : List.of("a", "b", "c")) {
            assertThat(verdict(imported(failing(id, yesterday(), "found.test"))))
                    .isEqualTo("accepted ");
        }
        JsonNode fourth = imported(failing("d", yesterday(), "found.test"));
        assertThat(verdict(fourth)).isEqualTo("rejected foreign-domain");
        assertThat(fourth.path("detail").asString()).contains("max-reports-per-day");

        assertThat(verdict(imported(failing("e", yesterday(), "late.test")))).isEqualTo("accepted ");
        JsonNode third = imported(failing("f", yesterday(), "more.test"));
        assertThat(verdict(third)).isEqualTo("rejected foreign-domain");
        assertThat(third.path("detail").asString()).contains("2 domains are pending already");

        await().atMost(PATIENCE).until(() -> state("late.test").equals("pending"));
        assertThat(cli("domains", "forget", "late.test")).isZero();
        assertThat(verdict(imported(failing("g", yesterday(), "more.test")))).isEqualTo("accepted ");
        assertThat(house().alerts()).isEmpty();
    }

    @Test
    void aPageOfAnotherSiteAcceptsNothing() throws Exception {
        assertThat(verdict(imported(failing("one", yesterday(), "found.test")))).isEqualTo("accepted ");
        HttpRequest.Builder accept = HttpRequest.newBuilder(
                House.uri(house().standalone().apiAddress(), "/api/v1/domains/found.test/accept"));

        assertThat(status(accept.copy()
                        .POST(HttpRequest.BodyPublishers.noBody())
                        .header("Origin", "https://evil.example")))
                .isEqualTo(403);
        assertThat(status(accept.copy().GET())).isEqualTo(405);
        HttpResponse<String> accepted = http.send(
                accept.POST(HttpRequest.BodyPublishers.noBody()).build(), HttpResponse.BodyHandlers.ofString());
        assertThat(accepted.statusCode()).isEqualTo(200);
        JsonNode claim = Json.MAPPER.readTree(accepted.body());
        assertThat(claim.path("state").asString()).isEqualTo("accepted");
        assertThat(claim.path("rua").asString()).isEqualTo("mailto:TLSRPT@reports.example");
    }

    private int status(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }
}

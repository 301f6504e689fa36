package io.tlsrpt.console;

import static io.tlsrpt.console.FilledViews.DAY;
import static io.tlsrpt.console.FilledViews.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.HttpListener;
import io.tlsrpt.runtime.Routes;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Json;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class ExplainApiTest {

    private static final HostPort ANY_PORT = new HostPort("127.0.0.1", 0);

    private final HttpClient client = HttpClient.newHttpClient();
    private FilledViews filled;
    private HttpListener listener;

    @BeforeEach
    void start(@TempDir Path directory) {
        filled = new FilledViews(directory);
        listener = serve(500_000, "");
    }

    @AfterEach
    void stop() {
        client.close();
        listener.close();
        filled.close();
    }

    private HttpListener serve(int most, String yaml) {
        Settings settings = SettingsFile.parse("test", yaml, variable -> null);
        ApiRoutes api = new ApiRoutes(
                new ExplainApi(filled.views, () -> settings, Clock.fixed(NOW, ZoneOffset.UTC), most).endpoints(),
                FilledViews.access(),
                filled.meters);
        return HttpListener.start(List.of(new Routes("api", ANY_PORT, null, api::routing)), new SimpleMeterRegistry());
    }

    private void restart(int most, String yaml) {
        listener.close();
        listener = serve(most, yaml);
    }

    /// Arrives four hours after its day.
    private static Aggregate cell(
            LocalDate day, String domain, String submitter, String mx, long successful, long failed, String trust) {
        Instant end = day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
        Instant arrived = end.plus(Duration.ofHours(4));
        return new Aggregate(
                day,
                domain,
                "sts",
                submitter,
                trust,
                successful,
                failed,
                1,
                "enforce",
                failed == 0
                        ? List.of()
                        : List.of(new Aggregate.Failure(
                                "certificate-expired", mx, failed, 1, List.of("192.0.2.1"), null)),
                arrived,
                arrived,
                end,
                false);
    }

    /// 28 clean days, then 4 of 40.
    private void fourOfForty() {
        for (int back = 28; back >= 1; back--) {
            filled.put(cell(DAY.minusDays(back), "example.com", "google.com", "", 50, 0, "dkim"));
        }
        filled.put(cell(DAY, "example.com", "google.com", "mx1.example.com", 36, 4, "dkim"));
    }

    @Test
    void whatDidNotFireIsExplainedConditionByCondition() throws Exception {
        fourOfForty();

        JsonNode answer = get("/api/v1/explain?domain=Example.com.", 200);

        assertThat(answer.path("day").stringValue()).isEqualTo(DAY.toString());
        assertThat(answer.path("cells").intValue()).isEqualTo(29);
        assertThat(answer.path("mxs").size()).isEqualTo(2);
        JsonNode result = answer.path("mxs")
                .valueStream()
                .filter(mx -> mx.path("mx").asString("").equals("mx1.example.com"))
                .findFirst()
                .orElseThrow()
                .path("results")
                .path(0);
        assertThat(result.path("rule").stringValue()).isEqualTo("certificate");
        assertThat(result.has("alert-id")).isFalse();
        JsonNode day = result.path("windows").path(0);
        assertThat(day.path("failed").intValue()).isEqualTo(4);
        assertThat(day.path("sessions").intValue()).isEqualTo(40);
        assertThat(day.path("baseline-sessions").intValue()).isEqualTo(1_400);
        assertThat(day.path("trusted").booleanValue()).isTrue();
        assertThat(day.path("severity").isString()).isFalse();
        assertThat(day.path("checks").toString())
                .contains("{\"name\":\"A\",\"text\":\"r = 1 ≥ 2\",\"held\":false}")
                .contains("{\"name\":\"B\",\"text\":\"k = 4 ≥ 5\",\"held\":false}");
    }

    @Test
    void whatFiredIsExplainedFromTheReportsOfAllDomainsBehindTheMx() throws Exception {
        fourOfForty();
        filled.put(cell(DAY, "other.example", "microsoft.com", "MX1.example.com", 5, 30, "dkim"));
        filled.put(cell(DAY, "elsewhere.example", "microsoft.com", "mx9.example.net", 5, 30, "dkim"));

        JsonNode answer = get("/api/v1/explain?domain=example.com&mx=mx1.example.com&day=" + DAY, 200);

        assertThat(answer.path("domains").intValue()).isEqualTo(2);
        JsonNode result = answer.at("/mxs/0/results/0");
        assertThat(result.path("alert-id").stringValue()).hasSize(64);
        assertThat(result.path("notes").path(0).stringValue()).startsWith("part of the incident that opened");
        assertThat(result.at("/windows/0/failed").intValue()).isEqualTo(34);
        assertThat(result.at("/windows/0/severity").stringValue()).isEqualTo("critical");
        assertThat(result.has("alert")).isFalse();
    }

    @Test
    void theNotesSayWhatStoodInTheWay() throws Exception {
        fourOfForty();
        filled.put(cell(DAY, "example.com", "stranger.example", "mx1.example.com", 0, 3, "none"));
        restart(500_000, """
                domains:
                  - name: example.com
                alerting:
                  rules: {certificate: false}
                  ignore:
                    - {submitter: google.com, reason: broken client, until: 2026-12-31}
                """);

        JsonNode answer = get("/api/v1/explain?domain=example.com", 200);

        assertThat(answer.path("notes").toString())
                .contains("google.com (sts, dkim): 1 of its failures left out: alerting.ignore")
                .contains("stranger.example (sts, none): nobody vouches for it");
        assertThat(answer.path("mxs").toString()).contains("the rule certificate is off");

        restart(500_000, """
                rua: ["mailto:tlsrpt@reports.example"]
                discovery: {enabled: true}
                domains:
                  - name: other.example
                """);
        assertThat(get("/api/v1/explain?domain=example.com&day=2026-11-21", 200)
                        .path("notes")
                        .toString())
                .contains("example.com is not ours")
                .contains("no report about example.com covers 2026-11-21");
    }

    @Test
    void aDomainWithoutReportsIsNotFoundAndFaultyParametersAreNamed() throws Exception {
        get("/api/v1/explain?domain=unknown.example", 404);
        assertThat(get("/api/v1/explain?day=yesterday", 400).path("detail").stringValue())
                .contains("domain")
                .contains("day");
        assertThat(post("{\"days\":91,\"rules\":{\"sensitivity\":\"loud\",\"dane\":1,\"nonsense\":true}}", 400)
                        .path("detail")
                        .stringValue())
                .contains("days")
                .contains("rules.sensitivity")
                .contains("rules.dane")
                .contains("rules.nonsense");
    }

    @Test
    void aBacktestTellsWhatOtherRulesWouldHaveAdded() throws Exception {
        fourOfForty();

        JsonNode same = post("{}", 200);
        JsonNode eager = post("{\"days\":7,\"rules\":{\"sensitivity\":\"eager\"}}", 200);

        assertThat(same.path("cells").intValue()).isEqualTo(29);
        assertThat(same.path("added-count").intValue()).isZero();
        assertThat(same.path("gone-count").intValue()).isZero();
        assertThat(eager.path("added-count").intValue()).isEqualTo(1);
        assertThat(eager.path("gone-count").intValue()).isZero();
        JsonNode added = eager.path("added").path(0);
        assertThat(added.path("rule").stringValue()).isEqualTo("certificate");
        assertThat(added.path("day").stringValue()).isEqualTo(DAY.toString());
        assertThat(added.path("receiving-mx-hostname").stringValue()).isEqualTo("mx1.example.com");
        assertThat(eager.at("/changed/incidents").intValue())
                .isEqualTo(eager.at("/present/incidents").intValue() + 1);
    }

    @Test
    void aBacktestTellsWhatARuleThatIsOffWouldHaveMissed() throws Exception {
        fourOfForty();
        filled.put(cell(DAY, "example.com", "microsoft.com", "mx1.example.com", 5, 30, "dkim"));

        JsonNode answer = post("{\"rules\":{\"certificate\":false}}", 200);

        assertThat(answer.path("gone").valueStream().map(row -> row.path("rule").stringValue()))
                .containsExactly("certificate");
        assertThat(answer.at("/present/by-severity/critical").intValue()).isEqualTo(1);
        assertThat(answer.at("/changed/by-rule").has("certificate")).isFalse();
    }

    @Test
    void moreThanCanBeLookedAtIsRefusedInWords() throws Exception {
        fourOfForty();
        restart(10, "");

        assertThat(get("/api/v1/explain?domain=example.com", 413).path("detail").stringValue())
                .startsWith("more than 10 aggregates");
        post("{}", 413);
    }

    private JsonNode get(String path, int status) throws Exception {
        return answer(request(path), status);
    }

    private JsonNode post(String body, int status) throws Exception {
        return answer(
                request("/api/v1/backtest")
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body)),
                status);
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + listener.address().port() + path));
    }

    private JsonNode answer(HttpRequest.Builder request, int status) throws Exception {
        HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        return Json.MAPPER.readTree(response.body());
    }
}

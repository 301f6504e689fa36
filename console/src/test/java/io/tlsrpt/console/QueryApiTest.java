package io.tlsrpt.console;

import static io.tlsrpt.console.FilledViews.DAY;
import static io.tlsrpt.console.FilledViews.NOW;
import static io.tlsrpt.console.FilledViews.TOPICS;
import static io.tlsrpt.console.FilledViews.alert;
import static io.tlsrpt.console.FilledViews.cell;
import static io.tlsrpt.console.FilledViews.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.report.FailureHelp;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.HttpListener;
import io.tlsrpt.runtime.Routes;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Notification;
import io.tlsrpt.topics.ReportHeaders;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.databind.JsonNode;

class QueryApiTest {

    private static final HostPort ANY_PORT = new HostPort("127.0.0.1", 0);

    private final RecordedTopics topics = new RecordedTopics();
    private final HttpClient client = HttpClient.newHttpClient();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final LiveStreams live = new LiveStreams(TOPICS, topics::consumer, meters);
    private FilledViews filled;
    private ApiRoutes api;
    private HttpListener listener;
    private final MockProducer<byte[], byte[]> producer = new MockProducer<>();

    @BeforeEach
    void start(@TempDir Path directory) {
        filled = new FilledViews(directory);
        api = api(filled.views);
        listener = serve(api);
    }

    @AfterEach
    void stop() {
        live.close();
        client.close();
        listener.close();
        filled.close();
    }

    @Test
    void domainsAreListedWithTheirState() throws Exception {
        filled.put(cell(DAY, "example.com", "google.com", 100, 5));

        JsonNode answer = json("/api/v1/domains");

        assertThat(answer.path("complete").booleanValue()).isTrue();
        JsonNode row = answer.path("rows").path(0);
        assertThat(row.path("domain").stringValue()).isEqualTo("example.com");
        assertThat(row.path("state").stringValue()).isEqualTo("first-report");
        assertThat(row.path("worst-failure-class").stringValue()).isEqualTo("certificate");
    }

    @Test
    void aggregatesAreTheRecordsOfTheTopicUnchanged() throws Exception {
        var cell = cell(DAY, "example.com", "google.com", 100, 5);
        filled.put(cell);

        JsonNode answer = json("/api/v1/domains/EXAMPLE.com./aggregates");

        assertThat(answer.path("from").stringValue()).isEqualTo("2026-10-24");
        assertThat(answer.path("to").stringValue()).isEqualTo("2026-11-22");
        assertThat(answer.path("complete").booleanValue()).isTrue();
        assertThat(answer.path("rows").size()).isEqualTo(1);
        assertThat(answer.path("rows").path(0)).isEqualTo(Json.MAPPER.readTree(FilledViews.bytes(cell)));
    }

    @Test
    void allPagesTogetherAreWholeOverHttp() throws Exception {
        for (int day = 0; day < 10; day++) {
            filled.put(cell(DAY.minusDays(day), "example.com", "google.com", day, 0));
        }

        List<String> windows = new ArrayList<>();
        String cursor = "";
        do {
            JsonNode page = json("/api/v1/domains/example.com/aggregates?limit=3" + cursor);
            page.path("rows").forEach(row -> windows.add(row.path("window").stringValue()));
            cursor = page.path("complete").booleanValue()
                    ? ""
                    : "&cursor=" + page.path("cursor").stringValue();
        } while (!cursor.isEmpty());

        assertThat(windows).hasSize(10).doesNotHaveDuplicates().isSortedAccordingTo((a, b) -> b.compareTo(a));
    }

    @ParameterizedTest
    @CsvSource({
        "/api/v1/domains?limit=0,limit",
        "/api/v1/domains?limit=x,limit",
        "/api/v1/domains?limit=1&limit=2,limit",
        "/api/v1/domains?cursor=%25%25,cursor",
        "/api/v1/domains?nonsense=1,nonsense",
        "/api/v1/domains/example.com/aggregates?from=yesterday,from",
        "/api/v1/domains/example.com/aggregates?from=2026-11-20&to=2026-11-19,from",
        "/api/v1/domains/example.com/aggregates?from=0001-01-01,from",
        "/api/v1/domains/example.com/aggregates?to=+999999999-12-31,to",
        "/api/v1/domains/example.com/aggregates?authentication=maybe,authentication",
        "/api/v1/domains/example.com/aggregates?submitter=,submitter",
        "/api/v1/domains/example.com/events?cursor=AAAA,cursor",
        "/api/v1/alerts?state=burning,state",
        "/api/v1/alerts?label=team,label",
        "/api/v1/reports,key",
        "/api/v1/reports/raw,key",
        "/api/v1/rejected/raw?offset=1,partition",
        "/api/v1/rejected/raw?partition=1,offset",
        "/api/v1/rejected/raw?partition=-1&offset=1,partition",
        "/api/v1/rejected/raw?partition=99999999999&offset=1,partition",
        "/api/v1/rejected/record?partition=0&offset=99999999999999999999,offset",
        "/api/v1/rejected/reasons?reason=x,reason",
        "/api/v1/alerts/1?verbose=1,verbose",
        "/api/v1/stream,topic",
        "/api/v1/stream?topic=raw,topic",
        "/api/v1/stream?topic=events&last-event-id=AAAA,last-event-id"
    })
    void aFaultyParameterIsNamedWithWhatWasExpected(String path, String parameter) throws Exception {
        HttpResponse<String> response = get(path);

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
        JsonNode problem = Json.MAPPER.readTree(response.body());
        assertThat(problem.path("errors").path(0).path("parameter").stringValue())
                .isEqualTo(parameter);
        assertThat(problem.path("detail").stringValue()).startsWith(parameter + ": expected ");
    }

    @Test
    void allFaultsAreToldAtOnce() throws Exception {
        JsonNode problem = Json.MAPPER.readTree(
                get("/api/v1/domains?limit=x&cursor=%25&what=1").body());

        assertThat(problem.path("errors").size()).isEqualTo(3);
    }

    @Test
    void onlyGetAndHeadAreTaken() throws Exception {
        HttpResponse<String> response = client.send(
                request("/api/v1/domains")
                        .POST(HttpRequest.BodyPublishers.ofString("{}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());

        assertThat(response.statusCode()).isEqualTo(405);
        assertThat(response.headers().firstValue("Allow")).contains("GET, HEAD");

        HttpResponse<String> head =
                client.send(request("/api/v1/domains").HEAD().build(), HttpResponse.BodyHandlers.ofString());
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
        assertThat(head.headers().firstValue("Content-Length"))
                .isEqualTo(get("/api/v1/domains").headers().firstValue("Content-Length"));
    }

    @Test
    void noAnswerMayBeSharedSniffedOrFramed() throws Exception {
        for (String path : List.of("/api/v1/domains", "/api/v1/alerts/none", "/api/v1/reports")) {
            HttpResponse<String> answer = get(path);
            var headers = answer.headers();
            assertThat(headers.firstValue("Cache-Control"))
                    .contains(answer.statusCode() == 200 ? "private, no-cache" : "no-store");
            assertThat(headers.firstValue("X-Content-Type-Options")).contains("nosniff");
            assertThat(headers.firstValue("Content-Security-Policy"))
                    .contains("default-src 'none'; frame-ancestors 'none'");
        }
    }

    @Test
    void aForeignHostNameIsRefusedOnALoopbackListener() throws Exception {
        assertThat(statusFor("evil.example")).isEqualTo(421);
        assertThat(statusFor("evil.example:8080")).isEqualTo(421);
        assertThat(statusFor("localhost.evil.example")).isEqualTo(421);
        assertThat(statusFor("LOCALHOST:8080")).isEqualTo(200);
        assertThat(statusFor("127.0.0.1")).isEqualTo(200);
        assertThat(statusFor("[::1]:8080")).isEqualTo(200);
        assertThat(statusFor("tlsrpt.example.com")).isEqualTo(200);
    }

    @Test
    void hostileTextComesBackAsDataOnly() throws Exception {
        String hostile = "\"}],\"rows\":[{\"x\":\"</script><img src=x onerror=alert(1)>\u202e\u0007";
        filled.put(cell(DAY, "example.com", hostile, 100, 5));
        filled.put(report("key|" + hostile, hostile, DAY, "example.com"));

        JsonNode rows = json("/api/v1/domains/example.com/aggregates").path("rows");
        assertThat(rows.size()).isEqualTo(1);
        assertThat(rows.path(0).path("submitter").stringValue()).isEqualTo(hostile);
        assertThat(json("/api/v1/domains/example.com/aggregates?submitter=" + encoded(hostile))
                        .path("rows")
                        .size())
                .isEqualTo(1);
        assertThat(json("/api/v1/reports?key=" + encoded("key|" + hostile))
                        .path("submitter")
                        .stringValue())
                .isEqualTo(hostile);
        assertThat(json("/api/v1/reporters")
                        .path("rows")
                        .path(0)
                        .path("submitter")
                        .stringValue())
                .isEqualTo(hostile);
        assertThat(get("/api/v1/domains/" + encoded("../../etc/passwd\u0000") + "/reports")
                        .statusCode())
                .isLessThan(500);
        assertThat(get("/api/v1/alerts/" + encoded("a\u0000b")).statusCode()).isLessThan(500);
    }

    @Test
    void aDocumentIsADownloadOfTheBytesAsSent() throws Exception {
        byte[] document = "{\"a\":\"<script>\"}".getBytes(StandardCharsets.UTF_8);
        filled.put(report("k1", "google.com", DAY, "example.com"));
        filled.put(report("k2", "google.com", DAY, "example.com"));
        topics.add(TOPICS.raw().name(), 0, 7, 0, "k1".getBytes(StandardCharsets.UTF_8), document, new RecordHeaders());

        HttpResponse<byte[]> response =
                client.send(request("/api/v1/reports/raw?key=k1").build(), HttpResponse.BodyHandlers.ofByteArray());

        assertThat(response.body()).isEqualTo(document);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/octet-stream");
        assertThat(response.headers().firstValue("Content-Disposition"))
                .contains("attachment; filename=\"tls-report.json\"");
        assertThat(get("/api/v1/reports/raw?key=k2").statusCode()).isEqualTo(410);
        assertThat(get("/api/v1/reports/raw?key=k3").statusCode()).isEqualTo(404);
    }

    @Test
    void whatWasRefusedIsADownloadOfTheBytesThatWereKept() throws Exception {
        byte[] kept = "<script>alert(1)</script>\u0000".getBytes(StandardCharsets.UTF_8);
        rejected(1, 5, "not-json", kept);

        HttpResponse<byte[]> response = client.send(
                request("/api/v1/rejected/raw?partition=1&offset=5").build(), HttpResponse.BodyHandlers.ofByteArray());

        assertThat(response.body()).isEqualTo(kept);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/octet-stream");
        assertThat(response.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
        assertThat(response.headers().firstValue("Content-Disposition"))
                .contains("attachment; filename=\"tlsrpt-rejected-1-5.bin\"");
        for (String gone : List.of("partition=1&offset=4", "partition=1&offset=6", "partition=99&offset=5")) {
            assertThat(get("/api/v1/rejected/raw?" + gone).statusCode())
                    .as(gone)
                    .isEqualTo(404);
            assertThat(get("/api/v1/rejected/record?" + gone).statusCode())
                    .as(gone)
                    .isEqualTo(404);
        }
    }

    @Test
    void oneRefusedRecordComesWithWhatItsReasonMeans() throws Exception {
        rejected(0, 3, "foreign-domain", "{}".getBytes(StandardCharsets.UTF_8));
        rejected(0, 4, "of-a-later-release", "{}".getBytes(StandardCharsets.UTF_8));

        JsonNode answer = json("/api/v1/rejected/record?partition=0&offset=3");

        assertThat(answer.path("rejected").path("id").stringValue()).isEqualTo("0-3");
        assertThat(answer.path("rejected").path("reason").stringValue()).isEqualTo("foreign-domain");
        assertThat(answer.path("rejected").path("retry").stringValue()).isEqualTo("after-fix");
        assertThat(answer.path("help").path("reason").stringValue()).isEqualTo("foreign-domain");
        assertThat(answer.path("help").path("fix").stringValue()).contains("`domains:`");
        JsonNode later = json("/api/v1/rejected/record?partition=0&offset=4");
        assertThat(later.has("help")).isFalse();
        assertThat(later.path("rejected").path("retry").stringValue()).isEqualTo("never");
    }

    @Test
    void theReasonsAreListedWithWhatTheyMean() throws Exception {
        JsonNode rows = json("/api/v1/rejected/reasons").path("rows");

        assertThat(rows.size()).isEqualTo(RefusalReason.values().length);
        for (JsonNode row : rows) {
            assertThat(row.propertyNames()).containsExactly("reason", "meaning", "usually", "fix", "retry");
        }
    }

    private void rejected(int partition, long offset, String reason, byte[] kept) {
        RecordHeaders headers = new RecordHeaders();
        ReportHeaders.put(headers, ReportHeaders.REASON, reason);
        topics.add(TOPICS.rejected().name(), partition, offset, 0, new byte[0], kept, headers);
    }

    @Test
    void anAlertComesWithWhatReceiversWereTold() throws Exception {
        String id = "a".repeat(64);
        filled.put(alert(id, "firing", NOW, "example.com", Map.of("team", "mail")));
        filled.put(new Notification(id, id + "-1", "ops", 1, "firing", "critical", "delivered", "200", 1, NOW));
        filled.put(new Notification("b".repeat(64), "b-1", "ops", 1, "firing", "critical", "delivered", "200", 1, NOW));

        JsonNode answer = json("/api/v1/alerts/" + id);

        assertThat(answer.path("alert").path("alert-id").stringValue()).isEqualTo(id);
        assertThat(answer.path("notifications").size()).isEqualTo(1);
        assertThat(answer.path("notifications").path(0).path("receiver").stringValue())
                .isEqualTo("ops");
        assertThat(json("/api/v1/alerts?state=firing&label=team:mail&domain=shared.example")
                        .path("rows")
                        .size())
                .isEqualTo(1);
        assertThat(json("/api/v1/alerts?label=team:other").path("rows").size()).isZero();
        assertThat(get("/api/v1/alerts/unknown").statusCode()).isEqualTo(404);
    }

    @Test
    void whileTheViewsAreRestoredTheAnswerIsTryAgain() throws Exception {
        listener.close();
        listener = serve(api(new Views(name -> {
            throw new InvalidStateStoreException("restoring");
        })));

        HttpResponse<String> response = get("/api/v1/domains");

        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.headers().firstValue("Retry-After")).contains("5");
    }

    @Test
    void everyRequestIsCountedUnderOneOutcome() throws Exception {
        get("/api/v1/domains");
        get("/api/v1/domains?limit=0");
        get("/api/v1/alerts/unknown");

        assertThat(count("answered")).isEqualTo(1);
        assertThat(count("refused")).isEqualTo(2);
        assertThat(meters.find("tlsrpt.console.requests").counters().stream()
                        .mapToDouble(Counter::count)
                        .sum())
                .isEqualTo(3);
    }

    @Test
    void helpHasEveryEntryOfTheCatalogue() throws Exception {
        JsonNode rows = json("/api/v1/help").path("rows");

        assertThat(rows.size()).isEqualTo(FailureHelp.all().size());
        JsonNode expired = rows.valueStream()
                .filter(row -> row.path("result-type").asString("").equals("certificate-expired"))
                .findFirst()
                .orElseThrow();
        assertThat(expired.at("/urgency/enforce").stringValue()).startsWith("Now");
        assertThat(expired.at("/urgency/no-policy-found").isString()).isTrue();
        assertThat(expired.path("verify").stringValue()).contains("openssl");
        assertThat(expired.path("runbook").stringValue()).isEqualTo("/runbook#certificate-expired");
    }

    @Test
    void theRunbookIsAPageWithAPlaceForEveryAlertAndRunsNothing() throws Exception {
        HttpResponse<String> page = get("/runbook");

        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.headers().firstValue("Content-Type")).contains("text/html; charset=utf-8");
        assertThat(page.headers().allValues("Content-Security-Policy"))
                .singleElement()
                .asString()
                .startsWith("default-src 'none'; style-src 'self';")
                .doesNotContain("unsafe");
        for (FailureHelp help : FailureHelp.all()) {
            assertThat(page.body()).contains(" id=\"" + help.word() + "\"");
        }
        for (String rule : AlertingSettings.Rules.WORDS) {
            assertThat(page.body()).contains(" id=\"" + rule + "\"");
        }
        assertThat(page.body()).contains("<table>").doesNotContain("<script", "style=", ".md\"", ".md#");
        HttpResponse<String> style = get("/runbook.css");
        assertThat(style.statusCode()).isEqualTo(200);
        assertThat(style.headers().firstValue("Content-Type")).contains("text/css; charset=utf-8");
    }

    @Test
    void theDocumentDescribesEveryPathServedWithItsParameters() throws IOException {
        JsonNode document;
        try (InputStream in = Files.newInputStream(Path.of("../docs/openapi.yaml"))) {
            document = Json.MAPPER.valueToTree(new Load(LoadSettings.builder().build()).loadFromInputStream(in));
        }
        JsonNode paths = document.path("paths");

        for (ApiRoutes.Endpoint endpoint : api.endpoints()) {
            String name = endpoint.method() + " " + endpoint.path();
            JsonNode operation = paths.path(endpoint.path().replace("{+", "{"))
                    .path(endpoint.method().toLowerCase(Locale.ROOT));
            Set<String> described = new TreeSet<>();
            for (JsonNode parameter : operation.path("parameters")) {
                JsonNode resolved = parameter.has("$ref")
                        ? document.at(parameter.path("$ref").stringValue().substring(1))
                        : parameter;
                if (resolved.path("in").stringValue().equals("query")) {
                    described.add(resolved.path("name").stringValue());
                }
            }
            assertThat(operation.isObject()).as(name).isTrue();
            assertThat(described)
                    .as(name)
                    .isEqualTo(endpoint.parameters() == null ? new TreeSet<>() : new TreeSet<>(endpoint.parameters()));
            assertThat(operation.has("requestBody"))
                    .as(name)
                    .isEqualTo(endpoint.method().equals("POST"));
        }
    }

    private double count(String outcome) {
        return meters.counter("tlsrpt.console.requests", "outcome", outcome).count();
    }

    private ApiRoutes api(Views views) {
        Clock clock = Clock.fixed(NOW, ZoneOffset.UTC);
        TopicReader reader = new TopicReader(TOPICS, topics::consumer, clock);
        QueryApi questions = new QueryApi(views, reader, clock);
        DomainsApi domains =
                new DomainsApi(views, reader, () -> SettingsFile.parse("test", "", variable -> null), clock);
        ActionsApi actions = new ActionsApi(views, new TopicWriter(() -> producer), TOPICS, clock);
        return new ApiRoutes(
                Stream.of(
                                questions.endpoints(),
                                domains.endpoints(),
                                actions.endpoints(),
                                live.endpoints(),
                                new ExplainApi(views, () -> SettingsFile.parse("test", "", variable -> null), clock)
                                        .endpoints(),
                                new SessionApi(FilledViews.access(), "here").endpoints(),
                                new RunbookPage().endpoints())
                        .flatMap(List::stream)
                        .toList(),
                FilledViews.access(),
                meters);
    }

    private static HttpListener serve(ApiRoutes api) {
        return HttpListener.start(List.of(new Routes("api", ANY_PORT, null, api::routing)), new SimpleMeterRegistry());
    }

    private JsonNode json(String path) throws Exception {
        HttpResponse<String> response = get(path);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/json");
        return Json.MAPPER.readTree(response.body());
    }

    private HttpResponse<String> get(String path) throws Exception {
        return client.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + listener.address().port() + path));
    }

    private int statusFor(String host) throws IOException {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), listener.address().port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(("GET /api/v1/domains HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return Integer.parseInt(answer.substring(9, 12));
        }
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}

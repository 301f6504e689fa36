package io.tlsrpt.console;

import static io.tlsrpt.console.FilledViews.DAY;
import static io.tlsrpt.console.FilledViews.NOW;
import static io.tlsrpt.console.FilledViews.TOPICS;
import static io.tlsrpt.console.FilledViews.alert;
import static io.tlsrpt.console.FilledViews.cell;
import static io.tlsrpt.console.FilledViews.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.HttpListener;
import io.tlsrpt.runtime.Routes;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// What is common to every list of the API: pages, tags, packing and CSV.
class ListsApiTest {

    private static final int ROWS = 11;
    private static final String ALERT = "a".repeat(64);

    private final RecordedTopics topics = new RecordedTopics();
    private final HttpClient client = HttpClient.newHttpClient();
    private FilledViews filled;
    private HttpListener listener;

    @BeforeEach
    void start(@TempDir Path directory) {
        filled = new FilledViews(directory);
        listener = serve(filled.views);
    }

    @AfterEach
    void stop() {
        client.close();
        listener.close();
        filled.close();
    }

    @ParameterizedTest
    @CsvSource({
        "/api/v1/domains,domain",
        "/api/v1/domains/example.com/aggregates,window",
        "/api/v1/domains/example.com/events,event-id",
        "/api/v1/domains/example.com/reports,report-key",
        "/api/v1/reporters,submitter",
        "/api/v1/rejected,id",
        "/api/v1/alerts,alert-id",
    })
    void allPagesOfAListHaveEveryRowOnceWhateverTheirSize(String path, String name) throws Exception {
        fill();

        List<String> whole = pages(path, 500, name);

        assertThat(whole).hasSize(ROWS).doesNotHaveDuplicates();
        for (int limit : List.of(1, 2, 3, ROWS - 1, ROWS)) {
            assertThat(pages(path, limit, name)).as(limit + " at a time").isEqualTo(whole);
        }
        assertThat(tables(path, 4)).isEqualTo(tables(path, 100_000)).hasSize(lines(path));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/api/v1/domains",
                "/api/v1/domains/example.com/aggregates",
                "/api/v1/domains/example.com/events",
                "/api/v1/domains/example.com/reports",
                "/api/v1/reporters",
                "/api/v1/rejected",
                "/api/v1/alerts",
                "/api/v1/alerts/" + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" + "/history"
            })
    void aCursorThatNoPageEndedWithIsAFault(String path) throws Exception {
        fill();
        for (String garbage :
                List.of("%25%25", "AAAA", base64("a\u0000b\u0000c"), "_____w", base64("0:-1"), base64("0:1,0:2"))) {
            for (String format : List.of("json", "csv")) {
                boolean noTable = path.endsWith("history") && format.equals("csv");
                boolean aName = path.endsWith("domains")
                        && List.of(base64("0:-1"), base64("0:1,0:2")).contains(garbage);
                if (noTable || aName) {
                    continue; // any text may be the name of a domain
                }
                String query = "?cursor=" + garbage + (format.equals("csv") ? "&format=csv" : "");
                HttpResponse<String> answer = get(path + query);

                assertThat(answer.statusCode()).as(path + query).isEqualTo(400);
                assertThat(Json.MAPPER
                                .readTree(answer.body())
                                .at("/errors/0/parameter")
                                .asString())
                        .isEqualTo("cursor");
            }
        }
    }

    @Test
    void aCursorOfAnotherListIsAFault() throws Exception {
        fill();
        String cursor = json("/api/v1/domains/example.com/reports?limit=1")
                .path("cursor")
                .asString();

        assertThat(get("/api/v1/domains/example.com/reports?cursor=" + cursor).statusCode())
                .isEqualTo(200);
        assertThat(get("/api/v1/domains/example.org/reports?cursor=" + cursor).statusCode())
                .isEqualTo(400);
        assertThat(get("/api/v1/reporters?cursor=" + cursor).statusCode()).isEqualTo(400);
        assertThat(get("/api/v1/alerts?cursor=" + cursor).statusCode()).isEqualTo(400);
    }

    @Test
    void whatTheClientHasIsNotSentAgain() throws Exception {
        fill();
        HttpResponse<String> first = get("/api/v1/reporters");
        String tag = first.headers().firstValue("ETag").orElseThrow();
        assertThat(tag).startsWith("W/\"");
        assertThat(first.headers().firstValue("Cache-Control")).contains("private, no-cache");

        for (String known : List.of(tag, "\"other\", " + tag, "*")) {
            HttpResponse<String> again = get("/api/v1/reporters", "If-None-Match", known);
            assertThat(again.statusCode()).as(known).isEqualTo(304);
            assertThat(again.body()).isEmpty();
            assertThat(again.headers().firstValue("ETag")).contains(tag);
            assertThat(again.headers().firstValue("Vary")).contains("Accept, Accept-Encoding");
        }
        assertThat(get("/api/v1/reporters", "If-None-Match", "W/\"other\"").statusCode())
                .isEqualTo(200);

        filled.put(report("new", "new.example", DAY, "example.com"));
        HttpResponse<String> changed = get("/api/v1/reporters", "If-None-Match", tag);
        assertThat(changed.statusCode()).isEqualTo(200);
        assertThat(changed.headers().firstValue("ETag"))
                .isNotEqualTo(first.headers().firstValue("ETag"));
    }

    @Test
    void faultsHaveNoTag() throws Exception {
        for (String path : List.of("/api/v1/reporters?limit=0", "/api/v1/reporters/nobody.example")) {
            assertThat(get(path).headers().firstValue("ETag")).as(path).isEmpty();
            assertThat(get(path, "If-None-Match", "*").statusCode()).as(path).isGreaterThanOrEqualTo(400);
        }
    }

    @Test
    void aConnectionGoesOnAfterAnAnswerWithoutBody() throws Exception {
        fill();
        String tag = get("/api/v1/reporters").headers().firstValue("ETag").orElseThrow();
        String host = "Host: 127.0.0.1\r\n";

        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), listener.address().port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(("GET /api/v1/reporters HTTP/1.1\r\n" + host + "If-None-Match: " + tag + "\r\n\r\n"
                                    + "HEAD /api/v1/reporters?format=csv HTTP/1.1\r\n" + host + "\r\n"
                                    + "HEAD /api/v1/reporters HTTP/1.1\r\n" + host + "\r\n"
                                    + "GET /api/v1/reporters?limit=0 HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String answers = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertThat(Arrays.stream(answers.split("HTTP/1.1 ", -1)).skip(1).map(answer -> answer.substring(0, 3)))
                    .containsExactly("304", "200", "200", "400");
        }
    }

    @Test
    void longAnswersArePackedForThoseWhoTakeThat() throws Exception {
        fill();
        HttpResponse<byte[]> packed = client.send(
                request("/api/v1/reporters")
                        .header("Accept-Encoding", "br, gzip")
                        .build(),
                HttpResponse.BodyHandlers.ofByteArray());
        HttpResponse<String> plain = get("/api/v1/reporters");

        assertThat(packed.headers().firstValue("Content-Encoding")).contains("gzip");
        assertThat(packed.headers().firstValue("Vary")).contains("Accept, Accept-Encoding");
        assertThat(packed.headers().firstValue("ETag"))
                .isEqualTo(plain.headers().firstValue("ETag"));
        assertThat(plain.headers().firstValue("Content-Encoding")).isEmpty();
        assertThat(plain.headers().firstValue("Vary")).contains("Accept, Accept-Encoding");
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed.body()))) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo(plain.body());
        }
        HttpResponse<Void> head = client.send(
                request("/api/v1/reporters")
                        .header("Accept-Encoding", "gzip")
                        .HEAD()
                        .build(),
                HttpResponse.BodyHandlers.discarding());
        assertThat(head.headers().firstValue("Content-Length")).contains(Integer.toString(packed.body().length));
        assertThat(head.headers().firstValue("ETag")).isEqualTo(plain.headers().firstValue("ETag"));
    }

    @Test
    void aTableIsADownloadThatSaysWhetherItIsWhole() throws Exception {
        fill();
        HttpResponse<String> part = get("/api/v1/reporters?format=csv&limit=4");
        HttpResponse<String> whole = get("/api/v1/reporters", "Accept", "application/json;q=0.5, text/csv");

        assertThat(part.headers().firstValue("Content-Type")).contains("text/csv; charset=utf-8; header=present");
        assertThat(part.headers().firstValue("Content-Disposition"))
                .contains("attachment; filename=\"tlsrpt-reporters.csv\"");
        assertThat(part.headers().firstValue("Cache-Control")).contains("no-store");
        assertThat(part.headers().firstValue("Vary")).contains("Accept, Accept-Encoding");
        assertThat(part.headers().firstValue("Tlsrpt-Complete")).contains("false");
        assertThat(part.headers().firstValue("Tlsrpt-Cursor")).isPresent();
        assertThat(part.body().lines()).hasSize(5);
        assertThat(whole.headers().firstValue("Tlsrpt-Complete")).contains("true");
        assertThat(whole.headers().firstValue("Tlsrpt-Cursor")).isEmpty();
        assertThat(whole.body().lines()).hasSize(ROWS + 1);
        assertThat(get("/api/v1/reporters", "Accept", "text/html, */*;q=0.8")
                        .headers()
                        .firstValue("Content-Type"))
                .contains("application/json");
        assertThat(get("/api/v1/reporters?format=json", "Accept", "text/csv")
                        .headers()
                        .firstValue("Content-Type"))
                .contains("application/json");
        assertThat(get("/api/v1/reporters?format=xml").statusCode()).isEqualTo(400);
        assertThat(get("/api/v1/reporters?format=csv&limit=100001").statusCode())
                .isEqualTo(400);
        assertThat(get("/api/v1/reporters?limit=1001").statusCode()).isEqualTo(400);
    }

    @Test
    void tablesAreGivenBackAfterEachAnswer() throws Exception {
        for (int i = 0; i < 5; i++) {
            assertThat(get("/api/v1/reporters?format=csv").statusCode()).isEqualTo(200);
            assertThat(client.send(
                                    request("/api/v1/reporters?format=csv")
                                            .HEAD()
                                            .build(),
                                    HttpResponse.BodyHandlers.discarding())
                            .statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void theColumnsAreTheSameWithoutData() throws Exception {
        String path = "/api/v1/domains/example.com/aggregates?format=csv";
        String empty = get(path).body();
        fill();

        assertThat(get(path).body()).startsWith(empty);
        assertThat(empty)
                .startsWith("kind,window,policy-domain,")
                .endsWith("\r\n")
                .hasLineCount(1);
    }

    @Test
    void theTotalsOfACellStandOnceAndItsFailuresOnLinesOfTheirOwn() throws Exception {
        filled.put(cell(DAY, "example.com", "google.com", 100, 5));

        List<String> lines = get("/api/v1/domains/example.com/aggregates?format=csv")
                .body()
                .lines()
                .toList();

        assertThat(lines).hasSize(3);
        assertThat(lines.get(1))
                .startsWith("summary,2026-11-20,example.com,sts,enforce,google.com,dkim,100,5,1,,,,,,,,2026");
        assertThat(lines.get(2))
                .startsWith(
                        "failure,2026-11-20,example.com,sts,enforce,google.com,dkim,,,,certificate-expired,certificate,mx1.example.com,5,1,192.0.2.1,,,,,");
    }

    @Test
    void hostileTextIsNoFormulaInATable() throws Exception {
        filled.put(cell(DAY, "example.com", "=cmd|'/C calc'!A0", 100, 0));

        assertThat(get("/api/v1/domains/example.com/aggregates?format=csv").body())
                .contains(",\"'=cmd|'/C calc'!A0\",")
                .doesNotContain(",=");
    }

    @Test
    void eventsAreFoundByWhoSentThemWhatFailedWhereAndTheirReport() throws Exception {
        String key = "google.com|r|2026-09-01T00:00:00Z|example.com";
        LocalDate start = LocalDate.of(2026, 9, 1);
        failure(0, key + "#0.0.0", "google.com", start, "certificate-expired", "mx1.example.com");
        failure(1, key + "#0.0.0!", "google.com", start, "certificate-expired", "mx1.example.com");
        failure(2, key + "#1.0.0", "google.com", start, "starttls-not-supported", "mx2.example.com");
        failure(3, key + "2#0.0.0", "google.com", start, "certificate-expired", "mx1.example.com");
        failure(
                4,
                "m|r|2026-11-20T00:00:00Z|example.com#0.0.0",
                "microsoft.com",
                DAY,
                "certificate-expired",
                "mx1.example.com");

        String events = "/api/v1/domains/example.com/events";
        assertThat(offsets(events + "?report-key=" + encoded(key))).containsExactly("0.0.0", "0.0.0!", "1.0.0");
        assertThat(json(events + "?report-key=" + encoded(key)).path("from").asString())
                .isEqualTo("2026-09-01");
        assertThat(offsets(events + "?report-key=" + encoded("m|r|+1000000000-12-31T23:59:59Z|x")))
                .isEmpty();
        assertThat(offsets(events + "?report-key=" + encoded(key) + "&mx=MX2.example.com"))
                .containsExactly("1.0.0");
        assertThat(offsets(events)).hasSize(1);
        assertThat(offsets(events + "?from=2026-09-01")).hasSize(5);
        assertThat(offsets(events + "?from=2026-09-01&submitter=microsoft.com")).hasSize(1);
        assertThat(offsets(events + "?from=2026-09-01&result-type=starttls-not-supported"))
                .containsExactly("1.0.0");
        assertThat(offsets(events + "?from=2026-09-01&mx=mx1.example.com&submitter=google.com"))
                .hasSize(3);
    }

    @Test
    void whatWasRefusedIsFoundByItsSubmitter() throws Exception {
        fill();

        assertThat(json("/api/v1/rejected?submitter=reporter3.example")
                        .path("rows")
                        .size())
                .isEqualTo(1);
        assertThat(json("/api/v1/rejected?submitter=reporter3.example&reason=empty")
                        .path("rows")
                        .size())
                .isZero();
    }

    @Test
    void aReporterIsFoundByItsNameHoweverOddThatIs() throws Exception {
        for (String submitter : List.of("google.com", "a/b c", "ünï|code", "../x")) {
            filled.put(report("k" + submitter, submitter, DAY, "example.com", "example.net"));

            JsonNode reporter = json("/api/v1/reporters/" + encoded(submitter));

            assertThat(reporter.path("submitter").asString()).isEqualTo(submitter);
            assertThat(reporter.path("domains").valueStream().map(JsonNode::asString))
                    .containsExactly("example.com", "example.net");
        }
        assertThat(get("/api/v1/reporters/nobody.example").statusCode()).isEqualTo(404);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/api/v1/domains",
                "/api/v1/domains/example.com/aggregates",
                "/api/v1/domains/example.com/reports",
                "/api/v1/reporters",
                "/api/v1/reporters/google.com",
                "/api/v1/reports?key=k",
                "/api/v1/alerts",
                "/api/v1/reporters?format=csv"
            })
    void whileTheViewsAreRestoredEachListSaysTryAgain(String path) throws Exception {
        listener.close();
        listener = serve(new Views(name -> {
            throw new InvalidStateStoreException("restoring");
        }));
        for (int i = 0; i < 3; i++) {
            HttpResponse<String> answer = get(path);

            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.headers().firstValue("Retry-After")).contains("5");
            assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
        }
    }

    /// As many rows in each list.
    private void fill() {
        filled.put(alert(ALERT, "firing", NOW, "d0.example", Map.of()));
        for (int i = 0; i < ROWS; i++) {
            String domain = i == 0 ? "example.com" : "d" + i + ".example";
            LocalDate day = DAY.minusDays(i);
            filled.put(cell(DAY, domain, "google.com", 100, 5));
            filled.put(report("k" + i, "reporter" + i + ".example", day, "example.com"));
            if (i > 0) {
                filled.put(cell(day, "example.com", "google.com", 100, 5));
                filled.put(alert(
                        "b".repeat(60) + "%04d".formatted(i), "firing", NOW.plusSeconds(i / 3), domain, Map.of()));
            }
            failure(i, "key#0." + i, "google.com", day, "certificate-expired", "mx1.example.com");
            RecordHeaders headers = new RecordHeaders();
            ReportHeaders.put(headers, ReportHeaders.REASON, "not-json");
            ReportHeaders.put(headers, "submitter", "reporter" + i + ".example");
            topics.add(
                    TOPICS.rejected().name(),
                    i % 2,
                    i,
                    NOW.toEpochMilli() + i / 4,
                    new byte[0],
                    new byte[] {'x'},
                    headers);
        }
    }

    private void failure(long offset, String id, String submitter, LocalDate day, String resultType, String mx) {
        var start = day.atStartOfDay().toInstant(ZoneOffset.UTC);
        Event event = new Event(
                "failure",
                id,
                null,
                resultType,
                "certificate",
                1L,
                null,
                mx,
                null,
                null,
                null,
                null,
                null,
                null,
                "example.com",
                "sts",
                null,
                null,
                submitter,
                null,
                "r",
                start,
                start,
                "dkim",
                "smtp",
                NOW,
                false,
                null);
        topics.add(
                TOPICS.events().name(),
                Topics.partition("example.com", RecordedTopics.PARTITIONS),
                offset,
                NOW.toEpochMilli() + offset,
                "example.com".getBytes(StandardCharsets.UTF_8),
                Json.MAPPER.writeValueAsBytes(event),
                new RecordHeaders());
    }

    private static int lines(String path) {
        return path.endsWith("/aggregates") ? 2 * ROWS : ROWS;
    }

    private List<String> pages(String path, int limit, String name) throws Exception {
        List<String> all = new ArrayList<>();
        String cursor = "";
        do {
            JsonNode page = json(path + "?limit=" + limit + cursor);
            assertThat(page.path("rows").size()).isLessThanOrEqualTo(limit);
            page.path("rows").forEach(row -> all.add(row.path(name).asString()));
            cursor = page.path("complete").booleanValue()
                    ? ""
                    : "&cursor=" + page.path("cursor").asString();
        } while (!cursor.isEmpty());
        return all;
    }

    private List<String> tables(String path, int limit) throws Exception {
        List<String> all = new ArrayList<>();
        String cursor = "";
        do {
            HttpResponse<String> table = get(path + "?format=csv&limit=" + limit + cursor);
            table.body().lines().skip(1).forEach(all::add);
            cursor = table.headers()
                    .firstValue("Tlsrpt-Cursor")
                    .map(next -> "&cursor=" + next)
                    .orElse("");
        } while (!cursor.isEmpty());
        return all;
    }

    private List<String> offsets(String path) throws Exception {
        return json(path)
                .path("rows")
                .valueStream()
                .map(row -> row.path("event-id").asString().replaceFirst(".*#", ""))
                .toList();
    }

    private HttpListener serve(Views views) {
        Clock clock = Clock.fixed(NOW, ZoneOffset.UTC);
        TopicReader reader = new TopicReader(TOPICS, topics::consumer, clock);
        QueryApi questions = new QueryApi(views, reader, clock);
        DomainsApi domains = new DomainsApi(views, reader, () -> SettingsFile.parse("test", "", name -> null), clock);
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        ApiRoutes api = new ApiRoutes(
                Stream.of(questions.endpoints(), domains.endpoints())
                        .flatMap(List::stream)
                        .toList(),
                FilledViews.access(),
                meters);
        return HttpListener.start(
                List.of(new Routes("api", HostPort.parse("127.0.0.1:0"), null, api::routing)), meters);
    }

    private JsonNode json(String path) throws Exception {
        HttpResponse<String> answer = get(path);
        assertThat(answer.statusCode()).as(path + " " + answer.body()).isEqualTo(200);
        return Json.MAPPER.readTree(answer.body());
    }

    private HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path);
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + listener.address().port() + path));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}

package io.tlsrpt.console;

import static io.tlsrpt.console.FilledViews.DAY;
import static io.tlsrpt.console.FilledViews.NOW;
import static io.tlsrpt.console.FilledViews.TOPICS;
import static io.tlsrpt.console.FilledViews.alert;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.HttpListener;
import io.tlsrpt.runtime.Routes;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertAction;
import io.tlsrpt.topics.AlertMatch;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Silence;
import io.tlsrpt.topics.Topics;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class ActionsApiTest {

    private static final HostPort ANY_PORT = HostPort.parse("127.0.0.1:0");
    private static final int PARTITIONS = 12;
    private static final String ID = "0f3c".repeat(16);
    private static final JsonSerde<AlertAction> ACTION = new JsonSerde<>(AlertAction.class);
    private static final JsonSerde<Silence> SILENCE = new JsonSerde<>(Silence.class);

    private final HttpClient client = HttpClient.newHttpClient();
    private final RecordedTopics recorded = new RecordedTopics();
    private final MockProducer<byte[], byte[]> producer = new MockProducer<>(
            partitioned(), true, new RoundRobinPartitioner(), new ByteArraySerializer(), new ByteArraySerializer());
    private FilledViews filled;
    private HttpListener listener;

    @BeforeEach
    void start(@TempDir Path directory) {
        filled = new FilledViews(directory);
        Clock clock = Clock.fixed(NOW, ZoneOffset.UTC);
        QueryApi questions = new QueryApi(filled.views, new TopicReader(TOPICS, recorded::consumer, clock), clock);
        ActionsApi actions = new ActionsApi(filled.views, new TopicWriter(() -> producer), TOPICS, clock);
        ApiRoutes api = new ApiRoutes(
                Stream.concat(questions.endpoints().stream(), actions.endpoints().stream())
                        .toList(),
                FilledViews.access(),
                filled.meters);
        listener =
                HttpListener.start(List.of(new Routes("api", ANY_PORT, null, api::routing)), new SimpleMeterRegistry());
        filled.put(alert(ID, Alert.FIRING, NOW, "example.com", Map.of("team", "mail")));
    }

    @AfterEach
    void stop() {
        client.close();
        listener.close();
        filled.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"acknowledge", "resolve", "note", "false-alarm"})
    void whatSomebodyDoesAboutAnAlertIsWrittenWhereTheAlertLies(String action) throws Exception {
        HttpResponse<String> response =
                post("/api/v1/alerts/" + ID + "/" + action, "{\"by\":\"alice\",\"text\":\"one\\ntwo\"}");

        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        ProducerRecord<byte[], byte[]> written = producer.history().getFirst();
        AlertAction done = ACTION.read(written.value());
        assertThat(written.topic()).isEqualTo("tlsrpt.alert-actions");
        assertThat(new String(written.key(), StandardCharsets.UTF_8)).isEqualTo(ID);
        assertThat(written.partition()).isEqualTo(Topics.partition("example.com", PARTITIONS));
        assertThat(new String(written.headers().lastHeader("schema").value(), StandardCharsets.UTF_8))
                .isEqualTo("tlsrpt.alert-action/1");
        assertThat(done)
                .isEqualTo(AlertAction.on(
                        alert(ID, Alert.FIRING, NOW, "example.com", Map.of()),
                        done.actionId(),
                        action,
                        "alice",
                        NOW,
                        "one\ntwo"));
        assertThat(Json.MAPPER.readTree(response.body()).path("action-id").stringValue())
                .isEqualTo(done.actionId());
    }

    @Test
    void nobodyNamedIsTheApiAndATextMayBeLeftOut() throws Exception {
        assertThat(post("/api/v1/alerts/" + ID + "/acknowledge", "{}").statusCode())
                .isEqualTo(202);

        AlertAction done = ACTION.read(producer.history().getFirst().value());
        assertThat(done.by()).isEqualTo("api");
        assertThat(done.text()).isNull();
    }

    @Test
    void aResolvedAlertTakesOnlyNotes() throws Exception {
        filled.put(alert(ID, Alert.RESOLVED, NOW, "example.com", Map.of()));

        for (String action : List.of("acknowledge", "resolve", "false-alarm")) {
            assertThat(post("/api/v1/alerts/" + ID + "/" + action, "{}").statusCode())
                    .isEqualTo(409);
        }
        assertThat(producer.history()).isEmpty();
        assertThat(post("/api/v1/alerts/" + ID + "/note", "{\"text\":\"it was the proxy\"}")
                        .statusCode())
                .isEqualTo(202);
    }

    @Test
    void anIncidentThatIsOverIsNotActedOn() throws Exception {
        String path = "/api/v1/alerts/" + ID + "/acknowledge";

        assertThat(post(path, "{\"incident-id\":\"" + ID + "-7\"}").statusCode())
                .isEqualTo(409);
        assertThat(post(path, "{\"incident-id\":\"" + ID + "-1\"}").statusCode())
                .isEqualTo(202);
        assertThat(post("/api/v1/alerts/" + "a".repeat(64) + "/acknowledge", "{}")
                        .statusCode())
                .isEqualTo(404);
    }

    @Test
    void aFaultyMemberIsNamed() throws Exception {
        for (String row : """
                    acknowledge | {'who':'alice'}              | who
                    acknowledge | {'by':7}                     | by
                    acknowledge | {'by':''}                    | by
                    acknowledge | {'by':'a\\u000ab'}           | by
                    acknowledge | {'by':'a\\u202eb'}           | by
                    resolve     | {'text':'a\\u001b[2J'}       | text
                    note        | {}                           | text
                    note        | {'text':'   '}               | text
                    """.lines().toList()) {
            String[] cells = row.split(" *[|] *", -1);
            assertThat(faulty("/api/v1/alerts/" + ID + "/" + cells[0], cells[1]))
                    .as(row)
                    .containsExactly(cells[2]);
        }
        assertThat(producer.history()).isEmpty();
    }

    @Test
    void namesTextsAndBodiesHaveLimits() throws Exception {
        String path = "/api/v1/alerts/" + ID + "/note";

        assertThat(post(path, "{\"text\":\"" + "x".repeat(2_000) + "\"}").statusCode())
                .isEqualTo(202);
        assertThat(post(path, "{\"text\":\"" + "x".repeat(2_001) + "\"}").statusCode())
                .isEqualTo(400);
        assertThat(post(path, "{\"text\":\"x\",\"by\":\"" + "x".repeat(201) + "\"}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(post(path, "{\"text\":\"" + "x".repeat(70_000) + "\"}").statusCode())
                .isEqualTo(413);
        for (String noObject : List.of("", "[]", "\"x\"", "{", "{\"text\":\"a\",\"text\":\"b\"}", "[".repeat(5_000))) {
            assertThat(post(path, noObject).statusCode()).as(noObject).isEqualTo(400);
        }
        assertThat(producer.history()).hasSize(1);
    }

    @Test
    void aPageOfAnotherSiteCannotAct() throws Exception {
        String path = "/api/v1/alerts/" + ID + "/resolve";
        String self = "http://127.0.0.1:" + listener.address().port();

        assertThat(send("POST", path, "{}", "Content-Type", "text/plain")).isEqualTo(415);
        assertThat(send("POST", path, "{}", "Accept", "*/*")).isEqualTo(415);
        assertThat(send("POST", path, "{}", "Content-Type", "application/json", "Origin", "https://evil.example"))
                .isEqualTo(403);
        assertThat(send("DELETE", "/api/v1/silences/s", "", "Sec-Fetch-Site", "cross-site"))
                .isEqualTo(403);
        assertThat(producer.history()).isEmpty();
        assertThat(send("POST", path, "{}", "Content-Type", "application/json; charset=utf-8", "Origin", self))
                .isEqualTo(202);
    }

    @Test
    void everyPathTellsWhatItTakes() throws Exception {
        assertThat(allowed("/api/v1/silences", "PUT")).isEqualTo("GET, HEAD, POST");
        assertThat(allowed("/api/v1/silences/s", "POST")).isEqualTo("DELETE");
        assertThat(allowed("/api/v1/alerts/" + ID + "/note", "DELETE")).isEqualTo("POST");
        assertThat(allowed("/api/v1/alerts/" + ID, "POST")).isEqualTo("GET, HEAD");
    }

    @Test
    void withoutABrokerTheAnswerIsTryAgain() throws Exception {
        producer.sendException = new TimeoutException("no broker");

        HttpResponse<String> response = post("/api/v1/alerts/" + ID + "/acknowledge", "{}");

        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.headers().firstValue("Retry-After")).isPresent();
    }

    @Test
    void aSilenceIsMadeAndTellsWhatItMutesNow() throws Exception {
        filled.put(alert("b".repeat(64), Alert.FIRING, NOW, "other.example", Map.of()));
        filled.put(alert("c".repeat(64), Alert.RESOLVED, NOW, "example.com", Map.of()));

        HttpResponse<String> response = post("/api/v1/silences", """
                {"match":{"domains":["EXAMPLE.com."],"rules":["certificate"],"labels":{"team":"mail"}},"duration":"2h",
                "by":"alice","comment":"renewal"}""");

        assertThat(response.statusCode()).as(response.body()).isEqualTo(201);
        JsonNode answer = Json.MAPPER.readTree(response.body());
        ProducerRecord<byte[], byte[]> written = producer.history().getFirst();
        Silence silence = SILENCE.read(written.value());
        assertThat(written.topic()).isEqualTo("tlsrpt.silences");
        assertThat(new String(written.key(), StandardCharsets.UTF_8)).isEqualTo(silence.silenceId());
        assertThat(silence)
                .isEqualTo(new Silence(
                        silence.silenceId(),
                        new AlertMatch(
                                null,
                                List.of("example.com"),
                                null,
                                null,
                                Map.of("team", "mail"),
                                List.of("certificate"),
                                null,
                                null),
                        NOW,
                        NOW.plus(Duration.ofHours(2)),
                        "alice",
                        "renewal",
                        NOW));
        assertThat(answer.path("silence").path("state").stringValue()).isEqualTo("active");
        assertThat(answer.path("match-count").intValue()).isEqualTo(1);
        assertThat(answer.path("matches").path(0).path("alert-id").stringValue())
                .isEqualTo(ID);
    }

    @Test
    void aPreviewTellsTheSameAndMakesNothing() throws Exception {
        HttpResponse<String> response = post(
                "/api/v1/silences?preview=true",
                "{\"match\":{\"domains\":[\"*.example\"]},\"starts-at\":\"2026-12-01T00:00:00Z\",\"duration\":\"1d\"}");

        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(Json.MAPPER.readTree(response.body()).path("match-count").intValue())
                .isEqualTo(1);
        assertThat(producer.history()).isEmpty();
    }

    @Test
    void aSilenceThatCannotBeMeantIsRefused() throws Exception {
        for (String row : """
                    {'match':{},'duration':'1h','comment':'x'}                                                    | match
                    {'duration':'1h','comment':'x'}                                                               | match
                    {'match':{'domains':[]},'duration':'1h','comment':'x'}                                        | match
                    {'match':{'severities':['critical','warning','info']},'duration':'1h','comment':'x'}          | match
                    {'match':{'rules':['certficate']},'duration':'1h','comment':'x'}                              | match.rules
                    {'match':{'severities':['bad']},'duration':'1h','comment':'x'}                                | match.severities
                    {'match':{'classes':['tls']},'duration':'1h','comment':'x'}                                   | match.classes
                    {'match':{'alert-ids':['0f3c']},'duration':'1h','comment':'x'}                                | match.alert-ids
                    {'match':{'domains':['not a domain']},'duration':'1h','comment':'x'}                          | match.domains
                    {'match':{'labels':{'team':7}},'duration':'1h','comment':'x'}                                 | match.labels
                    {'match':{'domain':['example.com']},'duration':'1h','comment':'x'}                            | match.domain
                    {'match':{'rules':['dane']},'duration':'1h'}                                                  | comment
                    {'match':{'rules':['dane']},'comment':'x'}                                                    | ends-at
                    {'match':{'rules':['dane']},'duration':'1h','ends-at':'2026-11-23T00:00:00Z','comment':'x'}   | ends-at
                    {'match':{'rules':['dane']},'ends-at':'2026-11-22T11:59:59Z','comment':'x'}                   | ends-at
                    {'match':{'rules':['dane']},'starts-at':'2026-11-24T00:00:00Z','ends-at':'2026-11-23T00:00:00Z','comment':'x'} | ends-at
                    {'match':{'rules':['dane']},'duration':'91d','comment':'x'}                                   | ends-at
                    {'match':{'rules':['dane']},'duration':'forever','comment':'x'}                               | duration
                    {'match':{'rules':['dane']},'starts-at':'soon','duration':'1h','comment':'x'}                 | starts-at
                    """.lines().toList()) {
            String[] cells = row.split(" *[|] *", -1);
            assertThat(faulty("/api/v1/silences", cells[0])).as(row).contains(cells[1]);
        }
        assertThat(producer.history()).isEmpty();
    }

    /// The members that are named as faulty.
    private List<String> faulty(String path, String body) throws Exception {
        HttpResponse<String> response = post(path, body.replace('\'', '"'));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
        List<String> named = new ArrayList<>();
        Json.MAPPER
                .readTree(response.body())
                .path("errors")
                .forEach(fault -> named.add(fault.path("parameter").stringValue()));
        return named;
    }

    @Test
    void silencesAreListedWithTheirStateTheLastToEndFirst() throws Exception {
        put("soon", NOW.plusSeconds(60), NOW.plusSeconds(120));
        put("now", NOW.minusSeconds(60), NOW.plusSeconds(60));
        put("past", NOW.minusSeconds(120), NOW);
        put("long past", NOW.minus(Duration.ofDays(10)), NOW.minus(Duration.ofDays(6)));

        List<String> rows = new ArrayList<>();
        json("/api/v1/silences")
                .path("rows")
                .forEach(row -> rows.add(row.path("silence-id").stringValue() + " "
                        + row.path("state").stringValue()));

        assertThat(rows).containsExactly("soon pending", "now active", "past expired");
        assertThat(json("/api/v1/silences?state=active").path("rows").size()).isEqualTo(1);
    }

    @Test
    void aSilenceIsEndedByATombstone() throws Exception {
        put("s1", NOW.minusSeconds(60), NOW.plusSeconds(60));

        assertThat(send("DELETE", "/api/v1/silences/s1", "", "Accept", "*/*")).isEqualTo(200);
        assertThat(send("DELETE", "/api/v1/silences/s2", "", "Accept", "*/*")).isEqualTo(404);

        assertThat(producer.history()).hasSize(1);
        assertThat(producer.history().getFirst().key()).isEqualTo("s1".getBytes(StandardCharsets.UTF_8));
        assertThat(producer.history().getFirst().value()).isNull();
    }

    @Test
    void theNextSilenceTakesThoseLongExpiredAway() throws Exception {
        put("old", NOW.minus(Duration.ofDays(10)), NOW.minus(Duration.ofDays(6)));
        put("late", NOW.minus(Duration.ofDays(10)), NOW.minus(Duration.ofDays(4)));

        assertThat(post("/api/v1/silences", "{\"match\":{\"rules\":[\"dane\"]},\"duration\":\"1h\",\"comment\":\"x\"}")
                        .statusCode())
                .isEqualTo(201);

        assertThat(producer.history()).hasSize(2);
        assertThat(producer.history().getFirst().key()).isEqualTo("old".getBytes(StandardCharsets.UTF_8));
        assertThat(producer.history().getFirst().value()).isNull();
    }

    @Test
    void theHistoryOfAnAlertIsReadFromItsPartition() throws Exception {
        Alert alert = alert(ID, Alert.FIRING, NOW, "example.com", Map.of());
        int partition = alert.partition(RecordedTopics.PARTITIONS);
        JsonSerde<Alert> serde = new JsonSerde<>(Alert.class);
        for (Alert transition : List.of(
                alert,
                alert("b".repeat(64), Alert.FIRING, NOW, "example.com", Map.of()),
                alert(ID, Alert.RESOLVED, NOW.plusSeconds(1), "example.com", Map.of()))) {
            recorded.add(
                    TOPICS.alertHistory().name(),
                    partition,
                    offset++,
                    NOW.toEpochMilli(),
                    transition.alertId().getBytes(StandardCharsets.UTF_8),
                    serde.write(transition),
                    TOPICS.alertHistory().newHeaders());
        }

        JsonNode page = json("/api/v1/alerts/" + ID + "/history?limit=1");
        JsonNode rest = json("/api/v1/alerts/" + ID + "/history?cursor="
                + page.path("cursor").stringValue());

        assertThat(page.path("rows").path(0).path("state").stringValue()).isEqualTo("firing");
        assertThat(rest.path("rows").size()).isEqualTo(1);
        assertThat(rest.path("rows").path(0).path("state").stringValue()).isEqualTo("resolved");
        assertThat(rest.path("complete").booleanValue()).isTrue();
        assertThat(json("/api/v1/alerts/" + ID + "/history?to=" + DAY)
                        .path("rows")
                        .size())
                .isZero();
        assertThat(get("/api/v1/alerts/" + "d".repeat(64) + "/history").statusCode())
                .isEqualTo(404);
    }

    private long offset;

    @Test
    void alertsAreFoundByWhatTheirIdBeginsWith() throws Exception {
        filled.put(alert("0f3d" + "0".repeat(60), Alert.RESOLVED, NOW, "example.com", Map.of()));

        assertThat(json("/api/v1/alerts?id=0f3").path("rows").size()).isEqualTo(2);
        assertThat(json("/api/v1/alerts?id=0f3c0f").path("rows").size()).isEqualTo(1);
        assertThat(json("/api/v1/alerts?id=0f3d&state=firing").path("rows").size())
                .isZero();
    }

    @Test
    void theLatestInspectionOfADomainIsShownWhileTheTopicKeepsIt() throws Exception {
        inspected("example.com", NOW.minusSeconds(60));
        inspected("example.com", NOW.minusSeconds(600));
        inspected("old.example", NOW.minus(Duration.ofDays(91)));

        assertThat(json("/api/v1/domains/Example.com/inspection")
                        .path("inspected-at")
                        .stringValue())
                .isEqualTo(NOW.minusSeconds(60).toString());
        assertThat(get("/api/v1/domains/old.example/inspection").statusCode()).isEqualTo(404);
        assertThat(get("/api/v1/domains/none.example/inspection").statusCode()).isEqualTo(404);
    }

    private void inspected(String domain, Instant at) {
        filled.pipe(
                TOPICS.inspections(),
                domain.getBytes(StandardCharsets.UTF_8),
                new JsonSerde<>(Inspection.class)
                        .write(new Inspection(domain, at, Inspection.WATCH, "open", null, null, null, null, null)));
    }

    private void put(String id, Instant starts, Instant ends) {
        filled.pipe(
                TOPICS.silences(),
                id.getBytes(StandardCharsets.UTF_8),
                SILENCE.write(new Silence(
                        id,
                        new AlertMatch(null, List.of("example.com"), null, null, null, null, null, null),
                        starts,
                        ends,
                        "alice",
                        "work",
                        starts)));
    }

    private static Cluster partitioned() {
        Node node = new Node(0, "127.0.0.1", 9092);
        List<PartitionInfo> partitions = new ArrayList<>();
        for (Topics.Topic topic : List.of(TOPICS.alertActions(), TOPICS.silences())) {
            for (int partition = 0; partition < PARTITIONS; partition++) {
                partitions.add(new PartitionInfo(topic.name(), partition, node, new Node[] {node}, new Node[] {node}));
            }
        }
        return new Cluster("test", List.of(node), partitions, Set.of(), Set.of());
    }

    private HttpResponse<String> post(String path, String body) throws Exception {
        return client.send(
                request(path)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private int send(String method, String path, String body, String... headers) throws Exception {
        return client.send(
                        request(path)
                                .headers(headers)
                                .method(method, HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .statusCode();
    }

    private String allowed(String path, String method) throws Exception {
        HttpResponse<String> response = client.send(
                request(path)
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(405);
        return Objects.requireNonNull(response.headers().firstValue("Allow").orElse(null));
    }

    private JsonNode json(String path) throws Exception {
        HttpResponse<String> response = get(path);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return Json.MAPPER.readTree(response.body());
    }

    private HttpResponse<String> get(String path) throws Exception {
        return client.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + listener.address().port() + path));
    }
}

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
import io.tlsrpt.console.ApiRoutes.Endpoint;
import io.tlsrpt.console.ApiRoutes.Reach;
import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.HttpListener;
import io.tlsrpt.runtime.Routes;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertAction;
import io.tlsrpt.topics.AlertMatch;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Silence;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Somebody whose token is limited to `team: mail` sees `mail.example` and what lies below `sub.example`, and neither
/// `other.example` nor domains that nobody configured.
class LimitedCallerTest {

    private static final HostPort ANY_PORT = HostPort.parse("127.0.0.1:0");
    private static final String OURS = "a".repeat(64);
    private static final String SHARED = "b".repeat(64);
    private static final String FOREIGN = "c".repeat(64);
    private static final JsonSerde<AlertAction> ACTION = new JsonSerde<>(AlertAction.class);
    private static final JsonSerde<Silence> SILENCE = new JsonSerde<>(Silence.class);

    /// Endpoints that look at what is visible themselves; each has its case below.
    private static final Set<String> FILTERED = Set.of(
            "GET /api/v1/domains",
            "GET /api/v1/reports",
            "GET /api/v1/reports/raw",
            "GET /api/v1/rejected/reasons",
            "GET /api/v1/help",
            "GET /api/v1/alerts",
            "GET /api/v1/alerts/{id}",
            "GET /api/v1/alerts/{id}/history",
            "POST /api/v1/alerts/{id}/acknowledge",
            "POST /api/v1/alerts/{id}/resolve",
            "POST /api/v1/alerts/{id}/note",
            "POST /api/v1/alerts/{id}/false-alarm",
            "GET /api/v1/silences",
            "POST /api/v1/silences",
            "DELETE /api/v1/silences/{id}",
            "GET /api/v1/stream",
            "GET /api/v1/session");

    private final Settings settings =
            SettingsFile.parse("test", """
            kafka: {bootstrap-servers: "127.0.0.1:1"}
            domains:
              - {name: mail.example, labels: {team: mail, site: one}}
              - {name: "*.sub.example", labels: {team: mail}}
              - {name: other.example, labels: {team: web}}
            api:
              tokens:
                - {name: mailer, sha256: %s, role: operate, labels: {team: mail}}
                - {name: root, sha256: %s, role: operate}
                - {name: wall, sha256: %s}
            """.formatted(sha256("mailer"), sha256("root"), sha256("wall")), name -> null);

    private final Clock clock = Clock.fixed(NOW, ZoneOffset.UTC);
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final HttpClient client = HttpClient.newHttpClient();
    private final MockProducer<byte[], byte[]> producer = new MockProducer<>(
            partitioned(), true, new RoundRobinPartitioner(), new ByteArraySerializer(), new ByteArraySerializer());
    private FilledViews filled;
    private HttpListener listener;
    private int refused;

    @BeforeEach
    void start(@TempDir Path directory) {
        filled = new FilledViews(directory);
        RecordedTopics recorded = new RecordedTopics();
        TopicReader reader = new TopicReader(TOPICS, recorded::consumer, clock);
        Access access = new Access(() -> settings, ANY_PORT, meters);
        ApiRoutes api = new ApiRoutes(
                Stream.of(
                                new QueryApi(filled.views, reader, clock).endpoints(),
                                new DomainsApi(filled.views, reader, () -> settings, clock).endpoints(),
                                new ActionsApi(filled.views, new TopicWriter(() -> producer), TOPICS, clock)
                                        .endpoints(),
                                new ExplainApi(filled.views, () -> settings, clock).endpoints(),
                                new SessionApi(access, "here").endpoints())
                        .flatMap(List::stream)
                        .toList(),
                access,
                meters);
        listener =
                HttpListener.start(List.of(new Routes("api", ANY_PORT, null, api::routing)), new SimpleMeterRegistry());
        for (String domain : List.of("mail.example", "a.sub.example", "other.example", "nobody.example")) {
            filled.put(cell(DAY, domain, "google.com", 100, 5));
            filled.put(report("key-" + domain, "google.com", DAY, domain));
        }
        filled.put(report("key-both", "google.com", DAY, "mail.example", "other.example"));
        filled.put(alert(OURS, Alert.FIRING, NOW, "mail.example", Map.of("team", "mail"))
                .naming(List.of()));
        filled.put(about(
                null,
                alert(SHARED, Alert.FIRING, NOW, "other.example", Map.of()),
                List.of("other.example", "mail.example")));
        filled.put(alert(FOREIGN, Alert.FIRING, NOW, "other.example", Map.of("team", "web")));
    }

    /// Of the console as it is started.
    private List<Endpoint> endpoints() {
        ConsoleService console = new ConsoleService(
                new Surroundings(settings, () -> settings, new SimpleMeterRegistry(), new Health(), clock));
        try {
            return console.endpoints();
        } finally {
            console.close();
        }
    }

    /// As [Alert#naming], about another domain.
    private static Alert about(@Nullable String domain, Alert alert, List<String> affected) {
        JsonNode json = Json.MAPPER.valueToTree(alert.naming(affected));
        var object = (tools.jackson.databind.node.ObjectNode) json;
        if (domain == null) {
            object.remove("policy-domain");
        }
        return Json.MAPPER.treeToValue(object, Alert.class);
    }

    @AfterEach
    void stop() {
        client.close();
        listener.close();
        filled.close();
    }

    @Test
    void everyEndpointOfTheConsoleIsAboutAVisibleDomainOrRefusesOrHasItsCaseHere() {
        Map<Reach, Set<String>> byReach = endpoints().stream()
                .filter(endpoint -> endpoint.path().startsWith("/api/"))
                .collect(Collectors.groupingBy(
                        Endpoint::reach,
                        Collectors.mapping(endpoint -> endpoint.method() + " " + endpoint.path(), Collectors.toSet())));

        assertThat(byReach.get(Reach.EACH)).isSubsetOf(FILTERED);
        assertThat(byReach.get(Reach.ANYBODY))
                .containsExactlyInAnyOrder("POST /api/v1/session", "DELETE /api/v1/session");
        assertThat(byReach.get(Reach.DOMAIN)).allMatch(path -> path.contains("/domains/{domain}"));
        assertThat(byReach.get(Reach.ALL)).contains("GET /api/v1/reporters", "GET /api/v1/rejected");
    }

    @Test
    void noEndpointTellsALimitedCallerOfTheDomainsOfOthers() throws Exception {
        for (Endpoint endpoint : endpoints()) {
            if (!endpoint.path().startsWith("/api/") || endpoint.path().equals("/api/v1/stream")) {
                continue;
            }
            String name = endpoint.method() + " " + endpoint.path();
            for (String id : List.of(FOREIGN, SHARED)) {
                String path = endpoint.path()
                        .replace("{domain}", "Other.Example.")
                        .replace("{id}", id)
                        .replace("{+submitter}", "google.com");
                String query = (path.endsWith("/reports") && !path.contains("/domains/")) || path.endsWith("/raw")
                        ? "?key=key-both"
                        : "";
                HttpResponse<String> answer = send("mailer", endpoint.method(), path + query, "{}");
                assertThat(answer.body()).as(name).doesNotContainIgnoringCase("other.example", "nobody.example");
                switch (endpoint.reach()) {
                    case ALL -> assertThat(answer.statusCode()).as(name).isEqualTo(403);
                    case DOMAIN -> assertThat(answer.statusCode()).as(name).isEqualTo(404);
                    case EACH, ANYBODY ->
                        assertThat(answer.statusCode()).as(name).isLessThan(500);
                }
                if (endpoint.parameters() != null && endpoint.parameters().contains("domain")) {
                    assertThat(send("mailer", endpoint.method(), path + "?domain=other.example", "{}")
                                    .statusCode())
                            .as(name)
                            .isIn(403, 404);
                }
            }
        }
        assertThat(producer.history()).isEmpty();
    }

    @Test
    void ofTheDomainsThoseWithTheLabelsAreListedAndAnswered() throws Exception {
        assertThat(names(json("mailer", "/api/v1/domains"), "domain")).containsExactly("a.sub.example", "mail.example");
        assertThat(names(json("root", "/api/v1/domains"), "domain")).hasSize(4);
        for (String domain : List.of("mail.example", "a.sub.example")) {
            assertThat(json("mailer", "/api/v1/domains/" + domain + "/aggregates")
                            .path("rows")
                            .size())
                    .isEqualTo(1);
        }
        for (String hidden : List.of("other.example", "nobody.example", "sub.example", "no-such.example")) {
            assertThat(send("mailer", "GET", "/api/v1/domains/" + hidden + "/aggregates", null)
                            .statusCode())
                    .as(hidden)
                    .isEqualTo(404);
        }
    }

    @Test
    void aReportIsShownWhenEveryDomainThatItNamesIs() throws Exception {
        assertThat(send("mailer", "GET", "/api/v1/reports?key=key-mail.example", null)
                        .statusCode())
                .isEqualTo(200);
        for (String hidden : List.of("key-other.example", "key-both", "key-nobody.example", "key-of-none")) {
            assertThat(send("mailer", "GET", "/api/v1/reports?key=" + hidden, null)
                            .statusCode())
                    .isEqualTo(404);
            assertThat(send("mailer", "GET", "/api/v1/reports/raw?key=" + hidden, null)
                            .statusCode())
                    .isEqualTo(404);
        }
        assertThat(names(json("mailer", "/api/v1/domains/mail.example/reports"), "report-key"))
                .containsExactly("key-mail.example");
        assertThat(names(json("root", "/api/v1/domains/mail.example/reports"), "report-key"))
                .hasSize(2);
    }

    @Test
    void anAlertOfAnMxThatOthersShareNamesNobodyElseAndIsNotTheirsToActOn() throws Exception {
        JsonNode rows = json("mailer", "/api/v1/alerts").path("rows");
        assertThat(rows.valueStream().map(row -> row.path("alert-id").stringValue()))
                .containsExactlyInAnyOrder(OURS, SHARED);
        JsonNode shared = json("mailer", "/api/v1/alerts/" + SHARED).path("alert");
        assertThat(shared.at("/evidence/affected-domains").toString()).isEqualTo("[\"mail.example\"]");
        assertThat(shared.at("/evidence/affected-domain-count").intValue()).isEqualTo(1);
        assertThat(json("root", "/api/v1/alerts").path("rows").size()).isEqualTo(3);

        assertThat(act("mailer", SHARED).statusCode()).isEqualTo(403);
        assertThat(act("mailer", FOREIGN).statusCode()).isEqualTo(404);
        assertThat(act("mailer", OURS).statusCode()).isEqualTo(202);
        assertThat(ACTION.read(producer.history().getFirst().value()).by()).isEqualTo("mailer");
        assertThat(act("wall", OURS).statusCode()).isEqualTo(403);
        assertThat(act("root", SHARED).statusCode()).isEqualTo(202);
    }

    private HttpResponse<String> act(String token, String id) throws Exception {
        return send(token, "POST", "/api/v1/alerts/" + id + "/acknowledge", "{\"by\":\"somebody else\"}");
    }

    @Test
    void aSilenceHasTheLabelsOfWhoMakesItAndOthersAreNotShown() throws Exception {
        put("web", Map.of("team", "web"));
        put("all", null);
        put("mail", Map.of("team", "mail", "site", "one"));

        assertThat(names(json("mailer", "/api/v1/silences"), "silence-id")).containsExactly("mail");
        assertThat(names(json("root", "/api/v1/silences"), "silence-id")).hasSize(3);
        assertThat(send("mailer", "DELETE", "/api/v1/silences/web", null).statusCode())
                .isEqualTo(404);
        assertThat(producer.history()).isEmpty();

        HttpResponse<String> made = send(
                "mailer", "POST", "/api/v1/silences", "{\"match\":{},\"duration\":\"1h\",\"comment\":\"maintenance\"}");
        assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
        Silence silence = SILENCE.read(producer.history().getFirst().value());
        assertThat(silence.match().labels()).isEqualTo(Map.of("team", "mail"));
        assertThat(silence.by()).isEqualTo("mailer");
        assertThat(Json.MAPPER.readTree(made.body()).path("match-count").intValue())
                .isEqualTo(1);

        assertThat(send(
                                "mailer",
                                "POST",
                                "/api/v1/silences",
                                "{\"match\":{\"labels\":{\"team\":\"web\"}},\"duration\":\"1h\",\"comment\":\"x\"}")
                        .body())
                .contains("limited to");
    }

    private void put(String id, @Nullable Map<String, String> labels) {
        AlertMatch match = new AlertMatch(
                null, labels == null ? List.of("mail.example") : null, null, null, labels, null, null, null);
        filled.pipe(
                TOPICS.silences(),
                id.getBytes(StandardCharsets.UTF_8),
                SILENCE.write(new Silence(id, match, NOW, NOW.plus(Duration.ofHours(1)), "x", "y", NOW)));
    }

    @Test
    void whatIsFollowedIsWhatIsVisible() {
        Access access = new Access(() -> settings, ANY_PORT, meters);
        Visible visible = new Visible((io.tlsrpt.runtime.Caller) access.byToken("mailer"), access);
        JsonNode record = Json.MAPPER.createObjectNode();

        for (LiveTopic topic : List.of(LiveTopic.EVENTS, LiveTopic.AGGREGATES, LiveTopic.VERDICTS)) {
            assertThat(visible.record(topic, Set.of("mail.example"), record)).isPresent();
            assertThat(visible.record(topic, Set.of("mail.example", "other.example"), record))
                    .isEmpty();
            assertThat(visible.record(topic, Set.of(), record)).isEmpty();
        }
        JsonNode foreign = Json.MAPPER.valueToTree(alert(FOREIGN, Alert.FIRING, NOW, "other.example", Map.of()));
        assertThat(visible.record(LiveTopic.ALERTS, Set.of(), foreign)).isEmpty();
        JsonNode shared = Json.MAPPER.valueToTree(about(
                null, alert(SHARED, Alert.FIRING, NOW, "x", Map.of()), List.of("other.example", "a.sub.example")));
        assertThat(visible.record(LiveTopic.ALERTS, Set.of(), shared)
                        .orElseThrow()
                        .toString())
                .contains("a.sub.example")
                .doesNotContain("other.example");
    }

    @Test
    void aSessionIsACookieThatOnlyOurPagesSendAndNoScriptReads() throws Exception {
        assertThat(send(null, "GET", "/api/v1/session", null).statusCode()).isEqualTo(401);
        HttpResponse<String> wrong = send(null, "POST", "/api/v1/session", "{\"token\":\"guess\"}");
        assertThat(wrong.statusCode()).isEqualTo(401);
        assertThat(wrong.headers().firstValue("Set-Cookie")).isEmpty();
        assertThat(wrong.headers().firstValue("WWW-Authenticate")).contains("Bearer realm=\"tlsrpt\"");

        HttpResponse<String> signedIn = send(null, "POST", "/api/v1/session", "{\"token\":\"mailer\"}");
        assertThat(signedIn.statusCode()).isEqualTo(200);
        assertThat(signedIn.body())
                .isEqualTo("{\"name\":\"mailer\",\"role\":\"operate\",\"labels\":{\"team\":\"mail\"},"
                        + "\"authentication\":\"token\",\"instance\":\"here\"}");
        String cookie = signedIn.headers().firstValue("Set-Cookie").orElseThrow();
        assertThat(cookie).isEqualTo("tlsrpt-token=mailer; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict");
        assertThat(json("mailer", "/api/v1/session").path("name").stringValue()).isEqualTo("mailer");

        HttpResponse<String> withCookie = client.send(
                request("/api/v1/session")
                        .header("Cookie", cookie.substring(0, cookie.indexOf(';')))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(withCookie.body()).isEqualTo(signedIn.body());

        HttpResponse<String> out = send(null, "DELETE", "/api/v1/session", null);
        assertThat(out.statusCode()).isEqualTo(204);
        assertThat(out.headers().firstValue("Set-Cookie").orElseThrow()).startsWith("tlsrpt-token=; Path=/; Max-Age=0");
    }

    @Test
    void theCookieIsSecureWhereTheBrowserSpeaksTlsWithTheProxyAndNoOtherSiteSignsAnybodyIn() throws Exception {
        HttpResponse<String> ours =
                signIn("Origin", "https://127.0.0.1:" + listener.address().port());
        assertThat(ours.headers().firstValue("Set-Cookie").orElseThrow()).endsWith("; Secure");

        assertThat(signIn("Origin", "https://evil.example").statusCode()).isEqualTo(403);
        assertThat(signIn("Sec-Fetch-Site", "cross-site").statusCode()).isEqualTo(403);
        HttpResponse<String> form = client.send(
                request("/api/v1/session")
                        .header("Content-Type", "text/plain")
                        .POST(HttpRequest.BodyPublishers.ofString("{\"token\":\"mailer\"}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(form.statusCode()).isEqualTo(415);
    }

    private HttpResponse<String> signIn(String header, String value) throws Exception {
        return client.send(
                request("/api/v1/session")
                        .header("Content-Type", "application/json")
                        .header(header, value)
                        .POST(HttpRequest.BodyPublishers.ofString("{\"token\":\"mailer\"}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void everyAnswerThatRefusesBecauseOfWhoAsksIsCountedOnce() throws Exception {
        for (String token : List.of("mailer", "wall", "nobody")) {
            for (String path : List.of("/api/v1/domains", "/api/v1/reporters", "/api/v1/alerts/" + SHARED)) {
                send(token, "GET", path, null);
            }
            send(token, "POST", "/api/v1/alerts/" + SHARED + "/note", "{\"text\":\"x\"}");
            send(token, "POST", "/api/v1/session", "{\"token\":\"" + token + "\"}");
        }

        assertThat(refused).isPositive();
        assertThat(meters.find("tlsrpt.api.refused").counters().stream()
                        .mapToDouble(Counter::count)
                        .sum())
                .isEqualTo(refused);
    }

    private JsonNode json(String token, String path) throws Exception {
        HttpResponse<String> answer = send(token, "GET", path, null);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return Json.MAPPER.readTree(answer.body());
    }

    private static List<String> names(JsonNode page, String member) {
        return page.path("rows")
                .valueStream()
                .map(row -> row.path(member).stringValue())
                .toList();
    }

    private HttpResponse<String> send(@Nullable String token, String method, String path, @Nullable String body)
            throws Exception {
        HttpRequest.Builder request = request(path);
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        if (method.equals("POST")) {
            request.header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(body == null ? "{}" : body));
        } else {
            request.method(method, HttpRequest.BodyPublishers.noBody());
        }
        HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (Set.of(401, 403, 421).contains(answer.statusCode())) {
            refused++;
        }
        return answer;
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + listener.address().port() + path));
    }

    private static String sha256(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static Cluster partitioned() {
        Node node = new Node(0, "127.0.0.1", 1);
        return new Cluster(
                "test",
                List.of(node),
                Stream.of(TOPICS.alertActions(), TOPICS.silences())
                        .map(topic -> new PartitionInfo(topic.name(), 0, node, new Node[0], new Node[0]))
                        .toList(),
                Set.of(),
                Set.of());
    }
}

package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.runtime.Caller;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// What people do about alerts, against a server that answers what a test says.
class PeopleCommandsTest {

    private static final String ID = "0f3c".repeat(16);
    private static final String FOUND = """
            {"complete":true,"rows":[{"alert-id":"%1$s","incident-id":"%1$s-2","state":"firing","severity":"critical",
            "updated-at":"2026-11-21T10:00:00Z","summary":"expired\\u001b[2J certificate"}]}""".formatted(ID);

    private final Map<String, String> answers = new TreeMap<>();
    private final List<String> asked = new ArrayList<>();
    private final List<JsonNode> bodies = new ArrayList<>();
    private final List<String> shown = new ArrayList<>();
    private final Captured cli = new Captured(false);
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String target = exchange.getRequestMethod() + " " + exchange.getRequestURI();
            asked.add(target);
            shown.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            byte[] sent = exchange.getRequestBody().readAllBytes();
            boolean json =
                    "application/json".equals(exchange.getRequestHeaders().getFirst("Content-Type"));
            if (sent.length > 0 && json) {
                bodies.add(Json.MAPPER.readTree(sent));
            }
            String answer = answers.get(target);
            byte[] body = (answer == null ? "{\"detail\":\"no\\u001b[1m\"}" : answer).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer == null ? 409 : 202, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        answers.put("GET /api/v1/alerts?id=0f3c0f", FOUND);
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void anAlertIsActedOnByTheBeginningOfItsIdAndOnlyInTheIncidentThatWasSeen() {
        for (String path : List.of("acknowledge", "resolve", "note", "false-alarm")) {
            answers.put("POST /api/v1/alerts/" + ID + "/" + path, "{\"action-id\":\"a\",\"incident-id\":\"i\"}");
        }

        assertThat(cli.run(url(), "alerts", "ack", "0f3c0f", "--by", "alice")).isZero();
        assertThat(cli.run(url(), "alerts", "resolve", "0f3c0f")).isZero();
        assertThat(cli.run(url(), "alerts", "note", "0f3c0f", "--text", "renewing"))
                .isZero();
        assertThat(cli.run(url(), "alerts", "false-alarm", "0f3c0f", "--json")).isZero();

        assertThat(bodies.getFirst().toString()).isEqualTo("{\"incident-id\":\"" + ID + "-2\",\"by\":\"alice\"}");
        assertThat(bodies.get(1).path("by").asString("")).isEqualTo(System.getProperty("user.name"));
        assertThat(bodies.get(2).path("text").asString("")).isEqualTo("renewing");
        assertThat(cli.lines())
                .containsExactly(
                        "0f3c0f3c0f3c  acknowledged  expired\\u001b[2J certificate",
                        "0f3c0f3c0f3c  resolved  expired\\u001b[2J certificate",
                        "0f3c0f3c0f3c  noted  expired\\u001b[2J certificate",
                        "{\"action-id\":\"a\",\"incident-id\":\"i\"}");
    }

    @Test
    void aBeginningOfNoneOrSeveralIsToldAndAWordThatIsNoIdIsWrongUsage() {
        answers.put("GET /api/v1/alerts?id=aaaaaa", "{\"complete\":true,\"rows\":[]}");
        answers.put(
                "GET /api/v1/alerts?id=bbbbbb",
                "{\"complete\":true,\"rows\":[{\"alert-id\":\"bbbbbb1\"},{\"alert-id\":\"bbbbbb2\"}]}");

        assertThat(cli.run(url(), "alerts", "ack", "aaaaaa")).isEqualTo(1);
        assertThat(cli.run(url(), "alerts", "ack", "bbbbbb")).isEqualTo(1);
        assertThat(cli.err())
                .contains("no alert begins with aaaaaa")
                .contains("bbbbbb1")
                .contains("bbbbbb2");
        for (String wrong : List.of("0f3c0", "xyzxyz", "../../x")) {
            assertThat(cli.run(url(), "alerts", "ack", wrong)).isEqualTo(2);
            assertThat(cli.run(url(), "alerts", "show", wrong)).isEqualTo(2);
        }
        assertThat(cli.run(url(), "alerts", "note", "0f3c0f")).isEqualTo(2);
        assertThat(asked).noneMatch(each -> each.startsWith("POST"));
    }

    @Test
    void aRefusalIsToldCleaned() {
        assertThat(cli.run(url(), "alerts", "resolve", "0f3c0f")).isEqualTo(1);

        assertThat(cli.err()).isEqualTo(url() + " says 409: no\\u001b[1m\n");
    }

    @Test
    void anAlertIsShownWithAllThatIsKnown() {
        answers.put("GET /api/v1/alerts/" + ID, """
                {"alert":{"alert-id":"%1$s","incident-id":"%1$s-2","rule":"certificate","state":"firing",
                "severity":"critical","opened-at":"2026-11-21T10:00:00Z","summary":"expired","labels":{"team":"m\\u202eail"},
                "acknowledged":{"by":"alice","at":"2026-11-21T10:05:00Z"},
                "notes":[{"by":"bob","at":"2026-11-21T10:06:00Z","text":"calling\\u001b[2J"}],
                "evidence":{"window":"2026-11-20","branch":"B","failed-session-count":5,"session-count":1055,
                "baseline-failed":0,"baseline-sessions":1500,"probability":2.8E-9,"submitters":["google.com"],
                "live":{"inspected-at":"2026-11-21T10:00:09Z","summary":"still expired"}},
                "help":{"meaning":"It is out of date.","fix":"Renew it.","verify":"openssl x"}},
                "notifications":[{"receiver":"ops","state":"firing","result":"delivered","at":"2026-11-21T10:01:00Z",
                "detail":"204"}]}""".formatted(ID));
        answers.put(
                "GET /api/v1/alerts/" + ID + "/history?from=2026-11-21",
                "{\"complete\":true,\"rows\":[{\"transition\":1,\"state\":\"firing\",\"severity\":\"warning\","
                        + "\"updated-at\":\"2026-11-21T10:00:00Z\"}]}");

        assertThat(cli.run(url(), "alerts", "show", "0f3c0f")).isZero();

        assertThat(cli.lines())
                .contains(
                        "expired",
                        "alert           " + ID,
                        "state           firing critical [alice], opened 2026-11-21T10:00:00Z",
                        "labels          team=m\\u202eail",
                        "sessions        5 failed of 1,055 on 2026-11-20 (B)",
                        "submitters      google.com",
                        "seen live       2026-11-21T10:00:09Z  still expired",
                        "acknowledged    2026-11-21T10:05:00Z  alice",
                        "note            2026-11-21T10:06:00Z  bob: calling\\u001b[2J",
                        "fix             Renew it.",
                        "verify          openssl x",
                        "told            2026-11-21T10:01:00Z  ops  firing  delivered  204",
                        "history         2026-11-21T10:00:00Z  #1  firing warning");

        Captured json = new Captured(false);
        assertThat(json.run(url(), "alerts", "show", ID.substring(0, 6), "--json"))
                .isZero();
        JsonNode all = Json.MAPPER.readTree(json.out());
        assertThat(all.propertyNames()).containsExactly("alert", "notifications", "history");
        assertThat(json.out()).isASCII();
    }

    @Test
    void anExplanationHasALineForEachConditionInWordsWhereNobodyLooksOn() {
        answers.put("GET /api/v1/explain?day=2026-11-20&domain=example.com&mx=mx1.example.com", """
                {"domain":"example.com","day":"2026-11-20","cells":29,"domains":1,"notes":["late\\u001b[2J"],"mxs":[
                {"mx":"mx1.example.com","results":[{"rule":"certificate","result-type":"certificate-expired","notes":["n"],
                "windows":[{"policy-type":"sts","days":1,"trusted":true,"failed":4,"sessions":40,"baseline-failed":0,
                "baseline-sessions":1400,"checks":[{"name":"B","text":"k = 4 ≥ 5","held":false},
                {"name":"B","text":"W = 3 % ≥ 2 %","held":true}]}]}]}]}""");

        assertThat(cli.run(url(), "alerts", "explain", "example.com", "mx1.example.com", "2026-11-20"))
                .isZero();
        assertThat(cli.lines())
                .containsExactly(
                        "example.com on 2026-11-20: 29 aggregates of 1 domains looked at",
                        "note: late\\u001b[2J",
                        "",
                        "certificate-expired at mx1.example.com (rule certificate): no alert",
                        "  note: n",
                        "  the day, sts, trusted reports: 4 of 40 sessions, usually 0 of 1,400: recorded",
                        "    no   B: k = 4 ≥ 5",
                        "    yes  B: W = 3 % ≥ 2 %");

        Captured person = new Captured(true);
        assertThat(person.run(url(), "alerts", "explain", "example.com", "2026-11-20", "mx1.example.com"))
                .isZero();
        assertThat(person.out()).contains("    ✗  B: k = 4 ≥ 5").contains("    ✓  B: W = 3 % ≥ 2 %");
        assertThat(cli.run(url(), "alerts", "explain")).isEqualTo(2);
    }

    @Test
    void aBacktestSendsWhatIsChangedAndListsWhatWouldBeAddedAndGone() {
        answers.put("POST /api/v1/backtest", """
                {"days":7,"cells":29,"domains":1,"present":{"incidents":0,"by-severity":{}},
                "changed":{"incidents":2,"by-severity":{"warning":2}},"added-count":2,"gone-count":0,"gone":[],
                "added":[{"day":"2026-11-20","severity":"warning","rule":"certificate","summary":"expired"}]}""");

        assertThat(cli.run(
                        url(),
                        "alerts",
                        "backtest",
                        "--days",
                        "7",
                        "--sensitivity",
                        "eager",
                        "--min-sessions",
                        "3",
                        "--rule-off",
                        "dane",
                        "--rule-off",
                        "tlsa"))
                .isZero();

        assertThat(bodies.getFirst().toString())
                .isEqualTo("{\"days\":7,\"rules\":{\"sensitivity\":\"eager\",\"min-sessions\":3,\"dane\":false,"
                        + "\"tlsa\":false}}");
        assertThat(cli.lines())
                .containsExactly(
                        "7 days, 29 aggregates of 1 domains",
                        "present         0 incidents",
                        "changed         2 incidents: 2 warning",
                        "added 2",
                        "  2026-11-20  warning  certificate  expired",
                        "  … and 1 more",
                        "gone 0");
        assertThat(cli.run(url(), "alerts", "backtest", "--sensitivity", "loud"))
                .isEqualTo(2);
    }

    @Test
    void aSilenceShowsWhatItMutesBeforeItIsMade() {
        answers.put(
                "POST /api/v1/silences?preview=true", "{\"match-count\":1,\"matches\":[{\"summary\":\"expired\"}]}");
        answers.put(
                "POST /api/v1/silences",
                "{\"silence\":{\"silence-id\":\"s1\",\"state\":\"active\",\"ends-at\":\"2026-11-21T12:00:00Z\"}}");

        assertThat(cli.run(
                        url(),
                        "silence",
                        "add",
                        "--alert",
                        "0f3c0f",
                        "--domain",
                        "a.example",
                        "--domain",
                        "*.b.example",
                        "--mx",
                        "mx1.a.example",
                        "--rule",
                        "certificate",
                        "--severity",
                        "warning",
                        "--class",
                        "certificate",
                        "--submitter",
                        "google.com",
                        "--label",
                        "team=mail",
                        "--for",
                        "2h",
                        "--comment",
                        "renewal",
                        "--by",
                        "alice"))
                .isZero();

        assertThat(bodies).hasSize(2);
        assertThat(bodies.getFirst()).isEqualTo(bodies.getLast());
        assertThat(bodies.getFirst()).isEqualTo(Json.MAPPER.readTree("""
                {"match":{"alert-ids":["%s"],"domains":["a.example","*.b.example"],
                "receiving-mx-hostnames":["mx1.a.example"],"submitters":["google.com"],"rules":["certificate"],
                "severities":["warning"],"classes":["certificate"],"labels":{"team":"mail"}},
                "duration":"2h","by":"alice","comment":"renewal"}""".formatted(ID)));
        assertThat(cli.lines().getFirst()).isEqualTo("it matches 1 that fire now:");
        assertThat(cli.lines().getLast()).isEqualTo("s1  active  until 2026-11-21T12:00:00Z");
    }

    @Test
    void aPersonIsAskedAndOnlyYesMakesIt() {
        answers.put("POST /api/v1/silences?preview=true", "{\"match-count\":0,\"matches\":[]}");
        answers.put("POST /api/v1/silences", "{\"silence\":{\"silence-id\":\"s1\"}}");
        String[] command = {"silence", "add", "--rule", "dane", "--for", "2h", "--comment", "x"};

        for (String no : List.of("", "\n", "n\n", "yess\n")) {
            assertThat(new Captured(true, no).run(url(), command)).as(no).isEqualTo(1);
        }
        assertThat(asked).doesNotContain("POST /api/v1/silences");
        assertThat(new Captured(true, "Yes\n").run(url(), command)).isZero();
        assertThat(asked).contains("POST /api/v1/silences");
    }

    @Test
    void whatIsSilencedAndHowLongMustBeSaid() {
        assertThat(cli.run(url(), "silence", "add", "--for", "2h", "--comment", "x"))
                .isEqualTo(2);
        assertThat(cli.run(url(), "silence", "add", "--rule", "dane", "--comment", "x"))
                .isEqualTo(2);
        assertThat(cli.run(
                        url(),
                        "silence",
                        "add",
                        "--rule",
                        "dane",
                        "--for",
                        "2h",
                        "--until",
                        "2026-11-22T00:00:00Z",
                        "--comment",
                        "x"))
                .isEqualTo(2);
        assertThat(cli.run(url(), "silence", "add", "--rule", "dane", "--for", "2h"))
                .isEqualTo(2);
        assertThat(asked).isEmpty();
    }

    @Test
    void silencesAreListedAndRemovedByTheBeginningOfTheirId() {
        answers.put("GET /api/v1/silences", """
                {"complete":true,"rows":[{"silence-id":"s1-x","state":"active","by":"alice","comment":"a\\u202eb",
                "match":{"domains":["a.example"],"labels":{"team":"mail"}}},{"silence-id":"s2-y"},{"silence-id":"s2-z"}]}""");
        answers.put("DELETE /api/v1/silences/s1-x", "{\"silence-id\":\"s1-x\"}");

        assertThat(cli.run(url(), "silence", "list")).isZero();
        assertThat(cli.lines().get(1))
                .startsWith("s1-x  active")
                .contains("domains a.example; labels team=mail")
                .endsWith("a\\u202eb");
        assertThat(cli.run(url(), "silence", "remove", "s2", "s3", "s1")).isEqualTo(1);
        assertThat(cli.lines().getLast()).isEqualTo("s1-x  removed");
        assertThat(cli.err()).isEqualTo("s2: 2 silences begin so\ns3: no such silence\n");
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Test
    void theTokenOfAFileIsShownWithEveryRequestAndStandsNowhereElse(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("token"), "tlsrpt_secret\n");
        answers.put("POST /api/v1/alerts/" + ID + "/acknowledge", "{\"action-id\":\"a\",\"incident-id\":\"i\"}");

        assertThat(cli.run(url(), "alerts", "ack", "0f3c0f", "--token-file", file.toString()))
                .isZero();

        assertThat(shown).hasSize(2).containsOnly("Bearer tlsrpt_secret");
        assertThat(cli.out() + cli.err() + asked + bodies).doesNotContain("tlsrpt_secret");
    }

    @Test
    void whatIsNoTokenIsNotSent(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("token"), "two\nlines\n");

        assertThat(cli.run(url(), "alerts", "list", "--token-file", file.toString()))
                .isEqualTo(1);
        assertThat(cli.err()).contains("holds no token").doesNotContain("lines\n\n");
        assertThat(cli.run(
                        url(),
                        "alerts",
                        "list",
                        "--token-file",
                        directory.resolve("absent").toString()))
                .isEqualTo(1);
        assertThat(asked).isEmpty();
    }

    @Test
    void whereATokenIsWantedTheWayToOneIsTold() {
        server.removeContext("/");
        server.createContext("/", exchange -> {
            byte[] body = "{\"detail\":\"show a token\"}".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(401, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });

        assertThat(cli.run(url(), "alerts", "list")).isEqualTo(1);
        assertThat(cli.err()).contains("says 401: show a token", "--token-file", "TLSRPT_TOKEN");
    }

    @Test
    void aNewTokenIsRandomAndItsEntryIsGoodForTheConfiguration() throws Exception {
        assertThat(cli.run(url(), "token", "customer a", "--label", "team=mail", "--role", "operate"))
                .isZero();
        String token = cli.lines().getFirst();
        assertThat(token).matches("tlsrpt_[A-Za-z0-9_-]{43}");
        Settings.Api.Bearer entry = SettingsFile.parse("printed", cli.out().substring(token.length()), name -> null)
                .api()
                .tokens()
                .getFirst();
        assertThat(entry.name()).isEqualTo("customer a");
        assertThat(entry.role()).isEqualTo(Caller.Role.OPERATE);
        assertThat(entry.labels()).isEqualTo(Map.of("team", "mail"));
        assertThat(entry.sha256().reveal())
                .isEqualTo(HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256")
                                .digest(token.getBytes(StandardCharsets.US_ASCII))));

        Captured again = new Captured(false);
        assertThat(again.run(url(), "token", "other", "--json")).isZero();
        JsonNode other = Json.MAPPER.readTree(again.out());
        assertThat(other.path("token").stringValue()).isNotEqualTo(token);
        assertThat(other.path("role").stringValue()).isEqualTo("read");
        assertThat(new Captured(false).run(url(), "token", "a\tb")).isEqualTo(2);
        assertThat(asked).isEmpty();
    }
}

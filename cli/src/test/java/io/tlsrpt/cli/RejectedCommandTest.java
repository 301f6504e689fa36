package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class RejectedCommandTest {

    private static final String PATH = "/api/v1/rejected";

    private final Map<String, byte[]> answers = new LinkedHashMap<>();
    private final List<String> imports = new ArrayList<>();
    private final List<String> bodies = new ArrayList<>();
    private final Deque<String> verdicts = new ArrayDeque<>();
    private final Captured cli = new Captured(false);
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            if (exchange.getRequestMethod().equals("POST")) {
                imports.add(exchange.getRequestURI().getQuery());
                bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
                answer(exchange, 200, verdicts.remove().getBytes(StandardCharsets.UTF_8));
            } else {
                byte[] answer = answers.get(exchange.getRequestURI().toString());
                answer(exchange, answer == null ? 404 : 200, answer == null ? new byte[] {'{', '}'} : answer);
            }
        });
        server.start();
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void aReasonIsExplainedWithoutAServer() {
        assertThat(cli.run("http://127.0.0.1:1", "rejected", "explain", "foreign-domain"))
                .isZero();

        assertThat(cli.lines().getFirst()).isEqualTo("foreign-domain");
        assertThat(cli.out())
                .contains("meaning         It is about domains that are not ours")
                .contains("usually         our settings")
                .contains("`domains:`")
                .contains("retry           after that: ./tlsrpt rejected retry --reason foreign-domain");
        assertThat(cli.lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(100));
    }

    @Test
    void everyReasonCanBeExplainedToProgramsToo() {
        for (RefusalReason reason : RefusalReason.values()) {
            cli.run("http://127.0.0.1:1", "rejected", "explain", reason.word(), "--json");
        }
        assertThat(cli.lines()).hasSameSizeAs(RefusalReason.values()).allSatisfy(line -> {
            JsonNode help = Json.MAPPER.readTree(line);
            assertThat(help.propertyNames()).containsExactly("reason", "meaning", "usually", "fix", "retry");
        });
    }

    @Test
    void aRecordIsExplainedWithAllThatIsKnownAndNothingThatATerminalObeys() {
        record("2-1047", """
                "at":"2026-11-21T10:00:00Z","reason":"dkim-failed","source":"smtp","remote":"192.0.2.1\\u001b[2J",
                "received-at":"2026-11-21T09:59:59Z","submitter":"google.com\\u202e","message-id":"<1@x>",
                "authentication":"none","size":1234,"retry":"after-fix",
                "preview":"From: x\\r\\n\\u001b]0;owned\\u0007",
                "detail":"body-hash (d=google.com s=20230601): the body\\u2028was changed\"""");

        assertThat(cli.run(url(), "rejected", "explain", "2-1047")).isZero();

        assertThat(cli.lines().getFirst()).isEqualTo("2-1047  dkim-failed");
        assertThat(cli.out())
                .contains("came            by smtp from 192.0.2.1\\u001b[2J at 2026-11-21T09:59:59Z")
                .contains("submitter       google.com\\u202e")
                .contains("message-id      <1@x>")
                .contains("kept            1,234 bytes")
                .contains("begins          From: x\\u000d\\u000a\\u001b]0;owned\\u0007")
                .contains("detail          body-hash (d=google.com s=20230601): the body\\u2028was changed")
                .contains("what to do      When the body hash differs, a gateway adds a banner")
                .contains("retry           after that: ./tlsrpt rejected retry 2-1047\n")
                .doesNotContain("\u001b", "\u202e", "\u2028", "\u0007");

        cli.run(url(), "rejected", "explain", "2-1047", "--json");
        JsonNode json = Json.MAPPER.readTree(cli.lines().getLast());
        assertThat(json.path("rejected").path("id").asString()).isEqualTo("2-1047");
        assertThat(json.path("help").path("reason").asString()).isEqualTo("dkim-failed");
        assertThat(json.path("retry-command").asString()).isEqualTo("./tlsrpt rejected retry 2-1047");
    }

    @Test
    void whatCannotBeRetriedSaysWhy() {
        record("0-1", "\"reason\":\"foreign-domain\",\"retry\":\"never\",\"entry\":\"3\",\"size\":10");
        record("0-2", "\"reason\":\"too-large\",\"retry\":\"never\",\"cut\":true,\"size\":65536");
        record("0-3", "\"reason\":\"empty\",\"retry\":\"never\",\"size\":0");
        record("0-4", "\"reason\":\"conflicting-duplicate\",\"retry\":\"vouch\",\"size\":7");

        for (String id : List.of("0-1", "0-2", "0-3", "0-4")) {
            cli.run(url(), "rejected", "explain", id);
        }

        assertThat(cli.lines().stream().filter(line -> line.startsWith("retry ")))
                .containsExactly(
                        "retry           no: only this entry was kept; the others of its report were accepted",
                        "retry           no: only its first bytes were kept",
                        "retry           no: what was kept will never be a report",
                        "retry           only if you vouch for it: ./tlsrpt rejected retry 0-4 --vouch");
    }

    @Test
    void withoutAnArgumentTheReasonsAreCounted() {
        answers.put(
                PATH + "?limit=500",
                utf8(
                        "{\"complete\":true,\"rows\":[{\"reason\":\"not-json\",\"at\":\"b\"},{\"reason\":\"empty\","
                                + "\"at\":\"a\"},{\"reason\":\"not-json\",\"at\":\"a\"},{\"reason\":\"n\\u001bew\",\"at\":\"a\"}]}"));

        assertThat(cli.run(url(), "rejected", "explain")).isZero();

        assertThat(cli.lines()).hasSize(4);
        assertThat(cli.lines().get(1)).matches("2 +not-json +b +The document is no JSON.*");
        assertThat(cli.out())
                .contains("n\\u001bew")
                .contains("a reason that this release does not know")
                .doesNotContain("\u001b");
    }

    @Test
    void aRecordIsPostedAsItsChannelSentItAndTheVerdictsAreCounted() {
        record(
                "2-1047",
                "\"reason\":\"foreign-domain\",\"retry\":\"after-fix\",\"authentication\":\"none\","
                        + "\"received-at\":\"2026-11-21T09:59:59Z\",\"channel-domain\":\"example.com\"");
        record(
                "3-5",
                "\"reason\":\"foreign-domain\",\"retry\":\"after-fix\",\"authentication\":\"dkim\","
                        + "\"dkim-domain\":\"google.com\",\"received-at\":\"2026-11-21T09:59:59Z\"");
        record("3-6", "\"reason\":\"too-old\",\"retry\":\"after-fix\",\"authentication\":\"operator\"");
        verdicts.add("{\"name\":\"rejected-2-1047\",\"report-key\":\"k\\u001b\",\"verdict\":\"accepted\"}\n");
        verdicts.add("{\"name\":\"rejected-3-5\",\"report-key\":\"l\",\"verdict\":\"duplicate\"}\n");
        verdicts.add("{\"name\":\"rejected-3-6\",\"report-key\":\"m\",\"verdict\":\"replaced\"}\n");

        int code = cli.run(url(), "rejected", "retry", "2-1047", "3-5", "3-6");

        assertThat(imports)
                .containsExactly(
                        "authentication=channel&channel-domain=example.com&name=rejected-2-1047"
                                + "&received-at=2026-11-21T09:59:59Z",
                        "authentication=channel&dkim-domain=google.com&name=rejected-3-5&received-at=2026-11-21T09:59:59Z",
                        "authentication=operator&name=rejected-3-6");
        assertThat(bodies).containsExactly("bytes of 2-1047", "bytes of 3-5", "bytes of 3-6");
        assertThat(cli.lines())
                .containsExactly(
                        "accepted  2-1047  k\\u001b",
                        "duplicate  3-5  l",
                        "replaced  3-6  m",
                        "replaced 1 untrusted copies, counted as accepted",
                        "accepted 2, duplicate 1, conflict 0, rejected 0");
        assertThat(code).isZero();
    }

    @Test
    void vouchingIsSaidAndAnswersForEverythingThatItCan() {
        record("0-1", "\"reason\":\"conflicting-duplicate\",\"retry\":\"vouch\",\"authentication\":\"none\"");
        verdicts.add("{\"name\":\"x\",\"report-key\":\"k\",\"verdict\":\"replaced\"}\n");

        assertThat(cli.run(url(), "rejected", "retry", "0-1")).isEqualTo(1);
        assertThat(imports).isEmpty();
        assertThat(cli.lines().getFirst()).isEqualTo("not-retried  0-1  conflicting-duplicate: only with --vouch");

        assertThat(cli.run(url(), "rejected", "retry", "0-1", "--vouch", "--channel-domain", "example.org"))
                .isZero();
        assertThat(imports).containsExactly("authentication=operator&channel-domain=example.org&name=rejected-0-1");
        assertThat(cli.out()).contains("you vouch for them: what is accepted counts as imported by the operator\n");
    }

    @Test
    void whatIsRefusedAgainOrCannotBeJudgedEndsWithOne() {
        record("0-1", "\"reason\":\"not-json\",\"retry\":\"after-fix\"");
        record("0-2", "\"reason\":\"too-large\",\"retry\":\"never\",\"cut\":true");
        verdicts.add("{\"name\":\"x\",\"verdict\":\"rejected\",\"reason\":\"not-json\",\"detail\":\"at\\u0007 1\"}\n");

        assertThat(cli.run(url(), "rejected", "retry", "0-1")).isEqualTo(1);
        assertThat(cli.run(url(), "rejected", "retry", "0-2")).isEqualTo(1);
        assertThat(cli.run(url(), "rejected", "retry", "0-3", "--json")).isEqualTo(1);

        assertThat(cli.lines())
                .startsWith(
                        "rejected  0-1  not-json: at\\u0007 1",
                        "accepted 0, duplicate 0, conflict 0, rejected 1",
                        "not-retried  0-2  too-large: only its first bytes were kept",
                        "not retried 1",
                        "accepted 0, duplicate 0, conflict 0, rejected 0");
        JsonNode missing = Json.MAPPER.readTree(cli.lines().get(5));
        assertThat(missing.path("verdict").asString()).isEqualTo("not-retried");
        JsonNode counts = Json.MAPPER.readTree(cli.lines().get(6));
        assertThat(counts.path("not-retried").asInt()).isEqualTo(1);
        assertThat(counts.path("complete").asBoolean()).isTrue();
    }

    @Test
    void everythingOfAReasonSinceATimeIsRetriedOldestFirst() {
        Instant now = Clock.systemUTC().instant();
        List<String> rows = new ArrayList<>();
        for (int hours : List.of(1, 2, 30)) {
            rows.add("{\"id\":\"0-" + hours + "\",\"at\":\"" + now.minus(Duration.ofHours(hours)) + "\"}");
            record("0-" + hours, "\"reason\":\"not-json\",\"retry\":\"after-fix\"");
            verdicts.add("{\"name\":\"x\",\"verdict\":\"accepted\"}\n");
        }
        answers.put(PATH + "?reason=not-json", utf8("{\"complete\":true,\"rows\":[" + String.join(",", rows) + "]}"));

        assertThat(cli.run(url(), "rejected", "retry", "--reason", "not-json", "--since", "24h"))
                .isZero();
        assertThat(bodies).containsExactly("bytes of 0-2", "bytes of 0-1");

        assertThat(cli.run(url(), "rejected", "retry", "--reason", "not-json", "--limit", "1"))
                .isZero();
        assertThat(bodies).endsWith("bytes of 0-1").hasSize(3);
    }

    @Test
    void wrongUsageIsTwoAndAMissingRecordIsOne() {
        for (String[] wrong : new String[][] {
            {"rejected", "explain", "nonsense"},
            {"rejected", "retry"},
            {"rejected", "retry", "1-1", "--reason", "empty"},
            {"rejected", "retry", "1/1"},
            {"rejected", "retry", "--reason", "nonsense"},
            {"rejected", "retry", "--reason", "empty", "--since", "yesterday"}
        }) {
            assertThat(cli.run(url(), wrong)).as(String.join(" ", wrong)).isEqualTo(2);
        }
        assertThat(cli.run(url(), "rejected", "explain", "7-7")).isEqualTo(1);
        assertThat(cli.err()).contains("there is no rejected record 7-7");
        assertThat(imports).isEmpty();
    }

    private void record(String id, String members) {
        String place = "?offset=" + id.replaceFirst("(\\d+)-(\\d+)", "$2&partition=$1");
        answers.put(PATH + "/record" + place, utf8("{\"rejected\":{\"id\":\"" + id + "\"," + members + "}}"));
        answers.put(PATH + "/raw" + place, utf8("bytes of " + id));
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

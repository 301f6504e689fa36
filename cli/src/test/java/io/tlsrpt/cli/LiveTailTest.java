package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// `tail` and `alerts tail` over HTTP, against a server that ends its streams.
class LiveTailTest {

    /// Bells, colours, a title, a link (OSC 8), C1 forms of them, other directions, line ends.
    private static final String HOSTILE =
            "a\u001b[31m\u001b]0;t\u0007\u001b]8;;http://x\u001b\\l\u009b2J\u009d0;t\u009c"
                    + "\u202eb\u2066\u200fc\u0000\r\n\u2028\u2029\u0085\u007f\ufeffz";

    private final Queue<String> streams = new ArrayDeque<>();
    private final List<String> asked = new ArrayList<>();
    private final Captured cli = new Captured(false);
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        asked.add(exchange.getRequestURI() + " "
                + exchange.getRequestHeaders()
                        .getOrDefault("Last-Event-ID", List.of("-"))
                        .getFirst());
        String stream = streams.remove();
        if (stream.startsWith("5") || stream.startsWith("4")) {
            byte[] body = "{\"title\":\"no\",\"detail\":\"not\\u001b[1m\"}".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(Integer.parseInt(stream), body.length);
            exchange.getResponseBody().write(body);
        } else {
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(stream.getBytes(StandardCharsets.UTF_8));
        }
        exchange.close();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void anInterruptedStreamGoesOnAfterTheLastIdAndSaysSo() {
        streams.add(": verdicts\nretry: 3000\nid: i0\nevent: position\ndata: {}\n\n" + verdict("i1", "k1")
                + "id: i9\nevent: verdicts\ndata: {\"cut");
        streams.add("503");
        streams.add(": position 1 of partition 0 is not kept; going on at 5\nid: i2\n\n: beat\nid: i3\n\n");
        streams.add(verdict("i4", "k2"));

        assertThat(cli.run(
                        "http://127.0.0.1:1",
                        "tail",
                        "verdicts",
                        "--url",
                        url(),
                        "--max",
                        "2",
                        "--domain",
                        "a.example"))
                .isZero();

        assertThat(cli.lines()).containsExactly("accepted  k1", "accepted  k2");
        assertThat(asked)
                .containsExactly(
                        "/api/v1/stream?domain=a.example&topic=verdicts -",
                        "/api/v1/stream?domain=a.example&topic=verdicts i1",
                        "/api/v1/stream?domain=a.example&topic=verdicts i1",
                        "/api/v1/stream?domain=a.example&topic=verdicts i3");
        assertThat(cli.err().lines())
                .containsExactly(
                        "interrupted; asking " + url() + " again in 1 s, to go on where it stopped",
                        "interrupted; asking " + url() + " again in 2 s, to go on where it stopped",
                        "position 1 of partition 0 is not kept; going on at 5",
                        "interrupted; asking " + url() + " again in 1 s, to go on where it stopped");
        assertThat(cli.pauses).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(1));
    }

    @Test
    void whoMayNotOrCannotAtFirstIsTold() {
        streams.add("401");
        streams.add("503");
        assertThat(cli.run("http://127.0.0.1:1", "tail", "alerts", "--url", url()))
                .isEqualTo(1);
        assertThat(cli.run(url(), "alerts", "tail")).isEqualTo(1);
        assertThat(cli.err()).contains(url() + " says 401: not\\u001b[1m", url() + " says 503: ");
        assertThat(cli.run("http://127.0.0.1:1", "alerts", "tail")).isEqualTo(1);
        assertThat(cli.err()).contains("no tlsrpt answers at http://127.0.0.1:1");
    }

    @Test
    void whatOnlyTheBrokerHasIsWrongUsageWithTheApi() {
        assertThat(cli.run(url(), "tail", "rejected", "--url", url())).isEqualTo(2);
        assertThat(cli.run(url(), "tail", "events", "--url", url(), "--from-beginning"))
                .isEqualTo(2);
        assertThat(cli.run(url(), "tail", "events", "--domain", "a.example")).isEqualTo(2);
        assertThat(asked).isEmpty();
    }

    @Test
    void nothingInARecordReachesTheTerminalAsMoreThanText() {
        Map<String, Object> event = Map.of(
                "kind",
                "failure",
                "result-type",
                HOSTILE,
                "receiving-mx-hostname",
                HOSTILE,
                "policy-domain",
                HOSTILE,
                "policy-type",
                HOSTILE,
                "submitter",
                HOSTILE,
                "authentication",
                HOSTILE,
                "start-datetime",
                HOSTILE);
        Map<String, Object> cell = Map.of(
                "window",
                HOSTILE,
                "policy-domain",
                HOSTILE,
                "policy-type",
                HOSTILE,
                "submitter",
                HOSTILE,
                "authentication",
                HOSTILE,
                "failures",
                List.of(Map.of("result-type", HOSTILE)));
        Map<String, Object> alert = Map.of(
                "alert-id",
                HOSTILE,
                "state",
                HOSTILE,
                "severity",
                HOSTILE,
                "updated-at",
                HOSTILE,
                "summary",
                HOSTILE,
                "resolve-reason",
                HOSTILE,
                "acknowledged",
                Map.of("by", HOSTILE));
        Map<String, Object> verdict =
                Map.of("verdict", HOSTILE, "report-key", HOSTILE, "reason", HOSTILE, "detail", HOSTILE);
        Map<String, Map<String, Object>> records =
                Map.of("events", event, "aggregates", cell, "alerts", alert, "verdicts", verdict);
        records.forEach((topic, record) -> {
            for (String json : List.of("--json", "--no-json")) {
                streams.add(frame("i", topic, Json.MAPPER.writeValueAsString(record)));
                List<String> arguments = new ArrayList<>(List.of("tail", topic, "--url", url(), "--max", "1"));
                if (json.equals("--json")) {
                    arguments.add(json);
                }
                assertThat(cli.run("http://127.0.0.1:1", arguments.toArray(String[]::new)))
                        .isZero();
            }
        });
        streams.add(frame("i", "alerts", Json.MAPPER.writeValueAsString(alert)));
        assertThat(cli.run(url(), "alerts", "tail", "--max", "1")).isZero();

        assertThat(cli.out()).matches("[ -~\n]*").contains("a\\u001b[31m", "l\\u009b2J", "\\u202eb");
        assertThat(cli.lines()).hasSize(9);
    }

    @Test
    void nothingInAnAlertReachesTheTerminalAsMoreThanText() {
        Map<String, Object> alert = Map.ofEntries(
                Map.entry("alert-id", "0f3c0f3c0f3c0f3c"),
                Map.entry("incident-id", HOSTILE),
                Map.entry("rule", HOSTILE),
                Map.entry("result-type", HOSTILE),
                Map.entry("policy-domain", HOSTILE),
                Map.entry("receiving-mx-hostname", HOSTILE),
                Map.entry("submitter", HOSTILE),
                Map.entry("policy-type", HOSTILE),
                Map.entry("labels", Map.of(HOSTILE, HOSTILE)),
                Map.entry("state", HOSTILE),
                Map.entry("severity", HOSTILE),
                Map.entry("updated-at", HOSTILE),
                Map.entry("summary", HOSTILE),
                Map.entry("url", HOSTILE),
                Map.entry("acknowledged", Map.of("by", HOSTILE, "at", HOSTILE, "text", HOSTILE)),
                Map.entry("notes", List.of(Map.of("by", HOSTILE, "at", HOSTILE, "text", HOSTILE))),
                Map.entry("help", Map.of("meaning", HOSTILE, "fix", HOSTILE, "verify", HOSTILE)),
                Map.entry("runbook-url", HOSTILE),
                Map.entry(
                        "evidence",
                        Map.of(
                                "window",
                                HOSTILE,
                                "branch",
                                HOSTILE,
                                "probability",
                                HOSTILE,
                                "submitters",
                                List.of(HOSTILE),
                                "receiving-ips",
                                List.of(HOSTILE),
                                "failure-reason-codes",
                                List.of(HOSTILE),
                                "affected-domains",
                                List.of(HOSTILE),
                                "live",
                                Map.of("inspected-at", HOSTILE, "summary", HOSTILE))));
        Map<String, Object> told =
                Map.of("at", HOSTILE, "receiver", HOSTILE, "state", HOSTILE, "result", HOSTILE, "detail", HOSTILE);
        String rows = Json.MAPPER.writeValueAsString(Map.of("complete", true, "rows", List.of(alert)));
        server.removeContext("/");
        server.createContext("/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            byte[] body = (path.equals("/api/v1/alerts/0f3c0f3c0f3c0f3c")
                            ? Json.MAPPER.writeValueAsString(Map.of("alert", alert, "notifications", List.of(told)))
                            : rows)
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });

        assertThat(cli.run(url(), "alerts", "list")).isZero();
        assertThat(cli.run(url(), "alerts", "list", "--json")).isZero();
        assertThat(cli.run(url(), "alerts", "show", "0f3c0f3c")).isZero();
        assertThat(cli.run(url(), "alerts", "show", "0f3c0f3c", "--json")).isZero();

        // – is our own
        assertThat(cli.out()).matches("[ -~\n–]*").contains("a\\u001b[31m", "\\u202eb");
    }

    private static String verdict(String id, String key) {
        return frame(id, "verdicts", "{\"verdict\":\"accepted\",\"report-key\":\"" + key + "\"}");
    }

    private static String frame(String id, String topic, String json) {
        return "id: " + id + "\nevent: " + topic + "\ndata: " + json + "\n\n";
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }
}

package io.tlsrpt.deploy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The whole program as a process, and a real Prometheus that watches it by our rules: what rules and dashboards ask
/// for
/// is really there.
class MonitoringIT {

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    /// Metrics that a house where all is well does not have, and why.
    private static final Map<String, String> ABSENT = Map.of(
            "tlsrpt_discovery_standings_total", "appears with the first domain that is looked up, discovery is off",
            "tlsrpt_intake_over_quota_total", "appears once a sender is over its quota",
            "tlsrpt_mail_try_again_total", "appears with the first mail that cannot be kept");

    /// Values of labels that a house where all is well does not have, and why.
    private static final Map<String, String> VALUES = Map.of(
            "verdict=dns-failure", "appears when DNS fails",
            "outcome=failed tlsrpt_console_requests_total", "appears with the first answer 500",
            "alertstate=firing", "nothing fires at first",
            "severity=critical ALERTS", "nothing critical fires");

    /// Questions of dashboards that have no answer where all is well, by their beginning, and why.
    private static final Map<String, String> EMPTY = Map.of(
            "ALERTS{", "nothing fires",
            "sum by (source) (increase(tlsrpt_mail_try_again_total", "the broker was never away",
            "sum by (why) (increase(tlsrpt_api_refused_total", "nobody was refused");

    private static final Pattern SELECTOR =
            Pattern.compile("\\b((?:tlsrpt|kafka|jvm|process|disk|system)_[a-z0-9_]+|ALERTS)\\b(?:\\{([^}]*)})?");
    private static final Pattern MATCHER = Pattern.compile("(\\w+)(=~|!~|!=|=)\"([^\"]*)\"");

    @TempDir
    static Path directory;

    private static final List<AutoCloseable> open = new ArrayList<>();
    private static int intake;
    private static int smtp;
    private static int prometheus;

    @BeforeAll
    static void start() throws Exception {
        Program program = Program.named("prometheus");
        HttpServer outside = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        outside.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        outside.start();
        open.add(() -> outside.stop(0));
        intake = freePort();
        int admin = freePort();
        smtp = freePort();
        prometheus = freePort();
        String listens = "http://127.0.0.1:" + outside.getAddress().getPort();
        Path settings = Files.writeString(directory.resolve("tlsrpt.yaml"), """
                data: "%s/data"
                domains: [{name: example.com}]
                rua: ["mailto:tlsrpt@example.com"]
                kafka: {embedded-listen: "127.0.0.1:0"}
                intake: {listen: "127.0.0.1:%d"}
                api: {listen: "127.0.0.1:%d"}
                admin: {listen: "127.0.0.1:%d"}
                mail:
                  smtp:
                    listen: "127.0.0.1:%d"
                    tls: {key-store: "%s", key-store-password: changeit}
                  mailboxes: [{name: reports, host: 127.0.0.1, port: %d, user: reports, password: none}]
                alerting:
                  inspection: {enabled: false}
                  warning-wait: 0s
                  heartbeat: {url: "%s/heartbeat", every: 10s, allow-private-addresses: true}
                  canary: {url: "%s/canary", every: 1m, post-to: "http://127.0.0.1:%d/v1/tlsrpt", allow-private-addresses: true}
                  receivers: [{name: team, url: "%s/team", allow-private-addresses: true}]
                """.formatted(
                directory, intake, intake, admin, smtp, keyStore(), freePort(), listens, listens, intake, listens));
        Path built = Program.ROOT.resolve("standalone/target");
        started(
                "tlsrpt",
                List.of(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "-Xmx700m",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        built.resolve("classes") + ":" + built.resolve("lib") + "/*",
                        "io.tlsrpt.standalone.StandaloneMain",
                        "run",
                        "--config",
                        settings.toString()));
        Path watching = Files.writeString(
                directory.resolve("prometheus.yml"), """
                global: {scrape_interval: 2s, evaluation_interval: 2s}
                rule_files: ["%s", "%s"]
                scrape_configs:
                  - job_name: tlsrpt
                    static_configs: [{targets: ["127.0.0.1:%d"]}]
                """.formatted(Rules.RECORDING, Rules.ALERTS, admin));
        await("ready").atMost(PATIENCE).ignoreExceptions().until(() -> {
            HttpRequest ready = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + admin + "/ready"))
                    .build();
            return HTTP.send(ready, HttpResponse.BodyHandlers.ofString()).statusCode() == 200;
        });
        started(
                "prometheus",
                List.of(
                        program.path().toString(),
                        "--config.file=" + watching,
                        "--storage.tsdb.path=" + directory.resolve("tsdb"),
                        "--web.listen-address=127.0.0.1:" + prometheus));
        await("scraped twice")
                .atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> number("min(count_over_time(up[5m]))") >= 2);
        someDayAtWork();
        // what appears with its first count has grown only after its second
        await("counted")
                .atMost(PATIENCE)
                .until(() -> !result("count_over_time(tlsrpt_intake_leniencies_total[5m]) > 1")
                        .isEmpty());
        someDayAtWork();
    }

    @AfterAll
    static void stop() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    /// Something of everything: good and bad reports by all doors, questions, and requests that are none.
    private static void someDayAtWork() throws IOException {
        for (int i = 0; i < 12; i++) {
            assertThat(post("/v1/tlsrpt", report("r" + i, 90, 10)).statusCode()).isEqualTo(201);
        }
        assertThat(post("/v1/tlsrpt", report("r0", 90, 10)).statusCode()).isEqualTo(201);
        assertThat(post("/api/v1/import?name=one.json", report("imported", 50, 50))
                        .statusCode())
                .isEqualTo(200);
        assertThat(post("/v1/tlsrpt", "{bad").statusCode()).isEqualTo(400);
        assertThat(post("/v1/tlsrpt/a/b", "{}").statusCode()).isEqualTo(404);
        assertThat(post("/v1/nothing", "{}").statusCode()).isEqualTo(404);
        assertThat(get(URI.create("http://127.0.0.1:" + intake + "/api/v1/domains"))
                        .statusCode())
                .isEqualTo(200);
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), intake)) {
            socket.getOutputStream().write("none of HTTP\r\n\r\n".getBytes(UTF_8));
            socket.getInputStream().readAllBytes();
        }
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), smtp)) {
            for (String line : List.of(
                    "EHLO mail.example.net",
                    "MAIL FROM:<reports@example.net>",
                    "RCPT TO:<tlsrpt@example.com>",
                    "DATA",
                    "From: reports@example.net\r\nTo: tlsrpt@example.com\r\nSubject: hello\r\n\r\nno report\r\n.",
                    "QUIT")) {
                socket.getOutputStream().write((line + "\r\n").getBytes(UTF_8));
                socket.getInputStream().read(new byte[4096]);
            }
        }
    }

    @Test
    void everyMetricAndLabelOfRulesAndDashboardsIsThere() {
        TreeSet<String> asked = new TreeSet<>();
        expressions().forEach(expression -> asked.addAll(missing(expression).keySet()));
        assertThat(SELECTOR.matcher("a_b tlsrpt_x{y=\"z\"}").results()).hasSize(1);
        await("metrics, but for those that we know").atMost(PATIENCE).untilAsserted(() -> {
            TreeMap<String, String> missing = new TreeMap<>();
            expressions().forEach(expression -> missing.putAll(missing(expression)));
            assertThat(missing).isEmpty();
        });
    }

    @Test
    void everyPanelHasAnAnswer() {
        await("answers").atMost(PATIENCE).untilAsserted(() -> {
            List<GrafanaDashboard.Query> unanswered = GrafanaDashboard.all().stream()
                    .flatMap(dashboard -> dashboard.queries().stream())
                    .filter(query -> EMPTY.keySet().stream()
                            .noneMatch(known -> query.expression().startsWith(known)))
                    .filter(query -> result(filled(query.expression())).isEmpty())
                    .toList();
            assertThat(unanswered).isEmpty();
        });
        for (String known : EMPTY.keySet()) { // they are understood, and none is forgotten here
            List<String> questions =
                    questions().filter(each -> each.startsWith(known)).toList();
            assertThat(questions).as(known).isNotEmpty();
            questions.forEach(each -> result(filled(each)));
        }
    }

    @Test
    void everyRuleCanBeReckonedAndNoAlertFiresWhereAllIsWell() {
        await("each was evaluated").atMost(PATIENCE).untilAsserted(() -> {
            JsonNode groups = api("rules", "").at("/data/groups");
            List<JsonNode> rules = GrafanaDashboard.elements(groups).stream()
                    .flatMap(group -> GrafanaDashboard.elements(group.get("rules")).stream())
                    .toList();
            assertThat(rules)
                    .hasSize(Rules.in(Rules.ALERTS).size()
                            + Rules.in(Rules.RECORDING).size());
            assertThat(rules)
                    .allSatisfy(rule -> assertThat(rule.get("health").asString())
                            .as(rule.toString())
                            .isEqualTo("ok"));
        });
        assertThat(result("ALERTS{alertstate=\"firing\"}")).isEmpty();
    }

    /// What an expression names and the house does not have, with the selector.
    private static Map<String, String> missing(String expression) {
        Map<String, String> missing = new TreeMap<>();
        for (MatchResult selector : SELECTOR.matcher(expression).results().toList()) {
            String metric = selector.group(1);
            if (metric.equals("ALERTS") || ABSENT.containsKey(metric)) {
                continue;
            }
            if (result("count(" + metric + ")").isEmpty()) {
                missing.put(metric, expression);
                continue;
            }
            String labels = selector.group(2) == null ? "" : selector.group(2);
            for (MatchResult matcher : MATCHER.matcher(labels).results().toList()) {
                String label = matcher.group(1);
                String value = matcher.group(3);
                if (result("count(" + metric + "{" + label + "!=\"\"})").isEmpty()) {
                    missing.put(metric + " label " + label, expression);
                } else if (matcher.group(2).equals("=")
                        && !VALUES.containsKey(label + "=" + value)
                        && !VALUES.containsKey(label + "=" + value + " " + metric)
                        && result("count(" + metric + "{" + label + "=\"" + value + "\"})")
                                .isEmpty()) {
                    missing.put(metric + " " + label + "=" + value, expression);
                }
            }
        }
        return missing;
    }

    private static List<String> expressions() {
        return Stream.of(
                        Rules.in(Rules.ALERTS).stream().map(Rules.Rule::expression),
                        Rules.in(Rules.RECORDING).stream().map(Rules.Rule::expression),
                        questions())
                .flatMap(each -> each)
                .map(MonitoringIT::filled)
                .toList();
    }

    private static Stream<String> questions() {
        return GrafanaDashboard.all().stream()
                .flatMap(dashboard -> dashboard.queries().stream())
                .map(GrafanaDashboard.Query::expression);
    }

    /// As Grafana fills in the variables.
    private static String filled(String expression) {
        return expression.replace("$instance", ".*").replace("$__rate_interval", "1m");
    }

    private static List<JsonNode> result(String expression) {
        return GrafanaDashboard.elements(
                api("query", "?query=" + URLEncoder.encode(expression, UTF_8)).at("/data/result"));
    }

    private static double number(String expression) {
        return Double.parseDouble(result(expression).getFirst().at("/value/1").asString());
    }

    private static JsonNode api(String what, String query) {
        HttpResponse<String> answer = get(URI.create("http://127.0.0.1:" + prometheus + "/api/v1/" + what + query));
        JsonNode json = JsonMapper.builder().build().readTree(answer.body());
        assertThat(json.get("status").asString()).as(query + answer.body()).isEqualTo("success");
        return json;
    }

    private static String report(String id, int good, int bad) {
        LocalDate day = LocalDate.now(ZoneOffset.UTC).minusDays(1);
        return """
                {"organization-name":"Example","contact-info":"tls@reporter.example","report-id":"%s",
                "date-range":{"start-datetime":"%sT00:00:00Z","end-datetime":"%sT23:59:59Z"},
                "policies":[{"policy":{"policy-type":"sts","policy-domain":"example.com","policy-string":["version: STSv1","mode: enforce"]},
                "summary":{"total-successful-session-count":%d,"total-failure-session-count":%d},
                "failure-details":[{"result-type":"certificate-expired","receiving-mx-hostname":"mx.example.com","failed-session-count":%d}]}]}
                """.formatted(id, day, day, good, bad, bad);
    }

    private static HttpResponse<String> post(String path, String body) {
        return send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + intake + path))
                .header("Content-Type", "application/tlsrpt+json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build());
    }

    private static HttpResponse<String> get(URI uri) {
        return send(HttpRequest.newBuilder(uri).build());
    }

    private static HttpResponse<String> send(HttpRequest request) {
        try {
            return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private static void started(String name, List<String> command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve(name + ".log").toFile())
                .start();
        open.add(() -> {
            process.destroy();
            if (!process.waitFor(Duration.ofMinutes(1))) {
                process.destroyForcibly().waitFor();
            }
        });
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static Path keyStore() {
        Path file = directory.resolve("tls.p12");
        new Program(Path.of(System.getProperty("java.home"), "bin", "keytool"))
                .run(
                        "-genkeypair",
                        "-alias",
                        "one",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=one",
                        "-validity",
                        365,
                        "-keystore",
                        file,
                        "-storepass",
                        "changeit");
        return file;
    }
}

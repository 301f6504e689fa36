package io.tlsrpt.deploy;

import static io.tlsrpt.standalone.RunningHouse.PATIENCE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Json;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;

/// The whole of `deploy/compose.yaml`, used from outside as senders and people do, from the start to the end.
///
/// All of it runs but Grafana, which only shows what Prometheus has: its image cannot be made from packages, and a test
/// that needs it would run nowhere but where a registry answers.
@ExtendWith(Engine.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ComposeIT {

    private static final List<String> SERVICES = List.of(
            "access",
            "kafka1",
            "kafka2",
            "kafka3",
            "ingest-service",
            "stream-processor-1",
            "stream-processor-2",
            "alerting-service",
            "console",
            "caddy",
            "prometheus",
            "alertmanager");
    private static final String PROJECT = "tlsrpt-compose-it";
    private static final Path CONFIGURATION = Path.of("target", "compose-it");
    private static final Path SECRETS = Path.of("target", "compose-it-secrets");

    private final LocalDate yesterday = LocalDate.now(ZoneOffset.UTC).minusDays(1);
    private static final List<String> SUBMITTERS = List.of("google.com", "microsoft.com", "mail.example");

    private static HttpClient http = HttpClient.newHttpClient();
    private static String origin = "";
    private static String token = "";
    private static boolean isUp;

    @BeforeAll
    static void up() throws Exception {
        Images.built();
        configuration();
        isUp = true;
        compose(PATIENCE, "down", "--volumes", "--remove-orphans");
        compose(
                Duration.ofMinutes(8),
                Stream.concat(Stream.of("up", "--no-build", "--detach", "--wait"), SERVICES.stream())
                        .toArray(String[]::new));
        token = compose(PATIENCE, "run", "--rm", "-T", "access", "cat", "token").strip();
        origin = "https://localhost:" + port("caddy", 443);
        http = trusting(compose(PATIENCE, "exec", "-T", "caddy", "cat", "/data/caddy/pki/authorities/local/root.crt"));
    }

    @AfterAll
    static void gone() throws Exception {
        if (isUp) {
            Files.writeString(CONFIGURATION.resolve("log"), compose(PATIENCE, "logs", "--no-color", "--timestamps"));
            compose(PATIENCE, "down", "--volumes", "--remove-orphans");
        }
    }

    @Test
    @Order(1)
    void everythingIsHealthyAndNothingSaysTheToken() throws Exception {
        assertThat(containers().stream().filter(container -> !container.name().equals("access")))
                .hasSize(SERVICES.size() - 1)
                .allMatch(container -> container.status().equals("running"), "running");
        assertThat(compose(PATIENCE, "ps", "--format", "{{.Service}} {{.Health}}")
                        .lines())
                .hasSize(SERVICES.size() - 1)
                .allMatch(line -> line.endsWith(" healthy"), "healthy");
        assertThat(token).matches("tlsrpt_[A-Za-z0-9_-]{43}");
        assertThat(compose(PATIENCE, "logs", "--no-color"))
                .contains("run --rm access cat token")
                .doesNotContain(token);
    }

    @Test
    @Order(2)
    void strangersSeeNothingAndSendersNeedNothing() throws Exception {
        for (String path : List.of(
                "/api/v1/domains",
                "/api/v1/alerts",
                "/api/v1/stream?topic=events",
                "/api/v1/rejected",
                "/api/v1/session")) {
            assertThat(get(path, null).statusCode()).as(path).isEqualTo(401);
            assertThat(get(path, "tlsrpt_" + "x".repeat(43)).statusCode())
                    .as(path)
                    .isEqualTo(401);
        }
        for (String path : List.of(
                "/api/v1/import?name=a.json", "/api/v1/domains/a.example/accept", "/api/v1/domains/a.example/forget")) {
            assertThat(post(path, new byte[0], null).statusCode()).as(path).isEqualTo(401);
        }
        for (String path : List.of("/metrics", "/ready")) {
            assertThat(get(path, token).statusCode()).as(path).isEqualTo(404);
        }
        assertThat(get("/api/v1/domains", token).statusCode()).isEqualTo(200);
        assertThat(get("/", null).headers().firstValue("Content-Security-Policy"))
                .isPresent();

        assertThat(post(
                                "/v1/tlsrpt",
                                report("google.com", "stranger.example", 100, 0).gzip(),
                                null)
                        .statusCode())
                .isEqualTo(201);
        assertThat(post("/v1/tlsrpt", "no report".getBytes(UTF_8), null).statusCode())
                .isEqualTo(400);
    }

    @Test
    @Order(3)
    void reportsPostedThroughTheProxyMakeAnAlertReachAlertmanager() throws Exception {
        HttpResponse<String> imported = post("/api/v1/import?name=quiet-weeks.zip", quietWeeks(), token);
        assertThat(imported.statusCode()).isEqualTo(200);
        assertThat(imported.body().lines())
                .hasSize(28 * SUBMITTERS.size())
                .noneMatch(line -> line.contains("\"failed\"") || line.contains("\"rejected\""));
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> assertThat(aggregates("example.com", yesterday.minusDays(28)))
                        .hasSize(28 * SUBMITTERS.size()));

        for (String submitter : SUBMITTERS) {
            byte[] report = report(submitter, "example.com", 20, 40)
                    .mxHost("mx1.example.com")
                    .failure("certificate-expired", "mx1.example.com", 40)
                    .gzip();
            assertThat(post("/v1/tlsrpt", report, null).statusCode()).isEqualTo(201);
        }

        await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).untilAsserted(() -> {
            JsonNode alerts = read("http://" + address("alertmanager", 9093) + "/api/v2/alerts");
            assertThat(alerts.valueStream().map(alert -> alert.path("labels"))).anySatisfy(labels -> {
                assertThat(labels.path("alertname").asString()).isEqualTo("certificate");
                assertThat(labels.path("result_type").asString()).isEqualTo("certificate-expired");
                assertThat(labels.path("mx").asString()).isEqualTo("mx1.example.com");
                // nobody knows who posts: no more than a warning (docs/decisions/0010)
                assertThat(labels.path("severity").asString()).isEqualTo("warning");
            });
        });
        assertThat(Json.MAPPER
                        .readTree(get("/api/v1/alerts?state=firing", token).body())
                        .path("rows")
                        .valueStream()
                        .map(alert -> alert.path("url").asString()))
                .anyMatch(url -> url.startsWith("https://localhost/"));
    }

    @Test
    @Order(4)
    void prometheusReachesEverythingAndKnowsItsRules() throws Exception {
        String prometheus = "http://" + address("prometheus", 9090);
        await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).untilAsserted(() -> {
            JsonNode targets = read(prometheus + "/api/v1/targets").path("data").path("activeTargets");
            assertThat(targets.valueStream()
                            .map(target ->
                                    target.path("labels").path("instance").asString() + " "
                                            + target.path("health").asString()
                                            + target.path("lastError").asString()))
                    .containsExactlyInAnyOrder(
                            "ingest-service:8081 up",
                            "stream-processor-1:8081 up",
                            "stream-processor-2:8081 up",
                            "alerting-service:8081 up",
                            "console:8081 up",
                            "caddy:8081 up",
                            "alertmanager:9093 up",
                            "localhost:9090 up");
            List<JsonNode> rules = read(prometheus + "/api/v1/rules")
                    .path("data")
                    .path("groups")
                    .valueStream()
                    .flatMap(group -> group.path("rules").valueStream())
                    .toList();
            assertThat(rules)
                    .isNotEmpty()
                    .allSatisfy(rule -> assertThat(rule.path("health").asString()
                                    + rule.path("lastError").asString())
                            .as(rule.path("name").asString())
                            .isEqualTo("ok"));
        });
        assertThat(read(prometheus + "/api/v1/alertmanagers")
                        .path("data")
                        .path("activeAlertmanagers")
                        .size())
                .isEqualTo(1);
    }

    @Test
    @Order(5)
    void aKilledProcessorLosesNothingAndTheDashboardKeepsAnswering() throws Exception {
        int perDomain = 20;
        List<String> domains = Stream.iterate(0, i -> i < 24, i -> i + 1)
                .map(i -> "load" + i + ".example")
                .toList();
        AtomicBoolean over = new AtomicBoolean();
        ConcurrentLinkedQueue<String> answers = new ConcurrentLinkedQueue<>();
        try (ExecutorService beside = Executors.newSingleThreadExecutor()) {
            Future<?> looking = beside.submit(() -> {
                while (!over.get()) {
                    for (String path : List.of("/", "/api/v1/domains", "/api/v1/domains/load0.example/aggregates")) {
                        answers.add(path + " " + get(path, token).statusCode());
                    }
                    TimeUnit.MILLISECONDS.sleep(200);
                }
                return null;
            });
            try {
                for (int i = 0; i < perDomain; i++) {
                    if (i == perDomain / 3) {
                        compose(PATIENCE, "kill", "stream-processor-1");
                    }
                    for (String domain : domains) {
                        byte[] report = report("google.com", domain, 100, 0)
                                .id(domain + "-" + i)
                                .gzip();
                        assertThat(post("/v1/tlsrpt", report, null).statusCode())
                                .isEqualTo(201);
                    }
                }
                await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).untilAsserted(() -> {
                    for (String domain : domains) {
                        JsonNode rows = aggregates(domain, yesterday);
                        assertThat(rows.size()).as(domain).isEqualTo(1);
                        assertThat(rows.path(0).path("report-count").asLong())
                                .as(domain)
                                .isEqualTo(perDomain);
                        assertThat(rows.path(0)
                                        .path("total-successful-session-count")
                                        .asLong())
                                .as(domain)
                                .isEqualTo(100L * perDomain);
                    }
                });
            } finally {
                over.set(true);
            }
            looking.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
        assertThat(answers).hasSizeGreaterThan(30).allMatch(answer -> answer.endsWith(" 200"), "answered 200");
        assertThat(compose(PATIENCE, "ps", "--status", "exited", "--services")).contains("stream-processor-1");
    }

    @Test
    @Order(6)
    void allOfItStopsInTimeAndNothingRanOutOfMemoryOrBrokeDown() throws Exception {
        compose(PATIENCE, "stop");

        assertThat(containers()).hasSize(SERVICES.size()).allSatisfy(container -> {
            assertThat(container.outOfMemory()).as(container.name()).isFalse();
            assertThat(container.restarts()).as(container.name()).isZero();
            if (!container.name().equals("stream-processor-1")) { // which was killed
                assertThat(container.exitCode())
                        .as("%s, not killed for being late", container.name())
                        .isIn(0, 143);
            }
        });
    }

    private SampleReports report(String submitter, String domain, long successful, long failed) {
        return SampleReports.report()
                .organization(submitter)
                .contact("smtp-tls-reporting@" + submitter)
                .id(yesterday + "-" + domain)
                .day(yesterday)
                .policy("sts", domain, successful, failed);
    }

    /// What is usual: four weeks of three senders, with one failure that tells which domain is behind the MX.
    private byte[] quietWeeks() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (int ago = 28; ago > 0; ago--) {
                LocalDate day = yesterday.minusDays(ago);
                for (String submitter : SUBMITTERS) {
                    SampleReports report = report(submitter, "example.com", 100, ago == 28 ? 1 : 0)
                            .id(day + "-" + submitter)
                            .day(day)
                            .mxHost("mx1.example.com");
                    zip.putNextEntry(new ZipEntry(day + "-" + submitter + ".json"));
                    zip.write(
                            (ago == 28 ? report.failure("certificate-expired", "mx1.example.com", 1) : report).bytes());
                }
            }
        }
        return bytes.toByteArray();
    }

    private static JsonNode aggregates(String domain, LocalDate from) throws Exception {
        return Json.MAPPER
                .readTree(get("/api/v1/domains/" + domain + "/aggregates?from=" + from, token)
                        .body())
                .path("rows");
    }

    private static JsonNode read(String url) throws Exception {
        HttpResponse<String> answer =
                http.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(url).isEqualTo(200);
        return Json.MAPPER.readTree(answer.body());
    }

    private static HttpResponse<String> get(String path, @Nullable String bearer) throws Exception {
        return send(HttpRequest.newBuilder(URI.create(origin + path)), bearer);
    }

    private static HttpResponse<String> post(String path, byte[] body, @Nullable String bearer) throws Exception {
        return send(
                HttpRequest.newBuilder(URI.create(origin + path)).POST(HttpRequest.BodyPublishers.ofByteArray(body)),
                bearer);
    }

    private static HttpResponse<String> send(HttpRequest.Builder request, @Nullable String bearer) throws Exception {
        if (bearer != null) {
            request.header("Authorization", "Bearer " + bearer);
        }
        return http.send(request.timeout(Duration.ofSeconds(60)).build(), HttpResponse.BodyHandlers.ofString());
    }

    /// A client that believes in this authority and in no other.
    private static HttpClient trusting(String certificate) throws Exception {
        KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
        authorities.load(null, null);
        authorities.setCertificateEntry(
                "root",
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(certificate.getBytes(UTF_8))));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(authorities);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
        return HttpClient.newBuilder().sslContext(tls).build();
    }

    /// The configuration as it is shipped, but for two things: receivers hear of warnings at once, and nobody outside
    /// is looked at.
    private static void configuration() throws IOException {
        Path shipped = Path.of("compose");
        Files.createDirectories(CONFIGURATION);
        Files.createDirectories(SECRETS);
        try (Stream<Path> files = Files.list(shipped)) {
            for (Path file : files.toList()) {
                String text = Files.readString(file);
                Files.writeString(
                        CONFIGURATION.resolve(file.getFileName()),
                        file.endsWith("tlsrpt.yaml")
                                ? text.replaceFirst(
                                        "(?m)^alerting:$",
                                        "alerting:\n  warning-wait: 1s\n  inspection: {enabled: false}")
                                : text);
            }
        }
    }

    /// A container, by the name of its service.
    private record Container(String name, String status, boolean outOfMemory, int restarts, int exitCode) {}

    private static List<Container> containers() throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "docker",
                "inspect",
                "--format",
                "{{index .Config.Labels \"com.docker.compose.service\"}} {{.State.Status}} {{.State.OOMKilled}}"
                        + " {{.RestartCount}} {{.State.ExitCode}}"));
        command.addAll(compose(PATIENCE, "ps", "--all", "--quiet").lines().toList());
        return run(PATIENCE, command)
                .lines()
                .map(line -> line.split(" ", -1))
                .map(word -> new Container(
                        word[0],
                        word[1],
                        Boolean.parseBoolean(word[2]),
                        Integer.parseInt(word[3]),
                        Integer.parseInt(word[4])))
                .toList();
    }

    private static String address(String service, int port) throws Exception {
        return "127.0.0.1:" + port(service, port);
    }

    private static String port(String service, int port) throws Exception {
        String published =
                compose(PATIENCE, "port", service, Integer.toString(port)).strip();
        assertThat(published).as("only this machine").startsWith("127.0.0.1:");
        return published.substring(published.indexOf(':') + 1);
    }

    private static String compose(Duration limit, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "docker", "compose", "--progress", "quiet", "--project-name", PROJECT, "--file", "compose.yaml"));
        command.addAll(List.of(arguments));
        return run(limit, command);
    }

    /// What a program says on its standard output; it must end well.
    private static String run(Duration limit, List<String> command) throws Exception {
        File said = File.createTempFile("said", ".txt");
        File complained = File.createTempFile("complained", ".txt");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectOutput(said).redirectError(complained);
            // any free ports, so that it stands beside whatever else runs here
            builder.environment()
                    .putAll(Map.of(
                            "TLSRPT_VERSION", Images.VERSION,
                            "TLSRPT_CONFIG", CONFIGURATION.toAbsolutePath().toString(),
                            "TLSRPT_SECRETS", SECRETS.toAbsolutePath().toString(),
                            "TLSRPT_HTTP_PORT", "0",
                            "TLSRPT_HTTPS_PORT", "0",
                            "TLSRPT_SMTP_PORT", "0",
                            "TLSRPT_PROMETHEUS_PORT", "0",
                            "TLSRPT_ALERTMANAGER_PORT", "0"));
            Process process = builder.start();
            boolean ended = process.waitFor(limit.toSeconds(), TimeUnit.SECONDS);
            process.destroyForcibly();
            assertThat(ended).as("%s ends within %s", command, limit).isTrue();
            assertThat(process.exitValue())
                    .as("%s: %s", command, Files.readString(complained.toPath()))
                    .isZero();
            return Files.readString(said.toPath());
        } finally {
            Files.delete(said.toPath());
            Files.delete(complained.toPath());
        }
    }
}

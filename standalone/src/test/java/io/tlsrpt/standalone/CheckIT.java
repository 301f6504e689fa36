package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.alerting.AlertingService;
import io.tlsrpt.cli.Commands;
import io.tlsrpt.dns.Bind;
import io.tlsrpt.dns.Peer;
import io.tlsrpt.dns.Unbound;
import io.tlsrpt.inspection.TestAuthority;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `check` looks at domains in a zone that a real BIND signed, through a real unbound, at a real Postfix with a good
/// certificate, an expired one and without TLS, and at policies by HTTPS.
class CheckIT {

    private static final TestAuthority ROOT = TestAuthority.root("Authority of this test");
    private static final TestAuthority AUTHORITY = ROOT.intermediate("Its intermediate");
    private static final Map<String, String> POLICIES = Map.of(
            "good",
            "version: STSv1\r\nmode: enforce\r\nmx: mx.good.example\r\nmax_age: 604800\r\n",
            "expired",
            "version: STSv1\nmode: enforce\nmx: *.expired.example\nmax_age: 604800\n",
            "testing",
            "version: STSv1\nmode: testing\nmx: mx.testing.example\nmax_age: 604800\n",
            "stripped",
            "version: STSv1\nmode: enforce\nmx: mx.stripped.example\nmax_age: 604800\n",
            "broken",
            "version: STSv1\nmode: enforced\nmx: mx.broken.example\nmax_age: 604800\n",
            "uncovered",
            "version: STSv1\nmode: enforce\nmx: mail.uncovered.example\nmax_age: 604800\n");

    @TempDir
    private static Path directory;

    private static final List<AutoCloseable> WORLD = new ArrayList<>();
    private static List<String> options = List.of();

    private record Outcome(int code, String out) {

        JsonNode json() {
            return Json.MAPPER.readTree(out);
        }

        /// `verdict code subject` of what is not well.
        List<String> faults() {
            List<String> faults = new ArrayList<>();
            for (JsonNode finding : json().path("findings")) {
                String verdict = finding.path("verdict").asString("");
                if (!List.of("ok", "note").contains(verdict)) {
                    faults.add(verdict + " " + finding.path("code").asString("") + " "
                            + finding.path("subject").asString(""));
                }
            }
            return faults;
        }

        JsonNode finding(String code) {
            for (JsonNode finding : json().path("findings")) {
                if (finding.path("code").asString("").equals(code)) {
                    return finding;
                }
            }
            throw new AssertionError("no " + code + " in " + out);
        }
    }

    @BeforeAll
    static void startTheWorld() throws Exception {
        Peer.require(Postfix.PROGRAM, "postfix");
        TestAuthority.Issued good = AUTHORITY
                .server(
                        "mx.good.example",
                        "mx.stripped.example",
                        "mx.tlsa.example",
                        "mx.broken.example",
                        "mx.testing.example",
                        "mx.uncovered.example")
                .issue();
        TestAuthority.Issued expired = AUTHORITY
                .server("mx.expired.example")
                .until(Instant.parse("2026-01-31T10:00:00Z"))
                .issue();
        Bind bind = new Bind(Files.createDirectory(directory.resolve("bind"))).signed("example");
        WORLD.add(bind);
        bind.write("example", zone(good));
        bind.start();
        Path anchors = bind.trustAnchors();
        Unbound unbound =
                new Unbound(Files.createDirectory(directory.resolve("unbound")), "example", bind.address(), anchors);
        WORLD.add(unbound);
        HttpsServer policies = policies();
        WORLD.add(() -> policies.stop(0));

        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Postfix postfix = new Postfix(
                Files.createDirectory(directory.resolve("postfix")),
                Map.of("example", "discard:"),
                Map.of(
                        "127.0.0.11", tls(good.write(directory.resolve("good.pem"))),
                        "127.0.0.12", tls(expired.write(directory.resolve("expired.pem"))),
                        "127.0.0.13", "-o smtpd_tls_security_level=none"));
        WORLD.add(postfix);
        options = List.of(
                "--dns",
                "127.0.0.1:" + unbound.address().getPort(),
                "--trust-anchors",
                anchors.toString(),
                "--ca-file",
                Files.writeString(directory.resolve("ca.pem"), TestAuthority.pem(ROOT.certificate()))
                        .toString(),
                "--smtp-port",
                Integer.toString(postfix.address().port()),
                "--https-port",
                Integer.toString(policies.getAddress().getPort()),
                "--helo",
                "probe.example",
                "--timeout",
                "10",
                "--allow-private");
    }

    @AfterAll
    static void stopTheWorld() throws Exception {
        for (AutoCloseable each : WORLD.reversed()) {
            each.close();
        }
    }

    private static String tls(Path pem) {
        return "-o smtpd_tls_security_level=may -o smtpd_tls_chain_files=" + pem;
    }

    private static List<String> zone(TestAuthority.Issued good) throws Exception {
        String fits = HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256")
                        .digest(good.leaf().getPublicKey().getEncoded()));
        List<String> zone = new ArrayList<>(List.of(
                "mx.good A 127.0.0.11",
                "_25._tcp.mx.good TLSA 3 1 1 " + fits,
                "mx.expired A 127.0.0.12",
                "mx.stripped A 127.0.0.11",
                "mx.stripped A 127.0.0.13",
                "mx.tlsa A 127.0.0.11",
                "_25._tcp.mx.tlsa TLSA 3 1 1 " + "5a".repeat(32),
                "mx.broken A 127.0.0.11",
                "mx.testing A 127.0.0.11",
                "mx.uncovered A 127.0.0.11"));
        for (String name : List.of("good", "expired", "stripped", "tlsa", "broken", "testing", "uncovered")) {
            zone.add(name + " MX 10 mx." + name);
            zone.add("_smtp._tls." + name + " TXT \"v=TLSRPTv1; rua=mailto:reports@in.example\"");
            if (POLICIES.containsKey(name)) {
                zone.add("_mta-sts." + name + " TXT \"v=STSv1; id=1\"");
                zone.add("mta-sts." + name + " A 127.0.0.2");
            }
        }
        return zone;
    }

    private static HttpsServer policies() throws IOException {
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.2"), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(AUTHORITY
                .server(POLICIES.keySet().stream()
                        .map(name -> "mta-sts." + name + ".example")
                        .toArray(String[]::new))
                .issue()
                .server()));
        server.createContext("/.well-known/mta-sts.txt", exchange -> {
            try (exchange) {
                String host =
                        Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst("Host"), "");
                byte[] policy = Objects.requireNonNullElse(POLICIES.get(host.split("\\.", -1)[1]), "")
                        .getBytes(StandardCharsets.US_ASCII);
                exchange.getResponseHeaders().set("Content-Type", "text/plain");
                exchange.sendResponseHeaders(200, policy.length);
                exchange.getResponseBody().write(policy);
            }
        });
        server.start();
        return server;
    }

    private static Outcome check(String... arguments) {
        return run("check", arguments);
    }

    private static Outcome run(String command, String... arguments) {
        StringWriter out = new StringWriter();
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(options);
        all.addAll(List.of(arguments));
        int code = Commands.root(Commands.Defaults.STANDALONE, new PrintWriter(out, true), new PrintWriter(out, true))
                .execute(all.toArray(String[]::new));
        return new Outcome(code, out.toString());
    }

    @Test
    void aDomainWithEverythingInOrderHasNoFault() {
        Outcome good = check("--json", "good.example");
        assertThat(good.faults()).as(good.out()).isEmpty();
        assertThat(good.code()).isZero();
        JsonNode mx = good.json().path("mx").path(0);
        assertThat(mx.path("dnssec").asString("")).isEqualTo("secure");
        assertThat(mx.path("tlsa").path("state").asString("")).isEqualTo("secure");
        assertThat(mx.path("covered-by-policy").asBoolean()).isTrue();
        JsonNode address = mx.path("addresses").path(0);
        assertThat(address.path("starttls").asString("")).isEqualTo("offered");
        assertThat(address.path("pkix").asString("")).isEqualTo("valid");
        assertThat(address.path("tlsa-match").asBoolean()).isTrue();
        assertThat(address.path("tls-version").asString("")).isEqualTo("TLSv1.3");
        assertThat(good.json().path("port25").asString("")).isEqualTo("open");
    }

    @Test
    void anExpiredCertificateIsNamedWithItsDay() {
        Outcome expired = check("--json", "expired.example");
        assertThat(expired.code()).isEqualTo(1);
        assertThat(expired.faults())
                .as(expired.out())
                .containsExactly("error certificate-expired mx.expired.example 127.0.0.12");
        assertThat(expired.finding("certificate-expired").path("found").asString(""))
                .contains("2026-01-31", "Its intermediate");
        assertThat(expired.finding("certificate-expired").path("fix").asString(""))
                .contains("install a new certificate");
    }

    @Test
    void starttlsThatIsMissingOnOneOfTwoAddressesIsNamedWithTheAddress() {
        Outcome stripped = check("--json", "stripped.example");
        assertThat(stripped.faults())
                .as(stripped.out())
                .containsExactly("error starttls-missing mx.stripped.example 127.0.0.13");
        assertThat(stripped.finding("starttls-missing").path("fix").asString(""))
                .contains("STARTTLS");
        assertThat(stripped.code()).isEqualTo(1);
    }

    @Test
    void aWrongTlsaRecordInASignedZoneIsAnError() {
        Outcome wrong = check("--json", "tlsa.example");
        assertThat(wrong.faults()).as(wrong.out()).containsExactly("error tlsa-mismatch mx.tlsa.example 127.0.0.11");
        assertThat(wrong.finding("tlsa-mismatch").path("fix").asString("")).contains("TLSA");
        assertThat(wrong.code()).isEqualTo(1);
    }

    @Test
    void aPolicyThatSendersCannotReadOrThatForgetsTheMxIsAnError() {
        Outcome broken = check("--json", "broken.example");
        assertThat(broken.faults())
                .as(broken.out())
                .containsExactly("error mta-sts-policy-invalid mta-sts.broken.example");
        Outcome uncovered = check("--json", "uncovered.example");
        assertThat(uncovered.faults())
                .as(uncovered.out())
                .containsExactly("error mta-sts-mx-uncovered mx.uncovered.example");
        assertThat(uncovered.code()).isEqualTo(1);
    }

    @Test
    void severalDomainsAreToldToAPersonWorstFirst() {
        Outcome all = check("good.example", "expired.example", "stripped.example");
        assertThat(all.code()).isEqualTo(1);
        assertThat(all.out())
                .containsSubsequence(
                        "good.example  ",
                        "  ok       ",
                        "expired.example  1 error",
                        "  error    certificate-expired  mx.expired.example 127.0.0.12",
                        "    found       ",
                        "    fix         ",
                        "    rule        RFC 8461",
                        "  ok       ",
                        "stripped.example  1 error",
                        "3 domains: 2 with errors, 0 not known to the end, 1 without error");
        assertThat(all.out()).doesNotContain("\u001b");
    }

    @Test
    void readinessAsksTheServerAndLooks() throws IOException {
        HttpServer api = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        api.createContext("/api/v1/domains/", exchange -> {
            try (exchange) {
                byte[] quiet = quietDays().getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, quiet.length);
                exchange.getResponseBody().write(quiet);
            }
        });
        api.start();
        String url = "http://127.0.0.1:" + api.getAddress().getPort();
        try {
            Outcome ready = run("readiness", "--url", url, "testing.example");
            assertThat(ready.out()).startsWith("testing.example  ready").contains("valid, mode testing");
            assertThat(ready.code()).isZero();
            Outcome already = run("readiness", "--url", url, "--json", "good.example");
            assertThat(already.json().path("verdict").asString("")).isEqualTo("not-ready");
            assertThat(already.out()).contains("in mode enforce already");
            assertThat(already.code()).isEqualTo(1);
        } finally {
            api.stop(0);
        }
    }

    @Test
    void theAlertCarriesWhatTheServersShow() throws Exception {
        Topics topics = new Topics("tlsrpt.", Duration.ofDays(400));
        Path data = Files.createDirectory(directory.resolve("alerting"));
        try (EmbeddedBroker broker = EmbeddedBroker.start(data.resolve("broker"), HostPort.parse("127.0.0.1:0"))) {
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
                new TopicSetup(admin, topics, 4, 1).run();
            }
            Settings settings = settings(data).withEmbeddedBroker(broker.bootstrapServers());
            AlertingService alerting = new AlertingService(new Surroundings(
                    settings, () -> settings, new SimpleMeterRegistry(), new Health(), Clock.systemUTC()));
            try (KafkaConsumer<String, byte[]> alerts = new KafkaConsumer<>(
                    new KafkaSettings(settings).consumer("test", Map.of()),
                    new StringDeserializer(),
                    new ByteArrayDeserializer())) {
                alerts.assign(IntStream.range(0, 4)
                        .mapToObj(
                                partition -> new TopicPartition(topics.alerts().name(), partition))
                        .toList());
                alerting.start();
                failures(topics, broker.bootstrapServers());
                Map<String, String> shown = new TreeMap<>();
                await().atMost(Duration.ofMinutes(2)).untilAsserted(() -> {
                    for (ConsumerRecord<String, byte[]> each : alerts.poll(Duration.ofMillis(200))) {
                        Alert alert = new JsonSerde<>(Alert.class).read(each.value());
                        Alert.Live live = alert.evidence().live();
                        if (live != null && alert.firing() && alert.resultType() != null) {
                            shown.put(alert.resultType(), live.confirms() + " " + live.summary());
                        }
                    }
                    assertThat(shown)
                            .containsOnlyKeys(
                                    "certificate-expired",
                                    "starttls-not-supported",
                                    "sts-policy-invalid",
                                    "tlsa-invalid");
                });
                assertThat(shown.get("certificate-expired")).startsWith("true ").contains("expired on 2026-01-31");
                assertThat(shown.get("starttls-not-supported"))
                        .startsWith("true ")
                        .contains("STARTTLS offered on 1 of 2 addresses");
                assertThat(shown.get("tlsa-invalid")).startsWith("true ");
                assertThat(shown.get("sts-policy-invalid")).startsWith("true ");
            } finally {
                alerting.close();
            }
        }
    }

    /// The options of the command line as the service has them.
    private static Settings settings(Path data) {
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i + 1 < options.size(); i += 2) {
            given.put(options.get(i), options.get(i + 1));
        }
        return SettingsFile.parse(
                "test.yaml",
                """
                data: %s
                domains: [{name: "*.example"}]
                dns: {servers: ["%s"]}
                alerting:
                  inspection:
                    helo-name: probe.example
                    allow-private-addresses: true
                    smtp-port: %s
                    https-port: %s
                    ca-file: %s
                    trust-anchors: %s
                """.formatted(
                                data,
                                given.get("--dns"),
                                given.get("--smtp-port"),
                                given.get("--https-port"),
                                given.get("--ca-file"),
                                given.get("--trust-anchors")),
                name -> null);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // flushed below; what was not sent would be missed
    private static void failures(Topics topics, String bootstrapServers) {
        JsonSerde<AggregateKey> keys = new JsonSerde<>(AggregateKey.class);
        JsonSerde<Aggregate> values = new JsonSerde<>(Aggregate.class);
        try (KafkaProducer<AggregateKey, Aggregate> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers), keys.serializer(), values.serializer())) {
            for (String reporter : List.of("google.com", "microsoft.com")) {
                for (Aggregate each : List.of(
                        failed("expired", "sts", reporter, "certificate-expired", "mx.expired.example"),
                        failed("stripped", "sts", reporter, "starttls-not-supported", "mx.stripped.example"),
                        failed("tlsa", "tlsa", reporter, "tlsa-invalid", "mx.tlsa.example"),
                        failed("broken", "sts", reporter, "sts-policy-invalid", null))) {
                    producer.send(new ProducerRecord<>(
                            topics.aggregates().name(), Topics.partition(each.policyDomain(), 4), each.key(), each));
                }
            }
            producer.flush();
        }
    }

    private static Aggregate failed(
            String name, String policyType, String reporter, String resultType, @Nullable String mx) {
        Instant now = Clock.systemUTC().instant();
        LocalDate yesterday = LocalDate.ofInstant(now, ZoneOffset.UTC).minusDays(1);
        return new Aggregate(
                yesterday,
                name + ".example",
                policyType,
                reporter,
                "dkim",
                0,
                20,
                1,
                policyType.equals("sts") ? "enforce" : null,
                List.of(new Aggregate.Failure(resultType, mx, 20, 1, null, null)),
                now,
                now,
                yesterday.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant(),
                false);
    }

    /// What a server says that was told of 20 days without failures, and that has looked at nothing.
    private static String quietDays() {
        return """
                {"domain": "testing.example", "verdict": "not-enough-data", "conditions": [
                  {"name": "days", "state": "met", "words": "20 days"},
                  {"name": "reporters", "state": "met", "words": "2 reporters"},
                  {"name": "sessions", "state": "met", "words": "2,000 sessions"},
                  {"name": "failures", "state": "met", "words": "0 of 700 sessions failed"},
                  {"name": "policy", "state": "unknown", "words": "nobody has looked"},
                  {"name": "mx", "state": "unknown", "words": "nobody has looked"},
                  {"name": "tls", "state": "unknown", "words": "nobody has looked"}],
                 "failures": []}""";
    }
}

package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
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
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A house moves from the embedded broker to a cluster: all is as it was, and nobody hears of it.
class MovingIT {

    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final List<String> OURS = List.of("one.example", "two.example", "three.example", "four.example");

    @TempDir
    private Path directory;

    private final LocalDate yesterday = LocalDate.now(Clock.systemUTC()).minusDays(1);
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final HttpServer receiver = receiver();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void listen() {
        receiver.start();
    }

    @AfterEach
    void hangUp() {
        receiver.stop(0);
    }

    @Test
    void fromTheEmbeddedBrokerToAClusterNothingIsLostAndNothingIsToldAgain() throws IOException {
        Path laptop = settings("laptop", "embedded-listen: \"127.0.0.1:0\"");
        Path file = directory.resolve("house.tlsrpt");
        Contents before;
        try (House house = House.startWith(laptop)) {
            fill(house);
            before = Contents.of(house);
        }
        assertThat(heard).hasSize(1);

        assertThat(run("export", file.toString(), "--config", laptop.toString()))
                .as(err.toString())
                .isZero();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(run("export", file.toString(), "--config", laptop.toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("exists already");

        try (ThreeBrokers brokers = ThreeBrokers.start(directory.resolve("cluster"))) {
            Path cluster = settings("server", "bootstrap-servers: \"" + brokers.bootstrapServers() + "\"");
            assertThat(run("restore", file.toString(), "--config", cluster.toString()))
                    .as(err.toString())
                    .isZero();
            assertThat(run("restore", file.toString(), "--config", cluster.toString()))
                    .isEqualTo(1);
            assertThat(err.toString()).contains("there are records already");

            heard.clear();
            try (House house = House.startWith(cluster)) {
                await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).untilAsserted(() -> {
                    Contents now = Contents.of(house);
                    assertThat(now.events()).isEqualTo(before.events());
                    assertThat(now.cells()).isEqualTo(before.cells());
                    assertThat(now.reports()).isEqualTo(before.reports());
                    assertThat(now.verdicts()).isEqualTo(before.verdicts());
                    assertThat(now.rejected()).isEqualTo(before.rejected());
                    assertThat(house.get("/api/v1/alerts?state=firing").path("rows"))
                            .hasSize(2);
                });
                assertThat(house.records(house.topics().raw()).stream()
                                .map(ConsumerRecord::partition)
                                .distinct())
                        .hasSizeGreaterThan(4);

                // a new trouble is the first thing that anybody hears of
                fails(house, "three.example");
                await().atMost(PATIENCE).until(() -> !heard.isEmpty());
                assertThat(heard).singleElement().asString().contains("three.example");

                // and after a while still nothing of what was
                fails(house, "four.example");
                await().atMost(PATIENCE).until(() -> heard.size() > 1);
                assertThat(heard).hasSize(2);
                assertThat(heard.getLast()).contains("four.example");
                Contents now = Contents.of(house);
                assertThat(now.raw()).containsAll(before.raw());
                assertThat(now.silences()).isEqualTo(before.silences());
                assertThat(now.alerts()).containsAll(before.alerts());
                assertThat(now.told()).containsAll(before.told());
                assertThat(now.alerts()).hasSize(before.alerts().size() + 2);
            }

            assertThat(run("restore", file.toString(), "--config", cluster.toString(), "--into-non-empty"))
                    .as(err.toString())
                    .isZero();
            try (House house = House.startWith(cluster)) {
                await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).untilAsserted(() -> {
                    Contents now = Contents.of(house);
                    assertThat(now.verdicts().values().stream()
                                    .mapToLong(Long::longValue)
                                    .sum())
                            .isEqualTo(house.records(house.topics().raw()).size());
                    assertThat(now.cells()).containsAllEntriesOf(before.cells());
                    assertThat(now.events()).containsAll(before.events());
                    assertThat(now.alerts()).containsAll(before.alerts());
                    assertThat(now.told()).containsAll(before.told());
                });
            }
        }
    }

    /// Everything that may be in a house: duplicates, a conflict, a replacement, refusals, an alert that somebody took
    /// on, one that is silenced.
    private void fill(House house) {
        for (int ago = 5; ago > 1; ago--) {
            for (String domain : OURS) {
                for (String reporter : List.of("google.com", "microsoft.com")) {
                    house.importFile(
                            "clean.json",
                            report(reporter, domain, ago)
                                    .policy("sts", domain, 300, 0)
                                    .mode("enforce")
                                    .bytes());
                }
            }
        }
        assertThat(cli(house, "silence", "add", "--domain", "two.example", "--for", "2h", "--comment", "known"))
                .as(err.toString())
                .isZero();
        await().atMost(PATIENCE)
                .until(() ->
                        house.get("/api/v1/silences?state=active").path("rows").size() == 1);
        fails(house, "one.example");
        fails(house, "two.example");
        // a duplicate, a conflict, a forged copy that the genuine one replaces
        house.importFile(
                "again.json",
                report("google.com", "one.example", 5)
                        .policy("sts", "one.example", 300, 0)
                        .mode("enforce")
                        .bytes());
        house.importFile(
                "conflict.json",
                report("google.com", "one.example", 4)
                        .policy("sts", "one.example", 7, 0)
                        .mode("enforce")
                        .bytes());
        house.post(report("mail.example", "one.example", 2)
                .policy("sts", "one.example", 1, 0)
                .gzip());
        house.importFile(
                "genuine.json",
                report("mail.example", "one.example", 2)
                        .policy("sts", "one.example", 77, 0)
                        .bytes());
        // an entry that is not ours, a document that is none
        house.importFile(
                "foreign.json",
                report("mail.example", "one.example", 3)
                        .policy("sts", "one.example", 5, 0)
                        .policy("sts", "elsewhere.example", 5, 0)
                        .bytes());
        assertThat(house.post("no report".getBytes(StandardCharsets.UTF_8)).statusCode())
                .isEqualTo(400);
        assertThat(house.post(new byte[] {0, 1, 2, (byte) 0xff}).statusCode()).isEqualTo(400);
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(500)).untilAsserted(() -> {
            Contents now = Contents.of(house);
            assertThat(now.verdicts().values().stream()
                            .mapToLong(Long::longValue)
                            .sum())
                    .isEqualTo(now.raw().size());
            assertThat(now.rejected()).hasSize(4);
            assertThat(house.get("/api/v1/alerts?state=firing").path("rows")).hasSize(2);
            assertThat(heard).hasSize(1);
            assertThat(now.told()).hasSize(1);
        });
        String id = "";
        for (JsonNode alert : house.get("/api/v1/alerts?state=firing").path("rows")) {
            id = alert.path("policy-domain").asString("").equals("one.example")
                    ? alert.path("alert-id").asString("")
                    : id;
        }
        assertThat(cli(house, "alerts", "ack", id.substring(0, 12), "--by", "alice"))
                .as(err.toString())
                .isZero();
        await().atMost(PATIENCE).until(() -> house.alerts().stream().anyMatch(alert -> alert.acknowledged() != null));
    }

    /// Two reporters agree that the certificate has expired.
    private void fails(House house, String domain) {
        for (String reporter : List.of("google.com", "microsoft.com")) {
            house.importFile(
                    "failing.json",
                    report(reporter, domain, 1)
                            .policy("sts", domain, 200, 100)
                            .mode("enforce")
                            .failure("certificate-expired", "mx1." + domain, 100)
                            .bytes());
        }
    }

    private SampleReports report(String reporter, String domain, int ago) {
        LocalDate day = yesterday.minusDays(ago - 1L);
        return SampleReports.report()
                .organization(reporter)
                .contact("tls@" + reporter)
                .id(day + "_" + domain)
                .day(day);
    }

    /// What is in a house, without what is another place or time in another one.
    private record Contents(
            Set<String> raw,
            Set<String> rejected,
            Map<String, String> cells,
            Set<String> events,
            Set<String> reports,
            Map<String, Long> verdicts,
            Set<String> alerts,
            Set<String> silences,
            Set<String> told) {

        static Contents of(House house) {
            Topics topics = house.topics();
            Set<String> raw = new TreeSet<>();
            house.records(topics.raw()).forEach(each -> raw.add(each.timestamp() + whole(each, Set.of())));
            List<String> rejected = new ArrayList<>();
            // where the first one lies is said there, and it lies elsewhere now
            house.records(topics.rejected()).forEach(each -> rejected.add(whole(each, Set.of("detail"))));
            Set<String> refused = new TreeSet<>();
            for (String each : rejected) {
                String counted = each;
                for (int copy = 2; !refused.add(counted); copy++) {
                    counted = each + " once more: " + copy;
                }
            }
            Map<String, Long> verdicts = new TreeMap<>();
            house.verdicts().forEach(verdict -> verdicts.merge(verdict.verdict(), 1L, Long::sum));
            Set<String> reports = new TreeSet<>();
            latest(house, topics.reports()).forEach((key, value) -> {
                ObjectNode report = (ObjectNode) Json.MAPPER.readTree(value);
                report.remove("raw");
                reports.add(report.toString());
            });
            return new Contents(
                    raw,
                    refused,
                    latest(house, topics.aggregates()),
                    new TreeSet<>(house.events().stream().map(Event::eventId).toList()),
                    reports,
                    verdicts,
                    new TreeSet<>(latest(house, topics.alerts()).values()),
                    new TreeSet<>(latest(house, topics.silences()).values()),
                    new TreeSet<>(latest(house, topics.notifications()).values()));
        }

        private static Map<String, String> latest(House house, Topics.Topic topic) {
            Map<String, String> latest = new TreeMap<>();
            for (ConsumerRecord<byte[], byte[]> each : house.records(topic)) {
                String key = new String(each.key(), StandardCharsets.UTF_8);
                if (each.value() == null) {
                    latest.remove(key);
                } else {
                    latest.put(key, new String(each.value(), StandardCharsets.UTF_8));
                }
            }
            return latest;
        }

        private static String whole(ConsumerRecord<byte[], byte[]> each, Set<String> without) {
            StringBuilder whole = new StringBuilder();
            for (Header header : each.headers()) {
                if (!without.contains(header.key())) {
                    whole.append(header.key())
                            .append('=')
                            .append(new String(header.value(), StandardCharsets.UTF_8))
                            .append(' ');
                }
            }
            return whole.append(each.key() == null ? "" : new String(each.key(), StandardCharsets.UTF_8))
                    .append(' ')
                    .append(HexFormat.of().formatHex(each.value()))
                    .toString();
        }
    }

    private Path settings(String name, String kafka) throws IOException {
        return Files.writeString(directory.resolve(name + ".yaml"), """
                data: "%s"
                kafka: {%s}
                intake: {listen: "127.0.0.1:0"}
                api: {listen: "127.0.0.1:0"}
                admin: {listen: "127.0.0.1:0"}
                mail: {smtp: {enabled: false}}
                domains: [{name: one.example}, {name: two.example}, {name: three.example}, {name: four.example}]
                alerting:
                  inspection: {enabled: false}
                  receivers:
                  - {name: ops, url: "http://127.0.0.1:%d/", allow-private-addresses: true}
                """.formatted(
                        directory.resolve(name).toString().replace("\\", "\\\\"),
                        kafka,
                        receiver.getAddress().getPort()));
    }

    private HttpServer receiver() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", exchange -> {
                heard.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
                exchange.sendResponseHeaders(200, -1);
                exchange.close();
            });
            return server;
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }

    private int run(String... arguments) {
        return StandaloneMain.commands()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    private int cli(House house, String... arguments) {
        return io.tlsrpt.cli.Commands.root(
                        new io.tlsrpt.cli.Commands.Defaults(
                                "http://" + house.standalone().apiAddress(),
                                house.standalone().bootstrapServers(),
                                "tlsrpt."),
                        new PrintWriter(out, true),
                        new PrintWriter(err, true))
                .execute(arguments);
    }
}

package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import tools.jackson.databind.JsonNode;

/// What a release leaves on the disk: the broker's topics and every service's state stores, as a small house filled
/// them that
/// was then closed. Beside them stands what it had counted, in `expected.json`.
final class ReleaseState {

    /// Such that nothing in it grows too old while releases come and go.
    static final String SETTINGS = "retention: 14600d";

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String EXPECTED = "expected.json";

    private ReleaseState() {}

    /// The report that a genuine copy may replace: it came by HTTPS.
    static SampleReports untrusted(LocalDate day) {
        return SampleReports.report().id("untrusted").day(day).policy("sts", "example.com", 70, 30);
    }

    /// The report whose failures fire an alert: the operator imported it.
    static SampleReports failing(LocalDate day) {
        return SampleReports.report()
                .id("failing")
                .day(day)
                .policy("sts", "example.com", 20, 40)
                .mode("enforce")
                .mxHost("mx1.example.com")
                .failure("certificate-expired", "mx1.example.com", 40);
    }

    /// Counts something of every kind, closes the house, and notes what it had counted.
    static void fill(Path directory, LocalDate day) throws IOException {
        try (House house = House.start(directory.resolve("data"), SETTINGS)) {
            for (int before = 1; before <= 30; before++) {
                LocalDate quiet = day.minusDays(before);
                house.post(SampleReports.report().id("q" + before).day(quiet).gzip());
                house.importFile(
                        "quiet.json",
                        SampleReports.report()
                                .id("i" + before)
                                .day(quiet)
                                .policy("sts", "example.com", 100, 0)
                                .policy("tlsa", "example.net", 50, 0)
                                .bytes());
            }
            house.post(untrusted(day).gzip());
            house.post(SampleReports.report()
                    .id("replaced")
                    .day(day)
                    .policy("sts", "example.org", 1, 9)
                    .gzip());
            house.judged(62);
            house.importFile(
                    "genuine.json",
                    SampleReports.report()
                            .id("replaced")
                            .day(day)
                            .policy("sts", "example.org", 10, 0)
                            .bytes());
            house.importFile("failing.json", failing(day).bytes());
            assertThat(house.judged(64)).isEqualTo(Map.of("accepted", 63L, "replaced", 1L));
            await().atMost(PATIENCE).until(() -> !incidents(house).isEmpty());
            await().atMost(PATIENCE).until(() -> reports(house).size() == 63);
            Files.writeString(
                    directory.resolve(EXPECTED),
                    Json.MAPPER.writeValueAsString(Map.of(
                            "day",
                            day.toString(),
                            "aggregates",
                            house.aggregates(),
                            "reports",
                            reports(house).values(),
                            "incidents",
                            incidents(house))));
        }
    }

    /// Packs a filled directory, all of it in one gzip: its many small files resemble one another.
    static void pack(Path directory, Path zip) throws IOException {
        Files.createDirectories(zip.getParent());
        try (Stream<Path> files = Files.walk(directory);
                ZipOutputStream out = new ZipOutputStream(new GZIPOutputStream(Files.newOutputStream(zip)))) {
            out.setLevel(Deflater.NO_COMPRESSION);
            for (Path file : files.filter(Files::isRegularFile)
                    .sorted(Comparator.comparing(Path::toString))
                    .toList()) {
                out.putNextEntry(new ZipEntry(directory.relativize(file).toString()));
                Files.copy(file, out);
            }
        }
    }

    static void unpack(Path zip, Path directory) throws IOException {
        try (ZipInputStream in = new ZipInputStream(new GZIPInputStream(Files.newInputStream(zip)))) {
            for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                Path file = directory.resolve(entry.getName()).normalize();
                assertThat(file.startsWith(directory)).isTrue();
                Files.createDirectories(file.getParent());
                Files.copy(in, file);
            }
        }
    }

    /// Starts this release on what another one left, and goes on counting.
    static void readOn(Path directory) throws IOException {
        JsonNode expected = Json.MAPPER.readTree(directory.resolve(EXPECTED));
        LocalDate day = LocalDate.parse(expected.path("day").asString());
        Map<String, String> stores = stores(directory);
        Map<String, String> manifests = manifests(directory);
        assertThat(stores).hasSameSizeAs(manifests).isNotEmpty();
        try (House house = House.start(directory.resolve("data"), SETTINGS)) {
            assertThat(house.aggregates())
                    .containsExactlyInAnyOrderElementsOf(read(expected.path("aggregates"), Aggregate.class));
            assertThat(reports(house).values())
                    .containsExactlyInAnyOrderElementsOf(read(expected.path("reports"), AcceptedReport.class));
            assertThat(stores(directory)).as("no store is made anew").containsAllEntriesOf(stores);
            Map<String, String> opened = manifests(directory);
            assertThat(manifests)
                    .as("each store is opened")
                    .allSatisfy((store, manifest) ->
                            assertThat(opened.get(store)).as(store).isNotEqualTo(manifest));

            long judged = house.verdicts().size();
            // known reports are known, whichever way they came and whoever vouched for them
            house.post(SampleReports.report().id("q1").day(day.minusDays(1)).gzip());
            assertThat(verdict(house.importFile("failing.json", failing(day).bytes())))
                    .isEqualTo("duplicate");
            // the old revision's events are taken back, which only the store of seen reports can tell
            assertThat(verdict(house.importFile("genuine.json", untrusted(day).bytes())))
                    .isEqualTo("replaced");
            // and a new report comes into a cell of the past
            assertThat(verdict(house.importFile(
                            "late.json",
                            SampleReports.report()
                                    .id("late")
                                    .day(day.minusDays(7))
                                    .policy("sts", "example.com", 5, 1)
                                    .bytes())))
                    .isEqualTo("accepted");
            await().atMost(PATIENCE).until(() -> house.verdicts().size() == judged + 4);
            await().atMost(PATIENCE).untilAsserted(() -> {
                Map<String, List<Long>> cells =
                        Sums.ofAggregates(house.aggregates()).cells();
                assertThat(cells)
                        .containsEntry(day.minusDays(7) + " example.com sts google.com", List.of(205L, 1L, 3L))
                        .containsEntry(day + " example.com sts google.com", List.of(90L, 70L, 2L))
                        .containsEntry(day + " example.org sts google.com", List.of(10L, 0L, 1L));
            });
            assertThat(incidents(house))
                    .as("no incident is opened a second time")
                    .isEqualTo(new HashSet<>(read(expected.path("incidents"), String.class)));
            assertThat(house.get("/api/v1/domains/example.com/reports?limit=1000")
                            .path("rows"))
                    .hasSize(63);
        }
    }

    private static String verdict(List<JsonNode> lines) {
        return lines.getFirst().path("verdict").asString("");
    }

    private static Set<String> incidents(House house) {
        return house.alerts().stream().map(Alert::incidentId).collect(Collectors.toSet());
    }

    private static Map<String, AcceptedReport> reports(House house) {
        JsonSerde<AcceptedReport> serde = new JsonSerde<>(AcceptedReport.class);
        Map<String, AcceptedReport> latest = new TreeMap<>();
        for (ConsumerRecord<byte[], byte[]> each : house.records(house.topics().reports())) {
            AcceptedReport report = serde.read(each.value());
            latest.put(report.reportKey(), report);
        }
        return latest;
    }

    private static <T> List<T> read(JsonNode array, Class<T> type) {
        return array.values().stream()
                .map(each -> Json.MAPPER.treeToValue(each, type))
                .toList();
    }

    /// Each state store's directory with its identity, which RocksDB writes when it makes a store.
    private static Map<String, String> stores(Path directory) throws IOException {
        Map<String, String> stores = new TreeMap<>();
        for (Path identity : named(directory, "IDENTITY")) {
            stores.put(directory.relativize(identity.getParent()).toString(), Files.readString(identity));
        }
        return stores;
    }

    /// Each state store's directory with the name of its manifest, of which RocksDB writes another whenever it opens a
    /// store.
    private static Map<String, String> manifests(Path directory) throws IOException {
        Map<String, String> manifests = new TreeMap<>();
        for (Path current : named(directory, "CURRENT")) {
            manifests.put(directory.relativize(current.getParent()).toString(), Files.readString(current));
        }
        return manifests;
    }

    private static List<Path> named(Path directory, String name) throws IOException {
        try (Stream<Path> files = Files.walk(directory.resolve("data"))) {
            return files.filter(file -> file.endsWith(name)).toList();
        }
    }
}

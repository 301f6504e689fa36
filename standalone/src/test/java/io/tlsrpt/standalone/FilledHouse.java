package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.report.SampleReports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import tools.jackson.databind.JsonNode;

/// A house as an operator leaves it after five weeks: seven domains, three reporters, a certificate that expired and a
/// STARTTLS that vanished yesterday, somebody unknown who reports too, a domain nobody reports about, and documents
/// that were refused.
final class FilledHouse implements AutoCloseable {

    static final String EXPIRED = "harbour.example";
    static final String PLAINTEXT = "lumen.example";
    static final String NOISY = "orchard.example";
    static final String STRANGE = "kestrel.example";
    static final String SILENT = "quarry.example";
    static final String STRANGER = "stranger.example";

    private static final int DAYS = 35;
    private static final int ENFORCED_FOR = 12;
    private static final List<String> REPORTERS = List.of("google.com", "microsoft.com", "mail.example");
    private static final List<String> NAMES = List.of("Google Inc.", "Microsoft Corporation", "Mail Example");
    private static final List<Integer> SHARES = List.of(55, 33, 12);
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final Path settings;
    private final Path data;
    private final House house;
    private final LocalDate yesterday = LocalDate.now(Clock.systemUTC()).minusDays(1);
    private final List<String> names = new ArrayList<>();
    private final ByteArrayOutputStream archive = new ByteArrayOutputStream();

    private FilledHouse(Path directory) {
        settings = directory.resolve("tlsrpt.yaml");
        data = directory.resolve("data");
        configure("api: {listen: \"127.0.0.1:0\"}");
        house = House.startWith(settings);
    }

    /// Everything is in, and both alerts fire.
    static FilledHouse start(Path directory) {
        FilledHouse filled = new FilledHouse(directory);
        try {
            filled.fill();
        } catch (RuntimeException | Error failed) {
            filled.close();
            throw failed;
        }
        return filled;
    }

    House house() {
        return house;
    }

    LocalDate yesterday() {
        return yesterday;
    }

    String origin() {
        return "http://" + house.standalone().apiAddress();
    }

    /// Writes the settings anew; the house reads them again by itself.
    ///
    /// @param api the section of that name
    void configure(String api) {
        try {
            Files.writeString(settings, """
                    data: "%s"
                    kafka: {embedded-listen: "127.0.0.1:0"}
                    intake: {listen: "127.0.0.1:0"}
                    admin: {listen: "127.0.0.1:0"}
                    mail: {smtp: {enabled: false}}
                    alerting: {inspection: {enabled: false}}
                    domains:
                    - {name: harbour.example, labels: {team: mail, customer: harbour}}
                    - {name: lumen.example, labels: {team: mail}}
                    - {name: northwind.example, labels: {team: mail, customer: northwind}}
                    - {name: orchard.example, labels: {team: shop}}
                    - {name: kestrel.example, labels: {team: shop}}
                    - {name: meadow.example, labels: {team: shop}}
                    - {name: quarry.example, labels: {team: shop}}
                    """.formatted(data.toString().replace("\\", "\\\\")) + api + "\n");
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /// A report of a day about a domain, by somebody whom nobody vouches for.
    SampleReports byStranger(String id, LocalDate day, String domain) {
        return SampleReports.report()
                .organization("Somebody")
                .contact("tls@" + STRANGER)
                .id(id)
                .day(day)
                .policy("sts", domain, 40, 2)
                .failure("validation-failure", "mx1." + domain, 2);
    }

    @Override
    public void close() {
        house.close();
    }

    private void fill() {
        write();
        List<JsonNode> verdicts = house.importFile("five-weeks.zip", archive.toByteArray());
        assertThat(verdicts)
                .hasSize(names.size())
                .allSatisfy(line -> assertThat(line.path("verdict").asString()).isEqualTo("accepted"));
        for (int ago = 0; ago < 3; ago++) {
            house.post(byStranger("s" + ago, yesterday.minusDays(ago), STRANGE).gzip());
        }
        assertThat(house.post("no report".getBytes(StandardCharsets.UTF_8)).statusCode())
                .isEqualTo(400);
        house.post(SampleReports.report()
                .id("foreign")
                .day(yesterday)
                .policy("sts", "elsewhere.example", 7, 0)
                .gzip());
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(500)).untilAsserted(() -> {
            long reports = 0;
            for (JsonNode row : house.get("/api/v1/reporters").path("rows")) {
                for (JsonNode count : row.path("report-counts")) {
                    reports += count.asLong();
                }
            }
            assertThat(reports).isEqualTo(names.size() + 3);
            assertThat(house.get("/api/v1/alerts?state=firing").path("rows"))
                    .extracting(alert -> alert.path("rule").asString() + " "
                            + alert.path("severity").asString())
                    .contains("certificate critical", "starttls-regression critical");
            assertThat(house.get("/api/v1/rejected").path("rows").size()).isEqualTo(2);
        });
    }

    private void write() {
        try (ZipOutputStream zip = new ZipOutputStream(archive)) {
            for (int ago = DAYS - 1; ago >= 0; ago--) {
                LocalDate day = yesterday.minusDays(ago);
                for (int reporter = 0; reporter < REPORTERS.size(); reporter++) {
                    for (SampleReports report : ofDay(reporter, ago)) {
                        String name = day + "-" + reporter + "-" + names.size() + ".json";
                        names.add(name);
                        zip.putNextEntry(new ZipEntry(name));
                        zip.write(report.organization(NAMES.get(reporter))
                                .contact("smtp-tls-reporting@" + REPORTERS.get(reporter))
                                .day(day)
                                .id(name)
                                .bytes());
                    }
                }
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    private List<SampleReports> ofDay(int reporter, int ago) {
        List<SampleReports> reports = new ArrayList<>();
        long harbour = sessions(4200, reporter, ago);
        reports.add(failing(EXPIRED, "mx1." + EXPIRED, "certificate-expired", harbour, ago == 0 ? harbour * 2 / 3 : 0));
        long lumen = sessions(1500, reporter, ago);
        reports.add(failing(PLAINTEXT, "mx." + PLAINTEXT, "starttls-not-supported", lumen, ago == 0 ? lumen : 0));
        long northwind = sessions(9800, reporter, ago);
        reports.add(SampleReports.report()
                .policy("sts", "northwind.example", northwind, 0)
                .policy("tlsa", "northwind.example", northwind, 0));
        long orchard = sessions(2600, reporter, ago);
        long refused = Math.floorMod(ago * 7 + reporter, 5) < 2 ? 3 + Math.floorMod(ago * 11 + reporter * 3, 9) : 0;
        reports.add(failing(NOISY, "mx2." + NOISY, "validation-failure", orchard, refused)
                .mode(ago < ENFORCED_FOR ? "enforce" : "testing"));
        reports.add(failing(STRANGE, "mx1." + STRANGE, "certificate-host-mismatch", sessions(700, reporter, ago), 0));
        if (ago == 0 && reporter == 0) {
            reports.add(failing("meadow.example", "mx1.meadow.example", "certificate-expired", 52, 0));
        }
        return reports;
    }

    private static SampleReports failing(String domain, String mx, String resultType, long sessions, long failed) {
        SampleReports report = SampleReports.report()
                .policy("sts", domain, sessions - failed, failed)
                .mxHost(mx);
        return failed > 0 ? report.failure(resultType, mx, failed) : report;
    }

    /// Fewer at the week's end, and no two days alike.
    private long sessions(long usual, int reporter, int ago) {
        DayOfWeek weekday = yesterday.minusDays(ago).getDayOfWeek();
        long ofWeek = weekday == DayOfWeek.SATURDAY || weekday == DayOfWeek.SUNDAY ? 38 : 100;
        long wobble = 94L + Math.floorMod(ago * 17L + reporter * 5L + usual, 13);
        return usual * SHARES.get(reporter) * ofWeek * wobble / 1_000_000;
    }
}

package io.tlsrpt.standalone;

import static io.tlsrpt.standalone.RunningHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.ReportHeaders;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The contract, from the front door to the query API, on a real broker: the same for a house in one JVM and for one in
/// containers.
public abstract class HouseBehaviour {

    @TempDir
    private Path directory;

    private @Nullable RunningHouse house;

    /// An empty house that is ready.
    protected abstract RunningHouse start(Path directory);

    protected final RunningHouse house() {
        return Objects.requireNonNull(house);
    }

    @BeforeEach
    void open() {
        house = start(directory);
    }

    @AfterEach
    void close() {
        if (house != null) {
            house.close();
        }
    }

    @Test
    void aPostedReportBecomesEventsAndAggregatesAndItsCopiesChangeNothing() {
        SampleReports report = SampleReports.report()
                .id("one")
                .day(yesterday())
                .policy("sts", "example.com", 95, 5)
                .failure("certificate-expired", "mx1.example.com", 5);
        var answer = house().post(report.gzip());
        assertThat(answer.statusCode()).isEqualTo(201);
        assertThat(answer.body())
                .isEqualTo("{\"report-key\":\"google.com|one|" + yesterday() + "T00:00:00Z|example.com\"}");

        assertThat(house().post(report.bytes()).statusCode()).isEqualTo(201);
        assertThat(house().post(report.prettyJson().getBytes(StandardCharsets.UTF_8))
                        .statusCode())
                .isEqualTo(201);
        SampleReports other = SampleReports.report().id("one").day(yesterday()).policy("sts", "example.com", 96, 5);
        assertThat(house().post(other.gzip()).statusCode()).isEqualTo(201);

        assertThat(house().judged(4)).isEqualTo(Map.of("accepted", 1L, "duplicate", 2L, "conflict", 1L));
        assertThat(house().events()).extracting(Event::kind).containsExactly("failure", "summary");
        assertThat(house().records(house().topics().rejected())).singleElement().satisfies(rejected -> {
            assertThat(ReportHeaders.text(rejected.headers(), "reason")).isEqualTo("conflicting-duplicate");
            assertThat(rejected.value()).isEqualTo(other.bytes());
        });
        await().atMost(PATIENCE).untilAsserted(() -> {
            var rows = house().get("/api/v1/domains/example.com/aggregates?from=" + yesterday() + "&to=" + yesterday())
                    .path("rows");
            assertThat(rows).hasSize(1);
            assertThat(rows.path(0).path("total-successful-session-count").asLong())
                    .isEqualTo(95);
            assertThat(rows.path(0)
                            .path("failures")
                            .path(0)
                            .path("failed-session-count")
                            .asLong())
                    .isEqualTo(5);
            assertThat(rows.path(0).path("authentication").asString()).isEqualTo("none");
        });
        assertThat(house().get("/api/v1/domains/example.com/events").toString()).contains("certificate-expired");
        assertThat(house().get("/api/v1/domains/example.com/reports").toString())
                .contains("google.com|one|");
    }

    @Test
    void aGenuineImportReplacesAForgedPostAndTheThreeWaysOfSummingAgree() {
        SampleReports forged = SampleReports.report()
                .id("same")
                .day(yesterday())
                .policy("sts", "example.com", 0, 1000)
                .failure("starttls-not-supported", "mx1.example.com", 1000);
        SampleReports genuine = SampleReports.report()
                .id("same")
                .day(yesterday())
                .policy("sts", "example.com", 90, 10)
                .failure("certificate-expired", "mx1.example.com", 10);
        assertThat(house().post(forged.gzip()).statusCode()).isEqualTo(201);
        house().judged(1);
        assertThat(house().importFile("genuine.json", genuine.bytes()))
                .singleElement()
                .satisfies(line -> assertThat(line.path("verdict").asString()).isEqualTo("replaced"));
        assertThat(house().post(forged.gzip()).statusCode()).isEqualTo(201);
        assertThat(house().judged(3)).isEqualTo(Map.of("accepted", 1L, "replaced", 1L, "conflict", 1L));

        String cell = yesterday() + " example.com sts google.com";
        Sums expected = new Sums(
                Map.of(cell, List.of(90L, 10L, 1L)), Map.of(cell + " certificate-expired mx1.example.com", 10L));
        List<Event> events = house().events();
        assertThat(Sums.byAppending(events)).isEqualTo(expected);
        assertThat(Sums.byUpserting(events)).isEqualTo(expected);
        assertThat(Sums.byFirstSeen(events)).isEqualTo(expected);
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(Sums.ofAggregates(house().aggregates())).isEqualTo(expected));
    }

    @Test
    void reportsOfOldOfTodayAndOfTheFutureDoNotHarmEachOther() {
        LocalDate today = yesterday().plusDays(1);
        for (LocalDate day : List.of(today.minusDays(300), today.plusDays(300), today, today.minusDays(5000))) {
            house().post(SampleReports.report().id("d" + day).day(day).gzip());
        }
        house().post(SampleReports.report().id("again").day(yesterday()).gzip());
        house().judged(3);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(
                                Sums.ofAggregates(house().aggregates()).cells().keySet())
                        .containsExactlyInAnyOrder(
                                today.minusDays(300) + " example.com sts google.com",
                                yesterday() + " example.com sts google.com",
                                today + " example.com sts google.com"));
        assertThat(house().records(house().topics().rejected()))
                .extracting(each -> ReportHeaders.text(each.headers(), "reason"))
                .containsExactlyInAnyOrder("implausible-date-range", "too-old");
    }

    @Test
    void twoHundredDomainsBehindOneMxWithOneExpiredSessionEachAreOneAlert() {
        var zip = new java.io.ByteArrayOutputStream();
        try (var out = new java.util.zip.ZipOutputStream(zip)) {
            for (int i = 0; i < 200; i++) {
                out.putNextEntry(new java.util.zip.ZipEntry(i + ".json"));
                out.write(SampleReports.report()
                        .id("id" + i)
                        .day(yesterday())
                        .policy("sts", "d" + i + ".example", 0, 1)
                        .failure("certificate-expired", "mx.provider.example", 1)
                        .bytes());
            }
        } catch (java.io.IOException impossible) {
            throw new java.io.UncheckedIOException(impossible);
        }
        assertThat(house().importFile("domains.zip", zip.toByteArray())).hasSize(200);

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(house().alerts())
                        .singleElement()
                        .satisfies(alert -> {
                            assertThat(alert.rule()).isEqualTo("certificate");
                            assertThat(alert.severity()).isEqualTo("critical");
                            assertThat(alert.state()).isEqualTo(Alert.FIRING);
                            assertThat(alert.receivingMxHostname()).isEqualTo("mx.provider.example");
                            assertThat(alert.evidence().affectedDomainCount()).isEqualTo(200);
                        }));
    }

    @Test
    void theCountersAddUp() {
        house().post(SampleReports.report().id("a").day(yesterday()).gzip());
        house().post(SampleReports.report().id("a").day(yesterday()).gzip());
        house().post("no report".getBytes(StandardCharsets.UTF_8));
        house().judged(2);
        List<ConsumerRecord<byte[], byte[]>> raw =
                house().records(house().topics().raw());
        assertThat(raw).hasSize(2);
        await().atMost(PATIENCE).untilAsserted(() -> {
            double verdicts = house().metrics()
                    .lines()
                    .filter(line -> line.startsWith("tlsrpt_processor_verdicts_total"))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                    .sum();
            assertThat(verdicts).isEqualTo(raw.size());
        });
    }

    protected static LocalDate yesterday() {
        return LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC).minusDays(1);
    }
}

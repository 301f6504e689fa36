package io.tlsrpt.console;

import static io.tlsrpt.console.FilledViews.DAY;
import static io.tlsrpt.console.FilledViews.NOW;
import static io.tlsrpt.console.FilledViews.alert;
import static io.tlsrpt.console.FilledViews.cell;
import static io.tlsrpt.console.FilledViews.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.RawPosition;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

class ViewsTest {

    private static final AggregateView.Filter ALL = new AggregateView.Filter(null, null, null, null, null);

    private static final Overview.Filter EVERY = new Overview.Filter(name -> true, null, Map.of(), null);

    private FilledViews filled;

    @BeforeEach
    void open(@TempDir Path directory) {
        filled = new FilledViews(directory);
    }

    @AfterEach
    void close() {
        filled.close();
    }

    @Test
    void cellsOfADomainComeNewestDayFirstAndOnlyOfTheDaysAsked() {
        for (int back = 0; back < 5; back++) {
            filled.put(cell(DAY.minusDays(back), "example.com", "google.com", 10 + back, 0));
        }
        filled.put(cell(DAY, "example.co", "google.com", 1, 0));
        filled.put(cell(DAY, "example.com.au", "google.com", 1, 0));

        List<JsonNode> rows = rows(filled.views
                .aggregates()
                .cells("example.com", DAY.minusDays(3), DAY.minusDays(1), ALL, null, PageLimit.rows(10)));

        assertThat(rows)
                .extracting(row -> row.path("window").stringValue())
                .containsExactly("2026-11-19", "2026-11-18", "2026-11-17");
    }

    @Test
    void everyPageTogetherGivesEveryCellOnce() {
        Set<String> expected = new HashSet<>();
        for (int day = 0; day < 7; day++) {
            for (int submitter = 0; submitter < 5; submitter++) {
                Aggregate cell = cell(DAY.minusDays(day), "example.com", "r" + submitter + ".example", 1, 0);
                filled.put(cell);
                expected.add(cell.window() + cell.submitter());
            }
        }

        List<JsonNode> rows = pages(cursor ->
                filled.views.aggregates().cells("example.com", DAY.minusDays(30), DAY, ALL, cursor, PageLimit.rows(4)));

        assertThat(rows).hasSize(35);
        assertThat(rows)
                .extracting(row ->
                        row.path("window").stringValue() + row.path("submitter").stringValue())
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    @Test
    void aPageEndsWhenItsBytesAreUsedUp() {
        for (int day = 0; day < 5; day++) {
            filled.put(cell(DAY.minusDays(day), "example.com", "google.com", 1, 0));
        }

        Page page = filled.views
                .aggregates()
                .cells("example.com", DAY.minusDays(30), DAY, ALL, null, new PageLimit(100, 1, 100));

        JsonNode json = Json.MAPPER.readTree(page.json(Map.of()));
        assertThat(json.path("rows").size()).isEqualTo(1);
        assertThat(json.path("complete").booleanValue()).isFalse();
    }

    @Test
    void aPageEndsWhenEnoughWasLookedAtEvenIfNothingMatched() {
        for (int day = 0; day < 5; day++) {
            filled.put(cell(DAY.minusDays(day), "example.com", "google.com", 1, 0));
        }
        AggregateView.Filter other = new AggregateView.Filter("other.example", null, null, null, null);

        JsonNode json = Json.MAPPER.readTree(filled.views
                .aggregates()
                .cells("example.com", DAY.minusDays(30), DAY, other, null, new PageLimit(100, 1_000_000, 2))
                .json(Map.of()));

        assertThat(json.path("rows").size()).isZero();
        assertThat(json.path("complete").booleanValue()).isFalse();
        assertThat(json.path("cursor").isString()).isTrue();
    }

    @Test
    void filtersSelectBySubmitterResultTypeAndMx() {
        filled.put(cell(DAY, "example.com", "google.com", 10, 2));
        filled.put(cell(DAY, "example.com", "microsoft.com", 10, 0));

        assertThat(rows(cells(new AggregateView.Filter("microsoft.com", null, null, null, null))))
                .hasSize(1);
        assertThat(rows(cells(new AggregateView.Filter(null, "tlsa", null, null, null))))
                .isEmpty();
        assertThat(rows(cells(new AggregateView.Filter(null, null, "none", null, null))))
                .isEmpty();
        assertThat(rows(cells(new AggregateView.Filter(null, null, null, "certificate-expired", null))))
                .extracting(row -> row.path("submitter").stringValue())
                .containsExactly("google.com");
        assertThat(rows(cells(new AggregateView.Filter(null, null, null, "certificate-expired", "mx2.example.com"))))
                .isEmpty();
    }

    @Test
    void sumsOfADayFollowItsCellsWhenTheyChangeAreReadAgainOrExpire() {
        Aggregate google = cell(DAY, "example.com", "google.com", 100, 3);
        filled.put(google);
        filled.put(cell(DAY, "example.com", "microsoft.com", 50, 0));
        filled.put(google);
        assertThat(day().totals())
                .containsExactly(
                        new Totals("sts", "dkim", 150, 3, 2, Map.of("certificate", 3L), NOW, Map.of("enforce", NOW)));

        filled.put(cell(DAY, "example.com", "google.com", 110, 0));
        assertThat(day().totals()).singleElement().satisfies(totals -> {
            assertThat(totals.totalSuccessfulSessionCount()).isEqualTo(160);
            assertThat(totals.totalFailureSessionCount()).isZero();
        });

        filled.forget(google.key());
        filled.forget(cell(DAY, "example.com", "microsoft.com", 0, 0).key());
        assertThat(filled.views.aggregates().newest("example.com", 1)).isEmpty();
        assertThat(filled.views.aggregates().domainAfter("")).isEmpty();
    }

    @Test
    void policyTypesAndTrustAreNeverAddedUp() {
        Aggregate sts = cell(DAY, "example.com", "google.com", 100, 0);
        filled.put(sts);
        filled.put(with(sts, "tlsa", "dkim"));
        filled.put(with(sts, "sts", "none"));

        assertThat(day().totals())
                .extracting(Totals::policyType, Totals::authentication, Totals::totalSuccessfulSessionCount)
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple("sts", "dkim", 100L),
                        org.assertj.core.groups.Tuple.tuple("sts", "none", 100L),
                        org.assertj.core.groups.Tuple.tuple("tlsa", "dkim", 100L));
    }

    @Test
    void inventedPolicyTypesDoNotMakeTheSumsOfADayGrow() {
        Aggregate sts = cell(DAY, "example.com", "google.com", 100, 0);
        filled.put(sts);
        for (int i = 0; i < 100; i++) {
            filled.put(with(sts, "sts" + i, "none"));
        }

        assertThat(day().totals())
                .extracting(Totals::policyType, Totals::reportCount)
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple("sts", sts.reportCount()),
                        org.assertj.core.groups.Tuple.tuple("other", 100 * sts.reportCount()));
    }

    @Test
    void theOverviewListsConfiguredAndReportingDomainsSortedAndPaged() {
        filled.put(cell(DAY, "b.example", "google.com", 100, 1));
        filled.put(cell(DAY.minusDays(1), "b.example", "google.com", 100, 0));
        filled.put(cell(DAY.minusDays(40), "d.example", "google.com", 7, 0));
        filled.put(alert("1".repeat(64), "firing", NOW, "b.example", Map.of()));
        List<Settings.Domain> configured = List.of(
                new Settings.Domain("a.example", Map.of("team", "mail")),
                new Settings.Domain("*.example", Map.of("team", "other")),
                new Settings.Domain("c.example", Map.of()));

        List<JsonNode> rows = pages(cursor -> new Overview(filled.views)
                .domains(
                        configured,
                        EVERY,
                        cursor == null ? null : StoreKey.parts(cursor).getFirst(),
                        NOW,
                        PageLimit.rows(1)));

        assertThat(rows)
                .extracting(row -> row.path("domain").stringValue())
                .containsExactly("a.example", "b.example", "c.example", "d.example");
        assertThat(rows)
                .extracting(row -> row.path("state").stringValue())
                .containsExactly("waiting", "regular", "waiting", "first-report");
        JsonNode reporting = rows.get(1);
        assertThat(reporting.path("last-window").stringValue()).isEqualTo("2026-11-20");
        assertThat(reporting.path("labels").path("team").stringValue()).isEqualTo("other");
        assertThat(reporting.path("worst-failure-class").stringValue()).isEqualTo("certificate");
        assertThat(reporting.path("firing-alerts").intValue()).isEqualTo(1);
        assertThat(reporting
                        .path("last-window-totals")
                        .path(0)
                        .path("total-successful-session-count")
                        .longValue())
                .isEqualTo(100);
        assertThat(reporting
                        .path("last-30-days-totals")
                        .path(0)
                        .path("total-successful-session-count")
                        .longValue())
                .isEqualTo(200);
        assertThat(rows.get(3).path("last-30-days-totals").size()).isZero();
    }

    @Test
    void theOverviewIsAsNewAsTheLastRecordAndTheDay() {
        filled.put(cell(DAY, "example.com", "google.com", 100, 0));
        assertThat(successful(NOW)).containsExactly(100L);

        filled.put(cell(DAY, "example.com", "microsoft.com", 20, 0));
        assertThat(successful(NOW)).containsExactly(120L);

        filled.put(cell(DAY, "other.example", "google.com", 1, 0));
        assertThat(successful(NOW)).containsExactly(120L, 1L);

        assertThat(successful(NOW.plus(Duration.ofDays(40)))).isEmpty();
    }

    @Test
    void aRecordThatComesWhileTheFirstDomainIsReadIsNotMissed() throws InterruptedException {
        byte[] key = new JsonSerde<>(AggregateKey.class)
                .write(new AggregateKey(DAY, "example.com", "sts", "google.com", "dkim"));
        KeyValueStore<Bytes, byte[]> empty =
                Stores.inMemoryKeyValueStore("empty").get();
        AtomicReference<AggregateView> view = new AtomicReference<>();
        List<Thread> records = new ArrayList<>();
        view.set(new AggregateView(() -> {
            Thread record = Thread.ofPlatform()
                    .start(() -> Objects.requireNonNull(view.get()).written(key));
            records.add(record);
            while (record.isAlive() && record.getState() != Thread.State.BLOCKED) {
                Thread.onSpinWait();
            }
            return empty;
        }));

        Objects.requireNonNull(view.get()).past("example.com", DAY);
        records.getFirst().join();
        view.get().past("example.com", DAY);

        assertThat(records).as("one for each time that the store was read").hasSize(2);
        records.getLast().join();
    }

    private List<Long> successful(Instant now) {
        return pages(cursor -> new Overview(filled.views)
                        .domains(
                                List.of(),
                                EVERY,
                                cursor == null ? null : StoreKey.parts(cursor).getFirst(),
                                now,
                                PageLimit.rows(10)))
                .stream()
                .flatMap(row -> row.path("last-30-days-totals").valueStream())
                .map(totals -> totals.path("total-successful-session-count").longValue())
                .toList();
    }

    @Test
    void theOverviewShowsPendingDomainsWithTheirNumbersUnlessTheyAreConfiguredAcceptedOrForgotten() {
        for (String domain : List.of("a.example", "b.example", "c.example", "d.example", "e.example")) {
            filled.put(DomainClaim.pending(domain, "mailto:tlsrpt@reports.example", NOW));
        }
        filled.put(cell(DAY, "b.example", "google.com", 100, 3));
        filled.put(cell(DAY, "c.example", "google.com", 100, 0));
        filled.put(DomainClaim.pending("c.example", "mailto:tlsrpt@reports.example", NOW)
                .accept(NOW));
        filled.put(cell(DAY, "d.example", "google.com", 100, 0));
        filled.forgetDomain("e.example");

        List<JsonNode> rows = pages(cursor -> new Overview(filled.views)
                .domains(
                        List.of(new Settings.Domain("d.example", Map.of())),
                        EVERY,
                        cursor == null ? null : StoreKey.parts(cursor).getFirst(),
                        NOW,
                        PageLimit.rows(1)));

        assertThat(rows)
                .extracting(row -> row.path("domain").stringValue() + " "
                        + row.path("state").stringValue())
                .containsExactly(
                        "a.example pending", "b.example pending", "c.example first-report", "d.example first-report");
        assertThat(rows.get(1)
                        .path("last-window-totals")
                        .path(0)
                        .path("total-failure-session-count")
                        .longValue())
                .isEqualTo(3);
    }

    @Test
    void reportsAreListedUnderEachOfTheirDomainsLatestFirst() {
        filled.put(report("k1", "google.com", DAY, "example.com", "example.net"));
        filled.put(report("k2", "google.com", DAY.plusDays(1), "example.com"));

        assertThat(reportKeys("example.com")).containsExactly("k2", "k1");
        assertThat(reportKeys("example.net")).containsExactly("k1");
        assertThat(reportKeys("example.org")).isEmpty();

        filled.forgetReport("k2");
        assertThat(reportKeys("example.com")).containsExactly("k1");
        assertThat(filled.views.reports().report("k2")).isNull();
    }

    @Test
    void reportersAreCountedOnceHoweverOftenARecordIsRead() {
        filled.put(report("k1", "google.com", DAY, "example.com"));
        filled.put(report("k1", "google.com", DAY, "example.com"));
        filled.put(report("k2", "google.com", DAY, "example.com"));
        filled.put(report("k3", "microsoft.com", DAY, "example.com"));
        filled.forgetReport("k3");
        filled.forgetReport("k3");

        List<JsonNode> rows = rows(filled.views.reports().reporters(null, PageLimit.rows(10)));

        assertThat(rows).singleElement().satisfies(row -> {
            assertThat(row.path("submitter").stringValue()).isEqualTo("google.com");
            assertThat(row.path("report-counts").path("dkim").longValue()).isEqualTo(2);
        });
    }

    @Test
    void aReporterIsKnownByItsDaysDelayDomainsAndDeviations() {
        for (int i = 0; i < 40; i++) {
            filled.put(sent("k" + i, i, Duration.ofHours(i), "dkim", List.of("date-without-zone")));
        }
        filled.put(sent("archive", 41, Duration.ofDays(300), "operator", List.of(), true));

        JsonNode row = reporter();

        assertThat(row.at("/report-counts/dkim").longValue()).isEqualTo(40);
        assertThat(row.at("/report-counts/operator").longValue()).isEqualTo(1);
        assertThat(row.at("/leniencies/date-without-zone").longValue()).isEqualTo(40);
        assertThat(row.path("domain-count").longValue()).isEqualTo(2);
        assertThat(row.path("domains").valueStream().map(JsonNode::asString))
                .containsExactly("archive.example", "example.com");
        assertThat(row.path("delay").asString()).isEqualTo("PT20H");
        assertThat(row.path("days").size()).isEqualTo(30);
        assertThat(row.path("days").get(0).asString()).isEqualTo(DAY.toString());
        assertThat(row.path("days").get(29).asString())
                .isEqualTo(DAY.minusDays(29).toString());
        assertThat(rows(filled.views.reports().reporters(null, PageLimit.rows(10)))
                        .getFirst()
                        .has("domains"))
                .isFalse();
    }

    @Test
    void whatAReplacedReportSaidOfItsReporterIsTakenBack() {
        filled.put(sent("first", 3, Duration.ofHours(1), "dkim", List.of()));
        JsonNode before = reporter();
        filled.put(sent("forged", 2, Duration.ofHours(9), "none", List.of("bom", "date-as-epoch")));
        assertThat(reporter().at("/report-counts/none").longValue()).isEqualTo(1);

        filled.put(sent("forged", 2, Duration.ofHours(5), "dkim", List.of("bom")));

        JsonNode row = reporter();
        assertThat(row.path("report-counts").propertyNames()).containsExactly("dkim");
        assertThat(row.at("/report-counts/dkim").longValue()).isEqualTo(2);
        assertThat(row.path("leniencies").propertyNames()).containsExactly("bom");
        assertThat(row.path("last-received-at").asString())
                .isEqualTo(end(2).plus(Duration.ofHours(5)).toString());
        assertThat(row.path("delay").asString()).isEqualTo("PT5H");
        assertThat(row.path("domain-count").longValue()).isEqualTo(1);

        filled.forgetReport("forged");
        filled.forgetReport("forged");
        ObjectNode after = (ObjectNode) reporter();
        assertThat(after.path("days")).isEqualTo(before.path("days"));
        assertThat(after.path("first-received-at")).isEqualTo(before.path("first-received-at"));
        assertThat(after.path("last-received-at")).isEqualTo(before.path("last-received-at"));
        assertThat(after.path("leniencies")).isEqualTo(before.path("leniencies"));
        assertThat(after.path("domains")).isEqualTo(before.path("domains"));

        filled.forgetReport("first");
        assertThat(filled.views.reports().reporter("google.com")).isEmpty();
        assertThat(filled.entries(ReportView.STORE)).isZero();
    }

    private JsonNode reporter() {
        return Json.MAPPER.valueToTree(
                filled.views.reports().reporter("google.com").orElseThrow());
    }

    private static AcceptedReport sent(
            String key, int daysAgo, Duration delay, String authentication, List<String> leniencies) {
        return sent(key, daysAgo, delay, authentication, leniencies, false);
    }

    private static AcceptedReport sent(
            String key, int daysAgo, Duration delay, String authentication, List<String> leniencies, boolean backfill) {
        return new AcceptedReport(
                key,
                0,
                "google.com",
                "Google Inc.",
                null,
                key,
                end(daysAgo).minus(Duration.ofDays(1)),
                end(daysAgo),
                List.of(backfill ? "archive.example" : "example.com"),
                List.of(),
                authentication,
                "smtp",
                end(daysAgo).plus(delay),
                backfill,
                leniencies,
                new RawPosition(0, 7),
                null);
    }

    private static Instant end(int daysAgo) {
        return DAY.minusDays(daysAgo - 1L).atStartOfDay().toInstant(ZoneOffset.UTC);
    }

    @Test
    void anAlertStandsOnceUnderItsLatestStateFiringOnesFirst() {
        String first = "1".repeat(64);
        String second = "2".repeat(64);
        filled.put(alert(first, Alert.FIRING, NOW, "example.com", Map.of("team", "mail")));
        filled.put(alert(second, Alert.FIRING, NOW.plusSeconds(60), "example.net", Map.of()));
        assertThat(alertIds(null, null, Map.of())).containsExactly(second, first);

        filled.put(alert(second, Alert.RESOLVED, NOW.plusSeconds(120), "example.net", Map.of()));

        assertThat(alertIds(null, null, Map.of())).containsExactly(first, second);
        assertThat(alertIds(Alert.FIRING, null, Map.of())).containsExactly(first);
        assertThat(alertIds(Alert.RESOLVED, null, Map.of())).containsExactly(second);
        assertThat(alertIds(null, "shared.example", Map.of())).containsExactly(first, second);
        assertThat(alertIds(null, "example.net", Map.of())).containsExactly(second);
        assertThat(alertIds(null, null, Map.of("team", "mail"))).containsExactly(first);
        assertThat(filled.views.alerts().firingByDomain())
                .containsOnly(
                        Map.entry("example.com", new AlertView.Firing(1, "critical")),
                        Map.entry("shared.example", new AlertView.Firing(1, "critical")));
    }

    @Test
    void recordsThatAreNoneOfOursAreSkippedAndCounted() {
        filled.pipe(FilledViews.TOPICS.aggregates(), bytes("no json"), bytes("{}"));
        filled.pipe(FilledViews.TOPICS.aggregates(), bytes("{}"), bytes("{}"));
        filled.pipe(FilledViews.TOPICS.reports(), bytes("k"), bytes("{\"report-key\":1"));
        filled.pipe(FilledViews.TOPICS.alerts(), bytes("k"), bytes("[]"));
        filled.pipe(FilledViews.TOPICS.notifications(), bytes("no slash"), bytes("{}"));
        filled.put(cell(DAY, "example.com", "google.com", 1, 0));

        assertThat(rows(cells(ALL))).hasSize(1);
        assertThat(filled.meters.counter("tlsrpt.console.skipped.records").count())
                .isEqualTo(5);
    }

    @Test
    void aZeroByteInANameShiftsNothing() {
        filled.put(cell(DAY, "example.com", "evil\u00002026-11-20\u0000sts", 1, 0));

        assertThat(rows(cells(ALL)))
                .singleElement()
                .satisfies(row ->
                        assertThat(row.path("submitter").stringValue()).isEqualTo("evil\u00002026-11-20\u0000sts"));
        assertThat(filled.views.aggregates().domainAfter("example.com")).isEmpty();
    }

    private AggregateView.Day day() {
        return filled.views.aggregates().newest("example.com", 1).getFirst();
    }

    private Page cells(AggregateView.Filter filter) {
        return filled.views.aggregates().cells("example.com", DAY, DAY, filter, null, PageLimit.rows(10));
    }

    private List<String> reportKeys(String domain) {
        return rows(filled.views.reports().reports(domain, null, PageLimit.rows(10))).stream()
                .map(row -> row.path("report-key").stringValue())
                .toList();
    }

    private List<String> alertIds(@Nullable String state, @Nullable String domain, Map<String, String> labels) {
        return pages(cursor -> filled.views
                        .alerts()
                        .alerts(new AlertView.Filter(state, domain, labels, null), cursor, PageLimit.rows(1)))
                .stream()
                .map(row -> row.path("alert-id").stringValue())
                .toList();
    }

    private static Aggregate with(Aggregate cell, String policyType, String authentication) {
        return new Aggregate(
                cell.window(),
                cell.policyDomain(),
                policyType,
                cell.submitter(),
                authentication,
                cell.totalSuccessfulSessionCount(),
                cell.totalFailureSessionCount(),
                cell.reportCount(),
                cell.policyMode(),
                cell.failures(),
                cell.firstReceivedAt(),
                cell.lastReceivedAt(),
                cell.latestEndDatetime(),
                cell.backfill());
    }

    private static List<JsonNode> rows(Page page) {
        List<JsonNode> rows = new ArrayList<>();
        Json.MAPPER.readTree(page.json(Map.of())).path("rows").forEach(rows::add);
        return rows;
    }

    private static List<JsonNode> pages(Function<@Nullable Bytes, Page> ask) {
        List<JsonNode> all = new ArrayList<>();
        Bytes cursor = null;
        for (int page = 0; page < 1_000; page++) {
            Page answer = ask.apply(cursor);
            all.addAll(rows(answer));
            JsonNode next = Json.MAPPER.readTree(answer.json(Map.of())).path("cursor");
            if (!next.isString()) {
                return all;
            }
            cursor = Cursor.bytes(next.stringValue());
        }
        throw new AssertionError("the pages do not end");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

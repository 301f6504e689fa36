package io.tlsrpt.console;

import static io.tlsrpt.console.FilledViews.DAY;
import static io.tlsrpt.console.FilledViews.NOW;
import static io.tlsrpt.console.FilledViews.TOPICS;
import static io.tlsrpt.console.FilledViews.alert;
import static io.tlsrpt.console.FilledViews.cell;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.runtime.Caller;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.ReportHeaders;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class DomainsApiTest {

    private static final String OURS = "mailto:tlsrpt@reports.example";
    private static final String SETTINGS = """
            rua: ["mailto:tlsrpt@reports.example"]
            domains:
              - {name: a.example, labels: {team: mail, site: one}}
              - {name: "*.wild.example", labels: {team: wild}}
              - {name: own.wild.example, labels: {team: mail}}
            """;

    private final RecordedTopics topics = new RecordedTopics();
    private FilledViews filled;
    private String settings = SETTINGS;

    @BeforeEach
    void start(@TempDir Path directory) {
        filled = new FilledViews(directory);
    }

    @AfterEach
    void stop() {
        filled.close();
    }

    @Test
    void labelsOfWildcardSettingsCount() {
        filled.put(cell(DAY, "sub.wild.example", "google.com", 1, 0));

        assertThat(names(rows(Map.of("label", List.of("team:wild"))))).containsExactly("sub.wild.example");
        assertThat(names(rows(Map.of("label", List.of("team:mail"))))).containsExactly("a.example", "own.wild.example");
        assertThat(names(rows(Map.of("label", List.of("team:mail", "site:one")))))
                .containsExactly("a.example");
        assertThat(names(rows(Map.of("q", List.of("WILD"))))).containsExactly("own.wild.example", "sub.wild.example");
        assertThat(names(rows(Map.of("q", List.of("wild"), "state", List.of("first-report")))))
                .containsExactly("sub.wild.example");
    }

    @Test
    void allPagesOfAFilterTogetherAreWhole() {
        for (int i = 0; i < 60; i++) {
            String domain = "d" + i + (i % 3 == 0 ? ".yes.example" : ".no.example");
            filled.put(cell(DAY, domain, "google.com", 1, 0));
            if (i % 2 == 0) {
                filled.put(cell(DAY.minusDays(1), domain, "google.com", 1, 0));
            }
        }
        List<String> all = new ArrayList<>();
        Map<String, List<String>> query =
                new HashMap<>(Map.of("q", List.of("yes"), "state", List.of("regular"), "limit", List.of("3")));
        JsonNode page;
        do {
            page = json("/api/v1/domains", "", query);
            all.addAll(names(page.path("rows")));
            query.put("cursor", List.of(page.path("cursor").asString("none")));
        } while (!page.path("complete").booleanValue());

        assertThat(all)
                .containsExactlyInAnyOrderElementsOf(IntStream.range(0, 60)
                        .filter(i -> i % 6 == 0)
                        .mapToObj(i -> "d" + i + ".yes.example")
                        .toList());
    }

    @Test
    void theTrendIsThatOfTheVerifiedPolicyTypeWithMostSessions() {
        LocalDate today = LocalDate.ofInstant(NOW, ZoneOffset.UTC);
        filled.put(of(cell(today, "a.example", "google.com", 10, 1), "sts", "dkim"));
        filled.put(of(cell(today, "a.example", "mail.ru", 5, 0), "sts", "operator"));
        filled.put(of(cell(today.minusDays(29), "a.example", "google.com", 7, 0), "sts", "dkim"));
        filled.put(of(cell(today.minusDays(30), "a.example", "google.com", 1_000, 0), "tlsa", "dkim"));
        filled.put(of(cell(today, "a.example", "google.com", 20, 0), "tlsa", "dkim"));
        filled.put(of(cell(today, "a.example", "forger.example", 0, 1_000_000), "sts", "none"));

        JsonNode trend = row("a.example").path("trend");

        assertThat(trend.path("policy-type").stringValue()).isEqualTo("sts");
        assertThat(trend.path("trust").stringValue()).isEqualTo("verified");
        assertThat(trend.path("from").stringValue()).isEqualTo("2026-10-24");
        assertThat(trend.path("successful").size()).isEqualTo(30);
        assertThat(trend.path("successful").path(0).longValue()).isEqualTo(7);
        assertThat(trend.path("successful").path(29).longValue()).isEqualTo(15);
        assertThat(trend.path("failed").path(29).longValue()).isEqualTo(1);
        assertThat(trend.path("successful")
                        .valueStream()
                        .mapToLong(JsonNode::longValue)
                        .sum())
                .isEqualTo(22);
    }

    @Test
    void withoutVerifiedReportsTheTrendIsThatOfTheOthers() {
        filled.put(of(cell(DAY, "a.example", "google.com", 10, 1), "no-policy-found", "none"));
        filled.put(of(cell(DAY, "b.example", "google.com", 10, 1), "invented", "dkim"));

        assertThat(row("a.example").path("trend").path("trust").stringValue()).isEqualTo("unverified");
        assertThat(row("b.example").has("trend")).isFalse();
    }

    @Test
    void theModeIsThatOfTheLatestReportOfTheNewestDayThatTellsOne() {
        filled.put(mode(cell(DAY.minusDays(1), "a.example", "google.com", 1, 0), "testing", NOW));
        filled.put(mode(cell(DAY, "a.example", "google.com", 1, 0), "testing", NOW.minusSeconds(60)));
        filled.put(mode(cell(DAY, "a.example", "mail.ru", 1, 0), "enforce", NOW));
        filled.put(
                mode(of(cell(DAY, "a.example", "forger.example", 1, 0), "sts", "none"), "none", NOW.plusSeconds(60)));
        filled.put(mode(cell(DAY.plusDays(1), "a.example", "google.com", 1, 0), null, NOW.plusSeconds(90)));

        JsonNode row = row("a.example");

        assertThat(row.path("policy-mode").stringValue()).isEqualTo("enforce");
        assertThat(row.path("last-received-at").stringValue())
                .isEqualTo(NOW.plusSeconds(90).toString());
    }

    @Test
    void whatIsLatestFollowsTheCellsAsIfTheyHadBeenReadAnew() {
        Aggregate google = mode(cell(DAY, "a.example", "google.com", 1, 0), "testing", NOW.minusSeconds(60));
        filled.put(google);
        filled.put(mode(cell(DAY, "a.example", "mail.ru", 1, 0), "enforce", NOW));
        filled.forget(
                mode(cell(DAY, "a.example", "mail.ru", 1, 0), "enforce", NOW).key());

        assertThat(row("a.example").path("policy-mode").stringValue()).isEqualTo("testing");
        assertThat(row("a.example").path("last-received-at").stringValue())
                .isEqualTo(NOW.minusSeconds(60).toString());

        filled.put(mode(cell(DAY, "a.example", "google.com", 1, 0), "enforce", NOW.minusSeconds(60)));

        assertThat(row("a.example").at("/last-window-totals/0/policy-modes").propertyNames())
                .containsExactly("enforce");
        assertThat(row("a.example")
                        .at("/last-window-totals/0/total-successful-session-count")
                        .longValue())
                .isEqualTo(1);
    }

    @Test
    void theWorstAlertIsTold() {
        filled.put(alert("1".repeat(64), "firing", NOW, "a.example", Map.of()));

        assertThat(row("a.example").path("firing-alerts").intValue()).isEqualTo(1);
        assertThat(row("a.example").path("worst-severity").stringValue()).isEqualTo("critical");
        assertThat(row("own.wild.example").has("worst-severity")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "missing, 72, record-missing, missing",
        "invalid, 72, waiting, broken",
        "several, 72, waiting, broken",
        "unknown, 72, waiting, unknown",
        "published, 49, waiting, found",
        "published, 47, published, found"
    })
    void withoutReportsTheRecordTellsHowFarTheDomainHasCome(String seen, int hoursAgo, String state, String record) {
        look("a.example", NOW.minus(Duration.ofHours(hoursAgo)), seen);

        assertThat(row("a.example").path("state").stringValue()).isEqualTo(state);
        assertThat(row("a.example").path("record").stringValue()).isEqualTo(record);
    }

    @Test
    void aRecordIsFoundSinceTheFirstLookInARowThatFoundIt() {
        look("a.example", NOW.minus(Duration.ofDays(5)), "published");
        look("a.example", NOW.minus(Duration.ofDays(4)), "missing");
        look("a.example", NOW.minus(Duration.ofDays(3)), "published");
        look("a.example", NOW.minus(Duration.ofDays(2)), "unknown");
        look("a.example", NOW.minus(Duration.ofDays(1)), "published");
        look("a.example", NOW.minus(Duration.ofDays(9)), "missing");

        InspectionView.TlsRptRecord record = filled.views.inspections().record("a.example", NOW);
        assertThat(record)
                .isEqualTo(new InspectionView.TlsRptRecord(
                        "found", NOW.minus(Duration.ofDays(3)), NOW.minus(Duration.ofDays(1))));
        assertThat(filled.views.inspections().record("a.example", NOW.plus(Duration.ofDays(90))))
                .isNull();
    }

    @Test
    void ofADomainThatNobodyKnowsNothingIsTold() {
        filled.put(DomainClaim.pending("claimed.example", OURS, NOW));
        look("looked.example", NOW, "published");

        assertThat(answer("/api/v1/domains/{domain}", "unknown.example", Map.of())
                        .status())
                .isEqualTo(404);
        assertThat(answer("/api/v1/domains/{domain}", "any.wild.example", Map.of())
                        .status())
                .isEqualTo(404);
        for (String known : List.of("a.example", "claimed.example", "looked.example")) {
            assertThat(domain(known).path("domain").stringValue()).isEqualTo(known);
        }
    }

    @Test
    void withoutARecordItIsSaidWhatToPublish() {
        look("a.example", NOW, "missing");

        assertThat(state("a.example", "record")).isEqualTo("problem");
        assertThat(point("a.example", "record").path("fix").stringValue()).contains("./tlsrpt record a.example");
        assertThat(state("a.example", "adoption")).isEqualTo("absent");
        assertThat(state("a.example", "rua")).isEqualTo("absent");
        assertThat(domain("a.example").path("inspected-at").stringValue()).isEqualTo(NOW.toString());
    }

    @Test
    void nobodyHasLooked() {
        assertThat(state("a.example", "record")).isEqualTo("unknown");
        assertThat(state("a.example", "reports")).isEqualTo("unknown");
        assertThat(state("a.example", "rejected")).isEqualTo("ok");
        assertThat(domain("a.example").has("inspected-at")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "mailto:TLSRPT@reports.example?subject=x, ok",
        "mailto:somebody@else.example, problem",
        "https://reports.example/v1/tlsrpt, problem",
        "gopher:x, problem"
    })
    void theAddressesOfTheRecordAreComparedWithOurs(String rua, String state) {
        look("a.example", NOW.minus(Duration.ofDays(5)), "published", rua);

        assertThat(state("a.example", "rua")).isEqualTo(state);
        assertThat(state("a.example", "adoption")).isEqualTo("unknown");
    }

    @Test
    void whenOurAddressesAreNotConfiguredItCannotBeTold() {
        settings = "domains: [{name: a.example}]";
        look("a.example", NOW, "published", "mailto:somebody@else.example");

        assertThat(state("a.example", "rua")).isEqualTo("unknown");
        assertThat(point("a.example", "record").path("text").stringValue()).contains("less than two days ago");
        assertThat(state("a.example", "adoption")).isEqualTo("absent");
    }

    @Test
    void whatWasRefusedAboutTheDomainIsCountedByReason() {
        rejected(0, "dkim-failed", "google.com|id|2026-11-20T00:00:00Z|a.example,b.example", null);
        rejected(1, "dkim-failed", "", "a.example");
        rejected(2, "foreign-domain", "google.com|id2|2026-11-20T00:00:00Z|a.example", null);
        rejected(3, "not-json", "", null);
        rejected(4, "not-json", "google.com|id3|2026-11-20T00:00:00Z|aa.example", null);

        JsonNode point = point("a.example", "rejected");

        assertThat(point.path("state").stringValue()).isEqualTo("problem");
        assertThat(point.path("text").stringValue())
                .isEqualTo("3 of the newest refused documents are about this domain: 2 dkim-failed, 1 foreign-domain.");
        assertThat(point.path("link").stringValue()).isEqualTo("/rejected?reason=dkim-failed");
        assertThat(point.path("fix").isString()).isTrue();
        assertThat(point("own.wild.example", "rejected").path("text").stringValue())
                .endsWith("; 1 do not say what they are about.");
    }

    @Test
    void aMailboxIsMentionedWhereOneIsWatched() {
        assertThat(state("a.example", "mailbox")).isEqualTo("absent");
        settings = SETTINGS
                + "mail: {mailboxes: [{name: reports, host: imap.example, user: u, password: \"secret-word\"}]}\n";

        assertThat(point("a.example", "mailbox").path("text").stringValue()).contains("INBOX of reports");
        filled.put(cell(DAY, "a.example", "google.com", 1, 0));
        assertThat(state("a.example", "mailbox")).isEqualTo("absent");
    }

    @Test
    void reportsThatCeasedAreAProblem() {
        filled.put(mode(cell(DAY, "a.example", "google.com", 1, 0), "enforce", NOW.minus(Duration.ofDays(3))));
        assertThat(state("a.example", "reports")).isEqualTo("ok");

        filled.put(mode(cell(DAY, "b.example", "google.com", 1, 0), "enforce", NOW.minus(Duration.ofDays(5))));
        assertThat(state("b.example", "reports")).isEqualTo("problem");
    }

    @Test
    void theSummaryIsOfTheHeadlineUnlessAskedOtherwise() {
        filled.put(of(cell(DAY, "a.example", "google.com", 100, 5), "sts", "dkim"));
        filled.put(of(cell(DAY, "a.example", "google.com", 30, 0), "tlsa", "dkim"));
        filled.put(of(cell(DAY, "a.example", "other.example", 999, 1), "sts", "none"));

        JsonNode summary = json("/api/v1/domains/{domain}/summary", "a.example", Map.of());
        assertThat(summary.path("policy-type").stringValue()).isEqualTo("sts");
        assertThat(summary.path("trust").stringValue()).isEqualTo("verified");
        assertThat(summary.path("from").stringValue()).isEqualTo("2026-10-24");
        assertThat(summary.at("/totals/total-successful-session-count").longValue())
                .isEqualTo(100);
        assertThat(summary.at("/by-result-type/0/failure-class").stringValue()).isEqualTo("certificate");
        assertThat(summary.at("/by-mx/0/receiving-mx-hostname").stringValue()).isEqualTo("mx1.a.example");
        assertThat(summary.path("by-trust").size()).isEqualTo(2);
        assertThat(summary.at("/policy-modes/0/policy-mode").stringValue()).isEqualTo("enforce");

        JsonNode unverified =
                json("/api/v1/domains/{domain}/summary", "a.example", Map.of("trust", List.of("unverified")));
        assertThat(unverified.at("/totals/total-successful-session-count").longValue())
                .isEqualTo(999);
        JsonNode empty = json("/api/v1/domains/{domain}/summary", "nobody.example", Map.of());
        assertThat(empty.path("days").size()).isZero();
        assertThat(empty.path("policy-type").stringValue()).isEqualTo("sts");
    }

    @Test
    void readinessIsJudgedFromReportsAndTheLastLook() {
        LocalDate today = LocalDate.ofInstant(NOW, ZoneOffset.UTC);
        LongStream.range(1, 21)
                .forEach(day -> filled.put(
                        cell(today.minusDays(day), "a.example", "reporter" + day % 2 + ".example", 1_000, 0)));
        filled.put(cell(today.minusDays(12), "a.example", "reporter3.example", 0, 4));

        JsonNode unseen = json("/api/v1/domains/{domain}/readiness", "a.example", Map.of());
        assertThat(unseen.path("verdict").stringValue()).isEqualTo("not-enough-data");
        assertThat(unseen.has("inspected-at")).isFalse();
        assertThat(unseen.at("/failures/0/receiving-mx-hostname").stringValue()).isEqualTo("mx1.a.example");
        assertThat(unseen.at("/failures/0/last-window").stringValue())
                .isEqualTo(today.minusDays(12).toString());

        inOrder("a.example", NOW.minus(Duration.ofDays(4)));
        assertThat(json("/api/v1/domains/{domain}/readiness", "a.example", Map.of())
                        .path("verdict")
                        .stringValue())
                .isEqualTo("not-enough-data");
        inOrder("a.example", NOW.minus(Duration.ofDays(1)));
        JsonNode ready = json("/api/v1/domains/{domain}/readiness", "a.example", Map.of());
        assertThat(ready.path("verdict").stringValue()).as(ready.toString()).isEqualTo("ready");
        assertThat(ready.path("inspected-at").stringValue())
                .isEqualTo(NOW.minus(Duration.ofDays(1)).toString());
        assertThat(ready.path("conditions").size()).isEqualTo(7);
        assertThat(ready.at("/conditions/0/state").stringValue()).isEqualTo("met");
    }

    private void look(String domain, Instant at, String state, String... rua) {
        put(new Inspection(
                domain,
                at,
                Inspection.WATCH,
                "open",
                null,
                new Inspection.TlsRpt(state, null, List.of(rua)),
                null,
                null,
                null));
    }

    private void inOrder(String domain, Instant at) {
        put(new Inspection(
                domain,
                at,
                Inspection.WATCH,
                "open",
                "mx",
                new Inspection.TlsRpt("published", null, List.of(OURS)),
                new Inspection.MtaSts("published", "1", "valid", "testing", 604_800L, List.of("mx1"), null, null),
                List.of(new Inspection.Mx(
                        "mx1",
                        10,
                        "insecure",
                        true,
                        null,
                        List.of(new Inspection.Address("192.0.2.1", "offered", null, null, "valid", null, null)))),
                List.of()));
    }

    private void put(Inspection look) {
        filled.pipe(
                TOPICS.inspections(),
                look.policyDomain().getBytes(StandardCharsets.UTF_8),
                new JsonSerde<>(Inspection.class).write(look));
    }

    private void rejected(long offset, String reason, String key, @Nullable String channelDomain) {
        RecordHeaders headers = new RecordHeaders();
        ReportHeaders.put(headers, ReportHeaders.REASON, reason);
        if (channelDomain != null) {
            headers.add("channel-domain", channelDomain.getBytes(StandardCharsets.UTF_8));
        }
        topics.add(
                TOPICS.rejected().name(),
                0,
                offset,
                NOW.toEpochMilli(),
                key.getBytes(StandardCharsets.UTF_8),
                new byte[] {'{'},
                headers);
    }

    private static Aggregate of(Aggregate cell, String policyType, String authentication) {
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

    private static Aggregate mode(Aggregate cell, @Nullable String mode, Instant received) {
        return new Aggregate(
                cell.window(),
                cell.policyDomain(),
                cell.policyType(),
                cell.submitter(),
                cell.authentication(),
                cell.totalSuccessfulSessionCount(),
                cell.totalFailureSessionCount(),
                cell.reportCount(),
                mode,
                cell.failures(),
                received,
                received,
                cell.latestEndDatetime(),
                cell.backfill());
    }

    private JsonNode rows(Map<String, List<String>> query) {
        return json("/api/v1/domains", "", query).path("rows");
    }

    private JsonNode row(String domain) {
        return rows(Map.of("q", List.of(domain))).path(0);
    }

    private static List<String> names(JsonNode rows) {
        return rows.valueStream().map(row -> row.path("domain").stringValue()).toList();
    }

    private JsonNode domain(String name) {
        return json("/api/v1/domains/{domain}", name, Map.of());
    }

    private JsonNode point(String domain, String check) {
        return domain(domain)
                .path("arrival")
                .valueStream()
                .filter(point -> point.path("check").stringValue().equals(check))
                .findFirst()
                .orElse(Json.MAPPER.createObjectNode());
    }

    private String state(String domain, String check) {
        return point(domain, check).path("state").asString("absent");
    }

    private JsonNode json(String path, String domain, Map<String, List<String>> query) {
        Answer answer = answer(path, domain, query);
        assertThat(answer.status())
                .as(new String(answer.body(), StandardCharsets.UTF_8))
                .isEqualTo(200);
        return Json.MAPPER.readTree(answer.body());
    }

    private Answer answer(String path, String domain, Map<String, List<String>> query) {
        Clock clock = Clock.fixed(NOW, ZoneOffset.UTC);
        Settings now = SettingsFile.parse("test", settings, variable -> null);
        ApiRoutes.Endpoint endpoint = new DomainsApi(
                        filled.views, new TopicReader(TOPICS, topics::consumer, clock), () -> now, clock)
                .endpoints().stream()
                        .filter(each -> each.path().equals(path))
                        .findFirst()
                        .orElseThrow();
        Parameters parameters = new Parameters(
                Caller.LOCAL,
                new Visible(Caller.LOCAL, FilledViews.access()),
                false,
                Map.of("domain", domain),
                query,
                endpoint.parameters() == null ? query.keySet() : endpoint.parameters(),
                Json.MAPPER.createObjectNode());
        var question = endpoint.question().read(parameters);
        assertThat(parameters.faults()).isEmpty();
        return question.get();
    }
}

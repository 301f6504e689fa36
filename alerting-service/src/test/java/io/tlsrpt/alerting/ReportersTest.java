package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static io.tlsrpt.alerting.Detection.EXPIRED;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertAction;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The rules about reporters, through the whole topology: `reporter-fault`, `rejections`, and those about silence.
class ReportersTest {

    private static final LocalDate DAY_1 = DAY_0.plusDays(1);

    @TempDir
    private Path directory;

    private Detection detection;

    private record Arrival(Aggregate aggregate, Instant at) {}

    private final List<Arrival> arrivals = new ArrayList<>();

    @BeforeEach
    void start() {
        detection = new Detection(directory);
    }

    @AfterEach
    void stop() {
        detection.close();
    }

    @Test
    void aReporterThatAloneSeesAFailureAtManyDomainsIsAtFault() {
        detection.hoursAfter(DAY_0, 10);
        others(12, "microsoft.com", 0);
        others(12, "google.com", 8);
        detection.pass(Duration.ofMinutes(1));

        Alert alert = fault();
        assertThat(alert.summary())
                .isEqualTo("google.com reports certificate-expired on 8 of 12 domains on 2026-11-20 and nobody else"
                        + " does: its own clock or resolver?");
        assertThat(alert.severity()).isEqualTo("warning");
        assertThat(alert.submitter()).isEqualTo("google.com");
        assertThat(alert.resultType()).isEqualTo(EXPIRED);
        assertThat(alert.evidence().failedSessionCount()).isEqualTo(8);
        assertThat(alert.evidence().affectedDomainCount()).isEqualTo(8);
        assertThat(alert.evidence().affectedDomains()).contains("d0.example.net");
        assertThat(alert.help()).isNotNull();
        assertThat(alert.runbookUrl()).isEqualTo("https://tls.example.com/runbook#reporter-fault");
    }

    @Test
    void theFirstToSeeAnOutageIsNotAtFaultUntilOthersContradict() {
        detection.hoursAfter(DAY_0, 10);
        others(12, "google.com", 12);
        assertThat(faults()).isEmpty();
        others(12, "microsoft.com", 0);
        assertThat(faults()).hasSize(1);
    }

    @Test
    void aFaultThatOthersSeeTooIsNotTheReporters() {
        detection.hoursAfter(DAY_0, 10);
        others(12, "microsoft.com", 0);
        others(12, "google.com", 8);
        others(12, "comcast.net", 8);
        assertThat(faults()).singleElement().satisfies(alert -> {
            assertThat(alert.resolveReason()).isEqualTo("retracted");
            assertThat(alert.summary()).startsWith("others report it too");
        });
    }

    @Test
    void itEndsByALaterCleanDay() {
        detection.hoursAfter(DAY_0, 10);
        others(12, "microsoft.com", 0);
        others(12, "google.com", 8);
        detection.hoursAfter(DAY_1, 10);
        for (int i = 0; i < 12; i++) {
            assertThat(fault().firing()).isEqualTo(i < 6);
            detection
                    .cell(DAY_1, "google.com")
                    .domain("d" + i + ".example.net")
                    .sessions(50)
                    .arrives();
        }
        assertThat(fault().resolveReason()).isEqualTo("recovered");
    }

    @Test
    void itEndsAsStaleWhenNothingMoreIsHeard() {
        detection.hoursAfter(DAY_0, 10);
        others(12, "microsoft.com", 0);
        others(12, "google.com", 8);
        detection.pass(Duration.ofDays(7).minusHours(1));
        assertThat(fault().firing()).isTrue();
        detection.pass(Duration.ofHours(2));
        assertThat(fault().resolveReason()).isEqualTo("stale");
    }

    @Test
    void whatNobodyVouchesForIsSaidToBeUnverifiedAndContradictsNoTrustedReporter() {
        detection.hoursAfter(DAY_0, 10);
        others(12, "google.com", 8);
        for (int i = 0; i < 12; i++) {
            detection
                    .cell(DAY_0, "forged.example")
                    .authentication("none")
                    .domain("d" + i + ".example.net")
                    .sessions(50)
                    .arrives();
        }
        assertThat(faults()).isEmpty();
        for (int i = 0; i < 12; i++) {
            detection
                    .cell(DAY_0, "microsoft.com")
                    .authentication("none")
                    .domain("d" + i + ".example.net")
                    .failed("sts-policy-invalid", "mx" + i + ".example.net", 1, 50)
                    .arrives();
        }
        detection.pass(Duration.ofMinutes(1));
        assertThat(fault().summary()).startsWith("unverified microsoft.com reports sts-policy-invalid on 12 of 12");
        assertThat(fault().evidence().branch()).as("inhibits nothing").isEqualTo(Inhibition.UNVERIFIED);
    }

    @Test
    void anImportOfHistoryMakesNoFault() {
        detection.hoursAfter(DAY_0, 10);
        others(12, "microsoft.com", 0);
        for (int i = 0; i < 12; i++) {
            detection
                    .cell(DAY_0, "google.com")
                    .backfill()
                    .domain("d" + i + ".example.net")
                    .failed(EXPIRED, "mx" + i + ".example.net", 1, 50)
                    .arrives();
        }
        assertThat(faults()).isEmpty();
    }

    @Test
    void whatIsTakenBackCountsNoMore() {
        detection.hoursAfter(DAY_0, 10);
        others(12, "microsoft.com", 0);
        others(12, "google.com", 8);
        for (int i = 0; i < 8; i++) {
            detection.cell(DAY_0, "google.com").domain("d" + i + ".example.net").vanishes();
        }
        assertThat(fault().resolveReason()).isEqualTo("retracted");
    }

    @Test
    void aFaultThatSomebodyClosedStaysClosedUntilALaterDay() {
        detection.hoursAfter(DAY_0, 10);
        others(12, "microsoft.com", 0);
        others(12, "google.com", 8);
        detection.act(fault(), AlertAction.RESOLVE, "told them");
        assertThat(fault().resolveReason()).isEqualTo("manual");
        detection
                .cell(DAY_0, "google.com")
                .domain("d12.example.net")
                .failed(EXPIRED, "mx12.example.net", 1, 50)
                .arrives();
        assertThat(fault().firing()).isFalse();
    }

    @Test
    void aKnownReporterOfWhichMostIsRefusedIsAnAlertWithTheReasonInWords() {
        knownReporter();
        for (int i = 0; i < 14; i++) {
            assertThat(rejections()).hasSize(i < 3 ? 0 : 1);
            detection.refused(
                    "google.com", "d" + i + ".example.net", RefusalReason.DKIM_FAILED, "body-hash (d=google.com s=s1)");
        }
        detection.pass(Duration.ofMinutes(2));
        Alert alert = rejections().getFirst();
        assertThat(alert.summary())
                .isEqualTo("14 of 14 mails that name google.com as their reporter were refused on 2026-11-21,"
                        + " dkim-failed: DKIM body hash failed; does a gateway add a banner to this mailbox?");
        assertThat(alert.severity()).isEqualTo("warning");
        assertThat(alert.submitter()).isEqualTo("google.com");
        assertThat(alert.evidence().failureReasonCodes()).containsExactly("dkim-failed");
    }

    @Test
    void aStrangerWhoseReportsAreRefusedIsNotStored() {
        detection.hoursAfter(DAY_0, 10);
        for (int i = 0; i < 14; i++) {
            detection.refused("stranger.example", null, RefusalReason.NO_REPORT, "an advertisement");
        }
        assertThat(rejections()).isEmpty();
        assertThat(detection.stores().get(JudgeReporters.ARRIVALS)).isEmpty();
        assertThat(detection.counted("tlsrpt.detection.rejected")).isEqualTo(14);
    }

    @Test
    void refusalsThatAreFewerThanWhatIsAcceptedAreNothing() {
        knownReporter();
        for (int i = 0; i < 5; i++) {
            detection
                    .cell(DAY_0, "google.com")
                    .domain("e" + i + ".example.net")
                    .sessions(5)
                    .arrives();
        }
        for (int i = 0; i < 5; i++) {
            detection.refused("google.com", null, RefusalReason.DKIM_FAILED, "key gone");
        }
        assertThat(rejections()).isEmpty();
    }

    @Test
    void anImportThatIsRefusedIsNothing() {
        knownReporter();
        for (int i = 0; i < 5; i++) {
            detection.refused("google.com", "example.com", RefusalReason.TOO_OLD, "2019", true);
        }
        assertThat(rejections()).isEmpty();
        assertThat(detection.counted("tlsrpt.detection.rejected", "outcome", "backfill"))
                .isEqualTo(5);
    }

    @Test
    void aDomainOfOursAboutWhichAllIsRefusedIsAnAlertThoughNoReporterIsKnown() {
        detection.hoursAfter(DAY_0, 10);
        for (String reporter : List.of("google.com", "microsoft.com", "comcast.net")) {
            detection.refused(reporter, "example.com", RefusalReason.DKIM_FAILED, "body-hash (d=x s=s1)");
        }
        Alert alert = rejections().getFirst();
        assertThat(alert.policyDomain()).isEqualTo("example.com");
        assertThat(alert.submitter()).isNull();
        assertThat(alert.summary())
                .startsWith("3 of 3 mails about example.com were refused on 2026-11-21, dkim-failed");
        detection.act(alert, AlertAction.ACKNOWLEDGE, null);
        assertThat(rejections().getFirst().acknowledged()).isNotNull();
    }

    @Test
    void forgedMailsAreNeverMoreThanAWarningAndUnsignedOnesInformationOnly() {
        knownReporter();
        for (int i = 0; i < 1_000; i++) {
            detection.refused("google.com", "example.com", RefusalReason.NOT_DKIM_SIGNED, "none");
        }
        assertThat(rejections())
                .isNotEmpty()
                .allSatisfy(alert -> assertThat(alert.severity()).isEqualTo("info"));
    }

    @Test
    void rejectionsEndADayAfterTheLastWhenReportsAreAcceptedAgain() {
        knownReporter();
        refusals();
        detection.pass(Duration.ofHours(2));
        detection.cell(DAY_0, "google.com").domain("e.example.net").sessions(5).arrives();
        detection.pass(Duration.ofHours(21));
        assertThat(rejections().getFirst().firing()).isTrue();
        detection.pass(Duration.ofHours(3));
        assertThat(rejections().getFirst().resolveReason()).isEqualTo("recovered");
    }

    @Test
    void rejectionsEndAsStaleWhenNothingMoreArrives() {
        knownReporter();
        refusals();
        detection.pass(Duration.ofDays(6));
        assertThat(rejections().getFirst().firing()).isTrue();
        detection.pass(Duration.ofDays(1).plusHours(1));
        assertThat(rejections().getFirst().resolveReason()).isEqualTo("stale");
    }

    /// The part of scenario S8 that rule 5 has: 50 of 55, then nobody writes any more.
    @Test
    void s8_silenceEndsNothingButIsAnAlertOfItsOwn() {
        detection.listening();
        for (LocalDate day = DAY_0.minusDays(28); day.isBefore(DAY_0.plusDays(8)); day = day.plusDays(1)) {
            detection.hoursAfter(day, 4);
            if (day.isBefore(DAY_0)) {
                detection.cell(day, "google.com").sessions(50).arrives();
            } else if (day.equals(DAY_0)) {
                detection.cell(day, "google.com").failed(EXPIRED, 50, 55).arrives();
            }
            detection
                    .cell(day, "microsoft.com")
                    .domain("other.example.net")
                    .sessions(5)
                    .arrives();
        }
        assertThat(of("intake-broken")).isEmpty();
        Alert certificate = one("certificate");
        assertThat(certificate.resolveReason()).isEqualTo("stale");
        Alert silent = one("domain-silent");
        assertThat(silent.firing()).isTrue();
        // its second missing day is DAY_2, overdue 36 hours after its end
        assertThat(silent.openedAt())
                .isBetween(
                        Silence.due(DAY_0.plusDays(2), 0),
                        Silence.due(DAY_0.plusDays(2), 0).plus(Duration.ofHours(7)));
    }

    @Test
    void whenAllIntakeStopsThePageArrivesAndNothingElseChanges() {
        detection.listening();
        regulars(DAY_0);
        assertThat(detection.told()).isEmpty();
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 55).arrives();
        detection.at(Silence.due(DAY_1, 0).plus(Duration.ofHours(1)));

        Alert page = one("intake-broken");
        assertThat(page.firing()).isTrue();
        assertThat(page.severity()).isEqualTo("critical");
        assertThat(page.runbookUrl()).isEqualTo("https://tls.example.com/runbook#intake-broken");
        assertThat(page.help()).isNotNull();
        assertThat(one("certificate").firing()).isTrue();

        detection.pass(Duration.ofDays(2));
        assertThat(of("intake-broken")).hasSize(1);
        assertThat(of("domain-silent")).hasSize(4).allMatch(Alert::firing);
        assertThat(one("certificate").firing()).isTrue();

        for (int i = 0; i < 4; i++) {
            for (String reporter : List.of("google.com", "microsoft.com")) {
                detection
                        .cell(DAY_0.plusDays(4), reporter)
                        .domain("d" + i + ".example.net")
                        .sessions(5)
                        .arrives();
            }
        }
        detection.pass(Duration.ofHours(1));
        assertThat(one("intake-broken").resolveReason()).isEqualTo("recovered");
        assertThat(of("domain-silent")).allMatch(alert -> "recovered".equals(alert.resolveReason()));
        assertThat(detection.told().stream().filter(told -> told.equals("firing critical")))
                .hasSize(2);
    }

    @Test
    void forgedReportersThatStopRaiseNothingCritical() {
        detection.listening();
        for (LocalDate day = DAY_0.minusDays(28); day.isBefore(DAY_0); day = day.plusDays(1)) {
            detection.hoursAfter(day, 10);
            for (int i = 0; i < 6; i++) {
                detection
                        .cell(day, "forged" + i % 3 + ".example")
                        .authentication("none")
                        .domain("d" + i + ".example.net")
                        .sessions(5)
                        .arrives();
            }
        }
        detection.pass(Duration.ofDays(5));
        assertThat(of("intake-broken")).hasSize(1);
        assertThat(detection.state.values()).noneMatch(alert -> alert.severity().equals("critical"));
    }

    @Test
    void anImportOfHistoryMakesNobodySilent() {
        detection.listening();
        detection.hoursAfter(DAY_0, 10);
        for (int back = 30; back >= 5; back--) {
            for (int i = 0; i < 6; i++) {
                detection
                        .cell(DAY_0.minusDays(back), "google.com")
                        .domain("d" + i + ".example.net")
                        .backfill()
                        .sessions(5)
                        .arrives();
            }
        }
        // late, though nobody marked it as an import
        for (int back = 30; back >= 5; back--) {
            detection.cell(DAY_0.minusDays(back), "microsoft.com").sessions(5).arrives();
        }
        detection.pass(Duration.ofDays(10));
        assertThat(detection.records).isEmpty();
    }

    @Test
    void aDomainThatIsOursNoMoreIsNotMissed() {
        detection.discover();
        detection.accepted("gone.example.org").accepted("kept.example.org");
        for (LocalDate day = DAY_0.minusDays(28); !day.isAfter(DAY_0.plusDays(6)); day = day.plusDays(1)) {
            detection.hoursAfter(day, 10);
            if (day.isBefore(DAY_0)) {
                detection
                        .cell(day, "google.com")
                        .domain("gone.example.org")
                        .sessions(5)
                        .arrives();
            } else if (day.equals(DAY_0)) {
                detection.forgotten("gone.example.org");
            }
            detection
                    .cell(day, "google.com")
                    .domain("kept.example.org")
                    .sessions(5)
                    .arrives();
        }
        assertThat(detection.records).isEmpty();
    }

    @Test
    void readingAgainFiresTheSameAndARestartRepeatsNothing() {
        detection.listening();
        regulars(DAY_0);
        for (LocalDate day = DAY_0; day.isBefore(DAY_0.plusDays(4)); day = day.plusDays(1)) {
            detection.hoursAfter(day, 10);
            for (int i = 0; i < 4; i++) {
                arrives(detection
                        .cell(day, "microsoft.com")
                        .domain("d" + i + ".example.net")
                        .sessions(5));
            }
        }
        detection.pass(Duration.ofDays(1));
        Map<String, String> firing = detection.firing();
        assertThat(one("reporter-silent").submitter()).isEqualTo("google.com");
        assertThat(firing).hasSize(1);
        LocalDate today = LocalDate.ofInstant(detection.now(), ZoneOffset.UTC);

        try (Detection restarted = new Detection(directory.resolve("restarted"), today)) {
            restarted.listening().restore(detection.stores()).at(detection.now().plus(Duration.ofHours(3)));
            assertThat(restarted.transitions).isEmpty();
        }
        try (Detection rebuilt = new Detection(directory.resolve("rebuilt"), today)) {
            rebuilt.listening().at(detection.now());
            arrivals.forEach(arrival -> rebuilt.replay(arrival.aggregate(), arrival.at()));
            assertThat(rebuilt.firing()).isEmpty();
            rebuilt.pass(Duration.ofMinutes(40)).pass(Duration.ofMinutes(10));
            assertThat(rebuilt.firing()).isEqualTo(firing);
            assertThat(rebuilt.told()).containsExactly("firing warning");
        }
    }

    @Test
    void aDayAsleepMakesNobodySilent() {
        detection.listening();
        regulars(DAY_0);
        Map<String, Map<Object, Object>> stores = detection.stores();
        LocalDate later = DAY_0.plusDays(4);
        try (Detection awake = new Detection(directory.resolve("awake"), later)) {
            awake.listening().restore(stores).hoursAfter(later, 1);
            assertThat(awake.records).isEmpty();
        }
    }

    @Test
    void silenceThatSomebodyClosedStaysClosed() {
        detection.listening();
        regulars(DAY_0);
        detection.at(Silence.due(DAY_1, 0).plus(Duration.ofHours(1)));
        detection.act(one("intake-broken"), AlertAction.RESOLVE, "we moved");
        detection.pass(Duration.ofDays(3));
        assertThat(one("intake-broken").resolveReason()).isEqualTo("manual");
    }

    @Test
    void arrivingButRefusedIsSaidInPlaceOfSilence() {
        detection.listening();
        regulars(DAY_0);
        for (LocalDate day = DAY_0; day.isBefore(DAY_0.plusDays(5)); day = day.plusDays(1)) {
            detection.hoursAfter(day, 10);
            for (int i = 0; i < 4; i++) {
                detection
                        .cell(day, "microsoft.com")
                        .domain("d" + i + ".example.net")
                        .sessions(5)
                        .arrives();
            }
            detection.refused("google.com", "d1.example.net", RefusalReason.DKIM_FAILED, "body-hash");
        }
        assertThat(one("reporter-silent").summary())
                .matches("no report from google.com about 4 of 4 domains since 2026-11-20; not silent: \\d have"
                        + " arrived in their name and been refused \\(dkim-failed\\)");
    }

    /// Two reporters write daily about four domains, for four weeks before `until`.
    private void regulars(LocalDate until) {
        for (LocalDate day = until.minusDays(28); day.isBefore(until); day = day.plusDays(1)) {
            detection.hoursAfter(day, 10);
            for (int i = 0; i < 4; i++) {
                for (String reporter : List.of("google.com", "microsoft.com")) {
                    arrives(detection
                            .cell(day, reporter)
                            .domain("d" + i + ".example.net")
                            .sessions(50));
                }
            }
        }
    }

    private void arrives(Detection.Cell cell) {
        arrivals.add(new Arrival(cell.aggregate(), detection.now()));
        cell.arrives();
    }

    /// A reporter sees so many of the domains fail, each at an MX of its own, the others clean.
    private void others(int domains, String submitter, int failing) {
        for (int i = 0; i < domains; i++) {
            Detection.Cell cell = detection.cell(DAY_0, submitter).domain("d" + i + ".example.net");
            (i < failing ? cell.failed(EXPIRED, "mx" + i + ".example.net", 1, 50) : cell.sessions(50)).arrives();
        }
    }

    private void knownReporter() {
        detection.hoursAfter(DAY_0.minusDays(1), 10);
        detection.cell(DAY_0.minusDays(1), "google.com").sessions(5).arrives();
        detection.hoursAfter(DAY_0, 10);
    }

    private void refusals() {
        for (int i = 0; i < 3; i++) {
            detection.refused("google.com", null, RefusalReason.DKIM_FAILED, "key gone");
        }
    }

    private List<Alert> of(String rule) {
        return detection.state.values().stream()
                .filter(alert -> alert.rule().equals(rule))
                .toList();
    }

    private Alert one(String rule) {
        assertThat(of(rule)).hasSize(1);
        return of(rule).getFirst();
    }

    private List<Alert> faults() {
        return of("reporter-fault");
    }

    private Alert fault() {
        return one("reporter-fault");
    }

    private List<Alert> rejections() {
        return of("rejections");
    }
}

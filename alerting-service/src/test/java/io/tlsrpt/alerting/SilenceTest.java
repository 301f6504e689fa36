package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.runtime.Settings.Severity;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Rule 5 as a pure function.
class SilenceTest {

    /// Two days after [Detection#DAY_0] are overdue of everybody who is quick.
    private static final Instant TWO_DAYS_LATER =
            Incident.end(DAY_0.plusDays(2)).plus(Duration.ofHours(37));

    private final List<Silence.Known> known = new ArrayList<>();
    private final List<Silence.Nap> naps = new ArrayList<>();
    private Silence.Heard irregular = Silence.Heard.NOTHING;
    private BiPredicate<Rule, String> judged = (rule, domain) -> true;

    @ParameterizedTest(name = "a report on {0} of 28 days: {1} missing days are no chance")
    @CsvSource({"28, 2", "27, 2", "25, 3", "21, 5", "18, 6", "14, 8", "10, 12"})
    void theMoreRegularlyAReporterWroteTheSoonerItIsMissed(int days, int missing) {
        assertThat(Silence.needed(days)).isEqualTo(missing);
    }

    @ParameterizedTest(name = "{0} h delay: overdue {1} h after the end of the day")
    @CsvSource({"0, 36", "16, 36", "24, 36", "25, 37", "60, 72"})
    void aReportIsOverdueTwelveHoursAfterItUsuallyCameButNotWithinADayAndAHalf(int delay, int hours) {
        Instant due = Incident.end(DAY_0).plus(Duration.ofHours(hours));
        assertThat(Silence.due(DAY_0, delay)).isEqualTo(due);
        assertThat(Silence.lastDue(due, delay)).isEqualTo(DAY_0);
        assertThat(Silence.lastDue(due.minusSeconds(1), delay)).isEqualTo(DAY_0.minusDays(1));
    }

    @Test
    void oneReporterSilentAboutOneDomainIsAWarningWhenItWroteNearlyEachDay() {
        writes("a.example", "google.com", 28, DAY_0);
        writes("a.example", "microsoft.com", 28, DAY_0.plusDays(2));

        Claim claim = only();
        assertThat(claim.rule()).isEqualTo(Rule.REPORTER_SILENT);
        assertThat(claim.policyDomain()).isEqualTo("a.example");
        assertThat(claim.submitter()).isEqualTo("google.com");
        assertThat(claim.severity()).isEqualTo(Severity.WARNING);
        assertThat(claim.trouble())
                .isEqualTo("no report from google.com about a.example since 2026-11-21, 2 days overdue;"
                        + " it wrote on 28 of 28 days before");
        assertThat(claim.evidence().window()).isEqualTo(DAY_0.plusDays(1));
        assertThat(claim.evidence().probability()).isLessThan(0.005);
    }

    @Test
    void oneMissingDayIsNothing() {
        writes("a.example", "google.com", 28, DAY_0.plusDays(1));
        writes("a.example", "microsoft.com", 28, DAY_0.plusDays(2));
        assertThat(claims()).isEmpty();
    }

    @Test
    void aReporterThatWroteLessOftenIsInformationOnly() {
        writes("a.example", "google.com", 21, DAY_0.minusDays(3));
        writes("a.example", "microsoft.com", 28, DAY_0.plusDays(2));
        assertThat(only().severity()).isEqualTo(Severity.INFO);
    }

    @Test
    void aReporterOfWhichNobodyKnowsWhoItIsIsInformationOnly() {
        known.add(new Silence.Known(presence("a.example", "google.com", false, 28, DAY_0, 12)));
        writes("a.example", "microsoft.com", 28, DAY_0.plusDays(2));
        assertThat(only().severity()).isEqualTo(Severity.INFO);
    }

    @Test
    void aReporterBelowTenDaysIsNotMissed() {
        writes("a.example", "google.com", 9, DAY_0.minusDays(12));
        assertThat(claims()).isEmpty();
    }

    @Test
    void whatIsForgedInANameNeitherHidesNorMakesItsSilence() {
        writes("a.example", "google.com", 28, DAY_0);
        known.add(new Silence.Known(presence("a.example", "google.com", false, 28, DAY_0.plusDays(2), 12)));
        writes("a.example", "microsoft.com", 28, DAY_0.plusDays(2));
        known.add(new Silence.Known(presence("a.example", "microsoft.com", false, 28, DAY_0, 12)));
        assertThat(only().submitter()).isEqualTo("google.com");
    }

    @Test
    void aReporterSilentAboutHalfItsDomainsIsOneAlert() {
        for (int i = 0; i < 6; i++) {
            writes("d" + i + ".example", "google.com", 28, i < 3 ? DAY_0 : DAY_0.plusDays(2));
            writes("d" + i + ".example", "microsoft.com", 28, DAY_0.plusDays(2));
        }
        Claim claim = only();
        assertThat(claim.rule()).isEqualTo(Rule.REPORTER_SILENT);
        assertThat(claim.policyDomain()).isNull();
        assertThat(claim.severity()).isEqualTo(Severity.WARNING);
        assertThat(claim.trouble()).isEqualTo("no report from google.com about 3 of 6 domains since 2026-11-21");
        assertThat(claim.evidence().affectedDomains()).containsExactly("d0.example", "d1.example", "d2.example");
    }

    @Test
    void aReporterSilentAboutTwoDomainsOrLessThanHalfIsAnAlertForEach() {
        for (int i = 0; i < 7; i++) {
            writes("d" + i + ".example", "google.com", 28, i < 3 ? DAY_0 : DAY_0.plusDays(2));
            writes("d" + i + ".example", "microsoft.com", 28, DAY_0.plusDays(2));
        }
        assertThat(claims())
                .hasSize(3)
                .allSatisfy(claim -> assertThat(claim.policyDomain()).isNotNull());
    }

    @Test
    void allReportersOfADomainSilentIsTheDomainsRecord() {
        writes("a.example", "google.com", 28, DAY_0);
        writes("a.example", "microsoft.com", 27, DAY_0);
        for (int i = 0; i < 4; i++) {
            writes("d" + i + ".example", "google.com", 28, DAY_0.plusDays(2));
            writes("d" + i + ".example", "microsoft.com", 28, DAY_0.plusDays(2));
        }
        Claim claim = only();
        assertThat(claim.rule()).isEqualTo(Rule.DOMAIN_SILENT);
        assertThat(claim.severity()).isEqualTo(Severity.WARNING);
        assertThat(claim.trouble())
                .isEqualTo("no report about a.example from any of its 2 regular reporters since 2026-11-21:"
                        + " check the TXT record _smtp._tls.a.example");
    }

    @Test
    void aDomainWhoseOnlyReporterIsSilentEverywhereIsNotBlamed() {
        for (int i = 0; i < 4; i++) {
            writes("d" + i + ".example", "google.com", 28, DAY_0);
        }
        writes("e.example", "microsoft.com", 28, DAY_0.plusDays(2));
        assertThat(only().submitter()).isEqualTo("google.com");
    }

    @Test
    void halfOfWhatWasExpectedMissingIsABrokenIntakeAfterASingleDay() {
        for (int i = 0; i < 3; i++) {
            writes("d" + i + ".example", "google.com", 28, i < 2 ? DAY_0.plusDays(1) : DAY_0.plusDays(2));
            writes("d" + i + ".example", "microsoft.com", 28, i < 1 ? DAY_0.plusDays(1) : DAY_0.plusDays(2));
        }
        Claim claim = only();
        assertThat(claim.rule()).isEqualTo(Rule.INTAKE_BROKEN);
        assertThat(claim.severity()).isEqualTo(Severity.CRITICAL);
        assertThat(claim.evidence().branch()).isEqualTo("half");
        assertThat(claim.trouble())
                .isEqualTo("hardly any report comes in: 3 of 6 that were expected for 2026-11-22 are missing, of 2"
                        + " reporters: look at the rua address, the mailbox, intake and its certificate");
    }

    @Test
    void lessThanHalfOrFewerThanFiveExpectedIsNoBrokenIntake() {
        for (int i = 0; i < 4; i++) {
            writes("d" + i + ".example", "r" + i + ".example", 28, i < 2 ? DAY_0.plusDays(1) : DAY_0.plusDays(2));
        }
        assertThat(claims()).isEmpty();
        for (int i = 4; i < 6; i++) {
            writes("d" + i + ".example", "r" + i + ".example", 28, DAY_0.plusDays(2));
        }
        assertThat(claims()).isEmpty();
    }

    @Test
    void oneReporterThatStopsIsNoBrokenIntakeAsLongAsOthersWrite() {
        for (int i = 0; i < 5; i++) {
            writes("d" + i + ".example", "google.com", 28, DAY_0.plusDays(1));
        }
        writes("d0.example", "microsoft.com", 28, DAY_0.plusDays(2));
        assertThat(claims()).isEmpty();
    }

    @Test
    void twoDaysWithoutAnyReportIsABrokenIntakeHoweverFewAreExpected() {
        writes("a.example", "google.com", 28, DAY_0);
        writes("a.example", "seldom.example", 12, DAY_0.minusDays(1));
        Claim intake = claims().stream()
                .filter(claim -> claim.rule() == Rule.INTAKE_BROKEN)
                .findFirst()
                .orElseThrow();
        assertThat(intake.severity()).isEqualTo(Severity.CRITICAL);
        assertThat(intake.evidence().branch()).isEqualTo("total");
        assertThat(intake.trouble())
                .startsWith("no report has come in at all since the one for 2026-11-20, not from google.com: look");
    }

    @Test
    void aReportOfAnIrregularReporterShowsThatIntakeWorks() {
        writes("a.example", "google.com", 28, DAY_0);
        irregular = new Silence.Heard(DAY_0, DAY_0.plusDays(1));
        assertThat(claims()).hasSize(2);
        irregular = new Silence.Heard(DAY_0.plusDays(1), DAY_0.plusDays(1));
        assertThat(only().rule()).isEqualTo(Rule.DOMAIN_SILENT);
    }

    @Test
    void intakeIsCriticalOnTrustedReportersOnly() {
        for (int i = 0; i < 10; i++) {
            known.add(new Silence.Known(presence("d" + i + ".example", "r" + i % 2, false, 28, DAY_0, 12)));
        }
        assertThat(claims()).noneMatch(claim -> claim.severity() == Severity.CRITICAL);
        assertThat(claims()).anyMatch(claim -> claim.rule() == Rule.INTAKE_BROKEN);
    }

    @Test
    void slowReportersAreGivenTheirTime() {
        known.add(new Silence.Known(presence("a.example", "slow.example", true, 28, DAY_0, 62)));
        writes("a.example", "microsoft.com", 28, DAY_0.plusDays(2));
        assertThat(claims()).isEmpty();
    }

    @Test
    void daysOnWhichNobodyListenedAreNotMissing() {
        writes("a.example", "google.com", 28, DAY_0);
        naps.add(new Silence.Nap(
                Incident.end(DAY_0).plus(Duration.ofHours(1)),
                Incident.end(DAY_0.plusDays(1)).plus(Duration.ofHours(2))));
        assertThat(claims()).isEmpty();
    }

    @Test
    void whatArrivedAndWasRefusedIsNotCalledSilence() {
        known.add(new Silence.Known(presence("a.example", "google.com", true, 28, DAY_0, 12), 2, "dkim-failed"));
        writes("a.example", "microsoft.com", 28, DAY_0.plusDays(2));
        assertThat(only().trouble())
                .endsWith("; not silent: 2 have arrived in its name and been refused (dkim-failed)");
    }

    @Test
    void whoIsSilentForAMonthIsGone() {
        writes("a.example", "google.com", 28, DAY_0.minusDays(30));
        writes("a.example", "microsoft.com", 28, DAY_0.plusDays(2));
        assertThat(claims()).isEmpty();
    }

    @Test
    void itIsARecoveryOnlyWhenAReportOfADayThatWasMissedHasCome() {
        writes("a.example", "google.com", 28, DAY_0);
        writes("a.example", "microsoft.com", 28, DAY_0.plusDays(2));
        Standing standing = new Standing(only());

        naps.add(new Silence.Nap(
                Incident.end(DAY_0).plus(Duration.ofHours(1)),
                Incident.end(DAY_0.plusDays(1)).plus(Duration.ofHours(2))));
        assertThat(claims()).isEmpty();
        assertThat(silence().ending(standing).why()).isEqualTo(Resolution.STALE);

        known.clear();
        writes("a.example", "google.com", 28, DAY_0.plusDays(1));
        assertThat(silence().ending(standing).why()).isEqualTo(Resolution.RECOVERED);
    }

    @Test
    void aReporterThatWritesAboutOtherDomainsHasNotRecovered() {
        for (int i = 0; i < 6; i++) {
            writes("d" + i + ".example", "google.com", 28, i < 3 ? DAY_0 : DAY_0.plusDays(2));
            writes("d" + i + ".example", "microsoft.com", 28, DAY_0.plusDays(2));
        }
        Standing standing = new Standing(only());
        known.removeIf(each -> each.presence().newest().equals(DAY_0));
        assertThat(silence().ending(standing).why()).isEqualTo(Resolution.STALE);
    }

    @Test
    void aRuleThatIsOffForADomainDoesNotJudgeIt() {
        writes("a.example", "google.com", 28, DAY_0);
        writes("a.example", "microsoft.com", 28, DAY_0.plusDays(2));
        judged = (rule, domain) -> rule != Rule.REPORTER_SILENT;
        assertThat(claims()).isEmpty();
    }

    private void writes(String domain, String submitter, int days, LocalDate newest) {
        known.add(new Silence.Known(presence(domain, submitter, true, days, newest, 12)));
    }

    private static Presence presence(
            String domain, String submitter, boolean trusted, int days, LocalDate newest, int delay) {
        return new Presence(domain, submitter, trusted, newest, (1L << days) - 1, delay);
    }

    private List<Claim> claims() {
        return List.copyOf(silence().claims().values());
    }

    private Silence silence() {
        Silence.Heard heard = irregular;
        for (Silence.Known each : known) {
            heard = heard.and(each.presence());
        }
        return new Silence(known, heard, naps, judged, TWO_DAYS_LATER);
    }

    private Claim only() {
        List<Claim> claims = claims();
        assertThat(claims).hasSize(1);
        return claims.getFirst();
    }
}

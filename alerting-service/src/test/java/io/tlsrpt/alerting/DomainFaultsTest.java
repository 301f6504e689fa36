package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static io.tlsrpt.alerting.Detection.EXPIRED;
import static io.tlsrpt.alerting.Detection.MX;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.runtime.Settings.Sensitivity;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Faults of DANE and of MTA-STS policies from the reports to the alert, and the explanation of a verdict.
class DomainFaultsTest {

    private static final LocalDate DAY_1 = DAY_0.plusDays(1);
    private static final String TLSA_INVALID = "tlsa-invalid";
    private static final String FETCH = "sts-policy-fetch-error";

    @TempDir
    private Path directory;

    private Detection detection;

    @BeforeEach
    void start() {
        detection = new Detection(directory);
    }

    @AfterEach
    void stop() {
        detection.close();
    }

    @Test
    void aRenewalWithoutItsTlsaRecordPagesAndSaysSo() {
        history(28, "comcast.net", 30);
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "comcast.net")
                .policyType("tlsa")
                .failed(EXPIRED, 2, 30)
                .failed(TLSA_INVALID, 30, 30)
                .arrives();
        assertThat(detection.told()).contains("firing critical");
        assertThat(detection.state.values())
                .filteredOn(alert -> alert.rule().equals("dane"))
                .singleElement()
                .satisfies(alert -> assertThat(alert.summary())
                        .isEqualTo("TLSA records that do not fit the certificate at mx1.example.com: 30 of 30 sessions"
                                + " (100 %) on 2026-11-20, one reporter (comcast.net); certificate probably renewed"
                                + " without publishing the new TLSA first; also seen: certificate-expired;"
                                + " 0 of 840 in 28 days before"));
    }

    @Test
    void aRolloverBeforeTheTtlIsAWarningThatEndsByItself() {
        history(28, "comcast.net", 200);
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "comcast.net")
                .policyType("tlsa")
                .failed(TLSA_INVALID, 6, 200)
                .arrives();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "comcast.net").policyType("tlsa").sessions(200).arrives();
        assertThat(detection.told()).containsExactly("firing warning", "resolved recovered");
    }

    @Test
    void threeOfThreeOnTwoDaysPage() {
        history(28, "comcast.net", 3);
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "comcast.net")
                .policyType("tlsa")
                .failed(TLSA_INVALID, 3, 3)
                .arrives();
        detection.hoursAfter(DAY_1, 4);
        detection
                .cell(DAY_1, "comcast.net")
                .policyType("tlsa")
                .failed(TLSA_INVALID, 3, 3)
                .arrives();
        assertThat(detection.told()).containsExactly("firing warning", "firing critical");
    }

    @Test
    void sessionsOfOtherPoliciesNeitherCountNorRecoverDane() {
        history(28, "comcast.net", 30);
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(TLSA_INVALID, 30, 30).arrives();
        assertThat(detection.records).isEmpty();
        detection
                .cell(DAY_0, "comcast.net")
                .policyType("tlsa")
                .failed(TLSA_INVALID, 30, 30)
                .arrives();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "comcast.net").sessions(5_000).arrives();
        assertThat(detection.told()).containsExactly("firing critical");
        detection.cell(DAY_1, "comcast.net").policyType("tlsa").sessions(5).arrives();
        assertThat(detection.told()).containsExactly("firing critical", "resolved recovered");
    }

    @Test
    void aPolicyBelongsToItsDomainWhateverMxIsNamed() {
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(FETCH, MX, 1, 3).arrives();
        detection.hoursAfter(DAY_1, 4);
        detection
                .cell(DAY_1, "google.com")
                .failed(FETCH, "mx2.example.com", 1, 3)
                .arrives();
        assertThat(detection.told()).containsExactly("firing warning");
        assertThat(detection.only().policyDomain()).isEqualTo("example.com");
        assertThat(detection.only().receivingMxHostname()).isNull();
        assertThat(detection.only().evidence().branch()).isEqualTo("again");
        assertThat(detection.only().evidence().probability()).isNull();

        // a sender that finds no policy proves nothing, one that has read it does
        LocalDate day2 = DAY_1.plusDays(1);
        detection.hoursAfter(day2, 4);
        detection
                .cell(day2, "google.com")
                .policyType("no-policy-found")
                .sessions(500)
                .arrives();
        assertThat(detection.told()).containsExactly("firing warning");
        detection.cell(day2, "google.com").sessions(20).arrives();
        assertThat(detection.told()).containsExactly("firing warning", "resolved recovered");
    }

    @Test
    void anExplanationGivesEveryConditionOfEachWindowAndTheVerdict() {
        MxDay day = day(new MxCell(
                DAY_0,
                "example.com",
                "sts",
                "google.com",
                "dkim",
                true,
                true,
                40,
                36,
                Map.of(EXPIRED, new MxCell.Failed(4, List.of(), List.of()))));
        Assessment assessment = new Assessment(
                Rule.CERTIFICATE,
                EXPIRED,
                date -> date.equals(DAY_0) ? day : MxDay.EMPTY,
                date -> false,
                date -> false,
                false,
                new Terms(Sensitivity.NORMAL, 0));

        List<Explanation> all = assessment.explain(DAY_0, false);
        assertThat(all).hasSize(4).allMatch(one -> one.failed() == 4 && one.sessions() == 40);
        Explanation ofDay = all.getFirst();
        assertThat(ofDay.days()).isEqualTo(1);
        assertThat(ofDay.trusted()).isTrue();
        assertThat(ofDay.severity()).isNull();
        assertThat(assessment.of(DAY_0, false)).isNull();
        assertThat(ofDay.checks())
                .contains(
                        new Explanation.Check("A", "r = 1 ≥ 2", false),
                        new Explanation.Check("B", "k = 4 ≥ 5", false),
                        new Explanation.Check("B", "W = 3 % ≥ 2 %", true),
                        new Explanation.Check("B", "s = 10 % ≥ 3 p = 0.3 %", true),
                        new Explanation.Check("C", "k = 4 ≥ 50", false));
        assertThat(all.get(1).checks()).contains(new Explanation.Check("any", "days with failures = 1 ≥ 2", false));

        Explanation eager = new Assessment(
                        Rule.CERTIFICATE,
                        EXPIRED,
                        date -> date.equals(DAY_0) ? day : MxDay.EMPTY,
                        date -> false,
                        date -> false,
                        false,
                        new Terms(Sensitivity.EAGER, 0))
                .explain(DAY_0, false)
                .getFirst();
        assertThat(eager.severity()).isEqualTo("warning");
        assertThat(eager.branch()).isEqualTo("B");
    }

    private static MxDay day(MxCell cell) {
        return MxDay.EMPTY.plus(cell, cell.submitter());
    }

    private void history(int days, String submitter, long sessions) {
        for (int back = days; back >= 1; back--) {
            LocalDate day = DAY_0.minusDays(back);
            detection.hoursAfter(day, 4);
            detection.cell(day, submitter).policyType("tlsa").sessions(sessions).arrives();
        }
    }
}

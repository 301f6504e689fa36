package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static io.tlsrpt.alerting.Detection.EXPIRED;
import static io.tlsrpt.alerting.Detection.MX;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Alert;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A domain that is to be forgotten, through the whole topology. Both are behind one MX.
class DepartedDomainTest {

    private static final String GONE = "gone.example.net";
    private static final String STAYS = "example.com";

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

    private void clean(String domain, long sessions) {
        for (int back = 28; back >= 1; back--) {
            detection.hoursAfter(DAY_0.minusDays(back), 1);
            detection
                    .cell(DAY_0.minusDays(back), "google.com")
                    .domain(domain)
                    .sessions(sessions)
                    .arrives();
        }
    }

    private void cleanBoth() {
        for (int back = 28; back >= 1; back--) {
            detection.hoursAfter(DAY_0.minusDays(back), 1);
            for (String domain : List.of(GONE, STAYS)) {
                detection
                        .cell(DAY_0.minusDays(back), "google.com")
                        .domain(domain)
                        .sessions(50)
                        .arrives();
            }
        }
        detection.hoursAfter(DAY_0, 4);
    }

    private void fails(String domain) {
        detection
                .cell(DAY_0, "google.com")
                .domain(domain)
                .failed(EXPIRED, 31, 50)
                .arrives();
    }

    /// Too little for an alert.
    private void failsALittle(String domain) {
        detection
                .cell(DAY_0, "google.com")
                .domain(domain)
                .failed(EXPIRED, 1, 500)
                .arrives();
        assertThat(detection.state).isEmpty();
    }

    private void departs() {
        detection.pass(Duration.ofMinutes(2)).departs(GONE);
        assertNothingIsLeft();
        detection.pass(Duration.ofSeconds(20)).cellsLeave(GONE);
        detection.pass(Duration.ofMinutes(5));
        assertNothingIsLeft();
    }

    private void assertNothingIsLeft() {
        assertThat(detection.storesThatTellOf(GONE)).isEmpty();
        assertThat(detection.state.values()).allSatisfy(alert -> {
            assertThat(alert.policyDomain()).isNotEqualTo(GONE);
            assertThat(Objects.requireNonNullElse(alert.evidence().affectedDomains(), List.of()))
                    .doesNotContain(GONE);
        });
    }

    @Test
    void anAlertOfItsOwnEndsWithATombstoneAndWithoutATransition() {
        clean(GONE, 50);
        detection.hoursAfter(DAY_0, 4);
        fails(GONE);
        assertThat(detection.only().policyDomain()).isEqualTo(GONE);
        assertThat(detection.told()).containsExactly("firing critical");

        departs();

        assertThat(detection.state).isEmpty();
        assertThat(detection.records.getLast()).isNull();
        assertThat(detection.told()).containsExactly("firing critical");
    }

    @Test
    void whatIsResolvedAlreadyLeavesToo() {
        clean(GONE, 50);
        detection.hoursAfter(DAY_0, 4);
        fails(GONE);
        detection.act(detection.only(), "resolve", null);
        assertThat(detection.told()).containsExactly("firing critical", "resolved manual");

        departs();

        assertThat(detection.state).isEmpty();
        assertThat(detection.told()).hasSize(2);
    }

    @Test
    void aSharedAlertGoesOnWithTheOtherDomainAndItsNumbersAlone() {
        cleanBoth();
        failsALittle(STAYS);
        fails(GONE);
        fails(STAYS);
        detection.pass(Duration.ofMinutes(5));
        Alert before = detection.only();
        assertThat(before.policyDomain()).isNull();
        assertThat(before.evidence().affectedDomains()).containsExactlyInAnyOrder(GONE, STAYS);
        assertThat(before.evidence().failedSessionCount()).isEqualTo(62);
        List<String> told = List.copyOf(detection.told());

        departs();

        Alert after = detection.only();
        assertThat(after.alertId()).isEqualTo(before.alertId());
        assertThat(after.incidentId()).isEqualTo(before.incidentId());
        assertThat(after.transition()).isEqualTo(before.transition());
        assertThat(after.firing()).isTrue();
        assertThat(after.evidence().failedSessionCount()).isEqualTo(31);
        assertThat(after.evidence().baselineSessions()).isEqualTo(28 * 50L);
        assertThat(detection.told()).isEqualTo(told);

        detection.hoursAfter(DAY_0.plusDays(1), 4);
        detection
                .cell(DAY_0.plusDays(1), "google.com")
                .domain(STAYS)
                .sessions(60)
                .arrives();
        assertThat(detection.told().getLast()).isEqualTo("resolved recovered");
    }

    @Test
    void anAlertThatBearsItsNameGoesAndTheOtherThatJoinedHasItsOwnWithItsNextReport() {
        cleanBoth();
        fails(GONE);
        fails(STAYS);
        assertThat(detection.only().policyDomain()).isEqualTo(GONE);
        detection.pass(Duration.ofMinutes(2)); // that it has spread is told
        int told = detection.told().size();

        departs();

        assertThat(detection.state).isEmpty();
        assertThat(detection.told()).hasSize(told);
        detection
                .cell(DAY_0, "microsoft.com")
                .domain(STAYS)
                .failed(EXPIRED, 3, 5)
                .arrives();
        assertThat(detection.only().policyDomain()).isEqualTo(STAYS);
    }

    @Test
    void aSharedAlertThatItAloneBoreEndsInSilence() {
        cleanBoth();
        failsALittle(STAYS);
        fails(GONE);
        detection.pass(Duration.ofMinutes(5));
        List<String> told = List.copyOf(detection.told());
        assertThat(detection.only().firing()).isTrue();

        departs();

        assertThat(detection.firing()).isEmpty();
        assertThat(detection.told()).isEqualTo(told);
    }

    @Test
    void whatTheDomainHidNowIsNoAlertUntilTheOtherReportsAgain() {
        for (int back = 28; back >= 1; back--) {
            detection.hoursAfter(DAY_0.minusDays(back), 1);
            detection
                    .cell(DAY_0.minusDays(back), "google.com")
                    .domain(STAYS)
                    .sessions(50)
                    .arrives();
            detection
                    .cell(DAY_0.minusDays(back), "google.com")
                    .domain(GONE)
                    .failed(EXPIRED, 400, 1_000)
                    .arrives();
        }
        detection.hoursAfter(DAY_0, 4);
        for (Alert alert : List.copyOf(detection.state.values())) {
            if (alert.firing()) {
                detection.act(alert, "resolve", null);
            }
        }
        int told = detection.told().size();

        departs();

        assertThat(detection.told()).hasSize(told);
        assertThat(detection.firing()).isEmpty();
    }

    @Test
    void tombstonesThatAreReadBeforeTheDepartureAreNoRecoveryEither() {
        cleanBoth();
        fails(GONE);
        assertThat(detection.firing()).hasSize(1);
        List<String> told = List.copyOf(detection.told());

        detection.cellsLeave(GONE).pass(Duration.ofMinutes(1)).departs(GONE).pass(Duration.ofMinutes(1));

        assertNothingIsLeft();
        assertThat(detection.told()).isEqualTo(told);
        assertThat(detection.firing()).isEmpty();
    }

    @Test
    void aCellThatIsReadAfterTheDepartureLeavesWithItsTombstone() {
        cleanBoth();
        detection.departs(GONE);
        fails(GONE);

        detection.cellsLeave(GONE).pass(Duration.ofMinutes(1));

        assertNothingIsLeft();
    }

    @Test
    void looksAndWatchesOfItLeaveAndThoseOfTheOtherStay() {
        detection.hoursAfter(DAY_0, 1);
        Duration soon = Duration.ofDays(2);
        detection.looked(SampleLooks.at(detection.now())
                .domain(GONE)
                .address("192.0.2.1", soon)
                .inspection());
        detection.looked(SampleLooks.at(detection.now())
                .domain(STAYS)
                .address("192.0.2.1", soon)
                .inspection());
        List<Alert> before = new ArrayList<>(detection.state.values());
        assertThat(before).isNotEmpty().allMatch(Alert::firing);
        List<String> told = List.copyOf(detection.told());
        assertThat(detection.storesThatTellOf(GONE)).isNotEmpty();

        departs();

        assertThat(detection.told()).isEqualTo(told);
        assertThat(detection.firing()).isNotEmpty();
    }

    @Test
    void aReporterIsNoLongerAtFaultForItAndNobodyIsTold() {
        detection.hoursAfter(DAY_0, 10);
        for (String reporter : List.of("microsoft.com", "google.com")) {
            for (int i = 0; i < 12; i++) {
                String domain = i == 0 ? GONE : "d" + i + ".example.net";
                Detection.Cell cell = detection.cell(DAY_0, reporter).domain(domain);
                (reporter.equals("google.com") && i < 8 ? cell.failed(EXPIRED, "mx." + domain, 1, 1) : cell.sessions(5))
                        .arrives();
            }
        }
        detection.pass(Duration.ofMinutes(2));
        Alert before = fault();
        assertThat(before.evidence().affectedDomains()).contains(GONE);

        departs();

        Alert after = fault();
        assertThat(after.firing()).isTrue();
        assertThat(after.transition()).isEqualTo(before.transition());
        assertThat(after.evidence().affectedDomains()).doesNotContain(GONE);
    }

    private Alert fault() {
        return detection.state.values().stream()
                .filter(alert -> alert.rule().equals("reporter-fault"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aSilenceThatOnlyItShowedIsNoLongerSpokenOf() {
        detection.close();
        detection = new Detection(directory.resolve("listening")).listening();
        cleanBoth();
        for (int day = 0; day <= 6; day++) {
            detection.hoursAfter(DAY_0.plusDays(day), 4);
            detection
                    .cell(DAY_0.plusDays(day), "google.com")
                    .domain(STAYS)
                    .sessions(50)
                    .arrives();
            detection
                    .cell(DAY_0.plusDays(day), "microsoft.com")
                    .domain(STAYS)
                    .sessions(50)
                    .arrives();
        }
        assertThat(detection.firing()).isNotEmpty();
        assertThat(detection.state.values().stream().filter(Alert::firing))
                .anyMatch(alert -> GONE.equals(alert.policyDomain())
                        || Objects.requireNonNullElse(alert.evidence().affectedDomains(), List.of())
                                .contains(GONE));
        List<String> told = List.copyOf(detection.told());

        departs();
        detection.pass(Duration.ofMinutes(20));

        assertThat(detection.told()).isEqualTo(told);
        assertNothingIsLeft();
    }

    @Test
    void doingItTwiceIsHarmlessAndTheDomainMayComeBack() {
        cleanBoth();
        fails(GONE);
        departs();
        departs();
        assertThat(detection.state).isEmpty();

        detection.pass(Duration.ofHours(1));
        detection
                .cell(DAY_0, "google.com")
                .domain(GONE)
                .failed(EXPIRED, "mx.new.example", 31, 50)
                .arrives();

        assertThat(detection.only().policyDomain()).isEqualTo(GONE);
        assertThat(detection.told().getLast()).isEqualTo("firing critical");
    }

    @Test
    void anotherDomainsDepartureChangesNothing() {
        cleanBoth();
        fails(STAYS);
        Map<String, String> firing = detection.firing();
        assertThat(firing).hasSize(1);

        detection.departs("elsewhere.example").pass(Duration.ofMinutes(1));

        assertThat(detection.firing()).isEqualTo(firing);
        assertThat(detection.only().receivingMxHostname()).isEqualTo(MX);
    }
}

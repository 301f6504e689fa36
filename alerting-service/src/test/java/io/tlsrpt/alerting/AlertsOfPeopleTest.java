package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static io.tlsrpt.alerting.Detection.EXPIRED;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertAction;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What becomes of an alert about an MX when somebody acts on it.
class AlertsOfPeopleTest {

    private static final LocalDate DAY_1 = DAY_0.plusDays(1);
    private static final LocalDate DAY_2 = DAY_0.plusDays(2);

    @TempDir
    private Path directory;

    private Detection detection;

    @BeforeEach
    void anAlertFires() {
        detection = new Detection(directory);
        detection.history(DAY_0, 28, "google.com", 50).hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 6, 55).arrives();
    }

    @AfterEach
    void stop() {
        detection.close();
    }

    @Test
    void anAcknowledgementNamesWhoTookItOn() {
        detection.act(detection.only(), AlertAction.ACKNOWLEDGE, "looking");
        Alert alert = detection.only();
        assertThat(Objects.requireNonNull(alert.acknowledged()).by()).isEqualTo("alice");
        assertThat(alert.notes()).extracting(Alert.Word::text).containsExactly("looking");
        assertThat(alert.transition()).isEqualTo(2);
        assertThat(detection.told()).containsExactly("firing warning", "firing warning");
    }

    @Test
    void aNoteIsNoTransition() {
        detection.act(detection.only(), AlertAction.NOTE, "the certificate is ordered");
        assertThat(detection.only().notes()).hasSize(1);
        assertThat(detection.only().transition()).isEqualTo(1);
        assertThat(detection.transitions).hasSize(1);
    }

    @Test
    void theSameActionAgainChangesNothing() {
        Alert seen = detection.only();
        detection.act(seen, AlertAction.NOTE, "once").actAgain(seen, AlertAction.NOTE, "once");
        assertThat(detection.only().notes()).hasSize(1);
        assertThat(detection.records).hasSize(2);
    }

    @Test
    void whatSomebodyResolvedOnlyLaterDaysOpenAgain() {
        detection.act(detection.only(), AlertAction.RESOLVE, null);
        assertThat(detection.told()).containsExactly("firing warning", "resolved manual");
        assertThat(detection.only().summary()).startsWith("resolved by alice: expired certificate");

        detection.cell(DAY_0, "microsoft.com").failed(EXPIRED, 40, 40).arrives();
        assertThat(detection.transitions).hasSize(2);

        // one failure of the next day is nothing by itself, and the day that was resolved adds nothing to it
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").failed(EXPIRED, 1, 50).arrives();
        assertThat(detection.transitions).hasSize(2);

        detection.hoursAfter(DAY_2, 4);
        detection.cell(DAY_2, "google.com").failed(EXPIRED, 8, 50).arrives();
        assertThat(detection.told()).containsExactly("firing warning", "resolved manual", "firing warning");
        assertThat(detection.only().reopened()).isTrue();
        assertThat(detection.only().acknowledged()).isNull();
        assertThat(detection.only().evidence().baselineFailed()).isEqualTo(1);
    }

    @Test
    void theDaysOfAFalseAlarmCountAsUsual() {
        detection.act(detection.only(), AlertAction.FALSE_ALARM, "our own test");
        assertThat(detection.only().summary()).startsWith("a false alarm, says alice: ");
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 7, 56).arrives();
        assertThat(detection.told()).containsExactly("firing warning", "resolved manual");

        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").failed(EXPIRED, 30, 50).arrives();
        assertThat(detection.only().evidence().baselineFailed()).isEqualTo(7);
    }

    @Test
    void aFalseAlarmOpensAgainWhenItsDayBecomesWorse() {
        detection.act(detection.only(), AlertAction.FALSE_ALARM, null);
        detection.cell(DAY_0, "microsoft.com").failed(EXPIRED, 40, 40).arrives();
        assertThat(detection.told()).containsExactly("firing warning", "resolved manual", "firing critical");
    }

    @Test
    void anActionAboutAnOlderIncidentLeavesItsNoteAlone() {
        Alert first = detection.only();
        detection.act(first, AlertAction.RESOLVE, null).hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").failed(EXPIRED, 30, 50).arrives();
        detection.act(first, AlertAction.RESOLVE, "too late");
        assertThat(detection.only().firing()).isTrue();
        assertThat(detection.only().notes()).extracting(Alert.Word::text).containsExactly("too late");
    }

    @Test
    void anActionOnAnAlertThatNobodyKnowsIsDropped() {
        Alert alert = detection.only();
        try (Detection other = new Detection(directory.resolve("other"))) {
            other.act(alert, AlertAction.RESOLVE, null);
            assertThat(other.records).isEmpty();
        }
    }
}

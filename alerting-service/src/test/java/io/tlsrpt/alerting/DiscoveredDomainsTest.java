package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static io.tlsrpt.alerting.Detection.EXPIRED;
import static io.tlsrpt.alerting.Detection.MX;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Alert;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Anybody can publish our address: what comes of that must not reach anybody's pager.
class DiscoveredDomainsTest {

    private static final String FOUND = "found.example";

    @TempDir
    Path directory;

    private Detection detection;

    @BeforeEach
    void start() {
        detection = new Detection(directory);
    }

    @AfterEach
    void stop() {
        detection.close();
    }

    private void fails(String domain, LocalDate day) {
        detection.hoursAfter(day, 4);
        detection.cell(day, "google.com").domain(domain).failed(EXPIRED, 31, 40).arrives();
    }

    @Test
    void aPendingDomainNeverAlertsAndAnAcceptedOneDoes() {
        detection.discover();
        detection.pending(FOUND);
        fails(FOUND, DAY_0);
        detection.pass(Duration.ofDays(1));
        assertThat(detection.records).isEmpty();
        assertThat(detection.counted("tlsrpt.detection.aggregates", "outcome", "not-ours"))
                .isEqualTo(1);

        detection.accepted(FOUND);
        detection.pass(Duration.ofHours(1));
        assertThat(detection.records).as("accepting judges nothing by itself").isEmpty();

        fails(FOUND, DAY_0.plusDays(1));
        Alert alert = detection.only();
        assertThat(alert.firing()).isTrue();
        assertThat(alert.policyDomain()).isEqualTo(FOUND);
        assertThat(alert.evidence().window()).isEqualTo(DAY_0.plusDays(1));
        assertThat(alert.evidence().baselineFailed())
                .as("what it reported before tells what was usual")
                .isEqualTo(31);
    }

    @Test
    void aDomainWhoseClaimIsStillUnderWayIsNotJudged() {
        detection.discover();

        fails(FOUND, DAY_0);

        assertThat(detection.records).isEmpty();
    }

    @Test
    void aConfiguredDomainNeedsNoClaimAndAPendingOneDoesNotHurtIt() {
        detection.discover();
        detection.pending("example.com");

        fails("example.com", DAY_0);

        assertThat(detection.only().firing()).isTrue();
    }

    @Test
    void aPendingDomainStaysUnheardWhenDiscoveryIsTurnedOff() {
        detection.pending(FOUND);
        fails(FOUND, DAY_0);
        assertThat(detection.records).isEmpty();

        detection.forgotten(FOUND);
        fails(FOUND, DAY_0.plusDays(1));
        assertThat(detection.only().firing())
                .as("without discovery it passed intake as ours")
                .isTrue();
    }

    @Test
    void aPendingDomainNeitherFeedsNorResolvesAnAlertOfASharedMx() {
        detection.discover();
        detection.pending(FOUND);
        fails("example.com", DAY_0);
        Alert opened = detection.only();

        detection
                .cell(DAY_0, "google.com")
                .domain(FOUND)
                .failed(EXPIRED, 300, 300)
                .arrives();
        for (int day = 1; day <= 2; day++) {
            detection.hoursAfter(DAY_0.plusDays(day), 4);
            detection
                    .cell(DAY_0.plusDays(day), "google.com")
                    .domain(FOUND)
                    .sessions(100_000)
                    .arrives();
        }
        detection.pass(Duration.ofDays(2));

        assertThat(detection.only()).as("as it was opened").isEqualTo(opened);
        assertThat(detection.only().evidence().failedSessionCount()).isEqualTo(31);
    }

    @Test
    void aPendingDomainBringsNoHistoryToASharedMx() {
        detection.discover();
        detection.pending(FOUND);
        for (int back = 28; back >= 1; back--) {
            detection.hoursAfter(DAY_0.minusDays(back), 1);
            detection
                    .cell(DAY_0.minusDays(back), "google.com")
                    .domain(FOUND)
                    .failed(EXPIRED, MX, 50, 100)
                    .arrives();
        }

        fails("example.com", DAY_0);

        assertThat(detection.only().evidence().baselineSessions()).isZero();
    }
}

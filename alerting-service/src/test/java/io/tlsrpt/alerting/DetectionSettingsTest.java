package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static io.tlsrpt.alerting.Detection.EXPIRED;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the settings say of single domains, and which failures they leave out.
class DetectionSettingsTest {

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
    void aDomainMayBeJudgedMoreEagerlyThanTheOthers() {
        detection.configured("domains: [{name: example.com, sensitivity: eager}, {name: example.org}]");
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "google.com")
                .domain("example.org")
                .failed(EXPIRED, "mx.example.org", 3, 20)
                .arrives();
        assertThat(detection.records).isEmpty();
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 3, 20).arrives();
        assertThat(detection.told()).containsExactly("firing warning");
    }

    @Test
    void atASharedMxTheCommonSettingCounts() {
        detection.configured("domains: [{name: example.com, sensitivity: eager}, {name: example.org}]");
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "google.com")
                .domain("example.org")
                .failed(EXPIRED, 1, 10)
                .arrives();
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 2, 10).arrives();
        assertThat(detection.records).isEmpty();
    }

    @Test
    void aDomainMayNeedMoreSessions() {
        detection.configured("domains: [{name: example.com, min-sessions: 100}]");
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();
        assertThat(detection.records).isEmpty();
        detection.cell(DAY_0, "microsoft.com").sessions(40).arrives();
        assertThat(detection.told()).containsExactly("firing warning");
    }

    @Test
    void aRuleThatIsOffForADomainLeavesItsSessionsOutAndEndsItsAlerts() {
        detection.configured("domains: [{name: example.com}, {name: example.org}]");
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();
        assertThat(detection.told()).containsExactly("firing critical");
        detection.configured("domains: [{name: example.com, rules-off: [certificate]}, {name: example.org}]");
        detection.pass(Duration.ofSeconds(20));
        assertThat(detection.told()).containsExactly("firing critical", "resolved manual");
        assertThat(detection.only().summary()).startsWith("the rule was turned off for this domain: ");

        detection.cell(DAY_0.plusDays(1), "google.com").failed(EXPIRED, 40, 60).arrives();
        assertThat(detection.transitions).hasSize(2);
        assertThat(detection.counted("tlsrpt.detection.left-out", "why", "rule-off"))
                .isEqualTo(1);
        detection
                .cell(DAY_0, "google.com")
                .domain("example.org")
                .failed(EXPIRED, "mx.example.org", 40, 60)
                .arrives();
        assertThat(detection.transitions).hasSize(3);
    }

    /// The failures of the test come from 192.0.2.1 by google.com.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "submitter: Google.com                                   | true",
                "submitter: microsoft.com                                | false",
                "result-type: certificate-expired                        | true",
                "result-type: certificate-not-trusted                    | false",
                "network: 192.0.2.0/24                                   | true",
                "network: 192.0.3.0/24                                   | false",
                "network: 2001:db8::/32                                  | false",
                "submitter: google.com, network: 192.0.2.1               | true",
                "submitter: google.com, result-type: validation-failure  | false",
            })
    void ignoredAreFailuresThatMatchInAll(String matcher, boolean ignored) {
        ignore(matcher, "2026-11-20");
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();
        assertThat(detection.records.isEmpty()).isEqualTo(ignored);
        assertThat(detection.counted("tlsrpt.detection.left-out", "why", "ignored"))
                .isEqualTo(ignored ? 1 : 0);
    }

    @Test
    void afterItsLastDayNothingIsIgnored() {
        ignore("submitter: google.com", "2026-11-19");
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();
        assertThat(detection.told()).containsExactly("firing critical");
    }

    @Test
    void ignoredSessionsAreNeitherFailedNorClean() {
        ignore("result-type: certificate-not-trusted", "2026-11-20");
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "google.com")
                .failed("certificate-not-trusted", 900, 1_000)
                .failed(EXPIRED, 40, 1_000)
                .totals(60, 940)
                .arrives();
        assertThat(detection.only().evidence().sessionCount()).isEqualTo(100);
        assertThat(detection.only().evidence().failedSessionCount()).isEqualTo(40);
    }

    private void ignore(String matcher, String until) {
        detection.configured("""
                domains: [{name: example.com}]
                alerting: {ignore: [{%s, reason: a broken client, until: %s}]}
                """.formatted(matcher, until));
    }
}

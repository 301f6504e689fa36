package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static io.tlsrpt.alerting.Detection.EXPIRED;
import static io.tlsrpt.alerting.Detection.MX;
import static io.tlsrpt.alerting.Detection.STARTTLS;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DetectionTopologyTest {

    private static final LocalDate DAY_1 = DAY_0.plusDays(1);
    private static final LocalDate DAY_2 = DAY_0.plusDays(2);

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

    /// A change here moves tasks and the names of internal topics: an installed application restores all its state, or
    /// needs another application id.
    @Test
    void theGraphIsAsItWas() {
        assertThat(detection.topology().describe().toString().strip()).isEqualTo("""
                Topologies:
                   Sub-topology: 0
                    Source: read-aggregates (topics: [tlsrpt.aggregates])
                      --> watch-mx, watch-reporters
                    Source: read-rejected (topics: [tlsrpt.reports.rejected])
                      --> watch-rejected
                    Processor: watch-mx (stores: [domain-mxs, domain-cells])
                      --> with-reporters
                      <-- read-aggregates
                    Processor: watch-reporters (stores: [attendance, domain-days])
                      --> with-reporters
                      <-- read-aggregates
                    Source: read-alert-actions (topics: [tlsrpt.alert-actions])
                      --> address-actions
                    Source: read-departures (topics: [tlsrpt.departures])
                      --> watch-departures, forget-look
                    Processor: watch-rejected (stores: [])
                      --> with-rejections
                      <-- read-rejected
                    Processor: with-reporters (stores: [])
                      --> with-rejections
                      <-- watch-mx, watch-reporters
                    Processor: address-actions (stores: [])
                      --> with-actions
                      <-- read-alert-actions
                    Source: read-inspections (topics: [tlsrpt.inspections])
                      --> split-looks
                    Processor: with-rejections (stores: [])
                      --> with-actions
                      <-- with-reporters, watch-rejected
                    Processor: split-looks (stores: [])
                      --> with-looks
                      <-- read-inspections
                    Processor: with-actions (stores: [])
                      --> with-looks
                      <-- with-rejections, address-actions
                    Processor: watch-departures (stores: [domain-mxs, attendance, domain-cells, domain-days])
                      --> with-departures
                      <-- read-departures
                    Processor: with-looks (stores: [])
                      --> with-departures
                      <-- with-actions, split-looks
                    Processor: with-departures (stores: [])
                      --> by-subject-repartition-filter
                      <-- with-looks, watch-departures
                    Processor: by-subject-repartition-filter (stores: [])
                      --> by-subject-repartition-sink
                      <-- with-departures
                    Processor: forget-look (stores: [])
                      --> write-no-look
                      <-- read-departures
                    Sink: by-subject-repartition-sink (topic: by-subject-repartition)
                      <-- by-subject-repartition-filter
                    Sink: write-no-look (topic: tlsrpt.inspections)
                      <-- forget-look

                  Sub-topology: 1
                    Source: by-subject-repartition-source (topics: [by-subject-repartition])
                      --> for-watches, judge-mx, judge-reporters, judge-silence
                    Processor: for-watches (stores: [])
                      --> judge-looks
                      <-- by-subject-repartition-source
                    Processor: judge-looks (stores: [look-alerts, last-looks])
                      --> with-watches
                      <-- for-watches
                    Processor: judge-mx (stores: [mx-cells, mx-days, alert-states])
                      --> with-watches
                      <-- by-subject-repartition-source
                    Processor: judge-reporters (stores: [reporter-sightings, arrivals, reporter-alerts, reporter-days])
                      --> and-of-reporters
                      <-- by-subject-repartition-source
                    Processor: with-watches (stores: [])
                      --> and-of-reporters
                      <-- judge-mx, judge-looks
                    Processor: and-of-reporters (stores: [])
                      --> and-of-silence
                      <-- with-watches, judge-reporters
                    Processor: judge-silence (stores: [listening, known-presences, silence-alerts])
                      --> and-of-silence
                      <-- by-subject-repartition-source
                    Processor: and-of-silence (stores: [])
                      --> transitions, write-alerts
                      <-- and-of-reporters, judge-silence
                    Processor: transitions (stores: [])
                      --> write-alert-history
                      <-- and-of-silence
                    Sink: write-alert-history (topic: tlsrpt.alert-history)
                      <-- transitions
                    Sink: write-alerts (topic: tlsrpt.alerts)
                      <-- and-of-silence

                  Sub-topology: 2 for global store (will not generate tasks)
                    Source: read-domains-source (topics: [tlsrpt.domains])
                      --> read-domains
                    Processor: read-domains (stores: [domain-claims])
                      --> none
                      <-- read-domains-source
                  Sub-topology: 3 for global store (will not generate tasks)
                    Source: read-alerts-source (topics: [tlsrpt.alerts])
                      --> read-alerts
                    Processor: read-alerts (stores: [alert-memory])
                      --> none
                      <-- read-alerts-source

                """.strip());
    }

    @Test
    void anAlertSaysWhatIsWrongInWords() {
        detection.history(DAY_0, 28, "google.com", 50).hoursAfter(DAY_0, 10);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 5, 55).arrives();

        Alert alert = detection.only();
        assertThat(alert.summary())
                .isEqualTo("expired certificate at mx1.example.com: 5 of 55 sessions (9 %) on 2026-11-20,"
                        + " one reporter (google.com); 0 of 1,400 in 28 days before");
        assertThat(alert.alertId())
                .isEqualTo(Incident.alertId(Rule.CERTIFICATE, EXPIRED, "example.com", MX, null))
                .matches("[0-9a-f]{64}");
        assertThat(alert.incidentId()).isEqualTo(alert.alertId() + "-1");
        assertThat(alert.rule()).isEqualTo("certificate");
        assertThat(alert.severity()).isEqualTo("warning");
        assertThat(alert.labels()).containsExactlyInAnyOrderEntriesOf(Map.of("team", "mail", "tier", "gold"));
        assertThat(alert.url()).isEqualTo("https://tls.example.com/alerts/" + alert.alertId());
        assertThat(alert.runbookUrl()).isEqualTo("https://tls.example.com/runbook#certificate-expired");
        assertThat(alert.evidence().branch()).isEqualTo("B");
        assertThat(alert.evidence().window()).isEqualTo(DAY_0);
        assertThat(alert.evidence().baselineSessions()).isEqualTo(1_400);
        assertThat(alert.evidence().receivingIps()).containsExactly("192.0.2.1");
        assertThat(alert.evidence().failureReasonCodes()).containsExactly("X509_V_ERR_CERT_HAS_EXPIRED");
        assertThat(alert.evidence().affectedDomains()).isNull();
        assertThat(alert.openedAt()).isEqualTo(detection.now());
    }

    @Test
    void s1_anExpiryPagesAtTheFirstReportAndEndsByEnoughCleanSessions() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        assertThat(detection.told()).containsExactly("firing critical");
        detection.cell(DAY_0, "microsoft.com").failed(EXPIRED, 15, 20).arrives();
        detection.cell(DAY_0, "comcast.net").failed(EXPIRED, 4, 5).arrives();
        detection.hoursAfter(DAY_1, 10);
        detection.cell(DAY_1, "google.com").failed(EXPIRED, 3, 41).arrives();
        detection.cell(DAY_1, "microsoft.com").failed(EXPIRED, 1, 18).arrives();
        detection.hoursAfter(DAY_2, 10);
        detection.cell(DAY_2, "google.com").sessions(38).arrives();
        detection.cell(DAY_2, "microsoft.com").sessions(21).arrives();
        assertThat(detection.told()).containsExactly("firing critical");
        detection.cell(DAY_2, "comcast.net").sessions(6).arrives();

        assertThat(detection.told()).containsExactly("firing critical", "resolved recovered");
        assertThat(detection.only().summary())
                .isEqualTo("recovered: expired certificate at mx1.example.com; 65 clean sessions after 2026-11-21");
        assertThat(detection.only().resolvedAt()).isEqualTo(detection.now());
        assertThat(detection.only().transition()).isEqualTo(2);
    }

    @Test
    void s2_failuresOfLongAgoAreOnlyCounted() {
        detection.hoursAfter(DAY_0, 10);
        for (int back = 41; back <= 60; back++) {
            detection
                    .cell(DAY_0.minusDays(back), "google.com")
                    .failed(EXPIRED, 40, 40)
                    .arrives();
        }
        for (int back = 4; back <= 20; back++) {
            detection
                    .cell(DAY_0.minusDays(back), "google.com")
                    .failed(EXPIRED, 40, 40)
                    .arrives();
        }
        assertThat(detection.records).isEmpty();
        assertThat(detection.counted("tlsrpt.detection.aggregates", "outcome", "out-of-range"))
                .isEqualTo(20);
    }

    @Test
    void s3_aDayThatIsKnownToBeOverOpensNothing() {
        cleanHistory();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").sessions(41).arrives();
        detection.hoursAfter(DAY_0, 44);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();

        assertThat(detection.records).isEmpty();
        assertThat(detection.counted("tlsrpt.detection.past-incidents")).isEqualTo(1);
    }

    @Test
    void s4_aCleanDayBeforeTheBadOneResolvesNothing() {
        cleanHistory();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").failed(EXPIRED, 40, 40).arrives();
        detection.cell(DAY_0, "google.com").sessions(400).arrives();

        assertThat(detection.told()).containsExactly("firing critical");
    }

    @Test
    void s5_theSameAgainChangesNothing() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        Detection.Cell cell = detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40);
        cell.arrives();
        cell.arrives();
        detection.pass(Duration.ofMinutes(5));
        cell.arrives();

        assertThat(detection.records).hasSize(1);
    }

    @Test
    void s6_fiveOfTenThousandAreNothing() {
        detection.history(DAY_0, 28, "google.com", 10_000).hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 5, 10_005).arrives();
        assertThat(detection.records).isEmpty();
        assertThat(detection.counted("tlsrpt.detection.judgements", "verdict", "record"))
                .isEqualTo(1);
    }

    @Test
    void s7_aWarningStaysUntilEnoughSessionsAreClean() {
        detection.history(DAY_0, 28, "google.com", 50).hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 5, 55).arrives();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").sessions(20).arrives();
        assertThat(detection.told()).containsExactly("firing warning");
        detection.hoursAfter(DAY_2, 4);
        detection.cell(DAY_2, "google.com").sessions(25).arrives();
        assertThat(detection.told()).containsExactly("firing warning", "resolved recovered");
    }

    @Test
    void s8_silenceIsNoRecovery() {
        detection.history(DAY_0, 28, "google.com", 50).hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 50, 55).arrives();
        detection.pass(Duration.ofDays(7).minusMinutes(1));
        assertThat(detection.told()).containsExactly("firing critical");
        detection.pass(Duration.ofMinutes(2));
        assertThat(detection.told()).containsExactly("firing critical", "resolved stale");
        assertThat(detection.only().summary()).startsWith("no data for 7 days, not a recovery: expired certificate");
    }

    @Test
    void s9_anExpiryJustBeforeMidnightPagesTheNextDay() {
        for (int back = 28; back >= 1; back--) {
            LocalDate day = DAY_0.minusDays(back);
            detection.hoursAfter(day, 4);
            detection.cell(day, "google.com").sessions(6_000).arrives();
            detection.cell(day, "microsoft.com").sessions(4_000).arrives();
        }
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 1, 6_000).arrives();
        detection.cell(DAY_0, "microsoft.com").failed(EXPIRED, 1, 4_000).arrives();
        assertThat(detection.records).isEmpty();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").failed(EXPIRED, 5_900, 6_100).arrives();
        assertThat(detection.told()).containsExactly("firing critical");
    }

    @Test
    void s10_aReporterThatIsGoneHoldsUpTheRecoveryUntilItIsOverdue() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        detection.cell(DAY_0, "microsoft.com").failed(EXPIRED, 15, 20).arrives();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").sessions(60).arrives();
        detection.hoursAfter(DAY_2, 4);
        detection.cell(DAY_2, "google.com").sessions(60).arrives();
        detection.hoursAfter(DAY_1, 71);
        assertThat(detection.told()).containsExactly("firing critical");
        detection.at(Incident.end(DAY_1).plus(Duration.ofDays(3)).plusSeconds(20));
        assertThat(detection.told()).containsExactly("firing critical", "resolved recovered");
    }

    @Test
    void threeOfThreeAtATinyDomainWaitForTheSecondDay() {
        detection.history(DAY_0.minusDays(1), 20, "google.com", 4).hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 3, 3).arrives();
        assertThat(detection.records).isEmpty();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").failed(EXPIRED, 3, 4).arrives();

        assertThat(detection.told()).containsExactly("firing warning");
        assertThat(detection.only().evidence().branch()).isEqualTo("B/3d");
        assertThat(detection.only().summary())
                .contains("6 of 7 sessions (86 %) in the 3 days to 2026-11-21", "0 of 80 in 28 days before");
    }

    @Test
    void twoHundredDomainsBehindOneMxAreOneAlert() {
        detection.hoursAfter(DAY_0, 4);
        for (int i = 0; i < 200; i++) {
            detection
                    .cell(DAY_0, "google.com")
                    .domain("customer" + i + ".example.net")
                    .failed(EXPIRED, "mx.host.example", 1, 1)
                    .arrives();
        }
        detection.pass(Duration.ofMinutes(2));

        Alert alert = detection.only();
        assertThat(alert.severity()).isEqualTo("critical");
        assertThat(alert.policyDomain()).isNull();
        assertThat(alert.receivingMxHostname()).isEqualTo("mx.host.example");
        assertThat(alert.evidence().affectedDomainCount()).isEqualTo(200);
        assertThat(alert.evidence().affectedDomains()).hasSize(100).allMatch(name -> name.endsWith(".example.net"));
        assertThat(alert.evidence().failedSessionCount()).isEqualTo(200);
        assertThat(alert.labels()).containsExactlyInAnyOrderEntriesOf(Map.of("team", "mail", "tier", "lead"));
        assertThat(detection.told()).containsExactly("firing warning", "firing critical", "firing critical");
        assertThat(detection.records).hasSize(3);
        assertThat(alert.summary()).contains("at mx.host.example, 200 domains: 200 of 200 sessions (100 %)");
    }

    @Test
    void thousandsOfDomainsBehindOneMxAreAllCountedInFewRecords() {
        detection.hoursAfter(DAY_0, 4);
        for (int i = 0; i < 2_000; i++) {
            detection
                    .cell(DAY_0, i % 2 == 0 ? "google.com" : "microsoft.com")
                    .domain("customer" + i + ".example.net")
                    .failed(EXPIRED, "mx.host.example", 1, 2)
                    .arrives();
        }
        detection.pass(Duration.ofMinutes(2));
        assertThat(detection.only().evidence().affectedDomainCount()).isEqualTo(2_000);
        assertThat(detection.only().evidence().affectedDomains()).hasSize(100);
        assertThat(detection.records).hasSizeLessThan(10);
    }

    @Test
    void anIncidentKeepsItsIdentityWhenOtherDomainsJoin() {
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();
        String first = detection.only().alertId();
        assertThat(detection.only().policyDomain()).isEqualTo("example.com");
        for (int i = 0; i < 4; i++) {
            detection
                    .cell(DAY_0, "google.com")
                    .domain("other" + i + ".example.net")
                    .failed(EXPIRED, 5, 5)
                    .arrives();
        }
        detection.pass(Duration.ofMinutes(2));

        assertThat(detection.only().alertId()).isEqualTo(first);
        assertThat(detection.only().policyDomain()).isEqualTo("example.com");
        assertThat(detection.only().evidence().affectedDomainCount()).isEqualTo(5);
        assertThat(detection.only().transition()).isEqualTo(2);
    }

    @Test
    void domainsWhoseReportsNameNoMxAreJudgedEachByItself() {
        detection.hoursAfter(DAY_0, 4);
        for (String domain : List.of("example.com", "a.example.net")) {
            detection
                    .cell(DAY_0, "google.com")
                    .domain(domain)
                    .failedSomewhere(EXPIRED, 40, 60)
                    .arrives();
        }
        assertThat(detection.state).hasSize(2);
        assertThat(detection.state.values()).allMatch(alert -> alert.receivingMxHostname() == null);
        assertThat(detection.state.values().stream().map(Alert::policyDomain))
                .containsExactlyInAnyOrder("example.com", "a.example.net");
        assertThat(detection.state.values().iterator().next().summary())
                .startsWith("expired certificate at an unnamed MX of example.com: 40 of 60");
    }

    @Test
    void differentTroublesAtOneMxAreDifferentAlerts() {
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "google.com")
                .failed(EXPIRED, 40, 60)
                .failed("certificate-host-mismatch", 40, 60)
                .arrives();
        assertThat(detection.state.values().stream().map(Alert::resultType))
                .containsExactlyInAnyOrder(EXPIRED, "certificate-host-mismatch");
    }

    @Test
    void eachPolicyTypeIsJudgedAloneAndTheWorstCounts() {
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "google.com")
                .policyType("no-policy-found")
                .mode(null)
                .failed(EXPIRED, 40, 60)
                .arrives();
        assertThat(detection.only().severity()).isEqualTo("warning");
        detection
                .cell(DAY_0, "google.com")
                .policyType("tlsa")
                .mode(null)
                .failed(EXPIRED, 40, 60)
                .arrives();
        assertThat(detection.only().severity()).isEqualTo("critical");
        assertThat(detection.only().policyType()).isEqualTo("tlsa");
        assertThat(detection.only().evidence().sessionCount()).isEqualTo(60);
    }

    @Test
    void untrustedReportsAloneAreAWarningAtMost() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        for (int i = 0; i < 50; i++) {
            detection
                    .cell(DAY_0, "forger" + i + ".example")
                    .authentication("none")
                    .failed(EXPIRED, 1_000, 1_000)
                    .arrives();
        }
        assertThat(detection.told()).containsExactly("firing warning");
        assertThat(detection.only().summary()).contains("unverified reporter");

        detection
                .cell(DAY_0, "google.com")
                .authentication("operator")
                .failed(EXPIRED, 31, 40)
                .arrives();
        assertThat(detection.told()).containsExactly("firing warning", "firing critical");
    }

    @Test
    void strangersDoNotHoldUpTheRecoveryOfWhatTrustedReportersSaw() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        detection.hoursAfter(DAY_1, 4);
        detection
                .cell(DAY_1, "forger.example")
                .authentication("none")
                .failed(EXPIRED, 40, 40)
                .arrives();
        detection.cell(DAY_1, "google.com").sessions(40).arrives();
        assertThat(detection.told()).containsExactly("firing critical", "resolved recovered");
        assertThat(detection.only().evidence().window()).isEqualTo(DAY_0);
    }

    @Test
    void strangersKeepNoTrustedAlertFromBecomingStale() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        for (int days = 1; days <= 6; days++) {
            LocalDate day = DAY_0.plusDays(days);
            detection.hoursAfter(day, 3);
            detection
                    .cell(day, "forger.example")
                    .authentication("none")
                    .failed(EXPIRED, 40, 40)
                    .arrives();
        }
        detection.hoursAfter(DAY_0.plusDays(7), 5);
        assertThat(detection.told()).containsExactly("firing critical", "resolved stale");
    }

    @Test
    void anAlertOfAPolicyTypeThatIsGoneBecomesStale() {
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "google.com")
                .policyType("tlsa")
                .failed("tlsa-invalid", 30, 30)
                .arrives();
        for (int days = 1; days <= 7; days++) {
            LocalDate day = DAY_0.plusDays(days);
            detection.hoursAfter(day, 3);
            detection.cell(day, "google.com").sessions(50).arrives();
            detection
                    .cell(DAY_0.minusDays(days), "google.com")
                    .policyType("tlsa")
                    .backfill()
                    .failed("tlsa-invalid", 30, 30)
                    .arrives();
        }
        assertThat(detection.told()).containsExactly("firing critical");
        detection.hoursAfter(DAY_0.plusDays(7), 5);
        assertThat(detection.told()).containsExactly("firing critical", "resolved stale");
    }

    @Test
    void newSettingsAreAppliedToManyAlertsInSlices() {
        detection.hoursAfter(DAY_0, 4);
        for (int i = 0; i < 400; i++) {
            detection
                    .cell(DAY_0, "google.com")
                    .domain("d" + i + ".example.net")
                    .failed(EXPIRED, "mx" + i + ".example.net", 31, 40)
                    .arrives();
        }
        detection.pass(Duration.ofMinutes(5));
        assertThat(detection.firing()).hasSize(400);
        detection.rules("certificate: false");
        detection.pass(Judge.TICK);
        assertThat(detection.firing()).hasSize(100);
        detection.pass(Judge.TICK);
        assertThat(detection.firing()).isEmpty();
    }

    @Test
    void noNameOfAnMxLooksLikeAnotherSubject() {
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "google.com")
                .failed(EXPIRED, "?@?reporter google.com", 31, 40)
                .arrives();
        assertThat(detection.only().receivingMxHostname()).isEqualTo("reporter google.com");
    }

    @Test
    void cleanSessionsOfStrangersHideAndResolveNothing() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "google.com")
                .authentication("none")
                .sessions(1_000_000_000)
                .arrives();
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        assertThat(detection.told()).containsExactly("firing critical");
        detection.hoursAfter(DAY_1, 4);
        detection
                .cell(DAY_1, "google.com")
                .authentication("none")
                .sessions(1_000_000_000)
                .arrives();
        detection
                .cell(DAY_1, "microsoft.com")
                .authentication("none")
                .sessions(1_000_000_000)
                .arrives();
        detection.pass(Duration.ofDays(5));
        assertThat(detection.told()).containsExactly("firing critical");
        detection.pass(Duration.ofDays(2));
        assertThat(detection.told()).containsExactly("firing critical", "resolved stale");
    }

    @Test
    void strangersCannotCrowdOutTheMxThatATrustedReportNames() {
        detection.hoursAfter(DAY_0, 4);
        Detection.Cell hostile = detection.cell(DAY_0, "forger.example").authentication("none");
        for (int i = 0; i < 1_000; i++) {
            hostile.failed(EXPIRED, "mx" + i + ".forged.example", 1, 1_000);
        }
        hostile.arrives();
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();

        assertThat(detection.state.values().stream().filter(alert -> MX.equals(alert.receivingMxHostname())))
                .singleElement()
                .satisfies(alert -> assertThat(alert.severity()).isEqualTo("critical"));
    }

    /// One pooled day is one record of a changelog: were each invented word a share of its own, detection would stop
    /// for good at the first that is too large to be written.
    @Test
    void inventedPolicyTypesDoNotMakeAPooledDayLarge() {
        detection.hoursAfter(DAY_0, 4);
        for (int i = 0; i < 300; i++) {
            detection
                    .cell(DAY_0, "forger.example")
                    .domain("d" + i + ".forged.example")
                    .policyType("sts" + i)
                    .authentication("none")
                    .failed(EXPIRED, 1, 1)
                    .arrives();
        }
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();

        assertThat(detection.counted("tlsrpt.detection.aggregates", "outcome", "unknown-policy-type"))
                .isEqualTo(300);
        assertThat(detection.stores().getOrDefault("mx-days", Map.of()))
                .hasSize(1)
                .allSatisfy((key, day) -> assertThat(((MxDay) day).shares()).hasSize(1));
        assertThat(detection.told()).containsExactly("firing critical");
    }

    @Test
    void ofAHostileCellOnlyWhatCanBecomeKnownIsKept() {
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        Detection.Cell hostile = detection.cell(DAY_0, "forger.example").authentication("none");
        for (int i = 0; i < 1_000; i++) {
            hostile.failed(EXPIRED, "mx" + i + ".forged.example", 10, 1_000);
        }
        hostile.failed(EXPIRED, MX, 1, 1_000).arrives();

        assertThat(detection.stores().getOrDefault("domain-cells", Map.of()).values())
                .map(cell -> (Aggregate) cell)
                .filteredOn(cell -> cell.authentication().equals("none"))
                .singleElement()
                .satisfies(cell -> assertThat(cell.failures())
                        .hasSize(21)
                        .anySatisfy(failure ->
                                assertThat(failure.receivingMxHostname()).isEqualTo(MX)));
    }

    @Test
    void aDayIsFullUntilACellGoes() {
        detection.hoursAfter(DAY_0, 4);
        for (int i = 0; i < 202; i++) {
            detection
                    .cell(DAY_0, "s" + i + ".example")
                    .authentication("none")
                    .sessions(1)
                    .arrives();
        }
        assertThat(detection.counted("tlsrpt.detection.aggregates", "outcome", "over-limit"))
                .isEqualTo(2);
        detection.cell(DAY_0, "s7.example").authentication("none").vanishes();
        detection.cell(DAY_0, "s201.example").authentication("none").sessions(1).arrives();
        assertThat(detection.counted("tlsrpt.detection.aggregates", "outcome", "over-limit"))
                .isEqualTo(2);
    }

    @Test
    void aLostStarttlsPagesAndAnAttackOnOnePathIsLabelled() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "google.com")
                .mode("testing")
                .failed(STARTTLS, 40, 40)
                .arrives();
        assertThat(detection.only().rule()).isEqualTo("starttls-regression");
        assertThat(detection.only().summary()).contains("nobody else has confirmed it yet");
        detection.cell(DAY_0, "microsoft.com").sessions(20).arrives();
        detection.pass(Duration.ofMinutes(2));
        assertThat(detection.only().severity()).isEqualTo("warning");
        assertThat(detection.only().summary())
                .contains("one path only: possible downgrade attack or middlebox near google.com");
        assertThat(detection.only().labels()).containsEntry("security", "possible-downgrade");

        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "microsoft.com").sessions(20).arrives();
        detection
                .cell(DAY_1, "google.com")
                .mode("testing")
                .failed(STARTTLS, 40, 40)
                .arrives();
        assertThat(detection.only().severity()).isEqualTo("critical");

        detection.hoursAfter(DAY_2, 4);
        detection
                .cell(DAY_2, "google.com")
                .mode("testing")
                .failed(STARTTLS, 40, 40)
                .arrives();
        detection
                .cell(DAY_2, "microsoft.com")
                .mode("testing")
                .failed(STARTTLS, 20, 20)
                .arrives();
        detection.pass(Duration.ofMinutes(2));
        assertThat(detection.only().summary()).contains("the server lost STARTTLS");
        assertThat(detection.only().labels()).doesNotContainKey("security");
    }

    @Test
    void starttlsThatWasNeverThereIsInformation() {
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(STARTTLS, 40, 40).arrives();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").failed(STARTTLS, 40, 40).arrives();
        detection.pass(Duration.ofMinutes(2));
        assertThat(detection.told()).containsExactly("firing info");
        assertThat(detection.only().summary()).contains("STARTTLS was never offered");
    }

    @Test
    void anOutageOfWeeksStaysTheRegressionItIs() {
        cleanHistory();
        for (int day = 0; day < 40; day++) {
            detection.hoursAfter(DAY_0.plusDays(day), 4);
            detection
                    .cell(DAY_0.plusDays(day), "google.com")
                    .failed(STARTTLS, 40, 40)
                    .arrives();
            detection
                    .cell(DAY_0.plusDays(day), "microsoft.com")
                    .failed(STARTTLS, 20, 20)
                    .arrives();
        }
        detection.pass(Duration.ofMinutes(2));
        assertThat(detection.told()).containsExactly("firing warning", "firing critical");
        assertThat(detection.firing()).hasSize(1).containsValue("critical");
        assertThat(detection.only().summary()).contains("the server lost STARTTLS");
    }

    @Test
    void daysOfTheOutageDoNotCountAsUsual() {
        cleanHistory();
        for (int day = 0; day < 3; day++) {
            detection.hoursAfter(DAY_0.plusDays(day), 4);
            detection
                    .cell(DAY_0.plusDays(day), "google.com")
                    .failed(EXPIRED, 31, 40)
                    .arrives();
        }
        detection.pass(Duration.ofMinutes(2));
        assertThat(detection.only().evidence().window()).isEqualTo(DAY_2);
        assertThat(detection.only().evidence().baselineFailed()).isZero();
    }

    @Test
    void aForgeryThatIsReplacedByTheGenuineReportIsTakenBack() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "google.com")
                .authentication("none")
                .failed(EXPIRED, 40, 40)
                .arrives();
        assertThat(detection.told()).containsExactly("firing warning");
        detection.cell(DAY_0, "google.com").authentication("none").sessions(0).arrives();
        detection.cell(DAY_0, "google.com").sessions(40).arrives();
        assertThat(detection.told()).containsExactly("firing warning");
        detection.pass(Duration.ofSeconds(30));
        assertThat(detection.told()).containsExactly("firing warning", "resolved retracted");

        detection.cell(DAY_0, "microsoft.com").failed(EXPIRED, 15, 20).arrives();
        assertThat(detection.told()).containsExactly("firing warning", "resolved retracted", "firing warning");
        assertThat(detection.only().evidence().submitters()).containsExactly("microsoft.com");
    }

    @Test
    void anUntrustedCopyReplacedByAGenuineOneThatSaysTheSameStaysOneAlert() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "google.com")
                .authentication("none")
                .failed(EXPIRED, 40, 40)
                .arrives();
        detection.cell(DAY_0, "google.com").authentication("none").vanishes();
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 40).arrives();
        detection.pass(Duration.ofMinutes(5));
        assertThat(detection.told()).containsExactly("firing warning", "firing critical");
    }

    @Test
    void aTombstoneTakesItsCellBack() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        detection.cell(DAY_0, "google.com").vanishes();
        detection.cell(DAY_0.minusDays(300), "google.com").vanishes();
        detection.pass(Duration.ofSeconds(30));
        assertThat(detection.told()).containsExactly("firing critical", "resolved retracted");
        assertThat(detection.counted("tlsrpt.detection.aggregates", "outcome", "removed"))
                .isEqualTo(2);
    }

    @Test
    void reopeningWithinThreeDaysIsTheSameAlertAndANewIncident() {
        detection.history(DAY_0, 28, "google.com", 50).hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 50, 55).arrives();
        Alert first = detection.only();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").sessions(50).arrives();
        detection.hoursAfter(DAY_2, 4);
        detection.cell(DAY_2, "google.com").failed(EXPIRED, 50, 55).arrives();

        assertThat(detection.told()).containsExactly("firing critical", "resolved recovered", "firing critical");
        Alert again = detection.only();
        assertThat(again.alertId()).isEqualTo(first.alertId());
        assertThat(again.incidentId()).isEqualTo(first.alertId() + "-2");
        assertThat(again.reopened()).isTrue();
        assertThat(again.transition()).isEqualTo(1);
        assertThat(again.resolvedAt()).isNull();
        assertThat(again.evidence().baselineFailed()).isZero();
    }

    @Test
    void laterItIsANewIncidentThatIsNotReopened() {
        detection.history(DAY_0, 28, "google.com", 50).hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 50, 55).arrives();
        LocalDate later = DAY_0.plusDays(6);
        detection.history(later, 5, "google.com", 50).hoursAfter(later, 4);
        detection.cell(later, "google.com").failed(EXPIRED, 50, 55).arrives();

        assertThat(detection.only().incidentId()).endsWith("-2");
        assertThat(detection.only().reopened()).isNull();
    }

    @Test
    void aLateReportOfAResolvedIncidentOpensNothing() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").sessions(40).arrives();
        detection.cell(DAY_0, "microsoft.com").failed(EXPIRED, 15, 20).arrives();
        assertThat(detection.told()).containsExactly("firing critical", "resolved recovered");
    }

    @Test
    void whatIsImportedLaterOnlyTellsWhatWasUsual() {
        detection.hoursAfter(DAY_0, 4);
        for (int back = 28; back >= 1; back--) {
            detection
                    .cell(DAY_0.minusDays(back), "google.com")
                    .backfill()
                    .failed(EXPIRED, 20, 50)
                    .arrives();
        }
        detection.cell(DAY_0, "google.com").backfill().failed(EXPIRED, 20, 50).arrives();
        detection.cell(DAY_0, "microsoft.com").failed(EXPIRED, 20, 50).arrives();
        assertThat(detection.records).isEmpty();
    }

    @Test
    void otherDatesHarmNobody() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0.plusDays(2), "skewed.example")
                .failed(EXPIRED, 40, 40)
                .arrives();
        detection
                .cell(DAY_0.minusDays(300), "late.example")
                .failed(EXPIRED, 40, 40)
                .arrives();
        detection
                .cell(DAY_0.plusDays(300), "mad.example")
                .failed(EXPIRED, 40, 40)
                .arrives();
        assertThat(detection.records).isEmpty();
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        assertThat(detection.told()).containsExactly("firing critical");
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").sessions(40).arrives();
        assertThat(detection.told()).containsExactly("firing critical", "resolved recovered");
    }

    @Test
    void aRestartRepeatsNothingAndForgetsNothing(@TempDir Path other) {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        try (Detection restarted = new Detection(other).restore(detection.stores())) {
            restarted.hoursAfter(DAY_0, 5);
            restarted.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
            assertThat(restarted.transitions).isEmpty();
            restarted.hoursAfter(DAY_1, 4);
            restarted.cell(DAY_1, "google.com").sessions(40).arrives();
            assertThat(restarted.told()).containsExactly("resolved recovered");
        }
        try (Detection restarted = new Detection(directory.resolve("more")).restore(detection.stores())) {
            restarted.hoursAfter(DAY_0, 24 * 8);
            assertThat(restarted.told()).containsExactly("resolved stale");
        }
    }

    @Test
    void aRuleThatIsTurnedOffEndsItsAlertsAndOpensNone() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        detection.rules("certificate: false");
        detection.pass(Duration.ofSeconds(20));
        assertThat(detection.told()).containsExactly("firing critical", "resolved manual");
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").failed(EXPIRED, 31, 40).arrives();
        assertThat(detection.records).hasSize(2);
    }

    @Test
    void tooFewSessionsAreNotJudgedWhereTheSettingsSaySo() {
        detection.rules("min-sessions: 100");
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();
        assertThat(detection.records).isEmpty();
        detection.cell(DAY_0, "microsoft.com").sessions(40).arrives();
        assertThat(detection.told()).containsExactly("firing warning");
    }

    @Test
    void aResolvedAlertIsForgottenWhenItsRetentionIsOver() {
        detection.history(DAY_0, 28, "google.com", 50).hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 50, 55).arrives();
        detection.pass(Duration.ofDays(409));
        assertThat(detection.state).isEmpty();
        assertThat(detection.records).hasSize(3).last().isNull();
        assertThat(detection.stores().get("alert-states")).isEmpty();
    }

    @Test
    void oldCellsAreSwept() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        detection.hoursAfter(DAY_0.plusDays(60), 4);
        detection
                .cell(DAY_0.plusDays(60), "google.com")
                .domain("other.example.net")
                .sessions(5)
                .arrives();
        detection.pass(Duration.ofHours(12));
        Map<String, Integer> sizes = new HashMap<>();
        detection.stores().forEach((name, entries) -> sizes.put(name, entries.size()));
        assertThat(sizes)
                .containsEntry("domain-cells", 1)
                .containsEntry("domain-mxs", 0)
                .containsEntry("mx-cells", 0)
                .containsEntry("mx-days", 0);
    }

    @Test
    void textOfStrangersIsCleanedAndBounded() {
        detection.hoursAfter(DAY_0, 4);
        detection
                .cell(DAY_0, "evil\u202Eegap\n.example" + "x".repeat(500))
                .failed(EXPIRED, "MX1\u0000\u200B." + "y".repeat(1_000), 40, 60)
                .arrives();
        String json = Json.MAPPER.writeValueAsString(detection.only());
        assertThat(json.codePoints()
                        .noneMatch(point -> Character.getType(point) == Character.FORMAT
                                || Character.getType(point) == Character.CONTROL))
                .isTrue();
        assertThat(detection.only().summary()).hasSizeLessThan(600);
        assertThat(detection.only().receivingMxHostname()).hasSize(253).startsWith("mx1\uFFFD\uFFFD.");
    }

    @Test
    void theCountersAddUp() {
        cleanHistory();
        detection.hoursAfter(DAY_0, 4);
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
        detection.cell(DAY_0.minusDays(100), "google.com").sessions(40).arrives();
        detection.cell(DAY_0.minusDays(1), "google.com").vanishes();
        detection.hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").sessions(40).arrives();
        detection.hoursAfter(DAY_2, 4);
        detection.cell(DAY_2, "google.com").failed(EXPIRED, 31, 40).arrives();

        double read = 2 * 28 + 5;
        assertThat(detection.counted("tlsrpt.detection.aggregates")).isEqualTo(read);
        assertThat(detection.counted("tlsrpt.detection.transitions", "change", "opened")
                        + detection.counted("tlsrpt.detection.transitions", "change", "reopened")
                        - detection.counted("tlsrpt.detection.transitions", "change", "recovered"))
                .isEqualTo(detection.firing().size());
        assertThat(detection.counted("tlsrpt.detection.transitions")).isEqualTo(detection.transitions.size());
    }

    /// google.com with 40 and microsoft.com with 20 clean sessions a day for 28 days.
    private void cleanHistory() {
        for (int back = 28; back >= 1; back--) {
            LocalDate day = DAY_0.minusDays(back);
            detection.hoursAfter(day, 4);
            detection.cell(day, "google.com").sessions(40).arrives();
            detection.cell(day, "microsoft.com").sessions(20).arrives();
        }
    }
}

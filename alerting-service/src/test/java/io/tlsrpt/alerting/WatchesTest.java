package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertAction;
import io.tlsrpt.topics.Inspection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Live looks become alerts of their own and end them.
class WatchesTest {

    private Detection detection;

    @BeforeEach
    void start(@TempDir Path directory) {
        detection = new Detection(directory);
    }

    @AfterEach
    void stop() {
        detection.close();
    }

    @Test
    void whereAllIsWellNothingIsSaid() {
        look();

        assertThat(detection.records).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "certificate-expired, certificate-expiry, error, critical",
        "certificate-host-mismatch, certificate-expiry, warning, warning",
        "starttls-missing, starttls-missing, error, critical",
        "starttls-failed, starttls-missing, warning, warning",
        "tlsa-mismatch, tlsa, error, critical",
        "tlsa-not-secure, tlsa, warning, warning",
    })
    void aFaultAtAnMxIsAnAlertThatALookWithoutItEnds(String code, String rule, String verdict, String severity) {
        look(sample().finds(code, rule, verdict, SampleLooks.MX));

        Alert alert = detection.only();
        assertThat(alert.rule()).isEqualTo(rule);
        assertThat(alert.severity()).isEqualTo(severity);
        assertThat(alert.receivingMxHostname()).isEqualTo(SampleLooks.MX);
        assertThat(alert.policyDomain()).isNull();
        assertThat(alert.labels()).containsEntry("team", "mail");
        assertThat(alert.evidence().affectedDomains()).containsExactly("example.com");
        assertThat(alert.evidence().live()).isNotNull();
        assertThat(alert.help()).isNotNull();
        assertThat(alert.summary()).contains("what was found");

        detection.pass(Duration.ofHours(6));
        look();

        assertThat(detection.told()).containsExactly("firing " + severity, "resolved probe");
    }

    @Test
    void anMxOfTwoDomainsIsOneAlertThatNamesBoth() {
        look(sample().domain("a.example.net").finds("starttls-missing", "starttls-missing", "error", SampleLooks.MX));
        look(sample().domain("b.example.net").finds("starttls-missing", "starttls-missing", "error", SampleLooks.MX));
        detection.pass(Duration.ofMinutes(2));

        assertThat(detection.only().evidence().affectedDomains()).containsExactly("a.example.net", "b.example.net");
        assertThat(detection.transitions).hasSize(1);
    }

    @Test
    void aCertificateThatEndsWithinTwoWeeksIsAWarning() {
        look(sample().address("192.0.2.1", Duration.ofDays(60)).address("192.0.2.2", Duration.ofDays(9)));

        assertThat(detection.only().severity()).isEqualTo("warning");
        assertThat(detection.only().summary())
                .contains("the certificate ends on")
                .contains("in 9 days");
    }

    @Test
    void theCertificateOfThePolicyHostIsWatchedToo() {
        look(sample().policyHostEnds(Duration.ofDays(3)));

        assertThat(detection.only().rule()).isEqualTo("certificate-expiry");
        assertThat(detection.only().policyDomain()).isEqualTo("example.com");
        assertThat(detection.only().summary()).contains("mta-sts.example.com").contains("in 3 days");
    }

    @Test
    void whatWasNotReachedEndsNothingAndBlamesNobody() {
        look(sample().unreached("192.0.2.1"));
        assertThat(detection.records).isEmpty();

        look(sample().without("192.0.2.1").finds("starttls-missing", "starttls-missing", "error", SampleLooks.MX));
        look(sample().unreached("192.0.2.1"));

        assertThat(detection.told()).containsExactly("firing critical");
    }

    @Test
    void aFamilyWithoutAWayFromHereKeepsNoAlertOpen() {
        look(sample().address("192.0.2.1", Duration.ofDays(60))
                .withoutRoute("2001:db8::1")
                .finds("starttls-missing", "starttls-missing", "error", SampleLooks.MX));
        look(sample().withoutRoute("2001:db8::1"));
        assertThat(detection.told()).containsExactly("firing critical");

        look(sample().address("192.0.2.1", Duration.ofDays(60)).withoutRoute("2001:db8::1"));
        assertThat(detection.told()).containsExactly("firing critical", "resolved probe");
    }

    @Test
    void aFamilyThatWasReachedOfLateIsWaitedFor() {
        look(sample().address("192.0.2.1", Duration.ofDays(60))
                .without("2001:db8::1")
                .finds("starttls-missing", "starttls-missing", "error", SampleLooks.MX));
        look(sample().address("192.0.2.1", Duration.ofDays(60)).withoutRoute("2001:db8::1"));

        assertThat(detection.told()).containsExactly("firing critical");
    }

    @ParameterizedTest
    @CsvSource({"mx-too-many, note", "dns-failed, unknown"})
    void aLookThatDoesNotKnowAllAddressesEndsNothing(String code, String verdict) {
        look(sample().finds("starttls-missing", "starttls-missing", "error", SampleLooks.MX));
        look(sample().says(code, verdict));

        assertThat(detection.told()).containsExactly("firing critical");
    }

    @Test
    void aFaultInTheEyesOfOneDomainEndsWhenThatDomainIsWell() {
        look(sample().domain("a.example.net").finds("starttls-missing", "starttls-missing", "error", SampleLooks.MX));
        look(sample().domain("b.example.net").finds("starttls-missing", "starttls-missing", "note", SampleLooks.MX));
        look(sample().domain("c.example.net").finds("starttls-missing", "starttls-missing", "warning", SampleLooks.MX));
        assertThat(detection.told()).containsExactly("firing critical");

        look(sample().domain("a.example.net"));
        assertThat(detection.told()).containsExactly("firing critical");
        look(sample().domain("c.example.net"));
        assertThat(detection.told()).containsExactly("firing critical", "resolved probe");
    }

    @Test
    void aNoteIsNoAlert() {
        look(sample().finds("tlsa-rollover", "tlsa", Inspection.NOTE, SampleLooks.MX));

        assertThat(detection.records).isEmpty();
    }

    @Test
    void aMissingTlsRptRecordIsAWarning() {
        look(sample().finds("tlsrpt-record-missing", "tlsrpt-record", "warning", null));

        assertThat(detection.only().rule()).isEqualTo("tlsrpt-record");
        assertThat(detection.only().severity()).isEqualTo("warning");
        assertThat(detection.only().policyDomain()).isEqualTo("example.com");
    }

    @Test
    void changedAddressesAreToldUntilTheyAreBackOrMeant() {
        look();
        look(sample().rua("mailto:elsewhere@example.org"));
        assertThat(detection.only().summary()).contains("have changed to mailto:elsewhere@example.org");
        look(sample());
        assertThat(detection.told()).containsExactly("firing warning", "resolved probe");

        look(sample().rua("mailto:new@example.com"));
        detection.act(detection.only(), AlertAction.RESOLVE, "we moved");
        detection.pass(Duration.ofHours(6));
        look(sample().rua("mailto:new@example.com"));

        assertThat(detection.told()).endsWith("firing warning", "resolved manual");
    }

    @Test
    void aPolicyThatChangesWithoutANewIdIsTold() {
        look(sample().policy("1", "aa"));
        look(sample().policy("1", "bb"));
        assertThat(detection.only().rule()).isEqualTo("mta-sts");
        assertThat(detection.only().summary()).contains("the id of its record has not");

        look(sample().policy("2", "bb"));

        assertThat(detection.told()).containsExactly("firing warning", "resolved probe");
    }

    @Test
    void anMtaStsRecordThatVanishesUnderEnforceIsTold() {
        look();
        look(sample().withoutMtaSts());

        assertThat(detection.only().summary()).contains("is gone while senders still hold its policy");
    }

    @Test
    void anMtaStsRecordThatIsGoneIsForgottenWhenNobodyHoldsThePolicyAnyMore() {
        look();
        detection.pass(Duration.ofDays(6));
        look(sample().withoutMtaSts());
        assertThat(detection.told()).containsExactly("firing warning");
        detection.pass(Duration.ofDays(2));
        look(sample().withoutMtaSts());

        assertThat(detection.told()).containsExactly("firing warning", "resolved probe");
    }

    @Test
    void theCertificateOfAPolicyHostThatNobodyAsksEndsNoMore() {
        look(sample().policy("1", "aa").policyHostEnds(Duration.ofDays(3)));
        String alertId = detection.only().alertId();
        look(sample().withoutMtaSts());

        assertThat(detection.state.get(alertId)).isNotNull();
        assertThat(Objects.requireNonNull(detection.state.get(alertId)).resolveReason())
                .isEqualTo("probe");
    }

    @Test
    void anMxThatAnEnforcedPolicyForgetsIsCritical() {
        look(sample().finds("mta-sts-mx-uncovered", "mta-sts", "error", SampleLooks.MX));

        assertThat(detection.only().rule()).isEqualTo("mta-sts");
        assertThat(detection.only().severity()).isEqualTo("critical");
    }

    @Test
    void whereNobodyLooksForAWeekTheAlertIsStale() {
        look(sample().finds("starttls-missing", "starttls-missing", "error", SampleLooks.MX));
        detection.pass(Duration.ofDays(8));

        assertThat(detection.told()).containsExactly("firing critical", "resolved stale");
    }

    @Test
    void aRuleThatIsOffSaysNothing() {
        detection.rules("starttls-missing: false");
        look(sample().finds("starttls-missing", "starttls-missing", "error", SampleLooks.MX));

        assertThat(detection.records).isEmpty();
    }

    @Test
    void peopleAcknowledgeAndWriteNotes() {
        look(sample().finds("starttls-missing", "starttls-missing", "error", SampleLooks.MX));
        detection.act(detection.only(), AlertAction.ACKNOWLEDGE, null);
        detection.act(detection.only(), AlertAction.NOTE, "the firewall again\r\n");

        Alert alert = detection.only();
        assertThat(alert.acknowledged()).isNotNull();
        assertThat(alert.notes()).isNotNull().hasSize(1);
        assertThat(Objects.requireNonNull(alert.notes()).getFirst().text())
                .startsWith("the firewall again")
                .doesNotContain("\r");
    }

    private SampleLooks sample() {
        return SampleLooks.at(detection.now());
    }

    private void look() {
        look(sample());
    }

    private void look(SampleLooks sample) {
        detection.looked(sample.inspection());
    }
}

package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static io.tlsrpt.alerting.Detection.EXPIRED;
import static io.tlsrpt.alerting.Detection.MX;
import static io.tlsrpt.alerting.Detection.STARTTLS;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Inspection.Address;
import io.tlsrpt.topics.Inspection.Certificate;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a live look adds to an alert, and what it ends.
class LiveEvidenceTest {

    private static final LocalDate DAY_1 = DAY_0.plusDays(1);
    private static final String VALID = "offered valid";
    private static final String ENDED = "offered expired";

    @TempDir
    private Path directory;

    private Detection detection;

    @BeforeEach
    void start() {
        detection = new Detection(directory);
        detection.rules("certificate-expiry: false, starttls-missing: false, tlsrpt-record: false, mta-sts: false,"
                + " tlsa: false"); // the watches would say it too
        detection.hoursAfter(DAY_0, 4);
    }

    @AfterEach
    void stop() {
        detection.close();
    }

    @ParameterizedTest(name = "{0}: {1} {2}")
    @CsvSource(
            delimiter = '|',
            value = {
                "certificate-expired       | open    | offered expired, offered valid             | true",
                "certificate-expired       | open    | offered valid, offered valid               | false",
                "certificate-expired       | open    | offered valid, unknown -                   | -",
                "certificate-expired       | open    | offered host-mismatch, offered valid       | -",
                "certificate-expired       | blocked | unknown -, unknown -                       | -",
                "certificate-expired       | unknown | offered expired                            | -",
                "certificate-expired       | open    |                                            | -",
                "certificate-host-mismatch | open    | offered host-mismatch                      | true",
                "certificate-not-trusted   | open    | offered not-trusted                        | true",
                "certificate-not-trusted   | open    | missing -, offered valid                   | -",
                "validation-failure        | open    | failed -, offered valid                    | true",
                "validation-failure        | open    | offered not-yet-valid                      | true",
                "validation-failure        | open    | offered valid                              | false",
                "starttls-not-supported    | open    | missing -, offered valid                   | true",
                "starttls-not-supported    | open    | failed -, offered valid                    | -",
                "starttls-not-supported    | open    | offered expired                            | false",
                "starttls-not-supported    | open    | unknown -                                  | -",
                "tlsa-invalid              | open    | offered valid misfit, offered valid fit    | true",
                "tlsa-invalid              | open    | offered not-trusted fit                    | false",
                "tlsa-invalid              | open    | offered valid                              | -",
            })
    void aLookShowsTheFaultOrNoneOrCannotTell(String type, String port25, @Nullable String addresses, String expected) {
        Alert.Live live = Objects.requireNonNull(LiveEvidence.of(
                Objects.requireNonNull(Rule.of(type)), type, new Look(MX, look(port25, words(addresses)))));
        assertThat(String.valueOf(live.confirms())).isEqualTo(expected.equals("-") ? "null" : expected);
        if (port25.equals("blocked")) {
            assertThat(live.summary()).isEqualTo("port 25 is blocked from here");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "dnssec-invalid, bogus, unknown, true",
        "dnssec-invalid, secure, secure, false",
        "dnssec-invalid, unknown, secure, -",
        "dane-required, secure, missing, true",
        "dane-required, secure, insecure, true",
        "dane-required, secure, secure, false",
        "dane-required, secure, unknown, -",
    })
    void faultsOfDnsDoNotNeedPort25(String type, String dnssec, String tlsa, String expected) {
        Inspection look = inspection(
                "blocked", null, new Inspection.Mx(MX, 10, dnssec, null, new Inspection.Tlsa(tlsa, null), null));
        Alert.Live live = Objects.requireNonNull(LiveEvidence.of(Rule.DANE, type, new Look(MX, look)));
        assertThat(String.valueOf(live.confirms())).isEqualTo(expected.equals("-") ? "null" : expected);
        assertThat(live.summary()).contains("DNSSEC " + dnssec, "TLSA records: " + tlsa);
    }

    @ParameterizedTest
    @CsvSource({
        "sts-policy-fetch-error, unfetchable, true",
        "sts-policy-fetch-error, valid, false",
        "sts-policy-fetch-error, untrusted, true",
        "sts-policy-fetch-error, unknown, -",
        "sts-webpki-invalid, untrusted, true",
        "sts-webpki-invalid, unfetchable, -",
        "sts-policy-invalid, invalid, true",
        "sts-policy-invalid, valid, false",
    })
    void thePolicyIsLookedAtByItsDomain(String type, String state, String expected) {
        Inspection look = inspection(
                "unknown",
                new Inspection.MtaSts("published", "1", state, null, null, null, null, null),
                new Inspection.Mx(MX, 10, null, null, null, null));
        Alert.Live live = Objects.requireNonNull(LiveEvidence.of(Rule.STS_POLICY, type, new Look(null, look)));
        assertThat(String.valueOf(live.confirms())).isEqualTo(expected.equals("-") ? "null" : expected);
        assertThat(LiveEvidence.of(Rule.STS_POLICY, type, new Look(MX, look))).isNull();
    }

    @Test
    void anAlertSaysWhatTheServerPresentsNow() {
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();
        detection.pass(Duration.ofMinutes(1)).looked(look("open", List.of(ENDED, ENDED, "missing -")));

        Alert.Live live = Objects.requireNonNull(detection.only().evidence().live());
        assertThat(live.summary())
                .isEqualTo("presents a certificate that expired on 2026-11-18 (issuer CN=Test CA) on 2 of 3 addresses;"
                        + " STARTTLS offered on 2 of 3 addresses");
        assertThat(live.confirms()).isTrue();
        assertThat(live.findings()).extracting(Inspection.Finding::code).containsExactly("certificate-expired");
        assertThat(detection.only().transition()).isEqualTo(1);
    }

    @Test
    void whatStrangersClaimIsCriticalOnceALookShowsIt() {
        detection
                .cell(DAY_0, "google.com")
                .authentication("none")
                .failed(EXPIRED, 40, 60)
                .arrives();
        assertThat(detection.told()).containsExactly("firing warning");
        detection.pass(Duration.ofMinutes(1)).looked(look("open", List.of(VALID, "unknown -")));
        assertThat(detection.told()).containsExactly("firing warning");
        detection.pass(Duration.ofMinutes(1)).looked(look("open", List.of(ENDED, VALID)));
        assertThat(detection.told()).containsExactly("firing warning", "firing critical");
    }

    @Test
    void confirmedOrNotAPolicyInTestingStaysAWarning() {
        detection
                .cell(DAY_0, "google.com")
                .mode("testing")
                .authentication("none")
                .failed(EXPIRED, 40, 60)
                .arrives();
        detection.pass(Duration.ofMinutes(1)).looked(look("open", List.of(ENDED)));
        assertThat(detection.told()).containsExactly("firing warning");
    }

    @Test
    void aCleanLookEndsAFaultOfCertificatesAndLateReportsDoNotOpenItAgain() {
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();
        detection.hoursAfter(DAY_1, 2).looked(look("open", List.of(VALID, VALID)));
        assertThat(detection.told()).containsExactly("firing critical", "resolved probe");
        assertThat(detection.only().summary()).startsWith("a live look found it mended: expired certificate");

        // of the day before the look, and of its own day
        detection
                .hoursAfter(DAY_1, 4)
                .cell(DAY_1, "google.com")
                .failed(EXPIRED, 40, 60)
                .arrives();
        LocalDate day2 = DAY_1.plusDays(1);
        detection
                .hoursAfter(day2, 4)
                .cell(day2, "google.com")
                .failed(EXPIRED, 5, 60)
                .arrives();
        assertThat(detection.transitions).hasSize(2);

        LocalDate day3 = DAY_1.plusDays(2);
        detection
                .hoursAfter(day3, 4)
                .cell(day3, "google.com")
                .failed(EXPIRED, 40, 60)
                .arrives();
        assertThat(detection.told()).containsExactly("firing critical", "resolved probe", "firing critical");
        assertThat(detection.only().evidence().baselineFailed()).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "open    | offered valid, unknown -",
                "open    | offered valid, missing -",
                "open    | offered valid, offered host-mismatch",
                "blocked | unknown -",
                "unknown | offered valid",
            })
    void anythingLessThanAllWellEndsNothing(String port25, String addresses) {
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();
        detection.pass(Duration.ofHours(1)).looked(look(port25, words(addresses)));
        assertThat(detection.told()).containsExactly("firing critical");
    }

    @Test
    void aLookThatDoesNotKnowAllAddressesEndsNothing() {
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();
        detection.pass(Duration.ofHours(1));
        detection.looked(
                SampleLooks.at(detection.now()).says("mx-too-many", "note").inspection());
        assertThat(detection.told()).containsExactly("firing critical");
        assertThat(Objects.requireNonNull(detection.only().evidence().live()).confirms())
                .isNull();
        detection.pass(Duration.ofHours(1));
        detection.looked(SampleLooks.at(detection.now()).inspection());
        assertThat(detection.told()).containsExactly("firing critical", "resolved probe");
    }

    @Test
    void aLookFromBeforeTheNewestBadReportEndsNothing() {
        Inspection early = look("open", List.of(VALID));
        detection.pass(Duration.ofHours(1));
        detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 60).arrives();
        detection.pass(Duration.ofHours(1)).looked(early);
        assertThat(detection.told()).containsExactly("firing critical");
    }

    @Test
    void aLookEndsNoLossOfStarttlsForItSeesOnePathOnly() {
        detection.history(DAY_1, 20, "google.com", 40).hoursAfter(DAY_1, 4);
        detection.cell(DAY_1, "google.com").failed(STARTTLS, 40, 40).arrives();
        detection.pass(Duration.ofHours(1)).looked(look("open", List.of(VALID)));
        assertThat(detection.told()).containsExactly("firing warning");
        assertThat(Objects.requireNonNull(detection.only().evidence().live()).confirms())
                .isFalse();
    }

    @Test
    void aLookAtThePolicyReachesTheAlertOfItsDomain() {
        detection
                .cell(DAY_0, "google.com")
                .failed("sts-policy-fetch-error", "mx9.example.com", 1, 3)
                .arrives();
        detection
                .cell(DAY_0, "microsoft.com")
                .failedSomewhere("sts-policy-fetch-error", 3, 3)
                .arrives();
        assertThat(detection.only().summary())
                .isEqualTo("MTA-STS policy that cannot be fetched of example.com:"
                        + " 2 reporters (microsoft.com, google.com) on 2026-11-20");
        assertThat(detection.only().receivingMxHostname()).isNull();
        detection
                .pass(Duration.ofMinutes(1))
                .looked(inspection(
                        "open",
                        new Inspection.MtaSts("published", "1", "unfetchable", null, null, null, null, null),
                        new Inspection.Mx(MX, 10, null, null, null, null)));
        Alert.Live live = Objects.requireNonNull(detection.only().evidence().live());
        assertThat(live.confirms()).isTrue();
        assertThat(live.summary()).isEqualTo("the MTA-STS policy cannot be fetched");
    }

    private static List<String> words(@Nullable String addresses) {
        return addresses == null ? List.of() : List.of(addresses.split(", ", -1));
    }

    /// @param addresses each as `starttls pkix`, and whether the TLSA records fit
    private Inspection look(String port25, List<String> addresses) {
        List<Address> all = new ArrayList<>();
        for (String words : addresses) {
            List<String> parts = List.of(words.split(" ", -1));
            boolean presents = !parts.get(1).equals("-");
            all.add(new Address(
                    "192.0.2." + (all.size() + 1),
                    parts.getFirst(),
                    null,
                    null,
                    presents ? parts.get(1) : null,
                    parts.size() < 3 ? null : parts.get(2).equals("fit"),
                    presents
                            ? new Certificate(
                                    "CN=mx1.example.com",
                                    "CN=Test CA",
                                    List.of("mx1.example.com"),
                                    Instant.parse("2025-11-18T00:00:00Z"),
                                    Instant.parse("2026-11-18T12:00:00Z"),
                                    "ab")
                            : null));
        }
        return inspection(port25, null, new Inspection.Mx(MX, 10, null, null, null, all));
    }

    private Inspection inspection(String port25, Inspection.@Nullable MtaSts policy, Inspection.Mx mx) {
        return new Inspection(
                "example.com",
                detection.now(),
                Inspection.ALERT,
                port25,
                null,
                null,
                policy,
                List.of(mx),
                List.of(
                        finding("certificate-expired", MX),
                        finding("tlsrpt-record-ok", null),
                        finding("mta-sts-policy-unfetchable", null)));
    }

    private static Inspection.Finding finding(String code, @Nullable String mx) {
        return new Inspection.Finding(
                code, "certificate-expiry", Inspection.ERROR, "mx1.example.com", mx, "found", null, null);
    }
}

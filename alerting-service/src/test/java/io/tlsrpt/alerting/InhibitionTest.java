package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Alert;
import java.time.LocalDate;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The table of `docs/alerting.md`, row by row, and what each row leaves alone.
class InhibitionTest {

    private static final String A = "a.example";

    @Test
    void aFaultOfAReporterInhibitsWhatRestsOnThatReporterAlone() {
        Alert fault = alert("f", "reporter-fault", "certificate-expired")
                .submitter("google.com")
                .build();

        assertThat(inhibited(
                        fault, alert("x", "certificate", "certificate-expired").seenBy("google.com")))
                .isTrue();
        assertThat(inhibited(
                        fault, alert("x", "certificate", "certificate-expired").seenBy("google.com", "gmx.net")))
                .isFalse();
        assertThat(inhibited(
                        fault, alert("x", "certificate", "certificate-expired").seenBy("gmx.net")))
                .isFalse();
        assertThat(inhibited(
                        fault,
                        alert("x", "certificate", "certificate-not-trusted").seenBy("google.com")))
                .isFalse();
        assertThat(inhibited(
                        fault,
                        alert("y", "reporter-fault", "certificate-expired").seenBy("google.com")))
                .isFalse();
    }

    @Test
    void onlyAFaultThatTrustedReportsShowInhibits() {
        Alert trusted = alert("f", "reporter-fault", "certificate-expired")
                .submitter("google.com")
                .build();
        Alert forged = alert("f", "reporter-fault", "certificate-expired")
                .submitter("google.com")
                .branch(Inhibition.UNVERIFIED)
                .build();
        Sample page = alert("x", "certificate", "certificate-expired")
                .seenBy("google.com")
                .severity("critical");

        assertThat(inhibited(trusted, page)).isTrue();
        assertThat(inhibited(forged, page)).isFalse();
        Inhibition inhibition = new Inhibition();
        inhibition.saw(forged);
        assertThat(inhibition.saw(trusted)).as("changes what is muted").isTrue();
    }

    @Test
    void aSharedServerInhibitsNothingAtAnotherServer() {
        Alert shared = alert("s", "certificate", "certificate-expired")
                .mx("mx.provider.example")
                .affects(A)
                .build();
        Sample ofDomain = alert("x", "certificate", "certificate-expired").domain(A);

        assertThat(inhibited(shared, ofDomain.mx("mx.provider.example"))).isTrue();
        assertThat(inhibited(shared, ofDomain)).isTrue();
        assertThat(inhibited(shared, ofDomain.mx("mx1.a.example"))).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"reporter-silent, true", "domain-silent, true", "certificate, false", "rejections, false"})
    void aBrokenIntakeInhibitsSilence(String rule, boolean inhibited) {
        Alert broken = alert("b", "intake-broken", null).build();

        assertThat(inhibited(broken, alert("x", rule, null).domain(A))).isEqualTo(inhibited);
    }

    @Test
    void aReporterSilentEverywhereInhibitsItsSilenceAboutOneDomain() {
        Alert everywhere =
                alert("r", "reporter-silent", null).submitter("google.com").build();

        assertThat(inhibited(
                        everywhere,
                        alert("x", "reporter-silent", null)
                                .submitter("google.com")
                                .domain(A)))
                .isTrue();
        assertThat(inhibited(
                        everywhere,
                        alert("x", "reporter-silent", null).submitter("gmx.net").domain(A)))
                .isFalse();
        assertThat(inhibited(
                        everywhere,
                        alert("x", "reporter-silent", null)
                                .submitter("google.com")
                                .domain(A)
                                .severity("critical")))
                .isFalse();
        assertThat(inhibited(everywhere, alert("x", "domain-silent", null).domain(A)))
                .isFalse();
        Alert oneDomain = alert("r", "reporter-silent", null)
                .submitter("google.com")
                .domain(A)
                .build();
        assertThat(inhibited(
                        oneDomain,
                        alert("x", "reporter-silent", null)
                                .submitter("google.com")
                                .domain("b.example")))
                .isFalse();
    }

    @Test
    void aSharedServerInhibitsItsDomainsUnlessTheirsIsWorse() {
        Alert shared =
                alert("s", "certificate", "certificate-expired").affects(A).build();

        assertThat(inhibited(
                        shared, alert("x", "certificate", "certificate-expired").domain(A)))
                .isTrue();
        assertThat(inhibited(
                        shared, alert("x", "certificate", "certificate-expired").domain("b.example")))
                .isFalse();
        assertThat(inhibited(
                        shared,
                        alert("x", "certificate", "certificate-not-trusted").domain(A)))
                .isFalse();
        assertThat(inhibited(
                        shared,
                        alert("x", "certificate", "certificate-expired")
                                .domain(A)
                                .severity("critical")))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "certificate, certificate-expiry, true",
        "starttls-regression, starttls-missing, true",
        "dane, tlsa, true",
        "certificate, tlsa, false",
        "certificate, starttls-missing, false"
    })
    void whatReportersSeeAtAServerInhibitsTheWatchOfThatFault(String rule, String watch, boolean inhibited) {
        Alert reported = alert("r", rule, "x").mx("mx1.a.example").build();

        assertThat(inhibited(reported, alert("w", watch, null).mx("mx1.a.example")))
                .isEqualTo(inhibited);
        assertThat(inhibited(reported, alert("w", watch, null).mx("mx2.a.example")))
                .isFalse();
        assertThat(inhibited(
                        reported, alert("w", watch, null).mx("mx1.a.example").severity("critical")))
                .isFalse();
    }

    @Test
    void anInhibitorThatEndedInhibitsNoMore() {
        Inhibition inhibition = new Inhibition();
        Alert target = alert("x", "domain-silent", null).domain(A).build();

        assertThat(inhibition.saw(alert("b", "intake-broken", null).build())).isTrue();
        assertThat(inhibition.inhibitor(target)).isPresent();
        assertThat(inhibition.saw(alert("b", "intake-broken", null).build()))
                .as("nothing changed")
                .isFalse();
        assertThat(inhibition.saw(
                        alert("b", "intake-broken", null).state(Alert.RESOLVED).build()))
                .isTrue();
        assertThat(inhibition.inhibitor(target)).isEmpty();

        assertThat(inhibition.saw(alert("b", "intake-broken", null).build())).isTrue();
        assertThat(inhibition.gone("b")).isTrue();
        assertThat(inhibition.inhibitor(target)).isEmpty();
    }

    private static boolean inhibited(Alert by, Sample target) {
        Inhibition inhibition = new Inhibition();
        inhibition.saw(by);
        inhibition.saw(target.build());
        return inhibition.inhibitor(target.build()).isPresent();
    }

    private static Sample alert(String id, String rule, @Nullable String resultType) {
        return new Sample(id, rule, resultType, null, null, null, Alert.FIRING, "warning", null, List.of(), List.of());
    }

    private record Sample(
            String id,
            String rule,
            @Nullable String resultType,
            @Nullable String domain,
            @Nullable String mx,
            @Nullable String submitter,
            String state,
            String severity,
            @Nullable String branch,
            List<String> submitters,
            List<String> affected) {

        Sample domain(String name) {
            return new Sample(id, rule, resultType, name, mx, submitter, state, severity, branch, submitters, affected);
        }

        Sample mx(String name) {
            return new Sample(
                    id, rule, resultType, domain, name, submitter, state, severity, branch, submitters, affected);
        }

        Sample submitter(String name) {
            return new Sample(id, rule, resultType, domain, mx, name, state, severity, branch, submitters, affected);
        }

        Sample state(String word) {
            return new Sample(
                    id, rule, resultType, domain, mx, submitter, word, severity, branch, submitters, affected);
        }

        Sample severity(String word) {
            return new Sample(id, rule, resultType, domain, mx, submitter, state, word, branch, submitters, affected);
        }

        Sample branch(String word) {
            return new Sample(id, rule, resultType, domain, mx, submitter, state, severity, word, submitters, affected);
        }

        Sample seenBy(String... names) {
            return new Sample(
                    id, rule, resultType, domain, mx, submitter, state, severity, branch, List.of(names), affected);
        }

        Sample affects(String... names) {
            return new Sample(
                    id, rule, resultType, domain, mx, submitter, state, severity, branch, submitters, List.of(names));
        }

        Alert build() {
            return new Alert(
                    id,
                    id + "-1",
                    rule,
                    resultType,
                    domain,
                    mx,
                    submitter,
                    null,
                    null,
                    state,
                    severity,
                    1,
                    null,
                    SampleAlerts.OPENED,
                    SampleAlerts.OPENED,
                    null,
                    null,
                    null,
                    null,
                    rule,
                    new Alert.Evidence(
                            LocalDate.parse("2026-11-20"),
                            branch,
                            5,
                            5,
                            0,
                            0,
                            null,
                            submitters,
                            null,
                            null,
                            affected,
                            null),
                    null,
                    null,
                    null);
        }
    }
}

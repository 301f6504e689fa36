package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.runtime.Settings.Sensitivity;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StarttlsRuleTest {

    /// The whole truth table; the policy is in testing, as plaintext is plaintext.
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "everybody lost it, 40/40 18/20, 0/600, false, CRITICAL A SERVER",
        "one path only, 40/40 0/20 0/15, 0/600, false, WARNING B ONE_PATH",
        "one path only on the second day, 40/40 0/20 0/15, 0/600, true, CRITICAL B ONE_PATH",
        "some backends, 12/40 5/20, 0/600, false, CRITICAL A SOME_PATHS",
        "two sessions, 2/40, 0/600, false, record",
        "less than a fifth, 3/40, 0/600, false, record",
        "nobody else yet, 40/40, 0/600, false, WARNING B UNCLEAR",
        "nobody else yet and then they find it, 40/40 0/20, 0/600, false, WARNING B ONE_PATH",
        "nobody else yet and then they miss it, 40/40 20/20, 0/600, false, CRITICAL A SERVER",
        "never had TLS, 40/40, 280/280, false, INFO never NEVER",
        "no history, 40/40, 0/0, false, INFO never NEVER",
        "too little history, 40/40, 0/19, false, INFO never NEVER",
        "no history and hardly a failure, 2/40, 0/0, false, record",
        "others sent too little to tell, 40/40 0/9, 0/600, false, WARNING B UNCLEAR",
        "one reporter and less than half, 12/40 0/20, 0/600, false, WARNING B UNCLEAR",
        "one reporter and few sessions, 4/4 0/20, 0/600, false, WARNING B UNCLEAR",
        "many miss it but not all, 40/40 30/30 0/10, 0/600, false, CRITICAL A SOME_PATHS",
        "two failures at two of many, 1/150 1/150, 0/1200, false, WARNING A SOME_PATHS",
        "nothing, 0/40 0/20, 0/600, false, record",
    })
    void theTruthTable(String scenario, String reporters, String baseline, boolean lasting, String expected) {
        assertThat(verdict(judge(false, reporters, baseline, lasting)))
                .as(scenario)
                .isEqualTo(expected);
    }

    @Test
    void onOnePathItIsCriticalWhereThePolicyIsEnforced() {
        assertThat(verdict(judge(true, "40/40 0/20 0/15", "0/600", false))).isEqualTo("CRITICAL B ONE_PATH");
    }

    @Test
    void aReporterThatIsNotTrustedProvesNoOtherPath() {
        Tally tally = new Tally(
                40,
                60,
                1,
                true,
                List.of(
                        new Tally.Reporter("google.com", true, 40, 40),
                        new Tally.Reporter("forger.example", false, 0, 20)));
        assertThat(StarttlsRule.onePath(tally)).isNull();
    }

    @ParameterizedTest
    @CsvSource({"0/600, true", "5/600, true", "6/600, false", "0/19, false", "0/20, true", "280/280, false"})
    void starttlsWasTheRuleWhenTwentySessionsHadItAndLessThanAHundredthMissedIt(String baseline, boolean capable) {
        assertThat(CertificateRuleTest.baseline(baseline).capable()).isEqualTo(capable);
    }

    private static @Nullable Call judge(boolean enforced, String reporters, String before, boolean lasting) {
        Baseline baseline = CertificateRuleTest.baseline(before);
        return StarttlsRule.judge(
                CertificateRuleTest.tally(enforced, reporters),
                baseline,
                baseline.capable(),
                lasting,
                Thresholds.of(Sensitivity.NORMAL),
                Checks.silent());
    }

    private static String verdict(@Nullable Call call) {
        return CertificateRuleTest.verdict(call) + (call == null ? "" : " " + call.picture());
    }
}

package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.runtime.Settings.Sensitivity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DaneRuleTest {

    /// The whole truth table. `lasting`: the day alone and the three days up to it agree.
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "30 of 30 after 28 clean days, tlsa-invalid, 30/30, 0/840, 28, false, CRITICAL step RENEWED",
        "3 of 3, tlsa-invalid, 3/3, 0/84, 28, false, WARNING step RENEWED",
        "3 of 3 and again the next day, tlsa-invalid, 3/3, 0/84, 28, true, CRITICAL step RENEWED",
        "6 of 200 on one day, tlsa-invalid, 6/200, 0/5600, 28, false, WARNING partial PARTIAL",
        "1 of 40, tlsa-invalid, 1/40, 0/1120, 28, false, record",
        "dnssec-invalid at 2 reporters, dnssec-invalid, 2/2 1/1, 0/84, 28, false, CRITICAL step null",
        "9 of 9 are not enough for one reporter on one day, tlsa-invalid, 9/9, 0/84, 28, false, WARNING step RENEWED",
        "10 of 10 are, tlsa-invalid, 10/10, 0/84, 28, false, CRITICAL step RENEWED",
        "10 of 20 are half, tlsa-invalid, 10/20, 0/84, 28, false, CRITICAL step RENEWED",
        "2 of 2 are too few, tlsa-invalid, 2/2, 0/84, 28, false, record",
        "one of two reporters sees all fail, tlsa-invalid, 4/4 0/400, 0/8400, 28, false, WARNING step RENEWED",
        "5 of 40 at one reporter, tlsa-invalid, 5/40, 0/1120, 28, false, WARNING partial PARTIAL",
        "4 of 40 at one reporter, tlsa-invalid, 4/40, 0/1120, 28, false, record",
        "partial at two reporters, tlsa-invalid, 6/40 6/40, 0/2240, 28, true, WARNING partial PARTIAL",
        "5 of 300 are below a fiftieth, tlsa-invalid, 5/300, 0/8400, 28, false, record",
        "as usual, tlsa-invalid, 10/20, 42/840, 28, false, WARNING partial PARTIAL",
        "nearly as usual, tlsa-invalid, 4/40, 84/840, 28, false, record",
        "under a twentieth before, tlsa-invalid, 10/20, 41/840, 28, false, CRITICAL step null",
        "no step without a week of history, tlsa-invalid, 30/30, 0/180, 6, false, CRITICAL step null",
        "a week of history, tlsa-invalid, 30/30, 0/210, 7, false, CRITICAL step RENEWED",
        "dane-required says nothing of a renewal, dane-required, 30/30, 0/840, 28, false, CRITICAL step null",
        "the first day ever, dane-required, 3/3, 0/0, 0, false, WARNING step null",
        "nothing failed, tlsa-invalid, 0/40, 0/840, 28, false, record",
    })
    void theTruthTable(
            String scenario,
            String type,
            String reporters,
            String baseline,
            int days,
            boolean lasting,
            String expected) {
        Baseline sums = CertificateRuleTest.baseline(baseline);
        Call call = DaneRule.judge(
                type,
                CertificateRuleTest.tally(true, reporters),
                new Baseline(
                        sums.failed(),
                        sums.sessions(),
                        days,
                        sums.recentFailed(),
                        sums.recentSessions(),
                        sums.recentSuccesses()),
                lasting,
                Thresholds.of(Sensitivity.NORMAL),
                Checks.silent());
        assertThat(CertificateRuleTest.verdict(call) + (call == null ? "" : " " + call.picture()))
                .as(scenario)
                .isEqualTo(expected);
    }

    @Test
    void whyIsToldByTheSameLines() {
        Checks checks = Checks.written();
        DaneRule.judge(
                "tlsa-invalid",
                CertificateRuleTest.tally(true, "3/40"),
                CertificateRuleTest.baseline("0/1120"),
                false,
                Thresholds.of(Sensitivity.NORMAL),
                checks);
        assertThat(checks.list())
                .contains(
                        new Explanation.Check("step", "k = 3 ≥ 3", true),
                        new Explanation.Check("step", "share of one reporter = 7.5 % ≥ 50 %", false),
                        new Explanation.Check("partial", "k = 3 ≥ 5", false),
                        new Explanation.Check("partial", "s = 7.5 % ≥ 2 %", true));
    }
}

package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.runtime.Settings.Sensitivity;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CertificateRuleTest {

    /// The whole truth table. Reporters are `failed/sessions`, the baseline too. The row of three failures on each of
    /// two days is two rows here, a day alone and both together.
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "5 of 10005 from one reporter are significant but tiny, 5/10005, 0/280000, record",
        "5 of 55 from one reporter, 5/55, 0/1500, WARNING B",
        "5 of 55 on the first day ever, 5/55, 0/0, WARNING B",
        "1 of 1 at a new domain, 1/1, 0/0, record",
        "3 of 3 at a tiny domain, 3/3, 0/80, record",
        "3 of 3 and the next day 3 of 4, 6/7, 0/80, WARNING B",
        "40 of 60 from one reporter, 40/60, 0/1600, CRITICAL B",
        "one each of 12000 at 2 reporters, 1/6000 1/6000, 0/300000, record",
        "one each of 12000 at 3 reporters, 1/4000 1/4000 1/4000, 0/300000, CRITICAL A",
        "three each of 12000 at 2 reporters, 3/6000 3/6000, 0/275000, CRITICAL A",
        "one each of 40 at 2 reporters, 1/20 1/20, 0/1200, CRITICAL A",
        "100 of 10000 at one reporter, 100/10000, 0/280000, WARNING C",
        "150 of 10000 where that is 1.4 times the usual, 150/10000, 3000/280000, record",
        "60 of 500 at one reporter, 60/500, 150/14000, WARNING B",
        "4 of 140 at 2 reporters as usual, 2/70 2/70, 28/1000, record",
        "6 of 50 at 3 reporters, 2/20 2/20 2/10, 42/1500, CRITICAL A",
        "all 12000 at 5 reporters, 2400/2400 2400/2400 2400/2400 2400/2400 2400/2400, 0/300000, CRITICAL A",
        "nothing failed, 0/100, 0/300, record",
        "two failures at two reporters among few but not of a tenth, 1/150 1/150, 0/1200, WARNING A",
        "more failures than sessions, 30/30, 0/0, CRITICAL B",
    })
    void theTruthTable(String scenario, String reporters, String baseline, String expected) {
        assertThat(verdict(judge("certificate-expired", tally(true, reporters), baseline)))
                .as(scenario)
                .isEqualTo(expected);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "corroborated is a warning at most, 1/4000 1/4000 1/4000, 0/300000, WARNING A",
        "half of all sessions is critical, 40/60, 0/1600, CRITICAL B",
        "half of all sessions at two reporters is critical, 20/30 20/30, 0/1600, CRITICAL B",
    })
    void aValidationFailureNeverPagesByCorroborationAlone(
            String scenario, String reporters, String baseline, String expected) {
        assertThat(verdict(judge("validation-failure", tally(true, reporters), baseline)))
                .as(scenario)
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "40/60, 0/1600, WARNING B",
        "1/4000 1/4000 1/4000, 0/300000, WARNING A",
        "100/10000, 0/280000, WARNING C"
    })
    void withoutAnEnforcedPolicyItIsAWarning(String reporters, String baseline, String expected) {
        assertThat(verdict(judge("certificate-expired", tally(false, reporters), baseline)))
                .isEqualTo(expected);
    }

    @Test
    void sensitivityMovesTheLine() {
        Tally small = tally(true, "3/20");
        Tally middling = tally(true, "6/55");
        assertThat(verdict(CertificateRule.judge(
                        "certificate-expired",
                        small,
                        baseline("0/1500"),
                        Thresholds.of(Sensitivity.EAGER),
                        Checks.silent())))
                .isEqualTo("WARNING B");
        assertThat(verdict(judge("certificate-expired", small, "0/1500"))).isEqualTo("record");
        assertThat(verdict(judge("certificate-expired", middling, "0/1500"))).isEqualTo("WARNING B");
        assertThat(verdict(CertificateRule.judge(
                        "certificate-expired",
                        middling,
                        baseline("0/1500"),
                        Thresholds.of(Sensitivity.QUIET),
                        Checks.silent())))
                .isEqualTo("record");
    }

    private static @Nullable Call judge(String type, Tally tally, String baseline) {
        return CertificateRule.judge(
                type, tally, baseline(baseline), Thresholds.of(Sensitivity.NORMAL), Checks.silent());
    }

    static String verdict(@Nullable Call call) {
        return call == null ? "record" : call.severity() + " " + call.branch();
    }

    static Baseline baseline(String text) {
        List<String> parts = List.of(text.split("/", -1));
        long failed = Long.parseLong(parts.getFirst());
        long sessions = Long.parseLong(parts.getLast());
        return new Baseline(failed, sessions, 28, failed, sessions, sessions - failed);
    }

    static Tally tally(boolean enforced, String text) {
        List<Tally.Reporter> reporters = new ArrayList<>();
        for (String part : text.split(" ", -1)) {
            List<String> counts = List.of(part.split("/", -1));
            reporters.add(new Tally.Reporter(
                    "reporter" + reporters.size() + ".example",
                    true,
                    Long.parseLong(counts.getFirst()),
                    Long.parseLong(counts.getLast())));
        }
        return new Tally(
                reporters.stream().mapToLong(Tally.Reporter::failed).sum(),
                reporters.stream().mapToLong(Tally.Reporter::sessions).sum(),
                1,
                enforced,
                reporters);
    }
}

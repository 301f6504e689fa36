package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.EXPIRED;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReporterFaultRuleTest {

    @ParameterizedTest(name = "{0} domains, {1} failing, {2} agreed, {3} contradicted: {4}")
    @CsvSource({
        "12, 8, 0, 8, true",
        "12, 8, 1, 7, true",
        "12, 8, 2, 6, false", // a quarter agrees
        "10, 2, 0, 2, true",
        "9, 9, 0, 9, false", // too few domains
        "11, 2, 0, 2, false", // less than a fifth
        "12, 8, 0, 0, false", // nobody else has looked: it may be the first to see an outage
        "12, 8, 0, 1, false",
        "100, 50, 0, 9, false",
        "100, 50, 0, 10, true",
        "100, 50, 9, 10, false", // about half of those who looked agree
        "200, 200, 30, 170, true",
        "200, 200, 40, 160, false"
    })
    void itTakesManyDomainsAndOthersWhoSeeNothing(
            int domains, int failing, int agreed, int contradicted, boolean holds) {
        assertThat(ReporterFaultRule.holds(side(domains, failing, agreed, contradicted), EXPIRED))
                .isEqualTo(holds);
        assertThat(ReporterFaultRule.holds(side(domains, failing, agreed, contradicted), "tlsa-invalid"))
                .isFalse();
    }

    @Test
    void aLaterDayIsCleanWhenItIsAboutHalfAsManyDomainsAndFewFail() {
        ReporterDay.Side bad = side(12, 8, 0, 8);
        assertThat(ReporterFaultRule.clean(side(6, 1, 0, 0), EXPIRED, bad)).isTrue();
        assertThat(ReporterFaultRule.clean(side(6, 2, 0, 0), EXPIRED, bad)).isFalse();
        assertThat(ReporterFaultRule.clean(side(5, 0, 0, 0), EXPIRED, bad)).isFalse();
    }

    private static ReporterDay.Side side(int domains, int failing, int agreed, int contradicted) {
        return new ReporterDay.Side(
                domains, 1_000, Map.of(EXPIRED, new ReporterDay.Count(failing, agreed, contradicted, 10)));
    }
}

package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.LocalDate;
import org.junit.jupiter.api.Test;

class CanaryReportTest {

    private static final LocalDate DAY = LocalDate.of(2026, 11, 22);
    private static final String CANARY = "canary@" + CanaryReport.DOMAIN;

    @Test
    void itIsAReportWithoutAnyDeviationAndKnownAgain() {
        CanaryReport canary = CanaryReport.of("canary-1", DAY);

        Reading reading = new ReportReader(ReportReader.Limits.DEFAULT).read(canary.document());

        assertThat(reading).isInstanceOfSatisfying(Reading.Read.class, read -> {
            assertThat(read.leniencies()).isEmpty();
            assertThat(CanaryReport.is(read.report(), canary.document().length)).isTrue();
        });
        assertThat(canary.reportKey())
                .isEqualTo("canary.tlsrpt.invalid|canary-1|2026-11-22T00:00:00Z|canary.tlsrpt.invalid");
    }

    @Test
    void anIdThatWouldNeedEscapesMakesNone() {
        assertThatThrownBy(() -> CanaryReport.of("a\"b", DAY)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aReportThatIsInAnyPartAboutOthersOrByOthersOrLongIsNone() {
        assertThat(is(SampleReports.report().contact(CANARY).policy("sts", CanaryReport.DOMAIN, 1, 0)))
                .isTrue();
        assertThat(is(SampleReports.report().contact(CANARY))).isFalse();
        assertThat(is(SampleReports.report().policy("sts", CanaryReport.DOMAIN, 1, 0)))
                .isFalse();
        assertThat(is(SampleReports.report()
                        .contact(CANARY)
                        .policy("sts", CanaryReport.DOMAIN, 1, 0)
                        .policy("sts", "example.com", 1, 0)))
                .isFalse();
        assertThat(is(SampleReports.report()
                        .contact(CANARY)
                        .policy("sts", CanaryReport.DOMAIN, 1, 0)
                        .mxHost("m".repeat(5_000))))
                .isFalse();
    }

    private static boolean is(SampleReports sample) {
        byte[] document = sample.bytes();
        Reading.Read read = (Reading.Read) new ReportReader(ReportReader.Limits.DEFAULT).read(document);
        return CanaryReport.is(read.report(), document.length);
    }
}

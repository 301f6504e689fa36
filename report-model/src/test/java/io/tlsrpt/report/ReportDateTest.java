package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReportDateTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
            2026-11-20T00:00:00Z                  | 2026-11-20T00:00:00Z | -
            2026-11-20t00:00:00z                  | 2026-11-20T00:00:00Z | -
            2026-11-20T01:30:00+01:30             | 2026-11-20T00:00:00Z | -
            2026-11-19T19:00:00-05:00             | 2026-11-20T00:00:00Z | -
            2026-11-20T00:00:00-00:00             | 2026-11-20T00:00:00Z | -
            2026-11-20T00:00:00.1Z                | 2026-11-20T00:00:00Z | -
            2026-11-20T00:00:00.999999999999999Z  | 2026-11-20T00:00:00Z | -
            2026-11-20T23:59:60Z                  | 2026-11-20T23:59:59Z | -
            2026-11-20T00:00:00                   | 2026-11-20T00:00:00Z | DATE_WITHOUT_ZONE
            2026-11-20T00:00:00.000               | 2026-11-20T00:00:00Z | DATE_WITHOUT_ZONE
            2026-11-20T00:00Z                     | 2026-11-20T00:00:00Z | DATE_SPELLING
            2026-11-20 00:00:00Z                  | 2026-11-20T00:00:00Z | DATE_SPELLING
            2026-11-20 00:00:00.123456+00:00      | 2026-11-20T00:00:00Z | DATE_SPELLING
            2026-11-20 00:00:00 UTC               | 2026-11-20T00:00:00Z | DATE_SPELLING
            2026-11-20T00:00:00,5Z                | 2026-11-20T00:00:00Z | DATE_SPELLING
            2026-11-20T02:00:00+0200              | 2026-11-20T00:00:00Z | DATE_SPELLING
            2026-11-20T02:00:00+02                | 2026-11-20T00:00:00Z | DATE_SPELLING
            2026-11-19T24:00:00Z                  | 2026-11-20T00:00:00Z | DATE_SPELLING
            2026-11-20 00:00:00                   | 2026-11-20T00:00:00Z | DATE_WITHOUT_ZONE DATE_SPELLING
            2026-11-20                            | 2026-11-20T00:00:00Z | DATE_WITHOUT_ZONE DATE_SPELLING
            1795132800                            | 2026-11-20T00:00:00Z | DATE_AS_EPOCH
            1795132800.75                         | 2026-11-20T00:00:00Z | DATE_AS_EPOCH
            1.7951328e9                           | 2026-11-20T00:00:00Z | DATE_AS_EPOCH
            1795132800000                         | 2026-11-20T00:00:00Z | DATE_AS_EPOCH
            -1                                    | 1969-12-31T23:59:59Z | DATE_AS_EPOCH
            9999-12-31T23:59:59Z                  | 9999-12-31T23:59:59Z | -
            """)
    void everySpellingGivesItsSecondInUtc(String text, Instant instant, String leniencies) {
        Set<Leniency> found = EnumSet.noneOf(Leniency.class);

        assertThat(ReportDate.read(text, found)).isEqualTo(instant);
        assertThat(found.stream().map(Enum::name))
                .containsExactly(leniencies == null ? new String[0] : leniencies.split(" ", -1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "yesterday",
                "2026-02-30T00:00:00Z",
                "2026-13-01T00:00:00Z",
                "2026-11-20T25:00:00Z",
                "2026-11-20T24:00:01Z",
                "2026-11-20T00:60:00Z",
                "2026-11-20T00:00:61Z",
                "2026-11-20T00:00:00+19:00",
                "+12026-11-20T00:00:00Z",
                "20/11/2026",
                "1e99",
                "99999999999999999999",
                "２０２６-11-20T00:00:00Z",
                "2026-11-20T00:00:00ZZ"
            })
    void whatIsNoDateIsNone(String text) {
        assertThat(ReportDate.read(text, EnumSet.noneOf(Leniency.class))).isNull();
    }
}

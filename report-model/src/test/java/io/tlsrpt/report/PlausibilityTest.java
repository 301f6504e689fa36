package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlausibilityTest {

    private static final Instant ARRIVAL = Instant.parse("2026-11-21T08:00:00Z");

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "2026-11-20T00:00:00Z, 2026-11-20T23:59:59Z, -",
                "2026-11-20T00:00:00Z, 2026-11-20T00:00:00Z, -",
                "2026-11-20T00:00:00Z, 2026-11-28T00:00:00Z, -",
                "2026-11-20T00:00:00Z, 2026-11-28T00:00:01Z, implausible-date-range",
                "2026-11-20T00:00:01Z, 2026-11-20T00:00:00Z, implausible-date-range",
                "2026-11-23T08:00:00Z, 2026-11-23T09:00:00Z, -",
                "2026-11-23T08:00:01Z, 2026-11-23T09:00:00Z, implausible-date-range",
                "9999-12-31T00:00:00Z, 9999-12-31T23:59:59Z, implausible-date-range",
                "2025-10-17T08:00:00Z, 2025-10-18T00:00:00Z, -",
                "2025-10-17T07:59:59Z, 2025-10-18T00:00:00Z, too-old",
                "0000-01-01T00:00:00Z, 0000-01-01T00:00:00Z, too-old",
            })
    void aRangeIsJudgedAgainstTheArrival(Instant start, Instant end, String reason) {
        assertThat(Plausibility.refusal(new DateRange(start, end), ARRIVAL, Duration.ofDays(400))
                        .map(refusal -> refusal.reason().word())
                        .orElse(null))
                .isEqualTo(reason);
    }

    @Test
    void extremesDoNotOverflow() {
        for (Instant start : new Instant[] {Instant.MIN, Instant.EPOCH, Instant.MAX}) {
            for (Instant end : new Instant[] {Instant.MIN, Instant.EPOCH, Instant.MAX}) {
                for (Instant arrival : new Instant[] {Instant.MIN, Instant.EPOCH, Instant.MAX}) {
                    assertThat(Plausibility.refusal(
                                    new DateRange(start, end), arrival, Duration.ofSeconds(Long.MAX_VALUE)))
                            .isNotNull();
                }
            }
        }
    }

    @Test
    void anArchiveOfDecadesIsTakenWhenTheRetentionSaysSo() {
        DateRange old = new DateRange(Instant.parse("2016-04-01T00:00:00Z"), Instant.parse("2016-04-01T23:59:59Z"));

        assertThat(Plausibility.refusal(old, ARRIVAL, Duration.ofDays(40 * 365)))
                .isEmpty();
    }
}

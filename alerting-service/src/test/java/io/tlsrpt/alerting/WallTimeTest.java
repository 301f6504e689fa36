package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.runtime.AlertingSettings.Digest;
import io.tlsrpt.runtime.AlertingSettings.QuietHours;
import io.tlsrpt.runtime.AlertingSettings.Weekday;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class WallTimeTest {

    private static final QuietHours NIGHT = new QuietHours("22:00", "07:00", List.of(), "Europe/Berlin");

    @Test
    void aNightEndsOnTheNextMorning() {
        assertThat(WallTime.quietUntil(NIGHT, at("2026-11-21T20:59:59Z"))).isEmpty();
        assertThat(WallTime.quietUntil(NIGHT, at("2026-11-21T21:00:00Z"))).contains(at("2026-11-22T06:00:00Z"));
        assertThat(WallTime.quietUntil(NIGHT, at("2026-11-22T05:59:59Z"))).contains(at("2026-11-22T06:00:00Z"));
        assertThat(WallTime.quietUntil(NIGHT, at("2026-11-22T06:00:00Z"))).isEmpty();
    }

    @Test
    void theMorningAfterTheClocksWereChangedIsAtTheSameTimeOfTheDay() {
        // On 2026-03-29 clocks go forward at 02:00, on 2026-10-25 back at 03:00.
        assertThat(WallTime.quietUntil(NIGHT, at("2026-03-28T22:00:00Z"))).contains(at("2026-03-29T05:00:00Z"));
        assertThat(WallTime.quietUntil(NIGHT, at("2026-10-24T22:00:00Z"))).contains(at("2026-10-25T06:00:00Z"));
    }

    @Test
    void aTimeThatTheChangeSkipsIsThatMuchLater() {
        QuietHours skipped = new QuietHours("01:00", "02:30", List.of(), "Europe/Berlin");

        assertThat(WallTime.quietUntil(skipped, at("2026-03-29T00:30:00Z"))).contains(at("2026-03-29T01:30:00Z"));
    }

    @Test
    void quietDaysAreThoseOnWhichTheHoursBegin() {
        QuietHours weekend =
                new QuietHours("22:00", "07:00", List.of(Weekday.FRIDAY, Weekday.SATURDAY), "Europe/Berlin");

        assertThat(WallTime.quietUntil(weekend, at("2026-11-22T05:00:00Z")))
                .as("Saturday night")
                .isPresent();
        assertThat(WallTime.quietUntil(weekend, at("2026-11-23T05:00:00Z")))
                .as("Sunday night")
                .isEmpty();
    }

    @Test
    void theNextChangeIsABeginOrAnEnd() {
        assertThat(WallTime.nextChange(NIGHT, at("2026-11-21T12:00:00Z"))).isEqualTo(at("2026-11-21T21:00:00Z"));
        assertThat(WallTime.nextChange(NIGHT, at("2026-11-21T21:00:00Z"))).isEqualTo(at("2026-11-22T06:00:00Z"));
    }

    @Test
    void theLatestDigestWasDueOnItsDayAtItsTimeThere() {
        Digest monday = new Digest(List.of(), Weekday.MONDAY, "08:00", "Europe/Berlin");

        assertThat(WallTime.latest(monday, at("2026-11-23T07:00:00Z")).toInstant())
                .isEqualTo(at("2026-11-23T07:00:00Z"));
        assertThat(WallTime.latest(monday, at("2026-11-23T06:59:59Z")).toInstant())
                .isEqualTo(at("2026-11-16T07:00:00Z"));
        assertThat(WallTime.latest(monday, at("2026-03-30T12:00:00Z")).toInstant())
                .as("the first one in summer time")
                .isEqualTo(at("2026-03-30T06:00:00Z"));
    }

    private static Instant at(String text) {
        return Instant.parse(text);
    }
}

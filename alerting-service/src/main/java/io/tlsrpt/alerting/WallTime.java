package io.tlsrpt.alerting;

import io.tlsrpt.runtime.AlertingSettings;
import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.temporal.TemporalAdjusters;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/// Times that people set by their own clock, in their own zone. A time that a change to summer time skips is that much
/// later; one that comes twice is the first.
final class WallTime {

    private WallTime() {}

    private record Quiet(Instant begin, Instant end) {}

    /// When the quiet hours end that hold now; empty: none do.
    static Optional<Instant> quietUntil(AlertingSettings.QuietHours hours, Instant now) {
        return around(hours, now)
                .filter(quiet -> !now.isBefore(quiet.begin()) && now.isBefore(quiet.end()))
                .map(Quiet::end)
                .max(Comparator.naturalOrder());
    }

    /// When quiet hours begin or end next.
    static Instant nextChange(AlertingSettings.QuietHours hours, Instant now) {
        return around(hours, now)
                .flatMap(quiet -> Stream.of(quiet.begin(), quiet.end()))
                .filter(now::isBefore)
                .min(Comparator.naturalOrder())
                .orElse(Instant.MAX);
    }

    private static Stream<Quiet> around(AlertingSettings.QuietHours hours, Instant now) {
        ZoneId zone = ZoneId.of(hours.zone());
        LocalTime from = LocalTime.parse(hours.from());
        LocalTime to = LocalTime.parse(hours.to());
        LocalDate today = LocalDate.ofInstant(now, zone);
        return LongStream.rangeClosed(-2, 8)
                .mapToObj(today::plusDays)
                .filter(day -> hours.days().isEmpty()
                        || hours.days().stream().anyMatch(each -> weekday(each) == day.getDayOfWeek()))
                .map(day -> new Quiet(
                        ZonedDateTime.of(day, from, zone).toInstant(),
                        ZonedDateTime.of(to.isAfter(from) ? day : day.plusDays(1), to, zone)
                                .toInstant()));
    }

    /// The latest time, now or before, at which a digest was to be sent.
    static ZonedDateTime latest(AlertingSettings.Digest digest, Instant now) {
        ZoneId zone = ZoneId.of(digest.zone());
        LocalTime at = LocalTime.parse(digest.at());
        LocalDate day = LocalDate.ofInstant(now, zone).with(TemporalAdjusters.previousOrSame(weekday(digest.day())));
        ZonedDateTime latest = ZonedDateTime.of(day, at, zone);
        return latest.toInstant().isAfter(now) ? ZonedDateTime.of(day.minusWeeks(1), at, zone) : latest;
    }

    private static DayOfWeek weekday(AlertingSettings.Weekday day) {
        return DayOfWeek.valueOf(day.name());
    }
}

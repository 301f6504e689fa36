package io.tlsrpt.report;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// Whether a report's date range can be true, judged against its arrival so that a replay judges alike.
public final class Plausibility {

    private static final Duration AHEAD = Duration.ofDays(2);
    private static final Duration LONGEST = Duration.ofDays(8);

    private Plausibility() {}

    /// @param retention how far `start-datetime` may lie before the arrival
    /// @return why the range is refused: `implausible-date-range` (start after arrival + 48 h, end before start, span
    /// over 8 days) or `too-old`
    public static Optional<Reading.Unreadable> refusal(DateRange range, Instant receivedAt, Duration retention) {
        Instant start = range.start();
        if (Duration.between(receivedAt, start).compareTo(AHEAD) > 0) {
            return implausible("start-datetime " + start + " is over 48 h after the arrival at " + receivedAt);
        }
        Duration span = Duration.between(start, range.end());
        if (span.isNegative()) {
            return implausible("end-datetime " + range.end() + " is before start-datetime " + start);
        }
        if (span.compareTo(LONGEST) > 0) {
            return implausible("from " + start + " to " + range.end() + " are over 8 days");
        }
        if (Duration.between(start, receivedAt).compareTo(retention) > 0) {
            return Optional.of(new Reading.Unreadable(
                    RefusalReason.TOO_OLD,
                    "date-range.start-datetime " + start + " is over " + retention.toDays()
                            + " days before the arrival at " + receivedAt));
        }
        return Optional.empty();
    }

    private static Optional<Reading.Unreadable> implausible(String detail) {
        return Optional.of(new Reading.Unreadable(RefusalReason.IMPLAUSIBLE_DATE_RANGE, "date-range: " + detail));
    }
}

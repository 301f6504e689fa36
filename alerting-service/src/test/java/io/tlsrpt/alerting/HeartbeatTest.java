package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeartbeatTest {

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Health health = new Health();
    private final Settings settings = SettingsFile.parse(
            "test.yaml", "alerting:\n  heartbeat: {url: \"https://watch.example/secret\", every: 5m}\n", name -> null);
    private final HandClock clock = new HandClock();
    private int calls;
    private Attempt answer = Attempt.of(Result.DELIVERED, "status 200");

    @Test
    void itBeatsAsOftenAsAskedFor() {
        try (Heartbeat heartbeat = heartbeat()) {
            heartbeat.beat();
            heartbeat.beat();
            assertThat(calls).isEqualTo(1);

            clock.now = clock.now.plusSeconds(300);
            heartbeat.beat();
            assertThat(calls).isEqualTo(2);
            assertThat(counted("arrived")).isEqualTo(2);
        }
    }

    @Test
    void itStopsWhileDetectionOrNotificationsAreNotReady() {
        try (Heartbeat heartbeat = heartbeat()) {
            for (String part : List.of("detection", "notifications")) {
                health.notReady(part, "restoring");
                heartbeat.beat();
                health.ready(part);
                clock.now = clock.now.plusSeconds(300);
            }
            health.notReady("console", "its own business");
            heartbeat.beat();

            assertThat(calls).isEqualTo(1);
            assertThat(counted("withheld")).isEqualTo(2);
        }
    }

    @Test
    void aBeatThatWasWithheldComesAsSoonAsAllIsReady() {
        try (Heartbeat heartbeat = heartbeat()) {
            health.notReady("notifications", "starting");
            for (int second = 0; second < 20; second++) {
                heartbeat.beat();
                clock.now = clock.now.plusSeconds(1);
            }
            assertThat(counted("withheld")).as("once for the beat that is due").isEqualTo(1);

            health.ready("notifications");
            heartbeat.beat();
            assertThat(calls).isEqualTo(1);

            clock.now = clock.now.plusSeconds(299);
            heartbeat.beat();
            assertThat(calls).as("the next after the interval").isEqualTo(1);
        }
    }

    @Test
    void aFailureIsCounted() {
        answer = Attempt.of(Result.SERVER_ERROR, "status 500");
        try (Heartbeat heartbeat = heartbeat()) {
            heartbeat.beat();
        }
        assertThat(counted("failed")).isEqualTo(1);
    }

    private Heartbeat heartbeat() {
        return new Heartbeat(new Surroundings(settings, () -> settings, meters, health, clock), heartbeat -> {
            calls++;
            return answer;
        });
    }

    private double counted(String result) {
        return meters.counter("tlsrpt.heartbeat.pings", "result", result).count();
    }

    private static final class HandClock extends Clock {

        private Instant now = SampleAlerts.OPENED;

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
            return this;
        }
    }
}

package io.tlsrpt.alerting;

import io.micrometer.core.instrument.Counter;
import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Surroundings;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Calls `alerting.heartbeat.url` as long as this instance could tell of an alert: its detection and its notifications
/// are ready. Whoever is called raises the alarm when the calls stay away; so it notices also what nobody here can:
/// that
/// this machine is gone.
///
/// Metric `tlsrpt.heartbeat.pings{result}`: `arrived`, `failed`, and `withheld` when something was not ready.
final class Heartbeat implements AutoCloseable {

    private static final Duration TICK = Duration.ofSeconds(1);
    private static final Duration TIMEOUT = Duration.ofSeconds(15);
    private static final List<String> PARTS = List.of("detection", NotificationPipeline.PART);
    private static final Logger LOG = LoggerFactory.getLogger(Heartbeat.class);

    private final Surroundings surroundings;
    private final Function<AlertingSettings.Heartbeat, Attempt> call;
    private final ScheduledExecutorService schedule = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("heartbeat").factory());
    private final Counter arrived;
    private final Counter failed;
    private final Counter withheld;
    private @Nullable Instant last;
    private @Nullable Instant lastWithheld;

    Heartbeat(Surroundings surroundings) {
        this(
                surroundings,
                heartbeat -> new OutgoingHttp(
                                URI.create(heartbeat.url().reveal()), heartbeat.allowPrivateAddresses(), TIMEOUT)
                        .get(surroundings.clock().instant()));
    }

    /// With a call of the test's.
    Heartbeat(Surroundings surroundings, Function<AlertingSettings.Heartbeat, Attempt> call) {
        this.surroundings = surroundings;
        this.call = call;
        this.arrived = surroundings.meters().counter("tlsrpt.heartbeat.pings", "result", "arrived");
        this.failed = surroundings.meters().counter("tlsrpt.heartbeat.pings", "result", "failed");
        this.withheld = surroundings.meters().counter("tlsrpt.heartbeat.pings", "result", "withheld");
    }

    @SuppressWarnings("FutureReturnValueIgnored") // beat() swallows nothing that matters: it cannot throw
    void start() {
        schedule.scheduleWithFixedDelay(this::beat, TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
    }

    /// One look whether it is time. A failed call is repeated when the next one is due; one that was withheld is made
    /// as soon as all is ready, and counts as withheld once for each time that one was due.
    void beat() {
        AlertingSettings.Heartbeat wanted =
                surroundings.current().get().alerting().heartbeat();
        Instant now = surroundings.clock().instant();
        if (wanted == null || isWithin(wanted.every(), last, now)) {
            return;
        }
        Optional<String> notReady = PARTS.stream()
                .filter(part -> surroundings.health().whyNotReady(part).isPresent())
                .findFirst();
        if (notReady.isPresent()) {
            if (!isWithin(wanted.every(), lastWithheld, now)) {
                lastWithheld = now;
                withheld.increment();
                LOG.atWarn().addKeyValue("part", notReady.get()).log("heartbeat withheld");
            }
            return;
        }
        last = now;
        Attempt outcome = call.apply(wanted);
        if (outcome.result() == Result.DELIVERED) {
            arrived.increment();
        } else {
            failed.increment();
            LOG.atWarn().addKeyValue("detail", outcome.detail()).log("heartbeat failed");
        }
    }

    private static boolean isWithin(Duration every, @Nullable Instant since, Instant now) {
        return since != null && now.isBefore(since.plus(every));
    }

    @Override
    public void close() {
        schedule.shutdownNow();
    }
}

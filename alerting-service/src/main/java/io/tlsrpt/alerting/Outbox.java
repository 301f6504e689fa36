package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Notification;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// What one receiver is still to be told: one parcel per alert, its latest state, so that it never holds more than
/// there
/// are alerts. One attempt is under way at a time, critical alerts first.
///
/// A failed attempt is repeated after 5 s, 30 s, 2 min, 10 min, 30 min and then each hour, a fifth more or less, until
/// a
/// day has passed. What the receiver refuses for good is tried once more after 2 min. Retry-After is obeyed for all
/// parcels. Not thread-safe: it belongs to the thread of the pipeline.
final class Outbox {

    static final Duration GIVE_UP = Duration.ofDays(1);
    static final Duration SECOND_CHANCE = Duration.ofMinutes(2);

    private static final List<Duration> BACKOFF = List.of(
            Duration.ofSeconds(5),
            Duration.ofSeconds(30),
            Duration.ofMinutes(2),
            Duration.ofMinutes(10),
            Duration.ofMinutes(30),
            Duration.ofHours(1));

    private static final Comparator<Parcel> URGENCY = Comparator.comparing(
                    (Parcel parcel) -> Telling.severity(parcel.alert.severity()))
            .reversed()
            .thenComparing(parcel -> parcel.due);

    private final RandomGenerator jitter;
    private final Map<String, Parcel> parcels = new LinkedHashMap<>();

    private AlertingSettings.Receiver settings;
    private Instant since;
    private Instant pausedUntil = Instant.MIN;
    private boolean disabled;
    private boolean busy;

    Outbox(AlertingSettings.Receiver settings, Instant since, RandomGenerator jitter) {
        this.settings = settings;
        this.since = since;
        this.jitter = jitter;
    }

    /// One state of one alert on its way to the receiver.
    static final class Parcel {

        private final Alert alert;
        private final Decision decision;
        private final String webhookId;
        private final int partition;
        private final Instant packed;
        private Instant due;
        private int attempts;
        private int refusals;
        private boolean mayHaveHeard;
        private boolean underWay;
        private @Nullable Result lastResult;
        private @Nullable Notification outcome;
        private Instant rememberAt = Instant.MIN;

        private Parcel(Alert alert, Decision decision, String webhookId, int partition, Instant now) {
            this.alert = alert;
            this.decision = decision;
            this.webhookId = webhookId;
            this.partition = partition;
            this.packed = now;
            this.due = now;
        }

        Alert alert() {
            return alert;
        }

        Decision decision() {
            return decision;
        }

        int partition() {
            return partition;
        }

        Instant packed() {
            return packed;
        }

        Instant due() {
            return due;
        }

        int attempts() {
            return attempts;
        }

        Message message() {
            return new Message.Alerts(webhookId, alert);
        }

        /// From the start of an attempt to its end, and from its outcome until that is in the log.
        boolean underWay() {
            return underWay || outcome != null;
        }

        /// Whether the receiver may have heard from this parcel, or one it supersedes, that the alert fires.
        boolean mayHaveHeard() {
            return mayHaveHeard;
        }

        /// What is to be written to the log before the parcel may go; absent while it is not decided.
        @Nullable
        Notification outcome() {
            return outcome;
        }

        boolean carries(Alert other) {
            return alert.incidentId().equals(other.incidentId())
                    && alert.transition() == other.transition()
                    && alert.state().equals(other.state());
        }
    }

    String name() {
        return settings.name();
    }

    AlertingSettings.Receiver settings() {
        return settings;
    }

    /// When its present configuration was first seen.
    Instant since() {
        return since;
    }

    boolean disabled() {
        return disabled;
    }

    boolean underWay() {
        return parcels.values().stream().anyMatch(Parcel::underWay);
    }

    Collection<Parcel> parcels() {
        return parcels.values();
    }

    @Nullable
    Parcel parcel(String alertId) {
        return parcels.get(alertId);
    }

    boolean holds(Parcel parcel) {
        return parcels.get(parcel.alert.alertId()) == parcel;
    }

    /// Starts anew with another configuration: what waits is tried at once.
    void configure(AlertingSettings.Receiver changed, Instant now) {
        settings = changed;
        since = now;
        disabled = false;
        pausedUntil = Instant.MIN;
        for (Parcel parcel : parcels.values()) {
            parcel.due = now;
            parcel.attempts = 0;
            parcel.refusals = 0;
        }
    }

    /// Takes the state in place of an older one of the same alert. A message that is no more urgent keeps its
    /// predecessor's place in the schedule, so that a lively alert does not hammer a dead receiver.
    void put(Alert alert, Decision decision, String webhookId, int partition, Instant now) {
        Parcel parcel = new Parcel(alert, decision, webhookId, partition, now);
        Parcel superseded = parcels.put(alert.alertId(), parcel);
        if (superseded == null) {
            return;
        }
        parcel.mayHaveHeard = superseded.mayHaveHeard;
        boolean moreUrgent = alert.firing()
                && Telling.severity(alert.severity()).compareTo(Telling.severity(superseded.alert.severity())) > 0;
        if (!moreUrgent) {
            parcel.due = superseded.due;
            parcel.attempts = superseded.attempts;
            parcel.lastResult = superseded.lastResult;
        }
    }

    void remove(Parcel parcel) {
        parcels.remove(parcel.alert.alertId(), parcel);
    }

    /// The parcel to try now, marked as under way; empty when none is due, one is under way, or the receiver asked for
    /// peace.
    Optional<Parcel> take(Instant now) {
        if (busy || disabled || parcels.isEmpty() || now.isBefore(pausedUntil)) {
            return Optional.empty();
        }
        Optional<Parcel> next = parcels.values().stream()
                .filter(parcel -> !parcel.underWay() && !now.isBefore(parcel.due))
                .min(URGENCY);
        next.ifPresent(parcel -> {
            parcel.underWay = true;
            parcel.attempts++;
            busy = true;
        });
        return next;
    }

    /// What follows from the end of an attempt: another one later, or an outcome to be remembered.
    void ended(Parcel parcel, Attempt attempt, Instant now) {
        busy = false;
        parcel.underWay = false;
        parcel.lastResult = attempt.result();
        switch (attempt.result()) {
            case DELIVERED -> {
                parcel.outcome = outcome(parcel, Notification.DELIVERED, attempt, now);
                wake(now);
            }
            case GONE -> {
                disabled = true;
                parcel.outcome = outcome(parcel, Notification.FAILED, attempt, now);
            }
            case REFUSED, REDIRECTED, FORBIDDEN -> {
                parcel.refusals++;
                if (parcel.refusals > 1) {
                    parcel.outcome = outcome(parcel, Notification.FAILED, attempt, now);
                } else {
                    parcel.due = now.plus(jittered(SECOND_CHANCE));
                }
            }
            case THROTTLED, SERVER_ERROR, TIMEOUT, BROKEN, UNREACHABLE -> again(parcel, attempt, now);
        }
    }

    private void again(Parcel parcel, Attempt attempt, Instant now) {
        parcel.mayHaveHeard |= attempt.result().mayHaveArrived() && parcel.alert.firing();
        Duration delay = jittered(BACKOFF.get(Math.min(parcel.attempts, BACKOFF.size()) - 1));
        Duration asked = attempt.retryAfter();
        if (asked != null && asked.compareTo(delay) > 0) {
            delay = asked;
        }
        parcel.due = now.plus(delay);
        if (attempt.result() == Result.THROTTLED) {
            pausedUntil = parcel.due;
        }
        if (parcel.due.isAfter(parcel.packed.plus(GIVE_UP))) {
            parcel.outcome = outcome(parcel, Notification.FAILED, attempt, now);
        }
    }

    /// It answers again: what failed because it did not need not wait for its hour.
    private void wake(Instant now) {
        for (Parcel parcel : parcels.values()) {
            boolean wasOut = parcel.lastResult == Result.UNREACHABLE || parcel.lastResult == Result.TIMEOUT;
            if (wasOut && parcel.due.isAfter(now)) {
                parcel.due = now;
            }
        }
    }

    /// Outcomes that are to be written to the log now; each is handed out again only after [#notRemembered].
    List<Parcel> toRemember(Instant now) {
        List<Parcel> decided = parcels.values().stream()
                .filter(parcel -> parcel.outcome != null && !now.isBefore(parcel.rememberAt))
                .toList();
        decided.forEach(parcel -> parcel.rememberAt = Instant.MAX);
        return decided;
    }

    void notRemembered(Parcel parcel, Instant again) {
        parcel.rememberAt = again;
    }

    private Notification outcome(Parcel parcel, String result, Attempt attempt, Instant now) {
        return new Notification(
                parcel.alert.alertId(),
                parcel.alert.incidentId(),
                name(),
                parcel.alert.transition(),
                parcel.alert.state(),
                parcel.alert.severity(),
                result,
                attempt.detail(),
                parcel.attempts,
                now);
    }

    private Duration jittered(Duration delay) {
        return Duration.ofMillis((long) (delay.toMillis() * jitter.nextDouble(0.8, 1.2)));
    }
}

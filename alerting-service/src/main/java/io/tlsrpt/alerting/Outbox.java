package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Notification;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What one receiver is still to be told: one parcel per alert, its latest state, so that it never holds more than
/// there are alerts. One attempt is under way at a time, critical alerts first, and no more of them than the receiver
/// wants in a minute.
///
/// Parcels of one rule that are due together travel in one message: those that are not critical always, critical ones
/// when they are more than [#CRITICAL_FLOOD]. Receivers that group for themselves get each in its own. A message that
/// may have arrived is repeated as it was, under the same id; one that was refused is repeated in single parcels, so
/// that no parcel is lost for another's sake.
///
/// A failed attempt is repeated after 5 s, 30 s, 2 min, 10 min, 30 min and then each hour, a fifth more or less, until
/// a day has passed. What the receiver refuses for good is tried once more after 2 min. Retry-After is obeyed for all
/// parcels; a receiver that is too busy and does not say for how long is left alone for at most [#BREATHER]. Not
/// thread-safe: it belongs to the thread of the pipeline.
final class Outbox {

    static final Duration GIVE_UP = Duration.ofDays(1);
    static final Duration SECOND_CHANCE = Duration.ofMinutes(2);
    static final Duration BREATHER = Duration.ofMinutes(2);

    /// A receiver that fails for so long is dead.
    static final Duration DEAD_AFTER = Duration.ofMinutes(15);

    /// So many critical alerts of one rule are each worth a message of their own.
    static final int CRITICAL_FLOOD = 10;

    private static final int MAX_TOGETHER = 100;

    private static final List<Duration> BACKOFF = List.of(
            Duration.ofSeconds(5),
            Duration.ofSeconds(30),
            Duration.ofMinutes(2),
            Duration.ofMinutes(10),
            Duration.ofMinutes(30),
            Duration.ofHours(1));

    private static final Comparator<Parcel> SEVEREST_FIRST = Comparator.comparing(
                    (Parcel parcel) -> Telling.severity(parcel.news.severity()))
            .reversed();
    private static final Comparator<Parcel> URGENCY = SEVEREST_FIRST.thenComparing(parcel -> parcel.due);
    private static final Comparator<Parcel> AS_TOLD =
            SEVEREST_FIRST.thenComparing(parcel -> !parcel.news.firing()).thenComparing(parcel -> parcel.news.about());

    private final RandomGenerator jitter;
    private final Map<String, Parcel> parcels = new LinkedHashMap<>();

    private AlertingSettings.Receiver settings;
    private Instant since;
    private Instant pausedUntil = Instant.MIN;
    private double tokens;
    private Instant counted;
    private boolean disabled;
    private boolean busy;
    private @Nullable Instant failingSince;
    private @Nullable Instant lastDelivered;
    private boolean gaveUp;
    private int configuration;
    private int triedUnder;

    Outbox(AlertingSettings.Receiver settings, Instant since, RandomGenerator jitter) {
        this.settings = settings;
        this.since = since;
        this.jitter = jitter;
        this.tokens = settings.messagesPerMinute();
        this.counted = since;
    }

    /// One state of one alert, or a notice, on its way to the receiver.
    static final class Parcel {

        private final News news;
        private final String webhookId;
        private final int partition;
        private final Instant packed;
        private Instant due;
        private int attempts;
        private int refusals;
        private boolean mayHaveHeard;
        private boolean underWay;
        private @Nullable Result lastResult;
        /// With whom it travelled when the message may have arrived.
        private @Nullable Load tiedTo;

        private @Nullable Notification outcome;
        private Instant rememberAt = Instant.MIN;

        private Parcel(News news, String webhookId, int partition, Instant now) {
            this.news = news;
            this.webhookId = webhookId;
            this.partition = partition;
            this.packed = now;
            this.due = now;
        }

        News news() {
            return news;
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

        private boolean goesWith(Parcel other) {
            Alert mine = news.alert();
            Alert others = other.news.alert();
            return mine != null
                    && others != null
                    && mine.rule().equals(others.rule())
                    && news.critical() == other.news.critical()
                    && refusals == 0
                    && tiedTo == null;
        }
    }

    /// The parcels of one message.
    record Load(Message message, List<Parcel> parcels) {

        private static Load of(List<Parcel> parcels) {
            Parcel first = parcels.getFirst();
            Message.Notice notice = first.news.notice();
            if (notice != null) {
                return new Load(notice, parcels);
            }
            return new Load(
                    new Message.Alerts(
                            parcels.size() == 1 ? first.webhookId : togetherId(parcels),
                            parcels.stream()
                                    .map(parcel -> Objects.requireNonNull(parcel.news.alert()))
                                    .toList()),
                    parcels);
        }

        /// Named after what it holds: the same parcels have the same name again after a crash.
        private static String togetherId(List<Parcel> parcels) {
            String names =
                    parcels.stream().map(parcel -> parcel.webhookId).sorted().collect(Collectors.joining(" "));
            try {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(names.getBytes(StandardCharsets.UTF_8));
                return "group-" + HexFormat.of().formatHex(digest, 0, 16);
            } catch (NoSuchAlgorithmException notThisPlatform) {
                throw new IllegalStateException("every Java platform has SHA-256", notThisPlatform);
            }
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

    /// Whether many alerts may come in one message. PagerDuty and Alertmanager keep them apart and group for
    /// themselves.
    boolean groups() {
        return switch (settings.kind()) {
            case WEBHOOK, SLACK, TEAMS, EMAIL -> true;
            case PAGERDUTY, ALERTMANAGER -> false;
        };
    }

    /// Whether somebody else should know that it does not work: it wants no more, something was given up, or nothing
    /// was taken for [#DEAD_AFTER]. Over when it takes a message.
    boolean dead(Instant now) {
        return disabled || gaveUp || (failingSince != null && !now.isBefore(failingSince.plus(DEAD_AFTER)));
    }

    /// When it last took a message in its present configuration, as far as this process knows.
    @Nullable
    Instant lastDelivered() {
        return lastDelivered;
    }

    /// Counts the configurations, so that an answer from an earlier one is known as such.
    int configuration() {
        return configuration;
    }

    boolean underWay() {
        return parcels.values().stream().anyMatch(Parcel::underWay);
    }

    Collection<Parcel> parcels() {
        return parcels.values();
    }

    @Nullable
    Parcel parcel(String about) {
        return parcels.get(about);
    }

    boolean holds(Parcel parcel) {
        return parcels.get(parcel.news.about()) == parcel;
    }

    /// Starts anew with another configuration: what waits is tried at once.
    void configure(AlertingSettings.Receiver changed, Instant now) {
        settings = changed;
        since = now;
        disabled = false;
        gaveUp = false;
        failingSince = null;
        lastDelivered = null;
        configuration++;
        pausedUntil = Instant.MIN;
        for (Parcel parcel : parcels.values()) {
            parcel.due = now;
            parcel.attempts = 0;
            parcel.refusals = 0;
        }
    }

    /// Takes the news in place of older ones of the same alert. A message that is no more urgent keeps its
    /// predecessor's place in the schedule, so that a lively alert does not hammer a dead receiver.
    void put(News news, String webhookId, int partition, Instant now) {
        Parcel parcel = new Parcel(news, webhookId, partition, now);
        Parcel superseded = parcels.put(news.about(), parcel);
        if (superseded == null) {
            return;
        }
        parcel.mayHaveHeard = superseded.mayHaveHeard;
        boolean moreUrgent = news.firing()
                && Telling.severity(news.severity()).compareTo(Telling.severity(superseded.news.severity())) > 0;
        if (!moreUrgent) {
            parcel.due = superseded.due;
            parcel.attempts = superseded.attempts;
            parcel.lastResult = superseded.lastResult;
        }
    }

    void remove(Parcel parcel) {
        parcels.remove(parcel.news.about(), parcel);
    }

    /// What to try now, marked as under way; empty when nothing is due, something is under way, the minute is used up,
    /// or the receiver asked for peace.
    Optional<Load> take(Instant now) {
        if (busy || disabled || parcels.isEmpty() || now.isBefore(pausedUntil) || !mayTell(now)) {
            return Optional.empty();
        }
        Optional<Load> next = parcels.values().stream()
                .filter(parcel -> waits(parcel, now))
                .min(URGENCY)
                .map(first -> load(first, now));
        next.ifPresent(load -> {
            load.parcels().forEach(parcel -> {
                parcel.underWay = true;
                parcel.attempts++;
            });
            tokens -= 1;
            busy = true;
            triedUnder = configuration;
        });
        return next;
    }

    private static boolean waits(Parcel parcel, Instant now) {
        return !parcel.underWay() && !now.isBefore(parcel.due);
    }

    private Load load(Parcel first, Instant now) {
        Load before = first.tiedTo;
        if (before != null) {
            if (before.parcels().stream().allMatch(parcel -> holds(parcel) && before.equals(parcel.tiedTo))) {
                return before;
            }
            return Load.of(before.parcels().stream()
                    .filter(parcel -> holds(parcel) && before.equals(parcel.tiedTo))
                    .toList());
        }
        if (!groups() || !first.goesWith(first)) {
            return Load.of(List.of(first));
        }
        List<Parcel> together = parcels.values().stream()
                .filter(parcel -> waits(parcel, now) && parcel.goesWith(first))
                .sorted(AS_TOLD)
                .limit(MAX_TOGETHER)
                .toList();
        boolean flood = together.size() > CRITICAL_FLOOD;
        return Load.of(first.news.critical() && !flood ? List.of(first) : together);
    }

    /// A bucket of as many tokens as messages are allowed in a minute, which fills up within a minute.
    private boolean mayTell(Instant now) {
        double perMilli = settings.messagesPerMinute() / 60_000.0;
        double filled = tokens + Math.max(0, Duration.between(counted, now).toMillis()) * perMilli;
        tokens = Math.min(settings.messagesPerMinute(), filled);
        counted = now;
        return tokens >= 1;
    }

    /// What follows from the end of an attempt: another one later, or outcomes to be remembered.
    void ended(Load load, Attempt attempt, Instant now) {
        busy = false;
        if (triedUnder != configuration && attempt.result() != Result.DELIVERED) {
            load.parcels().forEach(parcel -> startAnew(parcel, attempt, now));
            return;
        }
        noteHealth(triedUnder, attempt.result(), now);
        Duration delay = delay(load, attempt);
        for (Parcel parcel : load.parcels()) {
            parcel.underWay = false;
            parcel.lastResult = attempt.result();
            parcel.tiedTo = null;
            switch (attempt.result()) {
                case DELIVERED -> parcel.outcome = outcome(parcel, Notification.DELIVERED, attempt, now);
                case GONE -> giveUp(parcel, attempt, now);
                case REFUSED, REDIRECTED, FORBIDDEN -> {
                    parcel.refusals++;
                    if (parcel.refusals > 1) {
                        giveUp(parcel, attempt, now);
                    } else {
                        parcel.due = now.plus(delay);
                    }
                }
                case THROTTLED, SERVER_ERROR, TIMEOUT, BROKEN, UNREACHABLE -> {
                    boolean arrived = attempt.result().mayHaveArrived();
                    parcel.mayHaveHeard |= arrived && parcel.news.firing();
                    parcel.tiedTo = arrived && load.parcels().size() > 1 ? load : null;
                    parcel.due = now.plus(delay);
                    if (parcel.due.isAfter(parcel.packed.plus(GIVE_UP))) {
                        giveUp(parcel, attempt, now);
                    }
                }
            }
        }
        if (attempt.result() == Result.THROTTLED) {
            pausedUntil = now.plus(pause(attempt, delay));
        }
        if (attempt.result() == Result.DELIVERED) {
            wake(now);
        }
    }

    /// What failed in an earlier configuration says nothing about the present one.
    private static void startAnew(Parcel parcel, Attempt attempt, Instant now) {
        parcel.underWay = false;
        parcel.mayHaveHeard |= attempt.result().mayHaveArrived() && parcel.news.firing();
        parcel.tiedTo = null;
        parcel.attempts = 0;
        parcel.due = now;
    }

    /// How long the whole receiver is left alone: a parcel that failed often waits for hours, others need not.
    private static Duration pause(Attempt attempt, Duration delay) {
        Duration asked = attempt.retryAfter();
        return asked != null ? asked : delay.compareTo(BREATHER) < 0 ? delay : BREATHER;
    }

    /// What somebody learns of the receiver, with or without a parcel: see [#dead].
    ///
    /// @param under the configuration in which it was asked; what an earlier one shows does not count
    void noteHealth(int under, Result result, Instant now) {
        if (under != configuration) {
            return;
        }
        if (result == Result.DELIVERED) {
            failingSince = null;
            gaveUp = false;
            lastDelivered = now;
        } else if (failingSince == null) {
            failingSince = now;
        }
        disabled |= result == Result.GONE;
    }

    private void giveUp(Parcel parcel, Attempt attempt, Instant now) {
        gaveUp = true;
        parcel.outcome = outcome(parcel, Notification.FAILED, attempt, now);
    }

    /// One for all that travelled together.
    private Duration delay(Load load, Attempt attempt) {
        if (attempt.result().permanent()) {
            return jittered(SECOND_CHANCE);
        }
        int attempts = load.parcels().stream().mapToInt(Parcel::attempts).max().orElse(1);
        Duration delay = jittered(BACKOFF.get(Math.clamp(attempts, 1, BACKOFF.size()) - 1));
        Duration asked = attempt.retryAfter();
        return asked != null && asked.compareTo(delay) > 0 ? asked : delay;
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
                parcel.news.about(),
                parcel.news.incidentId(),
                name(),
                parcel.news.transition(),
                parcel.news.state(),
                parcel.news.severity(),
                result,
                attempt.detail(),
                parcel.attempts,
                now);
    }

    private Duration jittered(Duration delay) {
        return Duration.ofMillis((long) (delay.toMillis() * jitter.nextDouble(0.8, 1.2)));
    }
}

package io.tlsrpt.alerting;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.alerting.Outbox.Parcel;
import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.alerting.Telling.Question;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Notification;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/// Brings the states of alerts (`tlsrpt.alerts`) to the receivers and remembers in `tlsrpt.notifications` what was
/// told.
///
///     route    who wants to hear of it                 ┐
///     mute     who is not to hear of it now            │ [Telling], a pure function
///     dedupe   what it has heard already               │
///     hold     what may wait, for it may soon be gone  ┘
///     deliver  one parcel per alert and receiver       → [Outbox], [Receiver]
///     remember the outcome, before anything else       → [NotificationTopics]
///
/// The log of notifications is the only memory: no offset is committed. On assignment both topics of the assigned
/// partitions are read to their end, only then anything is judged. So a restart repeats nothing that is in the log and
/// loses nothing that is not. Told at least once: the log is written after the receiver took the message, and a message
/// whose log record was lost goes out again with the same `webhook-id`. One limit: what was taken but not logged before
/// a crash, and is resolved before the restart, is not known to have been told, so its resolution is not.
///
/// All state belongs to one thread. Attempts run on a thread each, at most one per receiver, so that a slow receiver
/// delays itself alone; these are platform threads, as looking up a host name would hold the carrier of a virtual one.
///
/// Metrics:
/// - `tlsrpt.notifications.decisions{decision}` counts each decision about a state once per receiver.
/// - `tlsrpt.notifications.finished{outcome}` counts what became of each decision to tell.
///   decisions that tell = delivered + failed + superseded + withdrawn + `tlsrpt.notifications.pending`
/// - `tlsrpt.notifications.attempts{result}`: attempts = delivered + those that ended a parcel as failed + retried.
/// - `tlsrpt.notifications.pending` and `tlsrpt.notifications.oldest.pending.seconds`.
final class NotificationPipeline implements AutoCloseable {

    /// The part's name in health.
    static final String PART = "notifications";

    /// What was found firing by an application without any memory, and did not change for so long, is history.
    static final Duration HISTORY = Duration.ofDays(3);

    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration LOG_AGAIN = Duration.ofSeconds(5);
    private static final Duration RESTART = Duration.ofSeconds(5);
    private static final Duration FAREWELL = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(NotificationPipeline.class);

    /// The pipeline's memory.
    interface Memory {

        /// Writes the record beside its alert, in the same partition; says whether it is safe, from any thread.
        void remember(int partition, Notification notification, Consumer<Boolean> written);

        /// Removes what was told of an alert that is no more.
        void forget(int partition, String key);
    }

    /// What became of a decision to tell.
    enum Outcome {
        DELIVERED,
        FAILED,
        /// A newer state of the alert took its place.
        SUPERSEDED,
        /// No longer to be told: resolved in time, the receiver gone, or the partition with another instance.
        WITHDRAWN
    }

    /// What is known of one alert.
    private static final class Case {
        private int partition;
        private @Nullable Alert alert;
        private boolean removed;
        private boolean restored = true;
        private final Map<String, Notification> told = new HashMap<>();
        private final Map<String, Verdict> verdicts = new HashMap<>();
    }

    /// What was decided last for a receiver, so that the same is not decided twice.
    private record Verdict(String incidentId, int transition, String state, Decision decision) {}

    private final Surroundings surroundings;
    private final Clock clock;
    private final BiFunction<AlertingSettings.Receiver, Message, Attempt> attempts;
    private final BiConsumer<String, Runnable> threads;
    private final RandomGenerator jitter;
    private final Counts counts;

    private final LinkedBlockingQueue<Runnable> events = new LinkedBlockingQueue<>();
    private final Map<String, Case> cases = new HashMap<>();
    private final Map<String, Outbox> outboxes = new LinkedHashMap<>();
    private final SequencedSet<String> changed = new LinkedHashSet<>();
    private final CountDownLatch closing = new CountDownLatch(1);

    private @Nullable Memory memory;
    private @Nullable AlertingSettings alerting;
    private @Nullable Instant mutedBefore;
    private Instant lookAgain = Instant.MAX;
    private boolean lookAtAll;
    private boolean settled;
    private @Nullable Thread thread;

    NotificationPipeline(Surroundings surroundings) {
        this.surroundings = surroundings;
        this.clock = surroundings.clock();
        this.attempts = this::attempt;
        this.threads = (receiver, work) ->
                Thread.ofPlatform().daemon().name("notify-" + receiver).start(work);
        this.jitter = RandomGenerator.getDefault();
        this.counts = new Counts(surroundings.meters(), clock);
    }

    /// With everything replaced that reaches outside: for tests of the core, which call [#step()] themselves.
    NotificationPipeline(
            Surroundings surroundings,
            BiFunction<AlertingSettings.Receiver, Message, Attempt> attempts,
            BiConsumer<String, Runnable> threads,
            RandomGenerator jitter,
            Memory memory) {
        this.surroundings = surroundings;
        this.clock = surroundings.clock();
        this.attempts = attempts;
        this.threads = threads;
        this.jitter = jitter;
        this.memory = memory;
        this.counts = new Counts(surroundings.meters(), clock);
    }

    /// Starts to read; ready when the log is restored.
    void start() {
        surroundings.health().notReady(PART, "starting");
        thread = Thread.ofPlatform().name("notification-pipeline").start(this::run);
    }

    /// Waits a few seconds for attempts under way, so that what was told is also remembered.
    @Override
    public void close() {
        closing.countDown();
        Thread running = thread;
        if (running != null) {
            try {
                running.join(Duration.ofSeconds(30));
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void run() {
        while (closing.getCount() > 0) {
            try (NotificationTopics topics = new NotificationTopics(surroundings, this)) {
                memory = topics;
                while (closing.getCount() > 0) {
                    topics.poll(POLL);
                    step();
                }
                released();
            } catch (RuntimeException broken) {
                surroundings
                        .health()
                        .notReady(
                                PART,
                                "broken, starting anew: " + broken.getClass().getSimpleName());
                LOG.atError().setCause(broken).log("notification pipeline broke and starts anew");
                lost();
                pause();
            }
        }
    }

    private void pause() {
        try {
            if (closing.await(RESTART.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.atDebug().log("closed while waiting to start anew");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            closing.countDown();
        }
    }

    /// A state of an alert, or null: the alert is no more.
    void alert(int partition, String alertId, @Nullable Alert alert) {
        Case about = cases.computeIfAbsent(alertId, id -> new Case());
        about.partition = partition;
        about.alert = alert;
        about.removed = alert == null;
        about.restored = !settled;
        changed.add(alertId);
    }

    /// A record of the log, ours read back or another instance's.
    void told(int partition, Notification notification) {
        Case about = cases.computeIfAbsent(notification.alertId(), id -> new Case());
        about.partition = partition;
        Notification known = about.told.get(notification.receiver());
        if (known == null || !notification.at().isBefore(known.at())) {
            about.told.put(notification.receiver(), notification);
            changed.add(notification.alertId());
        }
    }

    /// A record of the log was removed.
    void forgotten(String key) {
        int slash = key.indexOf('/');
        Case about = slash < 0 ? null : cases.get(key.substring(0, slash));
        if (about != null) {
            about.told.remove(key.substring(slash + 1));
        }
    }

    /// Partitions were assigned: nothing is judged until they are [#restored].
    void restoring() {
        settled = false;
        surroundings.health().notReady(PART, "reading the notification log");
    }

    /// Everything that was in the topics at assignment is known.
    ///
    /// @param noMemory whether the log is empty in all partitions, also those of other instances
    void restored(boolean noMemory) {
        settled = true;
        mutedBefore = noMemory ? clock.instant().minus(HISTORY) : null;
        lookAtAll = true;
        surroundings.health().ready(PART);
        LOG.atInfo()
                .addKeyValue("alerts", cases.size())
                .addKeyValue("memory", !noMemory)
                .log("notifications restored");
    }

    /// The partitions go to another instance: what is under way may end, then all is forgotten.
    void released() {
        settled = false;
        long end = System.nanoTime() + FAREWELL.toNanos();
        try {
            while (outboxes.values().stream().anyMatch(Outbox::underWay) && System.nanoTime() < end) {
                Runnable event = events.poll(POLL.toMillis(), TimeUnit.MILLISECONDS);
                if (event != null) {
                    event.run();
                }
                rememberOutcomes(clock.instant());
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        dropAll();
    }

    /// The partitions are with another instance already: all is forgotten.
    void lost() {
        dropAll();
    }

    private void dropAll() {
        settled = false;
        for (Outbox outbox : outboxes.values()) {
            List.copyOf(outbox.parcels()).forEach(parcel -> finish(outbox, parcel, Outcome.WITHDRAWN));
        }
        cases.clear();
        changed.clear();
        lookAgain = Instant.MAX;
    }

    /// One round: what ended, what changed, what is due.
    void step() {
        for (Runnable event = events.poll(); event != null; event = events.poll()) {
            event.run();
        }
        Instant now = clock.instant();
        rememberOutcomes(now);
        if (settled) {
            readSettings(now);
            judgeChanged(now);
            outboxes.values().forEach(outbox -> send(outbox, now));
        }
        counts.pending(outboxes.values());
    }

    private void readSettings(Instant now) {
        AlertingSettings latest = surroundings.current().get().alerting();
        if (latest.equals(alerting)) {
            return;
        }
        alerting = latest;
        lookAtAll = true;
        Map<String, AlertingSettings.Receiver> receivers = new LinkedHashMap<>();
        latest.receivers().forEach(receiver -> receivers.put(receiver.name(), receiver));
        for (Outbox gone : List.copyOf(outboxes.values())) {
            if (!receivers.containsKey(gone.name())) {
                List.copyOf(gone.parcels()).forEach(parcel -> finish(gone, parcel, Outcome.WITHDRAWN));
                outboxes.remove(gone.name());
                LOG.atInfo().addKeyValue("receiver", gone.name()).log("receiver removed");
            }
        }
        for (AlertingSettings.Receiver receiver : receivers.values()) {
            Outbox known = outboxes.get(receiver.name());
            if (known == null) {
                outboxes.put(receiver.name(), new Outbox(receiver, now, jitter));
                LOG.atInfo().addKeyValue("receiver", receiver.name()).log("receiver added");
            } else if (!known.settings().equals(receiver)) {
                known.configure(receiver, now);
                LOG.atInfo().addKeyValue("receiver", receiver.name()).log("receiver changed");
            }
        }
    }

    private void judgeChanged(Instant now) {
        boolean all = lookAtAll || !now.isBefore(lookAgain);
        if (all) {
            lookAgain = Instant.MAX;
            lookAtAll = false;
        }
        Collection<String> ids = all ? List.copyOf(cases.keySet()) : List.copyOf(changed);
        changed.clear();
        for (String id : ids) {
            Case about = cases.get(id);
            if (about == null) {
                continue;
            }
            Alert alert = about.alert;
            if (alert != null) {
                outboxes.values().forEach(outbox -> judge(about, alert, outbox, now));
            } else if (about.removed) {
                remove(id, about);
            }
        }
    }

    private void remove(String alertId, Case about) {
        for (Outbox outbox : outboxes.values()) {
            Parcel parcel = outbox.parcel(alertId);
            if (parcel != null) {
                finish(outbox, parcel, Outcome.WITHDRAWN);
            }
        }
        about.told.values().forEach(told -> memory().forget(about.partition, told.key()));
        cases.remove(alertId);
    }

    private void judge(Case about, Alert alert, Outbox outbox, Instant now) {
        Parcel parcel = outbox.parcel(alert.alertId());
        if (parcel != null && parcel.underWay()) {
            return; // its end makes the alert be looked at again
        }
        Notification told = about.told.get(outbox.name());
        Telling telling = Telling.of(new Question(
                alert,
                told,
                parcel != null && parcel.mayHaveHeard(),
                outbox.settings().minSeverity(),
                outbox.disabled(),
                outbox.since(),
                mutedBefore,
                Objects.requireNonNull(alerting).warningWait(),
                now));
        if (telling.again() != null && telling.again().isBefore(lookAgain)) {
            lookAgain = telling.again();
        }
        Decision decision = telling.decision();
        if (decision.tells()) {
            if (parcel == null || !parcel.carries(alert)) {
                if (parcel != null) {
                    counts.finished(Outcome.SUPERSEDED);
                }
                outbox.put(alert, decision, webhookId(alert, decision, told), about.partition, now);
                decided(about, alert, outbox, decision);
            }
            return;
        }
        if (parcel != null) {
            finish(outbox, parcel, Outcome.WITHDRAWN);
        }
        boolean news = decided(about, alert, outbox, decision);
        if (news && decision == Decision.TOO_OLD) {
            mute(about, alert, outbox, now);
        }
    }

    /// Counts and logs a decision, unless it was taken before or says only that this very state is done with.
    private boolean decided(Case about, Alert alert, Outbox outbox, Decision decision) {
        Notification told = about.told.get(outbox.name());
        boolean doneWith = told != null
                && !decision.tells()
                && told.incidentId().equals(alert.incidentId())
                && told.transition() == alert.transition()
                && told.state().equals(alert.state());
        Verdict verdict = new Verdict(alert.incidentId(), alert.transition(), alert.state(), decision);
        boolean before = verdict.equals(about.verdicts.put(outbox.name(), verdict));
        if (doneWith || (before && !decision.tells())) {
            return false;
        }
        counts.decided(decision);
        LoggingEventBuilder line = about.restored && !decision.tells() ? LOG.atDebug() : LOG.atInfo();
        line.addKeyValue("decision", decision.word())
                .addKeyValue("receiver", outbox.name())
                .addKeyValue("incident", alert.incidentId())
                .addKeyValue("transition", alert.transition())
                .addKeyValue("severity", alert.severity())
                .log(decision.tells() ? "to be told" : "not told");
        return true;
    }

    /// (incident-id, transition) is unique for every state; a repetition of the same state is a message of its own,
    /// named after the telling that it repeats, so that it has the same name again after a crash.
    private static String webhookId(Alert alert, Decision decision, @Nullable Notification told) {
        String id = alert.incidentId() + "-" + alert.transition();
        return decision == Decision.REPEATED && told != null
                ? id + "-" + told.at().getEpochSecond()
                : id;
    }

    private void mute(Case about, Alert alert, Outbox outbox, Instant now) {
        Notification muted = new Notification(
                alert.alertId(),
                alert.incidentId(),
                outbox.name(),
                alert.transition(),
                alert.state(),
                alert.severity(),
                Notification.MUTED,
                Decision.TOO_OLD.word() + ": unchanged since " + alert.updatedAt()
                        + ", found by an application without any memory of what it told",
                0,
                now);
        memory().remember(
                        about.partition,
                        muted,
                        written -> events.add(() -> {
                            if (written) {
                                told(about.partition, muted);
                            } else {
                                about.verdicts.remove(outbox.name());
                                changed.add(alert.alertId());
                            }
                        }));
    }

    private void send(Outbox outbox, Instant now) {
        outbox.take(now).ifPresent(parcel -> {
            AlertingSettings.Receiver to = outbox.settings();
            Message message = parcel.message();
            threads.accept(to.name(), () -> {
                Attempt attempt = attempts.apply(to, message);
                events.add(() -> ended(outbox, parcel, attempt));
            });
        });
    }

    private Attempt attempt(AlertingSettings.Receiver to, Message message) {
        try {
            return Receiver.of(to, surroundings.current().get().alerting().mailServer())
                    .deliver(message, clock.instant());
        } catch (RuntimeException unexpected) {
            // The class alone: the message could quote the address.
            return Attempt.of(
                    Result.BROKEN, "unexpected " + unexpected.getClass().getSimpleName());
        }
    }

    private void ended(Outbox outbox, Parcel parcel, Attempt attempt) {
        Instant now = clock.instant();
        boolean wasDisabled = outbox.disabled();
        outbox.ended(parcel, attempt, now);
        counts.attempted(attempt.result());
        Notification outcome = parcel.outcome();
        LoggingEventBuilder line = attempt.result() == Result.DELIVERED ? LOG.atInfo() : LOG.atWarn();
        line.addKeyValue("result", attempt.result().word())
                .addKeyValue("detail", attempt.detail())
                .addKeyValue("receiver", outbox.name())
                .addKeyValue("incident", parcel.alert().incidentId())
                .addKeyValue("transition", parcel.alert().transition())
                .addKeyValue("attempt", parcel.attempts())
                .addKeyValue("next", outcome == null ? parcel.due() : "none")
                .log("notification attempt");
        if (outbox.disabled() && !wasDisabled) {
            LOG.atWarn()
                    .addKeyValue("receiver", outbox.name())
                    .log("receiver disabled until its configuration changes");
            lookAtAll = true;
        }
        if (!outbox.holds(parcel) && outcome != null && outcome.result().equals(Notification.DELIVERED)) {
            // Withdrawn while under way, yet it arrived: whoever judges the alert next must know.
            memory().remember(
                            parcel.partition(),
                            outcome,
                            written -> events.add(() -> {
                                if (written && cases.containsKey(outcome.alertId())) {
                                    told(parcel.partition(), outcome);
                                }
                            }));
        }
        changed.add(parcel.alert().alertId());
    }

    private void rememberOutcomes(Instant now) {
        for (Outbox outbox : outboxes.values()) {
            for (Parcel parcel : outbox.toRemember(now)) {
                Notification outcome = Objects.requireNonNull(parcel.outcome());
                memory().remember(
                                parcel.partition(),
                                outcome,
                                written -> events.add(() -> remembered(outbox, parcel, outcome, written)));
            }
        }
    }

    private void remembered(Outbox outbox, Parcel parcel, Notification outcome, boolean written) {
        if (!written) {
            outbox.notRemembered(parcel, clock.instant().plus(LOG_AGAIN));
            return;
        }
        if (outbox.holds(parcel)) {
            boolean delivered = outcome.result().equals(Notification.DELIVERED);
            finish(outbox, parcel, delivered ? Outcome.DELIVERED : Outcome.FAILED);
            told(parcel.partition(), outcome);
        }
    }

    private void finish(Outbox outbox, Parcel parcel, Outcome outcome) {
        outbox.remove(parcel);
        counts.finished(outcome);
    }

    private Memory memory() {
        return Objects.requireNonNull(memory, "started");
    }

    /// The meters; see the equations above.
    private static final class Counts {

        private final Map<Decision, Counter> decisions = new HashMap<>();
        private final Map<Result, Counter> attempts = new HashMap<>();
        private final Map<Outcome, Counter> outcomes = new HashMap<>();
        private volatile int pending;
        private volatile @Nullable Instant oldest;

        Counts(MeterRegistry meters, Clock clock) {
            for (Decision decision : Decision.values()) {
                decisions.put(decision, meters.counter("tlsrpt.notifications.decisions", "decision", decision.word()));
            }
            for (Result result : Result.values()) {
                attempts.put(result, meters.counter("tlsrpt.notifications.attempts", "result", result.word()));
            }
            for (Outcome outcome : Outcome.values()) {
                outcomes.put(
                        outcome,
                        meters.counter(
                                "tlsrpt.notifications.finished",
                                "outcome",
                                outcome.name().toLowerCase(Locale.ROOT)));
            }
            Gauge.builder("tlsrpt.notifications.pending", this, counts -> counts.pending)
                    .description("Notifications that are decided and neither delivered nor given up")
                    .strongReference(true)
                    .register(meters);
            Gauge.builder("tlsrpt.notifications.oldest.pending.seconds", this, counts -> counts.age(clock.instant()))
                    .description("How long the oldest of them waits")
                    .strongReference(true)
                    .register(meters);
        }

        void decided(Decision decision) {
            Objects.requireNonNull(decisions.get(decision)).increment();
        }

        void attempted(Result result) {
            Objects.requireNonNull(attempts.get(result)).increment();
        }

        void finished(Outcome outcome) {
            Objects.requireNonNull(outcomes.get(outcome)).increment();
        }

        void pending(Collection<Outbox> outboxes) {
            List<Parcel> parcels = new ArrayList<>();
            outboxes.forEach(outbox -> parcels.addAll(outbox.parcels()));
            pending = parcels.size();
            oldest =
                    parcels.stream().map(Parcel::packed).min(Instant::compareTo).orElse(null);
        }

        private double age(Instant now) {
            Instant since = oldest;
            return since == null ? 0 : Duration.between(since, now).toMillis() / 1000.0;
        }
    }
}

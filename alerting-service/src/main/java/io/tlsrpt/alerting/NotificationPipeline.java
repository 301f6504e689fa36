package io.tlsrpt.alerting;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.alerting.Outbox.Load;
import io.tlsrpt.alerting.Outbox.Parcel;
import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.alerting.Telling.Question;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Notification;
import io.tlsrpt.topics.Silence;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/// Brings the states of alerts (`tlsrpt.alerts`) to the receivers and remembers in `tlsrpt.notifications` what was
/// told.
///
///     route    who wants to hear of it                 ┐
///     mute     who is not to hear of it now            │
///     dedupe   what it has heard already               │ [Telling], a pure function
///     hold     what may wait, for it may soon be gone  │
///     quiet    what may wait until the morning         │
///     group    what gathers                            ┘
///     deliver  one parcel per alert and receiver, those
///              of one rule in one message              → [Outbox], [Receiver]
///     remember the outcome, before anything else       → [NotificationTopics]
///
/// All alerts and silences are known to every instance, because an alert may inhibit one in another partition; each
/// instance tells of the alerts in its own partitions. Groups are an instance's own, too. Who owns partition 0 also
/// tells of what is no alert: receivers that are dead, and the weekly digest.
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
/// - `tlsrpt.notifications.attempts{result}` counts messages tried, each of one or several alerts.
/// - `tlsrpt.notifications.pending` and `tlsrpt.notifications.oldest.pending.seconds`.
/// - `tlsrpt.notifications.receivers.dead`: receivers that this instance finds dead ([Outbox#dead]).
final class NotificationPipeline implements AutoCloseable {

    /// The part's name in health.
    static final String PART = "notifications";

    /// What was found firing by an application without any memory, and did not change for so long, is history.
    static final Duration HISTORY = Duration.ofDays(3);

    /// How long after the end of a silence one can still see that it was there.
    static final Duration SILENCE_KEPT = Duration.ofDays(5);

    /// How late a digest is still worth sending.
    static final Duration DIGEST_LATE = Duration.ofDays(1);

    /// The partition whose owner tells of what is no alert.
    static final int NOTICES = 0;

    /// Stands in the log, in partition 0, for receivers that are dead (`firing`) or work again (`resolved`).
    static final String OUTAGE = "receiver-dead";

    private static final String DIGEST = "digest";

    /// Alertmanager forgets an alert that is not repeated within its resolve_timeout, 5 min unless configured.
    private static final Duration REFRESH = Duration.ofMinutes(1);

    /// So long a resolution is repeated to it as well.
    private static final Duration REFRESH_RESOLVED = Duration.ofMinutes(15);

    private static final int REFRESH_TOGETHER = 100;

    private static final Duration DIGEST_AGAIN = Duration.ofMinutes(5);
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

        /// Removes a silence that is long over.
        void forgetSilence(int partition, String silenceId);
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
        /// Receivers that may have heard that it fires, from a parcel that was withdrawn.
        private final Set<String> mayHaveHeard = new HashSet<>();

        void forgetTold() {
            told.clear();
            verdicts.clear();
            mayHaveHeard.clear();
            restored = true;
        }
    }

    /// A silence and where it lies.
    private record Hush(int partition, Silence silence) {}

    /// What was decided last for a receiver, so that the same is not decided twice.
    private record Verdict(String incidentId, int transition, String state, Decision decision) {}

    private final Surroundings surroundings;
    private final Clock clock;
    private final BiFunction<AlertingSettings.Receiver, Message, Attempt> attempts;
    private final BiConsumer<String, Runnable> threads;
    private final RandomGenerator jitter;
    private final WeeklyDigest.Source digests;
    private final Counts counts;

    private final LinkedBlockingQueue<Runnable> events = new LinkedBlockingQueue<>();
    private final Map<String, Case> cases = new HashMap<>();
    private final Map<String, Hush> silences = new HashMap<>();
    private final Inhibition inhibition = new Inhibition();
    private final Set<Integer> owned = new HashSet<>();
    private final Map<String, Outbox> outboxes = new LinkedHashMap<>();

    /// When each receiver was last told of alerts of a rule that were not critical.
    private final Map<String, Map<String, Instant>> groups = new HashMap<>();

    private final Map<String, Notification> outages = new HashMap<>();
    private final Set<String> declaredDead = new HashSet<>();
    private final Map<String, Instant> refreshed = new HashMap<>();
    private final SequencedSet<String> changed = new LinkedHashSet<>();
    private final CountDownLatch closing = new CountDownLatch(1);

    private @Nullable Memory memory;
    private @Nullable AlertingSettings alerting;
    private Routing routing = Routing.of(List.of());
    private Instant outagesAgain = Instant.MIN;
    private volatile boolean leads;
    private Instant digestAgain = Instant.MIN;
    private boolean digestUnderWay;
    private @Nullable News digest;
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
        this.digests = new DigestReader(surroundings);
        this.counts = new Counts(surroundings.meters(), clock);
    }

    /// With everything replaced that reaches outside: for tests of the core, which call [#step()] themselves.
    NotificationPipeline(
            Surroundings surroundings,
            BiFunction<AlertingSettings.Receiver, Message, Attempt> attempts,
            BiConsumer<String, Runnable> threads,
            RandomGenerator jitter,
            WeeklyDigest.Source digests,
            Memory memory) {
        this.surroundings = surroundings;
        this.clock = surroundings.clock();
        this.attempts = attempts;
        this.threads = threads;
        this.jitter = jitter;
        this.digests = digests;
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
            } catch (Throwable broken) {
                // An Error too: this thread must not end while the process lives, or nobody is told of anything.
                surroundings
                        .health()
                        .notReady(
                                PART,
                                "broken, starting anew: " + broken.getClass().getSimpleName());
                LOG.atError().setCause(broken).log("notification pipeline broke and starts anew");
                lost();
                cases.clear();
                silences.clear();
                inhibition.clear();
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

    /// A state of an alert of any partition, or null: the alert is no more.
    void alert(int partition, String alertId, @Nullable Alert alert) {
        Case about = cases.computeIfAbsent(alertId, id -> new Case());
        about.partition = partition;
        about.alert = alert;
        about.removed = alert == null;
        about.restored = !settled;
        lookAtAll |= alert == null ? inhibition.gone(alertId) : inhibition.saw(alert);
        changed.add(alertId);
    }

    /// A silence of any partition, or null: it is no more.
    void silence(int partition, String silenceId, @Nullable Silence silence) {
        if (silence == null) {
            silences.remove(silenceId);
        } else {
            silences.put(silenceId, new Hush(partition, silence));
        }
        lookAtAll = true;
    }

    /// A record of the log in our partitions, ours read back or another instance's.
    void told(int partition, Notification notification) {
        if (notification.alertId().equals(OUTAGE)) {
            outages.merge(notification.receiver(), notification, NotificationPipeline::sameOutage);
            return;
        }
        Case about = cases.computeIfAbsent(notification.alertId(), id -> new Case());
        about.partition = partition;
        Notification known = about.told.get(notification.receiver());
        if (known == null || !notification.at().isBefore(known.at())) {
            about.told.put(notification.receiver(), notification);
            about.mayHaveHeard.remove(notification.receiver());
            noteGroup(about, notification);
            changed.add(notification.alertId());
        }
    }

    /// Several instances may find the same receiver dead: the first word of an outage counts.
    private static Notification sameOutage(Notification known, Notification newer) {
        return known.state().equals(newer.state()) ? known : newer;
    }

    private void noteGroup(Case about, Notification told) {
        Alert alert = about.alert;
        if (alert != null && told.result().equals(Notification.DELIVERED) && !Telling.critical(told.severity())) {
            groups.computeIfAbsent(told.receiver(), name -> new HashMap<>())
                    .merge(alert.rule(), told.at(), (one, other) -> one.isAfter(other) ? one : other);
        }
    }

    /// A record of the log was removed.
    void forgotten(String key) {
        int slash = key.indexOf('/');
        if (key.startsWith(OUTAGE + "/")) {
            outages.remove(key.substring(slash + 1));
            return;
        }
        Case about = slash < 0 ? null : cases.get(key.substring(0, slash));
        if (about != null) {
            about.told.remove(key.substring(slash + 1));
        }
    }

    /// Whether this is the one instance that tells of what is no alert; from any thread.
    boolean leads() {
        return leads;
    }

    /// Partitions were assigned: nothing is judged until they are [#restored].
    void restoring(Set<Integer> partitions) {
        settled = false;
        leads = false;
        owned.clear();
        owned.addAll(partitions);
        surroundings.health().notReady(PART, "reading the notification log");
    }

    /// Everything that was in the topics at assignment is known.
    ///
    /// @param noMemory whether the log is empty in all partitions, also those of other instances
    void restored(boolean noMemory) {
        settled = true;
        leads = owned.contains(NOTICES);
        mutedBefore = noMemory ? clock.instant().minus(HISTORY) : null;
        lookAtAll = true;
        cases.values().forEach(about -> about.told.values().forEach(told -> noteGroup(about, told)));
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
        leads = false;
        owned.clear();
        cases.values().forEach(Case::forgetTold);
        cases.values().removeIf(about -> about.alert == null && !about.removed);
        groups.clear();
        outages.clear();
        digest = null;
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
            noteOutages(now);
            if (owned.contains(NOTICES)) {
                tellOutages(now);
                tellDigest(now);
            }
            outboxes.values().forEach(outbox -> {
                send(outbox, now);
                refresh(outbox, now);
            });
        }
        counts.pending(outboxes.values(), now);
        counts.firing(cases.values());
    }

    private void readSettings(Instant now) {
        AlertingSettings latest = surroundings.current().get().alerting();
        if (latest.equals(alerting)) {
            return;
        }
        boolean otherMailServer = alerting != null && !Objects.equals(alerting.mailServer(), latest.mailServer());
        alerting = latest;
        routing = Routing.of(latest.routes());
        lookAtAll = true;
        Map<String, AlertingSettings.Receiver> receivers = new LinkedHashMap<>();
        latest.receivers().forEach(receiver -> receivers.put(receiver.name(), receiver));
        for (Outbox gone : List.copyOf(outboxes.values())) {
            if (!receivers.containsKey(gone.name())) {
                List.copyOf(gone.parcels()).forEach(parcel -> finish(gone, parcel, Outcome.WITHDRAWN));
                outboxes.remove(gone.name());
                declaredDead.remove(gone.name());
                LOG.atInfo().addKeyValue("receiver", gone.name()).log("receiver removed");
            }
        }
        for (AlertingSettings.Receiver receiver : receivers.values()) {
            Outbox known = outboxes.get(receiver.name());
            if (known == null) {
                outboxes.put(receiver.name(), new Outbox(receiver, now, jitter));
                LOG.atInfo().addKeyValue("receiver", receiver.name()).log("receiver added");
            } else if (!known.settings().equals(receiver)
                    || (otherMailServer && receiver.kind() == AlertingSettings.Kind.EMAIL)) {
                known.configure(receiver, now);
                LOG.atInfo().addKeyValue("receiver", receiver.name()).log("receiver changed");
            }
        }
    }

    private void judgeChanged(Instant now) {
        boolean all = lookAtAll || !now.isBefore(lookAgain);
        if (all) {
            lookAgain = nextChangeOfTheHour(now);
            lookAtAll = false;
            forgetSilences(now);
        }
        Collection<String> ids = all ? List.copyOf(cases.keySet()) : List.copyOf(changed);
        changed.clear();
        for (String id : ids) {
            Case about = cases.get(id);
            if (about == null || !owned.contains(about.partition)) {
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

    /// When silences or quiet hours begin or end next.
    private Instant nextChangeOfTheHour(Instant now) {
        AlertingSettings.QuietHours quiet = Objects.requireNonNull(alerting).quietHours();
        return Stream.concat(
                        silences.values().stream()
                                .flatMap(hush -> Stream.of(
                                        hush.silence().startsAt(),
                                        hush.silence().endsAt()))
                                .filter(now::isBefore),
                        Stream.of(quiet == null ? Instant.MAX : WallTime.nextChange(quiet, now)))
                .min(Instant::compareTo)
                .orElse(Instant.MAX);
    }

    private void forgetSilences(Instant now) {
        Map.copyOf(silences).forEach((id, hush) -> {
            boolean over = now.isAfter(hush.silence().endsAt().plus(SILENCE_KEPT));
            if (over && owned.contains(hush.partition())) {
                memory().forgetSilence(hush.partition(), id);
            }
        });
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
        News news = News.of(alert);
        boolean pending = parcel != null && parcel.news().same(news);
        Telling telling = Telling.of(new Question(
                alert,
                told,
                (parcel != null && parcel.mayHaveHeard()) || about.mayHaveHeard.contains(outbox.name()),
                pending,
                outbox.settings(),
                outbox.disabled(),
                outbox.since(),
                mutedBefore,
                inhibition.inhibitor(alert).isPresent(),
                silences.values().stream().anyMatch(hush -> hush.silence().mutes(alert, now)),
                outbox.groups() ? groups.getOrDefault(outbox.name(), Map.of()).get(alert.rule()) : null,
                Objects.requireNonNull(alerting),
                routing,
                now));
        if (telling.again() != null && telling.again().isBefore(lookAgain)) {
            lookAgain = telling.again();
        }
        Decision decision = telling.decision();
        if (decision.tells()) {
            if (!pending) {
                pack(outbox, news, webhookId(alert, decision, told), about.partition, now);
                decided(about, alert, outbox, decision);
            }
            return;
        }
        if (parcel != null) {
            if (parcel.mayHaveHeard()) {
                about.mayHaveHeard.add(outbox.name());
            }
            finish(outbox, parcel, Outcome.WITHDRAWN);
        }
        if (decided(about, alert, outbox, decision)) {
            switch (decision) {
                case TOO_OLD ->
                    mute(
                            about,
                            alert,
                            outbox,
                            Decision.TOO_OLD.word() + ": unchanged since " + alert.updatedAt()
                                    + ", found by an application without any memory of what it told",
                            now);
                case RESOLVED_UNSENT -> mute(about, alert, outbox, "send-resolved is off", now);
                default -> {}
            }
        }
    }

    private void pack(Outbox outbox, News news, String webhookId, int partition, Instant now) {
        if (outbox.parcel(news.about()) != null) {
            counts.finished(Outcome.SUPERSEDED);
        }
        outbox.put(news, webhookId, partition, now);
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

    /// Remembers that it was decided not to tell.
    private void mute(Case about, Alert alert, Outbox outbox, String why, Instant now) {
        Notification muted = new Notification(
                alert.alertId(),
                alert.incidentId(),
                outbox.name(),
                alert.transition(),
                alert.state(),
                alert.severity(),
                Notification.MUTED,
                why,
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
        outbox.take(now).ifPresent(load -> {
            AlertingSettings.Receiver to = outbox.settings();
            try {
                threads.accept(to.name(), () -> {
                    Attempt attempt = tried(to, load.message());
                    events.add(() -> ended(outbox, load, attempt));
                });
            } catch (Throwable notStarted) {
                Attempt none = Attempt.of(Result.UNREACHABLE, unexpected(notStarted));
                events.add(() -> ended(outbox, load, none));
            }
        });
    }

    /// An attempt that ends in any case, for the receiver waits until it did.
    private Attempt tried(AlertingSettings.Receiver to, Message message) {
        try {
            return attempts.apply(to, message);
        } catch (Throwable unexpected) {
            return Attempt.of(Result.BROKEN, unexpected(unexpected));
        }
    }

    /// The class alone: the message could quote the address.
    private static String unexpected(Throwable thrown) {
        return "unexpected " + thrown.getClass().getSimpleName();
    }

    private Attempt attempt(AlertingSettings.Receiver to, Message message) {
        return Receiver.of(to, surroundings.current().get().alerting().mailServer())
                .deliver(message, clock.instant());
    }

    private void ended(Outbox outbox, Load load, Attempt attempt) {
        Instant now = clock.instant();
        boolean wasDisabled = outbox.disabled();
        outbox.ended(load, attempt, now);
        counts.attempted(attempt.result());
        load.parcels().forEach(parcel -> ended(outbox, load, parcel, attempt));
        if (outbox.disabled() && !wasDisabled) {
            LOG.atWarn()
                    .addKeyValue("receiver", outbox.name())
                    .log("receiver disabled until its configuration changes");
            lookAtAll = true;
        }
    }

    private void ended(Outbox outbox, Load load, Parcel parcel, Attempt attempt) {
        Notification outcome = parcel.outcome();
        LoggingEventBuilder line = attempt.result() == Result.DELIVERED ? LOG.atInfo() : LOG.atWarn();
        line.addKeyValue("result", attempt.result().word())
                .addKeyValue("detail", attempt.detail())
                .addKeyValue("receiver", outbox.name())
                .addKeyValue("incident", parcel.news().incidentId())
                .addKeyValue("transition", parcel.news().transition())
                .addKeyValue("message", load.message().id())
                .addKeyValue("attempt", parcel.attempts())
                .addKeyValue("next", outcome == null ? parcel.due() : "none")
                .log("notification attempt");
        if (!outbox.holds(parcel) && outcome != null && outcome.result().equals(Notification.DELIVERED)) {
            // Withdrawn while under way, yet it arrived: whoever judges the alert next must know.
            memory().remember(
                            parcel.partition(),
                            outcome,
                            written -> events.add(() -> {
                                if (written && owned.contains(parcel.partition())) {
                                    told(parcel.partition(), outcome);
                                }
                            }));
        }
        changed.add(parcel.news().about());
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

    /// Tells Alertmanager again what it was told, because it forgets. No news, so nothing of it is remembered; what
    /// fails is repeated a minute later anyway.
    private void refresh(Outbox outbox, Instant now) {
        AlertingSettings.Receiver to = outbox.settings();
        Instant last = refreshed.get(outbox.name());
        if (to.kind() != AlertingSettings.Kind.ALERTMANAGER
                || outbox.disabled()
                || (last != null && now.isBefore(last.plus(REFRESH)))) {
            return;
        }
        refreshed.put(outbox.name(), now);
        List<Alert> standing = cases.values().stream()
                .filter(about -> owned.contains(about.partition))
                .map(about -> standing(about, outbox, now))
                .filter(Objects::nonNull)
                .toList();
        for (int from = 0; from < standing.size(); from += REFRESH_TOGETHER) {
            Message message = new Message.Alerts(
                    "refresh-" + now.getEpochSecond() + "-" + from,
                    standing.subList(from, Math.min(from + REFRESH_TOGETHER, standing.size())));
            int configuration = outbox.configuration();
            threads.accept(to.name() + "-refresh", () -> {
                Attempt attempt = tried(to, message);
                events.add(() -> {
                    outbox.noteHealth(configuration, attempt.result(), clock.instant());
                    LOG.atDebug()
                            .addKeyValue("receiver", to.name())
                            .addKeyValue("result", attempt.result().word())
                            .log("what still fires told again");
                });
            });
        }
    }

    /// The alert, when the receiver was told of its present state and has to hear of it again.
    private static @Nullable Alert standing(Case about, Outbox outbox, Instant now) {
        Alert alert = about.alert;
        Notification told = about.told.get(outbox.name());
        if (alert == null
                || told == null
                || !told.result().equals(Notification.DELIVERED)
                || !told.incidentId().equals(alert.incidentId())
                || !told.state().equals(alert.state())) {
            return null;
        }
        return alert.firing() || now.isBefore(told.at().plus(REFRESH_RESOLVED)) ? alert : null;
    }

    /// Writes down which receivers died and which work again, for the owner of partition 0 to tell.
    private void noteOutages(Instant now) {
        if (now.isBefore(outagesAgain)) {
            return;
        }
        for (Outbox outbox : outboxes.values()) {
            Notification known = outages.get(outbox.name());
            Instant delivered = outbox.lastDelivered();
            if (outbox.dead(now)) {
                if (declaredDead.add(outbox.name())) {
                    LOG.atWarn().addKeyValue("receiver", outbox.name()).log("receiver dead");
                    noteOutage(outbox.name(), Alert.FIRING, now);
                }
            } else if (delivered != null
                    && (declaredDead.remove(outbox.name())
                            || (known != null
                                    && known.state().equals(Alert.FIRING)
                                    && delivered.isAfter(known.at())))) {
                LOG.atInfo().addKeyValue("receiver", outbox.name()).log("receiver works again");
                noteOutage(outbox.name(), Alert.RESOLVED, now);
            }
        }
    }

    private void noteOutage(String receiver, String state, Instant now) {
        Notification outage = new Notification(
                OUTAGE,
                OUTAGE + "-" + receiver + "-" + now.getEpochSecond(),
                receiver,
                1,
                state,
                "critical",
                state.equals(Alert.FIRING) ? Notification.FAILED : Notification.DELIVERED,
                null,
                0,
                now);
        outagesAgain = now.plus(LOG_AGAIN);
        memory().remember(
                        NOTICES,
                        outage,
                        written -> events.add(() -> {
                            if (!written) {
                                declaredDead.remove(receiver);
                            } else if (owned.contains(NOTICES)) {
                                told(NOTICES, outage);
                            }
                        }));
    }

    /// To all others, once: that it is dead, and to those that heard so, that it works again.
    private void tellOutages(Instant now) {
        for (Notification outage : List.copyOf(outages.values())) {
            String dead = outage.receiver();
            String about = OUTAGE + "-" + dead;
            Case known = cases.get(about);
            if (!outboxes.containsKey(dead)) {
                outages.remove(dead);
                memory().forget(NOTICES, outage.key());
                if (known != null) {
                    known.told.values().forEach(told -> memory().forget(NOTICES, told.key()));
                    cases.remove(about);
                }
                continue;
            }
            for (Outbox outbox : outboxes.values()) {
                if (!outbox.name().equals(dead) && !outbox.disabled()) {
                    Notification told = known == null ? null : known.told.get(outbox.name());
                    tellOutage(outage, about, outbox, told, now);
                }
            }
        }
    }

    private void tellOutage(
            Notification outage, String about, Outbox outbox, @Nullable Notification told, Instant now) {
        Parcel parcel = outbox.parcel(about);
        if (parcel != null && parcel.underWay()) {
            return;
        }
        boolean dead = outage.state().equals(Alert.FIRING);
        boolean heardDead =
                (told != null && told.state().equals(Alert.FIRING)) || (parcel != null && parcel.mayHaveHeard());
        if (dead == heardDead) {
            if (parcel != null && parcel.news().firing() != dead) {
                finish(outbox, parcel, Outcome.WITHDRAWN);
            }
            return;
        }
        tellNotice(
                outbox,
                News.of(
                        about,
                        outage.incidentId(),
                        outage.state(),
                        dead
                                ? Notices.dead(outage.incidentId(), outage.receiver(), outage.at())
                                : Notices.worksAgain(outage.incidentId(), outage.receiver(), outage.at())),
                now);
    }

    /// Once a week, to those who asked for it.
    private void tellDigest(Instant now) {
        AlertingSettings settings = Objects.requireNonNull(alerting);
        AlertingSettings.Digest wanted = settings.digest();
        if (wanted == null) {
            return;
        }
        ZonedDateTime due = WallTime.latest(wanted, now);
        String incident = WeeklyDigest.incidentId(due);
        Case known = cases.get(DIGEST);
        List<Outbox> untold = outboxes.values().stream()
                .filter(outbox -> wanted.receivers().contains(outbox.name()) && !outbox.disabled())
                .filter(outbox -> known == null || !isIn(incident, known.told.get(outbox.name())))
                .filter(outbox -> !underWay(outbox.parcel(DIGEST), incident))
                .toList();
        if (untold.isEmpty() || now.isAfter(due.toInstant().plus(DIGEST_LATE))) {
            return;
        }
        News ready = digest;
        if (ready != null && ready.incidentId().equals(incident)) {
            untold.forEach(outbox -> tellNotice(outbox, ready, now));
        } else if (!digestUnderWay && !now.isBefore(digestAgain)) {
            gatherDigest(due, incident, now);
        }
    }

    private static boolean isIn(String incident, @Nullable Notification told) {
        return told != null && told.incidentId().equals(incident);
    }

    private static boolean underWay(@Nullable Parcel parcel, String incident) {
        return parcel != null
                && (parcel.underWay() || parcel.news().incidentId().equals(incident));
    }

    private void gatherDigest(ZonedDateTime due, String incident, Instant now) {
        digestUnderWay = true;
        digestAgain = now.plus(DIGEST_AGAIN);
        List<Alert> alerts = cases.values().stream()
                .map(about -> about.alert)
                .filter(Objects::nonNull)
                .toList();
        threads.accept(DIGEST, () -> {
            try {
                WeeklyDigest gathered = digests.gather(due, alerts);
                events.add(() -> {
                    digestUnderWay = false;
                    digest = News.of(DIGEST, incident, Alert.FIRING, gathered.notice());
                });
            } catch (Throwable failed) {
                events.add(() -> {
                    digestUnderWay = false;
                    LOG.atWarn().setCause(failed).log("the weekly digest cannot be gathered now; tried again");
                });
            }
        });
    }

    private void tellNotice(Outbox outbox, News news, Instant now) {
        Parcel parcel = outbox.parcel(news.about());
        if (parcel != null && parcel.news().same(news)) {
            return;
        }
        pack(outbox, news, news.incidentId(), NOTICES, now);
        counts.decided(Decision.NOTICE);
        LOG.atInfo()
                .addKeyValue("decision", Decision.NOTICE.word())
                .addKeyValue("receiver", outbox.name())
                .addKeyValue("incident", news.incidentId())
                .log("to be told");
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

        private record Firing(String rule, String severity) {}

        private volatile Map<Firing, Integer> firing = Map.of();
        private volatile int pending;
        private volatile long dead;
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
            for (Rule rule : Rule.values()) {
                for (Severity severity : Severity.values()) {
                    Firing kind = new Firing(rule.word(), severity.name().toLowerCase(Locale.ROOT));
                    Gauge.builder("tlsrpt.alerts.firing", this, counts -> counts.firing.getOrDefault(kind, 0))
                            .description("Alerts that fire now, of all partitions")
                            .tag("rule", kind.rule())
                            .tag("severity", kind.severity())
                            .strongReference(true)
                            .register(meters);
                }
            }
            Gauge.builder("tlsrpt.notifications.pending", this, counts -> counts.pending)
                    .description("Notifications that are decided and neither delivered nor given up")
                    .strongReference(true)
                    .register(meters);
            Gauge.builder("tlsrpt.notifications.receivers.dead", this, counts -> counts.dead)
                    .description(
                            "Receivers that want no more, that messages were given up for, or that fail for 15 minutes")
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

        void pending(Collection<Outbox> outboxes, Instant now) {
            dead = outboxes.stream().filter(outbox -> outbox.dead(now)).count();
            List<Parcel> parcels = new ArrayList<>();
            outboxes.forEach(outbox -> parcels.addAll(outbox.parcels()));
            pending = parcels.size();
            oldest =
                    parcels.stream().map(Parcel::packed).min(Instant::compareTo).orElse(null);
        }

        void firing(Collection<Case> cases) {
            Map<Firing, Integer> now = new HashMap<>();
            for (Case each : cases) {
                Alert alert = each.alert;
                if (alert != null && alert.firing()) {
                    now.merge(new Firing(alert.rule(), alert.severity()), 1, Integer::sum);
                }
            }
            firing = now;
        }

        private double age(Instant now) {
            Instant since = oldest;
            return since == null ? 0 : Duration.between(since, now).toMillis() / 1000.0;
        }
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.alerting.DetectionMetrics.Change;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Alert.Live;
import io.tlsrpt.topics.AlertAction;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/// Keeps the cells of each MX, judges its days whenever one changes, and carries its alerts through their life: they
/// open and rise on fresh evidence, end by positive evidence, by silence or because the evidence was taken back.
///
/// The time of a judgement is the arrival of the record; the wall clock decides only what falls due without one.
@SuppressWarnings("NullAway.Init") // Streams calls init before anything else
final class Judge implements Processor<String, Clue, String, AlertChange> {

    static final String CELLS = "mx-cells";
    static final String DAYS = "mx-days";
    static final String ALERTS = "alert-states";

    /// Global: the topic `tlsrpt.alerts`.
    static final String MEMORY = "alert-memory";

    static final Duration TICK = Duration.ofSeconds(10);
    private static final Duration SWEEP = Duration.ofSeconds(30);

    /// So many MX hosts at most are looked at in one tick because settings have changed: records wait meanwhile.
    private static final int SLICE = 300;

    /// A retraction is followed at once by what replaces it, in another cell.
    private static final Duration REPLACEMENT = Duration.ofSeconds(10);

    /// A fresh report covers at most eight days and ended at most three days ago.
    private static final int DAYS_JUDGED = 11;

    /// A day counts for the windows of the two after it.
    private static final int DAYS_TOUCHED = 2;

    /// While records of an earlier time arrive, silence means nothing.
    private static final Duration BEHIND = Duration.ofHours(1);

    private static final Duration CAUGHT_UP = Duration.ofSeconds(30);

    private final Supplier<Settings> settings;
    private final DetectionMetrics metrics;
    private final Duration kept;
    private final Supplier<Instant> judgedUntil;
    private ProcessorContext<String, AlertChange> context;
    private Logger log;
    private KeyValueStore<String, PooledCell> cells;
    private KeyValueStore<String, MxDay> days;
    private KeyValueStore<String, MxAlerts> alerts;
    private ReadOnlyKeyValueStore<String, ValueAndTimestamp<Alert>> memory;
    private Sweep<PooledCell> cellSweep;
    private Sweep<MxDay> daySweep;
    private Instant behindUntil = Instant.EPOCH;

    /// When to look at an MX although no report arrives: a view of `alert-states`.
    private final Map<String, Instant> due = new HashMap<>();

    private boolean dueRead;

    /// Alert-ids by MX, as the topic of alerts had them when this task began.
    private final Map<String, List<String>> remembered = new HashMap<>();

    private boolean memoryRead;

    /// With these all that fires has been looked at, or waits for it.
    private @Nullable Settings appliedSettings;

    /// What fires and has not been looked at with the settings as they are.
    private final Set<String> underNewSettings = new LinkedHashSet<>();

    /// A cell and the submitter's name under which it is counted in its day.
    record PooledCell(MxCell cell, String slot) {}

    private Judge(Supplier<Settings> settings, DetectionMetrics metrics, Duration kept, Supplier<Instant> judgedUntil) {
        this.settings = settings;
        this.metrics = metrics;
        this.kept = kept;
        this.judgedUntil = judgedUntil;
    }

    @Override
    public void init(ProcessorContext<String, AlertChange> given) {
        context = given;
        log = MemoryTask.logger(context, Judge.class);
        cells = context.getStateStore(CELLS);
        days = context.getStateStore(DAYS);
        alerts = context.getStateStore(ALERTS);
        memory = context.getStateStore(MEMORY);
        cellSweep = new Sweep<>(cells);
        daySweep = new Sweep<>(days);
        // Called again on the same object when the task begins anew after a transaction that was given up.
        due.clear();
        dueRead = false;
        remembered.clear();
        memoryRead = false;
        appliedSettings = null;
        underNewSettings.clear();
        behindUntil = Instant.EPOCH;
        context.schedule(TICK, PunctuationType.WALL_CLOCK_TIME, wallClock -> tick(Instant.ofEpochMilli(wallClock)));
        context.schedule(SWEEP, PunctuationType.WALL_CLOCK_TIME, wallClock -> sweep());
    }

    @Override
    public void process(Record<String, Clue> record) {
        Instant now = Instant.ofEpochMilli(record.timestamp());
        Instant wallClock = Instant.ofEpochMilli(context.currentSystemTimeMs());
        if (now.isBefore(wallClock.minus(BEHIND))) {
            behindUntil = wallClock.plus(CAUGHT_UP);
        }
        readStores();
        if (record.value().departed() != null) {
            forget(record.value().departed(), now);
            return;
        }
        Desk desk = new Desk(record.key(), now);
        if (!now.isBefore(due.getOrDefault(record.key(), Instant.MAX))) {
            // what fell due before this record comes first, so that a replay sees what was seen the first time
            desk.lookAgain();
        }
        Clue clue = record.value();
        if (clue.cell() != null) {
            desk.take(clue.cell());
        } else if (clue.look() != null) {
            desk.see(clue.look());
        } else if (clue.action() != null) {
            desk.act(clue.action());
        }
        desk.close();
    }

    /// Takes a domain out of every MX of this task. Nothing is judged for it: no alert opens, rises or recovers because
    /// less is known.
    private void forget(Departed departed, Instant now) {
        Set<String> touched = new LinkedHashSet<>(departed.mxs());
        touched.add(MxName.nameless(departed.domain()));
        touched.removeIf(mx -> alerts.get(mx) == null && !has(mx));
        try (KeyValueIterator<String, MxAlerts> all = alerts.all()) {
            while (all.hasNext()) {
                KeyValue<String, MxAlerts> entry = all.next();
                if (entry.value.incidents().stream().anyMatch(incident -> incident.names(departed.domain()))) {
                    touched.add(entry.key);
                }
            }
        }
        for (String mx : touched) {
            Desk desk = new Desk(mx, now);
            desk.forget(departed.domain());
            desk.close();
        }
    }

    /// Whether anything of an MX lies in this task.
    private boolean has(String mx) {
        try (KeyValueIterator<String, MxDay> all = days.prefixScan(StoreKey.prefix(mx), new StringSerializer())) {
            return all.hasNext();
        }
    }

    /// Why what failed at an MX on a day is an alert or is not; changes nothing.
    List<Why> explain(String mx, LocalDate day, Instant now) {
        return new Desk(mx, now).explain(day);
    }

    private void tick(Instant now) {
        if (now.isBefore(behindUntil)) {
            return;
        }
        readStores();
        Settings current = settings.get();
        if (!current.equals(appliedSettings)) {
            appliedSettings = current;
            underNewSettings.clear();
            underNewSettings.addAll(due.keySet());
        }
        Set<String> toLookAt = new LinkedHashSet<>();
        due.forEach((mx, at) -> {
            if (!at.isAfter(now)) {
                toLookAt.add(mx);
            }
        });
        underNewSettings.stream().limit(SLICE).forEach(toLookAt::add);
        underNewSettings.removeAll(toLookAt);
        for (String mx : toLookAt) {
            Desk desk = new Desk(mx, now);
            desk.lookAgain();
            desk.close();
        }
    }

    /// Not in [#init], where the stores may not be read yet.
    private void readStores() {
        if (!memoryRead) {
            try (KeyValueIterator<String, ValueAndTimestamp<Alert>> all = memory.all()) {
                while (all.hasNext()) {
                    KeyValue<String, ValueAndTimestamp<Alert>> entry = all.next();
                    Rule rule = Rule.ofWord(entry.value.value().rule());
                    String subject = Subject.of(entry.value.value());
                    if (rule != null && rule.bench() == Rule.Bench.MX && subject != null) {
                        remembered
                                .computeIfAbsent(subject, absent -> new ArrayList<>())
                                .add(entry.key);
                    }
                }
            }
            memoryRead = true;
        }
        if (dueRead) {
            return;
        }
        try (KeyValueIterator<String, MxAlerts> all = alerts.all()) {
            while (all.hasNext()) {
                KeyValue<String, MxAlerts> entry = all.next();
                entry.value.dueAfter(Instant.EPOCH, kept).ifPresent(at -> due.put(entry.key, at));
            }
        }
        dueRead = true;
    }

    private void sweep() {
        LocalDate horizon =
                day(Instant.ofEpochMilli(context.currentStreamTimeMs())).minusDays(WatchMx.DAYS_KEPT);
        cellSweep.slice(entry -> StoreKey.day(entry.key).isBefore(horizon));
        daySweep.slice(entry -> StoreKey.day(entry.key).isBefore(horizon));
    }

    private static LocalDate day(Instant instant) {
        return LocalDate.ofInstant(instant, ZoneOffset.UTC);
    }

    /// One look at one MX: what is known of it, read once and written back at the end.
    private final class Desk {

        private final String mx;
        private final Instant now;
        private final Settings current = settings.get();
        private final Map<LocalDate, MxDay> known = new HashMap<>();
        private final MxAlerts mxAlerts;
        private @Nullable Terms terms;
        private boolean touched;

        Desk(String mx, Instant now) {
            this.mx = mx;
            this.now = now;
            MxAlerts stored = alerts.get(mx);
            this.mxAlerts = stored == null ? MxAlerts.none() : stored;
            List<String> alertIds = remembered.remove(mx);
            if (stored == null && alertIds != null) {
                alertIds.forEach(this::takeOver);
            }
        }

        /// An application that begins anew goes on with what the topic of alerts says.
        private void takeOver(String alertId) {
            ValueAndTimestamp<Alert> known = memory.get(alertId);
            Alert alert = known == null ? null : known.value();
            Rule rule = alert == null ? null : Rule.ofWord(alert.rule());
            if (alert != null && rule != null && alert.resultType() != null) {
                mxAlerts.incidents().add(Incident.takenOver(rule, alert.resultType(), mx, alert, judgedUntil.get()));
                touched = true;
                log.atInfo()
                        .addKeyValue("incident", alert.incidentId())
                        .addKeyValue("state", alert.state())
                        .log("alert taken over from its topic");
            }
        }

        /// Keeps what a live look showed with the alerts that it is about. It may prove what untrusted reports say, and
        /// it ends faults of certificates when every address is well; a STARTTLS that is missing on one path only
        /// cannot be seen from here.
        void see(Look look) {
            Instant lookedAt = look.inspection().inspectedAt();
            for (Incident incident : mxAlerts.firing()) {
                Live live = LiveEvidence.of(incident.rule, incident.type(), look);
                if (live == null
                        || incident.takenOver(lookedAt)
                        || (incident.live != null && !lookedAt.isAfter(incident.live.inspectedAt()))) {
                    continue;
                }
                touched = true;
                boolean first = incident.live == null;
                incident.live = live;
                incident.changed = true;
                if (incident.confirmed()) {
                    for (LocalDate day = incident.firstBad; !day.isAfter(incident.lastBad); day = day.plusDays(1)) {
                        judge(incident.rule, incident.type(), day);
                    }
                }
                if (incident.rule == Rule.CERTIFICATE
                        && !incident.type().equals(ResultType.VALIDATION_FAILURE.word())
                        && LiveEvidence.allValid(look)
                        && lookedAt.isAfter(incident.badAt)) {
                    resolve(incident, Resolution.PROBE);
                } else if (incident.changed && (first || !incident.updateAt().isAfter(now))) {
                    write(incident, false);
                }
            }
        }

        /// Does what somebody wants.
        void act(AlertAction action) {
            for (Incident incident : List.copyOf(mxAlerts.incidents())) {
                if (!incident.alertId.equals(action.alertId())) {
                    continue;
                }
                touched = true;
                if (action.action().equals(AlertAction.FALSE_ALARM)
                        && incident.incidentId().equals(action.incidentId())) {
                    incident.falseAlarm = true;
                }
                if (incident.takenOver(action.at())) {
                    continue;
                }
                switch (incident.act(action)) {
                    case NOTHING -> {}
                    case RECORD -> write(incident, false);
                    case ACKNOWLEDGED -> transition(incident, Change.ACKNOWLEDGED);
                    case ENDED -> resolve(incident, Resolution.MANUAL);
                }
            }
        }

        /// Counts the cell in place of its former self and judges what it touches.
        void take(MxCell cell) {
            String key = StoreKey.of(
                    mx,
                    cell.window().toString(),
                    cell.policyDomain(),
                    cell.policyType(),
                    cell.submitter(),
                    cell.authentication());
            PooledCell pooled = cells.get(key);
            MxCell before = pooled == null ? null : pooled.cell();
            if (before == null ? cell.isEmpty() : cell.equals(before)) {
                return;
            }
            MxDay day = on(cell.window());
            if (pooled != null) {
                day = day.minus(pooled.cell(), pooled.slot());
            }
            if (cell.isEmpty()) {
                cells.delete(key);
            } else {
                String slot = day.slot(cell);
                day = day.plus(cell, slot);
                cells.put(key, new PooledCell(cell, slot));
            }
            known.put(cell.window(), day);
            terms = null;
            if (day.shares().isEmpty()) {
                days.delete(StoreKey.of(mx, cell.window().toString()));
            } else {
                days.put(StoreKey.of(mx, cell.window().toString()), day);
            }
            if (!now.isAfter(judgedUntil.get())) {
                return; // the alerts that came of it stand in their topic
            }
            for (String type : typesToJudge(cell.window())) {
                Rule rule = Rule.of(type);
                if (rule != null && rule.on(current.alerting().rules()) && !mxAlerts.takenOver(rule, type, now)) {
                    heard(rule, type, cell);
                    takenBack(rule, type, before, cell);
                    for (int ahead = 0; ahead <= DAYS_TOUCHED; ahead++) {
                        judge(rule, type, cell.window().plusDays(ahead));
                    }
                    recover(rule, type);
                }
            }
        }

        /// Takes a domain out of the days, and out of the alerts: one that it alone bears goes, and nobody is told.
        void forget(String domain) {
            LocalDate today = day(now);
            for (int back = -WatchMx.DAYS_AHEAD; back <= WatchMx.DAYS_KEPT; back++) {
                forget(domain, today.minusDays(back));
            }
            terms = null;
            for (Incident incident : List.copyOf(mxAlerts.incidents())) {
                if (incident.takenOver(now)) {
                    continue; // written since: the domain came back
                }
                boolean own = domain.equals(incident.policyDomain) || domain.equals(MxName.domain(mx));
                boolean named = incident.names(domain);
                if (own || (named && !borneWithout(incident, domain))) {
                    touched = true;
                    mxAlerts.incidents().remove(incident);
                    forward(AlertChange.expired(alert(incident)));
                } else if (named) {
                    write(incident, false);
                }
            }
            schedule();
        }

        private void forget(String domain, LocalDate day) {
            MxDay before = on(day);
            MxDay after = before.naming(domain);
            List<KeyValue<String, PooledCell>> gone = new ArrayList<>();
            try (KeyValueIterator<String, PooledCell> entries =
                    cells.prefixScan(StoreKey.prefix(mx, day.toString(), domain), new StringSerializer())) {
                entries.forEachRemaining(gone::add);
            }
            for (KeyValue<String, PooledCell> entry : gone) {
                after = after.minus(entry.value.cell(), entry.value.slot());
                cells.delete(entry.key);
            }
            if (after.equals(before)) {
                return;
            }
            known.put(day, after);
            if (after.shares().isEmpty()) {
                days.delete(StoreKey.of(mx, day.toString()));
            } else {
                days.put(StoreKey.of(mx, day.toString()), after);
            }
        }

        /// Takes a domain out of those that are affected.
        ///
        /// @return whether others bear the alert still
        private boolean borneWithout(Incident incident, String domain) {
            incident.affectedDomains.remove(domain);
            incident.affectedDomainCount--;
            incident.toldDomainCount = Math.min(incident.toldDomainCount, incident.affectedDomainCount);
            if (incident.affectedDomains.isEmpty()) {
                return false;
            }
            if (!incident.firing) {
                return true;
            }
            Assessment assessment = assessment(incident.rule, incident.type());
            Finding newest = null;
            for (LocalDate day = incident.firstBad; !day.isAfter(incident.lastBad); day = day.plusDays(1)) {
                Finding finding = assessment.of(day, incident.wasCapable());
                newest = finding == null ? newest : finding;
            }
            if (newest == null) {
                return false;
            }
            incident.newest = newest;
            incident.lastBad = newest.day();
            return true;
        }

        /// Does what has fallen due.
        void lookAgain() {
            for (Incident incident : mxAlerts.firing()) {
                if (incident.takenOver(now)) {
                    continue;
                }
                touched = true;
                if (!incident.rule.on(current.alerting().rules())) {
                    incident.ending = "the rule was turned off";
                    resolve(incident, Resolution.MANUAL);
                    continue;
                }
                Settings.Domain entry = incident.policyDomain == null ? null : current.domain(incident.policyDomain);
                if (entry != null && entry.rulesOff().contains(incident.rule.word())) {
                    incident.ending = "the rule was turned off for this domain";
                    resolve(incident, Resolution.MANUAL);
                    continue;
                }
                if (incident.judgeAgainAt != null && !incident.judgeAgainAt.isAfter(now)) {
                    judgeAgain(incident);
                }
                if (incident.firing) {
                    recover(incident.rule, incident.type());
                }
                if (incident.firing && !incident.staleAt().isAfter(now)) {
                    resolve(incident, Resolution.STALE);
                }
                if (incident.firing && incident.changed && !incident.updateAt().isAfter(now)) {
                    update(incident);
                }
            }
            for (Incident incident : List.copyOf(mxAlerts.incidents())) {
                if (!incident.firing && !incident.dueAfter(now, kept).isAfter(now)) {
                    touched = true;
                    mxAlerts.incidents().remove(incident);
                    forward(AlertChange.expired(alert(incident)));
                }
            }
            schedule();
        }

        void close() {
            if (touched) {
                if (mxAlerts.incidents().isEmpty()) {
                    alerts.delete(mx);
                } else {
                    alerts.put(mx, mxAlerts);
                }
                schedule();
            }
        }

        private void schedule() {
            Optional<Instant> next = mxAlerts.dueAfter(now, kept);
            next.ifPresentOrElse(at -> due.put(mx, at), () -> due.remove(mx));
        }

        private Set<String> typesToJudge(LocalDate window) {
            Set<String> types = new TreeSet<>();
            for (int ahead = 0; ahead <= DAYS_TOUCHED; ahead++) {
                types.addAll(on(window.plusDays(ahead)).freshTypes());
            }
            mxAlerts.firing().forEach(incident -> types.add(incident.type()));
            return types;
        }

        /// A report that can tell whether it goes on: of failures, or of clean sessions that could prove it over.
        private void heard(Rule rule, String type, MxCell cell) {
            Incident incident = mxAlerts.firing(rule, type);
            if (incident == null || !cell.fresh() || !incident.counts(cell.trusted())) {
                return;
            }
            boolean failed = cell.failed(type) > 0 && rule.judges(cell.policyType());
            boolean proves = cell.trusted()
                    && cell.sessions() > 0
                    && cell.policyType().equals(proving(rule, incident.newest.policyType()));
            if ((failed || proves) && incident.heardAt.isBefore(now)) {
                incident.heardAt = now;
                touched = true;
            }
            if (failed && incident.badAt.isBefore(now)) {
                incident.badAt = now;
                touched = true;
            }
        }

        private void takenBack(Rule rule, String type, @Nullable MxCell before, MxCell cell) {
            Incident incident = mxAlerts.firing(rule, type);
            if (incident != null
                    && before != null
                    && before.fresh()
                    && before.failed(type) > cell.failed(type)
                    && !cell.window().isBefore(incident.firstBad)
                    && !cell.window().isAfter(incident.lastBad)) {
                incident.judgeAgainAt =
                        Instant.ofEpochMilli(context.currentSystemTimeMs()).plus(REPLACEMENT);
                touched = true;
            }
        }

        private void judge(Rule rule, String type, LocalDate day) {
            if (day.isBefore(day(now).minusDays(DAYS_JUDGED))
                    || !on(day).freshTypes().contains(type)) {
                return;
            }
            Incident firing = mxAlerts.firing(rule, type);
            Assessment assessment = assessment(rule, type);
            boolean wasCapable = firing != null && firing.wasCapable();
            Finding finding = assessment.of(day, wasCapable);
            metrics.judgement(rule, finding == null ? null : finding.severity());
            if (finding == null) {
                return;
            }
            Finding trusted = finding.trusted() ? null : assessment.onTrusted(day, wasCapable);
            if (firing != null) {
                extend(firing, finding);
                if (trusted != null) {
                    extend(firing, trusted);
                }
                return;
            }
            Optional<Incident> last = mxAlerts.resolved(rule, type);
            boolean known = last.isPresent() && last.get().knows(finding);
            if (!known && isPast(rule, type, finding)) {
                metrics.pastIncident(rule);
                log.atInfo()
                        .addKeyValue("mx", mx)
                        .addKeyValue("rule", rule.word())
                        .addKeyValue("result-type", type)
                        .addKeyValue("day", day)
                        .log("past incident: it was over when its report arrived");
            } else if (!known) {
                open(rule, type, finding, last);
            }
        }

        private List<Why> explain(LocalDate day) {
            Set<String> types = new TreeSet<>();
            on(day).shares().forEach(share -> types.addAll(share.failed().keySet()));
            List<Why> all = new ArrayList<>();
            for (String type : types) {
                Rule rule = Rule.of(type);
                if (rule != null) {
                    all.add(why(rule, type, day));
                }
            }
            return all;
        }

        private Why why(Rule rule, String type, LocalDate day) {
            List<String> notes = new ArrayList<>();
            if (!rule.on(current.alerting().rules())) {
                notes.add("the rule " + rule.word() + " is off: alerting.rules");
            }
            on(day).shares().stream()
                    .filter(share -> !share.fresh() && share.failed(type).sessions() > 0)
                    .forEach(share -> notes.add("not fresh, so only part of what is usual: "
                            + share.failed(type).sessions() + " sessions that " + share.submitter() + " saw fail"));
            Incident firing = mxAlerts.firing(rule, type);
            Optional<Incident> last = mxAlerts.resolved(rule, type);
            Assessment assessment = assessment(rule, type);
            Finding finding = assessment.of(day, firing != null && firing.wasCapable());
            Incident about = null;
            if (firing != null) {
                about = firing;
                notes.add((firing.bad(day) ? "part of the incident that opened " : "open beside it, since ")
                        + firing.openedAt + ": bad days " + firing.firstBad + " to " + firing.lastBad);
            } else if (last.isPresent() && last.get().bad(day)) {
                about = last.get();
                notes.add("part of an incident that opened " + about.openedAt + " and ended " + about.resolvedAt
                        + (about.resolution == null ? "" : ", " + about.resolution.word()));
            } else if (finding != null && isPast(rule, type, finding)) {
                notes.add(
                        "a past incident: every reporter that saw it had reported enough clean sessions of later days");
            }
            return new Why(
                    rule.word(),
                    type,
                    about == null ? null : about.alertId,
                    notes,
                    assessment.explain(day, firing != null && firing.wasCapable()).stream()
                            .filter(window -> window.failed() > 0)
                            .toList());
        }

        /// Whether every reporter that saw it has reported clean sessions of later days, enough to believe it is over.
        private boolean isPast(Rule rule, String type, Finding finding) {
            Clean clean = cleanAfter(rule, type, finding.day(), finding.policyType());
            return clean.sessions() >= needed(rule, type, finding)
                    && finding.trusted()
                    && clean.submitters().containsAll(finding.reporters());
        }

        private void open(Rule rule, String type, Finding finding, Optional<Incident> last) {
            boolean again = last.isPresent() && last.get().mayReopen(now);
            Scene scene = scene(type, finding);
            Incident incident = again
                    ? last.get()
                    : mxAlerts.of(new Incident(rule, type, onlyDomain(finding.day(), scene.domains()), mx, finding));
            incident.open(finding, again, now);
            incident.show(scene);
            transition(incident, again ? Change.REOPENED : Change.OPENED);
        }

        private void extend(Incident incident, Finding finding) {
            touched = true;
            if (incident.extend(finding)) {
                incident.show(scene(incident.type(), finding));
                transition(incident, Change.RAISED);
            }
        }

        private void recover(Rule rule, String type) {
            Incident incident = mxAlerts.firing(rule, type);
            if (incident == null) {
                return;
            }
            Clean clean = cleanAfter(rule, type, incident.lastBad, incident.newest.policyType());
            boolean accounted = clean.submitters().containsAll(incident.witnesses) || now.isAfter(incident.overdueAt());
            if (accounted && clean.sessions() >= needed(rule, type, incident.newest)) {
                incident.cleanSessions = clean.sessions();
                resolve(incident, Resolution.RECOVERED);
            }
        }

        /// How many clean sessions end a trouble with the share of failures that it had on its last bad day.
        private long needed(Rule rule, String type, Finding finding) {
            Tally tally = assessment(rule, type).tally(finding.day(), 1, finding.policyType(), finding.trusted());
            return Probability.cleanSessionsNeeded(tally.share());
        }

        private void judgeAgain(Incident incident) {
            incident.judgeAgainAt = null;
            Assessment assessment = assessment(incident.rule, incident.type());
            Finding worst = null;
            Finding newest = null;
            for (LocalDate day = incident.firstBad; !day.isAfter(incident.lastBad); day = day.plusDays(1)) {
                Finding finding = assessment.of(day, incident.wasCapable());
                if (finding == null) {
                    continue;
                }
                worst = worst == null || finding.worseThan(worst) ? finding : worst;
                Finding trusted = finding.trusted() ? finding : assessment.onTrusted(day, incident.wasCapable());
                if (trusted != null) {
                    newest = trusted;
                } else if (newest == null || !newest.trusted()) {
                    newest = finding;
                }
            }
            if (worst == null || newest == null) {
                resolve(incident, Resolution.RETRACTED);
                return;
            }
            boolean lowered = incident.worst.worseThan(worst);
            incident.changed = true;
            incident.worst = worst;
            incident.newest = newest;
            incident.lastBad = newest.day();
            if (lowered) {
                incident.show(scene(incident.type(), newest));
                transition(incident, Change.LOWERED);
            }
        }

        private void resolve(Incident incident, Resolution why) {
            incident.resolve(why, now);
            transition(
                    incident,
                    switch (why) {
                        case RECOVERED -> Change.RECOVERED;
                        case STALE -> Change.STALE;
                        case MANUAL -> Change.MANUAL;
                        case RETRACTED -> Change.RETRACTED;
                        case PROBE -> Change.PROBE;
                    });
        }

        /// Brings the record up to date; a transition only when many more domains are affected.
        private void update(Incident incident) {
            incident.show(scene(incident.type(), incident.newest));
            if (incident.affectedDomainCount >= 2 * incident.toldDomainCount) {
                transition(incident, Change.SPREAD);
            } else {
                write(incident, false);
            }
        }

        private void transition(Incident incident, Change change) {
            incident.transition++;
            incident.toldDomainCount = incident.affectedDomainCount;
            metrics.transition(incident.rule, change);
            log.atInfo()
                    .addKeyValue("incident", incident.incidentId())
                    .addKeyValue("change", change.word())
                    .addKeyValue("rule", incident.rule.word())
                    .addKeyValue("result-type", incident.type())
                    .addKeyValue("mx", mx)
                    .addKeyValue("severity", incident.worst.severity())
                    .addKeyValue("branch", incident.newest.branch())
                    .log("alert");
            write(incident, true);
        }

        private void write(Incident incident, boolean transition) {
            touched = true;
            incident.writtenAt = now;
            incident.changed = false;
            forward(AlertChange.of(alert(incident), transition));
        }

        private Alert alert(Incident incident) {
            return AlertWording.alert(incident, mx, now, current);
        }

        private void forward(AlertChange change) {
            context.forward(new Record<>(change.alert().alertId(), change, now.toEpochMilli(), change.headers()));
        }

        private Assessment assessment(Rule rule, String type) {
            Incident firing = mxAlerts.firing(rule, type);
            return new Assessment(
                    rule,
                    type,
                    this::on,
                    mxAlerts.bad(rule, type),
                    mxAlerts.settled(rule, type),
                    firing != null && firing.confirmed(),
                    terms());
        }

        /// Of the one domain behind this MX, or of all.
        private Terms terms() {
            if (terms == null) {
                boolean own = current.domains().stream()
                        .anyMatch(entry -> entry.sensitivity() != null || entry.minSessions() > 0);
                terms = Terms.of(current, own ? onlyDomain(day(now), List.of()) : null);
            }
            return terms;
        }

        private MxDay on(LocalDate day) {
            return known.computeIfAbsent(day, absent -> {
                MxDay stored = days.get(StoreKey.of(mx, absent.toString()));
                return stored == null ? MxDay.EMPTY : stored;
            });
        }

        /// Clean sessions by trusted reports that came in time, of days after `day`. Where a fault belongs to one
        /// policy
        /// type, sessions of the others prove nothing.
        private Clean cleanAfter(Rule rule, String type, LocalDate day, String policyType) {
            String proving = proving(rule, policyType);
            boolean thatAlone = rule == Rule.STS_POLICY || rule == Rule.DANE;
            long sessions = 0;
            Set<String> submitters = new LinkedHashSet<>();
            LocalDate last = day(now);
            for (LocalDate later = day.plusDays(1); !later.isAfter(last); later = later.plusDays(1)) {
                for (MxDay.Share share : on(later).shares()) {
                    long clean = share.clean(type);
                    boolean proves = share.policyType().equals(proving);
                    if (share.trusted() && share.fresh() && clean > 0 && (proves || !thatAlone)) {
                        submitters.add(share.submitter());
                        sessions += proves ? clean : 0;
                    }
                }
            }
            return new Clean(sessions, submitters);
        }

        /// The policy type of which clean sessions prove a recovery.
        private static String proving(Rule rule, String policyType) {
            return rule == Rule.STS_POLICY ? StsPolicyRule.POLICY_TYPE : policyType;
        }

        private record Clean(long sessions, Set<String> submitters) {}

        private Scene scene(String type, Finding finding) {
            Scene.Collector collector = new Scene.Collector();
            for (LocalDate day = finding.firstDay(); !day.isAfter(finding.day()); day = day.plusDays(1)) {
                try (KeyValueIterator<String, PooledCell> entries =
                        cells.prefixScan(StoreKey.prefix(mx, day.toString()), new StringSerializer())) {
                    while (entries.hasNext()) {
                        MxCell cell = entries.next().value.cell();
                        MxCell.Failed failed = cell.failures().get(type);
                        if (failed != null
                                && cell.fresh()
                                && cell.policyType().equals(finding.policyType())
                                && (cell.trusted() || !finding.trusted())) {
                            collector.add(cell.policyDomain(), failed);
                        }
                    }
                }
            }
            return collector.scene();
        }

        /// The one domain known behind this MX; null when there are several.
        private @Nullable String onlyDomain(LocalDate last, List<String> affected) {
            String own = MxName.domain(mx);
            if (own != null) {
                return own;
            }
            Set<String> domains = new TreeSet<>(affected);
            for (int back = 0; back <= WatchMx.DAYS && domains.size() < 2; back++) {
                domains.addAll(on(last.minusDays(back)).domains());
            }
            return domains.size() == 1 ? new ArrayList<>(domains).getFirst() : null;
        }
    }

    /// @param kept how long a resolved alert stays in its topic
    /// @param judgedUntil what arrived until then was judged in another house, see [MovedIn]
    static ProcessorSupplier<String, Clue, String, AlertChange> supplier(
            Supplier<Settings> settings, DetectionMetrics metrics, Duration kept, Supplier<Instant> judgedUntil) {
        return new WithStores<>(
                () -> new Judge(settings, metrics, kept, judgedUntil),
                Set.of(
                        WithStores.store(CELLS, PooledCell.class),
                        WithStores.store(DAYS, MxDay.class),
                        WithStores.store(ALERTS, MxAlerts.class)));
    }
}

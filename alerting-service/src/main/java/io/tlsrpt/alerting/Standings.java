package io.tlsrpt.alerting;

import io.tlsrpt.alerting.DetectionMetrics.Change;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Alert.Evidence;
import io.tlsrpt.topics.AlertAction;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/// Carries the alerts of rules that hold or do not hold through their life: they open, rise, are brought up to date,
/// end,
/// and come back. One for each processor that makes such claims; its store has the alert-ids as keys.
final class Standings {

    private final Rule.Bench bench;
    private final KeyValueStore<String, Standing> store;
    private final ReadOnlyKeyValueStore<String, ValueAndTimestamp<Alert>> memory;
    private final ProcessorContext<String, AlertChange> context;
    private final Supplier<Settings> settings;
    private final DetectionMetrics metrics;
    private final Duration kept;
    private final Supplier<Instant> judgedUntil;
    private final Logger log;

    /// @param bench whose rules these are
    /// @param kept how long a resolved alert stays in its topic
    /// @param judgedUntil what arrived until then was judged in another house, see [MovedIn]
    Standings(
            Rule.Bench bench,
            String storeName,
            ProcessorContext<String, AlertChange> context,
            Supplier<Settings> settings,
            DetectionMetrics metrics,
            Duration kept,
            Supplier<Instant> judgedUntil) {
        this.bench = bench;
        this.store = context.getStateStore(storeName);
        this.memory = context.getStateStore(Judge.MEMORY);
        this.context = context;
        this.settings = settings;
        this.metrics = metrics;
        this.kept = kept;
        this.judgedUntil = judgedUntil;
        this.log = MemoryTask.logger(context, Standings.class);
    }

    /// The claim holds now: opens its alert, raises it or brings it up to date. Nothing happens where its rule is off,
    /// or where somebody closed the alert and there is no evidence of a later day, or where the alert was taken over
    /// and has been written since `now`, or where another house has judged `now` and knew of no such alert.
    void holds(Claim claim, Instant now) {
        if (!claim.rule().on(settings.get().alerting().rules())) {
            return;
        }
        metrics.judgement(claim.rule(), claim.severity());
        Standing known = get(claim.alertId());
        if (known == null ? !now.isAfter(judgedUntil.get()) : known.takenOver(now)) {
            return;
        }
        if (known != null
                && !known.firing
                && known.resolution == Resolution.MANUAL
                && !claim.evidence().window().isAfter(known.claim.evidence().window())) {
            return;
        }
        if (known == null || !known.firing) {
            Standing standing = known == null ? new Standing(claim) : known;
            boolean again = standing.mayReopen(now);
            standing.open(claim, again, now);
            transition(standing, again ? Change.REOPENED : Change.OPENED, now);
            return;
        }
        if (known.extend(claim)) {
            transition(known, Change.RAISED, now);
        } else if (known.changed && !known.updateAt().isAfter(now)) {
            write(known, false, now);
        } else if (known.changed) {
            store.put(known.alertId, known);
        }
    }

    /// The claim of this alert holds no more; nothing happens where it does not fire.
    ///
    /// @param ending why, in words for the summary
    void ended(String alertId, Resolution why, @Nullable String ending, Instant now) {
        Standing known = get(alertId);
        if (known != null && known.firing && !known.takenOver(now)) {
            known.ending = ending;
            resolve(known, why, now);
        }
    }

    /// What is known of this alert; an application that begins anew goes on with what the topic of alerts says.
    @Nullable
    Standing get(String alertId) {
        Standing known = store.get(alertId);
        if (known != null) {
            return known;
        }
        ValueAndTimestamp<Alert> remembered = memory.get(alertId);
        return remembered == null || Rule.ofWord(remembered.value().rule()) == null
                ? null
                : Standing.takenOver(remembered.value(), judgedUntil.get());
    }

    /// An alert that stands in its topic goes on here, so that it ends, expires or is forgotten in time even when
    /// nothing
    /// claims it any more.
    ///
    /// @return whether it fires
    boolean remember(String alertId) {
        Standing known = get(alertId);
        if (known != null && known.rule.bench() == bench && store.get(alertId) == null) {
            store.put(alertId, known);
            log.atInfo().addKeyValue("incident", known.incidentId()).log("alert taken over from its topic");
        }
        return known != null && known.firing;
    }

    /// All that fire, of one of these rules when any is given.
    List<Standing> firing(Rule... rules) {
        List<Standing> firing = new ArrayList<>();
        try (KeyValueIterator<String, Standing> all = store.all()) {
            while (all.hasNext()) {
                KeyValue<String, Standing> entry = all.next();
                if (entry.value.firing && (rules.length == 0 || List.of(rules).contains(entry.value.rule))) {
                    firing.add(entry.value);
                }
            }
        }
        firing.sort(Comparator.comparing(standing -> standing.alertId));
        return firing;
    }

    /// What somebody did.
    void act(AlertAction action, Instant now) {
        Standing known = get(action.alertId());
        if (known == null || known.rule.bench() != bench || known.takenOver(now)) {
            return;
        }
        switch (known.act(action)) {
            case NOTHING -> {}
            case RECORD -> write(known, false, now);
            case ACKNOWLEDGED -> transition(known, Change.ACKNOWLEDGED, now);
            case ENDED -> resolve(known, Resolution.MANUAL, now);
        }
    }

    /// Forgets a domain: an alert about it alone goes, and nobody is told; one about others too names it no longer.
    void forget(String domain, Instant now) {
        List<Standing> known = new ArrayList<>();
        try (KeyValueIterator<String, Standing> all = store.all()) {
            all.forEachRemaining(entry -> known.add(entry.value));
        }
        for (Standing standing : known) {
            if (standing.takenOver(now)) {
                continue; // written since: the domain came back
            }
            Evidence evidence = standing.claim.evidence();
            Evidence rest = evidence.without(domain);
            boolean named = !rest.equals(evidence);
            boolean alone = named && rest.affectedDomains() == null;
            if (domain.equals(standing.policyDomain) || alone) {
                drop(standing, now);
            } else if (named) {
                standing.claim = standing.claim.with(rest);
                write(standing, false, now);
            }
        }
    }

    /// Forgets an alert; nobody is told.
    void drop(Standing standing, Instant now) {
        store.delete(standing.alertId);
        forward(AlertChange.expired(AlertWording.alert(standing, now, settings.get())), now);
    }

    /// Does what falls due with time: alerts of rules that are off end, numbers are brought up to date, and what was
    /// resolved long ago goes. Bounded by the number of alerts.
    void lookAgain(Instant now) {
        List<Standing> due = new ArrayList<>();
        try (KeyValueIterator<String, Standing> all = store.all()) {
            while (all.hasNext()) {
                Standing standing = all.next().value;
                boolean off = standing.firing
                        && !standing.rule.on(settings.get().alerting().rules());
                if (off || !standing.dueAt(kept).isAfter(now)) {
                    due.add(standing);
                }
            }
        }
        for (Standing standing : due) {
            if (!standing.firing) {
                drop(standing, now);
            } else if (!standing.rule.on(settings.get().alerting().rules())) {
                standing.ending = "the rule was turned off";
                resolve(standing, Resolution.MANUAL, now);
            } else {
                write(standing, false, now);
            }
        }
    }

    private void resolve(Standing standing, Resolution why, Instant now) {
        standing.resolve(why, now);
        transition(
                standing,
                switch (why) {
                    case RECOVERED -> Change.RECOVERED;
                    case STALE -> Change.STALE;
                    case MANUAL -> Change.MANUAL;
                    case RETRACTED -> Change.RETRACTED;
                    case PROBE -> Change.PROBE;
                },
                now);
    }

    private void transition(Standing standing, Change change, Instant now) {
        standing.transition++;
        metrics.transition(standing.rule, change);
        log.atInfo()
                .addKeyValue("incident", standing.incidentId())
                .addKeyValue("change", change.word())
                .addKeyValue("rule", standing.rule.word())
                .addKeyValue("severity", standing.severity())
                .log("alert");
        write(standing, true, now);
    }

    private void write(Standing standing, boolean transition, Instant now) {
        standing.writtenAt = now;
        standing.changed = false;
        store.put(standing.alertId, standing);
        forward(AlertChange.of(AlertWording.alert(standing, now, settings.get()), transition), now);
    }

    private void forward(AlertChange change, Instant now) {
        context.forward(new Record<>(change.alert().alertId(), change, now.toEpochMilli(), change.headers()));
    }
}

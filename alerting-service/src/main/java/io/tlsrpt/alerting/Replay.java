package io.tlsrpt.alerting;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.DomainClaim;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/// Detection in memory, by the same processors and in the same order as in [DetectionTopology]: what would have been
/// alerted on under other settings, or on other reports. One thread; time only moves forward.
public final class Replay {

    /// Between two looks at the clock.
    private static final Duration STEP = Duration.ofHours(1);

    private final List<MemoryTask<AggregateKey, Aggregate, String, Clue>> watching = new ArrayList<>();
    private final List<MemoryTask<String, Clue, String, AlertChange>> judging = new ArrayList<>();
    private final Settings settings;
    private final Judge judge;
    private final Map<String, Alert> state = new LinkedHashMap<>();
    private final List<Alert> transitions = new ArrayList<>();
    private Instant now;

    /// When the clock is looked at next.
    private Instant look;

    /// @param settings with the rules to try; domains and labels count, receivers do not
    /// @param start when the clock stands at first
    public Replay(Settings settings, Instant start) {
        this.now = start;
        this.look = start.plus(STEP);
        DetectionMetrics metrics = new DetectionMetrics(new CompositeMeterRegistry());
        this.settings = settings;
        Processor<String, Clue, String, AlertChange> ofMxs = Judge.supplier(
                        () -> settings, metrics, settings.retention(), () -> Instant.EPOCH)
                .get();
        this.judge = (Judge) ofMxs;
        judging.add(new MemoryTask<>(ofMxs, start, this::changed));
        List.of(
                        JudgeReporters.supplier(() -> settings, metrics, settings.retention(), () -> Instant.EPOCH),
                        JudgeSilence.supplier(() -> settings, metrics, settings.retention(), () -> Instant.EPOCH))
                .forEach(other -> judging.add(new MemoryTask<>(other.get(), start, this::changed)));
        List.of(WatchMx.supplier(() -> settings, metrics), WatchReporters.supplier(() -> settings))
                .forEach(watch -> watching.add(
                        new MemoryTask<>(watch.get(), start, clue -> judging.forEach(task -> task.process(clue)))));
    }

    /// Whether a discovered domain is ours, and since when. To be said before its reports.
    public void claim(DomainClaim claim) {
        Stream.concat(watching.stream(), judging.stream())
                .forEach(task -> task.<MemoryStore<ValueAndTimestamp<DomainClaim>>>getStateStore(OurDomains.CLAIMS)
                        .put(claim.policyDomain(), ValueAndTimestamp.make(claim, 0)));
    }

    /// A new version of a cell arrives; the clock moves there.
    ///
    /// @param arrived not before what arrived last
    public void aggregate(Aggregate aggregate, Instant arrived) {
        passTo(arrived);
        watching.forEach(watch -> watch.process(new Record<>(aggregate.key(), aggregate, arrived.toEpochMilli())));
    }

    /// Time passes; what falls due happens.
    public void passTo(Instant later) {
        while (!look.isAfter(later)) {
            Instant at = look;
            watching.forEach(task -> task.tick(at));
            judging.forEach(task -> task.tick(at));
            look = look.plus(STEP);
        }
        now = later.isAfter(now) ? later : now;
    }

    /// Latest state of every alert, by alert-id.
    public Map<String, Alert> state() {
        return Map.copyOf(state);
    }

    /// Every transition, in order.
    public List<Alert> transitions() {
        return List.copyOf(transitions);
    }

    /// Under which names the failures of a cell are judged: MX hosts, or [#nameless].
    public static Set<String> mxs(Aggregate aggregate) {
        return aggregate.failures().stream()
                .filter(failure -> failure.failedSessionCount() > 0 && Rule.of(failure.resultType()) != null)
                .map(failure -> MxName.of(failure, aggregate.policyDomain()))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /// The name for what is the domain's own fault, or names no MX.
    public static String nameless(String policyDomain) {
        return MxName.nameless(policyDomain);
    }

    /// Why what failed there on that day is an alert or is not, as far as reports alone decide: nobody acted, nobody
    /// looked.
    ///
    /// @param mx one of [#mxs]
    public List<Why> explain(String mx, LocalDate day) {
        return judge.explain(mx, day, now);
    }

    /// Whether reports about this domain that arrive then are judged.
    public boolean ours(String domain, Instant arrived) {
        return new OurDomains(() -> settings, watching.getFirst()).has(domain, arrived);
    }

    /// What keeps this cell, as it stands, from opening an alert whatever its numbers are; in words.
    public List<String> notes(Aggregate aggregate) {
        List<String> notes = new ArrayList<>();
        MxCell cell = MxCell.of(aggregate, nameless(aggregate.policyDomain()));
        if (aggregate.backfill()) {
            notes.add("imported as backfill: it never opens an alert");
        } else if (!cell.fresh()) {
            notes.add("arrived over 72 h after its end, or before its day: it never opens an alert");
        }
        if (!cell.trusted()) {
            notes.add("nobody vouches for it: at most a warning, unless a live look shows the same");
        }
        Map<LeftOut.Why, Integer> left = new EnumMap<>(LeftOut.Why.class);
        LeftOut.of(aggregate, settings, why -> left.merge(why, 1, Integer::sum));
        left.forEach((why, count) -> notes.add(count + " of its failures left out: "
                + switch (why) {
                    case IGNORED -> "alerting.ignore";
                    case RULE_OFF -> "rules-off of the domain";
                }));
        return notes;
    }

    private void changed(Record<String, AlertChange> record) {
        AlertChange change = record.value();
        if (change.expired()) {
            state.remove(record.key());
            return;
        }
        state.put(record.key(), change.alert());
        if (change.transition()) {
            transitions.add(change.alert());
        }
    }
}

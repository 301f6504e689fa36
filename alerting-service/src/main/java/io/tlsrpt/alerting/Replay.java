package io.tlsrpt.alerting;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Alert;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.streams.processor.api.Record;

/// Detection in memory, by the same processors and in the same order as in [DetectionTopology]: what would have been
/// alerted on under other settings, or on other reports. One thread; time only moves forward.
public final class Replay {

    /// Between two looks at the clock.
    private static final Duration STEP = Duration.ofHours(3);

    private final List<MemoryTask<AggregateKey, Aggregate, String, Clue>> watching = new ArrayList<>();
    private final List<MemoryTask<String, Clue, String, AlertChange>> judging = new ArrayList<>();
    private final Map<String, Alert> state = new LinkedHashMap<>();
    private final List<Alert> transitions = new ArrayList<>();
    private Instant now;

    /// @param settings with the rules to try; domains and labels count, receivers do not
    /// @param start when the clock stands at first
    public Replay(Settings settings, Instant start) {
        this.now = start;
        DetectionMetrics metrics = new DetectionMetrics(new CompositeMeterRegistry());
        List.of(
                        Judge.supplier(() -> settings, metrics, settings.retention()),
                        JudgeReporters.supplier(() -> settings, metrics, settings.retention()),
                        JudgeSilence.supplier(() -> settings, metrics, settings.retention()))
                .forEach(judge -> judging.add(new MemoryTask<>(judge.get(), start, this::changed)));
        List.of(WatchMx.supplier(() -> settings, metrics), WatchReporters.supplier(() -> settings))
                .forEach(watch -> watching.add(
                        new MemoryTask<>(watch.get(), start, clue -> judging.forEach(judge -> judge.process(clue)))));
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
        while (now.isBefore(later)) {
            Instant next = now.plus(STEP);
            now = next.isAfter(later) ? later : next;
            watching.forEach(task -> task.tick(now));
            judging.forEach(task -> task.tick(now));
        }
    }

    /// Latest state of every alert, by alert-id.
    public Map<String, Alert> state() {
        return Map.copyOf(state);
    }

    /// Every transition, in order.
    public List<Alert> transitions() {
        return List.copyOf(transitions);
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

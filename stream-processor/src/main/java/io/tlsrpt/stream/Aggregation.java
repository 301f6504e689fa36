package io.tlsrpt.stream;

import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Topics;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Objects;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/// Adds events up to daily cells. A cell changes, and is published, once per policy entry, when its summary arrives:
/// until then the entry's failures wait, each entry's by themselves, because events of many reports for one cell lie
/// among one another in the topic.
///
/// The day is part of the key, not a window of Kafka's: no date, however wrong, can make another report late.
final class Aggregation implements Processor<String, Event, AggregateKey, Aggregate> {

    /// Failures whose summary does not come: only a foreign writer leaves such.
    private static final Duration PENDING_KEPT = Duration.ofDays(2);

    private static final long SECONDS_OF_DAY = 86_400;

    private final Topics topics;
    private final Duration remembered;
    private final ProcessorMetrics metrics;

    @SuppressWarnings("NullAway.Init") // set by init
    private ProcessorContext<AggregateKey, Aggregate> context;

    @SuppressWarnings("NullAway.Init") // set by init
    private KeyValueStore<String, PendingTally> pendingEntries;

    @SuppressWarnings("NullAway.Init") // set by init
    private KeyValueStore<AggregateKey, Cell.Stored> cells;

    @SuppressWarnings("NullAway.Init") // set by init
    private Sweep<AggregateKey, Cell.Stored> cellSweep;

    @SuppressWarnings("NullAway.Init") // set by init
    private Sweep<String, PendingTally> pendingSweep;

    Aggregation(Topics topics, ProcessorMetrics metrics) {
        this.topics = topics;
        this.remembered = Retention.remembered(topics);
        this.metrics = metrics;
    }

    @Override
    public void init(ProcessorContext<AggregateKey, Aggregate> context) {
        this.context = context;
        this.pendingEntries = context.getStateStore(ReportTopology.PENDING_ENTRIES);
        this.cells = context.getStateStore(ReportTopology.CELLS);
        this.cellSweep = new Sweep<>(cells);
        this.pendingSweep = new Sweep<>(pendingEntries);
        context.schedule(Sweep.INTERVAL, PunctuationType.WALL_CLOCK_TIME, this::expire);
    }

    @Override
    public void process(Record<String, Event> record) {
        Event event = record.value();
        String entry = entryOf(event);
        if (event.isSummary()) {
            add(record, entry);
        } else {
            wait(event, entry);
        }
    }

    /// Key of the head of the entry's pending failures and beginning of theirs; a report-key has no `#` and an entry's
    /// id only one.
    private static String entryOf(Event event) {
        String id = event.eventId();
        if (event.isRetraction()) {
            id = id.substring(0, id.length() - 1);
        }
        if (!event.isSummary()) {
            id = id.substring(0, id.lastIndexOf('.'));
        }
        return id + (event.isRetraction() ? "!#" : "#");
    }

    private void wait(Event failure, String entry) {
        Tally tally = Tally.of(failure);
        String key = entry
                + Json.MAPPER.writeValueAsString(
                        Arrays.<@Nullable String>asList(tally.resultType(), tally.receivingMxHostname()));
        PendingTally waiting = pendingEntries.get(key);
        if (waiting != null && waiting.tally() != null) {
            pendingEntries.put(
                    key,
                    new PendingTally(
                            waiting.version(), waiting.since(), waiting.tally().plus(tally), waiting.previous()));
            return;
        }
        long now = context.currentSystemTimeMs();
        PendingTally head = pendingEntries.get(entry);
        pendingEntries.put(
                key, new PendingTally(PendingTally.VERSION, now, tally, head == null ? null : head.previous()));
        pendingEntries.put(entry, new PendingTally(PendingTally.VERSION, now, null, key));
    }

    private void add(Record<String, Event> record, String entry) {
        Event summary = record.value();
        AggregateKey key = new AggregateKey(
                LocalDate.ofInstant(summary.startDatetime(), ZoneOffset.UTC),
                Objects.requireNonNull(summary.policyDomain()),
                Objects.requireNonNull(summary.policyType()),
                Objects.requireNonNull(summary.submitter()),
                Objects.requireNonNull(summary.authentication()));
        Cell cell = Cell.of(cells.get(key));
        cell.add(summary);
        PendingTally waiting = pendingEntries.delete(entry);
        while (waiting != null && waiting.previous() != null) {
            waiting = pendingEntries.delete(waiting.previous());
            if (waiting != null && waiting.tally() != null) {
                if (summary.isRetraction()) {
                    cell.subtract(waiting.tally());
                } else {
                    cell.add(waiting.tally());
                }
            }
        }
        if (cell.empty()) {
            cells.delete(key);
            publish(key, null, record.timestamp());
        } else {
            cells.put(key, cell.stored());
            publish(key, cell.aggregate(key), record.timestamp());
        }
    }

    private void publish(AggregateKey key, @Nullable Aggregate aggregate, long timestamp) {
        context.forward(
                new Record<>(key, aggregate, timestamp, topics.aggregates().newHeaders()));
    }

    private void expire(long now) {
        Instant horizon = Retention.before(Instant.ofEpochMilli(now), remembered);
        long expiredCells = cellSweep.slice(cell -> {
            long end = (cell.key.window().toEpochDay() + 1) * SECONDS_OF_DAY;
            if (end >= horizon.getEpochSecond()) {
                return 0;
            }
            cells.delete(cell.key);
            publish(cell.key, null, now);
            return 1;
        });
        metrics.expired(ReportTopology.CELLS, expiredCells);
        long expiredEntries = pendingSweep.slice(pending -> {
            if (pending.value.since() >= now - PENDING_KEPT.toMillis()) {
                return 0;
            }
            pendingEntries.delete(pending.key);
            return 1;
        });
        metrics.expired(ReportTopology.PENDING_ENTRIES, expiredEntries);
    }
}

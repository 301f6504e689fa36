package io.tlsrpt.stream;

import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Departure;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.common.header.Headers;
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

    @SuppressWarnings("NullAway.Init") // set by init
    private Departures departures;

    @SuppressWarnings("NullAway.Init") // set by init
    private Forgetting<AggregateKey, Cell.Stored> forgetting;

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
        this.departures = new Departures(context);
        this.forgetting = new Forgetting<>(departures, cells);
        context.schedule(Sweep.INTERVAL, PunctuationType.WALL_CLOCK_TIME, this::expire);
        context.schedule(Forgetting.INTERVAL, PunctuationType.WALL_CLOCK_TIME, this::forget);
    }

    @Override
    public void process(Record<String, Event> record) {
        Event event = record.value();
        String entry = entryOf(event);
        if (departures.covers(event.policyDomain(), event.receivedAt())) {
            if (event.isSummary()) {
                takeWaiting(entry);
            }
        } else if (event.isSummary()) {
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
        Cell.Stored known = cells.get(key);
        // Of a domain that departed and came back: what began before is not added to.
        boolean departed = known != null && departures.covers(key.policyDomain(), begun(known));
        Cell cell = Cell.of(departed ? null : known);
        cell.add(summary);
        for (Tally tally : takeWaiting(entry)) {
            if (summary.isRetraction()) {
                cell.subtract(tally);
            } else {
                cell.add(tally);
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

    /// The failures of an entry, which wait no more.
    private List<Tally> takeWaiting(String entry) {
        List<Tally> tallies = new ArrayList<>();
        PendingTally waiting = pendingEntries.delete(entry);
        while (waiting != null && waiting.previous() != null) {
            waiting = pendingEntries.delete(waiting.previous());
            if (waiting != null && waiting.tally() != null) {
                tallies.add(waiting.tally());
            }
        }
        return tallies;
    }

    private static Instant begun(Cell.Stored cell) {
        return Objects.requireNonNullElse(cell.firstReceivedAt(), Instant.MIN);
    }

    /// The tombstones say why, for whoever is not to take it for a recovery.
    private void forget(long now) {
        long forgotten = forgetting.slice((cell, departed) -> {
            Instant at = departed.get(cell.key.policyDomain());
            if (at == null || begun(cell.value).isAfter(at)) {
                return 0;
            }
            cells.delete(cell.key);
            Headers headers = topics.aggregates().newHeaders();
            ReportHeaders.put(headers, Departure.HEADER, at.toString());
            context.forward(new Record<>(cell.key, null, now, headers));
            return 1;
        });
        metrics.forgotten(ReportTopology.CELLS, forgotten);
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

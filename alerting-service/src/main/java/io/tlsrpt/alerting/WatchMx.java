package io.tlsrpt.alerting;

import io.tlsrpt.alerting.DetectionMetrics.Outcome;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Departure;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

/// Sends what each aggregate says to every MX host that its domain is known behind. A report names an MX only where
/// something failed, so the first failure at an MX brings the domain's history along: clean days count for what is
/// usual.
///
/// Nothing of a domain that is not ours, or not yet, gets further than its own history here: neither judged nor pooled,
/// since anybody can make a domain report to us and name our MX hosts.
@SuppressWarnings("NullAway.Init") // Streams calls init before anything else
final class WatchMx implements Processor<AggregateKey, @Nullable Aggregate, String, Clue> {

    static final String CELLS = "domain-cells";
    static final String MXS = "domain-mxs";

    /// What reminds a new application of the alerts that fire comes from one task alone.
    private static final int REMINDING_PARTITION = 0;

    /// Days before today that can matter: 28 of baseline before a window of three.
    static final int DAYS = 31;

    /// Reports of days still to come, from clocks that are wrong; intake refuses what is further away.
    static final int DAYS_AHEAD = 3;

    /// Kept longer than it is used, so that expiry never takes half of a day that can still change.
    static final int DAYS_KEPT = 40;

    private static final Duration TICK = Duration.ofSeconds(30);
    private static final int MOST_TRUSTED_CELLS = 1_000;
    private static final int MOST_UNTRUSTED_CELLS = 200;

    /// RFC 8460 §4.4 knows no others. Any word of a stranger's would be a share of its own in each pooled day.
    static final Set<String> POLICY_TYPES = Set.of("sts", "tlsa", "no-policy-found");

    private static final int MOST_FULL_DAYS = 10_000;

    private final Supplier<Settings> settings;
    private final DetectionMetrics metrics;
    private ProcessorContext<String, Clue> context;
    private OurDomains ourDomains;
    private ReadOnlyKeyValueStore<String, ValueAndTimestamp<Alert>> memory;
    private KeyValueStore<String, Aggregate> cells;
    private KeyValueStore<String, KnownMxs> mxs;
    private Sweep<Aggregate> cellSweep;
    private Sweep<KnownMxs> mxSweep;

    /// Days of a domain that were found to hold as many cells of one trust as are kept: they need not be counted for
    /// each further one. Only cells that go can change that.
    private final Set<String> fullDays = new HashSet<>();

    private boolean reminded;

    private WatchMx(Supplier<Settings> settings, DetectionMetrics metrics) {
        this.settings = settings;
        this.metrics = metrics;
    }

    @Override
    public void init(ProcessorContext<String, Clue> given) {
        context = given;
        ourDomains = new OurDomains(settings, context);
        memory = context.getStateStore(Judge.MEMORY);
        cells = context.getStateStore(CELLS);
        mxs = context.getStateStore(MXS);
        cellSweep = new Sweep<>(cells);
        mxSweep = new Sweep<>(mxs);
        fullDays.clear();
        reminded = context.taskId().partition() != REMINDING_PARTITION;
        context.schedule(TICK, PunctuationType.WALL_CLOCK_TIME, wallClock -> {
            remind();
            sweep();
        });
    }

    @Override
    public void process(Record<AggregateKey, @Nullable Aggregate> record) {
        AggregateKey key = record.key();
        Aggregate aggregate = record.value();
        String cellKey = StoreKey.of(
                key.policyDomain(), key.window().toString(), key.policyType(), key.submitter(), key.authentication());
        if (aggregate == null && record.headers().lastHeader(Departure.HEADER) != null) {
            metrics.aggregate(Outcome.REMOVED);
            if (cells.get(cellKey) != null) {
                // read after its departure was: forgotten once more, and nothing is taken for a recovery
                departed(record);
            }
            return;
        }
        if (aggregate == null) {
            metrics.aggregate(Outcome.REMOVED);
            Aggregate gone = cells.delete(cellKey);
            if (gone != null) {
                fullDays.clear();
                for (String mx : known(key.policyDomain()).names()) {
                    send(record, mx, MxCell.of(gone, mx).takenBack());
                }
            }
            return;
        }
        if (!POLICY_TYPES.contains(key.policyType())) {
            metrics.aggregate(Outcome.UNKNOWN_POLICY_TYPE);
            return;
        }
        LocalDate today = today(Math.max(record.timestamp(), context.currentStreamTimeMs()));
        boolean isNew = cells.get(cellKey) == null;
        if (key.window().isBefore(today.minusDays(DAYS)) || key.window().isAfter(today.plusDays(DAYS_AHEAD))) {
            metrics.aggregate(Outcome.OUT_OF_RANGE);
            return;
        }
        if (isNew && full(key)) {
            metrics.aggregate(Outcome.OVER_LIMIT);
            return;
        }
        KnownMxs before = known(key.policyDomain()).since(today.minusDays(DAYS));
        boolean ours = ourDomains.has(key.policyDomain(), Instant.ofEpochMilli(record.timestamp()));
        Aggregate judged = onlyJudged(
                LeftOut.of(aggregate, settings.get(), metrics::leftOut), before, aggregate.backfill() || !ours);
        if (!ours) {
            metrics.aggregate(Outcome.NOT_OURS);
            cells.put(cellKey, judged);
            return;
        }
        metrics.aggregate(Outcome.WATCHED);
        KnownMxs after = before;
        for (String mx : named(judged)) {
            after = after.with(mx, today, MxCell.trusted(key.authentication()));
        }
        List<String> newcomers =
                after.names().stream().filter(mx -> !before.contains(mx)).toList();
        if (!newcomers.isEmpty()) {
            sendHistory(record, newcomers);
        }
        cells.put(cellKey, judged);
        if (!after.equals(before)) {
            mxs.put(key.policyDomain(), after);
        }
        for (String mx : after.names()) {
            send(record, mx, MxCell.of(judged, mx));
        }
    }

    private void departed(Record<AggregateKey, @Nullable Aggregate> record) {
        String domain = record.key().policyDomain();
        Departed departed = new Departed(domain, forget(domain, cells, mxs), List.of());
        fullDays.clear();
        context.forward(new Record<>(Subject.DEPARTED, Clue.of(departed), record.timestamp()));
    }

    /// Deletes what is known of a domain.
    ///
    /// @return the MX hosts that it was known behind
    static List<String> forget(
            String domain, KeyValueStore<String, Aggregate> cells, KeyValueStore<String, KnownMxs> mxs) {
        List<String> names = new ArrayList<>();
        KnownMxs known = mxs.delete(domain);
        if (known != null) {
            names.addAll(known.names());
        }
        WatchDepartures.take(domain, cells).forEach(cell -> names.addAll(named(cell.value)));
        return WatchDepartures.names(names);
    }

    private void sendHistory(Record<AggregateKey, @Nullable Aggregate> record, List<String> newcomers) {
        try (KeyValueIterator<String, Aggregate> history =
                cells.prefixScan(StoreKey.prefix(record.key().policyDomain()), new StringSerializer())) {
            while (history.hasNext()) {
                KeyValue<String, Aggregate> entry = history.next();
                newcomers.forEach(mx -> send(record, mx, MxCell.of(entry.value, mx)));
            }
        }
    }

    private void send(Record<AggregateKey, @Nullable Aggregate> record, String mx, MxCell cell) {
        context.forward(new Record<>(mx, Clue.of(cell), record.timestamp()));
    }

    private KnownMxs known(String domain) {
        KnownMxs known = mxs.get(domain);
        return known == null ? KnownMxs.NONE : known;
    }

    /// Whether the domain has as many cells of this trust on this day as are kept.
    private boolean full(AggregateKey key) {
        boolean trusted = MxCell.trusted(key.authentication());
        String fullDay = StoreKey.of(key.policyDomain(), key.window().toString(), Boolean.toString(trusted));
        if (fullDays.contains(fullDay)) {
            return true;
        }
        int most = trusted ? MOST_TRUSTED_CELLS : MOST_UNTRUSTED_CELLS;
        int count = 0;
        try (KeyValueIterator<String, Aggregate> day = cells.prefixScan(
                StoreKey.prefix(key.policyDomain(), key.window().toString()), new StringSerializer())) {
            while (day.hasNext() && count < most) {
                count += MxCell.trusted(day.next().value.authentication()) == trusted ? 1 : 0;
            }
        }
        if (count < most) {
            return false;
        }
        if (fullDays.size() == MOST_FULL_DAYS) {
            fullDays.clear();
        }
        fullDays.add(fullDay);
        return true;
    }

    /// Without what no rule judges, and without the MX hosts that cannot become known beside those that are: a cell is
    /// kept for weeks and read with all others of its domain whenever an MX is new.
    ///
    /// @param backfill whether it only tells what is usual
    private static Aggregate onlyJudged(Aggregate aggregate, KnownMxs known, boolean backfill) {
        Set<String> kept = new HashSet<>();
        int unknown = 0;
        for (String mx : named(aggregate)) {
            if (known.contains(mx) || unknown++ < KnownMxs.most(MxCell.trusted(aggregate.authentication()))) {
                kept.add(mx);
            }
        }
        return new Aggregate(
                aggregate.window(),
                aggregate.policyDomain(),
                aggregate.policyType(),
                aggregate.submitter(),
                aggregate.authentication(),
                aggregate.totalSuccessfulSessionCount(),
                aggregate.totalFailureSessionCount(),
                aggregate.reportCount(),
                aggregate.policyMode(),
                aggregate.failures().stream()
                        .filter(failure ->
                                judged(failure) && kept.contains(MxName.of(failure, aggregate.policyDomain())))
                        .toList(),
                aggregate.firstReceivedAt(),
                aggregate.lastReceivedAt(),
                aggregate.latestEndDatetime(),
                backfill);
    }

    private static boolean judged(Aggregate.Failure failure) {
        return failure.failedSessionCount() > 0 && Rule.of(failure.resultType()) != null;
    }

    /// The names under which the judged failures are pooled, most failed sessions first.
    private static List<String> named(Aggregate aggregate) {
        Map<String, Long> failed = new HashMap<>();
        for (Aggregate.Failure failure : aggregate.failures()) {
            if (judged(failure)) {
                failed.merge(MxName.of(failure, aggregate.policyDomain()), failure.failedSessionCount(), Long::sum);
            }
        }
        List<String> names = new ArrayList<>(failed.keySet());
        names.sort(Comparator.<String>comparingLong(name -> -failed.getOrDefault(name, 0L))
                .thenComparing(Comparator.naturalOrder()));
        return names;
    }

    /// Lets each alert be looked at where it is judged: an application that begins anew takes it over even when no
    /// report is left that bears it. Of those that have ended and wait to expire, one task tells all.
    private void remind() {
        if (reminded) {
            return;
        }
        boolean first = context.taskId().partition() == 0;
        try (KeyValueIterator<String, ValueAndTimestamp<Alert>> all = memory.all()) {
            while (all.hasNext()) {
                Alert alert = all.next().value.value();
                String subject = Subject.of(alert);
                if ((alert.firing() || first) && subject != null) {
                    context.forward(new Record<>(
                            subject,
                            Clue.reminder(alert.alertId()),
                            alert.updatedAt().toEpochMilli()));
                }
            }
        }
        reminded = true;
    }

    private void sweep() {
        LocalDate horizon = today(context.currentStreamTimeMs()).minusDays(DAYS_KEPT);
        cellSweep.slice(entry -> entry.value.window().isBefore(horizon));
        mxSweep.slice(entry -> entry.value.since(horizon).known().isEmpty());
    }

    private static LocalDate today(long millis) {
        return LocalDate.ofInstant(Instant.ofEpochMilli(millis), ZoneOffset.UTC);
    }

    static ProcessorSupplier<AggregateKey, @Nullable Aggregate, String, Clue> supplier(
            Supplier<Settings> settings, DetectionMetrics metrics) {
        return new WithStores<>(
                () -> new WatchMx(settings, metrics),
                Set.of(WithStores.store(CELLS, Aggregate.class), WithStores.store(MXS, KnownMxs.class)));
    }
}

package io.tlsrpt.console;

import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.JsonSerde;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/// The aggregates by domain and day, with the sums of each day beside the cells, so that an overview reads one entry
/// per
/// domain and day whatever the number of reporters.
///
/// Entries: `cell, domain, day, policy-type, submitter, authentication` → the aggregate as it stands on the topic;
/// `day, domain, day` → [Totals] of that day.
final class AggregateView implements View {

    /// Another name whenever entries change their form: a store of this name is then read anew from its topic.
    static final String STORE = "aggregates-by-domain-2";

    private static final String CELL = "cell";
    private static final String DAY = "day";

    private static final JsonSerde<AggregateKey> KEY = new JsonSerde<>(AggregateKey.class);
    private static final JsonSerde<Aggregate> VALUE = new JsonSerde<>(Aggregate.class);
    private static final JsonSerde<Totals[]> TOTALS = new JsonSerde<>(Totals[].class);

    private static final int MOST_PASTS = 10_000;

    private final Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store;

    /// An overview of 500 domains would else read 15,000 days each time.
    private final Map<String, RecentPast> pasts = new ConcurrentHashMap<>();

    /// Nobody asks while the views are restored.
    private volatile boolean asked;

    AggregateView(Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store) {
        this.store = store;
    }

    /// Which cells are asked for; an absent member matches all.
    record Filter(
            @Nullable String submitter,
            @Nullable String policyType,
            @Nullable String authentication,
            @Nullable String resultType,
            @Nullable String mx) {

        private boolean matches(AggregateKey key) {
            return (submitter == null || submitter.equals(key.submitter()))
                    && (policyType == null || policyType.equals(key.policyType()))
                    && (authentication == null || authentication.equals(key.authentication()));
        }

        private boolean matches(byte[] cell) {
            if (resultType == null && mx == null) {
                return true;
            }
            Predicate<Aggregate.Failure> asked =
                    failure -> (resultType == null || resultType.equals(failure.resultType()))
                            && (mx == null || mx.equals(failure.receivingMxHostname()));
            return VALUE.read(cell).failures().stream().anyMatch(asked);
        }
    }

    /// Sums of one day of one domain.
    record Day(LocalDate window, List<Totals> totals) {}

    @Override
    public List<KeyValue<Bytes, byte @Nullable []>> changes(
            ReadOnlyKeyValueStore<Bytes, byte[]> current, byte[] keyBytes, byte @Nullable [] value) {
        AggregateKey key = KEY.read(keyBytes);
        String day = key.window().toString();
        Bytes cellKey =
                StoreKey.of(CELL, key.policyDomain(), day, key.policyType(), key.submitter(), key.authentication());
        Bytes dayKey = StoreKey.of(DAY, key.policyDomain(), day);

        Aggregate before = VALUE.readOrNull(current.get(cellKey));
        Aggregate after = VALUE.readOrNull(value);
        List<Totals> addends = new ArrayList<>();
        if (before != null && !keepsTheLatest(before, after)) {
            addends.addAll(others(current, key, cellKey));
        } else {
            addends.addAll(totals(current.get(dayKey)));
            if (before != null) {
                addends.add(Totals.of(before).negated());
            }
        }
        if (after != null) {
            addends.add(Totals.of(after));
        }
        List<Totals> sums = Totals.sum(addends);
        return List.of(
                new KeyValue<>(cellKey, value),
                new KeyValue<>(dayKey, sums.isEmpty() ? null : TOTALS.write(sums.toArray(Totals[]::new))));
    }

    /// Whether what was the latest of the cell before is so of the cell after.
    private static boolean keepsTheLatest(Aggregate before, @Nullable Aggregate after) {
        return after != null
                && !after.lastReceivedAt().isBefore(before.lastReceivedAt())
                && Objects.equals(after.policyMode(), before.policyMode());
    }

    /// The other cells of a day, each for itself.
    private static List<Totals> others(
            ReadOnlyKeyValueStore<Bytes, byte[]> current, AggregateKey key, Bytes exceptFor) {
        String day = key.window().toString();
        List<Totals> others = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> cells = current.range(
                StoreKey.first(CELL, key.policyDomain(), day), StoreKey.after(CELL, key.policyDomain(), day))) {
            cells.forEachRemaining(cell -> {
                if (!cell.key.equals(exceptFor)) {
                    others.add(Totals.of(VALUE.read(cell.value)));
                }
            });
        }
        return others;
    }

    /// Cells of the days from–to, both included, newest day first.
    ///
    /// @param cursor where the page before ended
    Page cells(String domain, LocalDate from, LocalDate to, Filter filter, @Nullable Bytes cursor, PageLimit limit) {
        StoreKey.Range all = ofDays(domain, from, to);
        return Page.of(
                store.get().reverseRange(all.first(), cursor == null ? all.last() : cursor),
                cursor,
                limit,
                cell -> filter.matches(key(cell.key)) && filter.matches(cell.value) ? cell.value : null);
    }

    /// The keys that a page of cells can end with.
    static StoreKey.Range ofDays(String domain, LocalDate from, LocalDate to) {
        return new StoreKey.Range(
                StoreKey.first(CELL, domain, from.toString()), StoreKey.after(CELL, domain, to.toString()));
    }

    /// Hands over every cell of the days from–to, both included, oldest day first.
    ///
    /// @param each says whether it wants another one
    void eachCell(String domain, LocalDate from, LocalDate to, Predicate<Aggregate> each) {
        try (KeyValueIterator<Bytes, byte[]> entries = store.get()
                .range(StoreKey.first(CELL, domain, from.toString()), StoreKey.after(CELL, domain, to.toString()))) {
            while (entries.hasNext() && each.test(VALUE.read(entries.next().value))) {
                // until it has enough
            }
        }
    }

    /// Hands over the cells of the days from–to, both included, that are wanted by their key, oldest day first.
    ///
    /// @return false when there are more than the limit allows: then some were not handed over
    boolean eachCell(
            String domain,
            LocalDate from,
            LocalDate to,
            PageLimit limit,
            Predicate<AggregateKey> wanted,
            BiConsumer<AggregateKey, byte[]> each) {
        try (KeyValueIterator<Bytes, byte[]> entries = store.get()
                .range(StoreKey.first(CELL, domain, from.toString()), StoreKey.after(CELL, domain, to.toString()))) {
            int handed = 0;
            long bytes = 0;
            for (int passed = 0; entries.hasNext(); passed++) {
                if (passed == limit.scanned() || handed == limit.rows() || bytes > limit.bytes()) {
                    return false;
                }
                KeyValue<Bytes, byte[]> entry = entries.next();
                AggregateKey key = key(entry.key);
                if (wanted.test(key)) {
                    each.accept(key, entry.value);
                    handed++;
                    bytes += entry.value.length;
                }
            }
            return true;
        }
    }

    /// Sums of the days from–to, both included, oldest first.
    List<Day> days(String domain, LocalDate from, LocalDate to) {
        List<Day> days = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> entries =
                store.get().range(StoreKey.of(DAY, domain, from.toString()), StoreKey.of(DAY, domain, to.toString()))) {
            entries.forEachRemaining(entry -> days.add(day(entry)));
        }
        return days;
    }

    /// What an overview says of the days since one. It is kept until the domain's aggregates change.
    RecentPast past(String domain, LocalDate since) {
        asked = true;
        if (pasts.size() >= MOST_PASTS) {
            pasts.clear();
        }
        // A change meanwhile waits to forget it until it is kept, so nothing outdated stays.
        return pasts.compute(
                domain,
                (name, known) -> known != null && known.since().equals(since)
                        ? known
                        : RecentPast.of(since, recent(name, since, RecentPast.ENOUGH_FOR_THE_STATE)));
    }

    @Override
    public void written(byte[] key) {
        if (asked) { // and not whether any is kept: one that is being read is not counted yet
            pasts.remove(KEY.read(key).policyDomain());
        }
    }

    /// The days since one, and at least some before it when there are, newest first.
    private List<Day> recent(String domain, LocalDate since, int least) {
        List<Day> days = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> entries =
                store.get().reverseRange(StoreKey.first(DAY, domain), StoreKey.after(DAY, domain))) {
            while (entries.hasNext()) {
                Day day = day(entries.next());
                if (day.window().isBefore(since) && days.size() >= least) {
                    break;
                }
                days.add(day);
            }
        }
        return days;
    }

    /// The newest days of a domain, newest first.
    List<Day> newest(String domain, int count) {
        List<Day> days = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> entries =
                store.get().reverseRange(StoreKey.first(DAY, domain), StoreKey.after(DAY, domain))) {
            while (entries.hasNext() && days.size() < count) {
                days.add(day(entries.next()));
            }
        }
        return days;
    }

    /// The first reported domain after another one; costs one seek, however many days each has.
    Optional<String> domainAfter(String domain) {
        Bytes from = domain.isEmpty() ? StoreKey.first(DAY) : StoreKey.after(DAY, domain);
        try (KeyValueIterator<Bytes, byte[]> entries = store.get().range(from, StoreKey.after(DAY))) {
            return entries.hasNext()
                    ? Optional.of(StoreKey.parts(entries.next().key).get(1))
                    : Optional.empty();
        }
    }

    private static Day day(KeyValue<Bytes, byte[]> entry) {
        return new Day(LocalDate.parse(StoreKey.parts(entry.key).get(2)), totals(entry.value));
    }

    private static List<Totals> totals(byte @Nullable [] entry) {
        return entry == null ? List.of() : Arrays.asList(TOTALS.read(entry));
    }

    private static AggregateKey key(Bytes cell) {
        List<String> parts = StoreKey.parts(cell);
        return new AggregateKey(LocalDate.parse(parts.get(2)), parts.get(1), parts.get(3), parts.get(4), parts.get(5));
    }
}

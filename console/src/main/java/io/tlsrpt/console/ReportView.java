package io.tlsrpt.console;

import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/// The accepted reports by key and by domain, and what each submitter has sent.
///
/// Entries: `report, report-key` → the report as it stands on the topic; `domain, policy-domain, start-datetime (newest
/// first), report-key` → nothing; `reporter, submitter` → [ReporterTotals]; `reporter-domain, submitter, policy-domain`
/// and `reporter-day, submitter, day of start-datetime` → how many reports; `reporter-arrival, submitter, received-at,
/// report-key` → seconds since the end of what it covers, nothing when it is from an archive.
final class ReportView implements View {

    /// Named anew whenever what is kept changes: a store of another name is filled from the first record on.
    static final String STORE = "reports-by-domain-and-submitter";

    private static final String REPORT = "report";
    private static final String DOMAIN = "domain";
    private static final String REPORTER = "reporter";
    private static final String REPORTER_DOMAIN = "reporter-domain";
    private static final String REPORTER_DAY = "reporter-day";
    private static final String REPORTER_ARRIVAL = "reporter-arrival";

    private static final int DAYS = 30;
    private static final int NEWEST = 100;
    private static final int MOST_DOMAINS = 1_000;
    private static final byte[] NOTHING = new byte[0];

    private static final JsonSerde<AcceptedReport> VALUE = new JsonSerde<>(AcceptedReport.class);
    private static final JsonSerde<ReporterTotals> TOTALS = new JsonSerde<>(ReporterTotals.class);

    private final Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store;

    ReportView(Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store) {
        this.store = store;
    }

    @Override
    public List<KeyValue<Bytes, byte @Nullable []>> changes(
            ReadOnlyKeyValueStore<Bytes, byte[]> current, byte[] keyBytes, byte @Nullable [] value) {
        String reportKey = new String(keyBytes, StandardCharsets.UTF_8);
        Bytes key = StoreKey.of(REPORT, reportKey);
        AcceptedReport before = VALUE.readOrNull(current.get(key));
        AcceptedReport after = VALUE.readOrNull(value);

        List<KeyValue<Bytes, byte @Nullable []>> changes = new ArrayList<>();
        if (before != null) {
            for (String domain : domains(before)) {
                changes.add(new KeyValue<>(domainKey(domain, before, reportKey), null));
            }
        }
        if (after != null) {
            for (String domain : domains(after)) {
                changes.add(new KeyValue<>(domainKey(domain, after, reportKey), NOTHING));
            }
        }
        changes.add(new KeyValue<>(key, value));
        changes.addAll(reporterChanges(current, before, after));
        return changes;
    }

    private static List<KeyValue<Bytes, byte @Nullable []>> reporterChanges(
            ReadOnlyKeyValueStore<Bytes, byte[]> current,
            @Nullable AcceptedReport before,
            @Nullable AcceptedReport after) {
        AcceptedReport either = after == null ? before : after;
        if (either == null) {
            return List.of();
        }
        List<KeyValue<Bytes, byte @Nullable []>> changes = new ArrayList<>();
        // a report-key begins with its submitter, so both revisions have the same one
        String submitter = either.submitter();
        Bytes key = StoreKey.of(REPORTER, submitter);
        ReporterTotals known = TOTALS.readOrNull(current.get(key));
        ReporterTotals totals = known == null ? ReporterTotals.none(either) : known;
        Map<Bytes, Long> domains = new HashMap<>();
        Map<Bytes, Long> days = new HashMap<>();
        if (before != null) {
            totals = totals.without(before);
            domains(before).forEach(domain -> domains.merge(domainOf(submitter, domain), -1L, Long::sum));
            days.merge(dayOf(before), -1L, Long::sum);
            changes.add(new KeyValue<>(arrivalOf(before), null));
        }
        if (after != null) {
            totals = totals.with(after);
            domains(after).forEach(domain -> domains.merge(domainOf(submitter, domain), 1L, Long::sum));
            days.merge(dayOf(after), 1L, Long::sum);
            changes.add(new KeyValue<>(arrivalOf(after), delay(after)));
        }
        totals = totals.withDomains(count(current, domains, changes));
        count(current, days, changes);
        changes.add(new KeyValue<>(key, totals.reportCounts().isEmpty() ? null : TOTALS.write(totals)));
        return changes;
    }

    /// Adds to counters, of which none is kept at 0.
    ///
    /// @return how many counters there are more
    private static long count(
            ReadOnlyKeyValueStore<Bytes, byte[]> current,
            Map<Bytes, Long> more,
            List<KeyValue<Bytes, byte @Nullable []>> changes) {
        long added = 0;
        for (Map.Entry<Bytes, Long> counter : more.entrySet()) {
            if (counter.getValue() != 0) {
                byte[] kept = current.get(counter.getKey());
                long before = kept == null ? 0 : ByteBuffer.wrap(kept).getLong();
                long after = Math.max(0, before + counter.getValue());
                byte[] value = after == 0
                        ? null
                        : ByteBuffer.allocate(Long.BYTES).putLong(after).array();
                changes.add(new KeyValue<>(counter.getKey(), value));
                added += (after > 0 ? 1 : 0) - (before > 0 ? 1 : 0);
            }
        }
        return added;
    }

    private static Bytes domainOf(String submitter, String domain) {
        return StoreKey.of(REPORTER_DOMAIN, submitter, domain);
    }

    private static Bytes dayOf(AcceptedReport report) {
        LocalDate day = LocalDate.ofInstant(report.startDatetime(), ZoneOffset.UTC);
        return StoreKey.of(REPORTER_DAY, report.submitter(), day.toString());
    }

    private static Bytes arrivalOf(AcceptedReport report) {
        return StoreKey.of(
                REPORTER_ARRIVAL, report.submitter(), StoreKey.oldestFirst(report.receivedAt()), report.reportKey());
    }

    private static byte[] delay(AcceptedReport report) {
        long seconds =
                Duration.between(report.endDatetime(), report.receivedAt()).toSeconds();
        return report.backfill()
                ? NOTHING
                : ByteBuffer.allocate(Long.BYTES).putLong(Math.max(0, seconds)).array();
    }

    byte @Nullable [] report(String reportKey) {
        return store.get().get(StoreKey.of(REPORT, reportKey));
    }

    /// The reports that name a domain, latest start-datetime first.
    Page reports(String domain, @Nullable Bytes cursor, PageLimit limit) {
        return page(
                ofDomain(domain),
                cursor,
                limit,
                entry -> report(StoreKey.parts(entry.key).get(3)));
    }

    /// The keys that a page of reports can end with.
    static StoreKey.Range ofDomain(String domain) {
        return StoreKey.Range.of(DOMAIN, domain);
    }

    /// The submitters, sorted by name.
    Page reporters(@Nullable Bytes cursor, PageLimit limit) {
        return page(
                reporters(),
                cursor,
                limit,
                entry -> Json.MAPPER.writeValueAsBytes(reporter(TOTALS.read(entry.value), false)));
    }

    /// The keys that a page of submitters can end with.
    static StoreKey.Range reporters() {
        return StoreKey.Range.of(REPORTER);
    }

    /// A submitter with the domains that it reported about.
    Optional<Reporter> reporter(String submitter) {
        return Optional.ofNullable(TOTALS.readOrNull(store.get().get(StoreKey.of(REPORTER, submitter))))
                .map(totals -> reporter(totals, true));
    }

    private Reporter reporter(ReporterTotals totals, boolean withDomains) {
        String submitter = totals.submitter();
        StoreKey.Range arrivals = StoreKey.Range.of(REPORTER_ARRIVAL, submitter);
        Instant first = totals.lastReceivedAt();
        Instant last = totals.lastReceivedAt();
        List<Long> delays = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> earliest = store.get().range(arrivals.first(), arrivals.last())) {
            if (earliest.hasNext()) {
                first = arrival(earliest.next().key);
            }
        }
        try (KeyValueIterator<Bytes, byte[]> newest = store.get().reverseRange(arrivals.first(), arrivals.last())) {
            for (int i = 0; i < NEWEST && newest.hasNext(); i++) {
                KeyValue<Bytes, byte[]> report = newest.next();
                last = i == 0 ? arrival(report.key) : last;
                if (report.value.length > 0) {
                    delays.add(ByteBuffer.wrap(report.value).getLong());
                }
            }
        }
        Collections.sort(delays);
        return new Reporter(
                submitter,
                totals.organizationName(),
                totals.reportCounts(),
                first,
                last,
                totals.lastStartDatetime(),
                delays.isEmpty()
                        ? null
                        : Duration.ofSeconds(delays.get(delays.size() / 2)).toString(),
                totals.domainCount(),
                days(submitter),
                totals.leniencies(),
                withDomains ? domains(submitter) : null);
    }

    private static Instant arrival(Bytes key) {
        return StoreKey.time(StoreKey.parts(key).get(2));
    }

    private List<LocalDate> days(String submitter) {
        List<LocalDate> days = new ArrayList<>();
        StoreKey.Range all = StoreKey.Range.of(REPORTER_DAY, submitter);
        try (KeyValueIterator<Bytes, byte[]> entries = store.get().reverseRange(all.first(), all.last())) {
            while (entries.hasNext() && days.size() < DAYS) {
                days.add(LocalDate.parse(StoreKey.parts(entries.next().key).get(2)));
            }
        }
        return days;
    }

    private List<String> domains(String submitter) {
        List<String> domains = new ArrayList<>();
        StoreKey.Range all = StoreKey.Range.of(REPORTER_DOMAIN, submitter);
        try (KeyValueIterator<Bytes, byte[]> entries = store.get().range(all.first(), all.last())) {
            while (entries.hasNext() && domains.size() < MOST_DOMAINS) {
                domains.add(StoreKey.parts(entries.next().key).get(2));
            }
        }
        return domains;
    }

    private Page page(StoreKey.Range all, @Nullable Bytes cursor, PageLimit limit, Page.Row row) {
        return Page.of(store.get().range(cursor == null ? all.first() : cursor, all.last()), cursor, limit, row);
    }

    private static Bytes domainKey(String domain, AcceptedReport report, String reportKey) {
        return StoreKey.of(DOMAIN, domain, StoreKey.newestFirst(report.startDatetime()), reportKey);
    }

    private static Set<String> domains(AcceptedReport report) {
        Set<String> domains = new TreeSet<>();
        if (report.policyDomains() != null) {
            domains.addAll(report.policyDomains());
        }
        if (report.entries() != null) {
            report.entries().forEach(entry -> domains.add(entry.policyDomain()));
        }
        return domains;
    }
}

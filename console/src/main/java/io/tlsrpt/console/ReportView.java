package io.tlsrpt.console;

import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.JsonSerde;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/// The accepted reports by key and by domain, and what each submitter has sent.
///
/// Entries: `report, report-key` → the report as it stands on the topic; `domain, policy-domain, start-datetime (newest
/// first), report-key` → nothing; `reporter, submitter` → [ReporterTotals].
final class ReportView implements View {

    static final String STORE = "reports-by-domain";

    private static final String REPORT = "report";
    private static final String DOMAIN = "domain";
    private static final String REPORTER = "reporter";
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
        // a report-key begins with its submitter, so both revisions have the same one
        Bytes key = StoreKey.of(REPORTER, either.submitter());
        ReporterTotals totals = TOTALS.readOrNull(current.get(key));
        if (totals != null && before != null) {
            totals = totals.without(before);
        }
        if (after != null) {
            totals = totals == null ? ReporterTotals.first(after) : totals.with(after);
        }
        byte[] stored = totals == null || totals.reportCounts().isEmpty() ? null : TOTALS.write(totals);
        return List.of(new KeyValue<>(key, stored));
    }

    byte @Nullable [] report(String reportKey) {
        return store.get().get(StoreKey.of(REPORT, reportKey));
    }

    /// The reports that name a domain, latest start-datetime first.
    Page reports(String domain, @Nullable Bytes cursor, PageLimit limit) {
        return page(
                StoreKey.first(DOMAIN, domain),
                StoreKey.after(DOMAIN, domain),
                cursor,
                limit,
                entry -> report(StoreKey.parts(entry.key).get(3)));
    }

    /// The submitters, sorted by name.
    Page reporters(@Nullable Bytes cursor, PageLimit limit) {
        return page(StoreKey.first(REPORTER), StoreKey.after(REPORTER), cursor, limit, entry -> entry.value);
    }

    private Page page(Bytes first, Bytes last, @Nullable Bytes cursor, PageLimit limit, Page.Row row) {
        return Page.of(
                store.get().range(cursor != null && cursor.compareTo(first) > 0 ? cursor : first, last),
                cursor,
                limit,
                row);
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

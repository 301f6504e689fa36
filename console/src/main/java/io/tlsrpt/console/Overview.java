package io.tlsrpt.console;

import io.tlsrpt.console.InspectionView.TlsRptRecord;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Json;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/// Every configured, reporting or discovered domain, sorted by name.
final class Overview {

    /// A reporter reads the record on one day and reports about that day on the next.
    static final Duration FIRST_REPORT_TAKES = Duration.ofDays(2);

    private final Views views;

    Overview(Views views) {
        this.views = views;
    }

    /// Whether a page of domains can end with this key.
    static boolean isDomain(Bytes key) {
        List<String> parts = StoreKey.parts(key);
        return parts.size() == 1
                && StoreKey.of(parts.getFirst()).equals(key)
                && !parts.getFirst().isEmpty();
    }

    /// Which domains are asked for; an absent member matches all.
    ///
    /// @param shown which domains the caller is shown
    /// @param q a part of the name
    /// @param labels the domain has all of these
    /// @param state a word of [DomainState]
    record Filter(
            Predicate<String> shown,
            @Nullable String q,
            Map<String, String> labels,
            @Nullable String state) {

        private boolean matches(String domain, Map<String, String> has) {
            return (q == null || domain.contains(q))
                    && has.entrySet().containsAll(labels.entrySet())
                    && shown.test(domain);
        }
    }

    /// @param after the domain that the page before ended with; absent: from the first
    Page domains(
            List<Settings.Domain> configured, Filter filter, @Nullable String after, Instant now, PageLimit limit) {
        NavigableSet<String> names = new TreeSet<>(StoreKey.ORDER);
        configured.stream()
                .map(Settings.Domain::name)
                .filter(name -> !name.startsWith("*."))
                .forEach(names::add);
        Map<String, AlertView.Firing> firing = views.alerts().firingByDomain();
        Page page = new Page(limit);
        Optional<String> domain = next(names, after == null ? "" : after);
        while (domain.isPresent()) {
            String name = domain.get();
            Optional<Settings.Domain> setting = setting(name, configured);
            if (filter.matches(name, labels(setting))) {
                DomainOverview row = overview(name, setting, firing.get(name), now);
                if (filter.state() == null || filter.state().equals(row.state())) {
                    page.add(Json.MAPPER.writeValueAsBytes(row));
                }
            }
            domain = next(names, name);
            if (!page.look() && domain.isPresent()) {
                page.continueAt(Cursor.of(StoreKey.of(name)));
                break;
            }
        }
        return page;
    }

    /// One domain; absent when nothing is known of it.
    Optional<DomainOverview> domain(String name, List<Settings.Domain> configured, Instant now) {
        Optional<Settings.Domain> setting = setting(name, configured);
        boolean known = setting.map(Settings.Domain::name).filter(name::equals).isPresent()
                || !views.aggregates().newest(name, 1).isEmpty()
                || views.domains().known(name)
                || views.inspections().record(name, now) != null;
        return known
                ? Optional.of(
                        overview(name, setting, views.alerts().firingByDomain().get(name), now))
                : Optional.empty();
    }

    private Optional<String> next(NavigableSet<String> configured, String after) {
        return Stream.of(
                        views.aggregates().domainAfter(after),
                        views.domains().domainAfter(after),
                        Optional.ofNullable(configured.higher(after)))
                .flatMap(Optional::stream)
                .min(StoreKey.ORDER);
    }

    private DomainOverview overview(
            String domain, Optional<Settings.Domain> setting, AlertView.@Nullable Firing firing, Instant now) {
        LocalDate since = LocalDate.ofInstant(now, ZoneOffset.UTC).minusDays(RecentPast.DAYS - 1L);
        RecentPast past = views.aggregates().past(domain, since);
        TlsRptRecord record = views.inspections().record(domain, now);
        return new DomainOverview(
                domain,
                labels(setting),
                setting.isPresent(),
                (setting.isEmpty() && views.domains().pending(domain)
                                ? DomainState.PENDING
                                : state(past.dayCount(), record, now))
                        .word(),
                record == null ? TlsRptRecord.UNKNOWN : record.state(),
                past.lastWindow(),
                past.lastReceivedAt(),
                past.lastWindowTotals(),
                past.sums(),
                past.worstFailureClass(),
                past.policyMode(),
                firing == null ? 0 : firing.count(),
                firing == null ? null : firing.worstSeverity(),
                past.trend());
    }

    private static DomainState state(int days, @Nullable TlsRptRecord record, Instant now) {
        if (days > 0) {
            return days == 1 ? DomainState.FIRST_REPORT : DomainState.REGULAR;
        }
        if (record != null && record.state().equals(TlsRptRecord.MISSING)) {
            return DomainState.RECORD_MISSING;
        }
        return record != null && record.foundWithin(FIRST_REPORT_TAKES, now)
                ? DomainState.PUBLISHED
                : DomainState.WAITING;
    }

    private static Map<String, String> labels(Optional<Settings.Domain> setting) {
        return setting.map(Settings.Domain::labels).orElse(Map.of());
    }

    /// The setting of a domain: its own, else the one of the longest wildcard over it.
    private static Optional<Settings.Domain> setting(String domain, List<Settings.Domain> configured) {
        Settings.Domain best = null;
        for (Settings.Domain candidate : configured) {
            if (candidate.name().equals(domain)) {
                return Optional.of(candidate);
            }
            if (candidate.matches(domain)
                    && (best == null || candidate.name().length() > best.name().length())) {
                best = candidate;
            }
        }
        return Optional.ofNullable(best);
    }
}

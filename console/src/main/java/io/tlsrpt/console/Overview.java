package io.tlsrpt.console;

import io.tlsrpt.console.InspectionView.TlsRptRecord;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Json;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Every configured, reporting or discovered domain, sorted by name.
final class Overview {

    static final int DAYS = 30;

    /// A reporter reads the record on one day and reports about that day on the next.
    static final Duration FIRST_REPORT_TAKES = Duration.ofDays(2);

    private static final int ENOUGH_FOR_THE_STATE = 2;

    private final Views views;

    Overview(Views views) {
        this.views = views;
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
        LocalDate from = LocalDate.ofInstant(now, ZoneOffset.UTC).minusDays(DAYS - 1L);
        // newest first; a report may name a day ahead of ours
        List<AggregateView.Day> days = views.aggregates().recent(domain, from, ENOUGH_FOR_THE_STATE);
        List<AggregateView.Day> recent =
                days.stream().filter(day -> !day.window().isBefore(from)).toList();
        List<Totals> sums = new ArrayList<>();
        recent.forEach(day -> sums.addAll(day.totals()));
        TlsRptRecord record = views.inspections().record(domain, now);
        return new DomainOverview(
                domain,
                labels(setting),
                setting.isPresent(),
                (setting.isEmpty() && views.domains().pending(domain)
                                ? DomainState.PENDING
                                : state(days.size(), record, now))
                        .word(),
                record == null ? TlsRptRecord.UNKNOWN : record.state(),
                days.isEmpty() ? null : days.getFirst().window(),
                days.stream()
                        .flatMap(day -> day.totals().stream())
                        .flatMap(totals -> Stream.ofNullable(totals.lastReceivedAt()))
                        .max(Instant::compareTo)
                        .orElse(null),
                days.isEmpty() ? List.of() : days.getFirst().totals(),
                Totals.sum(sums),
                Totals.worstFailureClass(sums),
                policyMode(days),
                firing == null ? 0 : firing.count(),
                firing == null ? null : firing.worstSeverity(),
                DomainOverview.Trend.of(recent, from, DAYS));
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

    /// @param days newest first
    private static @Nullable String policyMode(List<AggregateView.Day> days) {
        for (Trust trust : Trust.values()) {
            Headline sts = new Headline("sts", trust);
            for (AggregateView.Day day : days) {
                Optional<String> mode = day.totals().stream()
                        .filter(sts::covers)
                        .flatMap(totals -> totals.modes().entrySet().stream())
                        .max(Map.Entry.<String, Instant>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                        .map(Map.Entry::getKey);
                if (mode.isPresent()) {
                    return mode.get();
                }
            }
        }
        return null;
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

package io.tlsrpt.console;

import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Json;
import java.time.LocalDate;
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

    private static final int DAYS = 30;

    private final Views views;

    Overview(Views views) {
        this.views = views;
    }

    /// @param after the domain that the page before ended with; absent: from the first
    /// @param today the UTC day
    /// @param shown which of them
    Page domains(
            List<Settings.Domain> configured,
            @Nullable String after,
            LocalDate today,
            Predicate<String> shown,
            PageLimit limit) {
        NavigableSet<String> names = new TreeSet<>(StoreKey.ORDER);
        configured.stream()
                .map(Settings.Domain::name)
                .filter(name -> !name.startsWith("*."))
                .forEach(names::add);
        Map<String, Integer> firing = views.alerts().firingByDomain();
        Page page = new Page(limit);
        Optional<String> domain = next(names, after == null ? "" : after);
        while (domain.isPresent()) {
            String name = domain.get();
            if (shown.test(name)) {
                page.add(
                        Json.MAPPER.writeValueAsBytes(overview(name, configured, firing.getOrDefault(name, 0), today)));
            }
            domain = next(names, name);
            if (!page.look() && domain.isPresent()) {
                page.continueAt(Cursor.of(StoreKey.of(name)));
                break;
            }
        }
        return page;
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
            String domain, List<Settings.Domain> configured, int firingAlerts, LocalDate today) {
        List<AggregateView.Day> newest = views.aggregates().newest(domain, 2);
        List<Totals> recent = new ArrayList<>();
        // a report may name a day ahead of ours; the last possible day takes it in
        views.aggregates()
                .days(domain, today.minusDays(DAYS - 1L), today.plusDays(DAYS))
                .forEach(day -> recent.addAll(day.totals()));
        Optional<Settings.Domain> setting = setting(domain, configured);
        return new DomainOverview(
                domain,
                setting.map(Settings.Domain::labels).orElse(Map.of()),
                setting.isPresent(),
                setting.isEmpty() && views.domains().pending(domain)
                        ? DomainOverview.PENDING
                        : switch (newest.size()) {
                            case 0 -> DomainOverview.WAITING;
                            case 1 -> DomainOverview.FIRST_REPORT;
                            default -> DomainOverview.REGULAR;
                        },
                newest.isEmpty() ? null : newest.getFirst().window(),
                newest.isEmpty() ? List.of() : newest.getFirst().totals(),
                Totals.sum(recent),
                Totals.worstFailureClass(recent),
                firingAlerts);
    }

    /// The setting of a domain: its own, else the one of the longest wildcard over it.
    private static Optional<Settings.Domain> setting(String domain, List<Settings.Domain> configured) {
        Settings.Domain best = null;
        for (Settings.Domain candidate : configured) {
            if (candidate.name().equals(domain)) {
                return Optional.of(candidate);
            }
            boolean over = candidate.name().startsWith("*.")
                    && domain.endsWith(candidate.name().substring(1));
            if (over && (best == null || candidate.name().length() > best.name().length())) {
                best = candidate;
            }
        }
        return Optional.ofNullable(best);
    }
}

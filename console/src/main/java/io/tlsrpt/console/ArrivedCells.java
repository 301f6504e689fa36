package io.tlsrpt.console;

import io.tlsrpt.alerting.Replay;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Aggregate;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// The aggregates of some days as they stand, in the order in which they arrived first: what a [Replay] is fed with.
final class ArrivedCells {

    private final Views views;
    private final int most;
    private final List<Aggregate> cells = new ArrayList<>();
    private final Set<String> domains = new HashSet<>();

    private ArrivedCells(Views views, int most) {
        this.views = views;
        this.most = most;
    }

    /// Of every domain.
    ///
    /// @return absent when there are more than `most`
    static Optional<ArrivedCells> all(Views views, LocalDate from, LocalDate to, int most) {
        ArrivedCells all = new ArrivedCells(views, most);
        Optional<String> domain = views.aggregates().domainAfter("");
        while (domain.isPresent() && all.cells.size() <= most) {
            all.addAll(all.of(domain.get(), from, to));
            domain = views.aggregates().domainAfter(domain.get());
        }
        return all.whole();
    }

    /// Of one domain, and of those whose failures name one of the same MX hosts: a fault there is judged from all of
    /// them.
    ///
    /// @return absent when there are more than `most`
    static Optional<ArrivedCells> behind(
            Views views, String domain, Set<String> hosts, LocalDate from, LocalDate to, int most) {
        ArrivedCells all = new ArrivedCells(views, most);
        all.addAll(all.of(domain, from, to));
        Optional<String> other = views.aggregates().domainAfter("");
        while (other.isPresent() && all.cells.size() <= most) {
            if (!other.get().equals(domain) && failed(views, other.get(), from, to)) {
                List<Aggregate> its = all.of(other.get(), from, to);
                if (its.stream().flatMap(cell -> Replay.mxs(cell).stream()).anyMatch(hosts::contains)) {
                    all.addAll(its);
                }
            }
            other = views.aggregates().domainAfter(other.get());
        }
        return all.whole();
    }

    private static boolean failed(Views views, String domain, LocalDate from, LocalDate to) {
        return views.aggregates().days(domain, from, to).stream()
                .flatMap(day -> day.totals().stream())
                .anyMatch(totals -> totals.failedSessionCounts() != null
                        && !totals.failedSessionCounts().isEmpty());
    }

    private List<Aggregate> of(String domain, LocalDate from, LocalDate to) {
        List<Aggregate> its = new ArrayList<>();
        views.aggregates().eachCell(domain, from, to, cell -> {
            its.add(cell);
            return its.size() <= most;
        });
        return its;
    }

    private void addAll(List<Aggregate> some) {
        cells.addAll(some);
        some.forEach(cell -> domains.add(cell.policyDomain()));
    }

    private Optional<ArrivedCells> whole() {
        if (cells.size() > most) {
            return Optional.empty();
        }
        cells.sort(Comparator.comparing(Aggregate::firstReceivedAt).thenComparing(Aggregate::window));
        return Optional.of(this);
    }

    int count() {
        return cells.size();
    }

    int domainCount() {
        return domains.size();
    }

    List<Aggregate> where(Predicate<Aggregate> wanted) {
        return cells.stream().filter(wanted).toList();
    }

    /// Lets all of it happen again.
    ///
    /// @param until when it ends; what arrived later is left out
    Replay replay(Settings settings, Instant until) {
        Instant first = cells.isEmpty() ? until : cells.getFirst().firstReceivedAt();
        Replay replay = new Replay(settings, first.isAfter(until) ? until : first);
        views.domains().each(replay::claim);
        for (Aggregate cell : cells) {
            if (cell.firstReceivedAt().isAfter(until)) {
                break;
            }
            replay.aggregate(cell, cell.firstReceivedAt());
        }
        replay.passTo(until);
        return replay;
    }
}

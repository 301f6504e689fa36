package io.tlsrpt.console;

import io.tlsrpt.console.DomainOverview.Trend;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What an overview says of a domain's latest days.
///
/// @param since the first of these days
/// @param dayCount days that reports cover, these or at least some before them; 2 stands for many
/// @param lastWindow newest day that reports cover; absent without reports
/// @param lastReceivedAt when the latest report about these days arrived
/// @param lastWindowTotals of that newest day
/// @param sums of these days
/// @param policyMode that the latest reports of the newest day say the MTA-STS policy has; those that are vouched for
/// come first
record RecentPast(
        LocalDate since,
        int dayCount,
        @Nullable LocalDate lastWindow,
        @Nullable Instant lastReceivedAt,
        List<Totals> lastWindowTotals,
        List<Totals> sums,
        @Nullable String worstFailureClass,
        @Nullable String policyMode,
        @Nullable Trend trend) {

    static final int DAYS = 30;

    /// Days that are needed to tell the state of a domain, however old.
    static final int ENOUGH_FOR_THE_STATE = 2;

    /// @param days those since the first and some before, newest first; a report may name a day ahead of ours
    static RecentPast of(LocalDate since, List<AggregateView.Day> days) {
        List<AggregateView.Day> recent =
                days.stream().filter(day -> !day.window().isBefore(since)).toList();
        List<Totals> totals = new ArrayList<>();
        recent.forEach(day -> totals.addAll(day.totals()));
        return new RecentPast(
                since,
                Math.min(days.size(), ENOUGH_FOR_THE_STATE),
                days.isEmpty() ? null : days.getFirst().window(),
                days.stream()
                        .flatMap(day -> day.totals().stream())
                        .flatMap(each -> Stream.ofNullable(each.lastReceivedAt()))
                        .max(Instant::compareTo)
                        .orElse(null),
                days.isEmpty() ? List.of() : days.getFirst().totals(),
                Totals.sum(totals),
                Totals.worstFailureClass(totals),
                policyMode(days),
                Trend.of(recent, since, DAYS));
    }

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
}

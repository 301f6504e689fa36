package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One line of the overview.
///
/// @param configured whether it stands in the settings, by itself or under a wildcard
/// @param state a word of [DomainState]
/// @param record the TLSRPT record when somebody last looked: `found`, `missing`, `broken` or `unknown`
/// @param lastWindow newest day that reports cover; absent without reports
/// @param lastReceivedAt when the latest report about these days arrived
/// @param lastDays sums of today and the 29 days before, UTC
/// @param worstFailureClass of these days: the first of starttls, certificate, dane, sts-policy, other that has failed
/// sessions
/// @param policyMode that the latest reports of the newest day say the MTA-STS policy has; those that are vouched for
/// come first
/// @param worstSeverity of the alerts that fire
/// @param trend day by day; absent without a session in these days
@JsonPropertyOrder({
    "domain",
    "labels",
    "configured",
    "state",
    "record",
    "last-window",
    "last-received-at",
    "last-window-totals",
    "last-30-days-totals",
    "worst-failure-class",
    "policy-mode",
    "firing-alerts",
    "worst-severity",
    "trend"
})
@JsonInclude(JsonInclude.Include.NON_NULL)
record DomainOverview(
        String domain,
        Map<String, String> labels,
        boolean configured,
        String state,
        String record,
        @Nullable LocalDate lastWindow,
        @Nullable Instant lastReceivedAt,
        List<Totals> lastWindowTotals,

        @JsonProperty("last-30-days-totals") List<Totals> lastDays,

        @Nullable String worstFailureClass,
        @Nullable String policyMode,
        int firingAlerts,
        @Nullable String worstSeverity,
        @Nullable Trend trend) {

    /// The [Headline] of a domain, day by day.
    ///
    /// @param from the first day
    /// @param successful sessions of each day, 0 where there is no report
    /// @param failed sessions of each day
    @JsonPropertyOrder({"policy-type", "trust", "from", "successful", "failed"})
    record Trend(String policyType, String trust, LocalDate from, List<Long> successful, List<Long> failed) {

        /// @param days in any order; those outside are passed over
        static @Nullable Trend of(List<AggregateView.Day> days, LocalDate from, int length) {
            Headline headline = Headline.of(
                    days.stream().flatMap(day -> day.totals().stream()).toList());
            if (headline == null) {
                return null;
            }
            long[] successful = new long[length];
            long[] failed = new long[length];
            for (AggregateView.Day day : days) {
                long at = from.until(day.window(), ChronoUnit.DAYS);
                if (at >= 0 && at < length) {
                    for (Totals totals : day.totals()) {
                        if (headline.covers(totals)) {
                            successful[(int) at] += totals.totalSuccessfulSessionCount();
                            failed[(int) at] += totals.totalFailureSessionCount();
                        }
                    }
                }
            }
            return new Trend(
                    headline.policyType(),
                    headline.trust().word(),
                    from,
                    Arrays.stream(successful).boxed().toList(),
                    Arrays.stream(failed).boxed().toList());
        }
    }
}

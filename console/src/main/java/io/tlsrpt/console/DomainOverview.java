package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One line of the overview.
///
/// @param configured whether it stands in the settings, by itself or under a wildcard
/// @param state `pending` (discovered, and waits for somebody to accept it), `waiting` (no report yet), `first-report`
/// (of
/// one day), `regular` (of more days)
/// @param lastWindow newest day that reports cover; absent while waiting
/// @param lastDays sums of today and the 29 days before, UTC
/// @param worstFailureClass of these days: the first of starttls, certificate, dane, sts-policy, other that has failed
/// sessions
@JsonPropertyOrder({
    "domain",
    "labels",
    "configured",
    "state",
    "last-window",
    "last-window-totals",
    "last-30-days-totals",
    "worst-failure-class",
    "firing-alerts"
})
@JsonInclude(JsonInclude.Include.NON_NULL)
record DomainOverview(
        String domain,
        Map<String, String> labels,
        boolean configured,
        String state,
        @Nullable LocalDate lastWindow,
        List<Totals> lastWindowTotals,

        @JsonProperty("last-30-days-totals") List<Totals> lastDays,

        @Nullable String worstFailureClass,
        int firingAlerts) {

    static final String PENDING = "pending";
    static final String WAITING = "waiting";
    static final String FIRST_REPORT = "first-report";
    static final String REGULAR = "regular";
}

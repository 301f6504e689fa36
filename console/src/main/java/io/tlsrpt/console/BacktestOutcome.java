package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.tlsrpt.topics.Alert;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What two replays of the same reports came to, under the present rules and under changed ones.
record BacktestOutcome(List<Opened> present, List<Opened> changed) {

    static final int MOST_SHOWN = 1_000;

    /// An incident that opens a little sooner or later is the same one.
    private static final int SAME_WITHIN_DAYS = 3;

    private static final List<String> SEVERITIES = List.of("info", "warning", "critical");

    /// One incident.
    ///
    /// @param severity its worst
    /// @param day judged when it opened
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Opened(
            String alertId,
            String rule,
            @Nullable String resultType,
            @Nullable String policyDomain,
            @Nullable String receivingMxHostname,
            @Nullable String submitter,
            String severity,
            LocalDate day,
            String summary) {

        private static Opened of(Alert first, Alert worst) {
            return new Opened(
                    first.alertId(),
                    first.rule(),
                    first.resultType(),
                    first.policyDomain(),
                    first.receivingMxHostname(),
                    first.submitter(),
                    worst.severity(),
                    first.evidence().window(),
                    worst.summary());
        }

        /// Whether both stand for the same thing told at the same severity.
        private boolean isLike(Opened other) {
            return alertId.equals(other.alertId)
                    && severity.equals(other.severity)
                    && Math.abs(ChronoUnit.DAYS.between(day, other.day)) <= SAME_WITHIN_DAYS;
        }
    }

    /// @param since incidents that opened before do not count: they only made what is usual
    static BacktestOutcome of(List<Alert> present, List<Alert> changed, Instant since) {
        return new BacktestOutcome(opened(present, since), opened(changed, since));
    }

    private static List<Opened> opened(List<Alert> transitions, Instant since) {
        Map<String, Opened> incidents = new LinkedHashMap<>();
        Map<String, Alert> firsts = new LinkedHashMap<>();
        for (Alert alert : transitions) {
            if (!alert.firing() || alert.openedAt().isBefore(since)) {
                continue;
            }
            Alert first = firsts.computeIfAbsent(alert.incidentId(), absent -> alert);
            Opened before = incidents.get(alert.incidentId());
            if (before == null || SEVERITIES.indexOf(alert.severity()) > SEVERITIES.indexOf(before.severity())) {
                incidents.put(alert.incidentId(), Opened.of(first, alert));
            }
        }
        return List.copyOf(incidents.values());
    }

    /// What only the changed rules open; an incident of another severity is one gone and one added.
    List<Opened> added() {
        return without(changed, present);
    }

    /// What only the present rules open.
    List<Opened> gone() {
        return without(present, changed);
    }

    private static List<Opened> without(List<Opened> some, List<Opened> others) {
        List<Opened> left = new ArrayList<>(others);
        List<Opened> without = new ArrayList<>();
        for (Opened one : some) {
            boolean matched = false;
            for (Iterator<Opened> each = left.iterator(); each.hasNext() && !matched; ) {
                if (each.next().isLike(one)) {
                    each.remove();
                    matched = true;
                }
            }
            if (!matched) {
                without.add(one);
            }
        }
        return without;
    }

    static Map<String, Object> totals(List<Opened> incidents) {
        Map<String, Integer> bySeverity = new TreeMap<>();
        Map<String, Integer> byRule = new TreeMap<>();
        for (Opened incident : incidents) {
            bySeverity.merge(incident.severity(), 1, Integer::sum);
            byRule.merge(incident.rule(), 1, Integer::sum);
        }
        Map<String, Object> totals = new LinkedHashMap<>();
        totals.put("incidents", incidents.size());
        totals.put("by-severity", bySeverity);
        totals.put("by-rule", byRule);
        return totals;
    }
}

package io.tlsrpt.alerting;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// All alerts that one MX has ever had and that are still kept. Of one rule and result type at most one is firing.
record MxAlerts(List<Incident> incidents) {

    static MxAlerts none() {
        return new MxAlerts(new ArrayList<>());
    }

    @Nullable
    Incident firing(Rule rule, String resultType) {
        return incidents.stream()
                .filter(incident -> incident.firing && incident.isOf(rule, resultType))
                .findFirst()
                .orElse(null);
    }

    /// The one that resolved last.
    Optional<Incident> resolved(Rule rule, String resultType) {
        return incidents.stream()
                .filter(incident -> !incident.firing && incident.isOf(rule, resultType))
                .max(Comparator.comparing(
                        incident -> incident.resolvedAt == null ? Instant.EPOCH : incident.resolvedAt));
    }

    List<Incident> firing() {
        return incidents.stream().filter(incident -> incident.firing).toList();
    }

    /// The one of this identity, added if there is none.
    Incident of(Incident fresh) {
        for (Incident incident : incidents) {
            if (incident.alertId.equals(fresh.alertId)) {
                return incident;
            }
        }
        incidents.add(fresh);
        return fresh;
    }

    Predicate<LocalDate> bad(Rule rule, String resultType) {
        return day -> incidents.stream().anyMatch(incident -> incident.isOf(rule, resultType) && incident.bad(day));
    }

    /// Days of which nothing opens any more, by a person's word or a live look.
    Predicate<LocalDate> settled(Rule rule, String resultType) {
        return day -> incidents.stream().anyMatch(incident -> incident.isOf(rule, resultType) && incident.settled(day));
    }

    /// Whether what happened until `now` is in an alert already that was taken over.
    boolean takenOver(Rule rule, String resultType, Instant now) {
        return incidents.stream().anyMatch(incident -> incident.isOf(rule, resultType) && incident.takenOver(now));
    }

    Optional<Instant> dueAfter(Instant after, Duration kept) {
        return incidents.stream()
                .map(incident -> incident.dueAfter(after, kept))
                .min(Comparator.naturalOrder());
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.report.RefusalReason;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What arrived of one reporter, or about one domain, on the last day on which something did: accepted and refused.
///
/// @param day of arrival
/// @param accepted reports
/// @param refused reports by reason
/// @param detail of the last refusal by its reason
/// @param source of the last refusal
/// @param acceptedAt when a trusted report was accepted last
/// @param refusedAt when one was refused last
record Arrivals(
        LocalDate day,
        int accepted,
        Map<RefusalReason, Integer> refused,
        Map<RefusalReason, String> detail,
        @Nullable String source,
        @Nullable Instant acceptedAt,
        @Nullable Instant refusedAt) {

    static final Arrivals NONE = new Arrivals(LocalDate.EPOCH, 0, Map.of(), Map.of(), null, null, null);

    /// How long a reporter counts as known after its last accepted trusted report.
    private static final Duration KNOWN = Duration.ofDays(28);

    private static final int REFUSALS = 3;

    /// What is refused most, when that is worth an alert.
    record Excess(RefusalReason reason, int refused, int refusedInAll, int arrived) {}

    Arrivals accepted(LocalDate on, boolean trusted, Instant now) {
        if (on.isBefore(day)) {
            return this;
        }
        Arrivals today = on(on);
        return new Arrivals(
                on,
                today.accepted + 1,
                today.refused,
                today.detail,
                source,
                trusted ? later(acceptedAt, now) : acceptedAt,
                refusedAt);
    }

    Arrivals refused(LocalDate on, RefusalReason reason, Refusal refusal, Instant now) {
        if (on.isBefore(day)) {
            return this;
        }
        Arrivals today = on(on);
        Map<RefusalReason, Integer> counts = new EnumMap<>(RefusalReason.class);
        counts.putAll(today.refused);
        counts.merge(reason, 1, Integer::sum);
        Map<RefusalReason, String> details = new EnumMap<>(RefusalReason.class);
        details.putAll(today.detail);
        if (refusal.detail() != null) {
            details.put(reason, refusal.detail());
        }
        return new Arrivals(on, today.accepted, counts, details, refusal.source(), acceptedAt, later(refusedAt, now));
    }

    boolean known(Instant now) {
        return acceptedAt != null && !acceptedAt.plus(KNOWN).isBefore(now);
    }

    /// At least three refusals with one reason, and more refused than accepted.
    Optional<Excess> excess() {
        int all = refused.values().stream().mapToInt(Integer::intValue).sum();
        return refused.entrySet().stream()
                .max(Map.Entry.<RefusalReason, Integer>comparingByValue()
                        .thenComparing(Map.Entry.comparingByKey(Comparator.reverseOrder())))
                .filter(most -> most.getValue() >= REFUSALS && all > accepted)
                .map(most -> new Excess(most.getKey(), most.getValue(), all, all + accepted));
    }

    private Arrivals on(LocalDate on) {
        return on.equals(day) ? this : new Arrivals(on, 0, Map.of(), Map.of(), source, acceptedAt, refusedAt);
    }

    private static Instant later(@Nullable Instant one, Instant other) {
        return one != null && one.isAfter(other) ? one : other;
    }
}

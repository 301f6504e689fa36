package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.report.FailureClass;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.topics.Aggregate;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Sums over days and reporters for one policy type and one degree of trust. Policy types describe the same sessions
/// (RFC 8460 §4), and numbers of different trust never mix: neither is ever added over.
///
/// @param policyType `sts`, `tlsa`, `no-policy-found`, or `other` for all other words together
/// @param failedSessionCounts by failure class; classes overlap, so they are no parts of the total
/// @param lastReceivedAt when the latest of these reports arrived
/// @param policyModes the modes that reporters saw, each with when the latest report that says so arrived
@JsonPropertyOrder({
    "policy-type",
    "authentication",
    "total-successful-session-count",
    "total-failure-session-count",
    "report-count",
    "failed-session-counts",
    "last-received-at",
    "policy-modes"
})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
record Totals(
        String policyType,
        String authentication,
        long totalSuccessfulSessionCount,
        long totalFailureSessionCount,
        long reportCount,
        @Nullable Map<String, Long> failedSessionCounts,
        @Nullable Instant lastReceivedAt,
        @Nullable Map<String, Instant> policyModes) {

    /// RFC 8460 §4.4 knows no others. What strangers invent counts as one, or the sums of a day would grow with each
    /// word.
    static final List<String> POLICY_TYPES = List.of("sts", "tlsa", "no-policy-found");

    private static final String OTHER = "other";

    static String policyTypeOf(String word) {
        return POLICY_TYPES.contains(word) ? word : OTHER;
    }

    static Totals of(Aggregate cell) {
        Map<String, Long> failed = new TreeMap<>();
        for (Aggregate.Failure failure : cell.failures()) {
            String failureClass =
                    new ResultType(failure.resultType()).failureClass().word();
            failed.merge(failureClass, failure.failedSessionCount(), Long::sum);
        }
        return new Totals(
                policyTypeOf(cell.policyType()),
                cell.authentication(),
                cell.totalSuccessfulSessionCount(),
                cell.totalFailureSessionCount(),
                cell.reportCount(),
                failed,
                cell.lastReceivedAt(),
                cell.policyMode() == null ? Map.of() : Map.of(cell.policyMode(), cell.lastReceivedAt()));
    }

    /// What takes the counts back when it is added; what is the latest of several cannot be taken back.
    Totals negated() {
        Map<String, Long> failed = new TreeMap<>();
        failures().forEach((failureClass, count) -> failed.put(failureClass, -count));
        return new Totals(
                policyType,
                authentication,
                -totalSuccessfulSessionCount,
                -totalFailureSessionCount,
                -reportCount,
                failed,
                null,
                null);
    }

    /// Sums per policy type and trust, sorted by both; those that come to nothing are left out.
    static List<Totals> sum(Collection<Totals> addends) {
        Map<String, Totals> sums = new TreeMap<>();
        for (Totals addend : addends) {
            sums.merge(addend.policyType + '\u0000' + addend.authentication, addend, Totals::plus);
        }
        return sums.values().stream().filter(sum -> !sum.nothing()).toList();
    }

    /// The first class, in the order of [FailureClass], that has failed sessions.
    static @Nullable String worstFailureClass(Collection<Totals> totals) {
        for (FailureClass failureClass : FailureClass.values()) {
            for (Totals total : totals) {
                if (total.failures().getOrDefault(failureClass.word(), 0L) > 0) {
                    return failureClass.word();
                }
            }
        }
        return null;
    }

    private Totals plus(Totals other) {
        Map<String, Long> failed = new LinkedHashMap<>(failures());
        other.failures().forEach((failureClass, count) -> failed.merge(failureClass, count, Long::sum));
        failed.values().removeIf(count -> count == 0);
        Map<String, Instant> modes = new TreeMap<>(modes());
        other.modes().forEach((mode, at) -> modes.merge(mode, at, Totals::later));
        return new Totals(
                policyType,
                authentication,
                totalSuccessfulSessionCount + other.totalSuccessfulSessionCount,
                totalFailureSessionCount + other.totalFailureSessionCount,
                reportCount + other.reportCount,
                failed,
                latest(lastReceivedAt, other.lastReceivedAt),
                modes);
    }

    private static @Nullable Instant latest(@Nullable Instant one, @Nullable Instant other) {
        if (one == null || other == null) {
            return one == null ? other : one;
        }
        return later(one, other);
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    Map<String, Instant> modes() {
        return policyModes == null ? Map.of() : policyModes;
    }

    long sessions() {
        return totalSuccessfulSessionCount + totalFailureSessionCount;
    }

    private boolean nothing() {
        return reportCount == 0
                && totalSuccessfulSessionCount == 0
                && totalFailureSessionCount == 0
                && failures().isEmpty();
    }

    private Map<String, Long> failures() {
        return failedSessionCounts == null ? Map.of() : failedSessionCounts;
    }
}

package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.report.FailureClass;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.topics.Aggregate;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Sums over days and reporters for one policy type and one degree of trust. Policy types describe the same sessions
/// (RFC 8460 §4), and numbers of different trust never mix: neither is ever added over.
///
/// @param policyType `sts`, `tlsa`, `no-policy-found`, or `other` for all other words together
/// @param failedSessionCounts by failure class; classes overlap, so they are no parts of the total
@JsonPropertyOrder({
    "policy-type",
    "authentication",
    "total-successful-session-count",
    "total-failure-session-count",
    "report-count",
    "failed-session-counts"
})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
record Totals(
        String policyType,
        String authentication,
        long totalSuccessfulSessionCount,
        long totalFailureSessionCount,
        long reportCount,
        @Nullable Map<String, Long> failedSessionCounts) {

    /// RFC 8460 §4.4 knows no others. What strangers invent counts as one, or the sums of a day would grow with each
    /// word.
    private static final Set<String> POLICY_TYPES = Set.of("sts", "tlsa", "no-policy-found");

    private static final String OTHER = "other";

    static Totals of(Aggregate cell) {
        Map<String, Long> failed = new TreeMap<>();
        for (Aggregate.Failure failure : cell.failures()) {
            String failureClass =
                    new ResultType(failure.resultType()).failureClass().word();
            failed.merge(failureClass, failure.failedSessionCount(), Long::sum);
        }
        return new Totals(
                POLICY_TYPES.contains(cell.policyType()) ? cell.policyType() : OTHER,
                cell.authentication(),
                cell.totalSuccessfulSessionCount(),
                cell.totalFailureSessionCount(),
                cell.reportCount(),
                failed);
    }

    /// What takes these back when it is added.
    Totals negated() {
        Map<String, Long> failed = new TreeMap<>();
        failures().forEach((failureClass, count) -> failed.put(failureClass, -count));
        return new Totals(
                policyType,
                authentication,
                -totalSuccessfulSessionCount,
                -totalFailureSessionCount,
                -reportCount,
                failed);
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
        return new Totals(
                policyType,
                authentication,
                totalSuccessfulSessionCount + other.totalSuccessfulSessionCount,
                totalFailureSessionCount + other.totalFailureSessionCount,
                reportCount + other.reportCount,
                failed);
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

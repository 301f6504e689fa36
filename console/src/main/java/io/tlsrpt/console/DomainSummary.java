package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.topics.AggregateKey;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Sums over the cells of one domain, seen from every side at once, in one pass. Pure.
///
/// One policy type and one degree of trust are summed, never more: policy types describe the same sessions (RFC 8460
/// §4), and what nobody vouches for stays apart. Sessions are counted per policy entry and not per failure, so filters
/// on
/// failures (result type, MX) leave the totals of sessions as they are and select `failed-session-count` alone; failure
/// types overlap, so these counts are no parts of a total either.
///
/// Each list is narrowed by every filter but the one on its own subject, so that it shows what else could be chosen.
final class DomainSummary {

    private static final int LISTED = 1_000;

    /// Different names kept while counting: strangers can write any number of them.
    private static final int NAMES_KEPT = 20_000;

    private final String domain;
    private final Wanted wanted;
    private final Sums totals = new Sums();
    private final Map<LocalDate, Sums> days = new TreeMap<>();
    private final Map<LocalDate, Mode> modes = new TreeMap<>();
    private final Facet resultTypes;
    private final Facet mxs;
    private final Facet submitters;
    private final Facet policyTypes;
    private final Facet trusts;

    /// What is asked for; an absent member matches all.
    ///
    /// @param from first day
    /// @param to last day
    record Wanted(
            LocalDate from,
            LocalDate to,
            String policyType,
            Trust trust,
            @Nullable String submitter,
            @Nullable String resultType,
            @Nullable String mx) {

        private boolean policyTypeOf(AggregateKey key) {
            return policyType.equals(key.policyType());
        }

        private boolean trustOf(AggregateKey key) {
            return trust == Trust.of(key.authentication());
        }

        private boolean submitterOf(AggregateKey key) {
            return submitter == null || submitter.equals(key.submitter());
        }

        private boolean resultTypeOf(Cell.Failure failure) {
            return resultType == null || resultType.equals(failure.resultType());
        }

        private boolean mxOf(Cell.Failure failure) {
            return mx == null || mx.equals(failure.receivingMxHostname());
        }
    }

    /// The members of an aggregate that are summed; the others need not be read.
    record Cell(
            long totalSuccessfulSessionCount,
            long totalFailureSessionCount,
            long reportCount,
            @Nullable String policyMode,
            List<Failure> failures,
            Instant lastReceivedAt) {

        record Failure(String resultType, @Nullable String receivingMxHostname, long failedSessionCount) {}
    }

    /// The answer. Lists have at most 1,000 elements, the largest, and say how many they omit; where strangers wrote
    /// over
    /// 20,000 different names, small ones of them may be counted low or omitted twice.
    ///
    /// @param days those with reports, oldest first
    /// @param policyModes the mode on the first day that tells one, and each change
    @JsonPropertyOrder({
        "domain",
        "from",
        "to",
        "policy-type",
        "trust",
        "totals",
        "days",
        "by-result-type",
        "by-result-type-omitted",
        "by-mx",
        "by-mx-omitted",
        "by-submitter",
        "by-submitter-omitted",
        "by-policy-type",
        "by-policy-type-omitted",
        "by-trust",
        "policy-modes"
    })
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Summary(
            String domain,
            LocalDate from,
            LocalDate to,
            String policyType,
            String trust,
            Counts totals,
            List<Counts> days,
            List<Counts> byResultType,
            @Nullable Long byResultTypeOmitted,
            List<Counts> byMx,
            @Nullable Long byMxOmitted,
            List<Counts> bySubmitter,
            @Nullable Long bySubmitterOmitted,
            List<Counts> byPolicyType,
            @Nullable Long byPolicyTypeOmitted,
            List<Counts> byTrust,
            List<ModeSince> policyModes) {}

    /// Numbers, and what they are about: at most one of the first members, none of the whole.
    ///
    /// @param totalSuccessfulSessionCount absent of a result type and of an MX, which have no sessions of their own
    @JsonPropertyOrder({
        "window",
        "result-type",
        "failure-class",
        "receiving-mx-hostname",
        "submitter",
        "policy-type",
        "trust",
        "total-successful-session-count",
        "total-failure-session-count",
        "report-count",
        "failed-session-count"
    })
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Counts(
            @Nullable LocalDate window,
            @Nullable String resultType,
            @Nullable String failureClass,
            @Nullable String receivingMxHostname,
            @Nullable String submitter,
            @Nullable String policyType,
            @Nullable String trust,
            @Nullable Long totalSuccessfulSessionCount,
            @Nullable Long totalFailureSessionCount,
            @Nullable Long reportCount,
            long failedSessionCount) {}

    /// @param window the first day of the mode
    @JsonPropertyOrder({"window", "policy-mode"})
    record ModeSince(LocalDate window, String policyMode) {}

    DomainSummary(String domain, Wanted wanted) {
        this(domain, wanted, NAMES_KEPT);
    }

    /// @param names different ones to keep of each subject while counting
    DomainSummary(String domain, Wanted wanted, int names) {
        this.domain = domain;
        this.wanted = wanted;
        this.resultTypes = new Facet(names);
        this.mxs = new Facet(names);
        this.submitters = new Facet(names);
        this.policyTypes = new Facet(names);
        this.trusts = new Facet(names);
    }

    /// Whether a cell counts anywhere, so that its value need not be read otherwise.
    boolean needs(AggregateKey key) {
        int misses =
                (wanted.policyTypeOf(key) ? 0 : 1) + (wanted.trustOf(key) ? 0 : 1) + (wanted.submitterOf(key) ? 0 : 1);
        return misses <= 1;
    }

    void add(AggregateKey key, Cell cell) {
        boolean policyType = wanted.policyTypeOf(key);
        boolean trust = wanted.trustOf(key);
        boolean submitter = wanted.submitterOf(key);
        long failed = 0;
        for (Cell.Failure failure : cell.failures()) {
            boolean resultTypeFits = wanted.resultTypeOf(failure);
            boolean mxFits = wanted.mxOf(failure);
            if (resultTypeFits && mxFits) {
                failed += failure.failedSessionCount();
            }
            if (policyType && trust && submitter) {
                if (mxFits) {
                    resultTypes.of(failure.resultType()).failed += failure.failedSessionCount();
                }
                if (resultTypeFits) {
                    mxs.of(Objects.requireNonNullElse(failure.receivingMxHostname(), "")).failed +=
                            failure.failedSessionCount();
                }
            }
        }
        if (policyType && trust && submitter) {
            totals.add(cell, failed);
            days.computeIfAbsent(key.window(), day -> new Sums()).add(cell, failed);
            if (cell.policyMode() != null) {
                modes.merge(key.window(), new Mode(cell.lastReceivedAt(), cell.policyMode()), Mode::later);
            }
        }
        if (policyType && trust) {
            submitters.of(key.submitter()).add(cell, failed);
        }
        if (trust && submitter) {
            policyTypes.of(key.policyType()).add(cell, failed);
        }
        if (policyType && submitter) {
            trusts.of(Trust.of(key.authentication()).word()).add(cell, failed);
        }
    }

    Summary summary() {
        return new Summary(
                domain,
                wanted.from(),
                wanted.to(),
                wanted.policyType(),
                wanted.trust().word(),
                counts(null, null, null, null, totals),
                days.entrySet().stream()
                        .filter(day -> !day.getValue().nothing())
                        .map(day -> counts(day.getKey(), null, null, null, day.getValue()))
                        .toList(),
                resultTypes.largest().stream()
                        .map(entry -> failures(
                                entry.getKey(),
                                new ResultType(entry.getKey()).failureClass().word(),
                                null,
                                entry.getValue()))
                        .toList(),
                resultTypes.omitted(),
                mxs.largest().stream()
                        .map(entry -> failures(
                                null, null, entry.getKey().isEmpty() ? null : entry.getKey(), entry.getValue()))
                        .toList(),
                mxs.omitted(),
                submitters.largest().stream()
                        .map(entry -> counts(null, entry.getKey(), null, null, entry.getValue()))
                        .toList(),
                submitters.omitted(),
                policyTypes.largest().stream()
                        .map(entry -> counts(null, null, entry.getKey(), null, entry.getValue()))
                        .toList(),
                policyTypes.omitted(),
                trusts.largest().stream()
                        .map(entry -> counts(null, null, null, entry.getKey(), entry.getValue()))
                        .toList(),
                changes());
    }

    private List<ModeSince> changes() {
        List<ModeSince> changes = new ArrayList<>();
        modes.forEach((day, mode) -> {
            if (changes.isEmpty() || !changes.getLast().policyMode().equals(mode.word())) {
                changes.add(new ModeSince(day, mode.word()));
            }
        });
        return changes;
    }

    private static Counts counts(
            @Nullable LocalDate window,
            @Nullable String submitter,
            @Nullable String policyType,
            @Nullable String trust,
            Sums sums) {
        return new Counts(
                window,
                null,
                null,
                null,
                submitter,
                policyType,
                trust,
                sums.successful,
                sums.failing,
                sums.reports,
                sums.failed);
    }

    private static Counts failures(
            @Nullable String resultType, @Nullable String failureClass, @Nullable String mx, Sums sums) {
        return new Counts(null, resultType, failureClass, mx, null, null, null, null, null, null, sums.failed);
    }

    /// @param at when the report arrived that says so
    private record Mode(Instant at, String word) {

        private static final Comparator<Mode> ORDER =
                Comparator.comparing(Mode::at).thenComparing(Mode::word);

        private static Mode later(Mode one, Mode other) {
            return ORDER.compare(one, other) >= 0 ? one : other;
        }
    }

    private static final class Sums {

        private long successful;
        private long failing;
        private long reports;
        private long failed;

        private void add(Cell cell, long failedSessions) {
            successful += cell.totalSuccessfulSessionCount();
            failing += cell.totalFailureSessionCount();
            reports += cell.reportCount();
            failed += failedSessions;
        }

        private boolean nothing() {
            return successful == 0 && failing == 0 && reports == 0 && failed == 0;
        }
    }

    /// Sums by name, of the largest ones when there are too many.
    private static final class Facet {

        private static final Comparator<Map.Entry<String, Sums>> LARGEST_FIRST =
                Comparator.<Map.Entry<String, Sums>>comparingLong(
                                entry -> entry.getValue().successful + entry.getValue().failing)
                        .thenComparingLong(entry -> entry.getValue().failed)
                        .reversed()
                        .thenComparing(Map.Entry.comparingByKey());

        private final int most;
        private final Map<String, Sums> byName = new HashMap<>();
        private long pruned;

        private Facet(int most) {
            this.most = most;
        }

        private Sums of(String name) {
            Sums known = byName.get(name);
            if (known != null) {
                return known;
            }
            if (byName.size() >= most) {
                prune();
            }
            Sums fresh = new Sums();
            byName.put(name, fresh);
            return fresh;
        }

        private void prune() {
            List<Map.Entry<String, Sums>> all =
                    byName.entrySet().stream().sorted(LARGEST_FIRST).toList();
            all.subList(most / 2, all.size()).stream()
                    .map(Map.Entry::getKey)
                    .toList()
                    .forEach(byName::remove);
            pruned += all.size() - most / 2;
        }

        private List<Map.Entry<String, Sums>> largest() {
            return byName.entrySet().stream()
                    .filter(entry -> !entry.getValue().nothing())
                    .sorted(LARGEST_FIRST)
                    .limit(LISTED)
                    .toList();
        }

        private @Nullable Long omitted() {
            long all = byName.values().stream().filter(sums -> !sums.nothing()).count();
            long omitted = pruned + Math.max(0, all - LISTED);
            return omitted == 0 ? null : omitted;
        }
    }
}

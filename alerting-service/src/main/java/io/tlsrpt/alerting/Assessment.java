package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Tally.Reporter;
import io.tlsrpt.runtime.Settings.Severity;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Judges one result type at one MX on one day. A pure function of the days' cells and the settings.
///
/// The day alone and the three days up to it are judged, each policy type by itself, once on trusted evidence and once
/// on all: untrusted reports can raise a warning but nothing more, and they never count for what is usual.
///
/// @param days what is known of each day at this MX
/// @param bad days on which the same alert was open; they do not count for what is usual
/// @param settled days that are done with, by a person's word or a live look: they bear no window of later days
/// @param confirmed whether a live look shows the fault, so that untrusted reports may be believed
record Assessment(
        Rule rule,
        String resultType,
        Function<LocalDate, MxDay> days,
        Predicate<LocalDate> bad,
        Predicate<LocalDate> settled,
        boolean confirmed,
        Terms terms) {

    static final int LONG_WINDOW = 3;
    private static final int MOST_REPORTERS = 20;

    /// @param wasCapable whether STARTTLS is known to have worked before, when the days that show it are long gone
    /// @return the worst that can be said; null when the failures are to be recorded and nothing more
    @Nullable
    Finding of(LocalDate day, boolean wasCapable) {
        Finding worst = null;
        for (String policyType : failingPolicyTypes(day)) {
            Finding trusted = judge(day, policyType, true, wasCapable);
            if (trusted != null && (worst == null || trusted.worseThan(worst))) {
                worst = trusted;
            }
            Severity most = confirmed ? Severity.CRITICAL : Severity.WARNING;
            if (trusted == null || trusted.severity().compareTo(most) < 0) {
                Finding all = judge(day, policyType, false, wasCapable);
                if (all != null && (worst == null || all.worseThan(worst))) {
                    worst = all;
                }
            }
        }
        return worst;
    }

    /// @return the worst that trusted evidence alone says, where [#of] says something worse on all
    @Nullable
    Finding onTrusted(LocalDate day, boolean wasCapable) {
        Finding worst = null;
        for (String policyType : failingPolicyTypes(day)) {
            Finding trusted = judge(day, policyType, true, wasCapable);
            if (trusted != null && (worst == null || trusted.worseThan(worst))) {
                worst = trusted;
            }
        }
        return worst;
    }

    /// The evidence of a window that ends on `day`, from what came in time.
    Tally tally(LocalDate day, int length, String policyType, boolean trustedOnly) {
        long failed = 0;
        long sessions = 0;
        int failingDays = 0;
        boolean enforced = false;
        Map<String, Reporter> reporters = new LinkedHashMap<>();
        for (int back = length - 1; back >= 0; back--) {
            if (back > 0 && settled.test(day.minusDays(back))) {
                continue;
            }
            long failedBefore = failed;
            for (MxDay.Share share : days.apply(day.minusDays(back)).shares()) {
                if (share.fresh() && share.policyType().equals(policyType) && (share.trusted() || !trustedOnly)) {
                    MxDay.Failed some = share.failed(resultType);
                    failed += some.sessions();
                    sessions += share.sessions();
                    enforced |= some.enforced() > 0;
                    reporters.merge(
                            share.submitter(),
                            new Reporter(share.submitter(), share.trusted(), some.sessions(), share.sessions()),
                            (one, other) -> new Reporter(
                                    one.submitter(),
                                    one.trusted() || other.trusted(),
                                    one.failed() + other.failed(),
                                    one.sessions() + other.sessions()));
                }
            }
            failingDays += failed > failedBefore ? 1 : 0;
        }
        return new Tally(failed, sessions, failingDays, enforced, List.copyOf(reporters.values()));
    }

    /// What was usual in the 28 days before `day`.
    Baseline baseline(LocalDate day, String policyType) {
        Baseline sum = Baseline.NONE;
        int daysWithData = 0;
        for (int back = 1; back <= Baseline.DAYS; back++) {
            LocalDate past = day.minusDays(back);
            if (bad.test(past)) {
                continue;
            }
            long failed = 0;
            long sessions = 0;
            long successes = 0;
            for (MxDay.Share share : days.apply(past).shares()) {
                if (share.trusted() && share.policyType().equals(policyType)) {
                    failed += share.failed(resultType).sessions();
                    sessions += share.sessions();
                    successes += share.successes();
                }
            }
            daysWithData += sessions > 0 ? 1 : 0;
            boolean recent = daysWithData <= Baseline.RECENT_DAYS;
            sum = new Baseline(
                    sum.failed() + failed,
                    sum.sessions() + sessions,
                    daysWithData,
                    sum.recentFailed() + (recent ? failed : 0),
                    sum.recentSessions() + (recent ? sessions : 0),
                    sum.recentSuccesses() + (recent ? successes : 0));
        }
        return sum;
    }

    /// Every condition that is asked of a day, with its numbers, whether or not it came to anything.
    List<Explanation> explain(LocalDate day, boolean wasCapable) {
        List<Explanation> explanations = new ArrayList<>();
        for (String policyType : policyTypes(day, share -> true)) {
            for (boolean trustedOnly : List.of(true, false)) {
                for (int length : windows()) {
                    Checks checks = Checks.written();
                    Opinion opinion = opinion(day, length, policyType, trustedOnly, wasCapable, checks);
                    Finding finding = finding(day, length, policyType, trustedOnly, opinion);
                    Tally tally = opinion.tally();
                    explanations.add(new Explanation(
                            rule.word(),
                            resultType,
                            policyType,
                            day,
                            length,
                            trustedOnly,
                            tally.failed(),
                            tally.sessions(),
                            tally.share(),
                            tally.failing().size(),
                            opinion.baseline().failed(),
                            opinion.baseline().sessions(),
                            opinion.baseline().usualShare(),
                            opinion.baseline().surprise(tally),
                            Probability.wilsonLowerBound(tally.failed(), tally.sessions()),
                            checks.list(),
                            finding == null ? null : finding.severity().name().toLowerCase(Locale.ROOT),
                            finding == null ? null : finding.branch()));
                }
            }
        }
        return explanations;
    }

    /// What a rule says of a window, and of what.
    private record Opinion(
            Tally tally, Baseline baseline, @Nullable Call call) {}

    private @Nullable Finding judge(LocalDate day, String policyType, boolean trustedOnly, boolean wasCapable) {
        Finding worst = null;
        for (int length : windows()) {
            Opinion opinion = opinion(day, length, policyType, trustedOnly, wasCapable, Checks.silent());
            Finding finding = finding(day, length, policyType, trustedOnly, opinion);
            if (finding != null && (worst == null || finding.worseThan(worst))) {
                worst = finding;
            }
        }
        return worst;
    }

    /// The rule about policies looks back by itself.
    private List<Integer> windows() {
        return rule == Rule.STS_POLICY ? List.of(1) : List.of(1, LONG_WINDOW);
    }

    private Opinion opinion(
            LocalDate day, int length, String policyType, boolean trustedOnly, boolean wasCapable, Checks checks) {
        Tally tally = tally(day, length, policyType, trustedOnly);
        boolean enough = Checks.all(
                checks.atLeast("any", "k", tally.failed(), 1),
                checks.atLeast("any", "n", tally.sessions(), terms.minSessions()),
                (length == 1 || checks.atLeast("any", "days with failures", tally.failingDays(), 2)));
        if (!enough && !checks.wanted()) {
            return new Opinion(tally, Baseline.NONE, null);
        }
        Baseline baseline = baseline(day.minusDays(length - 1L), policyType);
        Thresholds thresholds = Thresholds.of(terms.sensitivity());
        Call call = switch (rule) {
            case CERTIFICATE -> CertificateRule.judge(resultType, tally, baseline, thresholds, checks);
            case STARTTLS_REGRESSION ->
                StarttlsRule.judge(
                        tally,
                        baseline,
                        wasCapable || baseline.capable(),
                        lasting(day, policyType, tally),
                        thresholds,
                        checks);
            case DANE ->
                DaneRule.judge(
                        resultType, tally, baseline, stepLasts(day, policyType, trustedOnly), thresholds, checks);
            case STS_POLICY -> StsPolicyRule.judge(resultType, daysBack(day, policyType, trustedOnly), checks);
            default -> throw new IllegalStateException(rule + " judges no cells of an MX");
        };
        return new Opinion(tally, baseline, enough ? call : null);
    }

    private @Nullable Finding finding(
            LocalDate day, int length, String policyType, boolean trustedOnly, Opinion opinion) {
        Call call = opinion.call();
        if (call == null) {
            return null;
        }
        Tally tally = opinion.tally();
        boolean capped = !trustedOnly && !confirmed && call.severity() == Severity.CRITICAL;
        List<String> reporters = tally.failing().stream()
                .sorted(Comparator.comparingLong(Reporter::failed).reversed())
                .map(Reporter::submitter)
                .limit(MOST_REPORTERS)
                .toList();
        return new Finding(
                capped ? Severity.WARNING : call.severity(),
                call.branch(),
                call.picture(),
                policyType,
                day,
                length,
                trustedOnly,
                tally.failed(),
                tally.sessions(),
                reporters,
                tally.failing().size(),
                opinion.baseline().failed(),
                opinion.baseline().sessions(),
                rule == Rule.STS_POLICY ? null : opinion.baseline().surprise(tally),
                call.picture() == Call.Picture.RENEWED ? certificateFaults(day) : List.of());
    }

    /// Whether the day alone and the three days up to it both show the step.
    private boolean stepLasts(LocalDate day, String policyType, boolean trustedOnly) {
        Tally three = tally(day, LONG_WINDOW, policyType, trustedOnly);
        return three.failingDays() >= 2
                && DaneRule.isStep(three, baseline(day.minusDays(LONG_WINDOW - 1L), policyType), Checks.silent())
                && DaneRule.isStep(tally(day, 1, policyType, trustedOnly), baseline(day, policyType), Checks.silent());
    }

    /// The day and those before it, newest first.
    private List<Tally> daysBack(LocalDate day, String policyType, boolean trustedOnly) {
        List<Tally> tallies = new ArrayList<>();
        for (int back = 0; back <= StsPolicyRule.DAYS; back++) {
            tallies.add(tally(day.minusDays(back), 1, policyType, trustedOnly));
        }
        return tallies;
    }

    private List<String> certificateFaults(LocalDate day) {
        Set<String> types = new TreeSet<>(days.apply(day).freshTypes());
        types.removeIf(type -> Rule.of(type) != Rule.CERTIFICATE);
        return List.copyOf(types);
    }

    /// Whether one and the same reporter lost STARTTLS alone on an earlier day too.
    private boolean lasting(LocalDate day, String policyType, Tally tally) {
        String reporter = StarttlsRule.onePath(tally);
        if (reporter == null) {
            return false;
        }
        for (int back = 1; back < LONG_WINDOW; back++) {
            if (reporter.equals(StarttlsRule.onePath(tally(day.minusDays(back), 1, policyType, true)))) {
                return true;
            }
        }
        return false;
    }

    private Set<String> failingPolicyTypes(LocalDate day) {
        return policyTypes(day, share -> share.failed(resultType).sessions() > 0);
    }

    private Set<String> policyTypes(LocalDate day, Predicate<MxDay.Share> which) {
        Set<String> types = new TreeSet<>();
        for (MxDay.Share share : days.apply(day).shares()) {
            if (share.fresh() && rule.judges(share.policyType()) && which.test(share)) {
                types.add(share.policyType());
            }
        }
        return types;
    }
}

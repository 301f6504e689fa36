package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Tally.Reporter;
import io.tlsrpt.runtime.AlertingSettings.Rules;
import io.tlsrpt.runtime.Settings.Severity;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
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
record Assessment(
        Rule rule, String resultType, Function<LocalDate, MxDay> days, Predicate<LocalDate> bad, Rules settings) {

    private static final int LONG_WINDOW = 3;
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
            if (trusted == null || trusted.severity().compareTo(Severity.WARNING) < 0) {
                Finding all = judge(day, policyType, false, wasCapable);
                if (all != null && (worst == null || all.worseThan(worst))) {
                    worst = all;
                }
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
                    sum.recentFailed() + (recent ? failed : 0),
                    sum.recentSessions() + (recent ? sessions : 0),
                    sum.recentSuccesses() + (recent ? successes : 0));
        }
        return sum;
    }

    private @Nullable Finding judge(LocalDate day, String policyType, boolean trustedOnly, boolean wasCapable) {
        Finding ofDay = judge(day, 1, policyType, trustedOnly, wasCapable);
        Finding ofThree = judge(day, LONG_WINDOW, policyType, trustedOnly, wasCapable);
        if (ofDay == null || ofThree == null) {
            return ofDay == null ? ofThree : ofDay;
        }
        return ofThree.worseThan(ofDay) ? ofThree : ofDay;
    }

    private @Nullable Finding judge(
            LocalDate day, int length, String policyType, boolean trustedOnly, boolean wasCapable) {
        Tally tally = tally(day, length, policyType, trustedOnly);
        if (tally.failed() == 0
                || tally.sessions() < settings.minSessions()
                || (length > 1 && tally.failingDays() < 2)) {
            return null;
        }
        Baseline baseline = baseline(day.minusDays(length - 1L), policyType);
        Thresholds thresholds = Thresholds.of(settings.sensitivity());
        Call call = switch (rule) {
            case CERTIFICATE -> CertificateRule.judge(resultType, tally, baseline, thresholds);
            case STARTTLS_REGRESSION ->
                StarttlsRule.judge(
                        tally, baseline, wasCapable || baseline.capable(), lasting(day, policyType, tally), thresholds);
            default -> throw new IllegalStateException(rule + " judges no cells of an MX");
        };
        if (call == null) {
            return null;
        }
        boolean capped = !trustedOnly && call.severity() == Severity.CRITICAL;
        List<String> reporters = tally.failing().stream()
                .sorted(Comparator.comparingLong(Reporter::failed).reversed())
                .map(Reporter::submitter)
                .limit(MOST_REPORTERS)
                .toList();
        return new Finding(
                capped ? Severity.WARNING : call.severity(),
                call.branch(),
                call.locality(),
                policyType,
                day,
                length,
                trustedOnly,
                tally.failed(),
                tally.sessions(),
                reporters,
                tally.failing().size(),
                baseline.failed(),
                baseline.sessions(),
                baseline.surprise(tally));
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
        Set<String> types = new TreeSet<>();
        for (MxDay.Share share : days.apply(day).shares()) {
            if (share.fresh() && share.failed(resultType).sessions() > 0) {
                types.add(share.policyType());
            }
        }
        return types;
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.report.ResultType;
import io.tlsrpt.runtime.Settings.Severity;
import org.jspecify.annotations.Nullable;

/// Certificates that senders refuse. Pure: the same evidence gives the same call.
///
/// - A, corroborated: at least two reporters, well above the usual, and surprising or more than noise
/// - B, statistical: at least five failures, a share surely above 2 %, well above the usual, and surprising
/// - C, count: many failures of very many sessions, such as one bad backend of a large farm
final class CertificateRule {

    private static final double DOMINANT = 0.8;
    private static final double STRAY = 0.01;
    private static final long PAGE_FAILED_B = 10;
    private static final double PAGE_SHARE_B = 0.5;

    private CertificateRule() {}

    /// @return null when nothing is wrong, or nothing that can be told from chance or from the usual
    static @Nullable Call judge(
            String resultType, Tally tally, Baseline baseline, Thresholds thresholds, Checks checks) {
        double surprise = baseline.surprise(tally);
        double usual = baseline.usualShare();
        boolean corroborated = corroborated(tally, baseline, surprise, thresholds, checks);
        boolean pagesByA = Checks.all(
                corroborated,
                pageFloor(tally, checks)
                // it stands for too many things to wake somebody on two reporters' word
                ,
                checks.is(
                        "A, critical",
                        () -> "not validation-failure",
                        !resultType.equals(ResultType.VALIDATION_FAILURE.word())));
        boolean statistical = Checks.all(
                checks.atLeast("B", "k", tally.failed(), thresholds.minFailed()),
                checks.shareAtLeast(
                        "B",
                        "W",
                        Probability.wilsonLowerBound(tally.failed(), tally.sessions()),
                        thresholds.minEffect()),
                checks.timesTheUsual("B", tally, thresholds.ratio(), usual),
                checks.surprising("B", surprise, thresholds.surprise()));
        boolean pagesByB = Checks.all(
                statistical,
                checks.shareAtLeast("B, critical", "s", tally.share(), PAGE_SHARE_B),
                checks.atLeast("B, critical", "k", tally.failed(), PAGE_FAILED_B));
        boolean count = Checks.all(
                checks.atLeast("C", "k", tally.failed(), thresholds.countFailed()),
                checks.timesTheUsual("C", tally, thresholds.countRatio(), usual),
                checks.surprising("C", surprise, thresholds.countSurprise()));
        // without an enforced policy the mail is still delivered
        Severity page = checks.is("critical", () -> "the policy is enforced, or tlsa", tally.enforced())
                ? Severity.CRITICAL
                : Severity.WARNING;
        if (tally.failed() == 0) {
            return null;
        }
        if (pagesByA) {
            return new Call(page, "A", null);
        }
        if (pagesByB) {
            return new Call(page, "B", null);
        }
        if (corroborated) {
            return new Call(Severity.WARNING, "A", null);
        }
        if (statistical) {
            return new Call(Severity.WARNING, "B", null);
        }
        return count ? new Call(Severity.WARNING, "C", null) : null;
    }

    /// Branch A, which the STARTTLS rule shares.
    static boolean corroborated(Tally tally, Baseline baseline, double surprise, Thresholds thresholds, Checks checks) {
        return Checks.all(
                checks.atLeast("A", "r", tally.failing().size(), 2),
                checks.atLeast("A", "k", tally.failed(), 2),
                checks.is("A", () -> "the others agree with the one that saw most", othersAgree(tally, baseline)),
                checks.timesTheUsual("A", tally, thresholds.ratio(), baseline.usualShare()),
                checks.is(
                        "A",
                        () -> Checks.chance(surprise, thresholds.surprise()) + ", or s = "
                                + Checks.percent(tally.share()) + " ≥ " + Checks.percent(thresholds.noiseShare()),
                        surprise <= thresholds.surprise() || tally.share() >= thresholds.noiseShare()));
    }

    /// Where one reporter saw nearly all of it, the others must have seen more than the stray failures of any day: two
    /// that see noise do not confirm a third that is at fault itself.
    private static boolean othersAgree(Tally tally, Baseline baseline) {
        Tally.Reporter largest = tally.largest().orElse(null);
        return largest == null
                || largest.failed() < DOMINANT * tally.failed()
                || baseline.surprise(tally.without(largest)) <= STRAY;
    }

    /// What branch A needs beyond itself to be critical, which the STARTTLS rule shares.
    static boolean pageFloor(Tally tally, Checks checks) {
        return checks.is(
                "A, critical",
                () -> "r = " + tally.failing().size() + " ≥ 3, or k = " + tally.failed() + " ≥ 5, or s = "
                        + Checks.percent(tally.share())
                        + " ≥ 1 %, or one reporter with at least 3 failures and half its sessions",
                tally.failing().size() >= 3
                        || tally.failed() >= 5
                        || tally.share() >= 0.01
                        || tally.failing().stream()
                                .anyMatch(reporter -> reporter.failed() >= 3 && reporter.share() >= 0.5));
    }
}

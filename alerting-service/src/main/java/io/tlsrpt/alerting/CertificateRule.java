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

    private static final long PAGE_FAILED_B = 10;
    private static final double PAGE_SHARE_B = 0.5;

    private CertificateRule() {}

    /// @return null when nothing is wrong, or nothing that can be told from chance or from the usual
    static @Nullable Call judge(String resultType, Tally tally, Baseline baseline, Thresholds thresholds) {
        if (tally.failed() == 0) {
            return null;
        }
        double surprise = baseline.surprise(tally);
        double usual = baseline.usualShare();
        boolean corroborated = corroborated(tally, usual, surprise, thresholds);
        boolean statistical = tally.failed() >= thresholds.minFailed()
                && Probability.wilsonLowerBound(tally.failed(), tally.sessions()) >= thresholds.minEffect()
                && tally.share() >= thresholds.ratio() * usual
                && surprise <= thresholds.surprise();
        boolean count = tally.failed() >= thresholds.countFailed()
                && tally.share() >= thresholds.countRatio() * usual
                && surprise <= thresholds.countSurprise();

        // validation-failure stands for too many things to wake somebody on two reporters' word
        boolean pagesByA = corroborated && pageFloor(tally) && !resultType.equals(ResultType.VALIDATION_FAILURE.word());
        boolean pagesByB = statistical && tally.share() >= PAGE_SHARE_B && tally.failed() >= PAGE_FAILED_B;
        // without an enforced policy the mail is still delivered
        Severity page = tally.enforced() ? Severity.CRITICAL : Severity.WARNING;
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
    static boolean corroborated(Tally tally, double usual, double surprise, Thresholds thresholds) {
        return tally.failing().size() >= 2
                && tally.failed() >= 2
                && tally.share() >= thresholds.ratio() * usual
                && (surprise <= thresholds.surprise() || tally.share() >= thresholds.noiseShare());
    }

    /// What branch A needs beyond itself to be critical, which the STARTTLS rule shares.
    static boolean pageFloor(Tally tally) {
        return tally.failing().size() >= 3
                || tally.failed() >= 5
                || tally.share() >= 0.01
                || tally.failing().stream().anyMatch(reporter -> reporter.failed() >= 3 && reporter.share() >= 0.5);
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Call.Locality;
import io.tlsrpt.runtime.Settings.Severity;
import org.jspecify.annotations.Nullable;

/// STARTTLS that was offered and is no more. Pure: the same evidence gives the same call.
///
/// - A, corroborated: as for certificates
/// - B: at least three failures, a fifth of some reporter's sessions, and surprising
/// - never: as many failures, but there is no time in which STARTTLS was seen to work
///
/// Critical under every policy: where no policy is enforced the mail goes out in plain text.
final class StarttlsRule {

    private static final long MIN_FAILED = 3;
    private static final double REPORTER_SHARE = 0.2;
    private static final double SERVER_SHARE = 0.8;
    private static final long ONE_PATH_FAILED = 5;
    private static final double ONE_PATH_SHARE = 0.5;
    private static final long QUIET_SESSIONS = 10;

    private StarttlsRule() {}

    /// @param capable whether STARTTLS was the rule before
    /// @param lasting whether the same single reporter saw it on one of the two days before
    /// @return null when nothing is wrong, or nothing that can be told from chance or from the usual
    static @Nullable Call judge(
            Tally tally, Baseline baseline, boolean capable, boolean lasting, Thresholds thresholds) {
        if (tally.failed() == 0) {
            return null;
        }
        boolean marked = tally.failed() >= MIN_FAILED
                && tally.failing().stream().anyMatch(reporter -> reporter.share() >= REPORTER_SHARE);
        if (!capable) {
            return marked ? new Call(Severity.INFO, "never", Locality.NEVER) : null;
        }
        double surprise = baseline.surprise(tally);
        boolean corroborated = CertificateRule.corroborated(tally, baseline.usualShare(), surprise, thresholds);
        if (!corroborated && !(marked && surprise <= thresholds.surprise())) {
            return null;
        }
        String branch = corroborated ? "A" : "B";
        if (tally.failing().size() >= 2) {
            if (!othersAreFine(tally) && tally.share() >= SERVER_SHARE) {
                return new Call(Severity.CRITICAL, branch, Locality.SERVER);
            }
            Severity severity = CertificateRule.pageFloor(tally) ? Severity.CRITICAL : Severity.WARNING;
            return new Call(severity, branch, Locality.SOME_PATHS);
        }
        if (onePath(tally) != null) {
            Severity severity = tally.enforced() || lasting ? Severity.CRITICAL : Severity.WARNING;
            return new Call(severity, branch, Locality.ONE_PATH);
        }
        return new Call(Severity.WARNING, branch, Locality.UNCLEAR);
    }

    /// The one reporter that misses STARTTLS while others find it; null when that is not the picture.
    static @Nullable String onePath(Tally tally) {
        if (tally.failing().size() != 1 || !othersAreFine(tally)) {
            return null;
        }
        Tally.Reporter only = tally.failing().getFirst();
        return only.failed() >= ONE_PATH_FAILED && only.share() >= ONE_PATH_SHARE ? only.submitter() : null;
    }

    private static boolean othersAreFine(Tally tally) {
        return tally.reporters().stream()
                .anyMatch(reporter ->
                        reporter.trusted() && reporter.failed() == 0 && reporter.sessions() >= QUIET_SESSIONS);
    }
}

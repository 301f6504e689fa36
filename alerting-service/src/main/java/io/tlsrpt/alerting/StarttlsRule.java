package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Call.Picture;
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
            Tally tally, Baseline baseline, boolean capable, boolean lasting, Thresholds thresholds, Checks checks) {
        double surprise = baseline.surprise(tally);
        double most = tally.failing().stream()
                .mapToDouble(Tally.Reporter::share)
                .max()
                .orElse(0);
        boolean worked = checks.is("capable", () -> "STARTTLS was seen to work before", capable);
        boolean corroborated = CertificateRule.corroborated(tally, baseline, surprise, thresholds, checks);
        boolean floor = CertificateRule.pageFloor(tally, checks);
        boolean marked = Checks.all(
                checks.atLeast("B", "k", tally.failed(), MIN_FAILED),
                checks.shareAtLeast("B", "share of one reporter", most, REPORTER_SHARE));
        boolean surprising = checks.surprising("B", surprise, thresholds.surprise());
        boolean othersFine = checks.is(
                "others are fine",
                () -> "a trusted reporter with at least " + QUIET_SESSIONS + " sessions and no failure",
                othersAreFine(tally));
        boolean server =
                Checks.all(checks.shareAtLeast("server, critical", "s", tally.share(), SERVER_SHARE), !othersFine);
        boolean onePath = checks.is(
                "one path",
                () -> "one reporter with at least " + ONE_PATH_FAILED + " failures and half its sessions",
                onePath(tally) != null);
        boolean grave = checks.is(
                "one path, critical",
                () -> "the policy is enforced, or the same reporter saw it on one of the two days before",
                tally.enforced() || lasting);
        if (tally.failed() == 0) {
            return null;
        }
        if (!worked) {
            return marked ? new Call(Severity.INFO, "never", Picture.NEVER) : null;
        }
        if (!corroborated && !(marked && surprising)) {
            return null;
        }
        String branch = corroborated ? "A" : "B";
        if (tally.failing().size() >= 2) {
            return server
                    ? new Call(Severity.CRITICAL, branch, Picture.SERVER)
                    : new Call(floor ? Severity.CRITICAL : Severity.WARNING, branch, Picture.SOME_PATHS);
        }
        return onePath
                ? new Call(grave ? Severity.CRITICAL : Severity.WARNING, branch, Picture.ONE_PATH)
                : new Call(Severity.WARNING, branch, Picture.UNCLEAR);
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

package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Call.Picture;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.runtime.Settings.Severity;
import org.jspecify.annotations.Nullable;

/// TLSA records that do not fit, or cannot be validated. Pure: the same evidence gives the same call.
///
/// All senders that obey DANE fail alike and there are few of them, so one is enough.
///
/// - step: at least three failures and half of some reporter's sessions, where failures were rare
/// - partial: at least five failures, a fiftieth of all, and surprising
final class DaneRule {

    /// The policy type whose sessions count.
    static final String POLICY_TYPE = "tlsa";

    private static final long STEP_FAILED = 3;
    private static final double STEP_SHARE = 0.5;
    private static final double RARE = 0.05;
    private static final long PAGE_FAILED = 10;
    private static final double PARTIAL_SHARE = 0.02;
    private static final int KNOWN_DAYS = 7;

    private DaneRule() {}

    /// @param lasting whether the day alone and the three days up to it agree that it is a step
    /// @return null when nothing is wrong, or nothing that can be told from chance
    static @Nullable Call judge(
            String resultType, Tally tally, Baseline baseline, boolean lasting, Thresholds thresholds, Checks checks) {
        boolean step = isStep(tally, baseline, checks);
        boolean page = checks.is(
                "step, critical",
                () -> "k = " + tally.failed() + " ≥ " + PAGE_FAILED + ", or r = "
                        + tally.failing().size() + " ≥ 2, or the day and its three days agree: " + lasting,
                tally.failed() >= PAGE_FAILED || tally.failing().size() >= 2 || lasting);
        boolean partial = Checks.all(
                checks.atLeast("partial", "k", tally.failed(), thresholds.minFailed()),
                checks.shareAtLeast("partial", "s", tally.share(), PARTIAL_SHARE),
                checks.surprising("partial", baseline.surprise(tally), thresholds.surprise()));
        if (step) {
            boolean renewed = resultType.equals(ResultType.TLSA_INVALID.word())
                    && baseline.failed() == 0
                    && baseline.days() >= KNOWN_DAYS;
            return new Call(page ? Severity.CRITICAL : Severity.WARNING, "step", renewed ? Picture.RENEWED : null);
        }
        return partial ? new Call(Severity.WARNING, "partial", Picture.PARTIAL) : null;
    }

    static boolean isStep(Tally tally, Baseline baseline, Checks checks) {
        double most = tally.reporters().stream()
                .mapToDouble(Tally.Reporter::share)
                .max()
                .orElse(0);
        double before = baseline.sessions() == 0 ? 0 : (double) baseline.failed() / baseline.sessions();
        return Checks.all(
                checks.atLeast("step", "k", tally.failed(), STEP_FAILED),
                checks.shareAtLeast("step", "share of one reporter", most, STEP_SHARE),
                checks.is(
                        "step",
                        () -> "share in the days before = " + Checks.percent(before) + " < " + Checks.percent(RARE),
                        before < RARE));
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.report.ResultType;
import io.tlsrpt.runtime.Settings.Severity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// MTA-STS policies that senders cannot fetch, trust or read. Pure: the same evidence gives the same call. It belongs
/// to a domain, not to an MX, and how many sessions failed tells nothing: one fetch can stand for any number of them.
///
/// - reporters: at least two on the day
/// - again: one and the same reporter on two days in a row of those it wrote about
/// - days: on a second day of three, whoever saw it (not for fetch errors)
final class StsPolicyRule {

    /// The policy type that proves that a policy was fetched and read.
    static final String POLICY_TYPE = "sts";

    /// How far back the day before is looked for that a reporter wrote about.
    static final int DAYS = 7;

    private static final int LONG_WINDOW = 3;
    private static final int PAGE_REPORTERS = 3;

    private StsPolicyRule() {}

    /// @param days the day to be judged and those before it, newest first
    /// @return null when nothing is wrong, or nothing but one reporter's passing trouble
    static @Nullable Call judge(String resultType, List<Tally> days, Checks checks) {
        Tally day = days.getFirst();
        int reporters = day.failing().size();
        boolean fetch = resultType.equals(ResultType.STS_POLICY_FETCH_ERROR.word());
        boolean several = checks.atLeast("reporters", "r", reporters, 2);
        boolean again = checks.is(
                "again",
                () -> "a reporter of the day saw it on the day before that it wrote about",
                day.failing().stream()
                        .anyMatch(reporter -> failedBefore(reporter.submitter(), days.subList(1, days.size()))));
        boolean moreDays = checks.is(
                "days",
                () -> "not a fetch error, and seen on one of the two days before",
                !fetch
                        && days.subList(1, Math.min(days.size(), LONG_WINDOW)).stream()
                                .anyMatch(before -> before.failed() > 0));
        int yesterday = days.size() < 2 ? 0 : days.get(1).failing().size();
        boolean lasting = Checks.all(
                checks.atLeast("reporters, critical", "r", reporters, PAGE_REPORTERS),
                checks.atLeast("reporters, critical", "r of the day before", yesterday, PAGE_REPORTERS));
        boolean untrusted = checks.is(
                "reporters, critical",
                () -> "or sts-webpki-invalid by at least two reporters",
                several && resultType.equals(ResultType.STS_WEBPKI_INVALID.word()));
        if (reporters == 0) {
            return null;
        }
        if (lasting || untrusted) {
            return new Call(Severity.CRITICAL, "reporters", null);
        }
        if (several) {
            return new Call(Severity.WARNING, "reporters", null);
        }
        if (again) {
            return new Call(Severity.WARNING, "again", null);
        }
        return moreDays ? new Call(Severity.WARNING, "days", null) : null;
    }

    /// Whether the newest of these days that the reporter wrote about was one with failures.
    private static boolean failedBefore(String submitter, List<Tally> before) {
        for (Tally day : before) {
            for (Tally.Reporter reporter : day.reporters()) {
                if (reporter.submitter().equals(submitter) && reporter.sessions() > 0) {
                    return reporter.failed() > 0;
                }
            }
        }
        return false;
    }
}

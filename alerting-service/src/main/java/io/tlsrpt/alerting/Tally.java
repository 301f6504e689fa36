package io.tlsrpt.alerting;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// The evidence of one result type at one MX in one window, under one policy type: what a rule judges.
///
/// @param failingDays days of the window with failures
/// @param enforced whether any of the failures were under an enforced policy, so that mail was not delivered
/// @param reporters each submitter once
record Tally(long failed, long sessions, int failingDays, boolean enforced, List<Reporter> reporters) {

    /// What one submitter saw.
    ///
    /// @param trusted whether its reports were authenticated or vouched for
    record Reporter(String submitter, boolean trusted, long failed, long sessions) {

        double share() {
            return sessions == 0 ? 0 : (double) failed / sessions;
        }
    }

    double share() {
        return sessions == 0 ? 0 : (double) failed / sessions;
    }

    /// Reporters that saw a failure.
    List<Reporter> failing() {
        return reporters.stream().filter(reporter -> reporter.failed() > 0).toList();
    }

    /// The reporter with most failures.
    Optional<Reporter> largest() {
        return reporters.stream().max(Comparator.comparingLong(Reporter::failed));
    }

    /// What is left without one reporter.
    Tally without(Reporter one) {
        return new Tally(
                failed - one.failed(),
                Math.max(0, sessions - one.sessions()),
                failingDays,
                enforced,
                reporters.stream().filter(reporter -> !reporter.equals(one)).toList());
    }
}

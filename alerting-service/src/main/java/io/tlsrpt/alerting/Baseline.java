package io.tlsrpt.alerting;

/// What was usual at one MX in the 28 days before a window, from trusted reports alone and without the days on which
/// the same alert was open.
///
/// @param days with sessions
/// @param recentFailed in the last 14 of these days that have data, and so on
record Baseline(long failed, long sessions, int days, long recentFailed, long recentSessions, long recentSuccesses) {

    static final int DAYS = 28;
    static final int RECENT_DAYS = 14;

    private static final long CAPABLE_SESSIONS = 20;
    private static final double CAPABLE_FAILED_SHARE = 0.01;

    static final Baseline NONE = new Baseline(0, 0, 0, 0, 0, 0);

    double usualShare() {
        return Probability.usualShare(failed, sessions);
    }

    double surprise(Tally tally) {
        return Probability.surprise(tally.failed(), tally.sessions(), failed, sessions);
    }

    /// Whether the absence of these failures was the rule lately, shown by enough successful sessions.
    boolean capable() {
        return recentSessions >= CAPABLE_SESSIONS
                && recentSuccesses >= CAPABLE_SESSIONS
                && recentFailed < CAPABLE_FAILED_SHARE * recentSessions;
    }
}

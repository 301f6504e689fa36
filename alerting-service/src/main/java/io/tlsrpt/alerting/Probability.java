package io.tlsrpt.alerting;

/// The statistics of the rules: a surprise (beta-binomial tail), an effect size (Wilson's lower bound), and how many
/// clean sessions make a recovery believable.
final class Probability {

    /// Weak belief before any history: one session in a thousand fails, worth 500 sessions.
    private static final double PRIOR_FAILED = 0.5;

    private static final double PRIOR_CLEAN = 500;
    private static final double Z_99 = 2.576;

    /// More sessions than these are scaled down, which bounds the work and only makes a finding harder to reach.
    private static final long MOST_SESSIONS = 10_000_000;

    private static final long MOST_BASELINE_SESSIONS = 1_000_000_000;

    private static final double STILL_BROKEN_UNSEEN = 0.05;
    private static final double LEAST_SHARE = 0.01;
    private static final long MOST_CLEAN_SESSIONS_NEEDED = 300;

    /// From here on six terms of Stirling's series are exact to the last digit.
    private static final double STIRLING_FROM = 10;

    private static final double HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

    private Probability() {}

    /// The usual share of failures: history with the prior mixed in, never zero.
    static double usualShare(long baselineFailed, long baselineSessions) {
        return (baselineFailed + PRIOR_FAILED) / (baselineSessions + PRIOR_FAILED + PRIOR_CLEAN);
    }

    /// Chance of `failed` or more failures among `sessions` if nothing has changed since the baseline:
    /// Pr[X ≥ failed], X ~ BetaBinomial(sessions, 0.5 + baselineFailed, 500 + baselineSessions − baselineFailed).
    static double surprise(long failed, long sessions, long baselineFailed, long baselineSessions) {
        if (failed <= 0) {
            return 1;
        }
        double scale = Math.min(1, (double) MOST_SESSIONS / sessions);
        long n = Math.max(1, (long) (sessions * scale));
        long k = Math.min(n, (long) (failed * scale));
        if (k == 0) {
            return 1;
        }
        double baselineScale = Math.min(1, (double) MOST_BASELINE_SESSIONS / Math.max(1, baselineSessions));
        double a = PRIOR_FAILED + baselineFailed * baselineScale;
        double b = PRIOR_CLEAN + Math.max(0, baselineSessions - baselineFailed) * baselineScale;
        double mean = n * a / (a + b);
        if (k <= mean) {
            return Math.clamp(1 - sum(0, k - 1, n, a, b), 0, 1);
        }
        return Math.clamp(sum(k, n, n, a, b), 0, 1);
    }

    /// Adds the probabilities of `from` to `to` failures, away from where most of the mass lies.
    private static double sum(long from, long to, long n, double a, double b) {
        boolean upper = to == n;
        long x = upper ? from : to;
        double term = Math.exp(logChoose(n, x) + logBeta(x + a, n - x + b) - logBeta(a, b));
        double total = term;
        while (upper ? x < to : x > from) {
            if (upper) {
                term *= (n - x) / (x + 1.0) * ((x + a) / (n - x - 1 + b));
                x++;
            } else {
                term *= x / (n - x + 1.0) * ((n - x + b) / (x - 1 + a));
                x--;
            }
            total += term;
            if (term < total * 1e-17) {
                break;
            }
        }
        return total;
    }

    /// Lower end of the 99 % Wilson interval of failed / sessions.
    static double wilsonLowerBound(long failed, long sessions) {
        if (sessions <= 0) {
            return 0;
        }
        double n = sessions;
        double share = failed / n;
        double z2 = Z_99 * Z_99;
        double centre = share + z2 / (2 * n);
        double margin = Z_99 * Math.sqrt(share * (1 - share) / n + z2 / (4 * n * n));
        return Math.max(0, (centre - margin) / (1 + z2 / n));
    }

    /// How many clean sessions leave at most a 5 % chance that a fault of this share is still there but was not met;
    /// between 1 and 300.
    static long cleanSessionsNeeded(double share) {
        double p = Math.max(share, LEAST_SHARE);
        if (p >= 1) {
            return 1;
        }
        double needed = Math.ceil(Math.log(STILL_BROKEN_UNSEEN) / Math.log1p(-p));
        return Math.clamp((long) needed, 1, MOST_CLEAN_SESSIONS_NEEDED);
    }

    private static double logChoose(long n, long k) {
        return logGamma(n + 1.0) - logGamma(k + 1.0) - logGamma(n - k + 1.0);
    }

    private static double logBeta(double a, double b) {
        return logGamma(a) + logGamma(b) - logGamma(a + b);
    }

    /// Natural logarithm of Γ(x) for x > 0: Stirling's series, reached by Γ(x) = Γ(x + 1) / x.
    static double logGamma(double x) {
        double shift = 0;
        double y = x;
        while (y < STIRLING_FROM) {
            shift += Math.log(y);
            y++;
        }
        double z = 1 / (y * y);
        double series = (1.0 / 12
                        - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188 - z * 691 / 360_360)))))
                / y;
        return (y - 0.5) * Math.log(y) - y + HALF_LOG_TWO_PI + series - shift;
    }
}

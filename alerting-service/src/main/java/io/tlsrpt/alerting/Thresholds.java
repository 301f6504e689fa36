package io.tlsrpt.alerting;

import io.tlsrpt.runtime.Settings.Sensitivity;

/// Where the rules draw the line; `docs/alerting.md` explains each number.
///
/// @param ratio how many times the usual share at least
/// @param surprise largest chance that nothing has changed
/// @param noiseShare share at which corroborated failures count without being surprising
/// @param minFailed of branch B
/// @param minEffect least Wilson lower bound, branch B
/// @param countFailed of branch C
/// @param countRatio of branch C
/// @param countSurprise of branch C
record Thresholds(
        double ratio,
        double surprise,
        double noiseShare,
        long minFailed,
        double minEffect,
        long countFailed,
        double countRatio,
        double countSurprise) {

    private static final Thresholds QUIET = new Thresholds(5, 1e-6, 0.01, 10, 0.05, 100, 20, 1e-9);
    private static final Thresholds NORMAL = new Thresholds(3, 1e-4, 0.005, 5, 0.02, 50, 10, 1e-6);
    private static final Thresholds EAGER = new Thresholds(2, 1e-3, 0.002, 3, 0.01, 20, 5, 1e-5);

    static Thresholds of(Sensitivity sensitivity) {
        return switch (sensitivity) {
            case QUIET -> QUIET;
            case NORMAL -> NORMAL;
            case EAGER -> EAGER;
        };
    }
}

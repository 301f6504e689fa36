package io.tlsrpt.benchmarks;

/// Seconds since it was made.
record Stopwatch(long startNanos) {

    static Stopwatch start() {
        return new Stopwatch(System.nanoTime());
    }

    double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }

    double perSecond(int count) {
        return count / seconds();
    }
}

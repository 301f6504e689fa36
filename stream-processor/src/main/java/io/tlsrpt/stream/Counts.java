package io.tlsrpt.stream;

/// Sums of what strangers claim, which may be anything up to 2^53-1 each.
final class Counts {

    private Counts() {}

    /// The sum; the largest number instead of an overflow.
    static long plus(long a, long b) {
        long sum = a + b;
        boolean overflown = ((a ^ sum) & (b ^ sum)) < 0;
        return !overflown ? sum : a < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
}

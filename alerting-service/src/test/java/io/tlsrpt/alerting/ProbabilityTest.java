package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProbabilityTest {

    /// Computed independently, term by term with the C library's lgamma.
    @ParameterizedTest
    @CsvSource({
        "5, 10005, 0, 280000, 1.2087229987168951e-08",
        "5, 55, 0, 1500, 2.849389546454949e-09",
        "5, 55, 0, 0, 2.0758003409810446e-06",
        "1, 1, 0, 0, 0.000999000999001088",
        "3, 3, 0, 80, 9.535718000901504e-09",
        "40, 60, 0, 1600, 1.85693885012173e-71",
        "40, 60, 0, 280000, 3.658571767207617e-156",
        "2, 12000, 0, 300000, 0.0005601505123235423",
        "3, 12000, 0, 300000, 1.79512614434283e-05",
        "6, 12000, 0, 275000, 1.2133009606018606e-09",
        "2, 40, 0, 1200, 0.00019487204006814941",
        "100, 10000, 0, 280000, 1.719919061529352e-148",
        "150, 10000, 3000, 280000, 6.142406206807567e-05",
        "60, 500, 150, 14000, 1.5142528624742006e-39",
        "4, 140, 28, 1000, 0.2795012711913128",
        "4, 140, 112, 4000, 0.4630523793099333",
        "6, 50, 42, 1500, 0.0008242002234482973",
    })
    void theSurpriseIsTheTailOfTheBetaBinomial(long failed, long sessions, long before, long of, double expected) {
        assertThat(Probability.surprise(failed, sessions, before, of)).isCloseTo(expected, within(expected * 1e-7));
    }

    @Test
    void theSurpriseOfATotalFailureIsNothing() {
        assertThat(Probability.surprise(12_000, 12_000, 0, 300_000)).isZero();
    }

    /// Pr[X ≥ k] + Pr[X ≤ k − 1] = 1 wherever the mean lies, so both ways of adding must agree where they meet.
    @ParameterizedTest
    @CsvSource({"1000000, 10700, 1000000", "1000000, 500000, 1000000", "999983, 3, 40000", "10, 5, 10"})
    void theTailFallsSteadilyFromOneToNothing(long sessions, long before, long of) {
        double last = 1;
        for (long failed = 0; failed <= sessions; failed += Math.max(1, sessions / 200)) {
            double surprise = Probability.surprise(failed, sessions, before, of);
            assertThat(surprise).isBetween(0.0, last + 1e-9);
            last = surprise;
        }
        assertThat(last).isLessThan(1e-6);
    }

    @Test
    void numbersNobodyReportsNeitherFailNorTakeLong() {
        long start = System.nanoTime();
        assertThat(Probability.surprise(1L << 40, 1L << 53, 1L << 52, 1L << 53)).isBetween(0.0, 1.0);
        assertThat(Probability.surprise(1L << 53, 1L << 53, 0, 0)).isBetween(0.0, 1e-9);
        assertThat(Probability.surprise(5, 1L << 53, 0, 0)).isEqualTo(1);
        assertThat(Probability.surprise(0, 0, 0, 0)).isEqualTo(1);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    }

    @ParameterizedTest
    @CsvSource({
        "5, 10005, 0.000167",
        "5, 55, 0.031",
        "1, 1, 0.13",
        "3, 3, 0.31",
        "40, 60, 0.50",
        "100, 10000, 0.008",
        "150, 10000, 0.012",
        "60, 500, 0.088",
        "4, 140, 0.009",
        "6, 50, 0.045",
        "12000, 12000, 0.999",
        "0, 0, 0",
    })
    void theEffectIsWilsonsLowerBound(long failed, long sessions, double expected) {
        // as printed, with two digits
        assertThat(Probability.wilsonLowerBound(failed, sessions)).isCloseTo(expected, within(expected * 0.06));
    }

    @ParameterizedTest
    @CsvSource({"1.0, 1", "0.9, 2", "0.5, 5", "0.0909, 32", "0.0678, 43", "0.01, 299", "0.0001, 299", "0, 299"})
    void aRareFaultNeedsMoreCleanSessionsToBeOver(double share, long expected) {
        assertThat(Probability.cleanSessionsNeeded(share)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"0.5, 0.5723649429247001", "1, 0", "2, 0", "10, 12.801827480081469", "1000001, 12815518.384658169"})
    void theLogarithmOfGamma(double x, double expected) {
        assertThat(Probability.logGamma(x)).isCloseTo(expected, within(1e-13 * Math.max(1, expected)));
    }
}

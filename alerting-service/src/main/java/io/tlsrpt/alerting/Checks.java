package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Explanation.Check;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The conditions of a rule as it asks them: they are written down only when somebody wants to know why. So the
/// explanation and the verdict come from the same lines.
final class Checks {

    private final @Nullable List<Check> written;

    private Checks(@Nullable List<Check> written) {
        this.written = written;
    }

    /// For a judgement that nobody asks about.
    static Checks silent() {
        return new Checks(null);
    }

    static Checks written() {
        return new Checks(new ArrayList<>());
    }

    boolean wanted() {
        return written != null;
    }

    List<Check> list() {
        return written == null ? List.of() : List.copyOf(written);
    }

    /// Whether all held; unlike `&&` it leaves none of them out.
    static boolean all(boolean... held) {
        for (boolean each : held) {
            if (!each) {
                return false;
            }
        }
        return true;
    }

    boolean is(String name, Supplier<String> text, boolean held) {
        if (written != null) {
            written.add(new Check(name, text.get(), held));
        }
        return held;
    }

    /// A count.
    boolean atLeast(String name, String what, long value, long least) {
        return is(name, () -> what + " = " + count(value) + " ≥ " + count(least), value >= least);
    }

    /// A share of 1.
    boolean shareAtLeast(String name, String what, double value, double least) {
        return is(name, () -> what + " = " + percent(value) + " ≥ " + percent(least), value >= least);
    }

    /// So many times the usual share.
    boolean timesTheUsual(String name, Tally tally, double ratio, double usual) {
        return is(
                name,
                () -> "s = " + percent(tally.share()) + " ≥ " + digits(ratio) + " p = " + percent(ratio * usual),
                tally.share() >= ratio * usual);
    }

    boolean surprising(String name, double chance, double most) {
        return is(name, () -> chance(chance, most), chance <= most);
    }

    static String chance(double chance, double most) {
        return "P = " + digits(chance) + " ≤ " + digits(most);
    }

    static String percent(double share) {
        return digits(100 * share) + " %";
    }

    private static String count(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    /// Two digits that count; very small numbers as 2.8e-9.
    private static String digits(double value) {
        if (value != 0 && Math.abs(value) < 1e-3) {
            return String.format(Locale.ROOT, "%.1e", value)
                    .replace("e-0", "e-")
                    .replace(".0e", "e");
        }
        return BigDecimal.valueOf(value)
                .round(new MathContext(value >= 10 ? 3 : 2, RoundingMode.HALF_UP))
                .stripTrailingZeros()
                .toPlainString();
    }
}

package io.tlsrpt.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The table: each figure beside its ceiling.
final class Figures {

    private final List<String> rows = new ArrayList<>();

    /// Reports per second, beside those of the ceiling measured in the same run.
    ///
    /// @param note what else there is to know; may be empty
    void rate(String what, double perSecond, String ceiling, double ceilingPerSecond, String note) {
        row(
                what,
                perSecond(perSecond) + (note.isEmpty() ? "" : "; " + note),
                ceiling + " " + perSecond(ceilingPerSecond),
                Double.isFinite(perSecond / ceilingPerSecond)
                        ? text("%.0f %%", 100 * perSecond / ceilingPerSecond)
                        : "–");
    }

    /// Something without a ceiling.
    void figure(String what, String figure) {
        row(what, figure, "", "");
    }

    static String perSecond(double rate) {
        return Double.isFinite(rate) ? text("%,.0f/s", rate) : "too few to tell";
    }

    @SuppressWarnings("AnnotateFormatMethod") // not worth a dependency
    static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    private void row(String... cells) {
        rows.add("| " + String.join(" | ", cells) + " |");
    }

    String markdown() {
        return "| what | figure | ceiling | share |\n|---|---|---|---|\n" + String.join("\n", rows) + "\n";
    }
}

package io.tlsrpt.alerting;

/// Makes a stranger's text fit to be shown: bounded, nothing invisible, nothing that turns the reading direction.
final class CleanText {

    private CleanText() {}

    /// On one line.
    ///
    /// @param most code points kept
    static String of(String text, int most) {
        return clean(text, most, false);
    }

    /// On as many lines as it has; `\n` alone ends one.
    ///
    /// @param most code points kept
    static String lines(String text, int most) {
        return clean(text, most, true);
    }

    private static String clean(String text, int most, boolean lines) {
        StringBuilder clean = new StringBuilder(Math.min(text.length(), most));
        text.codePoints()
                .limit(most)
                .forEach(point -> clean.appendCodePoint(shown(point) || (lines && point == '\n') ? point : '\uFFFD'));
        return clean.toString();
    }

    private static boolean shown(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}

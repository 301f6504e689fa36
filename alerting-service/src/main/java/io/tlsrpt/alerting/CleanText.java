package io.tlsrpt.alerting;

/// Makes a stranger's text fit to be shown: one line, bounded, nothing invisible, nothing that turns the reading
/// direction.
final class CleanText {

    private CleanText() {}

    /// @param most code points kept
    static String of(String text, int most) {
        StringBuilder clean = new StringBuilder(Math.min(text.length(), most));
        text.codePoints().limit(most).forEach(point -> clean.appendCodePoint(shown(point) ? point : '\uFFFD'));
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

package io.tlsrpt.inspection;

/// A stranger's text made safe to show: short, and without control, format and bidi characters.
final class Untrusted {

    /// Characters of a text that is shown.
    static final int MAX = 200;

    private Untrusted() {}

    /// What could move a cursor, hide or reorder text is written as its number, and the end of a long text is left out.
    static String shown(String text) {
        StringBuilder shown = new StringBuilder(Math.min(text.length(), MAX));
        text.codePoints().limit(MAX).forEach(character -> {
            switch (Character.getType(character)) {
                case Character.CONTROL,
                        Character.FORMAT,
                        Character.SURROGATE,
                        Character.PRIVATE_USE,
                        Character.UNASSIGNED,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR ->
                    shown.append("\\u{").append(Integer.toHexString(character)).append('}');
                default -> shown.appendCodePoint(character);
            }
        });
        return text.length() > MAX && text.codePointCount(0, text.length()) > MAX
                ? shown.append('…').toString()
                : shown.toString();
    }
}

package io.tlsrpt.ingest;

import org.jspecify.annotations.Nullable;

/// A stranger's text made safe for a log line and an answer: short, and without control, format and bidi characters.
final class Untrusted {

    private static final int MAX = 500;

    private Untrusted() {}

    static @Nullable String shown(@Nullable String text) {
        if (text == null) {
            return null;
        }
        StringBuilder shown = new StringBuilder(Math.min(text.length(), MAX));
        text.codePoints().limit(MAX).forEach(c -> {
            switch (Character.getType(c)) {
                case Character.CONTROL,
                        Character.FORMAT,
                        Character.SURROGATE,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR,
                        Character.UNASSIGNED ->
                    shown.append("\\u{").append(Integer.toHexString(c)).append('}');
                default -> shown.appendCodePoint(c);
            }
        });
        return text.length() > shown.length() && text.codePointCount(0, text.length()) > MAX
                ? shown.append('…').toString()
                : shown.toString();
    }
}

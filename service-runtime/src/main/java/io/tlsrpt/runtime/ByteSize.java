package io.tlsrpt.runtime;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A number of bytes, written `512B`, `64KiB`, `10MiB`, `1GiB`.
public record ByteSize(long bytes) {

    private static final Pattern FORM = Pattern.compile("(\\d{1,15})\\s*(B|KiB|MiB|GiB)");

    /// @throws IllegalArgumentException when the text has another form
    public static ByteSize parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("expected a size such as 64KiB, 10MiB or 1GiB");
        }
        int shift = switch (matcher.group(2)) {
            case "KiB" -> 10;
            case "MiB" -> 20;
            case "GiB" -> 30;
            default -> 0;
        };
        return new ByteSize(Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << shift));
    }

    /// As an `int`.
    ///
    /// @throws ArithmeticException over 2 GiB
    public int asInt() {
        return Math.toIntExact(bytes);
    }
}

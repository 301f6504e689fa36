package io.tlsrpt.report;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Set;

/// The characters of a document (RFC 7493 §2.1 asks for UTF-8).
final class DocumentText {

    private DocumentText() {}

    /// Whether there is nothing but white space, NUL and a byte order mark.
    static boolean isBlank(byte[] bytes) {
        for (int at = startsWithMark(bytes) ? 3 : 0; at < bytes.length; at++) {
            if (!isPadding(bytes[at])) {
                return false;
            }
        }
        return true;
    }

    private static boolean startsWithMark(byte[] bytes) {
        return bytes.length >= 3 && bytes[0] == (byte) 0xef && bytes[1] == (byte) 0xbb && bytes[2] == (byte) 0xbf;
    }

    /// Whether the first bytes can only be UTF-16 or UTF-32: JSON starts with two ASCII characters (RFC 4627 §3).
    static boolean isWide(byte[] bytes) {
        if (bytes.length < 2) {
            return false;
        }
        int first = bytes[0] & 0xff;
        int second = bytes[1] & 0xff;
        return (first == 0xfe && second == 0xff) || (first == 0xff && second == 0xfe) || first == 0 || second == 0;
    }

    /// Decodes UTF-8 without a byte order mark and without NUL or white space at the end; bytes that are no UTF-8 are
    /// Latin-1. Twice the bytes in memory at most.
    static CharBuffer decode(byte[] bytes, Set<Leniency> leniencies) {
        int start = 0;
        int end = bytes.length;
        if (startsWithMark(bytes)) {
            leniencies.add(Leniency.BYTE_ORDER_MARK);
            start = 3;
        }
        while (end > start && isPadding(bytes[end - 1])) {
            end--;
            if (bytes[end] == 0) {
                leniencies.add(Leniency.TRAILING_NUL);
            }
        }
        ByteBuffer in = ByteBuffer.wrap(bytes, start, end - start);
        CharBuffer out = CharBuffer.allocate(end - start);
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        CoderResult result = decoder.decode(in, out, true);
        while (result.isError()) {
            leniencies.add(Leniency.LATIN1_BYTES);
            for (int left = result.length(); left > 0; left--) {
                out.put((char) (in.get() & 0xff));
            }
            result = decoder.reset().decode(in, out, true);
        }
        return out.flip();
    }

    private static boolean isPadding(byte value) {
        return value == 0 || value == ' ' || value == '\n' || value == '\r' || value == '\t';
    }

    /// The text with U+FFFD for each unpaired surrogate and noncharacter.
    static String wellFormed(String text, Set<Leniency> leniencies) {
        int length = text.length();
        for (int at = 0; at < length; at++) {
            if (text.charAt(at) >= Character.MIN_SURROGATE) {
                return replaceInvalid(text, at, leniencies);
            }
        }
        return text;
    }

    private static String replaceInvalid(String text, int from, Set<Leniency> leniencies) {
        StringBuilder out = new StringBuilder(text.length()).append(text, 0, from);
        boolean replaced = false;
        for (int at = from; at < text.length(); ) {
            int character = text.codePointAt(at);
            at += Character.charCount(character);
            boolean invalid = (character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE)
                    || (character >= 0xfdd0 && character <= 0xfdef)
                    || (character & 0xfffe) == 0xfffe;
            out.appendCodePoint(invalid ? 0xfffd : character);
            replaced |= invalid;
        }
        if (replaced) {
            leniencies.add(Leniency.INVALID_CHARACTER);
        }
        return replaced ? out.toString() : text;
    }
}

package io.tlsrpt.dkim;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// `name=value; name=value`, the form of signatures and keys (RFC 6376 §3.2, with UTF-8 by RFC 8616 §5). Strict: one
/// error,
/// a duplicate name among them, and there is no list.
final class TagList {

    /// Where the raw value lies: all between `=` and `;`, white space included.
    record Span(int from, int to) {}

    private final byte[] bytes;
    private final Map<String, Span> spans = new HashMap<>();
    private String first = "";

    private TagList(byte[] bytes) {
        this.bytes = bytes;
    }

    /// Reads the bytes of a range; `null` when they are no list of tags.
    static @Nullable TagList read(byte[] bytes, int from, int to) {
        if (!isText(bytes, from, to)) {
            return null;
        }
        TagList list = new TagList(bytes);
        int at = from;
        while (true) {
            at = skipWhite(bytes, at, to);
            if (at == to) {
                return list.spans.isEmpty() ? null : list;
            }
            int name = at;
            while (at < to && isNameCharacter(bytes[at], at == name)) {
                at++;
            }
            String tag = new String(bytes, name, at - name, StandardCharsets.US_ASCII);
            at = skipWhite(bytes, at, to);
            if (tag.isEmpty() || at == to || bytes[at] != '=') {
                return null;
            }
            int value = ++at;
            while (at < to && bytes[at] != ';') {
                at++;
            }
            if (list.spans.isEmpty()) {
                list.first = tag;
            }
            if (list.spans.put(tag, new Span(value, at)) != null) {
                return null;
            }
            if (at < to) {
                at++;
            }
        }
    }

    /// The value without the white space around it, or `null` where the tag is absent.
    @Nullable
    String value(String tag) {
        Span span = spans.get(tag);
        return span == null
                ? null
                : new String(bytes, span.from(), span.to() - span.from(), StandardCharsets.UTF_8).strip();
    }

    /// The value without any white space: for base64.
    @Nullable
    String compact(String tag) {
        String value = value(tag);
        return value == null ? null : value.replaceAll("[ \t\r\n]+", "");
    }

    @Nullable
    Span span(String tag) {
        return spans.get(tag);
    }

    /// The name of the first tag.
    String first() {
        return first;
    }

    /// UTF-8 of printable characters, spaces, tabs and folds.
    private static boolean isText(byte[] bytes, int from, int to) {
        for (int at = from; at < to; at++) {
            byte b = bytes[at];
            boolean good = switch (b) {
                case '\t' -> true;
                case '\r' -> at + 1 < to && bytes[at + 1] == '\n';
                case '\n' -> at + 1 < to && isWhite(bytes[at + 1]);
                default -> b < 0 || (b >= ' ' && b < 0x7f);
            };
            if (!good) {
                return false;
            }
        }
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, from, to - from));
            return true;
        } catch (CharacterCodingException notUtf8) {
            return false;
        }
    }

    private static boolean isNameCharacter(byte b, boolean start) {
        return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (!start && ((b >= '0' && b <= '9') || b == '_'));
    }

    private static int skipWhite(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && (isWhite(bytes[at]) || bytes[at] == '\r' || bytes[at] == '\n')) {
            at++;
        }
        return at;
    }

    private static boolean isWhite(byte b) {
        return b == ' ' || b == '\t';
    }
}

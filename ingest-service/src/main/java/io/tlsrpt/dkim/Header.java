package io.tlsrpt.dkim;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Where the fields of a mail's header lie in its bytes.
final class Header {

    private static final int MAX_BYTES = 4 << 20;
    private static final int MAX_FIELDS = 10_000;

    /// One field, without its last line break.
    ///
    /// @param start   of the name
    /// @param nameEnd behind the name
    /// @param colon   at the colon
    /// @param end     behind the value
    record Field(int start, int nameEnd, int colon, int end) {}

    private final Map<String, List<Field>> byName = new HashMap<>();
    private int bodyStart;
    private boolean malformed;
    private boolean tooLarge;

    private Header() {}

    /// Reads up to the first empty line. Never fails: what cannot be read is said by [#malformed] and [#tooLarge].
    static Header read(byte[] mail) {
        Header header = new Header();
        int fields = 0;
        int at = 0;
        while (at < mail.length) {
            int next = afterLine(mail, at);
            if (contentEnd(mail, at, next) == at) {
                at = next;
                break;
            }
            while (next < mail.length && isWhite(mail[next])) {
                next = afterLine(mail, next);
            }
            if (++fields > MAX_FIELDS || next > MAX_BYTES) {
                header.tooLarge = true;
                break;
            }
            header.add(mail, at, contentEnd(mail, at, next));
            at = next;
        }
        header.bodyStart = at;
        return header;
    }

    private void add(byte[] mail, int start, int end) {
        int colon = start;
        while (colon < end && mail[colon] != ':') {
            colon++;
        }
        int nameEnd = colon;
        while (nameEnd > start && isWhite(mail[nameEnd - 1])) {
            nameEnd--;
        }
        boolean readable = colon < end && nameEnd > start;
        for (int at = start; readable && at < nameEnd; at++) {
            readable = mail[at] > ' ' && mail[at] < 0x7f;
        }
        if (!readable) {
            malformed = true;
            return;
        }
        String name = new String(mail, start, nameEnd - start, StandardCharsets.US_ASCII).toLowerCase(Locale.ROOT);
        byName.computeIfAbsent(name, unseen -> new ArrayList<>(1)).add(new Field(start, nameEnd, colon, end));
    }

    /// The fields of a name from the top.
    ///
    /// @param name lower case
    List<Field> all(String name) {
        return byName.getOrDefault(name, List.of());
    }

    /// Where the body begins: behind the empty line, or at the end of the mail.
    int bodyStart() {
        return bodyStart;
    }

    /// A line that neither is a field nor continues one.
    boolean malformed() {
        return malformed;
    }

    /// Over the limits; only what lies within them was read.
    boolean tooLarge() {
        return tooLarge;
    }

    private static int afterLine(byte[] mail, int from) {
        int at = from;
        while (at < mail.length && mail[at] != '\n') {
            at++;
        }
        return Math.min(at + 1, mail.length);
    }

    private static int contentEnd(byte[] mail, int from, int next) {
        int end = next;
        if (end > from && mail[end - 1] == '\n') {
            end--;
            if (end > from && mail[end - 1] == '\r') {
                end--;
            }
        }
        return end;
    }

    private static boolean isWhite(byte b) {
        return b == ' ' || b == '\t';
    }
}

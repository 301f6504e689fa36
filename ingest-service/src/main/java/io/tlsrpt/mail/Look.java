package io.tlsrpt.mail;

import io.tlsrpt.report.Inflation;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// What bytes look like from their beginning, whatever their label says (RFC 8460 §5.6).
///
/// @param likeness of what is inside the wrapping; of a zip nothing is known
record Look(Wrapping wrapping, Likeness likeness) {

    private static final int HEAD = 64 * 1024;
    private static final List<String> MEMBERS =
            List.of("\"policies\"", "\"date-range\"", "\"organization-name\"", "\"report-id\"");

    enum Wrapping {
        NONE,
        GZIP,
        ZIP
    }

    enum Likeness {
        /// a JSON object with a member of a report
        REPORT,
        /// too damaged or too little to tell
        UNKNOWN,
        /// something else
        OTHER
    }

    static Look at(byte[] bytes) {
        if (startsWith(bytes, 'P', 'K', 3, 4) || startsWith(bytes, 'P', 'K', 5, 6)) {
            return new Look(Wrapping.ZIP, Likeness.UNKNOWN);
        }
        if (!startsWith(bytes, 0x1f, 0x8b)) {
            return new Look(Wrapping.NONE, likeness(bytes));
        }
        byte[] inside = inflated(bytes);
        if (startsWith(inside, 0x1f, 0x8b)) {
            inside = inflated(inside);
        }
        boolean unknown = inside.length == 0 || startsWith(inside, 0x1f, 0x8b);
        return new Look(Wrapping.GZIP, unknown ? Likeness.UNKNOWN : likeness(inside));
    }

    private static byte[] inflated(byte[] bytes) {
        return switch (Inflation.of(bytes, HEAD)) {
            case Inflation.Inflated whole -> whole.document();
            case Inflation.Refused part -> part.head();
        };
    }

    private static Likeness likeness(byte[] bytes) {
        int length = Math.min(bytes.length, HEAD);
        int start = startsWith(bytes, 0xef, 0xbb, 0xbf) ? 3 : 0;
        while (start < length && bytes[start] >= 0 && bytes[start] <= ' ') {
            start++;
        }
        if (start == length || bytes[start] != '{') {
            return Likeness.OTHER;
        }
        String head = new String(bytes, start, length - start, StandardCharsets.ISO_8859_1);
        return MEMBERS.stream().anyMatch(head::contains) ? Likeness.REPORT : Likeness.UNKNOWN;
    }

    private static boolean startsWith(byte[] bytes, int... magic) {
        if (bytes.length < magic.length) {
            return false;
        }
        for (int at = 0; at < magic.length; at++) {
            if ((bytes[at] & 0xff) != magic[at]) {
                return false;
            }
        }
        return true;
    }
}

package io.tlsrpt.ingest;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/// What a file is, by how it begins.
enum FileKind {
    ZIP,
    TAR,
    GZIP,
    /// mails one after the other, each behind a line `From …` (RFC 4155)
    MBOX,
    /// a mail by itself, as in `.eml` files and Maildirs
    MAIL,
    /// a mail in Microsoft's own format, which nobody here reads
    OUTLOOK,
    OTHER;

    /// Bytes that decide.
    static final int HEAD_BYTES = 8 * 1024;

    private static final int TAR_HEADER = 512;
    private static final Pattern FROM_LINE =
            Pattern.compile("From .{0,500}\\d{1,2}:\\d{2}(:\\d{2})?.{0,100}\\d{4}.{0,40}");
    private static final Pattern FIELD = Pattern.compile("[!-9;-~]{1,76}[ \\t]*:.*");
    /// At least one of these is in the head of every mail.
    private static final Set<String> USUAL = Set.of(
            "from",
            "to",
            "date",
            "subject",
            "received",
            "return-path",
            "message-id",
            "mime-version",
            "content-type",
            "delivered-to",
            "dkim-signature",
            "tls-report-domain");

    static FileKind of(byte[] head) {
        if (startsWith(head, 'P', 'K', 3, 4) || startsWith(head, 'P', 'K', 5, 6)) {
            return ZIP;
        }
        if (startsWith(head, 0x1f, 0x8b)) {
            return GZIP;
        }
        if (startsWith(head, 0xd0, 0xcf, 0x11, 0xe0)) {
            return OUTLOOK;
        }
        if (head.length >= TAR_HEADER && TarArchiveInputStream.matches(head, head.length)) {
            return TAR;
        }
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (isFromLine(text.lines().findFirst().orElse(""))) {
            return MBOX;
        }
        return isMailHead(text) ? MAIL : OTHER;
    }

    /// Whether a line of an mbox file begins a mail: `From `, perhaps a sender, and a time and a year. A line of a
    /// mail's
    /// text that begins with the word is not taken for one.
    static boolean isFromLine(String line) {
        return line.startsWith("From ") && FROM_LINE.matcher(line).matches();
    }

    private static boolean isMailHead(String text) {
        boolean usual = false;
        boolean first = true;
        for (String line : (Iterable<String>) text.lines()::iterator) {
            if (line.isEmpty()) {
                break;
            }
            boolean folded = line.charAt(0) == ' ' || line.charAt(0) == '\t';
            if (folded && !first) {
                continue;
            }
            if (folded || !FIELD.matcher(line).matches()) {
                // one odd line in a head that is one otherwise does no harm; the last may be cut
                return usual;
            }
            usual |= USUAL.contains(line.substring(0, line.indexOf(':')).strip().toLowerCase(Locale.ROOT));
            first = false;
        }
        return usual;
    }

    private static boolean startsWith(byte[] head, int... magic) {
        if (head.length < magic.length) {
            return false;
        }
        for (int at = 0; at < magic.length; at++) {
            if ((head[at] & 0xff) != magic[at]) {
                return false;
            }
        }
        return true;
    }
}

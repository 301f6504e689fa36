package io.tlsrpt.ingest;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The mails of an mbox file (RFC 4155), one at a time: `mboxo`, and `mboxrd` with its `>From ` lines unquoted.
final class Mbox {

    private static final int MAX_FROM_LINE = 700;
    private static final byte[] FROM = "From ".getBytes(StandardCharsets.US_ASCII);

    private final InputStream in;
    private final int mailBytes;
    private final ByteArrayOutputStream mail = new ByteArrayOutputStream();
    private int number;
    private boolean cut;

    /// Who is told.
    interface Sink {

        /// @param number counted from 1
        /// @param cut whether the mail was longer, and these bytes are its head
        void mail(int number, byte[] bytes, boolean cut) throws IOException, InterruptedException;
    }

    private Mbox(InputStream in, int mailBytes) {
        this.in = in;
        this.mailBytes = mailBytes;
    }

    /// @param mailBytes of one mail; the rest of a longer one is passed over
    static void read(InputStream file, int mailBytes, Sink sink) throws IOException, InterruptedException {
        new Mbox(new BufferedInputStream(file, 64 * 1024), mailBytes).read(sink);
    }

    private void read(Sink sink) throws IOException, InterruptedException {
        boolean afterBlank = true;
        byte[] start = lineStart();
        while (start.length > 0) {
            boolean blank = isBlank(start);
            if (afterBlank && isFromLine(start)) {
                end(sink);
                number++;
            } else {
                add(unquoted(start));
            }
            if (start[start.length - 1] != '\n') {
                restOfLine();
            }
            afterBlank = blank;
            start = lineStart();
        }
        end(sink);
    }

    /// The line's first bytes, its end included where it is that short.
    private byte[] lineStart() throws IOException {
        byte[] start = new byte[MAX_FROM_LINE];
        int length = 0;
        while (length < start.length) {
            int next = in.read();
            if (next < 0) {
                break;
            }
            start[length++] = (byte) next;
            if (next == '\n') {
                break;
            }
        }
        return Arrays.copyOf(start, length);
    }

    private void restOfLine() throws IOException {
        for (int next = in.read(); next >= 0; next = in.read()) {
            add((byte) next);
            if (next == '\n') {
                return;
            }
        }
    }

    private void end(Sink sink) throws IOException, InterruptedException {
        if (number > 0) {
            byte[] bytes = mail.toByteArray();
            sink.mail(number, cut ? Arrays.copyOf(bytes, Math.min(bytes.length, Submission.HEAD_BYTES)) : bytes, cut);
        }
        mail.reset();
        cut = false;
    }

    private void add(byte[] bytes) {
        for (byte each : bytes) {
            add(each);
        }
    }

    private void add(byte each) {
        if (mail.size() == mailBytes) {
            cut = true;
        } else {
            mail.write(each);
        }
    }

    private static boolean isBlank(byte[] line) {
        return (line.length == 1 && line[0] == '\n') || (line.length == 2 && line[0] == '\r' && line[1] == '\n');
    }

    private static boolean isFromLine(byte[] line) {
        return Arrays.mismatch(line, FROM) == FROM.length
                && FileKind.isFromLine(new String(line, StandardCharsets.ISO_8859_1).stripTrailing());
    }

    /// `>From ` was `From ` when the mail was filed, `>>From ` was `>From `.
    private static byte[] unquoted(byte[] line) {
        int quotes = 0;
        while (quotes < line.length && line[quotes] == '>') {
            quotes++;
        }
        boolean quoted = quotes > 0
                && line.length - quotes >= FROM.length
                && Arrays.equals(line, quotes, quotes + FROM.length, FROM, 0, FROM.length);
        return quoted ? Arrays.copyOfRange(line, 1, line.length) : line;
    }
}

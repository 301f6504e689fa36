package io.tlsrpt.inspection;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// What an SMTP server says (RFC 5321 §4.2), a reply at a time: at most 1,000 bytes in a line, 100 lines in a reply,
/// 64 KiB in all. It reads not one byte more than the reply has, because TLS may follow.
final class SmtpReplies {

    private static final int MOST_IN_A_LINE = 1_000;
    private static final int MOST_LINES = 100;
    private static final int MOST_BYTES = 64 * 1024;

    private final InputStream in;
    private int bytes;

    SmtpReplies(InputStream in) {
        this.in = in;
    }

    /// One reply.
    ///
    /// @param lines without code and line end; at least one
    record Reply(int code, List<String> lines) {

        Reply {
            lines = List.copyOf(lines);
        }

        String text() {
            return String.join(" ", lines);
        }

        /// Fit for a person's eyes.
        String shown() {
            return Untrusted.shown((code + " " + text()).strip());
        }

        /// The first word of every line but the first, in upper case: the extensions of an answer to EHLO.
        Stream<String> keywords() {
            return lines.stream().skip(1).map(line -> {
                int end = line.indexOf(' ');
                return (end < 0 ? line : line.substring(0, end)).toUpperCase(Locale.ROOT);
            });
        }
    }

    /// @throws IOException when there is none, it is none, or it exceeds the limits; says which
    Reply next() throws IOException {
        List<String> lines = new ArrayList<>();
        int code = -1;
        while (lines.size() < MOST_LINES) {
            String line = line();
            int thisCode = code(line);
            if (code >= 0 && code != thisCode) {
                throw new IOException("a reply of several codes: \"" + line + "\"");
            }
            code = thisCode;
            lines.add(line.length() > 4 ? line.substring(4).stripTrailing() : "");
            if (line.length() == 3 || line.charAt(3) == ' ') {
                return new Reply(code, lines);
            }
        }
        throw new IOException("a reply of more than " + MOST_LINES + " lines");
    }

    private static int code(String line) throws IOException {
        boolean good = line.length() >= 3
                && line.charAt(0) >= '2'
                && line.charAt(0) <= '5'
                && line.chars().limit(3).allMatch(c -> c >= '0' && c <= '9')
                && (line.length() == 3 || line.charAt(3) == ' ' || line.charAt(3) == '-');
        if (!good) {
            throw new IOException("no SMTP reply: \"" + line + "\"");
        }
        return Integer.parseInt(line, 0, 3, 10);
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(80);
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new EOFException("the server closed the connection");
            }
            if (line.size() == MOST_IN_A_LINE) {
                throw new IOException("a line of more than " + MOST_IN_A_LINE + " bytes");
            }
            if (++bytes > MOST_BYTES) {
                throw new IOException("more than " + MOST_BYTES / 1024 + " KiB of replies");
            }
            line.write(next);
        }
        String text = line.toString(StandardCharsets.UTF_8);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }
}

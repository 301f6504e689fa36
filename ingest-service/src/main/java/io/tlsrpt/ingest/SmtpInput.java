package io.tlsrpt.ingest;

import java.io.EOFException;
import java.io.Flushable;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// What a peer says: command lines, and mails up to their end (RFC 5321 §2.3.8, §4.5.2).
///
/// Only CRLF ends a line and only CRLF "." CRLF ends a mail. Whoever takes a bare CR or LF for either disagrees with
/// other servers about where a mail ends, and that is how mails are smuggled.
final class SmtpInput {

    /// A command line. RFC 5321 §4.5.3.1.4 asks for 512 bytes, and its extensions for some more.
    static final int MAX_LINE = 2048;

    /// A mail may take this long at least, and longer only while it comes faster than [#MIN_BYTES_PER_SECOND].
    private static final int MIN_BYTES_PER_SECOND = 4096;

    private static final int BUFFER = 16 * 1024;

    /// What came of reading a line.
    sealed interface Line {
        record Command(String text) implements Line {}

        record TooLong() implements Line {}

        /// It holds a CR or LF that is not part of its end.
        record BareEnd() implements Line {}
    }

    /// What came of reading a mail.
    enum Received {
        WHOLE,
        /// longer than the limit, read to its end; the head is held
        CUT,
        /// read to its end, nothing is held
        NO_ROOM,
        /// so long that reading stopped before its end
        ENDLESS
    }

    private enum At {
        LINE_START,
        INSIDE,
        CR,
        DOT,
        DOT_CR
    }

    private final InputStream in;
    private final Flushable beforeWaiting;
    private final Duration timeout;
    private final byte[] buffer = new byte[BUFFER];
    private int next;
    private int limit;

    /// @param in each of its reads ends with SocketTimeoutException when the peer is silent too long
    /// @param beforeWaiting answers that must be out before we wait for the peer, and not before (RFC 2920 §3.2)
    /// @param timeout for one command line, from its first byte
    SmtpInput(InputStream in, Flushable beforeWaiting, Duration timeout) {
        this.in = in;
        this.beforeWaiting = beforeWaiting;
        this.timeout = timeout;
    }

    /// Whether the peer said more than was asked for.
    boolean isAhead() {
        return next < limit;
    }

    /// @throws EOFException when the peer is gone
    /// @throws SocketTimeoutException when it is too slow
    Line line() throws IOException {
        byte[] line = new byte[128];
        int length = 0;
        long end = 0;
        while (true) {
            if (next == limit) {
                fill();
                long now = System.nanoTime();
                if (end == 0) {
                    end = now + timeout.toNanos();
                } else if (now - end > 0) {
                    throw new SocketTimeoutException("a command took too long");
                }
            }
            byte each = buffer[next++];
            boolean afterCr = length > 0 && line[length - 1] == '\r';
            if (afterCr && each == '\n') {
                return new Line.Command(new String(line, 0, length - 1, StandardCharsets.UTF_8));
            }
            if (afterCr || each == '\n') {
                return new Line.BareEnd();
            }
            if (length == MAX_LINE) {
                return new Line.TooLong();
            }
            if (length == line.length) {
                line = java.util.Arrays.copyOf(line, length * 2);
            }
            line[length++] = each;
        }
    }

    /// Reads a mail to its end, with the dots that the peer doubled made single, and not a byte changed otherwise.
    ///
    /// @param held what becomes of its bytes
    /// @param maxBytes over it only the head is held
    /// @param head of a mail that is too long
    /// @param endless over it nothing is read any more
    /// @throws EOFException when the peer is gone
    /// @throws SocketTimeoutException when it is too slow
    Received mail(MailRoom.Held held, long maxBytes, int head, long endless) throws IOException, InterruptedException {
        Received received = Received.WHOLE;
        At at = At.LINE_START;
        long start = System.nanoTime();
        long total = 0;
        while (true) {
            if (next == limit) {
                fill();
                long allowed = 2 * timeout.toNanos() + total / MIN_BYTES_PER_SECOND * 1_000_000_000L;
                if (System.nanoTime() - start > allowed) {
                    throw new SocketTimeoutException("a mail took too long");
                }
            }
            int from = next;
            boolean lostCr = false;
            scan:
            while (next < limit) {
                byte each = buffer[next];
                switch (at) {
                    case LINE_START -> {
                        if (each == '.') {
                            at = At.DOT;
                            break scan; // what came before the dot is taken, the dot is not
                        }
                        at = after(each);
                    }
                    case INSIDE -> at = after(each);
                    case CR -> at = each == '\n' ? At.LINE_START : after(each);
                    case DOT -> {
                        if (each == '\r') {
                            at = At.DOT_CR;
                            break scan;
                        }
                        at = after(each);
                    }
                    case DOT_CR -> {
                        if (each == '\n') {
                            next++;
                            return received;
                        }
                        at = At.CR; // that CR was the mail's own; this byte is looked at again
                        lostCr = true;
                        break scan;
                    }
                }
                next++;
            }
            int count = lostCr ? 1 : next - from;
            byte[] bytes = lostCr ? new byte[] {'\r'} : buffer;
            total += count;
            if (total > endless) {
                return Received.ENDLESS;
            }
            if (received == Received.WHOLE) {
                if (total > maxBytes) {
                    received = Received.CUT;
                    held.keepOnly(head);
                } else if (!held.append(bytes, lostCr ? 0 : from, count)) {
                    received = Received.NO_ROOM;
                }
            }
            if (!lostCr && next < limit) {
                next++; // the dot, or the CR after it
            }
        }
    }

    private static At after(byte each) {
        return each == '\r' ? At.CR : At.INSIDE;
    }

    private void fill() throws IOException {
        beforeWaiting.flush();
        next = 0;
        limit = 0;
        int read = in.read(buffer);
        if (read < 0) {
            throw new EOFException("the peer closed the connection");
        }
        limit = read;
    }
}

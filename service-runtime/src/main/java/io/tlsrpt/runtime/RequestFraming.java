package io.tlsrpt.runtime;

import io.helidon.http.DirectHandler.EventType;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.ServerConnectionException;
import java.io.ByteArrayOutputStream;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The requests of one connection in the only form the server is ever shown: HTTP/1.1, heads whole, chunks small.
///
/// - A request is handed on when its head is complete, at most 16 KiB of it. HTTP/1.0, which older proxies speak,
///   becomes 1.1 with `Connection: close`.
/// - Chunks of any length (the sender may say up to 2^60) become chunks of at most 16 KiB as their bytes arrive;
///   chunk extensions and trailers are dropped.
/// - Whatever two readers could delimit differently is refused (RFC 9112 §6.3, §11.2): both `Content-Length` and
///   `Transfer-Encoding`, lines that end without CR LF, a length that is no number.
/// - A sender may keep us waiting 20 s for a request, and one second more for each KiB that came of it. The time in
///   which nobody reads does not count, nor that between requests.
///
/// What is refused is a [RequestException] with its status. After it, and after a request that asks to close, no more
/// is handed on.
final class RequestFraming implements Supplier<byte @Nullable []> {

    static final int MAX_HEAD_BYTES = 16 * 1024;
    static final int MAX_CHUNK_BYTES = 16 * 1024;
    private static final int MAX_CHUNK_LINE_BYTES = 1024;
    private static final long PATIENCE = Duration.ofSeconds(20).toNanos();
    private static final long PATIENCE_PER_BYTE = Duration.ofSeconds(1).toNanos() / 1024;

    private static final Status HEAD_TOO_LARGE = Status.create(431, "Request Header Fields Too Large");
    private static final byte[] NOTHING = new byte[0];
    private static final String TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
    private static final Pattern REQUEST_LINE = Pattern.compile("(" + TOKEN + " [^ \t]+) (HTTP/\\d\\.\\d)");
    private static final Pattern HEADER = Pattern.compile("(" + TOKEN + "):[ \t]*(.*?)[ \t]*");
    private static final Pattern LENGTH = Pattern.compile("\\d{1,18}");
    private static final Pattern CHUNK_SIZE = Pattern.compile("([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?");

    /// What an HTTP/1.0 request says of its connection is answered by closing it.
    private static final Set<String> NOT_FROM_1_0 =
            Set.of("connection", "keep-alive", "proxy-connection", "expect", "upgrade", "te");

    private enum State {
        HEAD,
        LENGTH,
        CHUNK_SIZE,
        CHUNK_DATA,
        CHUNK_END,
        TRAILERS,
        OVER
    }

    private final Supplier<byte @Nullable []> socket;
    private final LongSupplier nanos;

    private byte[] block = NOTHING;
    private int at;
    private boolean silent;

    private State state = State.HEAD;
    private boolean begun;
    private boolean goAheadAwaited;
    private boolean closing;
    private long waited;
    private long received;

    private byte[] line = new byte[256];
    private int lineLength;
    private int lineBytes;
    private List<String> head = new ArrayList<>();
    private long remaining;

    /// @param socket the next bytes, null at their end
    /// @param nanos as [System#nanoTime]
    RequestFraming(Supplier<byte @Nullable []> socket, LongSupplier nanos) {
        this.socket = socket;
        this.nanos = nanos;
    }

    /// The next bytes, at least one; null when there are no more.
    @Override
    public byte @Nullable [] get() {
        while (state != State.OVER) {
            if (at == block.length && !more()) {
                if (state == State.HEAD && begun) {
                    throw refused(Status.BAD_REQUEST_400, "the request ends within its head");
                }
                state = State.OVER;
                return null;
            }
            byte[] bytes = switch (state) {
                case HEAD -> head();
                case LENGTH -> body();
                default -> chunks();
            };
            if (bytes.length > 0) {
                return bytes;
            }
        }
        return null;
    }

    /// Whether the sender may still be sending what nobody will read.
    boolean unread() {
        return !silent && (at < block.length || (begun && !goAheadAwaited));
    }

    /// Reads on without looking, and returns how many bytes; none when nothing comes any more.
    int discard() {
        int bytes = block.length - at;
        at = block.length;
        if (bytes == 0 && !silent) {
            byte[] read = socket.get();
            silent = read == null;
            bytes = read == null ? 0 : read.length;
        }
        return bytes;
    }

    private boolean more() {
        if (silent) {
            return false;
        }
        long before = nanos.getAsLong();
        byte[] read = read();
        if (read == null) {
            silent = true;
            return false;
        }
        if (begun) {
            goAheadAwaited = false;
            waited += nanos.getAsLong() - before;
            received += read.length;
            if (waited > PATIENCE + received * PATIENCE_PER_BYTE) {
                throw refused(Status.REQUEST_TIMEOUT_408, "the request comes too slowly");
            }
        }
        block = read;
        at = 0;
        return true;
    }

    /// Between requests a timeout is none: how long a connection may be idle is not decided here.
    private byte @Nullable [] read() {
        while (true) {
            try {
                return socket.get();
            } catch (ServerConnectionException broken) {
                if (!timedOut(broken)) {
                    silent = true;
                    throw broken;
                }
                if (begun) {
                    silent = true;
                    throw refused(Status.REQUEST_TIMEOUT_408, "nothing came any more");
                }
            }
        }
    }

    private static boolean timedOut(Throwable broken) {
        for (Throwable cause = broken; cause != null; cause = cause.getCause()) {
            if (cause instanceof SocketTimeoutException) {
                return true;
            }
        }
        return false;
    }

    private byte[] head() {
        while (true) {
            String next = line(MAX_HEAD_BYTES, head.isEmpty() ? Status.REQUEST_URI_TOO_LONG_414 : HEAD_TOO_LARGE);
            if (next == null) {
                begun = lineLength > 0 || !head.isEmpty();
                return NOTHING;
            }
            if (!next.isEmpty()) {
                head.add(next);
            } else if (!head.isEmpty()) {
                begun = true;
                byte[] bytes = opened(head).getBytes(StandardCharsets.ISO_8859_1);
                head = new ArrayList<>();
                return bytes;
            }
            // an empty line before a request is nothing (RFC 9112 §2.2)
        }
    }

    /// Decides how long the body is, and returns the head for the server.
    private String opened(List<String> lines) {
        Matcher requestLine = REQUEST_LINE.matcher(lines.getFirst());
        if (!requestLine.matches()) {
            throw malformed("no request line");
        }
        String version = requestLine.group(2);
        boolean old = version.equals("HTTP/1.0");
        if (!old && !version.equals("HTTP/1.1")) {
            throw refused(Status.HTTP_VERSION_NOT_SUPPORTED_505, "only HTTP/1.1 and 1.0");
        }
        StringBuilder out = new StringBuilder(requestLine.group(1)).append(" HTTP/1.1\r\n");
        String length = null;
        String coding = null;
        boolean host = false;
        closing = old;
        for (String each : lines.subList(1, lines.size())) {
            Matcher header = HEADER.matcher(each);
            if (!header.matches()) {
                throw malformed("a line of the head is no header");
            }
            String name = header.group(1).toLowerCase(Locale.ROOT);
            String value = header.group(2);
            switch (name) {
                case "content-length" -> length = once(length, value);
                case "transfer-encoding" -> coding = once(coding, value);
                case "connection" -> closing |= says(value, "close");
                case "expect" -> goAheadAwaited |= !old && says(value, "100-continue");
                case "host" -> host = true;
                default -> {
                    // none of our business
                }
            }
            if (!old || !NOT_FROM_1_0.contains(name)) {
                out.append(each).append("\r\n");
            }
        }
        if (old) {
            out.append("Connection: close\r\n");
            if (!host) {
                out.append("Host: none.invalid\r\n"); // required from 1.1 on; a name that is nobody's (RFC 2606)
            }
        }
        if (coding != null) {
            if (length != null || old) {
                throw malformed("Transfer-Encoding with Content-Length, or with HTTP/1.0");
            }
            if (!coding.equalsIgnoreCase("chunked")) {
                throw refused(Status.NOT_IMPLEMENTED_501, "no transfer coding but chunked is known");
            }
            state = State.CHUNK_SIZE;
            lineBytes = 0;
        } else if (length != null) {
            if (!LENGTH.matcher(length).matches()) {
                throw malformed("Content-Length is no number");
            }
            remaining = Long.parseLong(length);
            state = State.LENGTH;
        }
        if (coding == null && remaining == 0) {
            over();
        }
        return out.append("\r\n").toString();
    }

    private String once(@Nullable String before, String value) {
        if (before != null) {
            throw malformed("the length of the body is said twice");
        }
        return value;
    }

    private static boolean says(String list, String token) {
        return Arrays.stream(list.split(",")).anyMatch(each -> each.strip().equalsIgnoreCase(token));
    }

    /// The request is complete.
    private void over() {
        state = closing ? State.OVER : State.HEAD;
        begun = false;
        goAheadAwaited = false;
        waited = 0;
        received = 0;
        lineBytes = 0;
    }

    private byte[] body() {
        int length = (int) Math.min(remaining, block.length - at);
        byte[] bytes = Arrays.copyOfRange(block, at, at + length);
        at += length;
        remaining -= length;
        if (remaining == 0) {
            over();
        }
        return bytes;
    }

    /// What is here of the body, as one chunk; with the last chunk when the body ends here.
    private byte[] chunks() {
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        boolean ended = false;
        while (!ended && at < block.length && data.size() < MAX_CHUNK_BYTES) {
            switch (state) {
                case CHUNK_SIZE -> {
                    String size = line(MAX_CHUNK_LINE_BYTES, Status.BAD_REQUEST_400);
                    if (size != null) {
                        remaining = chunkSize(size);
                        state = remaining == 0 ? State.TRAILERS : State.CHUNK_DATA;
                        lineBytes = 0;
                    }
                }
                case CHUNK_DATA -> {
                    int length = (int) Math.min(remaining, Math.min(block.length - at, MAX_CHUNK_BYTES - data.size()));
                    data.write(block, at, length);
                    at += length;
                    remaining -= length;
                    if (remaining == 0) {
                        state = State.CHUNK_END;
                    }
                }
                case CHUNK_END -> {
                    if (line(1, Status.BAD_REQUEST_400) != null) {
                        state = State.CHUNK_SIZE;
                        lineBytes = 0;
                    }
                }
                default -> {
                    String trailer = line(MAX_HEAD_BYTES, HEAD_TOO_LARGE);
                    ended = trailer != null && trailer.isEmpty();
                }
            }
        }
        StringBuilder before = new StringBuilder();
        if (data.size() > 0) {
            before.append(Integer.toHexString(data.size())).append("\r\n");
        }
        String after = (data.size() > 0 ? "\r\n" : "") + (ended ? "0\r\n\r\n" : "");
        if (ended) {
            over();
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(data.size() + 16);
        out.writeBytes(before.toString().getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(data.toByteArray());
        out.writeBytes(after.getBytes(StandardCharsets.US_ASCII));
        return out.toByteArray();
    }

    private long chunkSize(String text) {
        Matcher size = CHUNK_SIZE.matcher(text);
        if (!size.matches()) {
            throw malformed("the size of a chunk is no hexadecimal number");
        }
        return Long.parseLong(size.group(1), 16);
    }

    /// The next line without its end, or null when more must be read first.
    ///
    /// @param atMost bytes of all lines since `lineBytes` was set back, with CR and without LF
    private @Nullable String line(int atMost, Status otherwise) {
        while (at < block.length) {
            byte next = block[at++];
            boolean afterCr = lineLength > 0 && line[lineLength - 1] == '\r';
            if (next == '\n') {
                if (!afterCr) {
                    throw malformed("a line ends without CR");
                }
                String text = new String(line, 0, lineLength - 1, StandardCharsets.ISO_8859_1);
                lineLength = 0;
                return text;
            }
            if (afterCr || (next >= 0 && next < ' ' && next != '\t' && next != '\r') || next == 0x7f) {
                throw malformed("a control character");
            }
            if (++lineBytes > atMost) {
                throw refused(otherwise, "a line or the head is too long");
            }
            if (lineLength == line.length) {
                line = Arrays.copyOf(line, 2 * lineLength);
            }
            line[lineLength++] = next;
        }
        return null;
    }

    private RequestException malformed(String why) {
        return refused(Status.BAD_REQUEST_400, why);
    }

    private RequestException refused(Status status, String why) {
        state = State.OVER;
        begun = true;
        return RequestException.builder()
                .type(EventType.BAD_REQUEST)
                .status(status)
                .setKeepAlive(false)
                .message(why)
                .build();
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.inspection.AddressGuard;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/// One HTTP/1.1 request to an address of the configuration, for the receivers that are spoken to by HTTP.
///
/// - The name is resolved once. Unless private addresses are allowed each of its addresses must be public, and these
///   very addresses are connected to: no second answer of the DNS can aim the request elsewhere. This is why it is not
///   the JDK's client, which resolves for itself.
/// - TLS always checks the certificate against the name and the authorities of the Java installation.
/// - Redirects are not followed.
/// - All of it ends within the timeout, whatever the other side does, but for the look-up of the name.
/// - Of the answer only status and `Retry-After` count, unless the kind needs the first bytes of the body.
///
/// The address is a secret: no detail and no exception names it.
final class OutgoingHttp {

    private static final int MAX_HEAD = 32 * 1024;
    private static final int MAX_ADDRESSES = 4;
    private static final Duration CONNECT = Duration.ofSeconds(10);

    private final URI address;
    private final boolean privateAllowed;
    private final Duration timeout;

    /// @param address absolute, `http` or `https`
    OutgoingHttp(URI address, boolean privateAllowed, Duration timeout) {
        this.address = address;
        this.privateAllowed = privateAllowed;
        this.timeout = timeout;
    }

    /// How it ended, and the head of the answer's body as far as it was asked for.
    record Exchange(Attempt attempt, String answer) {}

    /// Posts JSON and does not look at the answer's body.
    Attempt post(Map<String, String> headers, byte[] body, Instant now) {
        return post(headers, body, 0, now).attempt();
    }

    /// Posts JSON.
    ///
    /// @param read bytes of the answer's body that are wanted at most
    Exchange post(Map<String, String> headers, byte[] body, int read, Instant now) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("content-type", "application/json");
        all.put("content-length", Integer.toString(body.length));
        all.putAll(headers);
        return exchange("POST", all, body, read, now);
    }

    /// Asks for the address and does not look at the answer's body.
    Attempt get(Instant now) {
        return exchange("GET", Map.of(), new byte[0], 0, now).attempt();
    }

    private Exchange exchange(String method, Map<String, String> headers, byte[] body, int read, Instant now) {
        try {
            List<InetAddress> addresses = List.of(InetAddress.getAllByName(address.getHost()));
            if (!privateAllowed && !addresses.stream().allMatch(AddressGuard::isPublic)) {
                return ended(Result.FORBIDDEN, "not a public address; see allow-private-addresses");
            }
            return exchange(addresses, request(method, headers, body), read, now);
        } catch (UnknownHostException unknown) {
            return ended(Result.UNREACHABLE, "host unknown");
        }
    }

    private Exchange exchange(List<InetAddress> addresses, byte[] request, int read, Instant now) {
        Stage stage = new Stage();
        try (Deadline deadline = new Deadline(timeout)) {
            try (Socket plain = connect(addresses, deadline)) {
                stage.connected = true;
                try (Socket socket = secured(plain)) {
                    stage.secured = true;
                    OutputStream out = socket.getOutputStream();
                    out.write(request);
                    out.flush();
                    return answer(new BufferedInputStream(socket.getInputStream()), read, now);
                }
            } catch (NoHttp strange) {
                return ended(Result.SERVER_ERROR, "the answer is not HTTP");
            } catch (IOException broken) {
                if (!stage.connected) {
                    return ended(Result.UNREACHABLE, deadline.passed() ? "no connection in time" : "no connection");
                }
                if (deadline.passed()) {
                    return ended(Result.TIMEOUT, "no answer within " + timeout.toMillis() / 1000.0 + " s");
                }
                return !stage.secured && broken instanceof SSLException
                        ? ended(Result.UNREACHABLE, "TLS handshake failed")
                        : ended(Result.BROKEN, "connection broke");
            }
        }
    }

    private static final class Stage {
        private boolean connected;
        private boolean secured;
    }

    private static Exchange ended(Result result, String detail) {
        return new Exchange(Attempt.of(result, detail), "");
    }

    /// Tries the addresses in their order.
    private Socket connect(List<InetAddress> addresses, Deadline deadline) throws IOException {
        int port = address.getPort() >= 0 ? address.getPort() : isHttps() ? 443 : 80;
        int wait = (int) Math.min(CONNECT.toMillis(), timeout.toMillis());
        IOException last = new IOException("no address");
        for (InetAddress each : addresses.subList(0, Math.min(addresses.size(), MAX_ADDRESSES))) {
            Socket socket = new Socket();
            deadline.closes(socket);
            try {
                socket.connect(new InetSocketAddress(each, port), wait);
                socket.setTcpNoDelay(true);
                return socket;
            } catch (IOException failed) {
                socket.close();
                last = failed;
                if (deadline.passed()) {
                    break;
                }
            }
        }
        throw last;
    }

    private boolean isHttps() {
        return "https".equalsIgnoreCase(address.getScheme());
    }

    private Socket secured(Socket plain) throws IOException {
        if (!isHttps()) {
            return plain;
        }
        SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
        SSLSocket secured = (SSLSocket) factory.createSocket(plain, address.getHost(), plain.getPort(), true);
        SSLParameters parameters = secured.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        secured.setSSLParameters(parameters);
        secured.startHandshake();
        return secured;
    }

    private byte[] request(String method, Map<String, String> headers, byte[] body) {
        String path = address.getRawPath() == null || address.getRawPath().isEmpty() ? "/" : address.getRawPath();
        String query = address.getRawQuery() == null ? "" : "?" + address.getRawQuery();
        String host = address.getHost() + (address.getPort() >= 0 ? ":" + address.getPort() : "");
        StringBuilder head = new StringBuilder()
                .append(method)
                .append(' ')
                .append(asciiOnly(path + query))
                .append(" HTTP/1.1\r\nhost: ")
                .append(host)
                .append("\r\nuser-agent: tlsrpt\r\naccept: */*\r\nconnection: close\r\n");
        headers.forEach((name, value) ->
                head.append(name).append(": ").append(oneLine(value)).append("\r\n"));
        head.append("\r\n");
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(head.toString().getBytes(StandardCharsets.US_ASCII));
        request.writeBytes(body);
        return request.toByteArray();
    }

    private static String asciiOnly(String target) {
        return URI.create(target).toASCIIString();
    }

    private static String oneLine(String value) {
        if (value.chars().anyMatch(letter -> letter < ' ' || letter > '~')) {
            throw new IllegalArgumentException("a header holds printable ASCII only");
        }
        return value;
    }

    /// What came back is no HTTP, or more of it than anybody needs.
    private static final class NoHttp extends IOException {
        private static final long serialVersionUID = 1;
    }

    private static Exchange answer(InputStream in, int read, Instant now) throws IOException {
        Head head = Head.read(in);
        while (head.status < 200) {
            head = Head.read(in);
        }
        Attempt attempt = judged(head.status, head.fields.get("retry-after"), now);
        return new Exchange(attempt, read == 0 ? "" : body(in, head, read));
    }

    /// Status line and header fields of an answer, names in lower case.
    private record Head(int status, Map<String, String> fields) {

        static Head read(InputStream in) throws IOException {
            int[] left = {MAX_HEAD};
            String[] status = line(in, left).split(" ", 3);
            if (status.length < 2 || !status[0].matches("HTTP/1\\.[01]") || !status[1].matches("[1-9][0-9]{2}")) {
                throw new NoHttp();
            }
            Map<String, String> fields = new LinkedHashMap<>();
            for (String line = line(in, left); !line.isEmpty(); line = line(in, left)) {
                int colon = line.indexOf(':');
                if (colon > 0) {
                    fields.putIfAbsent(
                            line.substring(0, colon).toLowerCase(Locale.ROOT),
                            line.substring(colon + 1).strip());
                }
            }
            return new Head(Integer.parseInt(status[1]), fields);
        }
    }

    private static String line(InputStream in, int[] left) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new IOException("ended early");
            }
            left[0]--;
            if (left[0] < 0) {
                throw new NoHttp();
            }
            line.write(next);
        }
        return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
    }

    private static String body(InputStream in, Head head, int read) throws IOException {
        if ("chunked".equalsIgnoreCase(head.fields.get("transfer-encoding"))) {
            return new String(chunks(in, read), StandardCharsets.UTF_8);
        }
        String length = head.fields.get("content-length");
        int most = length != null && length.matches("[0-9]{1,9}") ? Math.min(read, Integer.parseInt(length)) : read;
        return new String(in.readNBytes(most), StandardCharsets.UTF_8);
    }

    private static byte[] chunks(InputStream in, int read) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        int[] left = {MAX_HEAD};
        while (body.size() < read) {
            String size = line(in, left).split(";", 2)[0].strip();
            if (!size.matches("[0-9a-fA-F]{1,7}")) {
                throw new NoHttp();
            }
            int chunk = Integer.parseInt(size, 16);
            if (chunk == 0) {
                break;
            }
            byte[] bytes = in.readNBytes(Math.min(chunk, read - body.size()));
            body.writeBytes(bytes);
            if (bytes.length < chunk) {
                break;
            }
            line(in, left);
        }
        return Arrays.copyOf(body.toByteArray(), Math.min(body.size(), read));
    }

    private static Attempt judged(int status, @Nullable String retry, Instant now) {
        Duration retryAfter = retry == null ? null : retryAfter(retry, now);
        String detail = "status " + status;
        return switch (status) {
            case 410 -> Attempt.of(Result.GONE, detail);
            case 408, 425, 429 -> new Attempt(Result.THROTTLED, detail, retryAfter);
            case 503 ->
                retryAfter == null
                        ? Attempt.of(Result.SERVER_ERROR, detail)
                        : new Attempt(Result.THROTTLED, detail, retryAfter);
            default ->
                switch (status / 100) {
                    case 2 -> Attempt.of(Result.DELIVERED, detail);
                    case 3 -> Attempt.of(Result.REDIRECTED, detail);
                    case 4 -> Attempt.of(Result.REFUSED, detail);
                    default -> Attempt.of(Result.SERVER_ERROR, detail);
                };
        };
    }

    /// Seconds or an HTTP date (RFC 9110 §10.2.3); anything else counts as absent.
    private static @Nullable Duration retryAfter(String text, Instant now) {
        Duration asked;
        if (text.matches("[0-9]{1,9}")) {
            asked = Duration.ofSeconds(Long.parseLong(text));
        } else {
            try {
                asked = Duration.between(now, ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME));
            } catch (DateTimeException notADate) {
                return null;
            }
        }
        if (asked.isNegative()) {
            return Duration.ZERO;
        }
        return asked.compareTo(Attempt.MAX_RETRY_AFTER) > 0 ? Attempt.MAX_RETRY_AFTER : asked;
    }

    /// Closes the socket in hand when time is up, whatever it is blocked in: connect, handshake, write or read. It is
    /// the plain socket, as closing a TLS one would want to say goodbye first.
    private static final class Deadline implements AutoCloseable {

        private final CountDownLatch done = new CountDownLatch(1);
        private boolean passed;
        private @Nullable Socket socket;

        Deadline(Duration timeout) {
            Thread.ofVirtual().name("http-deadline").start(() -> watch(timeout));
        }

        private void watch(Duration timeout) {
            try {
                if (!done.await(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                    pass();
                }
            } catch (InterruptedException never) {
                Thread.currentThread().interrupt();
            }
        }

        private synchronized void pass() {
            passed = true;
            close(socket);
        }

        synchronized void closes(Socket next) {
            socket = next;
            if (passed) {
                close(next);
            }
        }

        synchronized boolean passed() {
            return passed;
        }

        private static void close(@Nullable Socket socket) {
            if (socket != null) {
                try {
                    socket.close();
                } catch (IOException alreadyGone) {
                    throw new java.io.UncheckedIOException(alreadyGone);
                }
            }
        }

        @Override
        public void close() {
            done.countDown();
        }
    }
}

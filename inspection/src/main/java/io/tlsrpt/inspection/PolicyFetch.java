package io.tlsrpt.inspection;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// Gets the MTA-STS policy of a domain (RFC 8461 §3.3) from an address that was looked up and judged before: no other
/// name is resolved, no redirect followed, nothing cached, no more than 64 KB of body and 16 KB of header read, and the
/// connection cut when the time is over, however slowly the server drips.
final class PolicyFetch {

    /// RFC 8461 §3.3 suggests it.
    static final int MOST_BYTES = 64 * 1024;

    private static final int MOST_HEADER = 16 * 1024;
    private static final int MOST_INTERIM_ANSWERS = 5;
    private static final String PATH = "/.well-known/mta-sts.txt";
    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] ([1-5][0-9][0-9])( .*)?");

    private final Duration timeout;
    private final CertificateCheck certificates;
    private final Clock clock;
    private final SSLContext anyCertificate = AnyCertificate.context();

    /// What came of it.
    sealed interface Fetched {

        /// The policy host's certificate, when it came to that.
        @Nullable
        X509Certificate certificate();

        /// Status 200, whatever the body holds.
        final class Body implements Fetched {
            private final byte[] bytes;
            private final @Nullable String mediaType;
            private final X509Certificate certificate;

            Body(byte[] bytes, @Nullable String mediaType, X509Certificate certificate) {
                this.bytes = bytes;
                this.mediaType = mediaType;
                this.certificate = certificate;
            }

            byte[] bytes() {
                return bytes.clone();
            }

            /// As written; null without.
            @Nullable
            String mediaType() {
                return mediaType;
            }

            @Override
            public X509Certificate certificate() {
                return certificate;
            }
        }

        /// @param why for people
        record Unfetchable(String why, @Nullable X509Certificate certificate) implements Fetched {}

        /// The certificate is not one that senders accept.
        record NotTrusted(String why, X509Certificate certificate) implements Fetched {}
    }

    PolicyFetch(Duration timeout, CertificateCheck certificates, Clock clock) {
        this.timeout = timeout;
        this.certificates = certificates;
        this.clock = clock;
    }

    /// The name that serves the policy of a domain.
    static String host(String domain) {
        return "mta-sts." + domain;
    }

    /// Tries the addresses in their order until one takes the connection.
    ///
    /// @param host said in SNI and Host, and wanted in the certificate
    /// @param addresses at least one
    Fetched get(String host, List<InetAddress> addresses, int port) {
        long deadline = System.nanoTime() + timeout.toNanos();
        Fetched last = new Fetched.Unfetchable("no address", null);
        for (int index = 0; index < addresses.size(); index++) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                break;
            }
            try (Socket socket = new Socket()) {
                InetSocketAddress address = new InetSocketAddress(addresses.get(index), port);
                try {
                    // one dead address must not take the time of the others
                    long share = left / (addresses.size() - index);
                    socket.connect(address, Math.toIntExact(Math.max(1, TimeUnit.NANOSECONDS.toMillis(share))));
                } catch (IOException unreachable) {
                    last = new Fetched.Unfetchable(
                            addresses.get(index).getHostAddress() + " port " + port + " cannot be reached: "
                                    + words(unreachable),
                            null);
                    continue;
                }
                return connected(socket, host, port, deadline);
            } catch (IOException closing) {
                last = new Fetched.Unfetchable(words(closing), null);
            }
        }
        return last;
    }

    private Fetched connected(Socket socket, String host, int port, long deadline) {
        CountDownLatch done = new CountDownLatch(1);
        Thread.startVirtualThread(() -> cut(socket, done, deadline));
        X509Certificate leaf = null;
        try (SSLSocket secured = (SSLSocket) anyCertificate.getSocketFactory().createSocket(socket, host, port, true)) {
            SSLParameters parameters = secured.getSSLParameters();
            try {
                parameters.setServerNames(List.of(new SNIHostName(host.getBytes(US_ASCII))));
            } catch (IllegalArgumentException noName) {
                return new Fetched.Unfetchable(host + " is no name that TLS can ask for", null);
            }
            secured.setSSLParameters(parameters);
            try {
                secured.startHandshake();
            } catch (SSLException refused) {
                return new Fetched.Unfetchable(late(deadline, "no TLS: " + words(refused)), null);
            }
            List<X509Certificate> chain = chain(secured);
            leaf = chain.getFirst();
            String verdict = certificates.pkix(chain, host, clock.instant());
            if (!verdict.equals(CertificateCheck.VALID)) {
                return new Fetched.NotTrusted("the certificate of " + host + " is " + said(verdict), leaf);
            }
            secured.getOutputStream()
                    .write(("GET " + PATH + " HTTP/1.1\r\nHost: " + host
                                    + "\r\nUser-Agent: tlsrpt\r\nAccept: text/plain\r\nAccept-Encoding: identity"
                                    + "\r\nConnection: close\r\n\r\n")
                            .getBytes(US_ASCII));
            return answer(new BufferedInputStream(secured.getInputStream()), leaf);
        } catch (IOException broken) {
            return new Fetched.Unfetchable(late(deadline, words(broken)), leaf);
        } finally {
            done.countDown();
        }
    }

    /// A server that drips keeps no read waiting for long: only the clock ends it.
    private static void cut(Socket socket, CountDownLatch done, long deadline) {
        try {
            if (!done.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                socket.close();
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (IOException closed) {
            // what reads from it sees the end either way
        }
    }

    private String late(long deadline, String otherwise) {
        return System.nanoTime() >= deadline ? "not done after " + timeout.toMillis() / 1000.0 + " s" : otherwise;
    }

    private static List<X509Certificate> chain(SSLSocket socket) throws SSLPeerUnverifiedException {
        return Arrays.stream(socket.getSession().getPeerCertificates())
                .map(X509Certificate.class::cast)
                .toList();
    }

    private static Fetched answer(InputStream in, X509Certificate leaf) throws IOException {
        int[] header = {MOST_HEADER};
        int status = 0;
        Map<String, String> fields = Map.of();
        for (int answers = 0; status < 200; answers++) {
            if (answers == MOST_INTERIM_ANSWERS) {
                return new Fetched.Unfetchable("the server sends no final answer", leaf);
            }
            String line = line(in, header);
            var matcher = STATUS.matcher(line);
            if (!matcher.matches()) {
                return new Fetched.Unfetchable("no HTTP: \"" + Untrusted.shown(line) + "\"", leaf);
            }
            status = Integer.parseInt(matcher.group(1));
            fields = fields(in, header);
        }
        if (status != 200) {
            String location = fields.get("location");
            String to = status >= 300 && status < 400 && location != null
                    ? " (a redirect to \"" + Untrusted.shown(location) + "\", which senders do not follow)"
                    : "";
            return new Fetched.Unfetchable("the server answers with status " + status + to, leaf);
        }
        String encoding = fields.getOrDefault("content-encoding", "identity");
        if (!encoding.equalsIgnoreCase("identity")) {
            return new Fetched.Unfetchable(
                    "the server compresses what was asked for plainly (" + Untrusted.shown(encoding) + ")", leaf);
        }
        byte[] body = body(in, fields, header);
        return body == null
                ? new Fetched.Unfetchable("the policy is longer than 64 KB", leaf)
                : new Fetched.Body(body, fields.get("content-type"), leaf);
    }

    /// Names in lower case; of a field that stands twice the first.
    private static Map<String, String> fields(InputStream in, int[] left) throws IOException {
        Map<String, String> fields = new HashMap<>();
        for (String line = line(in, left); !line.isEmpty(); line = line(in, left)) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.putIfAbsent(
                        line.substring(0, colon).toLowerCase(Locale.ROOT),
                        line.substring(colon + 1).strip());
            }
        }
        return fields;
    }

    /// @return null when it is too long
    private static byte @Nullable [] body(InputStream in, Map<String, String> fields, int[] header) throws IOException {
        String coding = fields.get("transfer-encoding");
        if (coding != null) {
            if (!coding.equalsIgnoreCase("chunked")) {
                throw new IOException("unknown transfer coding");
            }
            return chunks(in, header);
        }
        String length = fields.get("content-length");
        if (length == null) {
            byte[] body = in.readNBytes(MOST_BYTES + 1);
            return body.length > MOST_BYTES ? null : body;
        }
        if (!length.matches("[0-9]{1,18}")) {
            throw new IOException("a content length that is no number");
        }
        if (Long.parseLong(length) > MOST_BYTES) {
            return null;
        }
        int wanted = Integer.parseInt(length);
        byte[] body = in.readNBytes(wanted);
        if (body.length < wanted) {
            throw new EOFException("the server ends in the middle of the policy");
        }
        return body;
    }

    private static byte @Nullable [] chunks(InputStream in, int[] header) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        while (true) {
            String line = line(in, header);
            int semicolon = line.indexOf(';');
            String size = (semicolon < 0 ? line : line.substring(0, semicolon)).strip();
            if (!size.matches("[0-9A-Fa-f]{1,8}")) {
                throw new IOException("a chunk without a size");
            }
            long length = Long.parseLong(size, 16);
            if (length == 0) {
                return body.toByteArray();
            }
            if (body.size() + length > MOST_BYTES) {
                return null;
            }
            byte[] chunk = in.readNBytes((int) length);
            if (chunk.length < length || !line(in, header).isEmpty()) {
                throw new EOFException("the server ends in the middle of the policy");
            }
            body.writeBytes(chunk);
        }
    }

    private static String line(InputStream in, int[] left) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int octet = in.read(); octet != '\n'; octet = in.read()) {
            if (octet < 0) {
                throw new EOFException("the server ends in the middle of its answer");
            }
            if (--left[0] < 0) {
                throw new IOException("the header is longer than 16 KB");
            }
            line.write(octet);
        }
        String text = line.toString(ISO_8859_1);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    private static String said(String verdict) {
        return switch (verdict) {
            case CertificateCheck.EXPIRED -> "expired";
            case CertificateCheck.NOT_YET_VALID -> "not valid yet";
            case CertificateCheck.HOST_MISMATCH -> "for other names";
            default -> "not from a trusted authority, or intermediate certificates are missing";
        };
    }

    private static String words(IOException trouble) {
        String message = trouble.getMessage();
        return message == null ? trouble.getClass().getSimpleName() : Untrusted.shown(message);
    }
}

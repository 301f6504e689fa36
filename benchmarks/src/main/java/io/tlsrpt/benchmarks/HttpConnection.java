package io.tlsrpt.benchmarks;

import io.tlsrpt.runtime.HostPort;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// One HTTP/1.1 connection that stays open.
final class HttpConnection implements AutoCloseable {

    private final Socket socket;
    private final OutputStream out;
    private final InputStream in;

    HttpConnection(HostPort server) throws IOException {
        socket = new Socket(server.host(), server.port());
        socket.setTcpNoDelay(true);
        out = socket.getOutputStream();
        in = new BufferedInputStream(socket.getInputStream());
    }

    /// @param bodyBytes of the body, which was read and forgotten
    record Answer(int status, long bodyBytes) {

        Answer expect(int expected) throws IOException {
            if (status != expected) {
                throw new IOException("answered " + status + " and not " + expected);
            }
            return this;
        }
    }

    Answer ask(byte[] request) throws IOException {
        out.write(request);
        String head = head();
        long bodyBytes = head.toLowerCase(Locale.ROOT)
                .lines()
                .filter(line -> line.startsWith("content-length:"))
                .mapToLong(line -> Long.parseLong(
                        line.substring("content-length:".length()).strip()))
                .findFirst()
                .orElse(0);
        in.skipNBytes(bodyBytes);
        return new Answer(Integer.parseInt(head.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length())), bodyBytes);
    }

    private String head() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int newlines = 0;
        while (newlines < 2) {
            int read = in.read();
            if (read < 0) {
                throw new EOFException("the connection was closed");
            }
            bytes.write(read);
            if (read == '\n') {
                newlines++;
            } else if (read != '\r') {
                newlines = 0;
            }
        }
        return bytes.toString(StandardCharsets.US_ASCII);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}

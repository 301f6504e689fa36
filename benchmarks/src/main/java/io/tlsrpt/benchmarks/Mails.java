package io.tlsrpt.benchmarks;

import io.tlsrpt.runtime.HostPort;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// Sends mails over SMTP.
final class Mails implements Load.Client {

    private static final byte[] ENVELOPE =
            "MAIL FROM:<>\r\nRCPT TO:<tlsrpt@example.com>\r\nDATA\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] END = ".\r\n".getBytes(StandardCharsets.US_ASCII);

    private final List<byte[]> mails;
    private final Socket socket;
    private final OutputStream out;
    private final InputStream in;

    private Mails(HostPort smtp, List<byte[]> mails) throws IOException {
        this.mails = mails;
        socket = new Socket(smtp.host(), smtp.port());
        socket.setTcpNoDelay(true);
        out = socket.getOutputStream();
        in = new BufferedInputStream(socket.getInputStream());
        expect("220");
        out.write("EHLO benchmark.example\r\n".getBytes(StandardCharsets.US_ASCII));
        expect("250");
    }

    /// Returns when every mail was answered 250.
    ///
    /// @param mails without a line that begins with a dot, ending in CRLF
    /// @return latencies from the end of a mail to its 250
    /// @throws IllegalStateException on any other answer
    static Load.Result send(HostPort smtp, List<byte[]> mails, int connections) {
        return Load.run(mails.size(), connections, () -> new Mails(smtp, mails));
    }

    @Override
    public long ask(int number) throws IOException {
        out.write(ENVELOPE);
        expect("250");
        expect("250");
        expect("354");
        byte[] mail = mails.get(number);
        byte[] whole = Arrays.copyOf(mail, mail.length + END.length);
        System.arraycopy(END, 0, whole, mail.length, END.length);
        out.write(whole);
        long start = System.nanoTime();
        expect("250");
        return System.nanoTime() - start;
    }

    private void expect(String code) throws IOException {
        String line;
        do {
            line = line();
            if (!line.startsWith(code)) {
                throw new IOException("answered " + line + " and not " + code);
            }
        } while (line.charAt(3) == '-');
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int each = in.read(); each != '\n'; each = in.read()) {
            if (each < 0) {
                throw new EOFException("the connection was closed");
            }
            line.append((char) each);
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}

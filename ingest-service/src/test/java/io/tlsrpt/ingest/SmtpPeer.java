package io.tlsrpt.ingest;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/// A peer that says exactly what a test writes, byte by byte.
final class SmtpPeer implements AutoCloseable {

    private Socket socket;
    private InputStream in;
    private OutputStream out;

    SmtpPeer(int port) throws IOException {
        this(new Socket(InetAddress.getLoopbackAddress(), port));
    }

    private SmtpPeer(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(30_000);
        this.in = new BufferedInputStream(socket.getInputStream());
        this.out = socket.getOutputStream();
    }

    /// Connects and reads the greeting.
    static SmtpPeer greeted(int port) throws IOException {
        SmtpPeer peer = new SmtpPeer(port);
        peer.answer();
        peer.say("EHLO peer.example");
        return peer;
    }

    void write(String text) throws IOException {
        write(text.getBytes(StandardCharsets.UTF_8));
    }

    void write(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    /// A line, and the answer to it.
    String say(String line) throws IOException {
        write(line + "\r\n");
        return answer();
    }

    /// All lines of one answer; empty when the connection ended.
    String answer() throws IOException {
        List<String> lines = new ArrayList<>();
        while (true) {
            String line = line();
            if (line.isEmpty()) {
                return String.join("\n", lines);
            }
            lines.add(line);
            if (line.charAt(3) == ' ') {
                return String.join("\n", lines);
            }
        }
    }

    /// Whether the connection ended without another word.
    boolean ended() throws IOException {
        try {
            return in.read() < 0;
        } catch (java.net.SocketException reset) {
            return true;
        }
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            int each = in.read();
            if (each < 0) {
                return "";
            }
            if (each == '\n') {
                String text = line.toString(StandardCharsets.US_ASCII);
                if (!text.endsWith("\r")) {
                    throw new IOException("an answer ends without CR: " + text);
                }
                return text.substring(0, text.length() - 1);
            }
            line.write(each);
        }
    }

    /// @return the version that was agreed on
    String startTls(String... versions) throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new TrustsAll()}, null);
        SSLSocket secure = (SSLSocket) context.getSocketFactory().createSocket(socket, "localhost", 0, true);
        secure.setEnabledProtocols(versions);
        secure.startHandshake();
        socket = secure;
        in = new BufferedInputStream(secure.getInputStream());
        out = secure.getOutputStream();
        return secure.getSession().getProtocol();
    }

    X509Certificate certificate() throws IOException {
        return (X509Certificate) ((SSLSocket) socket).getSession().getPeerCertificates()[0];
    }

    /// As a crash would: the other side sees a reset.
    void kill() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    private static final class TrustsAll implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}

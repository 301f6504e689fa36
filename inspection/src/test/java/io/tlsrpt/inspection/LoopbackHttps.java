package io.tlsrpt.inspection;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/// A policy host on a loopback port that answers what a test wants, well-formed or not.
public final class LoopbackHttps implements AutoCloseable {

    /// What it writes after the head of a request.
    @FunctionalInterface
    public interface Conduct {
        void answer(OutputStream out) throws IOException;
    }

    private final ServerSocket listener;
    private final SSLContext tls;
    private final Conduct conduct;
    private final List<Socket> open = new CopyOnWriteArrayList<>();

    /// Lines of all requests.
    final List<String> heard = new CopyOnWriteArrayList<>();

    public LoopbackHttps(SSLContext tls, Conduct conduct) throws IOException {
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        this.tls = tls;
        this.conduct = conduct;
        Thread.ofVirtual().start(this::serve);
    }

    /// Answers with status 200 and this text.
    public static Conduct serving(String policy) {
        return raw("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + policy);
    }

    /// Answers with these bytes.
    public static Conduct raw(String answer) {
        return out -> out.write(answer.getBytes(ISO_8859_1));
    }

    public int port() {
        return listener.getLocalPort();
    }

    private void serve() {
        while (!listener.isClosed()) {
            try {
                Socket socket = listener.accept();
                open.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (SSLSocket secured = (SSLSocket) tls.getSocketFactory().createSocket(socket, null, true)) {
            secured.setUseClientMode(false);
            BufferedReader in = new BufferedReader(new InputStreamReader(secured.getInputStream(), ISO_8859_1));
            for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
                heard.add(line);
            }
            conduct.answer(secured.getOutputStream());
        } catch (IOException gone) {
            heard.add("gone");
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}

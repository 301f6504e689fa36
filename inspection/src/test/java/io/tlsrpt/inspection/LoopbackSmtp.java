package io.tlsrpt.inspection;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// An SMTP server on a loopback address that behaves as badly as a test wants.
public final class LoopbackSmtp implements AutoCloseable {

    /// What it says to one client.
    @FunctionalInterface
    public interface Conduct {
        void towards(Client client) throws IOException;
    }

    private final ServerSocket listener;
    private final Conduct conduct;
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    final List<String> heard = new CopyOnWriteArrayList<>();
    final List<String> sni = new CopyOnWriteArrayList<>();

    private LoopbackSmtp(ServerSocket listener, Conduct conduct) {
        this.listener = listener;
        this.conduct = conduct;
    }

    /// @param port 0: any free one
    public static LoopbackSmtp start(InetAddress address, int port, Conduct conduct) throws IOException {
        LoopbackSmtp server = new LoopbackSmtp(new ServerSocket(port, 50, address), conduct);
        Thread.ofVirtual().start(server::serve);
        return server;
    }

    static LoopbackSmtp start(Conduct conduct) throws IOException {
        return start(InetAddress.getLoopbackAddress(), 0, conduct);
    }

    /// A decent server with a certificate.
    public static Conduct offering(SSLContext tls) {
        return client -> {
            client.say("220 mx.example.com ESMTP");
            client.hear();
            client.say("250-mx.example.com", "250-SIZE 1000", "250-starttls", "250 8BITMIME");
            if (client.hear().equals("STARTTLS")) {
                client.say("220 2.0.0 go ahead");
                client.startTls(tls);
                client.hear();
            }
            client.say("221 2.0.0 bye");
        };
    }

    /// A decent server without TLS.
    public static Conduct plain() {
        return client -> {
            client.say("220 mx.example.com ESMTP");
            client.hear();
            client.say("250-mx.example.com", "250 8BITMIME");
            client.hear();
            client.say("221 2.0.0 bye");
        };
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
        try (socket) {
            conduct.towards(new Client(socket));
        } catch (IOException gone) {
            // the client is free to go at any time
            heard.add("gone");
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    /// One connection.
    public final class Client {

        private Socket socket;
        private @Nullable BufferedReader reader;

        private Client(Socket socket) {
            this.socket = socket;
        }

        /// Lines, each with its end.
        public void say(String... lines) throws IOException {
            send((String.join("\r\n", lines) + "\r\n").getBytes(StandardCharsets.UTF_8));
        }

        void send(byte[] bytes) throws IOException {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
        }

        /// The next line; `QUIT` when there is none.
        public String hear() throws IOException {
            if (reader == null) {
                reader = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            }
            String line = Objects.requireNonNullElse(reader.readLine(), "QUIT");
            heard.add(line);
            return line;
        }

        /// Waits until the client is gone.
        void waitForTheEnd() throws IOException {
            socket.getInputStream().transferTo(OutputStream.nullOutputStream());
        }

        /// @param versions none: all that Java has
        public void startTls(SSLContext context, String... versions) throws IOException {
            SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(socket, null, true);
            tls.setUseClientMode(false);
            if (versions.length > 0) {
                tls.setEnabledProtocols(versions);
            }
            tls.startHandshake();
            ((ExtendedSSLSession) tls.getSession())
                    .getRequestedServerNames()
                    .forEach(name -> sni.add(((SNIHostName) name).getAsciiName()));
            socket = tls;
            reader = null;
        }
    }
}

package io.tlsrpt.alerting;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// A mail server that answers as a test says, and keeps what it is told.
final class SmtpServer implements AutoCloseable {

    /// The answer after which it says nothing any more.
    static final String SILENCE = "silence";

    final List<String> commands = new CopyOnWriteArrayList<>();
    final List<String> mails = new CopyOnWriteArrayList<>();

    private final ServerSocket listening;
    private final Map<String, String> answers;
    private final @Nullable SSLContext tls;
    private final boolean atOnce;

    /// @param answers by the first word of a command, or by the whole line; `greeting` and `mail` (after the text) too;
    /// what is not named is taken
    SmtpServer(Map<String, String> answers) throws IOException {
        this(answers, null, false);
    }

    /// @param atOnce whether TLS begins with the connection, else it is offered as STARTTLS
    SmtpServer(Map<String, String> answers, @Nullable SSLContext tls, boolean atOnce) throws IOException {
        this.answers = answers;
        this.tls = tls;
        this.atOnce = atOnce;
        listening = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().start(this::serve);
    }

    int port() {
        return listening.getLocalPort();
    }

    private void serve() {
        while (!listening.isClosed()) {
            try (Socket plain = listening.accept()) {
                session(atOnce ? secured(plain) : plain);
            } catch (SocketException closed) {
                commands.add("(closed)");
            } catch (IOException broken) {
                commands.add("(broken)");
            }
        }
    }

    private Socket secured(Socket plain) throws IOException {
        SSLSocket secured = (SSLSocket) java.util.Objects.requireNonNull(tls)
                .getSocketFactory()
                .createSocket(plain, null, plain.getPort(), true);
        secured.setUseClientMode(false);
        secured.startHandshake();
        return secured;
    }

    private void session(Socket first) throws IOException {
        Socket socket = first;
        BufferedReader in = reader(socket);
        if (!say(socket, answers.getOrDefault("greeting", "220 mail.example ready"))) {
            in.readLine();
            return;
        }
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            commands.add(line);
            String verb = line.split(" ", 2)[0].toUpperCase(Locale.ROOT);
            String answer = answers.getOrDefault(line, answers.getOrDefault(verb, usual(verb, socket)));
            if (!say(socket, answer)) {
                in.readLine();
                return;
            }
            if (verb.equals("STARTTLS") && answer.startsWith("220")) {
                socket = secured(socket);
                in = reader(socket);
            } else if (verb.equals("DATA") && answer.startsWith("354")) {
                StringBuilder mail = new StringBuilder();
                for (String text = in.readLine(); text != null && !text.equals("."); text = in.readLine()) {
                    mail.append(text).append("\n");
                }
                mails.add(mail.toString());
                if (!say(socket, answers.getOrDefault("mail", "250 taken"))) {
                    in.readLine();
                    return;
                }
            } else if (verb.equals("QUIT")) {
                return;
            }
        }
    }

    private static BufferedReader reader(Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
    }

    private String usual(String verb, Socket socket) {
        return switch (verb) {
            case "EHLO" ->
                "250-mail.example\r\n250-AUTH PLAIN"
                        + (tls == null || socket instanceof SSLSocket ? "" : "\r\n250-STARTTLS")
                        + "\r\n250 8BITMIME";
            case "STARTTLS" -> "220 go";
            case "DATA" -> "354 go";
            case "AUTH" -> "235 welcome";
            case "QUIT" -> "221 bye";
            default -> "250 ok";
        };
    }

    private static boolean say(Socket socket, String answer) throws IOException {
        if (answer.equals(SILENCE)) {
            return false;
        }
        OutputStream out = socket.getOutputStream();
        out.write((answer + "\r\n").getBytes(StandardCharsets.US_ASCII));
        out.flush();
        return true;
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}

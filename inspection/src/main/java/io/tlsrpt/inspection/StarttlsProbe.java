package io.tlsrpt.inspection;

import io.tlsrpt.topics.Inspection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// Looks at one address of an MX host the way a sender does: EHLO, STARTTLS, a handshake with TLS 1.2 or newer, QUIT.
/// It
/// takes any certificate, because a certificate is evidence here and nothing is sent that it would have to protect.
///
/// A look ends after its time whatever the server does, and reads no more than [SmtpReplies] allows before TLS; of the
/// handshake Java reads messages of at most 32 KiB and chains of at most ten certificates.
///
/// A server that does not talk to us (refused, silent, 554, 421) shows nothing about its STARTTLS: that is `unknown`.
final class StarttlsProbe implements Probe {

    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
    private static final Duration FOR_A_GOODBYE = Duration.ofSeconds(1);

    /// What some firewalls write over words they do not want, of the same length: `250-XXXXXXXA`.
    private static final Pattern OVERWRITTEN = Pattern.compile("X{3,}[A-Z]?");

    private static final Pattern THEIR_ALERT = Pattern.compile("(?s).*Received fatal alert: (\\w+).*");
    private static final Pattern OUR_ALERT = Pattern.compile("(?s)\\((\\w+)\\) (.*)");
    private static final Pattern OLD_PROTOCOL =
            Pattern.compile("(?s).*selected protocol version (SSL|TLS)(\\d)(\\d) is.*");

    private final String heloName;
    private final Duration timeout;
    private final Port25 port25;
    private final SSLContext anyCertificate;

    /// @param timeout of a whole look
    /// @param port25 hears what became of the connections
    StarttlsProbe(String heloName, Duration timeout, Port25 port25) {
        this.heloName = heloName;
        this.timeout = timeout;
        this.port25 = port25;
        this.anyCertificate = AnyCertificate.context();
    }

    @Override
    public Presented look(InetAddress address, int port, String host) {
        long end = System.nanoTime() + timeout.toNanos();
        Socket socket = new Socket();
        CompletableFuture<Boolean> late = new CompletableFuture<>();
        CompletableFuture<Void> closing = late.thenRun(() -> close(socket));
        try {
            Optional<String> trouble = connect(socket, new InetSocketAddress(address, port));
            if (trouble.isPresent()) {
                return unknown("no connection: " + trouble.get());
            }
            port25.answered();
            return talk(socket, host, late.completeOnTimeout(true, end - System.nanoTime(), TimeUnit.NANOSECONDS));
        } finally {
            closing.cancel(false);
            late.cancel(false);
            close(socket);
        }
    }

    /// @return why there is no connection
    private Optional<String> connect(Socket socket, InetSocketAddress address) {
        try {
            socket.connect(address, Math.toIntExact(timeout.toMillis()));
            return Optional.empty();
        } catch (SocketTimeoutException silent) {
            port25.timedOut(address.getAddress());
            return Optional.of(timedOut());
        } catch (NoRouteToHostException noRoute) {
            return Optional.of(Inspection.NO_ROUTE);
        } catch (ConnectException no) {
            String said = reason(no).toLowerCase(Locale.ROOT);
            if (said.contains("unreachable")) {
                return Optional.of(Inspection.NO_ROUTE);
            }
            if (said.contains("timed out")) {
                port25.timedOut(address.getAddress());
                return Optional.of(timedOut());
            }
            port25.refused();
            return Optional.of("refused");
        } catch (IOException other) {
            return Optional.of(reason(other));
        }
    }

    private Presented talk(Socket socket, String host, CompletableFuture<Boolean> late) {
        String step = "greeting";
        try {
            SmtpReplies replies = new SmtpReplies(socket.getInputStream());
            SmtpReplies.Reply greeting = replies.next();
            if (greeting.code() != 220) {
                quit(socket, replies);
                return unknown("greeting: " + greeting.shown());
            }
            step = "EHLO";
            send(socket, "EHLO " + heloName);
            SmtpReplies.Reply hello = replies.next();
            if (hello.code() != 250) {
                quit(socket, replies);
                // a server that does not know EHLO has no extension either (RFC 5321 §4.1.1.1)
                return hello.code() == 500 || hello.code() == 502
                        ? missing("it does not know EHLO: " + hello.shown())
                        : unknown("EHLO refused: " + hello.shown());
            }
            if (hello.keywords().noneMatch("STARTTLS"::equals)) {
                quit(socket, replies);
                return missing(overwritten(greeting, hello));
            }
            step = "STARTTLS";
            send(socket, "STARTTLS");
            SmtpReplies.Reply ready = replies.next();
            if (ready.code() != 220) {
                quit(socket, replies);
                return failed("STARTTLS refused: " + ready.shown());
            }
            step = "handshake";
            return shakeHands(socket, host);
        } catch (IOException broken) {
            String what = late.isDone() ? timedOut() : reason(broken);
            return step.equals("STARTTLS") || step.equals("handshake")
                    ? failed(step + ": " + what)
                    : unknown(step + ": " + what);
        }
    }

    private Presented shakeHands(Socket socket, String host) throws IOException {
        // closing the socket below is enough, and does not wait for the server
        SSLSocket tls =
                (SSLSocket) anyCertificate.getSocketFactory().createSocket(socket, host, socket.getPort(), false);
        tls.setEnabledProtocols(PROTOCOLS);
        SSLParameters parameters = tls.getSSLParameters();
        try {
            parameters.setServerNames(List.of(new SNIHostName(host.getBytes(StandardCharsets.US_ASCII))));
        } catch (IllegalArgumentException noName) {
            quit(socket, new SmtpReplies(socket.getInputStream()));
            return unknown("handshake: the name of this MX is none that TLS could ask for");
        }
        tls.setSSLParameters(parameters);
        tls.startHandshake();
        SSLSession session = tls.getSession();
        try {
            Presented presented =
                    new Presented(Presented.OFFERED, null, session.getProtocol(), chain(session.getPeerCertificates()));
            quit(tls, new SmtpReplies(tls.getInputStream()));
            return presented;
        } catch (SSLPeerUnverifiedException anonymous) {
            return failed("handshake: the server presented no certificate");
        }
    }

    private static List<X509Certificate> chain(Certificate[] chain) {
        return Arrays.stream(chain).map(X509Certificate.class::cast).toList();
    }

    private static void send(Socket socket, String line) throws IOException {
        socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
    }

    /// Politeness: the look is over, and a server that does not say goodbye takes nothing away from it.
    private static void quit(Socket socket, SmtpReplies replies) {
        try {
            send(socket, "QUIT");
            socket.setSoTimeout(Math.toIntExact(FOR_A_GOODBYE.toMillis()));
            replies.next();
        } catch (IOException impolite) {
            // it is closed next in any case
            return;
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private String timedOut() {
        return "timed out after " + timeout.toString().substring("PT".length()).toLowerCase(Locale.ROOT);
    }

    /// Why STARTTLS may be missing though the server has it.
    private static @Nullable String overwritten(SmtpReplies.Reply greeting, SmtpReplies.Reply hello) {
        Optional<String> word = hello.keywords()
                .filter(keyword -> OVERWRITTEN.matcher(keyword).matches())
                .findFirst();
        if (word.isPresent()) {
            return "a firewall on the way writes over it (\"" + Untrusted.shown(word.get())
                    + "\" stands in its place): switch off its inspection of SMTP";
        }
        return greeting.text().contains("*****")
                ? "a firewall on the way seems to inspect SMTP (its greeting is full of asterisks): switch that off"
                : null;
    }

    /// What went wrong, in our words where Java's are known.
    private static String reason(IOException broken) {
        String message = String.valueOf(broken.getMessage());
        if (!(broken instanceof SSLException)) {
            return broken instanceof SocketException && message.contains("reset")
                    ? "the server broke the connection off"
                    : Untrusted.shown(message);
        }
        Matcher old = OLD_PROTOCOL.matcher(message);
        if (old.matches()) {
            return "the server has nothing newer than " + old.group(1) + " " + old.group(2) + "." + old.group(3);
        }
        Matcher theirs = THEIR_ALERT.matcher(message);
        if (theirs.matches()) {
            return "the server answers with the alert " + Untrusted.shown(theirs.group(1))
                    + (theirs.group(1).equals("protocol_version") ? ": it has neither TLS 1.2 nor TLS 1.3" : "");
        }
        Matcher ours = OUR_ALERT.matcher(message);
        if (ours.matches()) {
            return Untrusted.shown(ours.group(2)) + " (" + Untrusted.shown(ours.group(1)) + ")";
        }
        return message.contains("terminated the handshake")
                ? "the server broke the connection off"
                : Untrusted.shown(message);
    }

    private static Presented unknown(String detail) {
        return new Presented(Presented.UNKNOWN, detail, null, List.of());
    }

    private static Presented missing(@Nullable String detail) {
        return new Presented(Presented.MISSING, detail, null, List.of());
    }

    private static Presented failed(String detail) {
        return new Presented(Presented.FAILED, detail, null, List.of());
    }
}

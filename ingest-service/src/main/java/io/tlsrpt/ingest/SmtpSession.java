package io.tlsrpt.ingest;

import io.tlsrpt.ingest.SmtpMetrics.Answer;
import io.tlsrpt.ingest.SmtpMetrics.Ended;
import io.tlsrpt.ingest.SmtpMetrics.Refused;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One SMTP or LMTP connection from greeting to end (RFC 5321, RFC 2033; RFC 1870, 2034, 2920, 3207, 6152, 6531).
///
/// It takes mail for the recipients it is told and passes none on. A mail is answered with 250 once it is kept, with
/// 451
/// when it is not, and never refused for what is in it: a refusal would make the sender bounce a report. Answers hold
/// nothing that a peer said.
final class SmtpSession {

    /// What all connections of the receiver share.
    ///
    /// @param tls the context for the next handshake; null: `STARTTLS` is not offered
    /// @param patience how long a mail waits for the broker
    record House(
            String hostname,
            long maxMessage,
            Duration timeout,
            Duration patience,
            Supplier<MailRecipients> recipients,
            @Nullable Supplier<SSLContext> tls,
            MailSink sink,
            MailRoom room,
            SmtpMetrics metrics,
            Clock clock) {}

    private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);

    /// RFC 5321 §4.5.3.1.8
    static final int MAX_RECIPIENTS = 100;
    /// Without a mail; a mail begins the count anew.
    static final int MAX_COMMANDS = 500;

    static final int MAX_BAD_COMMANDS = 20;
    /// How many times the limit is read and dropped of a mail, so that its sender hears an answer.
    static final int ENDLESS = 8;

    private static final int IDLE_TIMEOUTS = 10;
    private static final Duration SLACK = Duration.ofSeconds(5);
    private static final String[] TLS_VERSIONS = {"TLSv1.3", "TLSv1.2"};
    /// A web page can make a browser post to a listener on loopback.
    private static final Set<String> HTTP =
            Set.of("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "CONNECT");

    private final House house;
    private final Source source;
    private final Socket raw;
    private final String remote;

    private Socket socket;
    private SmtpInput in;
    private OutputStream out;
    private boolean tls;

    private boolean greeted;
    private boolean mailStarted;
    private int recipients;
    private @Nullable String channelDomain;

    private int commands;
    private int badCommands;
    private long lastMail = System.nanoTime();

    /// After it the connection is cut from outside, whatever it waits for; 0: never.
    private volatile long cutAt;

    private boolean idle;
    private boolean stopping;

    SmtpSession(House house, Source source, Socket socket) throws IOException {
        this.house = house;
        this.source = source;
        this.raw = socket;
        this.remote = socket.getInetAddress().getHostAddress();
        allow(house.timeout());
        socket.setTcpNoDelay(true);
        this.socket = socket;
        this.out = new BufferedOutputStream(socket.getOutputStream());
        this.in = input(socket);
    }

    private SmtpInput input(Socket from) throws IOException {
        from.setSoTimeout(Math.toIntExact(house.timeout().toMillis()));
        return new SmtpInput(from.getInputStream(), this::beforeWaiting, house.timeout());
    }

    /// However slowly the bytes of a TLS record come, it must be complete in this time.
    private void beforeWaiting() throws IOException {
        allow(house.timeout().multipliedBy(2));
        out.flush();
    }

    /// Serves the peer until the connection ends, and closes it.
    Ended serve() {
        Ended ended;
        try (raw) {
            ended = talk();
            allow(house.timeout());
            out.flush();
            socket.close();
        } catch (IOException gone) {
            LOG.atDebug().addKeyValue("remote", remote).setCause(gone).log("connection lost");
            ended = Ended.GONE;
        }
        synchronized (this) {
            return stopping && ended == Ended.GONE ? Ended.STOPPING : ended;
        }
    }

    private Ended talk() throws IOException {
        try {
            reply("220 " + house.hostname() + (source == Source.LMTP ? " LMTP" : " ESMTP") + " tlsrpt");
            @Nullable Ended ended = null;
            while (ended == null) {
                ended = next();
            }
            return ended;
        } catch (SocketTimeoutException slow) {
            allow(house.timeout());
            reply("421 4.4.2 too slow, closing");
            return Ended.SLOW;
        } catch (InterruptedException cut) {
            Thread.currentThread().interrupt();
            return Ended.STOPPING;
        }
    }

    /// Waits for a command and answers it.
    ///
    /// @return null while the connection goes on
    private @Nullable Ended next() throws IOException, InterruptedException {
        if (System.nanoTime() - lastMail > IDLE_TIMEOUTS * house.timeout().toNanos() || ++commands > MAX_COMMANDS) {
            return last("421 4.7.0 too much talk without a mail, closing", Ended.TOO_MUCH_TALK);
        }
        if (badCommands > MAX_BAD_COMMANDS) {
            return last("421 4.7.0 too many errors, closing", Ended.BAD_COMMANDS);
        }
        if (!beginWaiting()) {
            return last("421 4.3.2 stopping, try again later", Ended.STOPPING);
        }
        SmtpInput.Line line;
        try {
            line = in.line();
        } finally {
            endWaiting();
        }
        allow(house.timeout());
        return switch (line) {
            case SmtpInput.Line.TooLong tooLong -> last("500 5.5.6 line too long, closing", Ended.BAD_COMMANDS);
            case SmtpInput.Line.BareEnd bareEnd ->
                last("500 5.5.2 lines end with CR LF and hold neither, closing", Ended.BAD_COMMANDS);
            case SmtpInput.Line.Command command -> command(command.text());
        };
    }

    private @Nullable Ended command(String line) throws IOException, InterruptedException {
        int blank = line.indexOf(' ');
        String verb = (blank < 0 ? line : line.substring(0, blank)).toUpperCase(Locale.ROOT);
        String rest = blank < 0 ? "" : line.substring(blank + 1).strip();
        if (HTTP.contains(verb)) {
            return last("421 4.7.0 this is no web server, closing", Ended.NOT_SMTP);
        }
        switch (verb) {
            case "EHLO", "LHLO", "HELO" -> hello(verb, rest);
            case "MAIL" -> mail(rest);
            case "RCPT" -> recipient(rest);
            case "DATA" -> {
                return data(rest);
            }
            case "STARTTLS" -> {
                return startTls(rest);
            }
            case "RSET" -> {
                reset();
                reply("250 2.0.0 forgotten");
            }
            case "NOOP" -> reply("250 2.0.0 ok");
            case "VRFY" -> reply("252 2.5.2 send a mail and see");
            case "HELP" -> reply("214 2.0.0 this takes SMTP TLS reports (RFC 8460), nothing else");
            case "QUIT" -> {
                return last("221 2.0.0 bye", Ended.QUIT);
            }
            case "EXPN", "AUTH", "TURN", "ETRN", "BDAT", "SEND", "SOML", "SAML" -> bad("502 5.5.1 not done here");
            default -> bad("500 5.5.1 unknown command");
        }
        return null;
    }

    private void hello(String verb, String name) throws IOException {
        if (verb.equals("LHLO") != (source == Source.LMTP)) {
            bad(source == Source.LMTP ? "500 5.5.1 this is LMTP, say LHLO" : "500 5.5.1 this is SMTP, say EHLO");
            return;
        }
        if (name.isEmpty()) {
            bad("501 5.5.4 say who you are");
            return;
        }
        LOG.atDebug()
                .addKeyValue("remote", remote)
                .addKeyValue("helo", Untrusted.shown(name))
                .log("greeted");
        greeted = true;
        reset();
        if (verb.equals("HELO")) {
            reply("250 " + house.hostname());
            return;
        }
        reply("250-" + house.hostname());
        reply("250-PIPELINING");
        reply("250-SIZE " + house.maxMessage());
        reply("250-8BITMIME");
        reply("250-SMTPUTF8");
        if (house.tls() != null && !tls) {
            reply("250-STARTTLS");
        }
        reply("250 ENHANCEDSTATUSCODES");
    }

    private void mail(String rest) throws IOException {
        Path path = Path.read("FROM:", rest);
        if (!greeted) {
            bad("503 5.5.1 say " + (source == Source.LMTP ? "LHLO" : "EHLO") + " first");
        } else if (mailStarted) {
            bad("503 5.5.1 one mail at a time");
        } else if (path == null) {
            bad("501 5.5.4 say MAIL FROM:<address>");
        } else {
            String refusal = refusal(path.parameters());
            if (refusal != null) {
                reply(refusal);
                return;
            }
            LOG.atDebug()
                    .addKeyValue("remote", remote)
                    .addKeyValue("from", Untrusted.shown(path.address()))
                    .log("mail begins");
            mailStarted = true;
            reply("250 2.1.0 ok");
        }
    }

    private @Nullable String refusal(String[] parameters) {
        for (String parameter : parameters) {
            String upper = parameter.toUpperCase(Locale.ROOT);
            if (upper.matches("SIZE=[0-9]{1,18}")) {
                if (Long.parseLong(upper.substring("SIZE=".length())) > house.maxMessage()) {
                    house.metrics().refused(source, Refused.TOO_LARGE);
                    return "552 5.3.4 too large";
                }
            } else if (!upper.equals("BODY=7BIT") && !upper.equals("BODY=8BITMIME") && !upper.equals("SMTPUTF8")) {
                badCommands++;
                return "555 5.5.4 unknown parameter";
            }
        }
        return null;
    }

    private void recipient(String rest) throws IOException {
        Path path = Path.read("TO:", rest);
        if (!mailStarted) {
            bad("503 5.5.1 say MAIL first");
        } else if (path == null || path.address().isEmpty()) {
            bad("501 5.5.4 say RCPT TO:<address>");
        } else if (path.parameters().length > 0) {
            bad("555 5.5.4 unknown parameter");
        } else if (recipients == MAX_RECIPIENTS) {
            house.metrics().refused(source, Refused.TOO_MANY_RECIPIENTS);
            reply("452 4.5.3 too many recipients");
        } else {
            MailRecipients.Taken taken = house.recipients().get().find(path.address());
            if (taken == null) {
                house.metrics().refused(source, Refused.RECIPIENT);
                LOG.atInfo()
                        .addKeyValue("remote", remote)
                        .addKeyValue("recipient", Untrusted.shown(path.address()))
                        .log("recipient refused: not in mail.smtp.recipients or rua");
                reply("550 5.7.1 no mail for that address is taken here");
                return;
            }
            recipients++;
            if (channelDomain == null) {
                channelDomain = taken.channelDomain();
            }
            reply("250 2.1.5 ok");
        }
    }

    private @Nullable Ended data(String rest) throws IOException, InterruptedException {
        if (!rest.isEmpty()) {
            bad("501 5.5.4 DATA stands alone");
            return null;
        }
        if (recipients == 0) {
            bad("503 5.5.1 say MAIL and RCPT first");
            return null;
        }
        reply("354 end with CR LF . CR LF");
        long limit = house.maxMessage();
        try (MailRoom.Held held = house.room().hold()) {
            SmtpInput.Received received = in.mail(held, limit, Submission.HEAD_BYTES, ENDLESS * limit);
            allow(house.timeout());
            if (received == SmtpInput.Received.ENDLESS) {
                return last("552 5.3.4 too large, closing", Ended.ENDLESS);
            }
            long end = System.nanoTime();
            house.metrics().mail(source, tls);
            Answer answer = received == SmtpInput.Received.NO_ROOM
                    ? Answer.NO_ROOM
                    : handOn(held, received == SmtpInput.Received.CUT);
            allow(house.timeout());
            house.metrics().answered(source, answer, Duration.ofNanos(System.nanoTime() - end));
            String reply = switch (answer) {
                case KEPT -> "250 2.0.0 kept";
                case TRY_AGAIN -> "451 4.3.0 not kept, try again later";
                case NO_ROOM -> "452 4.3.1 no memory for it now, try again later";
            };
            for (int i = source == Source.LMTP ? recipients : 1; i > 0; i--) {
                reply(reply);
            }
            out.flush();
        }
        reset();
        commands = 0;
        lastMail = System.nanoTime();
        return null;
    }

    /// Waits until the broker has the mail, and no longer than a peer is patient.
    private Answer handOn(MailRoom.Held held, boolean cut) throws InterruptedException {
        Instant now = house.clock().instant();
        byte[] bytes = held.bytes();
        Mail mail = new Mail(bytes, cut, source, now, now, remote, false, channelDomain, Submission.Backfill.NO);
        String why;
        cutAt = 0;
        try {
            MailOutcome outcome = house.sink().take(mail).get(house.patience().toMillis(), TimeUnit.MILLISECONDS);
            switch (outcome) {
                case MailOutcome.Kept kept -> {
                    LOG.atInfo()
                            .addKeyValue("remote", remote)
                            .addKeyValue("bytes", bytes.length)
                            .addKeyValue("tls", tls)
                            .addKeyValue("documents", kept.outcomes().size())
                            .log("mail kept");
                    return Answer.KEPT;
                }
                case MailOutcome.TryAgain tryAgain -> {
                    return Answer.TRY_AGAIN; // the sink has said why
                }
            }
        } catch (TimeoutException late) {
            why = "no outcome in " + house.patience();
        } catch (ExecutionException | RuntimeException unexpected) {
            LOG.atError().addKeyValue("remote", remote).setCause(unexpected).log("mail failed");
            why = "a fault of ours";
        }
        LOG.atWarn()
                .addKeyValue("remote", remote)
                .addKeyValue("bytes", bytes.length)
                .addKeyValue("why", why)
                .log("mail not kept, the sender is to try again");
        return Answer.TRY_AGAIN;
    }

    private @Nullable Ended startTls(String rest) throws IOException {
        Supplier<SSLContext> context = house.tls();
        if (context == null) {
            bad("502 5.5.1 not done here");
            return null;
        }
        if (tls) {
            bad("503 5.5.1 TLS is on");
            return null;
        }
        if (!rest.isEmpty()) {
            bad("501 5.5.4 STARTTLS stands alone");
            return null;
        }
        if (in.isAhead()) {
            // in plaintext, perhaps from somebody between us, to be taken for what came encrypted
            return last("503 5.5.1 wait for the answer to STARTTLS, closing", Ended.INJECTION);
        }
        reply("220 2.0.0 go ahead");
        out.flush();
        try {
            SSLSocket secure = (SSLSocket) context.get().getSocketFactory().createSocket(raw, null, true);
            secure.setEnabledProtocols(TLS_VERSIONS);
            secure.setSoTimeout(Math.toIntExact(house.timeout().toMillis()));
            secure.startHandshake();
            socket = secure;
            out = new BufferedOutputStream(secure.getOutputStream());
            in = input(secure);
        } catch (IOException failed) {
            LOG.atInfo()
                    .addKeyValue("remote", remote)
                    .addKeyValue("why", Untrusted.shown(failed.getMessage()))
                    .log("TLS handshake failed");
            return Ended.HANDSHAKE;
        }
        tls = true;
        greeted = false;
        reset();
        return null;
    }

    private void reset() {
        mailStarted = false;
        recipients = 0;
        channelDomain = null;
    }

    private void bad(String answer) throws IOException {
        badCommands++;
        reply(answer);
    }

    private Ended last(String answer, Ended ended) throws IOException {
        reply(answer);
        return ended;
    }

    private void reply(String line) throws IOException {
        out.write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    private void allow(Duration time) {
        cutAt = System.nanoTime() + time.plus(SLACK).toNanos() | 1;
    }

    /// Cuts the connection when it has waited for its peer for too long. Only for what the read timeout does not see: a
    /// peer that takes no answers, or stops inside of TLS.
    void cutIfOverdue() {
        long at = cutAt;
        if (at != 0 && System.nanoTime() - at > 0) {
            cut();
        }
    }

    /// Ends the connection at once; a mail under way is not answered.
    void cut() {
        try {
            raw.close();
        } catch (IOException gone) {
            LOG.atDebug().addKeyValue("remote", remote).setCause(gone).log("already closed");
        }
    }

    /// Ends the connection now when it waits for a command, or else after the mail it is busy with.
    synchronized void stop() {
        stopping = true;
        if (idle) {
            try {
                reply("421 4.3.2 stopping, try again later");
                out.flush();
            } catch (IOException gone) {
                LOG.atDebug().addKeyValue("remote", remote).setCause(gone).log("already gone");
            }
            cut();
        }
    }

    private synchronized boolean beginWaiting() {
        idle = !stopping;
        return idle;
    }

    private synchronized void endWaiting() {
        idle = false;
    }

    /// The argument of `MAIL` and `RCPT`.
    ///
    /// @param address without its brackets and without a source route; empty for the null sender
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Path(String address, String[] parameters) {

        private static final String[] NONE = {};

        static @Nullable Path read(String keyword, String text) {
            if (!text.regionMatches(true, 0, keyword, 0, keyword.length())) {
                return null;
            }
            String path = text.substring(keyword.length()).strip();
            if (!path.startsWith("<")) {
                return null;
            }
            int end = end(path);
            if (end < 0) {
                return null;
            }
            String address = path.substring(1, end);
            int route = address.startsWith("@") ? address.indexOf(':') : -1;
            String parameters = path.substring(end + 1).strip();
            return new Path(address.substring(route + 1), parameters.isEmpty() ? NONE : parameters.split(" +", -1));
        }

        /// Where the closing bracket is that no quotes hide.
        private static int end(String path) {
            boolean quoted = false;
            for (int at = 1; at < path.length(); at++) {
                char each = path.charAt(at);
                if (quoted && each == '\\') {
                    at++;
                } else if (each == '"') {
                    quoted = !quoted;
                } else if (each == '>' && !quoted) {
                    return at;
                }
            }
            return -1;
        }
    }
}

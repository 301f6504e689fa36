package io.tlsrpt.ingest;

import io.tlsrpt.runtime.Settings;
import jakarta.mail.Flags;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.eclipse.angus.mail.iap.Argument;
import org.eclipse.angus.mail.iap.ByteArray;
import org.eclipse.angus.mail.iap.CommandFailedException;
import org.eclipse.angus.mail.iap.ProtocolException;
import org.eclipse.angus.mail.iap.Response;
import org.eclipse.angus.mail.imap.protocol.BODY;
import org.eclipse.angus.mail.imap.protocol.FetchResponse;
import org.eclipse.angus.mail.imap.protocol.IMAPProtocol;
import org.eclipse.angus.mail.imap.protocol.IMAPResponse;
import org.eclipse.angus.mail.imap.protocol.INTERNALDATE;
import org.eclipse.angus.mail.imap.protocol.MailboxInfo;
import org.eclipse.angus.mail.imap.protocol.RFC822SIZE;
import org.eclipse.angus.mail.imap.protocol.UID;
import org.eclipse.angus.mail.util.MailLogger;
import org.jspecify.annotations.Nullable;

/// One connection to an IMAP server with one folder selected (RFC 3501). Mails are named by their UIDs, their bytes are
/// those that the server stores, and reading marks nothing.
///
/// It is used by one thread; only [#endIdle] may come from another one. After any exception but
/// [CommandFailedException]
/// it is useless. An exception's text may hold what the server said.
final class ImapConnection implements AutoCloseable {

    /// Set on mails whose reports are kept.
    static final String KEYWORD = "tlsrpt-processed";

    /// How long a silent server is waited for, and so how long IDLE may last at most.
    private static final Duration TIMEOUT = Duration.ofMinutes(2);

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(20);

    private static final int MOST_IN_A_SET = 500;

    private final Wire wire;
    private final AtomicBoolean idling = new AtomicBoolean();
    private boolean keywords;
    private volatile boolean news;

    /// What the server says of a mail before it is fetched.
    ///
    /// @param stored when a mail server put it into the folder
    record Head(long uid, long size, @Nullable Instant stored) {}

    /// The bytes of a mail, or its first ones.
    @SuppressWarnings("ArrayRecordComponent") // megabytes, handed on and never compared
    record Body(long uid, byte[] bytes) {}

    private ImapConnection(Wire wire) {
        this.wire = wire;
        wire.addResponseHandler(response -> {
            if (response instanceof IMAPResponse untagged && untagged.keyEquals("EXISTS")) {
                news = true;
            }
        });
    }

    /// Connects and encrypts as configured. There is no way down: without the encryption asked for it fails.
    static ImapConnection open(Settings.Mail.Mailbox settings) throws IOException, ProtocolException {
        boolean tls = settings.security() == Settings.Mail.Security.TLS;
        int port = settings.port() != 0 ? settings.port() : tls ? 993 : 143;
        Wire wire = new Wire(settings.host(), port, properties(settings), tls);
        boolean open = false;
        try {
            if (settings.security() == Settings.Mail.Security.STARTTLS) {
                if (!wire.hasCapability("STARTTLS")) {
                    throw new IOException("the server offers no STARTTLS");
                }
                wire.startTLS();
                // what was said before in the clear is not believed
                wire.capability();
            }
            ImapConnection connection = new ImapConnection(wire);
            open = true;
            return connection;
        } finally {
            if (!open) {
                wire.disconnect();
            }
        }
    }

    private static Properties properties(Settings.Mail.Mailbox settings) throws IOException {
        Properties properties = new Properties();
        properties.setProperty("mail.imap.connectiontimeout", Long.toString(CONNECT_TIMEOUT.toMillis()));
        properties.setProperty("mail.imap.timeout", Long.toString(TIMEOUT.toMillis()));
        properties.setProperty("mail.imap.writetimeout", Long.toString(TIMEOUT.toMillis()));
        properties.setProperty("mail.imap.ssl.checkserveridentity", "true");
        properties.setProperty("mail.imap.socketFactory.fallback", "false");
        if (settings.caFile() != null) {
            properties.put(
                    "mail.imap.ssl.socketFactory", trusting(settings.caFile()).getSocketFactory());
        }
        return properties;
    }

    private static SSLContext trusting(Path caFile) throws IOException {
        try (InputStream pem = Files.newInputStream(caFile)) {
            KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
            authorities.load(null, null);
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                authorities.setCertificateEntry("ca" + authorities.size(), each);
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(authorities);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException unusable) {
            throw new IOException("the certificates in " + caFile + " cannot be used", unusable);
        }
    }

    /// @throws CommandFailedException when the server refuses the login
    void logIn(String user, String password) throws IOException, ProtocolException {
        if (wire.hasCapability("AUTH=PLAIN")) {
            wire.authenticate("PLAIN", "\0" + user + "\0" + password, "");
        } else if (wire.hasCapability("LOGINDISABLED")) {
            throw new IOException("the server takes no password on this connection");
        } else {
            wire.login(user, password);
        }
        wire.capability();
    }

    /// Logs in with an OAuth2 access token by OAUTHBEARER (RFC 7628) or the older XOAUTH2.
    ///
    /// @throws CommandFailedException when the server refuses the token
    void logInWithToken(String user, String token) throws IOException, ProtocolException {
        if (wire.hasCapability("AUTH=OAUTHBEARER")) {
            String name = user.replace("=", "=3D").replace(",", "=2C");
            wire.authenticate("OAUTHBEARER", "n,a=" + name + ",\u0001auth=Bearer " + token + "\u0001\u0001", "\u0001");
        } else if (wire.hasCapability("AUTH=XOAUTH2")) {
            wire.authenticate("XOAUTH2", "user=" + user + "\u0001auth=Bearer " + token + "\u0001\u0001", "");
        } else {
            throw new IOException("the server offers neither OAUTHBEARER nor XOAUTH2");
        }
        wire.capability();
    }

    /// @return the folder's UIDVALIDITY
    /// @throws CommandFailedException when there is no such folder
    long select(String folder) throws IOException, ProtocolException {
        MailboxInfo info = wire.select(folder);
        if (info.mode == jakarta.mail.Folder.READ_ONLY) {
            throw new IOException("the folder may only be read, so nothing in it can be marked");
        }
        keywords = info.permanentFlags.contains(Flags.Flag.USER) || info.permanentFlags.contains(KEYWORD);
        return info.uidvalidity;
    }

    /// Mails from a UID on, and some before it, that are neither deleted nor marked.
    Set<Long> search(long from, Collection<Long> also) throws ProtocolException {
        news = false;
        Set<Long> found = new LinkedHashSet<>();
        // the last mail answers to n:* whatever n is
        search(from + ":*").stream().filter(uid -> uid >= from).forEach(found::add);
        for (String set : sets(also)) {
            search(set).stream().filter(also::contains).forEach(found::add);
        }
        return found;
    }

    private List<Long> search(String set) throws ProtocolException {
        List<Long> found = new ArrayList<>();
        for (Response each :
                command("UID SEARCH UID " + set + " UNDELETED" + (keywords ? " UNKEYWORD " + KEYWORD : ""), null)) {
            if (each instanceof IMAPResponse untagged && untagged.keyEquals("SEARCH")) {
                for (long uid = untagged.readLong(); uid != -1; uid = untagged.readLong()) {
                    found.add(uid);
                }
            }
        }
        return found;
    }

    /// Those that the server gives an understandable answer for.
    Map<Long, Head> heads(Collection<Long> uids) throws ProtocolException {
        Map<Long, Head> heads = new HashMap<>();
        List<Long> missing = new ArrayList<>(uids);
        // a date that cannot be read spoils the whole answer
        for (String items : List.of("RFC822.SIZE INTERNALDATE", "RFC822.SIZE")) {
            for (Response each : fetch(missing, items)) {
                if (each instanceof FetchResponse answer) {
                    UID uid = answer.getItem(UID.class);
                    RFC822SIZE size = answer.getItem(RFC822SIZE.class);
                    INTERNALDATE date = answer.getItem(INTERNALDATE.class);
                    if (uid != null && size != null && missing.remove((Long) uid.uid)) {
                        Date stored = date == null ? null : date.getDate();
                        heads.put(uid.uid, new Head(uid.uid, size.size, stored == null ? null : stored.toInstant()));
                    }
                }
            }
        }
        return heads;
    }

    /// Whole mails.
    List<Body> bodies(Collection<Long> uids) throws ProtocolException {
        return bodies(uids, "BODY.PEEK[]");
    }

    /// The first bytes of mails.
    List<Body> beginnings(Collection<Long> uids, int bytes) throws ProtocolException {
        return bodies(uids, "BODY.PEEK[]<0." + bytes + ">");
    }

    private List<Body> bodies(Collection<Long> uids, String what) throws ProtocolException {
        List<Body> bodies = new ArrayList<>();
        Collection<Long> missing = new ArrayList<>(uids);
        for (Response each : fetch(missing, what)) {
            if (each instanceof FetchResponse answer) {
                UID uid = answer.getItem(UID.class);
                BODY body = answer.getItem(BODY.class);
                ByteArray bytes = body == null ? null : body.getByteArray();
                if (uid != null && bytes != null && missing.remove((Long) uid.uid)) {
                    bodies.add(new Body(uid.uid, bytes.getNewBytes()));
                }
            }
        }
        return bodies;
    }

    private List<Response> fetch(Collection<Long> uids, String items) throws ProtocolException {
        List<Response> answers = new ArrayList<>();
        for (String set : sets(uids)) {
            answers.addAll(Arrays.asList(command("UID FETCH " + set + " (UID " + items + ")", null)));
        }
        return answers;
    }

    /// @throws CommandFailedException when the server does not want to
    void mark(Collection<Long> uids) throws ProtocolException {
        for (String set : sets(uids)) {
            add(set, keywords ? "\\Seen " + KEYWORD : "\\Seen");
        }
    }

    /// Moves mails to another folder (RFC 6851, or copying and deleting), which is made when it is not there. Where the
    /// server can expunge no single mail (RFC 4315), they stay as deleted ones until somebody expunges the folder.
    ///
    /// @throws CommandFailedException when the server does not want to
    void move(Collection<Long> uids, String folder) throws ProtocolException {
        boolean moves = wire.hasCapability("MOVE");
        for (String set : sets(uids)) {
            transfer(moves ? "UID MOVE" : "UID COPY", set, folder);
            if (!moves) {
                add(set, "\\Deleted");
                if (wire.hasCapability("UIDPLUS")) {
                    command("UID EXPUNGE " + set, null);
                }
            }
        }
    }

    private void transfer(String how, String set, String folder) throws ProtocolException {
        try {
            command(how, wire.to(set, folder));
        } catch (CommandFailedException failed) {
            if (wire.list("", folder) != null) {
                throw failed;
            }
            wire.create(folder);
            command(how, wire.to(set, folder));
        }
    }

    private void add(String set, String flags) throws ProtocolException {
        command("UID STORE " + set + " +FLAGS.SILENT (" + flags + ")", null);
    }

    /// In pieces that fit a command line.
    private static List<String> sets(Collection<Long> uids) {
        List<Long> all = List.copyOf(uids);
        List<String> sets = new ArrayList<>();
        for (int from = 0; from < all.size(); from += MOST_IN_A_SET) {
            sets.add(all.subList(from, Math.min(all.size(), from + MOST_IN_A_SET)).stream()
                    .map(String::valueOf)
                    .collect(Collectors.joining(",")));
        }
        return sets;
    }

    private Response[] command(String command, @Nullable Argument arguments) throws ProtocolException {
        Response[] answers = wire.command(command, arguments);
        wire.notifyResponseHandlers(answers);
        wire.handleResult(answers[answers.length - 1]);
        return answers;
    }

    boolean canIdle() {
        return wire.hasCapability("IDLE");
    }

    /// Whether the server spoke of new mail since the last search began.
    boolean hasNews() {
        return news;
    }

    /// Asks for news.
    void noop() throws ProtocolException {
        wire.noop();
    }

    /// Lets the server tell of new mail (RFC 2177). Ends with the news, after the time, or by [#endIdle].
    ///
    /// @param atMost shorter than servers and the timeout of this connection bear
    void idle(Duration atMost, ScheduledExecutorService timers, BooleanSupplier ending) throws ProtocolException {
        wire.idleStart();
        idling.set(true);
        Future<?> renewal = timers.schedule(this::endIdle, atMost.toMillis(), TimeUnit.MILLISECONDS);
        try {
            boolean more = true;
            while (more) {
                if (news || ending.getAsBoolean()) {
                    endIdle();
                }
                more = wire.processIdleResponse(wire.readIdleResponse());
            }
        } finally {
            idling.set(false);
            renewal.cancel(false);
        }
    }

    /// Ends an [#idle] that is under way.
    void endIdle() {
        if (idling.compareAndSet(true, false)) {
            wire.idleAbort();
        }
    }

    /// Says goodbye where the server still listens.
    void logOut() throws ProtocolException {
        wire.logout();
    }

    @Override
    public void close() {
        wire.disconnect();
    }

    /// What the library keeps for its own subclasses.
    private static final class Wire extends IMAPProtocol {

        private static final int MOST_CHALLENGES = 3;

        Wire(String host, int port, Properties properties, boolean tls) throws IOException, ProtocolException {
            super("imap", host, port, properties, tls, new MailLogger(ImapConnection.class, "imap", false, null));
        }

        /// @param onChallenge the answer to what the server says after the first response, which is how it explains a
        /// refused token
        void authenticate(String mechanism, String response, String onChallenge) throws IOException, ProtocolException {
            suspendTracing();
            try {
                boolean sent = hasCapability("SASL-IR");
                String tag = writeCommand("AUTHENTICATE " + mechanism + (sent ? " " + base64(response) : ""), null);
                int challenges = 0;
                Response answer = readResponse();
                while (!answer.isBYE() && !(answer.isTagged() && tag.equals(answer.getTag()))) {
                    if (answer.isContinuation()) {
                        if (++challenges > MOST_CHALLENGES) {
                            throw new IOException("the server never ends the login");
                        }
                        OutputStream out = getOutputStream();
                        out.write((base64(sent ? onChallenge : response) + "\r\n").getBytes(StandardCharsets.US_ASCII));
                        out.flush();
                        sent = true;
                    }
                    answer = readResponse();
                }
                handleLoginResult(answer);
            } finally {
                resumeTracing();
            }
        }

        private static String base64(String text) {
            return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
        }

        Argument to(String set, String folder) {
            Argument arguments = new Argument().writeAtom(set);
            writeMailboxName(arguments, folder);
            return arguments;
        }
    }
}

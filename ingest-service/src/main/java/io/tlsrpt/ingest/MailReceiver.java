package io.tlsrpt.ingest;

import io.tlsrpt.ingest.SmtpMetrics.Ended;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.ReloadingKeyStore;
import io.tlsrpt.runtime.Settings;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes report mails by SMTP and LMTP, each connection on a thread of its own; it never sends one.
///
/// Connections are limited in number, altogether and per remote network (an IPv4 address, an IPv6 /64), and their mails
/// in the memory they hold together.
final class MailReceiver implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(MailReceiver.class);

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration ROOM_PATIENCE = Duration.ofSeconds(2);
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final Duration WATCH = Duration.ofSeconds(1);
    private static final int BACKLOG = 256;

    /// An address that is listened at.
    private record Door(Source source, HostPort configured, ServerSocket socket) {
        HostPort address() {
            return new HostPort(configured.host(), socket.getLocalPort());
        }
    }

    private final Settings.Mail.Smtp settings;
    private final SmtpSession.House house;
    private final SmtpMetrics metrics;
    private final List<Door> doors = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Set<SmtpSession> sessions = ConcurrentHashMap.newKeySet();
    private final CountDownLatch closing = new CountDownLatch(1);

    private final Map<String, Integer> perRemote = new HashMap<>();
    private int connections;

    /// @param rua where reports are sent, for when no recipients are configured; asked for each recipient
    MailReceiver(
            Settings.Mail.Smtp settings, Supplier<List<String>> rua, MailSink sink, SmtpMetrics metrics, Clock clock) {
        this(settings, rua, sink, metrics, clock, PATIENCE, room(settings));
    }

    /// @param patience how long a mail waits for the broker
    MailReceiver(
            Settings.Mail.Smtp settings,
            Supplier<List<String>> rua,
            MailSink sink,
            SmtpMetrics metrics,
            Clock clock,
            Duration patience,
            MailRoom room) {
        this.settings = settings;
        this.metrics = metrics;
        Settings.Tls tls = settings.tls();
        ReloadingKeyStore keyStore = tls == null ? null : new ReloadingKeyStore(tls);
        if (keyStore != null) {
            metrics.watch(keyStore);
        }
        this.house = new SmtpSession.House(
                hostname(settings.hostname()),
                settings.maxMessage().bytes(),
                settings.timeout(),
                patience,
                recipients(settings.recipients(), rua),
                keyStore == null ? null : keyStore::lookedAt,
                sink,
                room,
                metrics,
                clock);
    }

    private static MailRoom room(Settings.Mail.Smtp settings) {
        long heap = Runtime.getRuntime().maxMemory();
        return new MailRoom(
                Math.min((long) settings.maxConnections() * MailRoom.FIRST_BYTES, heap / 16),
                Math.max(2 * settings.maxMessage().bytes(), heap / 8),
                ROOM_PATIENCE);
    }

    private static Supplier<MailRecipients> recipients(
            List<Settings.Mail.Recipient> configured, Supplier<List<String>> rua) {
        return new Supplier<>() {
            private record Made(List<String> rua, MailRecipients recipients) {}

            private volatile @Nullable Made made;

            @Override
            public MailRecipients get() {
                List<String> now = rua.get();
                Made last = made;
                if (last == null || !last.rua.equals(now)) {
                    last = new Made(now, new MailRecipients(configured, now));
                    made = last;
                }
                return last.recipients;
            }
        };
    }

    private static String hostname(@Nullable String configured) {
        if (configured != null) {
            return configured;
        }
        try {
            String name = InetAddress.getLocalHost().getHostName();
            return name.matches("[A-Za-z0-9._-]{1,255}") ? name : "localhost";
        } catch (UnknownHostException nameless) {
            LOG.atDebug().setCause(nameless).log("this machine has no name; mail.smtp.hostname gives it one");
            return "localhost";
        }
    }

    /// @throws IllegalStateException when an address cannot be used, naming the setting that moves it
    void start() {
        try {
            if (settings.enabled()) {
                open(
                        Source.SMTP,
                        settings.listen(),
                        "mail.smtp.listen to a free address, or mail.smtp.enabled to false");
            }
            if (settings.lmtpListen() != null) {
                open(Source.LMTP, settings.lmtpListen(), "mail.smtp.lmtp-listen to a free address");
            }
        } catch (RuntimeException failed) {
            close();
            throw failed;
        }
        for (Door door : doors) {
            threads.add(Thread.ofPlatform()
                    .daemon()
                    .name(door.source().word() + "-accept")
                    .start(() -> accept(door)));
        }
        threads.add(Thread.ofPlatform().daemon().name("smtp-watch").start(this::watch));
    }

    private void open(Source source, HostPort address, String otherwise) {
        try {
            ServerSocket socket = new ServerSocket();
            socket.bind(new InetSocketAddress(address.host(), address.port()), BACKLOG);
            Door door = new Door(source, address, socket);
            doors.add(door);
            LOG.atInfo()
                    .addKeyValue("listener", source.word())
                    .addKeyValue("address", door.address())
                    .addKeyValue("tls", house.tls() != null)
                    .log("listening");
        } catch (IOException cannot) {
            throw new IllegalStateException(
                    source.word() + " cannot listen at " + address + ": " + cannot.getMessage() + "; set " + otherwise,
                    cannot);
        }
    }

    /// Where it really listens: `smtp`, `lmtp`, those that are switched on.
    Map<String, HostPort> addresses() {
        Map<String, HostPort> addresses = new LinkedHashMap<>();
        doors.forEach(door -> addresses.put(door.source().word(), door.address()));
        return addresses;
    }

    private void accept(Door door) {
        while (closing.getCount() > 0) {
            try {
                Socket socket = door.socket().accept();
                welcome(door.source(), socket);
            } catch (IOException failed) {
                if (closing.getCount() > 0) { // too many open files, or so; it may pass
                    LOG.atError()
                            .addKeyValue("listener", door.source().word())
                            .setCause(failed)
                            .log("cannot accept");
                    pause();
                }
            }
        }
    }

    private void welcome(Source source, Socket socket) {
        metrics.connected(source);
        String network = network(socket.getInetAddress());
        Ended full = admit(network);
        if (full != null) {
            turnAway(socket, full);
            metrics.ended(source, full);
            return;
        }
        Thread.ofVirtual().name(source.word() + "-", 0).start(() -> {
            Ended ended = Ended.INTERNAL;
            try {
                SmtpSession session = new SmtpSession(house, source, socket);
                sessions.add(session);
                try {
                    if (closing.getCount() == 0) {
                        session.stop();
                    }
                    ended = session.serve();
                } finally {
                    sessions.remove(session);
                }
            } catch (IOException gone) {
                LOG.atDebug().setCause(gone).log("gone before the greeting");
                ended = Ended.GONE;
            } catch (RuntimeException unexpected) {
                LOG.atError().setCause(unexpected).log("connection failed");
            } finally {
                metrics.ended(source, ended);
                release(network);
            }
        });
    }

    /// @return null when there is room for one more
    private synchronized @Nullable Ended admit(String network) {
        if (connections >= settings.maxConnections()) {
            return Ended.TOO_MANY;
        }
        if (perRemote.getOrDefault(network, 0) >= settings.maxConnectionsPerRemote()) {
            return Ended.TOO_MANY_FROM_ONE;
        }
        connections++;
        perRemote.merge(network, 1, Integer::sum);
        return null;
    }

    private synchronized void release(String network) {
        connections--;
        notifyAll();
        perRemote.computeIfPresent(network, (key, count) -> count == 1 ? null : count - 1);
    }

    private static void turnAway(Socket socket, Ended why) {
        LOG.atInfo()
                .addKeyValue("remote", socket.getInetAddress().getHostAddress())
                .addKeyValue("why", SmtpMetrics.word(why))
                .log("connection turned away");
        try (socket) {
            // fits into the socket's buffer, so nobody waits
            socket.getOutputStream()
                    .write("421 4.3.2 too many connections, try again later\r\n".getBytes(StandardCharsets.US_ASCII));
        } catch (IOException gone) {
            LOG.atDebug().setCause(gone).log("gone before the answer");
        }
    }

    private static String network(InetAddress address) {
        return address instanceof Inet6Address
                ? Arrays.toString(Arrays.copyOf(address.getAddress(), 8))
                : address.getHostAddress();
    }

    private void watch() {
        while (!pause()) {
            sessions.forEach(SmtpSession::cutIfOverdue);
        }
    }

    /// @return whether it is time to stop
    private boolean pause() {
        try {
            return closing.await(WATCH.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /// Takes no new connections; waits a while for the mails under way and answers them, then cuts what is left.
    @Override
    public void close() {
        closing.countDown();
        for (Door door : doors) {
            try {
                door.socket().close();
            } catch (IOException failed) {
                LOG.atWarn().setCause(failed).log("did not close cleanly");
            }
        }
        for (SmtpSession session : sessions) {
            // a peer that takes no answers must not keep the others from theirs
            Thread.ofVirtual().start(session::stop);
        }
        awaitNone();
        sessions.forEach(SmtpSession::cut);
    }

    private synchronized void awaitNone() {
        long end = System.nanoTime() + GRACE.toNanos();
        try {
            for (long left = GRACE.toMillis(); connections > 0 && left > 0; ) {
                wait(left);
                left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            }
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
    }
}

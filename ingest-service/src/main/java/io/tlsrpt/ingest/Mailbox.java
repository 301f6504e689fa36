package io.tlsrpt.ingest;

import io.tlsrpt.ingest.MailboxMetrics.Fate;
import io.tlsrpt.mail.ReportMail;
import io.tlsrpt.runtime.Secret;
import io.tlsrpt.runtime.Settings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.eclipse.angus.mail.iap.CommandFailedException;
import org.eclipse.angus.mail.iap.ProtocolException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes the report mails out of one folder of an IMAP mailbox and marks or moves them once the broker has their
/// reports; everything else in the mailbox stays as it is.
///
/// A mail is new when it has no keyword of ours and [MailboxMemory] does not know it: whether a person has opened it
/// does not matter. Mails without a report are looked at once and handed to nobody. A mail that was taken but not
/// marked, because this process or the server died in between, is taken again and becomes a duplicate there.
///
/// At most 128 mails and 82 MiB of them are in memory, unless one mail alone is larger.
final class Mailbox implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Mailbox.class);

    private static final int MOST_AT_A_TIME = 64;
    private static final long MOST_BYTES_AT_A_TIME = 16 * 1024 * 1024;
    private static final int HEADS_AT_A_TIME = 500;
    /// So many that cannot be taken one after the other mean that none can.
    private static final int ENOUGH_FAILURES = 64;

    private static final int MOST_OPEN = 10_000;
    /// So that new mail need not wait for the many that are tried again.
    private static final int MOST_RETRIED = 500;

    /// A mail whose reading broke so many connections is put off.
    private static final int MOST_BREAKS = 3;

    /// Shorter than what servers (RFC 2177), address translators and the connection's timeout bear.
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(90);

    /// For servers that end IDLE by themselves.
    private static final Duration SHORTEST_IDLE = Duration.ofMillis(200);

    private static final Duration GRACE = Duration.ofSeconds(5);

    private final Settings.Mail.Mailbox settings;
    private final int maxMessage;
    private final MailSink sink;
    private final MailboxMetrics metrics;
    private final Clock clock;
    private final MailboxMemory memory;
    private final @Nullable AccessTokens tokens;
    private final @Nullable Instant backfillBefore;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final ExecutorService taking = Executors.newVirtualThreadPerTaskExecutor();
    private final ScheduledExecutorService timers;
    private final Thread thread;
    private volatile @Nullable ImapConnection connection;

    /// Taken, but not marked or moved yet. Open in the memory, too, and taken again after a restart.
    private final TreeSet<Long> kept = new TreeSet<>();

    /// Nobody's report, but not moved yet.
    private final TreeSet<Long> others = new TreeSet<>();

    /// How often reading a mail broke the connection.
    private final Map<Long, Integer> breaks = new HashMap<>();
    private final Backoff retries = new Backoff();
    private long retryAt;
    private boolean sinkIsAway;
    private boolean settlingFails;
    private boolean full;
    private int brokenIdles;

    /// The last of the open ones that was tried again; the next time goes on behind it.
    private long lastRetried;

    /// From it on mails are looked at for the first time in this round.
    private long firstNew;

    private record UnderWay(long uid, Future<Fate> fate) {}

    /// @param directory where what is known of mailboxes is kept
    /// @param maxMessage of a longer mail only the head is read
    /// @param timers ends IDLE from time to time
    Mailbox(
            Settings.Mail.Mailbox settings,
            Path directory,
            int maxMessage,
            MailSink sink,
            ScheduledExecutorService timers,
            MailboxMetrics metrics,
            Clock clock) {
        this.settings = settings;
        this.maxMessage = maxMessage;
        this.sink = sink;
        this.timers = timers;
        this.metrics = metrics;
        this.clock = clock;
        this.memory = new MailboxMemory(
                directory.resolve(settings.name() + ".json"),
                settings.user() + "@" + settings.host() + "/" + settings.folder());
        this.tokens = settings.oauth2() == null ? null : new AccessTokens(settings.oauth2(), clock);
        this.backfillBefore = settings.backfillBefore() == null
                ? null
                : settings.backfillBefore().atStartOfDay(ZoneOffset.UTC).toInstant();
        this.thread = Thread.ofVirtual().name("mailbox-" + settings.name()).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private boolean isClosing() {
        return closing.getCount() == 0;
    }

    private void run() {
        Backoff reconnects = new Backoff();
        try {
            while (!isClosing()) {
                String why;
                try (ImapConnection opened = connect()) {
                    connection = opened;
                    watch(opened, reconnects);
                    opened.logOut();
                    return;
                } catch (IOException | ProtocolException | UncheckedIOException broken) {
                    why = shown(broken);
                    LOG.atDebug()
                            .addKeyValue("mailbox", settings.name())
                            .setCause(broken)
                            .log("a mailbox failed");
                } catch (RuntimeException | OutOfMemoryError garbage) {
                    // an answer may announce gigabytes
                    why = "not understood: " + shown(garbage);
                    LOG.atDebug()
                            .addKeyValue("mailbox", settings.name())
                            .setCause(garbage)
                            .log("a mailbox failed");
                } finally {
                    connection = null;
                    metrics.up(false);
                }
                if (isClosing()) {
                    return;
                }
                metrics.failed();
                Duration pause = reconnects.next();
                LOG.atWarn()
                        .addKeyValue("mailbox", settings.name())
                        .addKeyValue("why", why)
                        .addKeyValue("again-in", pause)
                        .log("a mailbox cannot be read");
                await(pause);
            }
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
    }

    /// What went wrong, for people, without what is secret.
    private String shown(Throwable failure) {
        StringBuilder shown = new StringBuilder();
        for (Throwable each = failure; each != null && shown.length() < 300; each = each.getCause()) {
            String message = each.getMessage() == null ? each.getClass().getSimpleName() : each.getMessage();
            if (shown.indexOf(message) < 0) {
                shown.append(shown.isEmpty() ? "" : ": ").append(message);
            }
        }
        String text = shown.toString();
        if (settings.password() != null && !settings.password().reveal().isEmpty()) {
            text = text.replace(
                    settings.password().reveal(), settings.password().toString());
        }
        return String.valueOf(Untrusted.shown(text));
    }

    private ImapConnection connect() throws IOException, ProtocolException, InterruptedException {
        try {
            return loggedIn();
        } catch (CommandFailedException refused) {
            if (tokens == null) {
                throw new IOException("the login is refused", refused);
            }
            // the token may have been withdrawn before its time
            tokens.forget();
            try {
                return loggedIn();
            } catch (CommandFailedException refusedAgain) {
                throw new IOException("the access token is refused", refusedAgain);
            }
        }
    }

    private ImapConnection loggedIn() throws IOException, ProtocolException, InterruptedException {
        Secret token = tokens == null ? null : tokens.current();
        ImapConnection opened = ImapConnection.open(settings);
        boolean in = false;
        try {
            if (token != null) {
                opened.logInWithToken(settings.user(), token.reveal());
            } else {
                opened.logIn(
                        settings.user(),
                        Objects.requireNonNull(settings.password()).reveal());
            }
            in = true;
            return opened;
        } finally {
            if (!in) {
                opened.close();
            }
        }
    }

    private void watch(ImapConnection server, Backoff reconnects)
            throws IOException, ProtocolException, InterruptedException {
        select(server);
        metrics.up(true);
        LOG.atInfo()
                .addKeyValue("mailbox", settings.name())
                .addKeyValue("folder", settings.folder())
                .addKeyValue("idle", server.canIdle())
                .log("a mailbox is open");
        while (!isClosing()) {
            round(server);
            reconnects.reset();
            awaitNews(server);
        }
    }

    private void select(ImapConnection server) throws IOException, ProtocolException {
        long uidValidity;
        try {
            uidValidity = server.select(settings.folder());
        } catch (CommandFailedException missing) {
            throw new IOException("the folder \"" + settings.folder() + "\" cannot be opened", missing);
        }
        // else nothing would ask it again where nothing is open any more
        sinkIsAway = false;
        if (memory.valid(uidValidity)) {
            kept.clear();
            others.clear();
            breaks.clear();
            LOG.atWarn()
                    .addKeyValue("mailbox", settings.name())
                    .log("the server has renumbered the mails; those without our keyword are looked at again");
        }
    }

    /// Until the server tells of mail, the poll interval is over, or a mail is to be tried again.
    private void awaitNews(ImapConnection server) throws ProtocolException, InterruptedException {
        long pollAt = System.nanoTime() + settings.pollInterval().toNanos();
        long until = (memory.openCount() > 0 || sinkIsAway) && retryAt - pollAt < 0 ? retryAt : pollAt;
        for (long left = until - System.nanoTime();
                left > 0 && !isClosing() && !(server.hasNews() && !sinkIsAway);
                left = until - System.nanoTime()) {
            Duration pause = Duration.ofNanos(Math.min(left, LONGEST_SILENCE.toNanos()));
            if (server.canIdle() && !sinkIsAway && brokenIdles < MOST_BREAKS) {
                idle(server, pause);
            } else if (!await(pause)) {
                server.noop();
            }
        }
    }

    /// Where IDLE is offered and breaks again and again, polling is what is left.
    private void idle(ImapConnection server, Duration pause) throws ProtocolException, InterruptedException {
        long began = System.nanoTime();
        try {
            server.idle(pause, timers, this::isClosing);
        } catch (ProtocolException broken) {
            brokenIdles++;
            throw broken;
        }
        brokenIdles = 0;
        if (!server.hasNews() && System.nanoTime() - began < SHORTEST_IDLE.toNanos()) {
            await(SHORTEST_IDLE);
        }
    }

    private boolean await(Duration pause) throws InterruptedException {
        return closing.await(pause.toNanos(), TimeUnit.NANOSECONDS);
    }

    /// Looks at everything new, and at what is open when its time has come.
    private void round(ImapConnection server) throws ProtocolException, InterruptedException {
        boolean retry = (memory.openCount() > 0 || sinkIsAway) && System.nanoTime() - retryAt >= 0;
        if (sinkIsAway && !retry) {
            return;
        }
        settlingFails &= !retry;
        NavigableSet<Long> open = retry ? memory.open() : new TreeSet<>();
        List<Long> due = memory.due(clock.instant(), MOST_RETRIED);
        Set<Long> asked = new HashSet<>(open);
        asked.addAll(due);
        Set<Long> present = server.search(memory.next(), asked);
        // new ones first, so that those that never work cannot hold them up
        List<Long> todo = new ArrayList<>();
        if (!isFull()) {
            present.stream().filter(uid -> uid >= memory.next()).sorted().forEach(todo::add);
        }
        List<Long> again = Stream.concat(
                        open.tailSet(lastRetried, false).stream(), open.headSet(lastRetried, true).stream())
                .filter(uid -> present.contains(uid) && !kept.contains(uid) && !others.contains(uid))
                .limit(MOST_RETRIED)
                .toList();
        lastRetried = again.isEmpty() ? 0 : again.getLast();
        todo.addAll(again);
        due.stream()
                .filter(uid -> present.contains(uid) && !kept.contains(uid) && !others.contains(uid))
                .forEach(todo::add);
        for (long uid : asked) {
            if (!present.contains(uid)) {
                kept.remove(uid);
                others.remove(uid);
                memory.settled(uid);
            }
        }
        boolean wasAway = sinkIsAway;
        sinkIsAway = false;
        take(server, todo);
        settle(server);
        boolean goesOn = again.size() == MOST_RETRIED && !memory.open().containsAll(again);
        boolean isBack = wasAway && !sinkIsAway;
        if (memory.openCount() == 0 || goesOn || isBack) {
            retries.reset();
        }
        if (retry || retryAt - System.nanoTime() < 0) {
            retryAt = System.nanoTime() + retries.next().toNanos();
        }
    }

    private boolean isFull() {
        boolean now = memory.openCount() >= MOST_OPEN;
        if (now && !full) {
            LOG.atError()
                    .addKeyValue("mailbox", settings.name())
                    .addKeyValue("open", memory.openCount())
                    .log("new mail waits: too many mails are neither taken nor marked");
        }
        full = now;
        metrics.full(now);
        return now;
    }

    private void take(ImapConnection server, List<Long> todo) throws ProtocolException, InterruptedException {
        List<UnderWay> before = List.of();
        List<UnderWay> now = List.of();
        int failures = 0;
        firstNew = memory.next();
        try {
            for (int from = 0; from < todo.size(); from += HEADS_AT_A_TIME) {
                List<Long> asked = todo.subList(from, Math.min(todo.size(), from + HEADS_AT_A_TIME));
                Map<Long, ImapConnection.Head> heads = server.heads(asked);
                for (List<Long> portion : portions(asked, heads)) {
                    if (isClosing()) {
                        return;
                    }
                    // while these are fetched, those before them are on their way to the broker
                    now = handOn(server, portion, heads);
                    failures = decide(before, failures);
                    before = now;
                    now = List.of();
                    settle(server);
                    if (failures >= ENOUGH_FAILURES) {
                        sinkIsAway = true;
                        return;
                    }
                }
            }
        } finally {
            // also when the connection broke: what the broker has is remembered, and marked by the next connection
            failures = decide(before, failures);
            failures = decide(now, failures);
            sinkIsAway |= failures >= ENOUGH_FAILURES;
            memory.write();
            metrics.open(memory.openCount(), memory.lateCount());
        }
    }

    /// Mails that may be in memory together.
    private List<List<Long>> portions(List<Long> asked, Map<Long, ImapConnection.Head> heads) {
        List<List<Long>> portions = new ArrayList<>();
        List<Long> portion = new ArrayList<>();
        long bytes = 0;
        for (long uid : asked) {
            ImapConnection.Head head = heads.get(uid);
            long size = head == null ? 0 : head.size() > maxMessage ? Submission.HEAD_BYTES : head.size();
            boolean alone = breaks.containsKey(uid);
            if (!portion.isEmpty()
                    && (alone
                            || breaks.containsKey(portion.getFirst())
                            || portion.size() == MOST_AT_A_TIME
                            || bytes + size > MOST_BYTES_AT_A_TIME)) {
                portions.add(portion);
                portion = new ArrayList<>();
                bytes = 0;
            }
            portion.add(uid);
            bytes += size;
        }
        if (!portion.isEmpty()) {
            portions.add(portion);
        }
        return portions;
    }

    private List<UnderWay> handOn(ImapConnection server, List<Long> portion, Map<Long, ImapConnection.Head> described)
            throws ProtocolException {
        // whatever happens from here on, none of them is forgotten when a later one is decided first
        portion.forEach(uid -> memory.opened(uid, clock.instant()));
        Map<Long, ImapConnection.Head> heads = new HashMap<>();
        List<Long> whole = new ArrayList<>();
        List<Long> cut = new ArrayList<>();
        for (long uid : portion) {
            ImapConnection.Head head = described.get(uid);
            if (head == null) {
                putOff(uid, "the server does not describe it");
            } else if (breaks.getOrDefault(uid, 0) >= MOST_BREAKS) {
                breaks.remove(uid);
                putOff(uid, "reading it breaks the connection");
            } else {
                heads.put(uid, head);
                (head.size() > maxMessage ? cut : whole).add(uid);
            }
        }
        List<ImapConnection.Body> bodies = new ArrayList<>();
        try {
            bodies.addAll(server.bodies(whole));
            bodies.addAll(server.beginnings(cut, Submission.HEAD_BYTES));
        } catch (ProtocolException | RuntimeException broken) {
            heads.keySet().forEach(uid -> breaks.merge(uid, 1, Integer::sum));
            throw broken;
        }
        breaks.keySet().removeAll(heads.keySet());
        List<UnderWay> underWay = new ArrayList<>();
        Instant now = clock.instant();
        for (ImapConnection.Body body : bodies) {
            ImapConnection.Head head = Objects.requireNonNull(heads.remove(body.uid()));
            Mail mail = mail(head, body.bytes(), now);
            metrics.fetched();
            underWay.add(new UnderWay(body.uid(), taking.submit(() -> fate(mail))));
        }
        heads.keySet().forEach(uid -> putOff(uid, "the server does not hand it out"));
        return underWay;
    }

    private Mail mail(ImapConnection.Head head, byte[] bytes, Instant now) {
        boolean cut = head.size() > maxMessage || bytes.length > maxMessage;
        Instant stored = head.stored();
        boolean old = backfillBefore != null && stored != null && stored.isBefore(backfillBefore);
        return new Mail(
                cut && bytes.length > Submission.HEAD_BYTES ? Arrays.copyOf(bytes, Submission.HEAD_BYTES) : bytes,
                cut,
                Source.IMAP,
                now,
                stored == null || stored.isAfter(now) ? now : stored,
                "imap:" + settings.name(),
                settings.trusted() || old,
                settings.channelDomain(),
                old ? Submission.Backfill.YES : Submission.Backfill.BY_AGE);
    }

    private Fate fate(Mail mail) {
        if (!claimsToReport(mail)) {
            return Fate.OTHER;
        }
        try {
            return switch (sink.take(mail).get()) {
                case MailOutcome.Kept outcome -> outcome.noReport() ? Fate.OTHER : Fate.KEPT;
                case MailOutcome.TryAgain outcome -> outcome.ofThisMail() ? Fate.UNPROVEN : Fate.AGAIN;
            };
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            return Fate.AGAIN;
        } catch (ExecutionException unexpected) {
            LOG.atError()
                    .addKeyValue("mailbox", settings.name())
                    .setCause(unexpected.getCause())
                    .log("a mail could not be taken");
            return Fate.AGAIN;
        }
    }

    /// Whether a mail is our business. Any other mail of a mailbox is private: it must not become a copy in the topic
    /// of
    /// rejected documents. Of a cut mail its fields and the media types in its beginning tell.
    static boolean claimsToReport(Mail mail) {
        ReportMail read = ReportMail.read(mail.bytes(), ReportMail.Limits.DEFAULT);
        return read.isSure() || read.reportDomain().isPresent();
    }

    /// Waits for what is under way and remembers what became of it.
    ///
    /// @param failures how many before these failed one after the other
    /// @return the same with these
    private int decide(List<UnderWay> underWay, int failures) throws InterruptedException {
        int inARow = failures;
        for (UnderWay each : underWay) {
            Fate fate;
            try {
                fate = each.fate().get();
            } catch (ExecutionException unexpected) {
                LOG.atError()
                        .addKeyValue("mailbox", settings.name())
                        .addKeyValue("uid", each.uid())
                        .setCause(unexpected.getCause())
                        .log("a mail could not be judged");
                fate = Fate.AGAIN;
            }
            metrics.decided(fate);
            inARow = switch (fate) {
                case KEPT, OTHER -> 0;
                case AGAIN -> inARow + 1;
                // many new ones mean that DNS is away, old ones only that they are still what they were
                case UNPROVEN -> each.uid() >= firstNew ? inARow + 1 : inARow;
            };
            switch (fate) {
                case KEPT -> {
                    kept.add(each.uid());
                    memory.judged(each.uid(), clock.instant());
                }
                case OTHER -> {
                    if (settings.others() == Settings.Mail.Others.MOVE) {
                        others.add(each.uid());
                        memory.judged(each.uid(), clock.instant());
                    } else {
                        memory.settled(each.uid());
                    }
                }
                case AGAIN -> {
                    // stays open
                }
                case UNPROVEN -> unjudged(each.uid());
            }
        }
        return inARow;
    }

    private void putOff(long uid, String why) {
        LOG.atWarn()
                .addKeyValue("mailbox", settings.name())
                .addKeyValue("uid", uid)
                .addKeyValue("why", why)
                .log("a mail is tried again later");
        unjudged(uid);
    }

    private void unjudged(long uid) {
        if (memory.unjudged(uid, clock.instant())) {
            LOG.atWarn()
                    .addKeyValue("mailbox", settings.name())
                    .addKeyValue("uid", uid)
                    .log("a mail cannot be judged and is tried once a day from now on");
        }
        memory.tooMany()
                .ifPresent(
                        oldest -> LOG.atError()
                                .addKeyValue("mailbox", settings.name())
                                .addKeyValue("uid", oldest)
                                .log(
                                        "too many mails cannot be judged; the oldest stays unmarked in its folder and is not tried again"));
    }

    /// Marks or moves what is decided.
    private void settle(ImapConnection server) throws ProtocolException {
        if (settlingFails) {
            return;
        }
        try {
            if (!kept.isEmpty()) {
                if (settings.processed() == Settings.Mail.Processed.MARK) {
                    server.mark(kept);
                } else {
                    server.move(kept, settings.processedFolder());
                }
                kept.forEach(memory::settled);
                kept.clear();
            }
            if (!others.isEmpty()) {
                server.move(others, settings.othersFolder());
                others.forEach(memory::settled);
                others.clear();
            }
        } catch (CommandFailedException refused) {
            settlingFails = true;
            LOG.atError()
                    .addKeyValue("mailbox", settings.name())
                    .addKeyValue("mails", kept.size() + others.size())
                    .addKeyValue("why", shown(refused))
                    .log("mails that were taken cannot be marked or moved; tried again later");
        }
        memory.write();
        metrics.open(memory.openCount(), memory.lateCount());
    }

    /// Ends IDLE at once and waits a few seconds for what is under way; a mail that is not marked then is taken again
    /// by
    /// the next start.
    @Override
    public void close() {
        closing.countDown();
        ImapConnection current = connection;
        if (current != null) {
            current.endIdle();
        } else {
            // nothing is under way that could be lost
            thread.interrupt();
        }
        try {
            if (thread.isAlive() && !thread.join(GRACE)) {
                // breaks the connection of a thread that reads or writes
                thread.interrupt();
                thread.join(GRACE);
            }
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
        taking.shutdownNow();
        if (tokens != null) {
            tokens.close();
        }
    }
}

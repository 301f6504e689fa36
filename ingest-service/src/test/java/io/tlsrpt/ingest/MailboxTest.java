package io.tlsrpt.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.mail.SampleMails;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.RawPosition;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A mailbox on a server that does what no good server does.
@SuppressWarnings({"try", "StringSplitter"}) // a mailbox works by being open; commands are split by blanks
class MailboxTest {

    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");

    @TempDir
    Path data;

    private final TreeMap<Long, byte[]> stored = new TreeMap<>();
    private final Set<Long> deadly = ConcurrentHashMap.newKeySet();
    private final Set<Long> expunged = ConcurrentHashMap.newKeySet();
    private final List<String> stores = new CopyOnWriteArrayList<>();
    private final List<Mail> taken = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
    private volatile long uidValidity = 7;
    private volatile boolean hangUp;
    private volatile Instant now = NOW;
    private volatile Function<Mail, MailOutcome> answer =
            mail -> new MailOutcome.Kept(List.of(new Outcome.Accepted("key", new RawPosition(0, 0))));

    @SuppressWarnings("NullAway.Init") // before each test
    private ServerSocket server;

    @BeforeEach
    void listen() throws IOException {
        server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(() -> {
            while (!server.isClosed()) {
                try (Socket peer = server.accept()) {
                    serve(peer);
                } catch (IOException gone) {
                    // the next one
                    assertThat(gone).isNotNull();
                }
            }
        });
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        timers.shutdownNow();
    }

    /// Without keywords, IDLE, MOVE; finds expunged mails and describes them to nobody; dies when a deadly mail is
    /// asked
    /// for.
    private void serve(Socket peer) throws IOException {
        BufferedReader in =
                new BufferedReader(new InputStreamReader(peer.getInputStream(), StandardCharsets.ISO_8859_1));
        OutputStream out = peer.getOutputStream();
        say(out, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", 5);
            String command = words[1] + (words[1].equals("UID") ? " " + words[2] : "");
            switch (command) {
                case "CAPABILITY" -> say(out, "* CAPABILITY IMAP4rev1 AUTH=PLAIN");
                case "SELECT" -> {
                    say(out, "* FLAGS (\\Seen \\Deleted)");
                    say(out, "* OK [PERMANENTFLAGS (\\Seen \\Deleted)]");
                    say(out, "* OK [UIDVALIDITY " + uidValidity + "]");
                    say(out, "* 0 garbage ((( \u0001");
                }
                case "UID SEARCH" -> {
                    StringBuilder found = new StringBuilder("* SEARCH");
                    stored.keySet().forEach(uid -> found.append(' ').append(uid));
                    say(out, found.toString());
                }
                case "UID FETCH" -> {
                    for (String uid : words[3].split(",")) {
                        if (words[4].contains("BODY") && deadly.contains(Long.valueOf(uid))) {
                            say(out, "* 1 FETCH (UID " + uid + " BODY[] {500}");
                            return;
                        }
                        if (expunged.contains(Long.valueOf(uid))) {
                            continue;
                        }
                        byte[] mail = Objects.requireNonNull(stored.get(Long.valueOf(uid)));
                        String head = "* " + uid + " FETCH (UID " + uid;
                        if (words[4].contains("BODY")) {
                            say(out, head + " BODY[] {" + mail.length + "}");
                            out.write(mail);
                            say(out, ")");
                        } else if (words[4].contains("INTERNALDATE")) {
                            say(out, head + " RFC822.SIZE " + mail.length + " INTERNALDATE \"no date\")");
                        } else {
                            say(out, head + " RFC822.SIZE " + mail.length + ")");
                        }
                    }
                }
                case "UID STORE" -> stores.add(words[3] + " " + words[4]);
                default -> {
                    assertThat(command).isIn("AUTHENTICATE", "NOOP", "LOGOUT");
                    if (hangUp) {
                        return;
                    }
                }
            }
            say(out, words[0] + " OK done");
        }
    }

    private static void say(OutputStream out, String line) throws IOException {
        out.write((line + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    private Mailbox start(SimpleMeterRegistry meters) {
        Mailbox mailbox = new Mailbox(
                SettingsFile.parse(
                                "test.yaml",
                                "data: " + data
                                        + "\nmail:\n  mailboxes:\n    - {name: reports, user: reports, password: secret, host: 127.0.0.1, port: "
                                        + server.getLocalPort() + ", security: plain, poll-interval: 1s}\n",
                                name -> null)
                        .mail()
                        .mailboxes()
                        .getFirst(),
                data,
                1024 * 1024,
                mail -> {
                    taken.add(mail);
                    return CompletableFuture.completedFuture(answer.apply(mail));
                },
                timers,
                new MailboxMetrics(meters, "reports"),
                ((InstantSource) () -> now).withZone(ZoneOffset.UTC));
        mailbox.start();
        return mailbox;
    }

    private static byte[] report(String id) {
        return SampleMails.report(
                SampleReports.report().id(id).gzip(),
                "noreply@google.com",
                "reports@example.com",
                "example.com",
                "google.com");
    }

    @Test
    void whereThereAreNoKeywordsEachMailIsTakenOnceUntilTheServerRenumbersThem() {
        stored.putAll(Map.of(3L, report("r3"), 9L, report("r9")));
        try (Mailbox mailbox = start(new SimpleMeterRegistry())) {
            await().until(() -> stores.size() == 1);
        }
        assertThat(stores).containsExactly("3,9 +FLAGS.SILENT (\\Seen)");
        assertThat(taken)
                .hasSize(2)
                .allSatisfy(mail -> assertThat(mail.deliveredAt())
                        .as("the date could not be read")
                        .isEqualTo(NOW));

        stored.put(10L, report("r10"));
        try (Mailbox mailbox = start(new SimpleMeterRegistry())) {
            await().until(() -> stores.size() == 2);
        }
        assertThat(taken).hasSize(3);

        uidValidity = 8;
        try (Mailbox mailbox = start(new SimpleMeterRegistry())) {
            await().until(() -> stores.size() == 3);
        }
        assertThat(taken).hasSize(6);
    }

    @Test
    void aMailWhoseReadingKillsTheServerHoldsNoOtherUp() {
        stored.putAll(Map.of(1L, report("r1"), 2L, report("deadly"), 3L, report("r3")));
        deadly.add(2L);
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        try (Mailbox mailbox = start(meters)) {
            await().atMost(Duration.ofSeconds(30)).until(() -> taken.size() == 2);
            deadly.clear();
            await().atMost(Duration.ofSeconds(30)).until(() -> taken.size() == 3);
            await().until(() -> meters.get("tlsrpt.mailbox.open").gauge().value() == 0);
        }
        assertThat(meters.get("tlsrpt.mailbox.fetched").counter().count()).isEqualTo(3);
    }

    @Test
    void aMailThatIsGoneBeforeItIsReadLetsNoneBeforeItBeForgotten() {
        stored.putAll(Map.of(1L, report("r1"), 2L, report("r2"), 3L, report("gone")));
        expunged.add(3L);
        deadly.addAll(List.of(1L, 2L));
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        try (Mailbox mailbox = start(meters)) {
            await().until(() -> meters.get("tlsrpt.mailbox.failures").counter().count() >= 1);
        }
        assertThat(taken).isEmpty();
        deadly.clear();
        try (Mailbox mailbox = start(new SimpleMeterRegistry())) {
            await().until(() -> taken.size() == 2);
        }
    }

    @Test
    void aBrokerThatWasAwayWhenTheServerRenumberedTheMailsIsAskedAgain() {
        answer = mail -> new MailOutcome.TryAgain("the broker is away", false);
        for (long uid = 1; uid <= 64; uid++) {
            stored.put(uid, report("r" + uid));
        }
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        try (Mailbox mailbox = start(meters)) {
            await().until(() -> taken.size() >= 64);
            uidValidity = 8;
            hangUp = true;
            await().until(() -> meters.get("tlsrpt.mailbox.failures").counter().count() >= 1);
            taken.clear();
            answer = mail -> new MailOutcome.Kept(List.of(new Outcome.Accepted("key", new RawPosition(0, 0))));
            hangUp = false;
            await().atMost(Duration.ofSeconds(20)).until(() -> taken.size() == 64);
        }
    }

    @Test
    void mailsThatNeverCanBeJudgedAreTriedOnceADayAndHoldNobodyUp() {
        answer = mail -> new MailOutcome.TryAgain("no DNS", true);
        for (long uid = 1; uid <= 70; uid++) {
            stored.put(uid, report("r" + uid));
        }
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        try (Mailbox mailbox = start(meters)) {
            await().until(() -> meters.get("tlsrpt.mailbox.open").gauge().value() == 70);
            now = NOW.plus(MailboxMemory.PATIENCE);
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> meters.get("tlsrpt.mailbox.late").gauge().value() == 70);
            assertThat(meters.get("tlsrpt.mailbox.open").gauge().value()).isZero();
            taken.clear();
            answer = mail -> new MailOutcome.Kept(List.of(new Outcome.Accepted("key", new RawPosition(0, 0))));
            stored.put(71L, report("r71"));
            await().until(() -> taken.size() == 1);
        }
        try (Mailbox mailbox = start(meters)) {
            stored.put(72L, report("r72"));
            await().until(() -> taken.size() == 2);
            now = now.plus(MailboxMemory.LATE_PAUSE);
            await().until(() -> taken.size() == 72);
        }
        assertThat(new MailboxMemory(data.resolve("reports.json"), "reports@127.0.0.1/INBOX").lateCount())
                .isZero();
    }

    @Test
    void aFloodOfMailsThatCannotBeJudgedNeverFillsTheOpenOnes() {
        MailboxMemory memory = new MailboxMemory(data.resolve("flood.json"), "a");
        memory.valid(1);
        int mails = MailboxMemory.CROWD + MailboxMemory.MOST_LATE + 1;
        for (long uid = 1; uid <= mails; uid++) {
            memory.opened(uid, NOW);
            memory.unjudged(uid, NOW);
            OptionalLong forgotten = memory.tooMany();
            assertThat(forgotten.isPresent()).isEqualTo(uid == mails);
        }
        assertThat(memory.openCount()).isEqualTo(MailboxMemory.CROWD);
        assertThat(memory.lateCount()).isEqualTo(MailboxMemory.MOST_LATE);
        assertThat(memory.due(NOW.plusSeconds(86_399), 10)).isEmpty();
        assertThat(memory.due(NOW.plus(MailboxMemory.LATE_PAUSE), 10)).hasSize(10);
    }

    @Test
    void anAddressThatSpeaksOfReportsMakesALongMailNobodysBusiness() {
        String text = "x".repeat(70) + "\r\n";
        String person = "From: a@example.org\r\nTo: tlsrpt@example.com\r\nSubject: tlsrpt\r\n\r\n" + text.repeat(2000);
        assertThat(Mailbox.claimsToReport(cut(person.getBytes(StandardCharsets.US_ASCII))))
                .isFalse();
        String bare = "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                + "Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                + text.repeat(2000);
        assertThat(Mailbox.claimsToReport(cut(bare.getBytes(StandardCharsets.US_ASCII))))
                .isTrue();
        assertThat(Mailbox.claimsToReport(cut(("TLS-Report-Domain: example.com\r\n\r\n" + text.repeat(2000))
                        .getBytes(StandardCharsets.US_ASCII))))
                .isTrue();
    }

    private static Mail cut(byte[] bytes) {
        return new Mail(
                Arrays.copyOf(bytes, Submission.HEAD_BYTES),
                true,
                Source.IMAP,
                NOW,
                NOW,
                "imap:reports",
                false,
                null,
                Submission.Backfill.BY_AGE);
    }

    @Test
    void anEndlessAnswerOfATokenEndpointIsNotWaitedFor() throws Exception {
        try (ServerSocket endpoint = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
                AccessTokens tokens = tokens(endpoint.getLocalPort(), Duration.ofSeconds(1))) {
            Thread.ofVirtual().start(() -> {
                try {
                    say(
                            endpoint.accept().getOutputStream(),
                            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":");
                } catch (IOException gone) {
                    assertThat(gone).isNotNull();
                }
            });
            assertTimeoutPreemptively(
                    Duration.ofSeconds(20),
                    () -> assertThatThrownBy(tokens::current)
                            .isInstanceOf(IOException.class)
                            .hasMessageContaining("not answered in PT1S"));
        }
    }

    @Test
    void aLongAnswerOfATokenEndpointIsNotReadToItsEnd() throws Exception {
        try (ServerSocket endpoint = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
                AccessTokens tokens = tokens(endpoint.getLocalPort(), Duration.ofSeconds(20))) {
            Thread.ofVirtual().start(() -> {
                try {
                    say(
                            endpoint.accept().getOutputStream(),
                            "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + " ".repeat(100_000));
                } catch (IOException gone) {
                    assertThat(gone).isNotNull();
                }
            });
            assertThatThrownBy(tokens::current).isInstanceOf(IOException.class).hasMessageContaining("gave no answer");
        }
    }

    private static AccessTokens tokens(int port, Duration timeout) {
        return new AccessTokens(
                Objects.requireNonNull(SettingsFile.parse(
                                "test.yaml",
                                "mail:\n  mailboxes:\n    - {name: reports, user: reports, host: localhost, oauth2: "
                                        + "{token-url: 'http://127.0.0.1:" + port
                                        + "/token', client-id: c, refresh-token: r}}\n",
                                name -> null)
                        .mail()
                        .mailboxes()
                        .getFirst()
                        .oauth2()),
                Clock.fixed(NOW, ZoneOffset.UTC),
                timeout);
    }

    @Test
    void whatIsRememberedSurvivesDamageAsNothing() throws IOException {
        Path file = data.resolve("memory.json");
        MailboxMemory memory = new MailboxMemory(file, "a");
        memory.valid(1);
        memory.settled(4);
        memory.opened(6, NOW);
        memory.write();
        MailboxMemory again = new MailboxMemory(file, "a");
        assertThat(again.valid(1)).isFalse();
        assertThat(again.next()).isEqualTo(7);
        assertThat(again.open()).containsExactly(6L);
        assertThat(new MailboxMemory(file, "another folder").next()).isEqualTo(1);
        assertThat(again.valid(2)).isTrue();
        assertThat(again.open()).isEmpty();
        Files.writeString(file, "{torn");
        assertThat(new MailboxMemory(file, "a").next()).isEqualTo(1);
    }
}

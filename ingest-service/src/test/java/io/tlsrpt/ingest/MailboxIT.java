package io.tlsrpt.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.mail.SampleMails;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.RawPosition;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A mailbox on a real Dovecot, with a sink that keeps, refuses or hangs as a test says.
class MailboxIT {

    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    private static final Instant DELIVERED = Instant.parse("2026-11-21T08:09:10Z");
    private static final CompletableFuture<MailOutcome> KEPT = CompletableFuture.completedFuture(
            new MailOutcome.Kept(List.of(new Outcome.Accepted("key", new RawPosition(0, 0)))));
    private static final byte[] PRIVATE =
            Dovecot.crlf("From: a@example.org\nSubject: tonight?\n\nShall we meet tonight?\n");

    @TempDir
    Path data;

    private final List<Mail> taken = new CopyOnWriteArrayList<>();
    private volatile Function<Mail, CompletableFuture<MailOutcome>> answer = mail -> KEPT;
    private final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
        timers.shutdownNow();
    }

    private Dovecot dovecot(String... more) {
        Dovecot dovecot = Dovecot.running(more);
        open.add(dovecot);
        return dovecot;
    }

    /// A mailbox and what it counts.
    private final class Watched implements AutoCloseable {
        final SimpleMeterRegistry meters = new SimpleMeterRegistry();
        final Mailbox mailbox;

        Watched(Dovecot dovecot, String... yaml) {
            String given = String.join("\n", yaml);
            String lines = (given.contains("password") || given.contains("oauth2") ? "" : "password: secret\n")
                    + (given.contains("security") ? "" : "security: plain\nport: " + dovecot.port() + "\n")
                    + (given.contains("host") ? "" : "host: localhost\n")
                    + (given.contains("poll-interval") ? "" : "poll-interval: 1h\n")
                    + given;
            Settings settings = SettingsFile.parse(
                    "test.yaml",
                    "data: " + data + "\nmail:\n  mailboxes:\n    - name: reports\n      user: reports\n"
                            + lines.indent(6),
                    name -> null);
            this.mailbox = new Mailbox(
                    settings.mail().mailboxes().getFirst(),
                    data,
                    100 * 1024,
                    mail -> {
                        taken.add(mail);
                        return answer.apply(mail);
                    },
                    timers,
                    new MailboxMetrics(meters, "reports"),
                    Clock.fixed(NOW, ZoneOffset.UTC));
            open.add(this);
            mailbox.start();
        }

        double count(String name, String... tags) {
            return Objects.requireNonNull(meters.find(name).tags(tags).counter())
                    .count();
        }

        double gauge(String name) {
            return Objects.requireNonNull(meters.find(name).gauge()).value();
        }

        boolean isUp() {
            return gauge("tlsrpt.mailbox.up") == 1;
        }

        @Override
        public void close() {
            mailbox.close();
        }
    }

    private static byte[] report(String id) {
        return SampleMails.report(
                SampleReports.report().id(id).gzip(),
                "noreply@google.com",
                "reports@example.com",
                "example.com",
                "google.com");
    }

    private void awaitTaken(int mails) {
        await().untilAsserted(() -> assertThat(taken).hasSize(mails));
    }

    /// Dovecot says goodbye to who is connected up to ten seconds after it was told to stop.
    private static ConditionFactory await() {
        return Awaitility.await().atMost(Duration.ofSeconds(30));
    }

    private static void awaitFlags(Dovecot dovecot, String folder, String... flags) {
        await().untilAsserted(() -> assertThat(dovecot.flags(folder)).containsExactly(flags));
    }

    @Test
    void reportsAreMarkedOnceTakenAndEverythingElseStaysAsItWas() throws Exception {
        Dovecot dovecot = dovecot();
        dovecot.deliver("INBOX", report("r1"), DELIVERED, "");
        dovecot.deliver("INBOX", PRIVATE, DELIVERED, "");
        dovecot.deliver("INBOX", report("opened by a person"), DELIVERED, "S");
        dovecot.deliver("INBOX", PRIVATE, DELIVERED, "S");
        dovecot.deliver("INBOX", report("deleted by a person"), DELIVERED, "T");
        dovecot.deliver("Other", report("in another folder"), DELIVERED, "");

        try (Watched watched = new Watched(dovecot)) {
            awaitTaken(2);
            awaitFlags(dovecot, "INBOX", "Sa", "", "Sa", "S", "T");
            assertThat(watched.count("tlsrpt.mailbox.fetched")).isEqualTo(4);
            assertThat(watched.count("tlsrpt.mailbox.mails", "outcome", "kept")).isEqualTo(2);
            await().untilAsserted(() -> assertThat(watched.count("tlsrpt.mailbox.mails", "outcome", "other"))
                    .isEqualTo(2));
            assertThat(watched.count("tlsrpt.mailbox.mails", "outcome", "again"))
                    .isZero();
        }
        assertThat(dovecot.keywords("INBOX")).containsExactly(ImapConnection.KEYWORD);
        assertThat(dovecot.flags("Other")).containsExactly("");
        Mail first = taken.getFirst();
        assertThat(first.bytes()).isEqualTo(report("r1"));
        assertThat(first.cut()).isFalse();
        assertThat(first.source()).isEqualTo(Source.IMAP);
        assertThat(first.receivedAt()).isEqualTo(NOW);
        assertThat(first.deliveredAt()).isEqualTo(DELIVERED);
        assertThat(first.remote()).isEqualTo("imap:reports");
        assertThat(first.vouched()).isFalse();
        assertThat(first.backfill()).isEqualTo(Submission.Backfill.BY_AGE);
    }

    @Test
    void aSecondRunTakesNothingAndReadsNobodysMailAgain() throws Exception {
        Dovecot dovecot = dovecot();
        dovecot.deliver("INBOX", report("r1"), DELIVERED, "");
        dovecot.deliver("INBOX", PRIVATE, DELIVERED, "");
        try (Watched watched = new Watched(dovecot)) {
            await().until(() -> watched.count("tlsrpt.mailbox.fetched") == 2);
            awaitFlags(dovecot, "INBOX", "Sa", "");
        }
        dovecot.deliver("INBOX", report("r2"), DELIVERED, "");
        try (Watched watched = new Watched(dovecot)) {
            awaitTaken(2);
            awaitFlags(dovecot, "INBOX", "Sa", "", "Sa");
            assertThat(watched.count("tlsrpt.mailbox.fetched")).isEqualTo(1);
        }
        Files.delete(data.resolve("reports.json"));
        try (Watched watched = new Watched(dovecot)) {
            await().until(() -> watched.count("tlsrpt.mailbox.mails", "outcome", "other") == 1);
            assertThat(watched.count("tlsrpt.mailbox.fetched")).isEqualTo(1);
        }
        assertThat(taken).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "imap_capability = IMAP4rev1 IDLE UIDPLUS"})
    void reportsAreMovedAndOthersToo(String capability) throws Exception {
        Dovecot dovecot = dovecot(capability);
        dovecot.deliver("INBOX", report("r1"), DELIVERED, "");
        dovecot.deliver("INBOX", PRIVATE, DELIVERED, "");
        dovecot.deliver("INBOX", report("deleted by a person"), DELIVERED, "T");
        try (Watched watched =
                new Watched(dovecot, "processed: move", "others: move", "processed-folder: 'Erledigt &'")) {
            awaitTaken(1);
            awaitFlags(dovecot, "INBOX", "T");
            awaitFlags(dovecot, "Erledigt &-", "");
            awaitFlags(dovecot, "tlsrpt-other", "");
            assertThat(watched.isUp()).isTrue();
        }
    }

    @Test
    void newMailIsNoticedAtOnceWhereTheServerTellsOfIt() throws Exception {
        Dovecot dovecot = dovecot();
        Watched watched = new Watched(dovecot);
        await().until(watched::isUp);
        long slowest = 0;
        for (int i = 1; i <= 5; i++) {
            long began = System.nanoTime();
            dovecot.deliver("INBOX", report("r" + i), DELIVERED, "");
            awaitTaken(i);
            slowest = Math.max(slowest, System.nanoTime() - began);
        }
        assertThat(Duration.ofNanos(slowest)).isLessThan(Duration.ofSeconds(5));
        System.out.println("IDLE: the slowest of five mails was noticed after "
                + Duration.ofNanos(slowest).toMillis() + " ms");
    }

    @Test
    void aServerWithoutIdleIsAskedAgainAndAgain() throws Exception {
        Dovecot dovecot = dovecot("imap_capability = IMAP4rev1");
        Watched watched = new Watched(dovecot, "poll-interval: 1s");
        await().until(watched::isUp);
        dovecot.deliver("INBOX", report("r1"), DELIVERED, "");
        awaitTaken(1);
        dovecot.deliver("INBOX", report("r2"), DELIVERED, "");
        awaitTaken(2);
        awaitFlags(dovecot, "INBOX", "Sa", "Sa");
    }

    @Test
    void aServerThatWasRestartedIsFoundAgain() throws Exception {
        Dovecot dovecot = dovecot();
        dovecot.deliver("INBOX", report("r1"), DELIVERED, "");
        Watched watched = new Watched(dovecot);
        awaitTaken(1);
        awaitFlags(dovecot, "INBOX", "Sa");
        dovecot.stop();
        await().until(() -> !watched.isUp());
        dovecot.deliver("INBOX", report("r2"), DELIVERED, "");
        dovecot.start();
        awaitTaken(2);
        awaitFlags(dovecot, "INBOX", "Sa", "Sa");
        assertThat(watched.count("tlsrpt.mailbox.failures")).isPositive();
    }

    @Test
    void aWrongPasswordIsTriedAgainUntilItIsRight() throws Exception {
        Dovecot dovecot = dovecot();
        dovecot.password("other");
        dovecot.deliver("INBOX", report("r1"), DELIVERED, "");
        Watched watched = new Watched(dovecot);
        await().until(() -> watched.count("tlsrpt.mailbox.failures") >= 1);
        assertThat(watched.isUp()).isFalse();
        assertThat(taken).isEmpty();
        dovecot.password("secret");
        awaitTaken(1);
        assertThat(watched.isUp()).isTrue();
    }

    @Test
    void aFolderThatIsMissingIsWaitedFor() throws Exception {
        Dovecot dovecot = dovecot();
        Watched watched = new Watched(dovecot, "folder: TLS-Berichte");
        await().until(() -> watched.count("tlsrpt.mailbox.failures") >= 1);
        dovecot.deliver("TLS-Berichte", report("r1"), DELIVERED, "");
        awaitTaken(1);
        awaitFlags(dovecot, "TLS-Berichte", "Sa");
    }

    @ParameterizedTest
    @CsvSource({
        "tls, localhost, true",
        "starttls, localhost, true",
        "tls, 127.0.0.1, false",
        "starttls, 127.0.0.1, false"
    })
    void theConnectionIsEncryptedAndTheServersNameIsChecked(String security, String host, boolean good)
            throws Exception {
        Dovecot dovecot = dovecot("disable_plaintext_auth = yes");
        dovecot.deliver("INBOX", report("r1"), DELIVERED, "");
        Watched watched = new Watched(
                dovecot,
                "security: " + security,
                "port: " + (security.equals("tls") ? dovecot.tlsPort() : dovecot.port()),
                "host: " + host,
                "ca-file: " + dovecot.certificateFile());
        if (good) {
            awaitTaken(1);
            assertThat(dovecot.log()).contains("TLS");
        } else {
            await().until(() -> watched.count("tlsrpt.mailbox.failures") >= 1);
            assertThat(taken).isEmpty();
            assertThat(dovecot.log()).doesNotContain("Login: user=");
        }
    }

    @Test
    void aCertificateOfAnAuthorityThatIsNotTrustedIsRefused() throws Exception {
        Dovecot dovecot = dovecot();
        dovecot.deliver("INBOX", report("r1"), DELIVERED, "");
        Watched watched = new Watched(dovecot, "security: tls", "port: " + dovecot.tlsPort());
        await().until(() -> watched.count("tlsrpt.mailbox.failures") >= 1);
        assertThat(dovecot.log()).doesNotContain("Login: user=");
    }

    @Test
    void encryptionThatTheServerDoesNotOfferIsNotDoneWithout() throws Exception {
        Dovecot dovecot = dovecot("ssl = no");
        dovecot.deliver("INBOX", report("r1"), DELIVERED, "");
        Watched watched = new Watched(dovecot, "security: starttls", "port: " + dovecot.port());
        await().until(() -> watched.count("tlsrpt.mailbox.failures") >= 1);
        assertThat(dovecot.log()).doesNotContain("Login: user=");
    }

    @ParameterizedTest
    @ValueSource(strings = {"oauthbearer", "xoauth2"})
    void anAccessTokenIsAskedForAndRenewedWhenItIsRefused(String mechanism) throws Exception {
        AtomicInteger issued = new AtomicInteger();
        AtomicInteger valid = new AtomicInteger(1);
        HttpServer tokens = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        open.add(() -> tokens.stop(0));
        tokens.createContext("/token", exchange -> {
            String form = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            boolean known = form.contains("grant_type=refresh_token")
                    && form.contains("refresh_token=refresh-me")
                    && form.contains("client_id=tlsrpt");
            answer(
                    exchange,
                    known ? 200 : 400,
                    known
                            ? "{\"access_token\": \"token-" + issued.incrementAndGet() + "\", \"expires_in\": 3600}"
                            : "{\"error\": \"invalid_grant\"}");
        });
        tokens.createContext("/info", exchange -> {
            boolean good = exchange.getRequestURI().getQuery().equals("t=token-" + valid.get());
            answer(exchange, good ? 200 : 401, good ? "{\"user\": \"reports\"}" : "{}");
        });
        tokens.start();
        String url = "http://127.0.0.1:" + tokens.getAddress().getPort();
        Path oauth2 = Files.writeString(
                Files.createTempFile("dovecot-oauth2", ".conf"),
                "tokeninfo_url = " + url + "/info?t=\nintrospection_mode = auth\nusername_attribute = user\n");
        open.add(() -> Files.delete(oauth2));
        Dovecot dovecot = dovecot(
                "auth_mechanisms = " + mechanism,
                "passdb {\ndriver = oauth2\nmechanisms = " + mechanism + "\nargs = " + oauth2 + "\n}");
        dovecot.deliver("INBOX", report("r1"), DELIVERED, "");

        Watched watched = new Watched(
                dovecot, "oauth2: {token-url: '" + url + "/token', client-id: tlsrpt, refresh-token: refresh-me}");
        awaitTaken(1);
        assertThat(dovecot.log()).containsIgnoringCase("method=" + mechanism);
        assertThat(issued).hasValue(1);

        // withdrawn long before its time
        valid.set(2);
        dovecot.stop();
        await().until(() -> !watched.isUp());
        dovecot.deliver("INBOX", report("r2"), DELIVERED, "");
        dovecot.start();
        awaitTaken(2);
        assertThat(issued).hasValue(2);
    }

    private static void answer(HttpExchange exchange, int status, String json) throws IOException {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Test
    void aMailThatCannotBeTakenNowStaysUnmarkedAndHoldsNoOtherUp() throws Exception {
        AtomicInteger refusals = new AtomicInteger(2);
        byte[] difficult = report("difficult");
        answer = mail -> java.util.Arrays.equals(mail.bytes(), difficult) && refusals.getAndDecrement() > 0
                ? CompletableFuture.completedFuture(new MailOutcome.TryAgain("no DNS", true))
                : KEPT;
        Dovecot dovecot = dovecot();
        dovecot.deliver("INBOX", difficult, DELIVERED, "");
        dovecot.deliver("INBOX", report("r2"), DELIVERED, "");
        Watched watched = new Watched(dovecot);
        awaitFlags(dovecot, "INBOX", "", "Sa");
        awaitFlags(dovecot, "INBOX", "Sa", "Sa");
        assertThat(watched.count("tlsrpt.mailbox.mails", "outcome", "unproven")).isEqualTo(2);
        assertThat(watched.count("tlsrpt.mailbox.fetched")).isEqualTo(4);
        // the flag is seen by the other connection a moment before this one has written down what it means
        await().untilAsserted(
                        () -> assertThat(watched.gauge("tlsrpt.mailbox.open")).isZero());
    }

    @Test
    void aMailThatWasTakenButNotMarkedIsTakenAgainAfterARestart() throws Exception {
        answer = mail -> new CompletableFuture<>();
        Dovecot dovecot = dovecot();
        dovecot.deliver("INBOX", report("r1"), DELIVERED, "");
        try (Watched watched = new Watched(dovecot)) {
            awaitTaken(1);
            assertThat(watched.isUp()).isTrue();
        }
        assertThat(dovecot.flags("INBOX")).containsExactly("");
        answer = mail -> KEPT;
        new Watched(dovecot);
        awaitTaken(2);
        awaitFlags(dovecot, "INBOX", "Sa");
    }

    @Test
    void manyMailsAreUnderWayAtATimeAndWhatIsKeptWhileTheServerIsAwayIsOnlyMarkedLater() throws Exception {
        List<CompletableFuture<MailOutcome>> answers = new CopyOnWriteArrayList<>();
        answer = mail -> {
            CompletableFuture<MailOutcome> later = new CompletableFuture<>();
            answers.add(later);
            return later;
        };
        Dovecot dovecot = dovecot();
        for (int i = 0; i < 100; i++) {
            dovecot.deliver("INBOX", report("r" + i), DELIVERED, "");
        }
        Watched watched = new Watched(dovecot);
        awaitTaken(100);
        dovecot.stop();
        answers.forEach(each -> each.complete(KEPT.join()));
        await().until(() -> watched.count("tlsrpt.mailbox.mails", "outcome", "kept") == 100);
        dovecot.start();
        await().atMost(Duration.ofSeconds(20))
                .until(() -> dovecot.flags("INBOX").stream().allMatch("Sa"::equals));
        assertThat(taken).hasSize(100);
    }

    @Test
    void oldMailIsVouchedForAndNeverNotifies() throws Exception {
        Dovecot dovecot = dovecot();
        dovecot.deliver("INBOX", report("old"), Instant.parse("2025-12-31T23:59:59Z"), "");
        dovecot.deliver("INBOX", report("new"), Instant.parse("2026-01-01T00:00:00Z"), "");
        new Watched(dovecot, "backfill-before: 2026-01-01", "channel-domain: example.com");
        awaitTaken(2);
        assertThat(taken)
                .extracting(Mail::vouched, Mail::backfill, Mail::channelDomain)
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple(true, Submission.Backfill.YES, "example.com"),
                        org.assertj.core.groups.Tuple.tuple(false, Submission.Backfill.BY_AGE, "example.com"));
    }

    @Test
    void ofAMailThatIsTooLongOnlyTheHeadIsRead() throws Exception {
        Dovecot dovecot = dovecot();
        String line = "x".repeat(70) + "\r\n";
        byte[] end = line.repeat(3000).getBytes(StandardCharsets.US_ASCII);
        byte[] report = report("r1");
        byte[] tooLong = java.util.Arrays.copyOf(report, report.length + end.length);
        System.arraycopy(end, 0, tooLong, report.length, end.length);
        byte[] privateOne = java.util.Arrays.copyOf(PRIVATE, PRIVATE.length + end.length);
        System.arraycopy(end, 0, privateOne, PRIVATE.length, end.length);
        dovecot.deliver("INBOX", tooLong, DELIVERED, "");
        dovecot.deliver("INBOX", privateOne, DELIVERED, "");
        new Watched(dovecot);
        awaitFlags(dovecot, "INBOX", "Sa", "");
        Mail cut = taken.getFirst();
        assertThat(cut.cut()).isTrue();
        assertThat(cut.bytes()).isEqualTo(java.util.Arrays.copyOf(tooLong, Submission.HEAD_BYTES));
        assertThat(taken).hasSize(1);
    }
}

package io.tlsrpt.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class MailReceiverTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final String MAIL = "Subject: a\r\n\r\nb\r\n";

    @TempDir
    Path directory;

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final List<Mail> mails = new CopyOnWriteArrayList<>();
    private final List<SmtpPeer> peers = new ArrayList<>();
    private CompletableFuture<MailOutcome> outcome = CompletableFuture.completedFuture(new MailOutcome.Kept(List.of()));
    private @Nullable MailReceiver receiver;

    @AfterEach
    void end() throws IOException {
        for (SmtpPeer peer : peers) {
            peer.close();
        }
        if (receiver != null) {
            receiver.close();
            everyConnectionEndedOnceAndEveryMailHasOneAnswer();
        }
    }

    private void everyConnectionEndedOnceAndEveryMailHasOneAnswer() {
        await().untilAsserted(() -> {
            assertThat(sum("tlsrpt.smtp.ended")).isEqualTo(sum("tlsrpt.smtp.connections"));
            assertThat(meters.get("tlsrpt.smtp.open").gauge().value()).isZero();
            assertThat(sum("tlsrpt.smtp.answered")).isEqualTo(sum("tlsrpt.smtp.mails"));
        });
    }

    private double sum(String name) {
        return meters.find(name).counters().stream().mapToDouble(Counter::count).sum();
    }

    private double ended(String how) {
        return meters.find("tlsrpt.smtp.ended").tag("how", how).counters().stream()
                .mapToDouble(Counter::count)
                .sum();
    }

    private void awaitEnded(String how) {
        await().untilAsserted(() -> assertThat(ended(how)).isPositive());
    }

    private MailReceiver start(String... smtp) {
        return start(Duration.ofSeconds(20), new MailRoom(1 << 20, 8 << 20, Duration.ofMillis(50)), smtp);
    }

    private MailReceiver start(Duration patience, MailRoom room, String... smtp) {
        return start(patience, room, List.of(), smtp);
    }

    private MailReceiver start(Duration patience, MailRoom room, List<String> rua, String... smtp) {
        Settings settings = SettingsFile.parse(
                "test.yaml",
                "mail: {smtp: {listen: '127.0.0.1:0', lmtp-listen: '127.0.0.1:0', hostname: mx.example.net"
                        + String.join(
                                "", Arrays.stream(smtp).map(each -> ", " + each).toList()) + "}}\n",
                name -> null);
        receiver = new MailReceiver(
                settings.mail().smtp(),
                () -> rua,
                mail -> {
                    mails.add(mail);
                    return outcome;
                },
                new SmtpMetrics(meters),
                Clock.fixed(NOON, ZoneOffset.UTC),
                patience,
                room);
        receiver.start();
        return receiver;
    }

    private SmtpPeer connected(String source) throws IOException {
        SmtpPeer peer = new SmtpPeer(java.util.Objects.requireNonNull(
                        java.util.Objects.requireNonNull(receiver).addresses().get(source))
                .port());
        peers.add(peer);
        return peer;
    }

    private SmtpPeer greeted() throws IOException {
        SmtpPeer peer = connected("smtp");
        assertThat(peer.answer()).isEqualTo("220 mx.example.net ESMTP tlsrpt");
        assertThat(peer.say("EHLO peer.example")).startsWith("250-mx.example.net\n");
        return peer;
    }

    /// Up to the answer to `DATA`.
    private SmtpPeer inMail() throws IOException {
        SmtpPeer peer = greeted();
        begin(peer);
        return peer;
    }

    private static void begin(SmtpPeer peer) throws IOException {
        assertThat(peer.say("MAIL FROM:<>")).isEqualTo("250 2.1.0 ok");
        assertThat(peer.say("RCPT TO:<tlsrpt@example.com>")).isEqualTo("250 2.1.5 ok");
        assertThat(peer.say("DATA")).startsWith("354 ");
    }

    private String text(int mail) {
        return new String(mails.get(mail).bytes(), StandardCharsets.UTF_8);
    }

    @Test
    void aMailIsHandedOnByteForByteAndAnsweredOnceItIsKept() throws Exception {
        outcome = new CompletableFuture<>();
        start();
        SmtpPeer peer = inMail();
        String raw = "Subject: ü\r\n\r\n lone \n lf, lone \r cr, \0 nul, trailing \r\r\n";
        peer.write(raw + "..doubled\r\n...\r\n.x\r\n.\r\n");
        await().until(() -> mails.size() == 1);
        assertThat(meters.find("tlsrpt.smtp.answered").counters()).isEmpty();

        outcome.complete(new MailOutcome.Kept(List.of()));

        assertThat(peer.answer()).isEqualTo("250 2.0.0 kept");
        assertThat(text(0)).isEqualTo(raw + ".doubled\r\n..\r\nx\r\n");
        Mail mail = mails.getFirst();
        assertThat(mail.cut()).isFalse();
        assertThat(mail.source()).isEqualTo(Source.SMTP);
        assertThat(mail.remote()).isEqualTo("127.0.0.1");
        assertThat(mail.receivedAt()).isEqualTo(NOON);
        assertThat(mail.deliveredAt()).isEqualTo(NOON);
        assertThat(mail.vouched()).isFalse();
        assertThat(mail.backfill()).isEqualTo(Submission.Backfill.NO);
        assertThat(peer.say("QUIT")).isEqualTo("221 2.0.0 bye");
        assertThat(peer.ended()).isTrue();
        awaitEnded("quit");
    }

    @Test
    void theExtensionsAreOffered() throws Exception {
        start("max-message: 1MiB");
        SmtpPeer peer = connected("smtp");
        peer.answer();
        assertThat(peer.say("ehlo [127.0.0.1]").split("\n"))
                .containsExactly(
                        "250-mx.example.net",
                        "250-PIPELINING",
                        "250-SIZE 1048576",
                        "250-8BITMIME",
                        "250-SMTPUTF8",
                        "250 ENHANCEDSTATUSCODES");
        assertThat(peer.say("HELO peer.example")).isEqualTo("250 mx.example.net");
        assertThat(peer.say("STARTTLS")).startsWith("502 5.5.1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "NOOP | 250 2.0.0 ok",
                "noop anything | 250 2.0.0 ok",
                "RSET | 250 2.0.0 forgotten",
                "VRFY postmaster | 252 2.5.2 send a mail and see",
                "HELP | 214 2.0.0 this takes SMTP TLS reports (RFC 8460), nothing else",
                "EXPN all | 502 5.5.1 not done here",
                "AUTH PLAIN AAAA | 502 5.5.1 not done here",
                "BDAT 5 LAST | 502 5.5.1 not done here",
                "XYZZY | 500 5.5.1 unknown command",
                "'' | 500 5.5.1 unknown command",
                "LHLO peer | 500 5.5.1 this is SMTP, say EHLO",
                "EHLO | 501 5.5.4 say who you are",
                "MAIL | 501 5.5.4 say MAIL FROM:<address>",
                "MAIL FROM:a@b | 501 5.5.4 say MAIL FROM:<address>",
                "MAIL FROM:<a@b | 501 5.5.4 say MAIL FROM:<address>",
                "MAIL TO:<a@b> | 501 5.5.4 say MAIL FROM:<address>",
                "MAIL FROM:<> | 250 2.1.0 ok",
                "MAIL FROM:<a@b> BODY=8BITMIME SIZE=1000 SMTPUTF8 | 250 2.1.0 ok",
                "mail from: <a@b> body=7bit | 250 2.1.0 ok",
                "MAIL FROM:<\"a>b\\\"\"@b> | 250 2.1.0 ok",
                "MAIL FROM:<ü@bücher.example> SMTPUTF8 | 250 2.1.0 ok",
                "MAIL FROM:<a@b> SIZE=26214400 | 250 2.1.0 ok",
                "MAIL FROM:<a@b> SIZE=26214401 | 552 5.3.4 too large",
                "MAIL FROM:<a@b> SIZE=999999999999999999 | 552 5.3.4 too large",
                "MAIL FROM:<a@b> SIZE=1e3 | 555 5.5.4 unknown parameter",
                "MAIL FROM:<a@b> RET=FULL | 555 5.5.4 unknown parameter",
                "RCPT TO:<a@b> | 503 5.5.1 say MAIL first",
                "DATA | 503 5.5.1 say MAIL and RCPT first",
                "DATA now | 501 5.5.4 DATA stands alone",
            })
    void everyCommandHasItsAnswer(String command, String answer) throws Exception {
        start();
        SmtpPeer peer = greeted();
        assertThat(peer.say(command)).isEqualTo(answer);
        assertThat(peer.say("NOOP")).isEqualTo("250 2.0.0 ok");
    }

    @Test
    void commandsOutOfOrderAreRefusedAndNothingIsLostByThem() throws Exception {
        start();
        SmtpPeer peer = connected("smtp");
        peer.answer();
        assertThat(peer.say("MAIL FROM:<>")).isEqualTo("503 5.5.1 say EHLO first");
        peer.say("EHLO peer.example");
        assertThat(peer.say("MAIL FROM:<>")).startsWith("250");
        assertThat(peer.say("MAIL FROM:<>")).isEqualTo("503 5.5.1 one mail at a time");
        assertThat(peer.say("DATA")).startsWith("503");
        assertThat(peer.say("RCPT TO:<>")).isEqualTo("501 5.5.4 say RCPT TO:<address>");
        assertThat(peer.say("RCPT TO:<a@b> NOTIFY=NEVER")).isEqualTo("555 5.5.4 unknown parameter");
        assertThat(peer.say("RCPT TO:<@relay.example,@other.example:a@b>")).startsWith("250");
        assertThat(peer.say("RSET")).startsWith("250");
        assertThat(peer.say("DATA")).startsWith("503");
        begin(peer);
        peer.write(MAIL + ".\r\n");
        assertThat(peer.answer()).startsWith("250");
        assertThat(peer.say("DATA")).startsWith("503");
        assertThat(mails).hasSize(1);
    }

    @Test
    void aWholeConversationSentAtOnceIsAnsweredInOrder() throws Exception {
        start();
        SmtpPeer peer = connected("smtp");
        peer.answer();
        peer.write("EHLO peer.example\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + MAIL
                + ".\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n\r\n.\r\nQUIT\r\n");
        List<String> codes = new ArrayList<>();
        for (String answer = peer.answer(); !answer.isEmpty(); answer = peer.answer()) {
            codes.add(answer.substring(0, 3));
        }
        assertThat(codes).containsExactly("250", "250", "250", "354", "250", "250", "250", "354", "250", "221");
        assertThat(mails).hasSize(2);
        assertThat(text(0)).isEqualTo(MAIL);
        assertThat(text(1)).isEqualTo("\r\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\n.\n",
                "\n.\r\n",
                "\r.\r\n",
                "\r.\r",
                "\r\n.\n",
                "\r\n.\r",
                "\r\n.\rQUIT\r\n",
                "\r\n.\r\r\n",
                "\n.\r",
                "\r\n.\0\r\n",
                "\r\n. \r\n",
                "\r\r\n.\r\r\n"
            })
    void nothingButCrLfDotCrLfEndsAMailSoThatNoneIsSmuggled(String almost) throws Exception {
        start();
        SmtpPeer peer = inMail();
        peer.write("Subject: outer\r\n\r\nx" + almost
                + "MAIL FROM:<forged@bank.example>\r\nRCPT TO:<a@b>\r\nDATA\r\nSubject: smuggled\r\n\r\ny\r\n.\r\n");
        assertThat(peer.answer()).isEqualTo("250 2.0.0 kept");
        assertThat(peer.say("QUIT")).startsWith("221");
        assertThat(mails).hasSize(1);
        assertThat(text(0)).contains("smuggled").endsWith("y\r\n");
    }

    @Test
    void theEndIsFoundWhereverTheNetworkCutsTheBytes() throws Exception {
        start();
        byte[] mail = "a\r\n..b\r\n.\rc\r\n.\r\n".getBytes(StandardCharsets.US_ASCII);
        for (int cut = 1; cut < mail.length; cut++) {
            SmtpPeer peer = inMail();
            peer.write(Arrays.copyOf(mail, cut));
            await().pollDelay(Duration.ofMillis(20)).until(() -> true);
            peer.write(Arrays.copyOfRange(mail, cut, mail.length));
            assertThat(peer.answer()).startsWith("250");
            assertThat(text(cut - 1)).isEqualTo("a\r\n.b\r\n\rc\r\n");
            peer.close();
        }
    }

    @Test
    void mailsOfRandomBytesComeThroughUnchanged() throws Exception {
        start("max-message: 2MiB");
        Random random = new Random(8460);
        String alphabet = "\r\n.ab";
        for (int round = 0; round < 20; round++) {
            StringBuilder raw = new StringBuilder();
            int length = random.nextInt(60_000);
            for (int i = 0; i < length; i++) {
                raw.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            String mail = raw + "\r\n";
            SmtpPeer peer = inMail();
            peer.write((mail.startsWith(".") ? "." : "") + mail.replace("\r\n.", "\r\n..") + ".\r\n");
            assertThat(peer.answer()).startsWith("250");
            assertThat(text(round)).isEqualTo(mail);
            peer.close();
        }
    }

    @Test
    void aMailOverTheLimitIsReadToItsEndAndItsHeadHandedOn() throws Exception {
        start("max-message: 100KiB");
        SmtpPeer peer = inMail();
        peer.write(("x".repeat(998) + "\r\n").repeat(300) + ".\r\n");
        assertThat(peer.answer()).isEqualTo("250 2.0.0 kept");
        assertThat(mails.getFirst().cut()).isTrue();
        assertThat(mails.getFirst().bytes()).hasSize(Submission.HEAD_BYTES);
        assertThat(peer.say("NOOP")).startsWith("250");
    }

    @Test
    void aMailOfExactlyTheLimitIsWhole() throws Exception {
        start("max-message: 16KiB");
        SmtpPeer peer = inMail();
        peer.write("x".repeat(16 * 1024 - 2) + "\r\n.\r\n");
        assertThat(peer.answer()).startsWith("250");
        begin(peer);
        peer.write("x".repeat(16 * 1024 - 1) + "\r\n.\r\n");
        assertThat(peer.answer()).startsWith("250");
        assertThat(mails).extracting(Mail::cut).containsExactly(false, true);
    }

    @Test
    void aMailWithoutEndIsCutOff() throws Exception {
        start("max-message: 16KiB");
        SmtpPeer peer = inMail();
        peer.write("x".repeat(16 * 1024 * SmtpSession.ENDLESS));
        peer.write("x");
        assertThat(peer.answer()).isEqualTo("552 5.3.4 too large, closing");
        awaitEnded("endless");
        assertThat(mails).isEmpty();
    }

    @Test
    void withoutMemoryAMailMustComeAgainAndSmallOnesStillPass() throws Exception {
        MailRoom room = new MailRoom(256 * 1024, 128 * 1024, Duration.ofMillis(50));
        start(Duration.ofSeconds(20), room);
        try (MailRoom.Held large = room.hold()) {
            assertThat(large.append(new byte[190 * 1024], 0, 190 * 1024)).isTrue();
            SmtpPeer peer = inMail();
            peer.write("x".repeat(150 * 1024) + "\r\n.\r\n");
            assertThat(peer.answer()).isEqualTo("452 4.3.1 no memory for it now, try again later");
            begin(peer);
            peer.write(MAIL + ".\r\n");
            assertThat(peer.answer()).startsWith("250");
        }
        SmtpPeer peer = inMail();
        peer.write("x".repeat(150 * 1024) + "\r\n.\r\n");
        assertThat(peer.answer()).startsWith("250");
        assertThat(mails).hasSize(2);
    }

    @Test
    void aMailTheBrokerDoesNotTakeIsAnsweredTemporarily() throws Exception {
        start(Duration.ofMillis(100), new MailRoom(1 << 20, 1 << 20, Duration.ofMillis(50)));
        outcome = CompletableFuture.completedFuture(new MailOutcome.TryAgain("the broker is away", false));
        SmtpPeer peer = inMail();
        peer.write(MAIL + ".\r\n");
        assertThat(peer.answer()).isEqualTo("451 4.3.0 not kept, try again later");

        outcome = new CompletableFuture<>();
        begin(peer);
        peer.write(MAIL + ".\r\n");
        assertThat(peer.answer()).isEqualTo("451 4.3.0 not kept, try again later");

        outcome = CompletableFuture.failedFuture(new IllegalStateException("a fault"));
        begin(peer);
        peer.write(MAIL + ".\r\n");
        assertThat(peer.answer()).isEqualTo("451 4.3.0 not kept, try again later");

        outcome = CompletableFuture.completedFuture(new MailOutcome.Kept(List.of()));
        begin(peer);
        peer.write(MAIL + ".\r\n");
        assertThat(peer.answer()).isEqualTo("250 2.0.0 kept");
    }

    @Test
    void lmtpAnswersForEachRecipientThatWasTaken() throws Exception {
        start("recipients: [{address: '@example.com', channel-domain: example.org}]");
        SmtpPeer peer = connected("lmtp");
        assertThat(peer.answer()).isEqualTo("220 mx.example.net LMTP tlsrpt");
        assertThat(peer.say("EHLO peer")).isEqualTo("500 5.5.1 this is LMTP, say LHLO");
        assertThat(peer.say("HELO peer")).startsWith("500");
        assertThat(peer.say("LHLO peer")).contains("250-PIPELINING", "ENHANCEDSTATUSCODES");
        peer.say("MAIL FROM:<a@b>");
        assertThat(peer.say("RCPT TO:<one@example.com>")).startsWith("250");
        assertThat(peer.say("RCPT TO:<two@example.net>")).startsWith("550");
        assertThat(peer.say("RCPT TO:<three@example.com>")).startsWith("250");
        assertThat(peer.say("DATA")).startsWith("354");
        peer.write(MAIL + ".\r\nNOOP\r\n");
        assertThat(peer.answer()).isEqualTo("250 2.0.0 kept");
        assertThat(peer.answer()).isEqualTo("250 2.0.0 kept");
        assertThat(peer.answer()).isEqualTo("250 2.0.0 ok");
        assertThat(mails).singleElement().satisfies(mail -> {
            assertThat(mail.source()).isEqualTo(Source.LMTP);
            assertThat(mail.channelDomain()).isEqualTo("example.org");
        });

        outcome = CompletableFuture.completedFuture(new MailOutcome.TryAgain("the broker is away", false));
        peer.write("MAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n");
        for (int i = 0; i < 4; i++) {
            peer.answer();
        }
        peer.write(MAIL + ".\r\n");
        assertThat(peer.answer()).startsWith("451");
        assertThat(peer.answer()).startsWith("451");
        assertThat(peer.say("DATA")).startsWith("503");
    }

    @Test
    void onlyMailForTheRecipientsIsTakenAndNoneIsRelayed() throws Exception {
        start("recipients: [{address: 'tlsrpt@example.com', channel-domain: example.com},"
                + " {address: 'other@bücher.example', channel-domain: example.org}]");
        SmtpPeer peer = greeted();
        peer.say("MAIL FROM:<a@b>");
        for (String no : List.of(
                "tlsrpt@example.net",
                "postmaster",
                "tlsrpt%example.com@example.net",
                "victim@example.net@example.com",
                "@example.com:victim@example.net",
                "xtlsrpt@example.com",
                "tlsrpt@sub.example.com")) {
            assertThat(peer.say("RCPT TO:<" + no + ">"))
                    .as(no)
                    .isEqualTo("550 5.7.1 no mail for that address is taken here");
        }
        assertThat(peer.say("DATA")).startsWith("503");
        assertThat(peer.say("RCPT TO:<OTHER@xn--bcher-kva.EXAMPLE>")).startsWith("250");
        assertThat(peer.say("RCPT TO:<TlsRpt@Example.COM>")).startsWith("250");
        assertThat(peer.say("DATA")).startsWith("354");
        peer.write(MAIL + ".\r\n");
        assertThat(peer.answer()).startsWith("250");
        assertThat(mails.getFirst().channelDomain()).isEqualTo("example.org");
    }

    @Test
    void withoutRecipientsTheAddressesOfRuaAreTaken() throws Exception {
        start(
                Duration.ofSeconds(1),
                new MailRoom(1 << 20, 1 << 20, Duration.ofMillis(50)),
                List.of("https://example.com/v1/tlsrpt", "mailto:tls%2Drpt@example.com"));
        SmtpPeer peer = greeted();
        peer.say("MAIL FROM:<a@b>");
        assertThat(peer.say("RCPT TO:<else@example.com>")).startsWith("550");
        assertThat(peer.say("RCPT TO:<tls-rpt@example.com>")).startsWith("250");
    }

    @Test
    void theHundredAndFirstRecipientMustComeAgain() throws Exception {
        start();
        SmtpPeer peer = greeted();
        peer.say("MAIL FROM:<>");
        for (int i = 0; i < SmtpSession.MAX_RECIPIENTS; i++) {
            assertThat(peer.say("RCPT TO:<a" + i + "@example.com>")).startsWith("250");
        }
        assertThat(peer.say("RCPT TO:<a@example.com>")).isEqualTo("452 4.5.3 too many recipients");
        assertThat(peer.say("DATA")).startsWith("354");
    }

    @Test
    void talkWithoutMailEnds() throws Exception {
        start();
        SmtpPeer peer = greeted();
        for (int i = 1; i < SmtpSession.MAX_COMMANDS; i++) {
            assertThat(peer.say("NOOP")).startsWith("250");
        }
        assertThat(peer.answer()).startsWith("421 4.7.0 too much talk");
        assertThat(peer.ended()).isTrue();
        awaitEnded("too-much-talk");
    }

    @Test
    void manyBadCommandsEndTheConnection() throws Exception {
        start();
        SmtpPeer peer = greeted();
        for (int i = 0; i <= SmtpSession.MAX_BAD_COMMANDS; i++) {
            assertThat(peer.say("XYZZY")).startsWith("500");
        }
        assertThat(peer.answer()).startsWith("421 4.7.0 too many errors");
        awaitEnded("bad-commands");
    }

    @Test
    void aLineThatIsTooLongOrEndsOddlyEndsTheConnection() throws Exception {
        start();
        SmtpPeer peer = greeted();
        peer.write("NOOP " + "x".repeat(SmtpInput.MAX_LINE));
        assertThat(peer.answer()).startsWith("500 5.5.6");
        SmtpPeer longest = greeted();
        assertThat(longest.say("NOOP " + "x".repeat(SmtpInput.MAX_LINE - 6))).startsWith("250");
        for (String odd : List.of("NOOP\n", "NOOP\rx", "NO\nOP\r\n", "\rNOOP\r\n", "NOOP\r\r\n")) {
            SmtpPeer other = greeted();
            other.write(odd);
            assertThat(other.answer()).as(odd).startsWith("500 5.5.2 lines end with CR LF");
        }
    }

    @Test
    void aBrowserIsSentAway() throws Exception {
        start();
        SmtpPeer peer = connected("smtp");
        peer.answer();
        peer.write(
                "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nEHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nx\r\n.\r\n");
        assertThat(peer.answer()).startsWith("421 4.7.0 this is no web server");
        awaitEnded("not-smtp");
        assertThat(mails).isEmpty();
    }

    @Test
    void aSilentPeerIsCut() throws Exception {
        start("timeout: 1s");
        SmtpPeer peer = greeted();
        assertThat(peer.answer()).isEqualTo("421 4.4.2 too slow, closing");
        SmtpPeer inMail = inMail();
        inMail.write("Subject: a\r\n");
        assertThat(inMail.answer()).isEqualTo("421 4.4.2 too slow, closing");
        awaitEnded("slow");
        assertThat(mails).isEmpty();
    }

    @Test
    void aPeerThatDripsIsCut() throws Exception {
        start("timeout: 1s");
        SmtpPeer command = greeted();
        SmtpPeer mail = inMail();
        Thread dripping = Thread.ofVirtual().start(() -> {
            try {
                for (int i = 0; i < 20; i++) {
                    await().pollDelay(Duration.ofMillis(300)).until(() -> true);
                    command.write("N");
                    mail.write("x");
                }
            } catch (IOException cut) {
                assertThat(cut).isNotNull();
            }
        });
        assertThat(command.answer()).startsWith("421 4.4.2");
        assertThat(mail.answer()).startsWith("421 4.4.2");
        dripping.interrupt();
        assertThat(mails).isEmpty();
    }

    @Test
    void aPeerThatTakesNoAnswersIsCut() throws Exception {
        start("timeout: 1s");
        SmtpPeer peer = greeted();
        Thread.ofVirtual().start(() -> {
            try {
                byte[] commands = "MAIL FROM:<>\r\nRSET\r\n".repeat(240).getBytes(StandardCharsets.US_ASCII);
                peer.write(commands);
                peer.write("RCPT TO:<a@b>\r\nDATA\r\n");
                for (int i = 0; i < 1_000_000; i++) {
                    peer.write("a\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n");
                }
            } catch (IOException cut) {
                assertThat(cut).isNotNull();
            }
        });
        await().atMost(Duration.ofSeconds(40))
                .untilAsserted(() -> assertThat(sum("tlsrpt.smtp.ended")).isEqualTo(1));
    }

    @Test
    void aPeerThatDiesInAMailLeavesNothingBehind() throws Exception {
        start("max-connections: 1");
        SmtpPeer peer = inMail();
        peer.write("Subject: a\r\n\r\n" + "x".repeat(100_000));
        peer.kill();
        awaitEnded("gone");
        SmtpPeer closed = inMail();
        closed.write(MAIL + ".");
        closed.close();
        await().until(() -> ended("gone") == 2);
        assertThat(mails).isEmpty();
    }

    @Test
    void connectionsAreLimitedAltogether() throws Exception {
        start("max-connections: 2");
        SmtpPeer first = greeted();
        greeted();
        SmtpPeer third = connected("smtp");
        assertThat(third.answer()).isEqualTo("421 4.3.2 too many connections, try again later");
        assertThat(third.ended()).isTrue();
        assertThat(connected("lmtp").answer()).startsWith("421");
        await().until(() -> ended("too-many") == 2);
        first.say("QUIT");
        awaitEnded("quit");
        await().untilAsserted(() -> assertThat(connected("smtp").answer()).startsWith("220"));
    }

    @Test
    void connectionsAreLimitedPerRemote() throws Exception {
        start("max-connections-per-remote: 1");
        greeted();
        assertThat(connected("smtp").answer()).startsWith("421");
        awaitEnded("too-many-from-one");
    }

    @Test
    void whoWaitsIsToldOfTheStopAndAMailUnderWayIsAnswered() throws Exception {
        outcome = new CompletableFuture<>();
        MailReceiver stopping = start();
        SmtpPeer waiting = greeted();
        SmtpPeer busy = inMail();
        busy.write(MAIL + ".\r\n");
        await().until(() -> mails.size() == 1);

        Thread closing = Thread.ofVirtual().start(stopping::close);

        assertThat(waiting.answer()).isEqualTo("421 4.3.2 stopping, try again later");
        assertThat(waiting.ended()).isTrue();
        outcome.complete(new MailOutcome.Kept(List.of()));
        assertThat(busy.answer()).isEqualTo("250 2.0.0 kept");
        assertThat(busy.answer()).isEqualTo("421 4.3.2 stopping, try again later");
        closing.join();
        assertThatThrownBy(() -> connected("smtp")).isInstanceOf(java.net.ConnectException.class);
    }

    @Test
    void aTakenPortStopsTheStartAndTheMessageSaysWhatToDo() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            Settings settings = SettingsFile.parse(
                    "test.yaml", "mail: {smtp: {listen: '127.0.0.1:" + taken.getLocalPort() + "'}}", name -> null);
            MailReceiver second = new MailReceiver(
                    settings.mail().smtp(),
                    List::of,
                    mail -> outcome,
                    new SmtpMetrics(meters),
                    Clock.fixed(NOON, ZoneOffset.UTC));
            assertThatThrownBy(second::start)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("smtp cannot listen at 127.0.0.1:" + taken.getLocalPort())
                    .hasMessageContaining("mail.smtp.listen");
        }
    }

    @Test
    void switchedOffItListensNowhere() {
        assertThat(start("enabled: false").addresses()).containsOnlyKeys("lmtp");
    }

    private String tls(Path store) throws Exception {
        keyStore(store, "one");
        return "tls: {key-store: '" + store + "', key-store-password: 'changeit'}";
    }

    private static void keyStore(Path store, String name) throws Exception {
        Path made = Files.createTempDirectory(store.getParent(), "made").resolve("store.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "smtp",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + name,
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        made.toString(),
                        "-storepass",
                        "changeit")
                .redirectErrorStream(true)
                .start();
        keytool.getInputStream().readAllBytes();
        assertThat(keytool.waitFor()).isZero();
        Files.move(
                made,
                store,
                java.nio.file.StandardCopyOption.REPLACE_EXISTING,
                java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void mailComesOverStartTls(String version) throws Exception {
        start(tls(directory.resolve("store.p12")));
        SmtpPeer peer = connected("smtp");
        peer.answer();
        assertThat(peer.say("EHLO peer.example")).contains("250-STARTTLS");
        peer.say("MAIL FROM:<in@plaintext.example>");
        assertThat(peer.say("STARTTLS")).isEqualTo("220 2.0.0 go ahead");
        assertThat(peer.startTls(version)).isEqualTo(version);
        assertThat(peer.say("RCPT TO:<a@b>")).isEqualTo("503 5.5.1 say MAIL first");
        assertThat(peer.say("MAIL FROM:<>")).isEqualTo("503 5.5.1 say EHLO first");
        assertThat(peer.say("EHLO peer.example")).doesNotContain("STARTTLS");
        assertThat(peer.say("STARTTLS")).isEqualTo("503 5.5.1 TLS is on");
        begin(peer);
        peer.write(MAIL + ".\r\n");
        assertThat(peer.answer()).startsWith("250");
        assertThat(peer.say("QUIT")).startsWith("221");
        assertThat(meters.get("tlsrpt.smtp.mails").tag("tls", "yes").counter().count())
                .isEqualTo(1);
    }

    @Test
    void tlsIsNeverDemanded() throws Exception {
        start(tls(directory.resolve("store.p12")));
        SmtpPeer peer = inMail();
        peer.write("TLS-Required: No\r\n" + MAIL + ".\r\n");
        assertThat(peer.answer()).isEqualTo("250 2.0.0 kept");
        assertThat(meters.get("tlsrpt.smtp.mails").tag("tls", "no").counter().count())
                .isEqualTo(1);
    }

    @Test
    void aFailedHandshakeEndsOnlyItsConnection() throws Exception {
        start(tls(directory.resolve("store.p12")));
        SmtpPeer garbage = greeted();
        assertThat(garbage.say("STARTTLS")).startsWith("220");
        garbage.write("EHLO still in plaintext\r\n");
        awaitEnded("handshake");
        SmtpPeer old = greeted();
        assertThat(old.say("STARTTLS")).startsWith("220");
        assertThatThrownBy(() -> old.startTls("TLSv1.1")).isInstanceOf(IOException.class);
        SmtpPeer peer = inMail();
        peer.write(MAIL + ".\r\n");
        assertThat(peer.answer()).startsWith("250");
    }

    @Test
    void whatFollowsStartTlsInPlaintextIsNeverObeyed() throws Exception {
        start(tls(directory.resolve("store.p12")));
        SmtpPeer peer = greeted();
        peer.write("STARTTLS\r\nRSET\r\n");
        assertThat(peer.answer()).isEqualTo("503 5.5.1 wait for the answer to STARTTLS, closing");
        assertThat(peer.ended()).isTrue();
        awaitEnded("injection");
    }

    @Test
    void aHandshakeThatStopsIsCut() throws Exception {
        start("timeout: 1s", tls(directory.resolve("store.p12")));
        SmtpPeer peer = greeted();
        assertThat(peer.say("STARTTLS")).startsWith("220");
        peer.write(new byte[] {22, 3, 1});
        awaitEnded("handshake");
    }

    @Test
    void aHandshakeThatDripsIsCut() throws Exception {
        start("timeout: 1s", tls(directory.resolve("store.p12")));
        SmtpPeer peer = greeted();
        assertThat(peer.say("STARTTLS")).startsWith("220");
        Thread.ofVirtual().start(() -> {
            try {
                peer.write(new byte[] {22, 3, 1, 2, 0, 1, 0});
                for (int i = 0; i < 100; i++) {
                    await().pollDelay(Duration.ofMillis(300)).until(() -> true);
                    peer.write(new byte[] {0});
                }
            } catch (IOException cut) {
                assertThat(cut).isNotNull();
            }
        });
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(ended("handshake")).isEqualTo(1));
    }

    @Test
    void whoWaitsInTlsIsToldOfTheStop() throws Exception {
        MailReceiver stopping = start(tls(directory.resolve("store.p12")));
        SmtpPeer peer = greeted();
        peer.say("STARTTLS");
        peer.startTls("TLSv1.3");
        peer.say("EHLO peer.example");
        stopping.close();
        assertThat(peer.answer()).isEqualTo("421 4.3.2 stopping, try again later");
    }

    @Test
    void aNewCertificateIsUsedForTheNextHandshake() throws Exception {
        Path store = directory.resolve("store.p12");
        start(tls(store));
        assertThat(certificate()).isEqualTo("CN=one");
        keyStore(store, "two");
        Files.setLastModifiedTime(store, FileTime.from(NOON.plusSeconds(1_000_000)));
        assertThat(certificate()).isEqualTo("CN=two");
        Files.writeString(store, "no key store");
        assertThat(certificate()).isEqualTo("CN=two");
    }

    private String certificate() throws Exception {
        SmtpPeer peer = greeted();
        peer.say("STARTTLS");
        peer.startTls("TLSv1.3");
        return peer.certificate().getSubjectX500Principal().getName();
    }

    @Test
    void aKeyStoreThatCannotBeReadStopsTheStart() throws Exception {
        Path store = Files.writeString(directory.resolve("store.p12"), "no key store");
        assertThatThrownBy(() -> start("tls: {key-store: '" + store + "', key-store-password: 'changeit'}"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(store.toString());
    }
}

package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.AlertingSettings.Kind;
import io.tlsrpt.runtime.AlertingSettings.MailServer;
import io.tlsrpt.runtime.Secret;
import io.tlsrpt.runtime.Settings.Mail.Security;
import io.tlsrpt.runtime.Settings.Severity;
import jakarta.mail.internet.MimeMessage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Against mail servers on the loopback address that answer as told.
class EmailReceiverTest {

    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    Path directory;

    private static Attempt deliver(MailServer server, Message message) {
        return Receiver.of(settings(Duration.ofSeconds(5)), server).deliver(message, Messages.NOW);
    }

    private static AlertingSettings.Receiver settings(Duration timeout) {
        return new AlertingSettings.Receiver(
                "mail",
                Kind.EMAIL,
                null,
                null,
                null,
                null,
                null,
                null,
                List.of("oncall@example.com", "second@example.com"),
                Severity.WARNING,
                true,
                30,
                false,
                timeout);
    }

    private static MailServer plain(int port) {
        return server(port, Security.PLAIN, null, null);
    }

    private static MailServer server(int port, Security security, @Nullable Path caFile, @Nullable String user) {
        return new MailServer(
                "localhost",
                port,
                security,
                caFile,
                user,
                user == null ? null : new Secret("pass-word-1"),
                "tlsrpt@example.com");
    }

    @Test
    void aMailGoesToAllAddresses() throws IOException {
        try (SmtpServer server = new SmtpServer(Map.of())) {
            assertThat(deliver(plain(server.port()), Messages.firing()))
                    .isEqualTo(Attempt.of(Result.DELIVERED, "status 250"));
            assertThat(server.commands)
                    .contains(
                            "MAIL FROM:<tlsrpt@example.com>",
                            "RCPT TO:<oncall@example.com>",
                            "RCPT TO:<second@example.com>")
                    .noneMatch(line -> line.startsWith("AUTH") || line.startsWith("STARTTLS"));
            assertThat(server.mails).hasSize(1);
            assertThat(server.mails.getFirst())
                    .contains(
                            "\nSubject: [critical] certificate-expired: mx1.example.com\n",
                            "\nMessage-ID: <a1-1-1@example.com>\n",
                            "\nAuto-Submitted: auto-generated\n");
        }
    }

    @Test
    void firingAndResolvedOfAnIncidentAreOneThread() throws IOException {
        try (SmtpServer server = new SmtpServer(Map.of())) {
            deliver(plain(server.port()), Messages.firing());
            deliver(plain(server.port()), Messages.resolved());

            assertThat(server.mails)
                    .hasSize(2)
                    .allMatch(mail -> mail.contains("\nReferences: <incident.a1-1@example.com>\n"));
            assertThat(server.mails.getLast()).contains("\nMessage-ID: <a1-1-2@example.com>\n");
        }
    }

    @Test
    void aStrangersEncodedWordInTheSubjectIsShownAsItIs() throws Exception {
        String title = "mx =?utf-8?B?YWxsIGlzIHdlbGw=?= says \u00fc " + "=?us-ascii?Q?x?= ".repeat(5) + "end";
        for (String each : List.of(title, title.replace("\u00fc", "u"))) {
            String mail = new String(
                    EmailReceiver.mail(
                            new Message.Notice("n1", Messages.NOW, each, "text"),
                            List.of("oncall@example.com"),
                            "tlsrpt@example.com",
                            Messages.NOW),
                    StandardCharsets.US_ASCII);
            MimeMessage read =
                    new MimeMessage(null, new ByteArrayInputStream(mail.getBytes(StandardCharsets.US_ASCII)));

            assertThat(read.getSubject()).isEqualTo(each);
            assertThat(mail.lines()).allMatch(line -> line.length() <= 100);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "greeting, 421 busy, THROTTLED",
        "greeting, 554 no service, REFUSED",
        "MAIL, 451 try later, THROTTLED",
        "MAIL, 550 not you, REFUSED",
        "RCPT, 450 greylisted, THROTTLED",
        "RCPT, 550 no such user, REFUSED",
        "DATA, 452 full, THROTTLED",
        "DATA, 554 no, REFUSED",
        "mail, 451 later, THROTTLED",
        "mail, 552 too big, REFUSED",
    })
    void theReplyDecides(String command, String reply, Result result) throws IOException {
        try (SmtpServer server = new SmtpServer(Map.of(command, reply))) {
            Attempt attempt = deliver(plain(server.port()), Messages.firing());
            assertThat(attempt.result()).isEqualTo(result);
            assertThat(attempt.detail()).contains(reply.substring(0, 3));
        }
    }

    @Test
    void oneAddressThatIsRefusedTakesNoMailFromTheOther() throws IOException {
        try (SmtpServer server = new SmtpServer(Map.of("RCPT TO:<oncall@example.com>", "550 no such user"))) {
            assertThat(deliver(plain(server.port()), Messages.firing()))
                    .isEqualTo(Attempt.of(Result.DELIVERED, "to 1 of the addresses; the server refused the others"));
            assertThat(server.mails).hasSize(1);
        }
    }

    @Test
    void aServerThatSaysNothingIsATimeout() throws IOException {
        try (SmtpServer server = new SmtpServer(Map.of("mail", SmtpServer.SILENCE))) {
            assertThat(Receiver.of(settings(Duration.ofMillis(500)), plain(server.port()))
                            .deliver(Messages.firing(), Messages.NOW)
                            .result())
                    .isEqualTo(Result.TIMEOUT);
        }
    }

    @Test
    void nobodyListeningIsUnreachable() throws IOException {
        int port;
        try (ServerSocket closed = new ServerSocket(0)) {
            port = closed.getLocalPort();
        }
        assertThat(deliver(plain(port), Messages.firing()).result()).isEqualTo(Result.UNREACHABLE);
    }

    @Test
    void aRefusedLoginIsRefusedAndTellsNoPassword() throws IOException {
        try (SmtpServer server = new SmtpServer(Map.of("AUTH", "535 no"))) {
            MailServer settings = server(server.port(), Security.PLAIN, null, "user");
            Attempt attempt = deliver(settings, Messages.firing());

            assertThat(attempt).isEqualTo(Attempt.of(Result.REFUSED, "status 535 for the login"));
            assertThat(settings.toString()).doesNotContain("pass-word-1");
        }
    }

    @Test
    void withoutTheEncryptionAskedForNothingIsSent() throws IOException {
        try (SmtpServer server = new SmtpServer(Map.of())) {
            Attempt attempt = deliver(server(server.port(), Security.STARTTLS, null, "user"), Messages.firing());

            assertThat(attempt).isEqualTo(Attempt.of(Result.UNREACHABLE, "the server offers no STARTTLS"));
            assertThat(server.commands).noneMatch(line -> line.startsWith("MAIL") || line.startsWith("AUTH"));
        }
    }

    @ParameterizedTest
    @CsvSource({"TLS, true", "STARTTLS, false"})
    void mailsGoEncryptedToAServerOfAKnownAuthority(Security security, boolean atOnce) throws Exception {
        try (SmtpServer server = new SmtpServer(Map.of(), tls("localhost"), atOnce)) {
            Path authority = directory.resolve("localhost.pem");

            assertThat(deliver(server(server.port(), security, authority, "user"), Messages.firing())
                            .result())
                    .isEqualTo(Result.DELIVERED);
            assertThat(server.commands).anyMatch(line -> line.startsWith("AUTH PLAIN"));

            assertThat(deliver(server(server.port(), security, null, "user"), Messages.firing()))
                    .as("an authority that Java does not know")
                    .isEqualTo(Attempt.of(Result.UNREACHABLE, "TLS handshake failed"));
        }
    }

    @ParameterizedTest
    @CsvSource({"TLS, true", "STARTTLS, false"})
    void aCertificateOfAnotherNameIsNotTaken(Security security, boolean atOnce) throws Exception {
        try (SmtpServer server = new SmtpServer(Map.of(), tls("other.example"), atOnce)) {
            assertThat(deliver(
                                    server(server.port(), security, directory.resolve("other.example.pem"), "user"),
                                    Messages.firing())
                            .result())
                    .isEqualTo(Result.UNREACHABLE);
            assertThat(server.commands).noneMatch(line -> line.startsWith("AUTH"));
        }
    }

    /// A key of that name; its certificate lies beside as `<name>.pem`.
    private SSLContext tls(String name) throws Exception {
        Path store = directory.resolve(name + ".p12");
        keytool(
                "-genkeypair",
                "-alias",
                "k",
                "-keyalg",
                "EC",
                "-dname",
                "CN=" + name,
                "-ext",
                "san=dns:" + name,
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                "changeit");
        keytool(
                "-exportcert",
                "-rfc",
                "-alias",
                "k",
                "-keystore",
                store.toString(),
                "-storepass",
                "changeit",
                "-file",
                directory.resolve(name + ".pem").toString());
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    private static void keytool(String... arguments) throws IOException, InterruptedException {
        List<String> command = new java.util.ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }
}

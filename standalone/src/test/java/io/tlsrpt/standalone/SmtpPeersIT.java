package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.dkim.TestDkimSigner;
import io.tlsrpt.dkim.TestKeys;
import io.tlsrpt.dns.LoopbackDns;
import io.tlsrpt.mail.SampleMails;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.topics.ReportHeaders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `swaks` and a real Postfix deliver signed reports to the whole house.
class SmtpPeersIT {

    private static final String SWAKS = "/usr/bin/swaks";
    private static final KeyPair KEY = TestKeys.rsa(2048);

    @TempDir
    Path directory;

    @BeforeAll
    static void peersAreInstalled() {
        for (Map.Entry<String, String> peer :
                Map.of(SWAKS, "swaks", Postfix.PROGRAM, "postfix").entrySet()) {
            if (!Files.isExecutable(Path.of(peer.getKey()))) {
                String missing = "SmtpPeersIT needs the Debian package " + peer.getValue();
                assertThat(System.getenv("CI")).as(missing).isNull();
                System.out.println("skipped: " + missing);
                Assumptions.abort(missing);
            }
        }
    }

    private static LoopbackDns keys() throws IOException {
        return LoopbackDns.serving(Map.of("s1._domainkey.google.com.", List.of(TestKeys.zoneText(KEY.getPublic()))));
    }

    private String[] settings(LoopbackDns keys, String... more) throws Exception {
        List<String> settings = new ArrayList<>(List.of(more));
        settings.add("dns: {servers: ['127.0.0.1:" + keys.address().getPort() + "']}");
        settings.add("domains: [{name: example.com}]");
        settings.add("mail: {smtp: {listen: '127.0.0.1:0', lmtp-listen: '127.0.0.1:0', hostname: mx.example.com,"
                + " recipients: [{address: '@example.com'}, {address: 'r@example.net'}], tls: {key-store: '"
                + keyStore()
                + "', key-store-password: changeit}}}");
        return settings.toArray(String[]::new);
    }

    private Path keyStore() throws Exception {
        Path store = directory.resolve("mx.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=mx.example.com",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        "changeit")
                .redirectErrorStream(true)
                .start();
        keytool.getInputStream().readAllBytes();
        assertThat(keytool.waitFor()).isZero();
        return store;
    }

    private static byte[] mail(String id) {
        byte[] report = SampleReports.report()
                .id(id)
                .day(yesterday())
                .policy("sts", "example.com", 100, 0)
                .gzip();
        byte[] mail = SampleMails.report(
                report, "noreply-smtp-tls-reporting@google.com", "tlsrpt@example.com", "example.com", "google.com");
        return TestDkimSigner.sign(mail, KEY.getPrivate(), "google.com", "s1");
    }

    private static LocalDate yesterday() {
        return LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC).minusDays(1);
    }

    /// @return what swaks printed, after it ended well
    private String swaks(HostPort server, String to, byte[] mail, String... options) throws Exception {
        Path file = Files.write(Files.createTempFile(directory, "mail", ".eml"), mail);
        List<String> command = new ArrayList<>(List.of(
                SWAKS,
                "--server",
                server.host(),
                "--port",
                Integer.toString(server.port()),
                "--helo",
                "mail.google.com",
                "--from",
                "noreply-smtp-tls-reporting@google.com",
                "--to",
                to,
                "--data",
                "@" + file));
        command.addAll(List.of(options));
        Process swaks = new ProcessBuilder(command).redirectErrorStream(true).start();
        swaks.getOutputStream().close();
        String output = new String(swaks.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(swaks.waitFor()).as(output).isZero();
        return output;
    }

    private static Sums sums(long reports) {
        return new Sums(
                Map.of(yesterday() + " example.com sts google.com", List.of(100L * reports, 0L, reports)), Map.of());
    }

    @Test
    void swaksDeliversInPlaintextByStartTlsAndByLmtp() throws Exception {
        try (LoopbackDns keys = keys();
                House house = House.start(directory.resolve("data"), settings(keys))) {
            HostPort smtp = house.standalone().smtpAddress().orElseThrow();
            HostPort lmtp = house.standalone().lmtpAddress().orElseThrow();

            assertThat(swaks(smtp, "tlsrpt@example.com", mail("plain"))).contains("250 2.0.0 kept");
            assertThat(swaks(smtp, "tlsrpt@example.com", mail("tls"), "--tls"))
                    .contains("TLS started", "250 2.0.0 kept");
            assertThat(swaks(lmtp, "one@example.com,two@example.com", mail("lmtp"), "--protocol", "LMTP"))
                    .contains("250 2.0.0 kept");
            assertThat(swaks(smtp, "tlsrpt@example.com", mail("plain"))).contains("250 2.0.0 kept");

            assertThat(house.judged(4)).isEqualTo(Map.of("accepted", 3L, "duplicate", 1L));
            assertThat(house.records(house.topics().raw()))
                    .extracting(
                            record -> ReportHeaders.text(record.headers(), "source"),
                            record -> ReportHeaders.text(record.headers(), "authentication"),
                            record -> ReportHeaders.text(record.headers(), "dkim-domain"),
                            record -> ReportHeaders.text(record.headers(), "remote"))
                    .containsExactlyInAnyOrder(
                            org.assertj.core.groups.Tuple.tuple("smtp", "dkim", "google.com", "127.0.0.1"),
                            org.assertj.core.groups.Tuple.tuple("smtp", "dkim", "google.com", "127.0.0.1"),
                            org.assertj.core.groups.Tuple.tuple("smtp", "dkim", "google.com", "127.0.0.1"),
                            org.assertj.core.groups.Tuple.tuple("lmtp", "dkim", "google.com", "127.0.0.1"));
            assertThat(Sums.byAppending(house.events())).isEqualTo(sums(3));
        }
    }

    @Test
    void aMailThatIsNoReportIsKeptAsRejectedAndNotBounced() throws Exception {
        try (LoopbackDns keys = keys();
                House house = House.start(directory.resolve("data"), settings(keys))) {
            HostPort smtp = house.standalone().smtpAddress().orElseThrow();
            byte[] unsigned =
                    "From: a@b.example\r\nSubject: hello\r\n\r\nno report\r\n".getBytes(StandardCharsets.US_ASCII);
            assertThat(swaks(smtp, "tlsrpt@example.com", unsigned)).contains("250 2.0.0 kept");
            await().untilAsserted(() -> assertThat(house.records(house.topics().rejected()))
                    .singleElement()
                    .satisfies(record -> assertThat(ReportHeaders.text(record.headers(), "reason"))
                            .isEqualTo("not-dkim-signed")));
        }
    }

    @Test
    void postfixKeepsWhatTheBrokerCannotTakeAndItCountsOnce() throws Exception {
        EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("broker"), HostPort.parse("127.0.0.1:0"));
        String address = broker.bootstrapServers();
        try (LoopbackDns keys = keys();
                House house = House.start(
                        directory.resolve("data"),
                        settings(
                                keys,
                                "kafka: {bootstrap-servers: '" + address + "', partitions: 4, replication-factor: 1}",
                                "intake: {listen: '127.0.0.1:0', ack-timeout: 1s}"));
                Postfix postfix = postfix(house)) {
            swaks(postfix.address(), "tlsrpt@example.com,r@example.net", mail("both ways"));
            await().atMost(Duration.ofSeconds(60)).until(() -> postfix.queue().isEmpty());
            assertThat(house.judged(2)).isEqualTo(Map.of("accepted", 1L, "duplicate", 1L));
            assertThat(sources(house)).containsExactlyInAnyOrder("smtp", "lmtp");
            assertThat(postfix.log()).contains("Untrusted TLS connection established to 127.0.0.1");

            broker.close();
            swaks(postfix.address(), "tlsrpt@example.com", mail("by smtp"));
            swaks(postfix.address(), "r@example.net", mail("by lmtp"));
            await().atMost(Duration.ofSeconds(90))
                    .untilAsserted(() -> assertThat(postfix.queue())
                            .hasSize(2)
                            .allSatisfy(waiting -> assertThat(waiting).contains("deferred", "451 4.3.0")));

            broker = EmbeddedBroker.start(directory.resolve("broker"), HostPort.parse(address));
            await().atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofSeconds(2))
                    .until(() -> {
                        postfix.flush();
                        return postfix.queue().isEmpty();
                    });
            Map<String, Long> verdicts = house.judged(4);
            assertThat(verdicts.get("accepted")).isEqualTo(3);
            assertThat(verdicts.keySet()).isSubsetOf("accepted", "duplicate");
            assertThat(Sums.byAppending(house.events())).isEqualTo(sums(3));
            assertThat(postfix.log()).doesNotContain("status=bounced");
        } finally {
            broker.close();
        }
    }

    private Postfix postfix(House house) throws IOException {
        return new Postfix(
                directory,
                Map.of(
                        "example.com",
                        "smtp:[127.0.0.1]:"
                                + house.standalone().smtpAddress().orElseThrow().port(),
                        "example.net",
                        "lmtp:inet:[127.0.0.1]:"
                                + house.standalone().lmtpAddress().orElseThrow().port()));
    }

    private static List<String> sources(House house) {
        List<String> sources = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record :
                house.records(house.topics().raw())) {
            sources.add(ReportHeaders.text(record.headers(), "source"));
        }
        return sources;
    }
}

package io.tlsrpt.ingest;

import static io.tlsrpt.ingest.TestIntake.header;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.dkim.TestDkimSigner;
import io.tlsrpt.dkim.TestKeys;
import io.tlsrpt.ingest.TestIntake.Broker;
import io.tlsrpt.mail.ReportMail;
import io.tlsrpt.mail.SampleMails;
import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.CanaryReport;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.ReportHeaders;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.LocalDate;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MailIntakeTest {

    private static final KeyPair KEY = TestKeys.rsa(1024);
    private static final Map<String, String> ALL_SIGNED =
            Map.of("h", "from:to:subject:date:message-id:tls-report-domain:tls-report-submitter");

    @TempDir
    Path data;

    @Test
    void aSignedMailBecomesARawRecordThatNamesItsSigner() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            MailOutcome outcome = take(door, keys("google.com"), signed(report(), "google.com", Map.of()));

            assertThat(outcome).isInstanceOf(MailOutcome.Kept.class);
            ReportHeaders headers = ReportHeaders.read(door.raw().getFirst().headers());
            assertThat(headers.authentication()).isEqualTo(Authentication.DKIM);
            assertThat(headers.dkimDomain()).isEqualTo("google.com");
            assertThat(headers.source()).isEqualTo("smtp");
            assertThat(headers.messageId()).startsWith("<").endsWith("@google.com>");
            assertThat(headers.channelDomain())
                    .as("TLS-Report-Domain is not signed")
                    .isNull();
            assertThat(headers.leniencies()).isEmpty();
            assertThat(door.raw().getFirst().value()).isEqualTo(report().bytes());
            assertThat(door.count("tlsrpt.mail.dkim", "verdict", "pass")).isOne();
            assertThat(door.count("tlsrpt.mail.received"))
                    .isEqualTo(door.count("tlsrpt.mail.kept") + door.count("tlsrpt.mail.try.again"))
                    .isOne();
        }
    }

    @Test
    void aSignedTlsReportDomainStandsForTheChannel() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            take(door, keys("google.com"), signed(report(), "google.com", ALL_SIGNED));

            assertThat(header(door.raw().getFirst(), "channel-domain")).isEqualTo("example.com");
        }
    }

    @Test
    void anUnsignedMailIsKeptWholeWithItsReason() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            byte[] mail = mail(report());

            take(door, keys("google.com"), mail);

            assertThat(door.raw()).isEmpty();
            ProducerRecord<String, byte[]> rejected = door.rejected().getFirst();
            assertThat(rejected.value()).isEqualTo(mail);
            assertThat(header(rejected, "reason")).isEqualTo("not-dkim-signed");
            assertThat(header(rejected, "message-id")).isNotNull();
            assertThat(door.count("tlsrpt.mail.dkim", "verdict", "unsigned")).isOne();
        }
    }

    @Test
    void ourOwnReportNeedsNoSignatureAndLendsItsNameToNoOther() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "domains: [{name: example.com}]")) {
            byte[] canary =
                    CanaryReport.of("canary-1", LocalDate.of(2026, 11, 22)).document();
            for (byte[] document : new byte[][] {canary, report().bytes()}) {
                take(
                        door,
                        keys("google.com"),
                        SampleMails.report(
                                document,
                                "alerts@example.com",
                                "tlsrpt@example.com",
                                CanaryReport.DOMAIN,
                                CanaryReport.DOMAIN));
            }

            assertThat(door.raw())
                    .hasSize(1)
                    .allSatisfy(raw -> assertThat(header(raw, "authentication")).isEqualTo("none"));
            assertThat(header(door.rejected().getFirst(), "reason")).isEqualTo("dkim-failed");
            assertThat(door.count("tlsrpt.intake.canaries")).isOne();
        }
    }

    @Test
    void aGatewaysBannerBreaksTheSignatureAndTheDetailSaysSo() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            take(door, keys("google.com"), bannered(signed(report(), "google.com", Map.of())));

            assertThat(header(door.rejected().getFirst(), "reason")).isEqualTo("dkim-failed");
            assertThat(header(door.rejected().getFirst(), "detail")).contains("body-hash (d=google.com s=s1)");
        }
    }

    @Test
    void whenObservingABrokenSignatureCountsAsUnauthenticated() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "mail: {dkim: {mode: observe}}")) {
            take(door, keys("google.com"), bannered(signed(report(), "google.com", Map.of())));
            take(door, keys("google.com"), mail(report()));

            assertThat(door.raw())
                    .hasSize(2)
                    .allSatisfy(raw -> assertThat(header(raw, "authentication")).isEqualTo("none"));
            assertThat(door.count("tlsrpt.mail.dkim", "verdict", "body-hash")).isOne();
            assertThat(door.count("tlsrpt.mail.dkim", "verdict", "unsigned")).isOne();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "google.com, true",
        "com, false",
        "mail.google.com, false",
        "evil.example, false",
    })
    void onlyTheReportingDomainSpeaksForItself(String signer, boolean taken) throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            take(door, keys(signer), signed(report(), signer, Map.of()));

            assertThat(door.raw()).hasSize(taken ? 1 : 0);
            assertThat(door.rejected())
                    .hasSize(taken ? 0 : 1)
                    .allSatisfy(
                            rejected -> assertThat(header(rejected, "reason")).isEqualTo("dkim-failed"));
        }
    }

    @Test
    void aDomainCannotSignForAnotherOrganizationThatItMerelyNames() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            byte[] forged = SampleReports.report()
                    .organization("google.com")
                    .contact(null)
                    .bytes();

            take(
                    door,
                    keys("evil.example"),
                    signedBy(
                            SampleMails.report(
                                    forged, "reports@evil.example", "tlsrpt@example.com", "example.com", "google.com"),
                            "evil.example",
                            Map.of()));

            assertThat(door.raw()).isEmpty();
            assertThat(header(door.rejected().getFirst(), "detail")).contains("the reporting domain google.com");
        }
    }

    @Test
    void aSignedMailOfASubmitterThatIsNoDomainIsTakenAndProvesNothing() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            byte[] named = SampleReports.report()
                    .organization("Company-X")
                    .contact(null)
                    .gzip();

            take(
                    door,
                    keys("evil.example"),
                    signedBy(
                            SampleMails.report(
                                    named, "reports@evil.example", "tlsrpt@example.com", "example.com", "evil.example"),
                            "evil.example",
                            Map.of()));

            assertThat(header(door.raw().getFirst(), "authentication")).isEqualTo("none");
            assertThat(header(door.raw().getFirst(), "dkim-domain")).isEqualTo("evil.example");
        }
    }

    @Test
    void aBounceDoesNotSignTheReportThatItBringsBack() throws Exception {
        byte[] bounce = signedBy(joined("""
                        From: mailer-daemon@google.com\r
                        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
                        \r
                        --b\r
                        Content-Type: message/rfc822\r
                        \r
                        """, mail(report())), "google.com", Map.of());
        try (TestIntake door = new TestIntake(data.resolve("require"), Broker.ACKNOWLEDGES, "")) {
            take(door, keys("google.com"), bounce);

            assertThat(door.raw()).isEmpty();
            assertThat(header(door.rejected().getFirst(), "reason")).isEqualTo("dkim-failed");
            assertThat(header(door.rejected().getFirst(), "detail")).contains("bounce");
        }
        try (TestIntake door =
                new TestIntake(data.resolve("observe"), Broker.ACKNOWLEDGES, "mail: {dkim: {mode: observe}}")) {
            take(door, keys("google.com"), bounce);

            assertThat(header(door.raw().getFirst(), "authentication")).isEqualTo("none");
        }
    }

    @Test
    void whileAKeyCannotBeLookedUpNothingIsDecided() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            byte[] mail = signed(report(), "google.com", Map.of());

            assertThat(take(door, new TestKeys().failing("google.com", "s1"), mail))
                    .isInstanceOf(MailOutcome.TryAgain.class);
            assertThat(door.broker.history()).isEmpty();
            assertThat(take(door, keys("google.com"), mail)).isInstanceOf(MailOutcome.Kept.class);
            assertThat(door.raw()).hasSize(1);
        }
    }

    @Test
    void aRelaysGoodSignatureDoesNotHideThatTheReportersKeyCouldNotBeLookedUp() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            byte[] mail = signedBy(signed(report(), "google.com", Map.of()), "relay.example", Map.of());
            TestKeys keys = keys("relay.example").failing("google.com", "s1");

            assertThat(take(door, keys, mail)).isInstanceOf(MailOutcome.TryAgain.class);
            assertThat(door.broker.history()).isEmpty();
        }
    }

    @Test
    void whileTheBrokerIsAwayTheMailMustComeAgain() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            door.brokerFails();

            assertThat(take(door, keys("google.com"), signed(report(), "google.com", Map.of())))
                    .isInstanceOf(MailOutcome.TryAgain.class);
            assertThat(door.spool.isEmpty()).isTrue();
        }
    }

    @Test
    void anOperatorsMailNeedsNoSignatureAndItsHeaderIsBelieved() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            TestKeys keys = new TestKeys();
            mails(door, keys).take(of(mail(report()), true)).get(10, TimeUnit.SECONDS);

            assertThat(header(door.raw().getFirst(), "authentication")).isEqualTo("operator");
            assertThat(header(door.raw().getFirst(), "channel-domain")).isEqualTo("example.com");
            assertThat(keys.asked()).isEmpty();
        }
    }

    @Test
    void aTrustedServersResultStandsInForABrokenSignature() throws Exception {
        try (TestIntake door =
                new TestIntake(data, Broker.ACKNOWLEDGES, "mail: {dkim: {trusted-authserv-ids: [mx.example.com]}}")) {
            byte[] mail =
                    joined("Authentication-Results: mx.example.com; dkim=pass header.d=google.com\r\n", mail(report()));

            take(door, keys("google.com"), mail);

            assertThat(header(door.raw().getFirst(), "dkim-domain")).isEqualTo("google.com");
        }
    }

    @Test
    void aMailWithoutAReportIsKeptWithItsReason() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            byte[] mail = signedBy(
                    "From: a@google.com\r\nSubject: lunch\r\n\r\nAt noon?\r\n".getBytes(StandardCharsets.US_ASCII),
                    "google.com",
                    Map.of());

            MailOutcome outcome = take(door, keys("google.com"), mail);

            assertThat(outcome)
                    .isInstanceOfSatisfying(
                            MailOutcome.Kept.class,
                            kept -> assertThat(kept.noReport()).isTrue());
            assertThat(header(door.rejected().getFirst(), "reason")).isEqualTo("no-report");
        }
    }

    @Test
    void aMailThatIsTooLongIsKeptAsItsHead() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            Mail cut = new Mail(
                    new byte[100_000],
                    true,
                    Source.SMTP,
                    TestIntake.NOW,
                    TestIntake.NOW,
                    "192.0.2.1",
                    false,
                    null,
                    Submission.Backfill.NO);

            mails(door, new TestKeys()).take(cut).get(10, TimeUnit.SECONDS);

            assertThat(header(door.rejected().getFirst(), "reason")).isEqualTo(RefusalReason.TOO_LARGE.word());
            assertThat(door.rejected().getFirst().value()).hasSize(Submission.HEAD_BYTES);
        }
    }

    private static SampleReports report() {
        return SampleReports.report();
    }

    private static byte[] mail(SampleReports report) {
        return SampleMails.report(
                report.gzip(), "noreply@google.com", "tlsrpt@example.com", "example.com", "google.com");
    }

    private static byte[] signed(SampleReports report, String domain, Map<String, String> tags) {
        return signedBy(mail(report), domain, tags);
    }

    private static byte[] signedBy(byte[] mail, String domain, Map<String, String> tags) {
        return TestDkimSigner.sign(mail, KEY.getPrivate(), domain, "s1", tags);
    }

    private static byte[] bannered(byte[] mail) {
        return new String(mail, StandardCharsets.ISO_8859_1)
                .replace("This is an aggregate", "[EXTERNAL] This is an aggregate")
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] joined(String head, byte[] mail) {
        return (head + new String(mail, StandardCharsets.ISO_8859_1)).getBytes(StandardCharsets.ISO_8859_1);
    }

    private static TestKeys keys(String domain) {
        return new TestKeys().with(domain, "s1", KEY.getPublic());
    }

    private static MailOutcome take(TestIntake door, TestKeys keys, byte[] mail) throws Exception {
        return mails(door, keys).take(of(mail, false)).get(10, TimeUnit.SECONDS);
    }

    private static MailIntake mails(TestIntake door, TestKeys keys) {
        return new MailIntake(
                door.intake, keys, () -> door.settings.mail().dkim(), ReportMail.Limits.DEFAULT, door.metrics);
    }

    private static Mail of(byte[] mail, boolean vouched) {
        return new Mail(
                mail,
                false,
                Source.SMTP,
                TestIntake.NOW,
                TestIntake.NOW,
                "192.0.2.1",
                vouched,
                null,
                Submission.Backfill.NO);
    }
}

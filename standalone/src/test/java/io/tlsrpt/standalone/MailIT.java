package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.dkim.TestDkimSigner;
import io.tlsrpt.dkim.TestKeys;
import io.tlsrpt.dns.LoopbackDns;
import io.tlsrpt.mail.SampleMails;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.ReportHeaders;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Signed mails through the SMTP listener of a running house, whose DNS holds the senders' keys.
class MailIT {

    private static final KeyPair KEY = TestKeys.rsa(2048);

    @TempDir
    Path directory;

    private @Nullable LoopbackDns dns;
    private @Nullable House house;

    @BeforeEach
    void open() throws IOException {
        dns = LoopbackDns.serving(Map.of(
                "s1._domainkey.google.com.",
                List.of(TestKeys.zoneText(KEY.getPublic())),
                "s1._domainkey.broken.example.",
                List.of()));
        house = House.start(
                directory,
                "domains: [{name: example.com}]",
                "mail: {smtp: {listen: '127.0.0.1:0'}}",
                "alerting: {inspection: {enabled: false}}",
                "dns: {servers: ['127.0.0.1:" + dns.address().getPort() + "']}");
    }

    @AfterEach
    void close() throws IOException {
        if (house != null) {
            house.close();
        }
        if (dns != null) {
            dns.close();
        }
    }

    @Test
    void theSameReportByMailAndByPostCountsOnceAndIsTheSignedOne() throws IOException {
        SampleReports mailFirst = report("mail-first", 90, 10).failure("certificate-expired", "mx1.example.com", 10);
        SampleReports postFirst = report("post-first", 50, 0);

        assertThat(mailed(signed(mailFirst))).startsWith("250");
        house().judged(1);
        assertThat(house().post(mailFirst.gzip()).statusCode()).isEqualTo(201);
        assertThat(house().judged(2)).isEqualTo(Map.of("accepted", 1L, "duplicate", 1L));

        assertThat(house().post(postFirst.gzip()).statusCode()).isEqualTo(201);
        house().judged(3);
        assertThat(mailed(signed(postFirst))).startsWith("250");
        assertThat(mailed(signed(postFirst))).startsWith("250");
        assertThat(house().judged(5)).isEqualTo(Map.of("accepted", 2L, "duplicate", 2L, "replaced", 1L));

        String cell = yesterday() + " example.com sts google.com";
        Sums expected = new Sums(
                Map.of(cell, List.of(140L, 10L, 2L)), Map.of(cell + " certificate-expired mx1.example.com", 10L));
        assertThat(Sums.byAppending(house().events())).isEqualTo(expected);
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() ->
                        assertThat(Sums.ofAggregates(house().aggregates())).isEqualTo(expected));
        assertThat(house().records(house().topics().raw()))
                .extracting(raw -> ReportHeaders.text(raw.headers(), "authentication") + " "
                        + ReportHeaders.text(raw.headers(), "source") + " "
                        + ReportHeaders.text(raw.headers(), "dkim-domain"))
                .containsExactlyInAnyOrder(
                        "dkim smtp google.com",
                        "none https null",
                        "none https null",
                        "dkim smtp google.com",
                        "dkim smtp google.com");
    }

    @Test
    void aForgedPostIsTakenBackByTheSignedMailAndItsAlertResolvesAsRetracted() throws IOException {
        SampleReports forged = report("same", 0, 1000).failure("certificate-expired", "mx1.example.com", 1000);
        SampleReports genuine = report("same", 100, 0);

        assertThat(house().post(forged.gzip()).statusCode()).isEqualTo(201);
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() ->
                        assertThat(house().alerts()).extracting(Alert::state).containsExactly("firing"));
        assertThat(mailed(signed(genuine))).startsWith("250");

        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(house().alerts())
                        .extracting(alert -> alert.state() + " " + alert.resolveReason())
                        .containsExactly("resolved retracted"));
        Sums expected = new Sums(Map.of(yesterday() + " example.com sts google.com", List.of(100L, 0L, 1L)), Map.of());
        List<Event> events = house().events();
        assertThat(Sums.byAppending(events)).isEqualTo(expected);
        assertThat(Sums.byUpserting(events)).isEqualTo(expected);
        assertThat(house().post(forged.gzip()).statusCode()).isEqualTo(201);
        assertThat(house().judged(3)).isEqualTo(Map.of("accepted", 1L, "replaced", 1L, "conflict", 1L));
    }

    @Test
    void theSenderIsToldToComeAgainWhileTheKeyCannotBeLookedUpAndNothingElseIsLost() throws IOException {
        byte[] broken = TestDkimSigner.sign(
                SampleMails.report(
                        report("x", 1, 0).contact("tls@broken.example").gzip(),
                        "noreply@broken.example",
                        "tlsrpt@example.com",
                        "example.com",
                        "broken.example"),
                KEY.getPrivate(),
                "broken.example",
                "s1",
                Map.of());

        assertThat(mailed(broken)).startsWith("451");
        assertThat(mailed(mail(report("unsigned", 1, 0)))).startsWith("250");
        assertThat(mailed("Subject: hi\r\n\r\nnobody signed this\r\n".getBytes(StandardCharsets.US_ASCII)))
                .startsWith("250");
        assertThat(mailed(signed(report("good", 7, 0)))).startsWith("250");

        assertThat(house().judged(1)).isEqualTo(Map.of("accepted", 1L));
        assertThat(house().records(house().topics().rejected()))
                .extracting(rejected -> ReportHeaders.text(rejected.headers(), "reason"))
                .containsOnly("not-dkim-signed")
                .hasSize(2);
    }

    private static LocalDate yesterday() {
        return LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC).minusDays(1);
    }

    private static SampleReports report(String id, long good, long failed) {
        return SampleReports.report().id(id).day(yesterday()).policy("sts", "example.com", good, failed);
    }

    private static byte[] mail(SampleReports report) {
        return SampleMails.report(
                report.gzip(), "noreply@google.com", "tlsrpt@example.com", "example.com", "google.com");
    }

    private static byte[] signed(SampleReports report) {
        return TestDkimSigner.sign(mail(report), KEY.getPrivate(), "google.com", "s1", Map.of());
    }

    private House house() {
        return java.util.Objects.requireNonNull(house);
    }

    /// @return what is answered to the end of the mail
    private String mailed(byte[] mail) throws IOException {
        HostPort address = house().standalone().smtpAddress().orElseThrow();
        try (Socket socket = new Socket(address.host(), address.port())) {
            socket.setSoTimeout(90_000);
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            OutputStream out = socket.getOutputStream();
            reply(in);
            for (String line : List.of("EHLO peer.example", "MAIL FROM:<>", "RCPT TO:<tlsrpt@example.com>", "DATA")) {
                out.write((line + "\r\n").getBytes(StandardCharsets.US_ASCII));
                assertThat(reply(in)).matches("[23].*");
            }
            out.write(mail);
            out.write(".\r\n".getBytes(StandardCharsets.US_ASCII));
            return reply(in);
        }
    }

    private static String reply(BufferedReader in) throws IOException {
        String line = in.readLine();
        while (line != null && line.length() > 3 && line.charAt(3) == '-') {
            line = in.readLine();
        }
        return String.valueOf(line);
    }
}

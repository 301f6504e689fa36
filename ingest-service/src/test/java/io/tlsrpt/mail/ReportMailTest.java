package io.tlsrpt.mail;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.report.Leniency;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.report.SampleReports;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class ReportMailTest {

    private static final byte[] GZIP = SampleReports.report().gzip();
    private static final String GZ_PART = SampleMails.base64Part("application/tlsrpt+gzip", "r.json.gz", GZIP);
    private static final String HEAD =
            SampleMails.head(GZIP, "tls@reporter.example", "tlsrpt@example.com", "example.com", "reporter.example");

    @Test
    void theHeadIsTold() {
        ReportMail mail = read(new String(
                        SampleMails.report(GZIP, "tls@r.example", "t@example.com", "Example.COM.", "Bücher.example"),
                        StandardCharsets.ISO_8859_1)
                .replaceFirst("Subject: [^\r]+", "Subject: =?utf-8?Q?Report_Domain=3A?=\r\n =?utf-8?Q?_=C3=BC?="));

        assertThat(mail.reportDomain()).contains("example.com");
        assertThat(mail.subject()).contains("Report Domain: ü");
        assertThat(mail.messageId().orElseThrow()).startsWith("<").endsWith("@Bücher.example>");
        assertThat(mail.documents()).singleElement().satisfies(document -> {
            assertThat(document.bytes()).isEqualTo(GZIP);
            assertThat(document.place()).isEqualTo("part 2 (" + SampleMails.FILE + ".json.gz)");
        });
    }

    @Test
    void aReportFieldThatStandsThereTwiceSaysNothing() {
        ReportMail mail = read("TLS-Report-Domain: evil.example\r\n" + HEAD + GZ_PART);

        assertThat(mail.reportDomain()).isEmpty();
        assertThat(mail.reportSubmitter()).contains("reporter.example");
        assertThat(mail.documents()).hasSize(1);
    }

    @Test
    void aSubmitterThatIsNoNameIsAbsent() {
        assertThat(read(HEAD.replace("TLS-Report-Submitter: reporter.example", "TLS-Report-Submitter: Reporter Inc.")
                                + GZ_PART)
                        .reportSubmitter())
                .isEmpty();
    }

    @Test
    void theFieldsOfAForwardedMailAreNotThoseOfTheMail() {
        ReportMail mail = read("From: me@example.com\r\nContent-Type: message/rfc822\r\n\r\n" + HEAD + GZ_PART);

        assertThat(mail.reportDomain()).isEmpty();
        assertThat(mail.messageId()).isEmpty();
        assertThat(mail.documents()).hasSize(1);
    }

    @Test
    void placesCountAsImapDoesAndAreSafeToShow() {
        String part = SampleMails.base64Part("application/tlsrpt+gzip", "a\u001b[31m\u007f" + "x".repeat(500), GZIP);
        ReportMail mail = read(HEAD
                + SampleMails.multipart(
                        "multipart/mixed",
                        "f",
                        SampleMails.part("Content-Type: text/plain", "x"),
                        SampleMails.multipart(
                                "multipart/report; report-type=tlsrpt",
                                "b",
                                SampleMails.part("Content-Type: text/plain", "x"),
                                part)));

        assertThat(mail.documents())
                .singleElement()
                .satisfies(document -> assertThat(document.place())
                        .startsWith("part 2.2 (a?[31m?xxx")
                        .hasSizeLessThan(100));
    }

    @Test
    void whatIsPrescribedIsTakenAndAnythingThatIsNoReportIgnored() {
        ReportMail mail = read(HEAD
                + SampleMails.multipart(
                        "multipart/report; report-type=tlsrpt",
                        "b",
                        GZ_PART,
                        SampleMails.base64Part("application/gzip", "damaged.gz", Arrays.copyOf(GZIP, 12)),
                        SampleMails.base64Part("application/json", "other.json", SampleMails.bytes("{\"a\":1}")),
                        SampleMails.base64Part(
                                "application/zip", "x.zip", WitnessMails.zip(Map.of("x.txt", new byte[10])))));

        assertThat(mail.documents()).hasSize(1);
        assertThat(mail.refusal()).isEmpty();
    }

    @Test
    void theSameReportTwiceIsHandedOnTwice() {
        assertThat(read(HEAD + SampleMails.multipart("multipart/mixed", "b", GZ_PART, GZ_PART))
                        .documents())
                .hasSize(2);
    }

    @Test
    void aDocumentOverTheLimitIsCutToItsHead() {
        byte[] large = SampleMails.bytes("{\"policies\":[" + " ".repeat(11 << 20) + "]}");

        ReportMail mail = read(HEAD + SampleMails.base64Part("application/json", "large.json", large));

        assertThat(mail.documents()).singleElement().satisfies(document -> {
            assertThat(document.cut()).isTrue();
            assertThat(document.bytes()).hasSize(64 * 1024).startsWith('{');
        });
    }

    @Test
    void aZipThatInflatesToManyGigabytesStopsAtTheLimit() {
        byte[] bomb = WitnessMails.zip(Map.of("a.json", new byte[64 << 20]));

        ReportMail mail = read(HEAD + SampleMails.base64Part("application/zip", "bomb.zip", bomb));

        assertThat(mail.documents()).isEmpty();
        assertThat(mail.refusal().orElseThrow().reason()).isEqualTo(RefusalReason.TOO_LARGE);
        assertThat(mail.refusal().orElseThrow().detail()).startsWith("the zip in the body");
    }

    @Test
    void aBrokenZipOfAPrescribedTypeIsADocumentToBeRefused() {
        byte[] zip = WitnessMails.zip(Map.of("r.json", GZIP));

        assertThat(read(HEAD + SampleMails.base64Part("application/tlsrpt+gzip", "r.zip", Arrays.copyOf(zip, 20)))
                        .documents())
                .hasSize(1);
    }

    static Stream<Arguments> hostile() {
        byte[] garbage = new byte[20 << 20];
        new Random(1).nextBytes(garbage);
        String report = SampleMails.multipart("multipart/report; report-type=tlsrpt", "b1", GZ_PART);
        return Stream.of(
                Arguments.of("a header of 1 MB", HEAD + "X: " + "x".repeat(1 << 20) + "\r\n" + report, "too-large", 0),
                Arguments.of(
                        "a folded header of 1 MB",
                        HEAD + "X: " + "x\r\n ".repeat(1 << 18) + "\r\n" + report,
                        "too-large",
                        0),
                Arguments.of(
                        "a head of 4 MB",
                        HEAD + ("X: " + "x".repeat(4000) + "\r\n").repeat(1000) + report,
                        "too-large",
                        0),
                Arguments.of("1,001 fields", HEAD + "X: x\r\n".repeat(1001) + report, "too-large", 0),
                Arguments.of("a million empty fields", HEAD + ":\r\n".repeat(1 << 20) + report, "too-large", 0),
                Arguments.of(
                        "a long field in a part",
                        HEAD
                                + SampleMails.multipart(
                                        "multipart/mixed", "b", GZ_PART, "X: " + "x".repeat(1 << 20) + "\r\n\r\n"),
                        "too-large",
                        1),
                Arguments.of(
                        "100,000 parameters",
                        HEAD + "Content-Type: multipart/report" + "; a=b".repeat(100_000) + "\r\n\r\n",
                        "too-large",
                        0),
                Arguments.of(
                        "parameters up to the limit",
                        HEAD + "Content-Type: application/tlsrpt+json" + ";name*0=b".repeat(7_000) + "\r\n\r\n{}",
                        "",
                        1),
                Arguments.of(
                        "comments in comments",
                        HEAD + "Content-Type: text/plain " + "(".repeat(60_000) + "\r\n\r\n{}",
                        "no-report",
                        0),
                Arguments.of(
                        "1,000 parts",
                        HEAD + SampleMails.multipart("multipart/mixed", "b", "\r\nx\r\n--b\r\n".repeat(1000)),
                        "too-large",
                        0),
                Arguments.of(
                        "1,000 reports",
                        HEAD + SampleMails.multipart("multipart/mixed", "b", (GZ_PART + "\r\n--b\r\n").repeat(1000)),
                        "too-large",
                        20),
                Arguments.of(
                        "200 multiparts inside each other",
                        nested(200, "multipart/mixed; boundary=b%d", true),
                        "too-deep",
                        0),
                Arguments.of("200 mails inside each other", nested(200, "message/rfc822", false), "too-deep", 0),
                Arguments.of("200 internationalised mails", nested(200, "message/global", false), "too-deep", 0),
                Arguments.of(
                        "a boundary of 60,000 characters",
                        HEAD + SampleMails.multipart("multipart/mixed", "b".repeat(60_000), GZ_PART),
                        "too-large",
                        0),
                Arguments.of(
                        "no boundary",
                        HEAD + "Content-Type: multipart/report\r\n\r\n--b1\r\n" + GZ_PART,
                        "no-report",
                        0),
                Arguments.of("an empty boundary", HEAD + SampleMails.multipart("multipart/report", "", GZ_PART), "", 1),
                Arguments.of(
                        "boundaries in the middle of lines",
                        HEAD
                                + SampleMails.multipart(
                                        "multipart/mixed",
                                        "b",
                                        SampleMails.part("Content-Type: text/plain", "x--b".repeat(1 << 20)),
                                        GZ_PART),
                        "",
                        1),
                Arguments.of(
                        "boundaries that begin alike",
                        HEAD
                                + SampleMails.multipart(
                                        "multipart/mixed",
                                        "-".repeat(900),
                                        SampleMails.part("Content-Type: text/plain", "-".repeat(4 << 20))),
                        "no-report",
                        0),
                Arguments.of("20 MB without a line end", HEAD + "\r\n" + "x".repeat(20 << 20), "no-report", 0),
                Arguments.of(
                        "20 MB of base64 that is none",
                        HEAD
                                + SampleMails.part(
                                        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64",
                                        new String(garbage, StandardCharsets.ISO_8859_1)),
                        "no-report",
                        0),
                Arguments.of(
                        "20 MB of signs that are no base64",
                        HEAD
                                + SampleMails.part(
                                        "Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64",
                                        "!".repeat(20 << 20)),
                        "",
                        1),
                Arguments.of(
                        "quoted-printable of nothing but =",
                        HEAD
                                + SampleMails.part(
                                        "Content-Type: application/tlsrpt+json\r\nContent-Transfer-Encoding: quoted-printable",
                                        "=".repeat(4 << 20)),
                        "",
                        1),
                Arguments.of(
                        "quoted-printable of nothing but blanks",
                        HEAD
                                + SampleMails.part(
                                        "Content-Type: application/tlsrpt+json\r\nContent-Transfer-Encoding: quoted-printable",
                                        " ".repeat(4 << 20)),
                        "",
                        1),
                Arguments.of("only LF", "\n".repeat(4 << 20), "no-report", 0),
                Arguments.of("only NUL", "\0".repeat(4 << 20), "too-large", 0),
                Arguments.of(
                        "an unknown charset",
                        HEAD + "Subject: =?nonsense?B?AAAA?=\r\n" + GZ_PART.replace("name=\"", "name*=nonsense''%00"),
                        "",
                        1));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("hostile")
    void whatIsMeantToHurtDoesNot(String name, String message, String reason, int documents) {
        byte[] bytes = SampleMails.bytes(message);
        long start = System.nanoTime();

        ReportMail mail = ReportMail.read(bytes, ReportMail.Limits.DEFAULT);

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        assertThat(mail.documents()).hasSize(documents);
        assertThat(mail.refusal().map(refusal -> refusal.reason().word()).orElse(""))
                .isEqualTo(reason);
    }

    @Test
    void everyPrefixOfAMailIsRead() {
        byte[] whole = Objects.requireNonNull(WitnessMails.ALL.get("m20"));
        for (int length = 0; length < whole.length; length++) {
            ReportMail mail = ReportMail.read(Arrays.copyOf(whole, length), ReportMail.Limits.DEFAULT);
            assertThat(mail.documents().isEmpty()).isEqualTo(mail.refusal().isPresent());
        }
    }

    @Test
    void whereALineEndsHasNoInfluence() {
        List<Leniency> leniencies = new ArrayList<>();
        for (Map.Entry<String, byte[]> witness : WitnessMails.ALL.entrySet()) {
            ReportMail crlf = ReportMail.read(witness.getValue(), ReportMail.Limits.DEFAULT);
            ReportMail lf = ReportMail.read(
                    SampleMails.bytes(
                            new String(witness.getValue(), StandardCharsets.ISO_8859_1).replace("\r\n", "\n")),
                    ReportMail.Limits.DEFAULT);

            assertThat(lf.documents()).as(witness.getKey()).hasSameSizeAs(crlf.documents());
            lf.documents().forEach(document -> leniencies.addAll(document.leniencies()));
        }
        assertThat(leniencies).contains(Leniency.MAIL_BARE_LF);
    }

    private static String nested(int depth, String type, boolean multipart) {
        StringBuilder mail = new StringBuilder(HEAD);
        for (int level = 0; level < depth; level++) {
            mail.append("Content-Type: ")
                    .append(type.replace("%d", "x" + level + "x"))
                    .append("\r\n\r\n");
            if (multipart) {
                mail.append("--bx").append(level).append("x\r\n");
            }
        }
        return mail.append(GZ_PART).toString();
    }

    private static ReportMail read(String mail) {
        return ReportMail.read(mail.getBytes(StandardCharsets.UTF_8), ReportMail.Limits.DEFAULT);
    }
}

package io.tlsrpt.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.mail.SampleMails;
import io.tlsrpt.report.SampleReports;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReportFilesTest {

    private static final byte[] JSON = SampleReports.report().bytes();
    private static final byte[] GZIP = SampleReports.report().gzip();
    private static final byte[] MAIL =
            SampleMails.report(GZIP, "tls@reporter.example", "tlsrpt@example.com", "example.com", "reporter.example");
    private static final String FROM_LINE = "From tls@reporter.example Sat Nov 21 10:11:12 2026\n";
    private static final ReportFiles.Limits LIMITS = new ReportFiles.Limits(1 << 20, 1 << 20, 1000, 64L << 20);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x.eml",
                "Maildir/cur/1795220000.M1P2.mx1,S=2000:2,S",
                "mail.txt",
                "report.json",
                "no-name-at-all",
                ""
            })
    void aMailIsKnownByItsHeadWhateverItsName(String name) throws Exception {
        assertThat(read(name, MAIL)).singleElement().isInstanceOfSatisfying(ReportFiles.Found.Mail.class, mail -> {
            assertThat(mail.name()).isEqualTo(name);
            assertThat(mail.bytes()).isEqualTo(MAIL);
            assertThat(mail.cut()).isFalse();
        });
    }

    @Test
    void aReportIsADocumentWhateverItsName() throws Exception {
        for (String name : List.of("r.json", "mail.mbox", "r.tar", "r.zip")) {
            assertThat(told(read(name, JSON))).containsExactly("document " + name);
            assertThat(told(read(name, GZIP))).containsExactly("document " + name);
        }
        assertThat(told(read("notes.txt", bytes("title: a list\nof: things\n"))))
                .containsExactly("skipped notes.txt");
        assertThat(told(read("settings.yaml", bytes("a: 1\nb: 2\n")))).containsExactly("document settings.yaml");
        assertThat(told(read("damaged.eml", bytes("nothing like a mail")))).containsExactly("mail damaged.eml");
        assertThat(told(read("x.msg", new byte[] {(byte) 0xd0, (byte) 0xcf, 0x11, (byte) 0xe0, 0, 0})))
                .containsExactly("skipped x.msg");
    }

    @Test
    void theMailsOfAnMboxAreTakenOneByOneAndUnquoted() throws Exception {
        byte[] mbox = bytes(FROM_LINE + text(MAIL).replace("\r\n", "\n") + "\n" + FROM_LINE
                + "Subject: two\n\n>From here on\n>>From there\nFrom nobody in 2026\n\nFrom what I see, it is 10:00.\n\n"
                + "From - Sun Nov 22 10:11:12 2026\nSubject: three\n\nlast");

        List<ReportFiles.Found> found = read("a.mbox", mbox);

        assertThat(told(found)).containsExactly("mail a.mbox#1", "mail a.mbox#2", "mail a.mbox#3");
        assertThat(text(((ReportFiles.Found.Mail) found.getFirst()).bytes()))
                .isEqualTo(text(MAIL).replace("\r\n", "\n") + "\n");
        assertThat(text(((ReportFiles.Found.Mail) found.get(1)).bytes()))
                .isEqualTo(
                        "Subject: two\n\nFrom here on\n>From there\nFrom nobody in 2026\n\nFrom what I see, it is 10:00.\n\n");
        assertThat(text(((ReportFiles.Found.Mail) found.get(2)).bytes())).isEqualTo("Subject: three\n\nlast");
    }

    @Test
    void anMboxWithCrlfAndLongLinesKeepsItsBytes() throws Exception {
        String mail = "Subject: x\r\n\r\n" + "y".repeat(5_000) + "\r\n";

        List<ReportFiles.Found> found = read("inbox", bytes((FROM_LINE + mail).replace("2026\n", "2026\r\n")));

        assertThat(((ReportFiles.Found.Mail) found.getFirst()).bytes()).isEqualTo(bytes(mail));
    }

    @Test
    void aMailOverTheLimitIsCutAndTheNextIsRead() throws Exception {
        byte[] large = bytes("Subject: large\n\n" + "x".repeat(2 << 20) + "\n\n");

        List<ReportFiles.Found> found = read("a.mbox", join(bytes(FROM_LINE), large, bytes(FROM_LINE), MAIL));

        assertThat(told(found)).containsExactly("mail a.mbox#1", "mail a.mbox#2");
        assertThat(((ReportFiles.Found.Mail) found.getFirst()).cut()).isTrue();
        assertThat(((ReportFiles.Found.Mail) found.getFirst()).bytes()).hasSize(Submission.HEAD_BYTES);
        assertThat(((ReportFiles.Found.Mail) found.get(1)).bytes()).isEqualTo(MAIL);
        assertThat(read("large.eml", large))
                .singleElement()
                .isInstanceOfSatisfying(ReportFiles.Found.Mail.class, mail -> {
                    assertThat(mail.cut()).isTrue();
                    assertThat(mail.bytes()).hasSize(Submission.HEAD_BYTES);
                });
    }

    @Test
    void aTarIsReadGzippedOrNotAndInAZip() throws Exception {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("Maildir/", new byte[0]);
        files.put("Maildir/dovecot.index.log", new byte[10]);
        files.put("Maildir/dovecot-uidlist", bytes("3 V1 N2"));
        files.put("Maildir/maildirsize", bytes("0S"));
        files.put("Maildir/tmp/1795220000.M1P2.mx1", MAIL);
        files.put("Maildir/.TLS.Reports/new/1795220001.M1P2.mx1", MAIL);
        files.put("r.json.gz", GZIP);
        files.put("old.mbox", join(bytes(FROM_LINE), MAIL));
        files.put("old.mbox.gz", gzip(join(bytes(FROM_LINE), MAIL)));
        byte[] tar = tar(files);
        String[] expected = {
            "skipped Maildir/",
            "skipped Maildir/dovecot.index.log",
            "skipped Maildir/dovecot-uidlist",
            "skipped Maildir/maildirsize",
            "skipped Maildir/tmp/1795220000.M1P2.mx1",
            "mail Maildir/.TLS.Reports/new/1795220001.M1P2.mx1",
            "document r.json.gz",
            "mail old.mbox#1",
            "mail old.mbox.gz#1"
        };

        assertThat(told(read("a.tar", tar))).containsExactly(expected);
        assertThat(told(read("a.tgz", gzip(tar)))).containsExactly(expected);
        assertThat(told(read("a.zip", zip(Map.of("a.tar.gz", gzip(tar))))))
                .containsExactly(Arrays.stream(expected)
                        .map(line -> line.replaceFirst(" ", " a.tar.gz/"))
                        .toArray(String[]::new));
    }

    @Test
    void aGzippedMailIsAMail() throws Exception {
        assertThat(told(read("x.eml.gz", gzip(MAIL)))).containsExactly("mail x.eml.gz");
    }

    @Test
    void linksInATarAreNotFollowed() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
            TarArchiveEntry link = new TarArchiveEntry("passwords.json", TarConstants.LF_SYMLINK);
            link.setLinkName("/etc/passwd");
            tar.putArchiveEntry(link);
            tar.closeArchiveEntry();
        }

        assertThat(told(read("a.tar", out.toByteArray()))).containsExactly("skipped passwords.json");
    }

    @Test
    void aBrokenTarTellsWhereAndKeepsWhatIsBefore() throws Exception {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("1.json", JSON);
        files.put("2.eml", MAIL);
        byte[] tar = tar(files);

        assertThat(told(read("a.tar", Arrays.copyOf(tar, 1024 + 512 + 700))))
                .startsWith("document 1.json")
                .anyMatch(line -> line.startsWith("broken "));
        assertThat(told(read("a.tgz", Arrays.copyOf(gzip(tar), 500)))).anyMatch(line -> line.startsWith("broken "));
    }

    @Test
    void aTarGzBombIsGivenUp() throws Exception {
        byte[] bomb = gzip(tar(Map.of("a.json", new byte[80 << 20])));

        assertThat(read("bomb.tgz", bomb).getLast())
                .isInstanceOfSatisfying(
                        ReportFiles.Found.Broken.class,
                        broken -> assertThat(broken.why()).contains("inflates"));
    }

    private static List<ReportFiles.Found> read(String name, byte[] file) throws IOException, InterruptedException {
        List<ReportFiles.Found> found = new ArrayList<>();
        ReportFiles.read(new ByteArrayInputStream(file), name, LIMITS, found::add);
        return found;
    }

    private static List<String> told(List<ReportFiles.Found> found) {
        return found.stream()
                .map(each -> switch (each) {
                            case ReportFiles.Found.Document document -> "document ";
                            case ReportFiles.Found.Mail mail -> "mail ";
                            case ReportFiles.Found.Skipped skipped -> "skipped ";
                            case ReportFiles.Found.Broken broken -> "broken ";
                        }
                        + each.name())
                .toList();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static byte[] join(byte[]... pieces) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] piece : pieces) {
            out.writeBytes(piece);
        }
        return out.toByteArray();
    }

    private static byte[] gzip(byte[] content) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(content);
        }
        return out.toByteArray();
    }

    private static byte[] zip(Map<String, byte[]> files) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                zip.putNextEntry(new ZipEntry(file.getKey()));
                zip.write(file.getValue());
            }
        }
        return out.toByteArray();
    }

    private static byte[] tar(Map<String, byte[]> files) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                TarArchiveEntry entry = new TarArchiveEntry(file.getKey());
                entry.setSize(file.getValue().length);
                tar.putArchiveEntry(entry);
                tar.write(file.getValue());
                tar.closeArchiveEntry();
            }
        }
        return out.toByteArray();
    }
}

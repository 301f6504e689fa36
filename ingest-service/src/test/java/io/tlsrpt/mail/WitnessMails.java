package io.tlsrpt.mail;

import io.tlsrpt.report.SampleReports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// One mail for each deviation that real senders, gateways or people make, by its name.
final class WitnessMails {

    static final Map<String, byte[]> ALL = new LinkedHashMap<>();

    private static final SampleReports REPORT = SampleReports.report()
            .organization("Reporter")
            .contact("tls@reporter.example")
            .day(LocalDate.of(2026, 11, 20))
            .policy("sts", "example.com", 420, 7)
            .failure("certificate-expired", "mx1.example.com", 7);
    private static final byte[] JSON = REPORT.bytes();
    private static final byte[] GZIP = REPORT.gzip();
    private static final byte[] OTHER_GZIP =
            SampleReports.report().contact("tls@reporter.example").id("other").gzip();
    private static final String HEAD =
            SampleMails.head(GZIP, "tls@reporter.example", "tlsrpt@example.com", "example.com", "reporter.example");
    private static final String TLSRPT = "multipart/report; report-type=\"tlsrpt\"";
    private static final String TEXT = SampleMails.part("Content-Type: text/plain", "This is an aggregate TLS report.");
    private static final String GZ = SampleMails.FILE + ".json.gz";
    private static final String GZ_PART = SampleMails.base64Part("application/tlsrpt+gzip", GZ, GZIP);

    private WitnessMails() {}

    static {
        put("m00", report(TLSRPT, TEXT, GZ_PART));
        put("m01", report("multipart/mixed", TEXT, GZ_PART));
        put("m02", report("multipart/report", TEXT, GZ_PART));
        put("m02-other-type", report("multipart/report; report-type=feedback-report", TEXT, GZ_PART));
        put("m03", report(TLSRPT, TEXT, SampleMails.base64Part("application/gzip", GZ, GZIP)));
        put("m04", report(TLSRPT, TEXT, SampleMails.base64Part("application/octet-stream", GZ, GZIP)));
        put("m05", report(TLSRPT, TEXT, SampleMails.base64Part("application/x-gzip", GZ, GZIP)));
        put("m06", report(TLSRPT, TEXT, SampleMails.base64Part("application/tlsrpt+json", "r.json", JSON)));
        put(
                "m07",
                report(
                        TLSRPT,
                        TEXT,
                        SampleMails.part(
                                "Content-Type: application/tlsrpt+json\r\nContent-Transfer-Encoding: 8bit",
                                latin(REPORT.prettyJson()
                                        .replace("Reporter", "Über")
                                        .getBytes(StandardCharsets.UTF_8)))));
        put("m08", report(TLSRPT, TEXT, SampleMails.base64Part("application/json", "r.json", JSON)));
        put(
                "m09",
                report(TLSRPT, TEXT, SampleMails.base64Part("application/zip", "r.zip", zip(Map.of("r.json", JSON)))));
        put(
                "m09-zip-in-zip",
                report(
                        TLSRPT,
                        TEXT,
                        SampleMails.base64Part(
                                "application/tlsrpt+gzip",
                                "r.zip",
                                zip(Map.of("inner.zip", zip(Map.of("a/r.json.gz", GZIP)))))));
        put("m10", report(TLSRPT, TEXT, SampleMails.base64Part("application/tlsrpt+gzip", GZ, JSON)));
        put("m11", report(TLSRPT, TEXT, SampleMails.base64Part("application/tlsrpt+json", GZ, GZIP)));
        put("m12", report(TLSRPT, TEXT, SampleMails.base64Part("application/tlsrpt+gzip", GZ, gzip(GZIP))));
        put(
                "m12-octet-stream",
                report(TLSRPT, TEXT, SampleMails.base64Part("application/octet-stream", GZ, gzip(GZIP))));
        put("m13", HEAD + GZ_PART);
        put(
                "m14",
                report(
                        TLSRPT,
                        SampleMails.part(
                                "Content-Type: text/html; charset=us-ascii\r\nContent-Transfer-Encoding: quoted-printable",
                                "<html><body style=3D\"margin:0\">=\r\nreport</body></html>"),
                        GZ_PART));
        put(
                "m15",
                report(
                        TLSRPT,
                        TEXT,
                        SampleMails.part(
                                "Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64",
                                SampleMails.base64(GZIP))));
        put("m16", report(TLSRPT, TEXT, GZ_PART.replace("attachment", "inline")));
        put(
                "m17",
                report(
                        "Multipart/REPORT; Report-Type=TLSRPT",
                        TEXT,
                        GZ_PART.replace("application/tlsrpt+gzip", "APPLICATION/TLSRPT+GZIP")
                                .replace("base64", "BASE64")));
        put("m18", report(TLSRPT, TEXT, GZ_PART, SampleMails.part("Content-Type: text/plain", "")));
        put(
                "m19",
                HEAD.replace("TLS-Report-", "X-")
                        + SampleMails.multipart(
                                "multipart/mixed",
                                "f1",
                                SampleMails.part("Content-Type: text/plain", "See attached."),
                                SampleMails.part("Content-Type: message/rfc822", report(TLSRPT, TEXT, GZ_PART))));
        put(
                "m19-base64",
                HEAD
                        + SampleMails.part(
                                "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64",
                                SampleMails.base64(SampleMails.bytes(report(TLSRPT, TEXT, GZ_PART)))));
        put(
                "m19-returned",
                HEAD.replace("TLS-Report-", "X-")
                        + SampleMails.multipart(
                                "multipart/report; report-type=delivery-status",
                                "f1",
                                SampleMails.part("Content-Type: text/plain", "It could not be delivered."),
                                SampleMails.part("Content-Type: message/delivery-status", "Status: 5.1.1"),
                                SampleMails.part("Content-Type: message/rfc822", report(TLSRPT, TEXT, GZ_PART))));
        put(
                "m19-replied",
                HEAD.replace("TLS-Report-", "X-")
                        + "Auto-Submitted: auto-replied (vacation)\r\n"
                        + SampleMails.multipart("multipart/mixed", "f1", TEXT, GZ_PART));
        put("m19-global", HEAD + SampleMails.part("Content-Type: message/global", report(TLSRPT, TEXT, GZ_PART)));
        put(
                "m20",
                HEAD
                        + SampleMails.multipart(
                                "multipart/mixed",
                                "f1",
                                SampleMails.multipart(TLSRPT, "b1", TEXT, GZ_PART),
                                SampleMails.part("Content-Type: text/plain", "disclaimer")));
        put(
                "m21",
                report(
                        TLSRPT,
                        TEXT,
                        SampleMails.base64Part(
                                "application/tlsrpt+gzip", GZ, SampleMails.join(GZIP, new byte[] {13, 10, 0, 0}))));
        put("m22", report(TLSRPT, TEXT, GZ_PART, SampleMails.base64Part("application/tlsrpt+gzip", GZ, OTHER_GZIP)));
        put(
                "m22-other-type",
                report(TLSRPT, TEXT, GZ_PART, SampleMails.base64Part("application/octet-stream", "2", OTHER_GZIP)));
        put("m23", report(TLSRPT, TEXT, SampleMails.base64Part("application/tlsrpt", GZ, GZIP)));
        put(
                "m24",
                report(
                        TLSRPT,
                        TEXT,
                        SampleMails.part(
                                "Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64",
                                SampleMails.base64(GZIP).replace("\r\n", ""))));
        put(
                "m25",
                report(
                        TLSRPT,
                        TEXT,
                        SampleMails.base64Part("application/tlsrpt+gzip", GZ, Arrays.copyOf(GZIP, GZIP.length - 20))));
        put(
                "m25-octet-stream",
                report(TLSRPT, TEXT, SampleMails.base64Part("application/octet-stream", GZ, Arrays.copyOf(GZIP, 30))));
        put(
                "m26",
                report(TLSRPT, TEXT, SampleMails.base64Part("application/tlsrpt+gzip", GZ, gzip(new byte[11 << 20]))));
        put(
                "m27",
                report(
                        TLSRPT,
                        TEXT,
                        SampleMails.part(
                                "Content-Type: application/octet-stream\r\nContent-Disposition: attachment;\r\n filename*0=\"reporter.example!example.com\";\r\n filename*1=\"!1795132800!1795219199.json.gz\"\r\nContent-Transfer-Encoding: base64",
                                SampleMails.base64(GZIP))));
        put(
                "m28",
                report(
                        TLSRPT,
                        TEXT,
                        SampleMails.part(
                                "Content-Type: application/tlsrpt+json\r\nContent-Transfer-Encoding: quoted-printable",
                                REPORT.prettyJson().replace("=", "=3D").replace("\n", "=0A=\r\n"))));
        put("m29", report(TLSRPT, TEXT, GZ_PART).replaceAll("TLS-Report-[^\r]+\r\n", ""));
        put(
                "m30",
                HEAD
                        + SampleMails.part(
                                "Content-Type: text/plain", REPORT.prettyJson().replace("\n", "\r\n")));
        put("m31", report(TLSRPT, TEXT, GZ_PART).replace("\r\n", "\n"));
        put("m32-boundary-missing", report(TLSRPT, TEXT, GZ_PART).replaceFirst("\r\n--b1--\r\n$", "\r\n"));
        put("m33", report(TLSRPT, TEXT, GZ_PART.replaceFirst("\r\n\r\nH4sI", "\r\n\r\n> H4\0s!I")));
        put("m33-no-padding", report(TLSRPT, TEXT, unpadded()));
        put(
                "m34-footer-in-base64",
                HEAD + GZ_PART.replaceFirst("=?=?$", "==") + "\r\n_______\r\nlist@example.com mailing list");
        put(
                "m35-empty-attachment",
                report(TLSRPT, TEXT, SampleMails.base64Part("application/tlsrpt+gzip", GZ, new byte[0])));
        put(
                "m36-prose",
                HEAD
                        + SampleMails.part(
                                "Content-Type: text/plain", "Dear postmaster,\r\n{\"policies\"} is what I ask about."));
        put("m36-json-prose", HEAD + SampleMails.part("Content-Type: text/plain", "{ \"hello\": \"world\" }"));
        put(
                "m37-dmarc",
                report(
                        "multipart/mixed",
                        TEXT,
                        SampleMails.base64Part(
                                "application/gzip",
                                "google.com!example.com!1!2.xml.gz",
                                gzip(SampleMails.bytes("<?xml version=\"1.0\"?><feedback/>")))));
        put(
                "m37-dmarc-zip",
                HEAD
                        + SampleMails.base64Part(
                                "application/zip", "a.zip", zip(Map.of("a.xml", SampleMails.bytes("<feedback/>")))));
        put(
                "m38-picture",
                report("multipart/related", TEXT, SampleMails.base64Part("image/png", "logo.png", new byte[] {
                    (byte) 0x89, 'P', 'N', 'G'
                })));
        put("m39-empty", "");
        put("m39-no-head", "\r\nhello");
        put(
                "m40-digest",
                HEAD + SampleMails.multipart("multipart/digest", "d1", "\r\n" + report(TLSRPT, TEXT, GZ_PART)));
        put(
                "m41-damaged-gzip-by-name",
                report(
                        "multipart/mixed",
                        TEXT,
                        SampleMails.base64Part("application/octet-stream", GZ, SampleMails.bytes("no gzip at all"))));
        put(
                "m42-comment-in-type",
                report(
                        TLSRPT,
                        TEXT,
                        GZ_PART.replace("application/tlsrpt+gzip;", "application/tlsrpt+gzip (a report);")));
    }

    private static void put(String name, String mail) {
        ALL.put(name, SampleMails.bytes(mail));
    }

    private static String report(String type, String... parts) {
        return HEAD + SampleMails.multipart(type, "b1", parts);
    }

    private static String latin(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /// Of a length that needs padding, which is cut off.
    private static String unpadded() {
        byte[] content = GZIP;
        for (int id = 0; content.length % 3 == 0; id++) {
            content = REPORT.id("unpadded" + id).gzip();
        }
        return SampleMails.base64Part("application/tlsrpt+gzip", GZ, content).replaceAll("=+$", "");
    }

    static byte[] gzip(byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(content);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return out.toByteArray();
    }

    static byte[] zip(Map<String, byte[]> entries) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                ZipEntry head = new ZipEntry(entry.getKey());
                head.setTime(0);
                zip.putNextEntry(head);
                zip.write(entry.getValue());
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return out.toByteArray();
    }
}

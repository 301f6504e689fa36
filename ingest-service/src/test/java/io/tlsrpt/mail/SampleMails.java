package io.tlsrpt.mail;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;

/// Builds mails for tests as senders write them: lines end in CRLF, nothing depends on the clock or on chance.
public final class SampleMails {

    /// The file name of RFC 8460 §5.1, without the addition `.json` or `.json.gz`.
    static final String FILE = "reporter.example!example.com!1795132800!1795219199!001";

    private static final Base64.Encoder MIME = Base64.getMimeEncoder();

    private SampleMails() {}

    /// A mail in the form of RFC 8460 §5.3. The Message-ID follows from the report's bytes.
    ///
    /// @param gzippedJson the attachment
    /// @param domain TLS-Report-Domain
    /// @param submitter TLS-Report-Submitter
    public static byte[] report(byte[] gzippedJson, String from, String to, String domain, String submitter) {
        return bytes(head(gzippedJson, from, to, domain, submitter)
                + multipart(
                        "multipart/report; report-type=\"tlsrpt\"",
                        "b1",
                        part("Content-Type: text/plain; charset=us-ascii", "This is an aggregate TLS report."),
                        base64Part("application/tlsrpt+gzip", FILE + ".json.gz", gzippedJson)));
    }

    /// The header fields before the MIME ones, each line with its end.
    static String head(byte[] report, String from, String to, String domain, String submitter) {
        String id = HexFormat.of().formatHex(sha256(report), 0, 12) + "@" + submitter;
        return field("From", from)
                + field("To", to)
                + field("Date", "Sat, 21 Nov 2026 10:11:12 +0000")
                + field("Message-ID", "<" + id + ">")
                + field("Subject", "Report Domain: " + domain + " Submitter: " + submitter + " Report-ID: <" + id + ">")
                + field("TLS-Report-Domain", domain)
                + field("TLS-Report-Submitter", submitter)
                + field("MIME-Version", "1.0");
    }

    static String field(String name, String body) {
        return name + ": " + body + "\r\n";
    }

    /// The Content-Type field, the empty line and the parts.
    static String multipart(String type, String boundary, String... parts) {
        StringBuilder out = new StringBuilder(field("Content-Type", type + "; boundary=\"" + boundary + "\""));
        out.append("\r\n");
        for (String part : parts) {
            out.append("--").append(boundary).append("\r\n").append(part).append("\r\n");
        }
        return out.append("--").append(boundary).append("--\r\n").toString();
    }

    /// @param fields without the last line end
    static String part(String fields, String body) {
        return fields + "\r\n\r\n" + body;
    }

    static String base64Part(String type, String name, byte[] content) {
        return part(
                "Content-Type: " + type + "; name=\"" + name + "\"\r\nContent-Disposition: attachment; filename=\""
                        + name + "\"\r\nContent-Transfer-Encoding: base64",
                base64(content));
    }

    static String base64(byte[] content) {
        return MIME.encodeToString(content);
    }

    /// One byte for each character.
    static byte[] bytes(String mail) {
        return mail.getBytes(StandardCharsets.ISO_8859_1);
    }

    static byte[] join(byte[]... pieces) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] piece : pieces) {
            out.writeBytes(piece);
        }
        return out.toByteArray();
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.report.CanaryReport;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.Locale;
import java.util.zip.GZIPOutputStream;

/// A [CanaryReport] as senders mail reports (RFC 8460 §5.3).
final class CanaryMail {

    private static final String LINE = "\r\n";
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ENGLISH);

    private CanaryMail() {}

    static byte[] of(CanaryReport report, String from, String to, Instant now) {
        String boundary = "tlsrpt-" + report.reportId();
        String domain = CanaryReport.DOMAIN;
        String file = domain + "!" + domain + "!" + now.getEpochSecond() + "!" + now.getEpochSecond() + "!"
                + report.reportId() + ".json.gz";
        String id = "<" + report.reportId() + "@" + from.substring(from.lastIndexOf('@') + 1) + ">";
        return String.join(
                        LINE,
                        "Date: " + DATE.format(now.atOffset(ZoneOffset.UTC)),
                        "From: " + from,
                        "To: " + to,
                        "Subject: Report Domain: " + domain,
                        " Submitter: " + domain,
                        " Report-ID: " + id,
                        "Message-ID: " + id,
                        "TLS-Report-Domain: " + domain,
                        "TLS-Report-Submitter: " + domain,
                        "MIME-Version: 1.0",
                        "Content-Type: multipart/report; report-type=\"tlsrpt\";",
                        " boundary=\"" + boundary + "\"",
                        "",
                        "--" + boundary,
                        "Content-Type: text/plain; charset=us-ascii",
                        "",
                        "This report was sent by tlsrpt to itself, to see that reports come through.",
                        "--" + boundary,
                        "Content-Type: application/tlsrpt+gzip",
                        "Content-Transfer-Encoding: base64",
                        "Content-Disposition: attachment;",
                        " filename=\"" + file + "\"",
                        "",
                        Base64.getMimeEncoder().encodeToString(zipped(report)),
                        "--" + boundary + "--",
                        "")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /// The document as it is posted and attached.
    static byte[] zipped(CanaryReport report) {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
            gzip.write(report.document());
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return zipped.toByteArray();
    }
}

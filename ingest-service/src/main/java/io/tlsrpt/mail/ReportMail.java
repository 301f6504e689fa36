package io.tlsrpt.mail;

import io.tlsrpt.report.Leniency;
import io.tlsrpt.report.Reading;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The reports in a mail, as its MIME tree shows them (RFC 8460 §5.3, RFC 2045 to 2049, RFC 6522).
///
/// A part of a prescribed media type is a report whatever is in it; any other part is one when its content looks like a
/// report. Subject, file names and labels decide nothing (RFC 8460 §5.6). Parts that merely claim to be a report by
/// their
/// name, or are too damaged to tell, are handed on when there is nothing better, so that they are refused for what they
/// are.
///
/// Pure and total: no I/O, no clock, and every message gives an answer. Time is linear in the message; memory is
/// bounded by the message, its decoded documents and, of zips, twice [Limits#maxDocumentBytes].
public final class ReportMail {

    private final List<Document> documents;
    private final boolean sure;
    private final Reading.@Nullable Unreadable refusal;
    private final Envelope envelope;

    private ReportMail(
            List<Document> documents, boolean sure, Reading.@Nullable Unreadable refusal, Envelope envelope) {
        this.documents = List.copyOf(documents);
        this.sure = sure;
        this.refusal = refusal;
        this.envelope = envelope;
    }

    /// What a mail may cost.
    ///
    /// @param maxParts body parts of the whole tree; the rest is not read: `too-large`
    /// @param maxDepth multiparts and mails inside each other; beyond it is `too-deep`
    /// @param maxReports documents handed on of one mail; the rest is not read: `too-large`
    /// @param maxDocumentBytes of one document after transfer decoding; of a longer one only the head is handed on
    /// @param maxHeaderBytes of one header field; a head of four times as much is `too-large`, too
    public record Limits(int maxParts, int maxDepth, int maxReports, int maxDocumentBytes, int maxHeaderBytes) {
        public static final Limits DEFAULT = new Limits(200, 20, 20, 10 * 1024 * 1024, 64 * 1024);
    }

    /// A report document of the mail.
    ///
    /// @param place where it stands, for people: `part 2 (report.json.gz)`; printable and short
    /// @param bytes transfer-decoded, still gzip if it was
    /// @param cut whether it was over the limit and these bytes are only its first 64 KiB
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    public record Document(String place, byte[] bytes, boolean cut, Set<Leniency> leniencies) {

        static final int HEAD_BYTES = 64 * 1024;

        public Document {
            leniencies = Set.copyOf(leniencies);
        }
    }

    /// What the outermost head says.
    record Envelope(
            @Nullable String messageId,
            @Nullable String reportDomain,
            @Nullable String reportSubmitter,
            @Nullable String subject) {}

    /// @param message as received, line ends CRLF or bare LF
    public static ReportMail read(byte[] message, Limits limits) {
        MimeWalk walk = new MimeWalk(message, limits);
        walk.walk();
        return new ReportMail(walk.documents(), walk.isSure(), walk.refusal(), walk.envelope());
    }

    /// In the order of the mail; empty when [#refusal] says why.
    public List<Document> documents() {
        return documents;
    }

    /// Whether the documents are reports by their media type or content, and not for want of anything better.
    public boolean isSure() {
        return sure;
    }

    /// Why there is no document; or, beside documents, why the rest of the mail was not read.
    public Optional<Reading.Unreadable> refusal() {
        return Optional.ofNullable(refusal);
    }

    /// With its angle brackets; a stranger's text, at most 998 characters.
    public Optional<String> messageId() {
        return Optional.ofNullable(envelope.messageId());
    }

    /// TLS-Report-Domain, canonical; absent when it is no domain name or stands there twice. Believe it only when it is
    /// signed.
    public Optional<String> reportDomain() {
        return Optional.ofNullable(envelope.reportDomain());
    }

    /// TLS-Report-Submitter, likewise.
    public Optional<String> reportSubmitter() {
        return Optional.ofNullable(envelope.reportSubmitter());
    }

    /// Decoded (RFC 2047); for people only, a stranger's text, at most 998 characters.
    public Optional<String> subject() {
        return Optional.ofNullable(envelope.subject());
    }
}

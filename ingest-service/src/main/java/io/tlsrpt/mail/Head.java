package io.tlsrpt.mail;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.apache.james.mime4j.codec.DecodeMonitor;
import org.apache.james.mime4j.codec.DecoderUtil;
import org.apache.james.mime4j.stream.Field;
import org.apache.james.mime4j.stream.NameValuePair;
import org.apache.james.mime4j.stream.RawBody;
import org.apache.james.mime4j.stream.RawField;
import org.apache.james.mime4j.stream.RawFieldParser;
import org.apache.james.mime4j.util.MimeParameterMapping;
import org.apache.james.mime4j.util.MimeUtil;
import org.jspecify.annotations.Nullable;

/// The header fields of one entity that concern us; of a field that stands there twice the first counts, but of the
/// TLS-Report fields then none: nobody could say which one a signature covers.
final class Head {

    private static final int MAX_TEXT = 998;
    private static final int MAX_NAME = 80;

    private long bytes;
    private @Nullable MimeParameterMapping contentType;
    private @Nullable MimeParameterMapping disposition;
    private @Nullable String messageId;
    private @Nullable String subject;
    private @Nullable String reportDomain;
    private @Nullable String reportSubmitter;
    private int reportDomains;
    private int reportSubmitters;
    private boolean automaticReply;

    void add(Field field) {
        bytes += field.getRaw() == null
                ? field.getBody().length()
                : field.getRaw().length();
        switch (field.getName().toLowerCase(Locale.ROOT)) {
            case "content-type" -> contentType = contentType == null ? parameters(field) : contentType;
            case "content-disposition" -> disposition = disposition == null ? parameters(field) : disposition;
            case "message-id" -> messageId = messageId == null ? text(field) : messageId;
            case "subject" -> subject = subject == null ? decoded(text(field)) : subject;
            case "auto-submitted" ->
                automaticReply |= text(field).toLowerCase(Locale.ROOT).startsWith("auto-replied");
            case "tls-report-domain" -> reportDomain = ++reportDomains == 1 ? text(field) : null;
            case "tls-report-submitter" -> reportSubmitter = ++reportSubmitters == 1 ? text(field) : null;
            default -> {
                // not ours
            }
        }
    }

    long bytes() {
        return bytes;
    }

    @Nullable
    String messageId() {
        return messageId;
    }

    @Nullable
    String subject() {
        return subject;
    }

    @Nullable
    String reportDomain() {
        return reportDomain;
    }

    @Nullable
    String reportSubmitter() {
        return reportSubmitter;
    }

    boolean hasReportFields() {
        return reportDomains > 0 && reportSubmitters > 0;
    }

    /// RFC 3834 §5: bounces and replies are `auto-replied`, messages of a machine's own `auto-generated`.
    boolean isAutomaticReply() {
        return automaticReply;
    }

    @Nullable
    String reportType() {
        return contentType == null ? null : trimmed(contentType.get("report-type"));
    }

    /// The name of an attachment, or an empty string.
    String fileName() {
        String name = disposition == null ? null : trimmed(disposition.get("filename"));
        if (name == null && contentType != null) {
            name = trimmed(contentType.get("name"));
        }
        return name == null ? "" : name;
    }

    /// A stranger's short text for people.
    static String shown(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().limit(MAX_NAME).forEach(c -> {
            switch (Character.getType(c)) {
                case Character.CONTROL,
                        Character.FORMAT,
                        Character.SURROGATE,
                        Character.PRIVATE_USE,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR,
                        Character.UNASSIGNED -> shown.append('?');
                default -> shown.appendCodePoint(c);
            }
        });
        return shown.toString();
    }

    private static @Nullable String trimmed(@Nullable String text) {
        return text == null || text.isBlank() ? null : text.strip();
    }

    private static MimeParameterMapping parameters(Field field) {
        RawField raw = field instanceof RawField already ? already : new RawField(field.getName(), field.getBody());
        RawBody body = RawFieldParser.DEFAULT.parseRawBody(raw);
        MimeParameterMapping parameters = new MimeParameterMapping();
        for (NameValuePair parameter : body.getParams()) {
            String name = parameter.getName().toLowerCase(Locale.ROOT);
            if (name.startsWith("name") || name.startsWith("filename") || name.equals("report-type")) {
                parameters.addParameter(name, parameter.getValue());
            }
        }
        return parameters;
    }

    private static String text(Field field) {
        String body =
                field.getBody() == null ? "" : MimeUtil.unfold(field.getBody()).strip();
        return body.length() > MAX_TEXT ? body.substring(0, MAX_TEXT) : body;
    }

    private static String decoded(String text) {
        return DecoderUtil.decodeEncodedWords(text, DecodeMonitor.SILENT, StandardCharsets.UTF_8);
    }
}

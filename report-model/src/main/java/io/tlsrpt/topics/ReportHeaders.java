package io.tlsrpt.topics;

import io.tlsrpt.report.Authentication;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/// The headers of a raw record: how the document came and what intake found out. A rejected record carries the same, as
/// far
/// as they are known, and `reason` and `detail` besides.
///
/// @param source `https`, `smtp`, `lmtp`, `imap` or `file`
/// @param receivedAt when the first byte's channel took it; dates are judged against it
/// @param remote the peer's address, or the file's name; absent when unknown
/// @param dkimDomain `d=` of the signature that verified; absent otherwise
/// @param submitter absent while the document could not be read
/// @param contentSha256 absent while the document could not be read
/// @param channelDomain the domain that the rua token, the recipient or the signed TLS-Report-Domain stands for
/// @param foreignDomains policy-domains of the document that are not ours; empty when all are
/// @param backfill true: never notifies
/// @param leniencies words of what intake tolerated in the wrapping (mail, gzip), which the document itself does not
/// show
public record ReportHeaders(
        String source,
        Instant receivedAt,
        @Nullable String remote,
        Authentication authentication,
        @Nullable String dkimDomain,
        @Nullable String submitter,
        @Nullable String contentSha256,
        @Nullable String channelDomain,
        List<String> foreignDomains,
        boolean backfill,
        @Nullable String messageId,
        @Nullable String traceparent,
        List<String> leniencies) {

    public static final String SCHEMA = "schema";
    public static final String REASON = "reason";
    public static final String DETAIL = "detail";

    /// `true`: only the first bytes were kept.
    public static final String CUT = "cut";

    /// Place in `policies` of the entry that alone was refused and kept; absent when the whole document was.
    public static final String ENTRY = "entry";

    public ReportHeaders {
        foreignDomains = List.copyOf(foreignDomains);
        leniencies = List.copyOf(leniencies);
    }

    /// Of a document whose wrapping was as it should be.
    public ReportHeaders(
            String source,
            Instant receivedAt,
            @Nullable String remote,
            Authentication authentication,
            @Nullable String dkimDomain,
            @Nullable String submitter,
            @Nullable String contentSha256,
            @Nullable String channelDomain,
            List<String> foreignDomains,
            boolean backfill,
            @Nullable String messageId,
            @Nullable String traceparent) {
        this(
                source,
                receivedAt,
                remote,
                authentication,
                dkimDomain,
                submitter,
                contentSha256,
                channelDomain,
                foreignDomains,
                backfill,
                messageId,
                traceparent,
                List.of());
    }

    /// @return new headers, `schema` first
    public Headers write(String schema) {
        Headers headers = new RecordHeaders();
        put(headers, SCHEMA, schema);
        put(headers, "source", source);
        put(headers, "received-at", receivedAt.toString());
        put(headers, "remote", remote);
        put(headers, "authentication", authentication.word());
        put(headers, "dkim-domain", dkimDomain);
        put(headers, "submitter", submitter);
        put(headers, "content-sha256", contentSha256);
        put(headers, "channel-domain", channelDomain);
        if (!foreignDomains.isEmpty()) {
            put(headers, "foreign-domains", Json.MAPPER.writeValueAsString(foreignDomains));
        }
        if (backfill) {
            put(headers, "backfill", "true");
        }
        put(headers, "message-id", messageId);
        put(headers, "traceparent", traceparent);
        if (!leniencies.isEmpty()) {
            put(headers, "leniencies", Json.MAPPER.writeValueAsString(leniencies));
        }
        return headers;
    }

    /// @throws RuntimeException when a required header is missing or malformed: the record is not one of ours
    public static ReportHeaders read(Headers headers) {
        return new ReportHeaders(
                required(headers, "source"),
                Instant.parse(required(headers, "received-at")),
                text(headers, "remote"),
                Authentication.of(required(headers, "authentication")),
                text(headers, "dkim-domain"),
                text(headers, "submitter"),
                text(headers, "content-sha256"),
                text(headers, "channel-domain"),
                texts(headers, "foreign-domains"),
                "true".equals(text(headers, "backfill")),
                text(headers, "message-id"),
                text(headers, "traceparent"),
                texts(headers, "leniencies"));
    }

    private static List<String> texts(Headers headers, String name) {
        String array = text(headers, name);
        return array == null ? List.of() : List.of(Json.MAPPER.readValue(array, String[].class));
    }

    /// The last header of that name as text; absent when there is none.
    public static @Nullable String text(Headers headers, String name) {
        Header header = headers.lastHeader(name);
        return header == null || header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    public static void put(Headers headers, String name, @Nullable String value) {
        if (value != null && !value.isEmpty()) {
            headers.add(name, value.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static String required(Headers headers, String name) {
        String value = text(headers, name);
        if (value == null) {
            throw new IllegalArgumentException("record header " + name + " is missing");
        }
        return value;
    }
}

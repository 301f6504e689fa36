package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.report.RefusalHelp;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.topics.ReportHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/// One record of the rejected topic as far as people need it: why, from whom, and how it begins.
///
/// @param id `<partition>-<offset>`: what people call it
/// @param at when it was refused
/// @param entry place in `policies` of the entry that alone was refused and kept; absent when the whole document was
/// @param cut whether only the first bytes were kept
/// @param retry a word of [RefusalHelp.Retry]: whether what was kept can be accepted another time
/// @param size bytes kept
/// @param preview the first 1,024 bytes as text; absent when they are no text
@JsonPropertyOrder({
    "id",
    "partition",
    "offset",
    "at",
    "reason",
    "detail",
    "report-key",
    "source",
    "received-at",
    "remote",
    "authentication",
    "dkim-domain",
    "submitter",
    "channel-domain",
    "message-id",
    "entry",
    "cut",
    "retry",
    "size",
    "preview"
})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
record RejectedRecord(
        String id,
        int partition,
        long offset,
        Instant at,
        @Nullable String reason,
        @Nullable String detail,
        @Nullable String reportKey,
        @Nullable String source,
        @Nullable String receivedAt,
        @Nullable String remote,
        @Nullable String authentication,
        @Nullable String dkimDomain,
        @Nullable String submitter,
        @Nullable String channelDomain,
        @Nullable String messageId,
        @Nullable String entry,
        boolean cut,
        String retry,
        int size,
        @Nullable String preview) {

    private static final int PREVIEW_BYTES = 1_024;

    static RejectedRecord of(ConsumerRecord<byte[], byte[]> rejected) {
        Headers headers = rejected.headers();
        byte[] key = rejected.key();
        byte[] value = rejected.value();
        String reason = ReportHeaders.text(headers, ReportHeaders.REASON);
        String entry = ReportHeaders.text(headers, ReportHeaders.ENTRY);
        boolean cut = ReportHeaders.text(headers, ReportHeaders.CUT) != null;
        int size = value == null ? 0 : value.length;
        return new RejectedRecord(
                rejected.partition() + "-" + rejected.offset(),
                rejected.partition(),
                rejected.offset(),
                Instant.ofEpochMilli(rejected.timestamp()),
                reason,
                ReportHeaders.text(headers, ReportHeaders.DETAIL),
                key == null ? null : new String(key, StandardCharsets.UTF_8),
                ReportHeaders.text(headers, "source"),
                ReportHeaders.text(headers, "received-at"),
                ReportHeaders.text(headers, "remote"),
                ReportHeaders.text(headers, "authentication"),
                ReportHeaders.text(headers, "dkim-domain"),
                ReportHeaders.text(headers, "submitter"),
                ReportHeaders.text(headers, "channel-domain"),
                ReportHeaders.text(headers, "message-id"),
                entry,
                cut,
                retry(reason, entry != null, key != null && key.length > 0, cut, size)
                        .word(),
                size,
                value == null ? null : preview(value));
    }

    /// @param single whether only an entry of a report was kept
    /// @param read whether the document could be read as a report
    private static RefusalHelp.Retry retry(@Nullable String word, boolean single, boolean read, boolean cut, int size) {
        RefusalReason reason = word == null ? null : RefusalReason.of(word).orElse(null);
        if (reason == null || single || size == 0 || cut) {
            return RefusalHelp.Retry.NEVER;
        }
        // its report was taken out of the signed mail, so that no signature can be verified again
        return reason == RefusalReason.DKIM_FAILED && read
                ? RefusalHelp.Retry.VOUCH
                : RefusalHelp.of(reason).retry();
    }

    private static @Nullable String preview(byte[] value) {
        int length = Math.min(value.length, PREVIEW_BYTES);
        String text = new String(value, 0, length, StandardCharsets.UTF_8);
        // compressed or otherwise binary: nothing to read
        boolean binary = text.chars().anyMatch(character -> character < ' ' && "\t\r\n".indexOf(character) < 0);
        return binary ? null : text;
    }
}

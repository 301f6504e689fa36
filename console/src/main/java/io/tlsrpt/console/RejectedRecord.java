package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.topics.ReportHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/// One record of the rejected topic as far as people need it: why, from whom, and how it begins.
///
/// @param at when it was refused
/// @param size bytes kept
/// @param preview the first 1,024 bytes as text; absent when they are no text
@JsonPropertyOrder({
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
    "submitter",
    "channel-domain",
    "message-id",
    "size",
    "preview"
})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
record RejectedRecord(
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
        @Nullable String submitter,
        @Nullable String channelDomain,
        @Nullable String messageId,
        int size,
        @Nullable String preview) {

    private static final int PREVIEW_BYTES = 1_024;

    static RejectedRecord of(ConsumerRecord<byte[], byte[]> rejected) {
        Headers headers = rejected.headers();
        byte[] key = rejected.key();
        byte[] value = rejected.value();
        return new RejectedRecord(
                rejected.partition(),
                rejected.offset(),
                Instant.ofEpochMilli(rejected.timestamp()),
                ReportHeaders.text(headers, ReportHeaders.REASON),
                ReportHeaders.text(headers, ReportHeaders.DETAIL),
                key == null ? null : new String(key, StandardCharsets.UTF_8),
                ReportHeaders.text(headers, "source"),
                ReportHeaders.text(headers, "received-at"),
                ReportHeaders.text(headers, "remote"),
                ReportHeaders.text(headers, "authentication"),
                ReportHeaders.text(headers, "submitter"),
                ReportHeaders.text(headers, "channel-domain"),
                ReportHeaders.text(headers, "message-id"),
                value == null ? 0 : value.length,
                value == null ? null : preview(value));
    }

    private static @Nullable String preview(byte[] value) {
        int length = Math.min(value.length, PREVIEW_BYTES);
        String text = new String(value, 0, length, StandardCharsets.UTF_8);
        // compressed or otherwise binary: nothing to read
        boolean binary = text.chars().anyMatch(character -> character < ' ' && "\t\r\n".indexOf(character) < 0);
        return binary ? null : text;
    }
}

package io.tlsrpt.stream;

import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.topics.EventSize;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/// What goes to the rejected topic: the bytes as they came, the raw record's headers, and why. A record that would not
/// fit the topic, which would stop us for good, is cut to its head.
///
/// @param value absent when the raw record had none
@SuppressWarnings("ArrayRecordComponent")
record Rejection(byte @Nullable [] key, byte @Nullable [] value, Headers headers) {

    private static final int MAX_DETAIL_BYTES = 500;

    /// Room for what a record needs besides key, value and headers.
    private static final int MAX_BYTES = Topics.MAX_DOCUMENT_RECORD_BYTES - 64 * 1024;

    private static final int HEAD_BYTES = 64 * 1024;
    private static final int MAX_HEADERS_OF_HEAD = 50;
    private static final int MAX_HEADER_OF_HEAD_BYTES = 1024;

    /// @param raw headers as they came; not changed
    static Rejection of(
            byte @Nullable [] key,
            byte @Nullable [] value,
            Headers raw,
            Topics topics,
            RefusalReason reason,
            String detail) {
        boolean fits = length(key) + length(value) + length(raw) <= MAX_BYTES;
        Headers headers = new RecordHeaders();
        int taken = 0;
        for (Header header : raw) {
            if (ours(header.key())) {
                continue;
            }
            if (fits || (taken < MAX_HEADERS_OF_HEAD && length(header) <= MAX_HEADER_OF_HEAD_BYTES)) {
                headers.add(header);
                taken++;
            }
        }
        ReportHeaders.put(headers, ReportHeaders.SCHEMA, topics.rejected().schema());
        ReportHeaders.put(headers, ReportHeaders.REASON, reason.word());
        ReportHeaders.put(headers, ReportHeaders.DETAIL, EventSize.cut(detail, MAX_DETAIL_BYTES));
        if (!fits) {
            ReportHeaders.put(headers, ReportHeaders.CUT, "true");
        }
        return new Rejection(fits ? key : head(key), fits ? value : head(value), headers);
    }

    private static boolean ours(String header) {
        return header.equals(ReportHeaders.SCHEMA)
                || header.equals(ReportHeaders.REASON)
                || header.equals(ReportHeaders.DETAIL)
                || header.equals(ReportHeaders.CUT);
    }

    private static byte @Nullable [] head(byte @Nullable [] bytes) {
        return bytes == null || bytes.length <= HEAD_BYTES ? bytes : Arrays.copyOf(bytes, HEAD_BYTES);
    }

    private static long length(byte @Nullable [] bytes) {
        return bytes == null ? 0 : bytes.length;
    }

    private static long length(Headers headers) {
        long sum = 0;
        for (Header header : headers) {
            sum += length(header);
        }
        return sum;
    }

    private static long length(Header header) {
        return header.key().getBytes(StandardCharsets.UTF_8).length + length(header.value()) + 8L;
    }
}

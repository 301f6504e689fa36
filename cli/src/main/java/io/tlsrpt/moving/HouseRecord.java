package io.tlsrpt.moving;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.topics.Json;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/// One line of the file: a Kafka record. Bytes that are plain text stand there as text, all others in Base64. Without a
/// value it is a tombstone.
///
/// @param topic without the prefix
/// @param timestamp milliseconds since 1970, as Kafka had it
@JsonPropertyOrder({"topic", "partition", "offset", "timestamp", "headers", "key", "key-base64", "value", "value-base64"
})
record HouseRecord(
        String topic,
        int partition,
        long offset,
        long timestamp,
        List<Item> headers,
        @Nullable String key,
        @Nullable String keyBase64,
        @Nullable String value,
        @Nullable String valueBase64) {

    /// A header; the same name may come several times.
    @JsonPropertyOrder({"name", "value", "value-base64"})
    record Item(
            String name, @Nullable String value, @Nullable String valueBase64) {}

    static HouseRecord of(String topic, ConsumerRecord<byte @Nullable [], byte @Nullable []> record) {
        List<Item> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            String text = text(header.value());
            headers.add(new Item(header.key(), text, text == null ? base64(header.value()) : null));
        }
        String key = text(record.key());
        String value = text(record.value());
        return new HouseRecord(
                topic,
                record.partition(),
                record.offset(),
                record.timestamp(),
                headers,
                key,
                key == null ? base64(record.key()) : null,
                value,
                value == null ? base64(record.value()) : null);
    }

    byte @Nullable [] keyBytes() {
        return bytes(key, keyBase64);
    }

    byte @Nullable [] valueBytes() {
        return bytes(value, valueBase64);
    }

    Headers kafkaHeaders() {
        Headers all = new RecordHeaders();
        headers.forEach(each -> all.add(new RecordHeader(each.name(), bytes(each.value(), each.valueBase64()))));
        return all;
    }

    byte[] line() {
        return Json.MAPPER.writeValueAsBytes(this);
    }

    /// Null where it would not be the same bytes again, or much longer in JSON.
    private static @Nullable String text(byte @Nullable [] bytes) {
        if (bytes == null) {
            return null;
        }
        for (byte each : bytes) {
            if (each >= 0 && each < ' ' && each != '\n' && each != '\r' && each != '\t') {
                return null;
            }
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException binary) {
            return null;
        }
    }

    private static @Nullable String base64(byte @Nullable [] bytes) {
        return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
    }

    /// @throws IllegalArgumentException when it is no Base64
    private static byte @Nullable [] bytes(@Nullable String text, @Nullable String base64) {
        if (text != null) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
        return base64 == null ? null : Base64.getDecoder().decode(base64);
    }
}

package io.tlsrpt.console;

import io.tlsrpt.topics.Json;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// Rows of an answer, each already JSON, collected until a limit is met.
final class Page {

    private final PageLimit limit;
    private final List<byte[]> rows = new ArrayList<>();
    private long bytes;
    private int scanned;
    private @Nullable String cursor;

    Page(PageLimit limit) {
        this.limit = limit;
    }

    /// What an entry of a store gives as a row.
    interface Row {

        /// @return absent when the entry was not asked for
        byte @Nullable [] of(KeyValue<Bytes, byte[]> entry);
    }

    /// A page of the entries of a range, which is closed.
    ///
    /// @param last the entry that the page before ended with; it is passed over
    static Page of(KeyValueIterator<Bytes, byte[]> range, @Nullable Bytes last, PageLimit limit, Row row) {
        Page page = new Page(limit);
        try (range) {
            while (range.hasNext()) {
                KeyValue<Bytes, byte[]> entry = range.next();
                if (entry.key.equals(last)) {
                    continue;
                }
                byte[] found = row.of(entry);
                if (found != null) {
                    page.add(found);
                }
                if (!page.look() && range.hasNext()) {
                    page.continueAt(Cursor.of(entry.key));
                    break;
                }
            }
        }
        return page;
    }

    /// The same with what somebody is shown of each row: the whole, less of it, or nothing. It may be empty then and
    /// yet not be the last.
    Page showing(Function<byte[], Optional<byte[]>> shown) {
        List<byte[]> kept = rows.stream().map(shown).flatMap(Optional::stream).toList();
        rows.clear();
        rows.addAll(kept);
        bytes = kept.stream().mapToLong(row -> row.length).sum();
        return this;
    }

    void add(byte[] row) {
        rows.add(row);
        bytes += row.length;
    }

    /// Counts an entry as looked at.
    ///
    /// @return whether another one may be
    boolean look() {
        scanned++;
        return rows.size() < limit.rows() && bytes < limit.bytes() && scanned < limit.scanned();
    }

    /// There is more: where the next page begins.
    void continueAt(String next) {
        cursor = next;
    }

    /// Whether there is no more.
    boolean complete() {
        return cursor == null;
    }

    /// Where the next page begins; absent: there is none.
    @Nullable
    String cursor() {
        return cursor;
    }

    /// Each already JSON.
    List<byte[]> rows() {
        return Collections.unmodifiableList(rows);
    }

    /// `{…head, "complete": …, "cursor": …, "rows": […]}`.
    byte[] json(Map<String, ?> head) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(1024 + (int) Math.min(bytes, Integer.MAX_VALUE / 2));
        try (JsonGenerator json = Json.MAPPER.createGenerator(out)) {
            json.writeStartObject();
            head.forEach((name, value) -> json.writePOJOProperty(name, value));
            json.writeBooleanProperty("complete", complete());
            if (cursor != null) {
                json.writeStringProperty("cursor", cursor);
            }
            json.writeArrayPropertyStart("rows");
            for (byte[] row : rows) {
                json.writeRawValue(new String(row, StandardCharsets.UTF_8));
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        return out.toByteArray();
    }
}

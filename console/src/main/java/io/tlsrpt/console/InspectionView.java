package io.tlsrpt.console;

import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.JsonSerde;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/// What each domain showed when it was last looked at. Entries: `policy-domain` → the inspection as it stands on the
/// topic, also after the topic has dropped it.
final class InspectionView implements View {

    static final String STORE = "inspections-by-domain";

    private static final Duration KEPT = Duration.ofDays(90);

    private static final JsonSerde<Inspection> INSPECTION = new JsonSerde<>(Inspection.class);

    private final Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store;

    InspectionView(Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store) {
        this.store = store;
    }

    @Override
    public List<KeyValue<Bytes, byte @Nullable []>> changes(
            ReadOnlyKeyValueStore<Bytes, byte[]> current, byte[] keyBytes, byte @Nullable [] value) {
        Bytes key = StoreKey.of(new String(keyBytes, StandardCharsets.UTF_8));
        Inspection before = INSPECTION.readOrNull(current.get(key));
        if (value != null
                && before != null
                && INSPECTION.read(value).inspectedAt().isBefore(before.inspectedAt())) {
            return List.of();
        }
        if (value != null) {
            INSPECTION.read(value);
        }
        return List.of(new KeyValue<>(key, value));
    }

    /// The latest one that the topic still keeps.
    byte @Nullable [] of(String domain, Instant now) {
        byte[] latest = store.get().get(StoreKey.of(domain));
        return latest == null
                        || INSPECTION.read(latest).inspectedAt().plus(KEPT).isBefore(now)
                ? null
                : latest;
    }
}

package io.tlsrpt.console;

import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.JsonSerde;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/// The discovered domains. Entries: `policy-domain` → the claim as it stands on the topic.
final class DomainView implements View {

    static final String STORE = "claims-by-domain";

    private static final JsonSerde<DomainClaim> CLAIM = new JsonSerde<>(DomainClaim.class);

    private final Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store;

    DomainView(Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store) {
        this.store = store;
    }

    @Override
    public List<KeyValue<Bytes, byte @Nullable []>> changes(
            ReadOnlyKeyValueStore<Bytes, byte[]> current, byte[] keyBytes, byte @Nullable [] value) {
        if (value != null) {
            CLAIM.read(value);
        }
        return List.of(new KeyValue<>(StoreKey.of(new String(keyBytes, StandardCharsets.UTF_8)), value));
    }

    /// What was discovered of the domain; absent when nothing was, or it was forgotten.
    @Nullable
    DomainClaim claim(String domain) {
        return CLAIM.readOrNull(store.get().get(StoreKey.of(domain)));
    }

    /// Whether the domain waits for somebody to accept it.
    boolean pending(String domain) {
        DomainClaim claim = claim(domain);
        return claim != null && !claim.accepted();
    }

    /// Whether it was discovered and not forgotten.
    boolean known(String domain) {
        return store.get().get(StoreKey.of(domain)) != null;
    }

    void each(Consumer<DomainClaim> each) {
        try (KeyValueIterator<Bytes, byte[]> entries = store.get().all()) {
            entries.forEachRemaining(entry -> each.accept(CLAIM.read(entry.value)));
        }
    }

    /// The first discovered domain after another one.
    Optional<String> domainAfter(String domain) {
        try (KeyValueIterator<Bytes, byte[]> entries =
                domain.isEmpty() ? store.get().all() : store.get().range(StoreKey.first(domain), null)) {
            return entries.hasNext()
                    ? Optional.of(StoreKey.parts(entries.next().key).getFirst())
                    : Optional.empty();
        }
    }
}

package io.tlsrpt.console;

import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Silence;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/// The silences. Entries: `silence-id` → the silence as it stands on the topic.
final class SilenceView implements View {

    static final String STORE = "silences-by-id";

    /// An expired one is shown so long.
    static final Duration SHOWN = Duration.ofDays(5);

    private static final int MOST = 10_000;

    private static final JsonSerde<Silence> SILENCE = new JsonSerde<>(Silence.class);

    private final Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store;

    SilenceView(Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store) {
        this.store = store;
    }

    @Override
    public List<KeyValue<Bytes, byte @Nullable []>> changes(
            ReadOnlyKeyValueStore<Bytes, byte[]> current, byte[] keyBytes, byte @Nullable [] value) {
        if (value != null) {
            SILENCE.read(value);
        }
        return List.of(new KeyValue<>(StoreKey.of(new String(keyBytes, StandardCharsets.UTF_8)), value));
    }

    @Nullable
    Silence silence(String silenceId) {
        return SILENCE.readOrNull(store.get().get(StoreKey.of(silenceId)));
    }

    /// Those that mute now, will, or did until not long ago; the one that ends last first.
    List<Silence> shown(Instant now) {
        return those(silence -> !over(silence, now));
    }

    /// Those that expired so long ago that nobody is shown them.
    List<Silence> over(Instant now) {
        return those(silence -> over(silence, now));
    }

    /// Every one that there is.
    List<Silence> all() {
        return those(silence -> true);
    }

    private static boolean over(Silence silence, Instant now) {
        return silence.endsAt().plus(SHOWN).isBefore(now);
    }

    private List<Silence> those(Predicate<Silence> wanted) {
        List<Silence> silences = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> entries = store.get().all()) {
            for (int i = 0; i < MOST && entries.hasNext(); i++) {
                Silence silence = SILENCE.read(entries.next().value);
                if (wanted.test(silence)) {
                    silences.add(silence);
                }
            }
        }
        silences.sort(Comparator.comparing(Silence::endsAt).reversed().thenComparing(Silence::silenceId));
        return silences;
    }
}

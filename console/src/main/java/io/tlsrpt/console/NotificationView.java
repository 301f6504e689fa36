package io.tlsrpt.console;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/// The latest word to each receiver. Entries: `alert-id, receiver` → the notification as it stands on the topic.
final class NotificationView implements View {

    static final String STORE = "notifications-by-alert";

    private static final int MOST_RECEIVERS = 1_000;

    private final Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store;

    NotificationView(Supplier<ReadOnlyKeyValueStore<Bytes, byte[]>> store) {
        this.store = store;
    }

    @Override
    public List<KeyValue<Bytes, byte @Nullable []>> changes(
            ReadOnlyKeyValueStore<Bytes, byte[]> current, byte[] keyBytes, byte @Nullable [] value) {
        String key = new String(keyBytes, StandardCharsets.UTF_8);
        int slash = key.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("a notification's key is <alert-id>/<receiver>");
        }
        return List.of(new KeyValue<>(StoreKey.of(key.substring(0, slash), key.substring(slash + 1)), value));
    }

    /// What each receiver was told last about an alert, by receiver.
    List<byte[]> of(String alertId) {
        List<byte[]> notifications = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> entries =
                store.get().range(StoreKey.first(alertId), StoreKey.after(alertId))) {
            while (entries.hasNext() && notifications.size() < MOST_RECEIVERS) {
                notifications.add(entries.next().value);
            }
        }
        return notifications;
    }
}

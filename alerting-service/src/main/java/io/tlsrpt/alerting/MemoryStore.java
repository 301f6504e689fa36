package io.tlsrpt.alerting;

import io.tlsrpt.topics.JsonSerde;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/// A state store in plain memory, for a [Replay]. Values that can change are copied on their way in and out, as if they
/// were written and read.
@SuppressWarnings("NullAway") // the interface of Kafka says absent by null
final class MemoryStore<V> implements KeyValueStore<String, V> {

    private static final JsonSerde<MxAlerts> MX_ALERTS = new JsonSerde<>(MxAlerts.class);
    private static final JsonSerde<Standing> STANDING = new JsonSerde<>(Standing.class);

    private final String name;
    private final NavigableMap<String, V> entries = new TreeMap<>();

    MemoryStore(String name) {
        this.name = name;
    }

    @SuppressWarnings("unchecked")
    private static <V> V copy(V value) {
        if (value instanceof MxAlerts alerts) {
            return (V) MX_ALERTS.read(MX_ALERTS.write(alerts));
        }
        if (value instanceof Standing standing) {
            return (V) STANDING.read(STANDING.write(standing));
        }
        return value;
    }

    @Override
    public V get(String key) {
        return copy(entries.get(key));
    }

    @Override
    public void put(String key, V value) {
        if (value == null) {
            entries.remove(key);
        } else {
            entries.put(key, copy(value));
        }
    }

    @Override
    public V putIfAbsent(String key, V value) {
        V known = get(key);
        if (known == null) {
            put(key, value);
        }
        return known;
    }

    @Override
    public void putAll(List<KeyValue<String, V>> many) {
        many.forEach(entry -> put(entry.key, entry.value));
    }

    @Override
    public V delete(String key) {
        return entries.remove(key);
    }

    @Override
    public KeyValueIterator<String, V> range(String from, String to) {
        NavigableMap<String, V> tail = from == null ? entries : entries.tailMap(from, true);
        return iterator(to == null ? tail : tail.headMap(to, true));
    }

    @Override
    public KeyValueIterator<String, V> all() {
        return iterator(entries);
    }

    @Override
    public <S extends Serializer<P>, P> KeyValueIterator<String, V> prefixScan(P prefix, S serializer) {
        String start = prefix.toString();
        return iterator(entries.subMap(start, true, start + Character.MAX_VALUE, true));
    }

    /// Goes on where it stands, whatever was put or deleted meanwhile.
    private KeyValueIterator<String, V> iterator(NavigableMap<String, V> some) {
        return new KeyValueIterator<>() {
            private Map.Entry<String, V> next = some.firstEntry();

            @Override
            public boolean hasNext() {
                return next != null;
            }

            @Override
            public KeyValue<String, V> next() {
                if (next == null) {
                    throw new NoSuchElementException();
                }
                KeyValue<String, V> entry = KeyValue.pair(next.getKey(), copy(next.getValue()));
                next = some.higherEntry(next.getKey());
                return entry;
            }

            @Override
            public String peekNextKey() {
                return next.getKey();
            }

            @Override
            public void close() {
                next = null;
            }
        };
    }

    @Override
    public long approximateNumEntries() {
        return entries.size();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        // nothing to restore
    }

    @Override
    public void close() {
        entries.clear();
    }

    @Override
    public boolean persistent() {
        return false;
    }

    @Override
    public boolean isOpen() {
        return true;
    }
}

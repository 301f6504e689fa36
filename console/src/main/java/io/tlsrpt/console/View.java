package io.tlsrpt.console;

import java.util.List;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;

/// One topic as a store arranged for the questions asked of it.
interface View {

    /// What a record changes, written as one batch: a crash leaves all of it or nothing, so entries derived from others
    /// (sums, indexes) always fit them, and reading a record again changes nothing.
    ///
    /// @param value absent when the record is a tombstone
    /// @return entries to put; a null value deletes
    /// @throws RuntimeException when key or value are none of ours: the record is skipped
    List<KeyValue<Bytes, byte @Nullable []>> changes(
            ReadOnlyKeyValueStore<Bytes, byte[]> store, byte[] key, byte @Nullable [] value);

    /// What a record changed is in the store now.
    ///
    /// @param key of the record
    default void written(byte[] key) {}
}

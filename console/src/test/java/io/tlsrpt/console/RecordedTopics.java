package io.tlsrpt.console;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.record.TimestampType;

/// Records that any number of consumers can read, as from a broker. Offsets may have gaps, as transactions leave them.
final class RecordedTopics {

    static final int PARTITIONS = 2;

    private static final int MAX_POLL_RECORDS = 10;

    private final Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records = new HashMap<>();

    void add(String topic, int partition, long offset, long timestamp, byte[] key, byte[] value, Headers headers) {
        records.computeIfAbsent(new TopicPartition(topic, partition), none -> new ArrayList<>())
                .add(new ConsumerRecord<>(
                        topic,
                        partition,
                        offset,
                        timestamp,
                        TimestampType.CREATE_TIME,
                        key.length,
                        value.length,
                        key,
                        value,
                        headers,
                        Optional.empty()));
    }

    MockConsumer<byte[], byte[]> consumer() {
        return new Reading();
    }

    private final class Reading extends MockConsumer<byte[], byte[]> {

        private Reading() {
            super("earliest");
        }

        @Override
        public synchronized void assign(Collection<TopicPartition> partitions) {
            super.assign(partitions);
            updateBeginningOffsets(beginningOffsets(partitions));
            updateEndOffsets(endOffsets(partitions));
        }

        @Override
        public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
            super.poll(timeout); // throws what a test has set
            Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> polled = new HashMap<>();
            for (TopicPartition partition : assignment()) {
                long position = position(partition);
                List<ConsumerRecord<byte[], byte[]>> next = of(partition).stream()
                        .filter(sent -> sent.offset() >= position)
                        .limit(MAX_POLL_RECORDS)
                        .toList();
                if (!next.isEmpty()) {
                    polled.put(partition, next);
                    seek(partition, next.getLast().offset() + 1);
                }
            }
            return new ConsumerRecords<>(polled, Map.of());
        }

        @Override
        public synchronized List<PartitionInfo> partitionsFor(String topic) {
            List<PartitionInfo> partitions = new ArrayList<>();
            for (int partition = 0; partition < PARTITIONS; partition++) {
                partitions.add(new PartitionInfo(topic, partition, null, null, null));
            }
            return partitions;
        }

        @Override
        public synchronized Map<TopicPartition, Long> beginningOffsets(Collection<TopicPartition> partitions) {
            Map<TopicPartition, Long> offsets = new HashMap<>();
            partitions.forEach(partition -> offsets.put(
                    partition,
                    of(partition).isEmpty() ? 0L : of(partition).getFirst().offset()));
            return offsets;
        }

        @Override
        public synchronized Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> partitions) {
            Map<TopicPartition, Long> offsets = new HashMap<>();
            partitions.forEach(partition -> offsets.put(
                    partition,
                    of(partition).isEmpty() ? 0L : of(partition).getLast().offset() + 1));
            return offsets;
        }

        @Override
        public synchronized Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(Map<TopicPartition, Long> times) {
            Map<TopicPartition, OffsetAndTimestamp> offsets = new HashMap<>();
            times.forEach((partition, time) -> of(partition).stream()
                    .filter(sent -> sent.timestamp() >= time)
                    .findFirst()
                    .ifPresent(
                            sent -> offsets.put(partition, new OffsetAndTimestamp(sent.offset(), sent.timestamp()))));
            return offsets;
        }

        private List<ConsumerRecord<byte[], byte[]>> of(TopicPartition partition) {
            return records.getOrDefault(partition, List.of());
        }
    }
}

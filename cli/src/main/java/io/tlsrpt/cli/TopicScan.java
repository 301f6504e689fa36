package io.tlsrpt.cli;

import io.tlsrpt.topics.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.ObjLongConsumer;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/// What of a domain lies in the topics. Of topics that are kept by key it knows the keys that live, and goes on reading
/// them until none is left; of those kept by time it knows how many records there are and when the last one came. It
/// keeps nothing of other domains, and no record.
final class TopicScan {

    private static final Duration POLL = Duration.ofMillis(300);

    private final Consumer<byte[], byte @Nullable []> consumer;
    private final WhatNames what;
    private final Map<String, Set<Bytes>> live = new LinkedHashMap<>();
    private final Map<String, Expiring> expiring = new LinkedHashMap<>();
    private final Map<TopicPartition, Long> compacted = new HashMap<>();

    /// Records of one topic that stay until their time is over.
    ///
    /// @param last when the newest of them was written; absent when there is none
    record Expiring(long records, @Nullable Instant last) {

        private static final Expiring NONE = new Expiring(0, null);

        private Expiring and(long timestamp) {
            Instant at = Instant.ofEpochMilli(timestamp);
            return new Expiring(records + 1, last == null || at.isAfter(last) ? at : last);
        }
    }

    /// @param consumer read_committed, without a group
    TopicScan(Consumer<byte[], byte @Nullable []> consumer, WhatNames what) {
        this.consumer = consumer;
        this.what = what;
    }

    /// Reads every topic from its beginning to where it ends now.
    ///
    /// @param progress hears of a topic's name and how many records of it were read
    void read(ObjLongConsumer<String> progress) {
        for (Topics.Topic topic : what.inOrder()) {
            boolean byKey = topic.cleanup().equals("compact");
            if (byKey) {
                live.put(topic.name(), new HashSet<>());
            } else {
                expiring.put(topic.name(), Expiring.NONE);
            }
            List<TopicPartition> partitions = partitions(topic.name());
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            long read = 0;
            while (ends.entrySet().stream()
                    .anyMatch(end -> consumer.position(end.getKey()) < Objects.requireNonNull(end.getValue()))) {
                for (ConsumerRecord<byte[], byte @Nullable []> record : consumer.poll(POLL)) {
                    take(record);
                    read++;
                }
                progress.accept(topic.name(), read);
            }
            if (byKey) {
                partitions.forEach(partition -> compacted.put(partition, consumer.position(partition)));
            }
        }
        consumer.assign(compacted.keySet());
        compacted.forEach(consumer::seek);
    }

    /// Reads on in the topics that are kept by key. Only after [#read].
    ///
    /// @return how many keys live that name the domain
    long follow() {
        consumer.poll(POLL).forEach(this::take);
        return live.values().stream().mapToLong(Set::size).sum();
    }

    private void take(ConsumerRecord<byte[], byte @Nullable []> record) {
        boolean names = what.names(record);
        Set<Bytes> keys = live.get(record.topic());
        if (keys == null) {
            if (names) {
                expiring.merge(
                        record.topic(),
                        Expiring.NONE.and(record.timestamp()),
                        (known, one) -> known.and(record.timestamp()));
            }
        } else if (record.key() != null && names) {
            keys.add(Bytes.wrap(record.key()));
        } else if (record.key() != null) {
            keys.remove(Bytes.wrap(record.key()));
        }
    }

    private List<TopicPartition> partitions(String topic) {
        List<TopicPartition> partitions = new ArrayList<>();
        consumer.partitionsFor(topic).forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
        if (partitions.isEmpty()) {
            throw new Failure("the broker has no topic " + Terminal.shown(topic)
                    + " – has this release of tlsrpt been started with it? is --topic-prefix right?");
        }
        return partitions;
    }

    /// By topic: how many keys live that name the domain.
    Map<String, Integer> live() {
        Map<String, Integer> counts = new LinkedHashMap<>();
        live.forEach((topic, keys) -> counts.put(topic, keys.size()));
        return counts;
    }

    /// By topic: what names the domain and only expires.
    Map<String, Expiring> expiring() {
        return expiring;
    }
}

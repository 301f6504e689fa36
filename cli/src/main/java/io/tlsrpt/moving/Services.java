package io.tlsrpt.moving;

import io.tlsrpt.topics.Topics;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;

/// What the services say of themselves on the broker: who runs, and how far they have read.
final class Services {

    private static final long TIMEOUT_SECONDS = 60;

    private final Admin admin;
    private final String prefix;

    Services(Admin admin, Topics topics) {
        this.admin = admin;
        this.prefix = topics.prefix();
    }

    /// Those that run now. Intake and console read as nobody in particular, so they are not found.
    List<String> running() {
        return List.of("stream-processor", "alerting-service", "notification-pipeline").stream()
                .filter(this::hasMembers)
                .toList();
    }

    private boolean hasMembers(String service) {
        String group = prefix + service;
        try {
            return get(admin.describeConsumerGroups(List.of(group)).all()).values().stream()
                    .anyMatch(described -> !described.members().isEmpty());
        } catch (GroupIdNotFoundException neverRan) {
            return false;
        }
    }

    /// What a service reads next; empty where it never read.
    Map<TopicPartition, Long> position(String service) {
        Map<TopicPartition, Long> positions =
                new TreeMap<>((one, other) -> one.toString().compareTo(other.toString()));
        try {
            Map<TopicPartition, OffsetAndMetadata> committed =
                    get(admin.listConsumerGroupOffsets(prefix + service).partitionsToOffsetAndMetadata());
            committed.forEach((partition, offset) -> {
                if (offset != null) {
                    positions.put(partition, offset.offset());
                }
            });
        } catch (GroupIdNotFoundException neverRan) {
            return positions;
        }
        return positions;
    }

    /// @throws MovingFault when the broker does not answer
    static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof KafkaException cause) {
                throw cause;
            }
            throw new IllegalStateException(failed.getCause());
        } catch (TimeoutException silent) {
            throw new MovingFault("the broker did not answer within " + TIMEOUT_SECONDS + " s", silent);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MovingFault("interrupted", interrupted);
        }
    }
}

package io.tlsrpt.console;

import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutionException;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Writes what people do, and returns when the broker has it for good (acks=all).
final class TopicWriter implements AutoCloseable {

    private final Supplier<? extends Producer<byte[], byte[]>> producers;
    private @Nullable Producer<byte[], byte[]> producer;

    /// @param producers makes the one that is used, at the first write
    TopicWriter(Supplier<? extends Producer<byte[], byte[]>> producers) {
        this.producers = producers;
    }

    /// @param value absent: a tombstone
    /// @param place the partition, of how many there are; absent: by the key
    /// @throws KafkaException when the broker does not acknowledge it in time; it may still come to be
    void write(Topics.Topic topic, String key, byte @Nullable [] value, @Nullable IntUnaryOperator place) {
        Producer<byte[], byte[]> writer = producer();
        Integer partition = place == null
                ? null
                : Integer.valueOf(
                        place.applyAsInt(writer.partitionsFor(topic.name()).size()));
        try {
            writer.send(new ProducerRecord<>(
                            topic.name(), partition, key.getBytes(StandardCharsets.UTF_8), value, topic.newHeaders()))
                    .get();
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof KafkaException refused ? refused : new KafkaException(failed);
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            throw new TimeoutException("stopping", stopping);
        }
    }

    private synchronized Producer<byte[], byte[]> producer() {
        Producer<byte[], byte[]> made = producer;
        if (made == null) {
            made = producers.get();
            producer = made;
        }
        return made;
    }

    @Override
    public synchronized void close() {
        if (producer != null) {
            producer.close();
        }
    }
}

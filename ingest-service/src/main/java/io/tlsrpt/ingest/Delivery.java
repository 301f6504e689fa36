package io.tlsrpt.ingest;

import io.tlsrpt.topics.RawPosition;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/// The one producer, kept from holding more than a fixed number of bytes that the broker has not acknowledged.
///
/// A record whose wait ended may still be delivered by the producer later. That makes a duplicate and nothing worse.
final class Delivery implements AutoCloseable {

    /// Documents in the producer at one time; several of the largest.
    static final int MAX_UNACKNOWLEDGED_BYTES = 64 * 1024 * 1024;

    private static final Duration CLOSING = Duration.ofSeconds(10);

    private final Supplier<? extends Producer<String, byte[]>> producers;
    private final int maxBytes;
    private final Semaphore room;
    private volatile @Nullable Producer<String, byte[]> producer;
    private boolean closed;

    /// @param producers asked once, by [#open]: Kafka makes no client while none of the brokers' names can be resolved
    Delivery(Supplier<? extends Producer<String, byte[]>> producers, int maxBytes) {
        this.producers = producers;
        this.maxBytes = maxBytes;
        this.room = new Semaphore(maxBytes);
    }

    /// From now on records go to the broker. Not before its topics are there and as they should be: a producer that
    /// names a missing topic makes most brokers create it, with one partition and settings of their own.
    ///
    /// @throws KafkaException when there can be no producer now; to be tried again
    synchronized void open() {
        if (producer == null && !closed) {
            producer = producers.get();
        }
    }

    /// Hands the record to the producer.
    ///
    /// @param record its value may be null, a tombstone
    /// @param patience how long to wait for room; the producer itself may block for its `max.block.ms` besides
    /// @return completed with the broker's acknowledgement, or with why there is none
    @SuppressWarnings("FutureReturnValueIgnored") // the callback says the same
    CompletableFuture<RawPosition> send(ProducerRecord<String, byte[]> record, Duration patience) {
        CompletableFuture<RawPosition> acknowledged = new CompletableFuture<>();
        Producer<String, byte[]> opened = producer;
        if (opened == null) {
            acknowledged.completeExceptionally(new IllegalStateException("the topics are not verified yet"));
            return acknowledged;
        }
        byte[] value = record.value();
        int bytes = Math.min(maxBytes, (value == null ? 0 : value.length) + 1024);
        try {
            if (!room.tryAcquire(bytes, patience.toNanos(), TimeUnit.NANOSECONDS)) {
                acknowledged.completeExceptionally(
                        new TimeoutException("the broker has not acknowledged " + maxBytes + " bytes"));
                return acknowledged;
            }
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            acknowledged.completeExceptionally(stopping);
            return acknowledged;
        }
        try {
            opened.send(record, (metadata, failure) -> {
                boolean first = failure == null
                        ? acknowledged.complete(new RawPosition(metadata.partition(), metadata.offset()))
                        : acknowledged.completeExceptionally(failure);
                if (first) {
                    room.release(bytes);
                }
            });
        } catch (KafkaException | IllegalStateException failure) {
            if (acknowledged.completeExceptionally(failure)) {
                room.release(bytes);
            }
        }
        return acknowledged;
    }

    int unacknowledgedBytes() {
        return maxBytes - room.availablePermits();
    }

    /// Waits a while for what is under way.
    @Override
    public synchronized void close() {
        closed = true;
        if (producer != null) {
            producer.close(CLOSING);
        }
    }
}

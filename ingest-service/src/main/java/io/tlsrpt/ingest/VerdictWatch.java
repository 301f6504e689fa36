package io.tlsrpt.ingest;

import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.Verdict;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells what the stream-processor said of a raw record: one consumer at the end of the verdicts topic, started by the
/// first who asks.
///
/// Verdicts that come before anybody asked are remembered for a while: the processor may be faster than our own
/// acknowledgement.
final class VerdictWatch implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(VerdictWatch.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration SILENCE = Duration.ofSeconds(1);
    private static final int REMEMBERED = 10_000;

    private final String topic;
    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final JsonSerde<Verdict> serde = new JsonSerde<>(Verdict.class);

    private final Map<RawPosition, CompletableFuture<Optional<Verdict>>> awaited = new HashMap<>();
    private final Map<RawPosition, Verdict> early = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<RawPosition, Verdict> eldest) {
            return size() > REMEMBERED;
        }
    };
    private @Nullable Consumer<byte[], byte[]> running;
    private @Nullable Thread thread;
    private boolean closed;
    private boolean silent;
    private long arrivals;

    VerdictWatch(String topic, Supplier<Consumer<byte[], byte[]>> consumers) {
        this.topic = topic;
        this.consumers = consumers;
    }

    /// From the return of this on, no verdict is missed.
    ///
    /// @return false when the broker cannot be reached
    synchronized boolean start() {
        if (running != null) {
            return true;
        }
        if (closed) {
            return false;
        }
        Consumer<byte[], byte[]> consumer;
        try {
            consumer = consumers.get();
        } catch (KafkaException unresolved) {
            LOG.atWarn().addKeyValue("topic", topic).setCause(unresolved).log("verdicts cannot be read");
            return false;
        }
        try {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(partition -> new TopicPartition(topic, partition.partition()))
                    .toList();
            if (partitions.isEmpty()) {
                throw new KafkaException("the topic " + topic + " does not exist");
            }
            consumer.assign(partitions);
            consumer.seekToEnd(partitions);
            partitions.forEach(consumer::position);
        } catch (KafkaException away) {
            LOG.atWarn().addKeyValue("topic", topic).setCause(away).log("verdicts cannot be read");
            consumer.close(CloseOptions.timeout(Duration.ZERO));
            return false;
        }
        running = consumer;
        thread = Thread.ofPlatform().name("verdict-watch").daemon().start(() -> run(consumer));
        return true;
    }

    /// The verdict of a raw record that this process wrote after [#start].
    ///
    /// @param patience how long to wait for it; a second only, once a whole such time passed without any verdict, until
    /// one
    /// comes again: a processor that is not running must not hold up every single report
    /// @return completed with nothing when it did not come in time
    CompletableFuture<Optional<Verdict>> of(RawPosition position, Duration patience) {
        CompletableFuture<Optional<Verdict>> waiting;
        long seen;
        Duration atMost;
        synchronized (this) {
            Verdict known = early.remove(position);
            if (known != null) {
                return CompletableFuture.completedFuture(Optional.of(known));
            }
            waiting = awaited.computeIfAbsent(position, unknown -> new CompletableFuture<>());
            seen = arrivals;
            atMost = silent ? SILENCE : patience;
        }
        waiting.completeOnTimeout(Optional.empty(), atMost.toMillis(), TimeUnit.MILLISECONDS);
        return waiting.thenApply(verdict -> {
            if (verdict.isEmpty()) {
                gaveUp(position, seen);
            }
            return verdict;
        });
    }

    private synchronized void gaveUp(RawPosition position, long seen) {
        awaited.remove(position);
        silent = silent || arrivals == seen;
    }

    private void run(Consumer<byte[], byte[]> consumer) {
        try (consumer) {
            while (true) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    arrived(record);
                }
            }
        } catch (WakeupException closing) {
            LOG.atDebug().log("no more verdicts are read");
        } catch (KafkaException broken) {
            LOG.atError().setCause(broken).log("verdicts cannot be read any more; the next import starts again");
        } finally {
            synchronized (this) {
                running = null;
            }
        }
    }

    private void arrived(ConsumerRecord<byte[], byte[]> record) {
        Verdict verdict;
        try {
            verdict = serde.readOrNull(record.value());
            if (verdict == null) {
                throw new SerializationException("a tombstone");
            }
        } catch (SerializationException notOurs) {
            LOG.atWarn()
                    .addKeyValue("partition", record.partition())
                    .addKeyValue("offset", record.offset())
                    .setCause(notOurs)
                    .log("a record of the verdicts topic is no verdict");
            return;
        }
        CompletableFuture<Optional<Verdict>> waiting;
        synchronized (this) {
            arrivals++;
            silent = false;
            waiting = awaited.remove(verdict.raw());
            if (waiting == null) {
                early.put(verdict.raw(), verdict);
            }
        }
        if (waiting != null) {
            waiting.complete(Optional.of(verdict));
        }
    }

    @Override
    public void close() {
        Thread reader;
        synchronized (this) {
            closed = true;
            reader = thread;
            if (running != null) {
                running.wakeup();
            }
        }
        if (reader != null) {
            try {
                reader.join(Duration.ofSeconds(5));
            } catch (InterruptedException hurried) {
                Thread.currentThread().interrupt();
            }
        }
    }
}

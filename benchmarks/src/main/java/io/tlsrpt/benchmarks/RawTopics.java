package io.tlsrpt.benchmarks;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/// The raw topic, twins of it that nobody reads, and what a bare producer writes to them in a second.
final class RawTopics implements AutoCloseable {

    static final int UNBOUNDED = Integer.MAX_VALUE;

    private static final String FLUSH = "flush.messages";
    private static final String SCHEMA = "tlsrpt.report-document/1";
    private static final Duration TIMEOUT = Duration.ofMinutes(1);

    private final Admin admin;
    private final Properties producer;
    private final String raw;

    /// @param producer the properties that intake's producer has
    /// @param raw name of the raw topic, which exists
    RawTopics(Properties admin, Properties producer, String raw) {
        this.admin = Admin.create(admin);
        this.producer = producer;
        this.raw = raw;
    }

    /// A new topic with the partitions and settings of the raw topic.
    void createTwin(String name) {
        Map<String, String> settings = new HashMap<>();
        get(admin.describeConfigs(List.of(resource(raw))).values().get(resource(raw)))
                .entries()
                .forEach(entry -> {
                    if (entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG) {
                        settings.put(entry.name(), entry.value());
                    }
                });
        int partitions = get(admin.describeTopics(List.of(raw))
                        .topicNameValues()
                        .get(raw))
                .partitions()
                .size();
        get(admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(settings)))
                .all());
        awaitLeaders(name, partitions);
    }

    /// A topic is created before the broker leads its partitions, and a producer's first batch that is refused while
    /// its
    /// second is taken is out of order for ever.
    private void awaitLeaders(String name, int partitions) {
        Map<TopicPartition, OffsetSpec> partitionEnds = new HashMap<>();
        for (int i = 0; i < partitions; i++) {
            partitionEnds.put(new TopicPartition(name, i), OffsetSpec.latest());
        }
        Stopwatch watch = Stopwatch.start();
        while (true) {
            try {
                get(admin.listOffsets(partitionEnds).all());
                return;
            } catch (UnknownTopicOrPartitionException notYet) {
                if (watch.seconds() > TIMEOUT.toSeconds()) {
                    throw notYet;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            }
        }
    }

    /// Sets the raw topic and its twins to flush each batch before it is acknowledged, or to leave that to the
    /// operating system.
    void flush(boolean each, String... twins) {
        AlterConfigOp change = new AlterConfigOp(
                new ConfigEntry(FLUSH, each ? "1" : Long.toString(Long.MAX_VALUE)), AlterConfigOp.OpType.SET);
        Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
        changes.put(resource(raw), List.of(change));
        for (String twin : twins) {
            changes.put(resource(twin), List.of(change));
        }
        get(admin.incrementalAlterConfigs(changes).all());
    }

    /// Writes all documents and returns reports per second until the last acknowledgement.
    ///
    /// @param underWay records that may wait for their acknowledgement at a time
    double produce(String topic, List<Document> documents, int underWay) {
        AtomicReference<Exception> failure = new AtomicReference<>();
        Semaphore room = new Semaphore(underWay);
        try (KafkaProducer<String, byte[]> client =
                new KafkaProducer<>(producer, new StringSerializer(), new ByteArraySerializer())) {
            client.partitionsFor(topic);
            Stopwatch watch = Stopwatch.start();
            for (Document document : documents) {
                room.acquire();
                var unused = client.send(document.record(topic, SCHEMA), (metadata, failed) -> {
                    room.release();
                    if (failed != null) {
                        failure.set(failed);
                    }
                });
            }
            room.acquire(underWay);
            double perSecond = watch.perSecond(documents.size());
            if (failure.get() != null) {
                throw new IllegalStateException("a record was not acknowledged", failure.get());
            }
            return perSecond;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    @Override
    public void close() {
        admin.close();
    }

    private static ConfigResource resource(String topic) {
        return new ConfigResource(ConfigResource.Type.TOPIC, topic);
    }

    private static <T> T get(@Nullable KafkaFuture<T> answer) {
        KafkaFuture<T> future = Objects.requireNonNull(answer);
        try {
            return future.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(failed);
        } catch (TimeoutException failed) {
            throw new IllegalStateException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }
}

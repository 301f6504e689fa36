package io.tlsrpt.ingest;

import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The discovered domains: the topic `tlsrpt.domains`, held whole and followed on a thread of its own, and the only
/// writer of it.
final class DomainClaims implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DomainClaims.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration AGAIN = Duration.ofSeconds(5);
    private static final Duration ACKNOWLEDGED = Duration.ofSeconds(5);

    /// What our own write is taken for until the broker says where it lies.
    private static final long UNWRITTEN = -1;

    private final Topics.Topic topic;
    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final Delivery delivery;
    private final JsonSerde<DomainClaim> serde = new JsonSerde<>(DomainClaim.class);

    private final CountDownLatch whole = new CountDownLatch(1);
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread =
            Thread.ofPlatform().daemon().name("domain-claims").unstarted(this::follow);

    /// Apart from the lock of people's changes, which wait for the broker.
    private final Object discovering = new Object();

    private volatile Map<String, Known> known = new ConcurrentHashMap<>();
    private volatile @Nullable Consumer<byte[], byte[]> running;

    /// A claim where it lies in its partition; a later one of the same domain has a higher offset.
    ///
    /// @param claim absent when it was taken back
    private record Known(@Nullable DomainClaim claim, long offset) {

        Known orLater(Known other) {
            return other.offset > offset ? other : this;
        }
    }

    /// The broker did not acknowledge a change in time; it may still happen.
    static final class Unacknowledged extends Exception {
        private static final long serialVersionUID = 1;

        Unacknowledged(Throwable cause) {
            super("the broker cannot be reached", cause);
        }
    }

    DomainClaims(Topics.Topic topic, Supplier<Consumer<byte[], byte[]>> consumers, Delivery delivery) {
        this.topic = topic;
        this.consumers = consumers;
        this.delivery = delivery;
    }

    /// Begins to read. Not before the topic exists.
    void start() {
        thread.start();
    }

    /// Waits until the whole topic was read once.
    ///
    /// @return false when it was not in time
    boolean awaitWhole(Duration patience) throws InterruptedException {
        return whole.await(patience.toNanos(), TimeUnit.NANOSECONDS);
    }

    @Nullable
    DomainClaim of(String domain) {
        Known entry = known.get(domain);
        return entry == null ? null : entry.claim();
    }

    int count(String state) {
        return (int) known.values().stream()
                .filter(entry -> entry.claim() != null && entry.claim().state().equals(state))
                .count();
    }

    /// Makes an unknown domain pending. Known here at once; on the topic soon, or, when the broker does not take it, at
    /// the next report.
    ///
    /// @return false when as many are pending as may be
    @SuppressWarnings("FutureReturnValueIgnored") // what failed is forgotten below
    boolean discover(DomainClaim claim, int most) {
        String domain = claim.policyDomain();
        Known unwritten = new Known(claim, UNWRITTEN);
        synchronized (discovering) {
            DomainClaim before = of(domain);
            if (before != null) {
                return true;
            }
            if (count(DomainClaim.PENDING) >= most) {
                return false;
            }
            known.put(domain, unwritten);
        }
        LOG.atInfo()
                .addKeyValue("domain", Untrusted.shown(domain))
                .addKeyValue("rua", claim.rua())
                .log("a domain was discovered and is pending");
        send(domain, claim).whenComplete((position, failure) -> {
            if (failure != null) {
                known.remove(domain, unwritten);
                LOG.atWarn()
                        .addKeyValue("domain", Untrusted.shown(domain))
                        .setCause(failure)
                        .log("a pending domain could not be written");
            }
        });
        return true;
    }

    /// Makes a pending domain ours.
    ///
    /// @return empty when it is neither pending nor accepted
    synchronized Optional<DomainClaim> accept(String domain, Instant now) throws Unacknowledged, InterruptedException {
        DomainClaim before = of(domain);
        if (before == null || before.accepted()) {
            return Optional.ofNullable(before);
        }
        DomainClaim accepted = before.accept(now);
        write(domain, accepted);
        return Optional.of(accepted);
    }

    /// Takes a claim back.
    ///
    /// @return what it was; empty when there was none
    synchronized Optional<DomainClaim> forget(String domain) throws Unacknowledged, InterruptedException {
        DomainClaim before = of(domain);
        if (before != null) {
            write(domain, null);
        }
        return Optional.ofNullable(before);
    }

    /// The record of a domain does not list us any more: forgotten while pending. An accepted one stays.
    synchronized void withdraw(String domain) {
        DomainClaim before = of(domain);
        if (before == null || before.accepted()) {
            return;
        }
        try {
            write(domain, null);
            LOG.atInfo()
                    .addKeyValue("domain", Untrusted.shown(domain))
                    .log("a pending domain is forgotten: its record does not list us any more");
        } catch (Unacknowledged away) {
            LOG.atWarn()
                    .addKeyValue("domain", Untrusted.shown(domain))
                    .setCause(away)
                    .log("a pending domain could not be forgotten");
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
    }

    private void write(String domain, @Nullable DomainClaim claim) throws Unacknowledged, InterruptedException {
        try {
            RawPosition position = send(domain, claim).get(ACKNOWLEDGED.toMillis(), TimeUnit.MILLISECONDS);
            known.merge(domain, new Known(claim, position.offset()), Known::orLater);
        } catch (ExecutionException | TimeoutException away) {
            throw new Unacknowledged(away);
        }
    }

    @SuppressWarnings("NullAway") // Kafka's own null: a tombstone
    private CompletableFuture<RawPosition> send(String domain, @Nullable DomainClaim claim) {
        return delivery.send(
                new ProducerRecord<>(
                        topic.name(), null, domain, claim == null ? null : serde.write(claim), topic.newHeaders()),
                ACKNOWLEDGED);
    }

    private void follow() {
        try {
            while (closing.getCount() > 0) {
                try (Consumer<byte[], byte[]> consumer = consumers.get()) {
                    running = consumer;
                    if (closing.getCount() > 0) {
                        read(consumer);
                    }
                } catch (WakeupException stopping) {
                    LOG.atDebug().log("discovered domains are read no more");
                } catch (KafkaException broken) {
                    LOG.atError().setCause(broken).log("discovered domains cannot be read; trying again");
                }
                if (closing.await(AGAIN.toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
    }

    /// Reads from the beginning into a new map, which takes the place of the old one once it is whole, and goes on.
    private void read(Consumer<byte[], byte[]> consumer) {
        List<TopicPartition> partitions = consumer.partitionsFor(topic.name()).stream()
                .map(partition -> new TopicPartition(topic.name(), partition.partition()))
                .toList();
        if (partitions.isEmpty()) {
            throw new KafkaException("the topic " + topic.name() + " does not exist");
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        Map<String, Known> fresh = new ConcurrentHashMap<>();
        boolean complete = false;
        while (closing.getCount() > 0) {
            if (!complete
                    && ends.entrySet().stream()
                            .allMatch(
                                    end -> consumer.position(end.getKey()) >= Objects.requireNonNull(end.getValue()))) {
                complete = true;
                known = fresh;
                whole.countDown();
                LOG.atInfo()
                        .addKeyValue("pending", count(DomainClaim.PENDING))
                        .addKeyValue("accepted", count(DomainClaim.ACCEPTED))
                        .log("discovered domains read");
            }
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                arrived(record, fresh);
            }
        }
    }

    private void arrived(ConsumerRecord<byte @Nullable [], byte @Nullable []> record, Map<String, Known> into) {
        try {
            if (record.key() == null) {
                throw new SerializationException("without a key");
            }
            String domain = new String(record.key(), StandardCharsets.UTF_8);
            Known entry = new Known(serde.readOrNull(record.value()), record.offset());
            Known latest = into.merge(domain, entry, Known::orLater);
            if (latest.claim() == null && latest.offset() <= record.offset()) {
                into.remove(domain, latest);
            }
        } catch (SerializationException notOurs) {
            LOG.atWarn()
                    .addKeyValue("partition", record.partition())
                    .addKeyValue("offset", record.offset())
                    .setCause(notOurs)
                    .log("a record of the domains topic is no claim");
        }
    }

    @Override
    public void close() {
        closing.countDown();
        Consumer<byte[], byte[]> reading = running;
        if (reading != null) {
            reading.wakeup();
        }
        try {
            if (thread.isAlive()) {
                thread.join(Duration.ofSeconds(5));
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }
}

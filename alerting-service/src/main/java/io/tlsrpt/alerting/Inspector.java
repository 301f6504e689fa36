package io.tlsrpt.alerting;

import io.micrometer.core.instrument.Counter;
import io.tlsrpt.inspection.DomainInspection;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Topics;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Looks at our domains as they are now, when an alert opens and as a watch, and writes what it saw to
/// `tlsrpt.inspections`; detection takes it from there. Side effects stay out of the topology.
///
/// Only domains of ours are ever looked at: configured by name or by `*.`, or discovered and accepted. What a stranger
/// reports about anything else makes us connect to nobody. A group divides the partitions of `tlsrpt.alerts` among the
/// instances, and with them the domains, so that each is watched by one. Nothing is remembered but what the topic
/// itself
/// holds: after a start a domain is looked at when its last look there is old enough.
///
/// `tlsrpt.inspector.inspections{outcome}`: started = written + failed.
final class Inspector implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration AGAIN_FOR_ALERTS = Duration.ofMinutes(10);
    private static final Duration NEWS = Duration.ofHours(1);
    private static final Duration RESTART = Duration.ofSeconds(10);
    private static final Duration PLAN = Duration.ofSeconds(15);

    /// A process that dies and starts again and again shall not look each time.
    private static final Duration FIRST_PLAN = Duration.ofMinutes(2);

    private static final int AT_A_TIME = 4;
    private static final int MOST_WAITING = 1_000;

    private static final Logger LOG = LoggerFactory.getLogger(Inspector.class);
    private static final JsonSerde<Alert> ALERT = new JsonSerde<>(Alert.class);
    private static final JsonSerde<Inspection> INSPECTION = new JsonSerde<>(Inspection.class);
    private static final JsonSerde<DomainClaim> CLAIM = new JsonSerde<>(DomainClaim.class);

    private final Surroundings surroundings;
    private final Topics topics;
    private final KafkaSettings kafka;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Semaphore room = new Semaphore(AT_A_TIME);
    private final Set<String> underWay = ConcurrentHashMap.newKeySet();
    private final Map<String, Instant> last = new ConcurrentHashMap<>();
    private final Map<String, Boolean> accepted = new HashMap<>();
    private final Set<Integer> owned = new HashSet<>();
    private final Map<String, String> wanted = new HashMap<>();
    private final Counter written;
    private final Counter failed;
    private @Nullable DomainInspection inspection;
    private AlertingSettings.@Nullable Inspection madeFrom;
    private Instant planAt;
    private int partitions;
    private @Nullable Thread thread;

    Inspector(Surroundings surroundings) {
        this.surroundings = surroundings;
        Settings settings = surroundings.settings();
        this.topics = new Topics(settings.topicPrefix(), settings.retention());
        this.kafka = new KafkaSettings(settings);
        this.planAt = surroundings.clock().instant().plus(FIRST_PLAN);
        this.written = surroundings.meters().counter("tlsrpt.inspector.inspections", "outcome", "written");
        this.failed = surroundings.meters().counter("tlsrpt.inspector.inspections", "outcome", "failed");
    }

    void start() {
        thread = Thread.ofPlatform().name("inspector").start(this::run);
    }

    @Override
    public void close() {
        closing.countDown();
        Thread running = thread;
        if (running != null) {
            try {
                running.join(Duration.ofSeconds(10));
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void run() {
        while (closing.getCount() > 0) {
            try (KafkaConsumer<String, byte[]> alerts = alertsConsumer();
                    KafkaConsumer<String, byte[]> known = knownConsumer();
                    KafkaProducer<String, byte[]> producer = new KafkaProducer<>(
                            kafka.producer(id()), new StringSerializer(), new ByteArraySerializer());
                    ExecutorService looks = Executors.newVirtualThreadPerTaskExecutor()) {
                try {
                    readKnown(known);
                    while (closing.getCount() > 0) {
                        known.poll(Duration.ZERO).forEach(this::known);
                        alerts.poll(POLL).forEach(this::alerted);
                        alerts.commitAsync();
                        lookAtWhatIsDue(looks, producer);
                    }
                } finally {
                    looks.shutdownNow(); // a look under way must not hold up the end
                }
            } catch (RuntimeException broken) {
                if (closing.getCount() > 0) {
                    LOG.atWarn().setCause(broken).log("live inspection broke and starts anew");
                    pause();
                }
            }
        }
    }

    private void pause() {
        try {
            if (closing.await(RESTART.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.atDebug().log("closed while waiting to start anew");
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            closing.countDown();
        }
    }

    private String id() {
        return surroundings.settings().topicPrefix() + "inspector";
    }

    private KafkaConsumer<String, byte[]> alertsConsumer() {
        KafkaConsumer<String, byte[]> consumer = new KafkaConsumer<>(
                kafka.consumer(id(), Map.of("group.id", id(), "auto.offset.reset", "latest")),
                new StringDeserializer(),
                new ByteArrayDeserializer());
        owned.clear();
        consumer.subscribe(List.of(topics.alerts().name()), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> gone) {
                gone.forEach(each -> owned.remove(each.partition()));
            }

            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
                assigned.forEach(each -> owned.add(each.partition()));
            }
        });
        return consumer;
    }

    /// Discovered domains whole, and inspections as far back as they say that none is due.
    private KafkaConsumer<String, byte[]> knownConsumer() {
        Properties properties = kafka.consumer(id() + "-memory", Map.of());
        KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(properties, new StringDeserializer(), new ByteArrayDeserializer());
        List<TopicPartition> domains = partitions(consumer, topics.domains().name());
        List<TopicPartition> inspections =
                partitions(consumer, topics.inspections().name());
        partitions = inspections.size();
        List<TopicPartition> all = new ArrayList<>(domains);
        all.addAll(inspections);
        consumer.assign(all);
        consumer.seekToBeginning(domains);
        long since = surroundings
                .clock()
                .instant()
                .minus(surroundings.current().get().alerting().inspection().every())
                .toEpochMilli();
        Map<TopicPartition, Long> times = new HashMap<>();
        inspections.forEach(each -> times.put(each, since));
        Map<TopicPartition, @Nullable OffsetAndTimestamp> found = consumer.offsetsForTimes(times);
        for (TopicPartition each : inspections) {
            OffsetAndTimestamp at = found.get(each);
            if (at == null) {
                consumer.seekToEnd(List.of(each));
            } else {
                consumer.seek(each, at.offset());
            }
        }
        return consumer;
    }

    private static List<TopicPartition> partitions(KafkaConsumer<?, ?> consumer, String topic) {
        return consumer.partitionsFor(topic).stream()
                .map(each -> new TopicPartition(topic, each.partition()))
                .toList();
    }

    private void readKnown(KafkaConsumer<String, byte[]> consumer) {
        Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment());
        while (closing.getCount() > 0
                && ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
            consumer.poll(POLL).forEach(this::known);
        }
    }

    private void known(ConsumerRecord<String, byte[]> record) {
        try {
            if (record.topic().equals(topics.domains().name())) {
                DomainClaim claim = record.value() == null ? null : CLAIM.read(record.value());
                if (claim == null || !claim.accepted()) {
                    accepted.remove(record.key());
                } else {
                    accepted.put(record.key(), true);
                }
            } else if (record.value() != null) {
                Inspection seen = INSPECTION.read(record.value());
                last.merge(seen.policyDomain(), seen.inspectedAt(), (one, other) -> one.isAfter(other) ? one : other);
            }
        } catch (SerializationException notOurs) {
            LOG.atWarn()
                    .addKeyValue("topic", record.topic())
                    .addKeyValue("partition", record.partition())
                    .addKeyValue("offset", record.offset())
                    .log("record skipped");
        }
    }

    /// An alert that opens or comes back: what does its server show now?
    private void alerted(ConsumerRecord<String, byte[]> record) {
        Alert alert;
        try {
            alert = record.value() == null ? null : ALERT.read(record.value());
        } catch (SerializationException notOurs) {
            return; // the notification pipeline reads the same and says so
        }
        Instant now = surroundings.clock().instant();
        if (alert == null
                || !alert.firing()
                || alert.transition() != 1
                || alert.updatedAt().isBefore(now.minus(NEWS))) {
            return;
        }
        Rule rule = Rule.ofWord(alert.rule());
        if (rule == null || rule.bench() != Rule.Bench.MX) {
            return;
        }
        List<String> candidates = new ArrayList<>();
        if (alert.policyDomain() != null) {
            candidates.add(alert.policyDomain());
        }
        candidates.addAll(Objects.requireNonNullElse(alert.evidence().affectedDomains(), List.of()));
        candidates.stream().filter(this::isOurs).findFirst().ifPresent(domain -> want(domain, Inspection.ALERT));
    }

    private void want(String domain, String trigger) {
        if (wanted.size() < MOST_WAITING) {
            wanted.merge(domain, trigger, (one, other) -> one.equals(Inspection.ALERT) ? one : other);
        }
    }

    private boolean isOurs(String domain) {
        return accepted.containsKey(domain)
                || surroundings.current().get().domains().stream().anyMatch(each -> each.matches(domain));
    }

    private void lookAtWhatIsDue(ExecutorService looks, KafkaProducer<String, byte[]> producer) {
        AlertingSettings.Inspection settings =
                surroundings.current().get().alerting().inspection();
        if (!settings.enabled()) {
            wanted.clear();
            return;
        }
        Instant now = surroundings.clock().instant();
        if (!now.isBefore(planAt)) {
            planAt = now.plus(PLAN);
            plan(settings, now);
        }
        DomainInspection eye = eye(settings);
        if (eye == null) {
            return;
        }
        for (Map.Entry<String, String> want : List.copyOf(wanted.entrySet())) {
            String domain = want.getKey();
            boolean again = want.getValue().equals(Inspection.ALERT)
                    && last.getOrDefault(domain, Instant.EPOCH)
                            .plus(AGAIN_FOR_ALERTS)
                            .isAfter(now);
            if (again || underWay.contains(domain)) {
                // it has just been seen, or is being looked at
                wanted.remove(domain);
            } else if (room.tryAcquire()) {
                wanted.remove(domain);
                underWay.add(domain);
                looks.execute(() -> look(eye, domain, want.getValue(), producer));
            }
        }
    }

    /// Domains by name; what `*.` stands for nobody knows.
    private void plan(AlertingSettings.Inspection settings, Instant now) {
        Set<String> domains = new HashSet<>(accepted.keySet());
        surroundings.current().get().domains().stream()
                .map(Settings.Domain::name)
                .filter(name -> !name.startsWith("*."))
                .forEach(domains::add);
        for (String domain : domains) {
            boolean ours = owned.contains(Topics.partition(domain, partitions));
            if (ours
                    && !last.getOrDefault(domain, Instant.EPOCH)
                            .plus(settings.every())
                            .isAfter(now)) {
                want(domain, Inspection.WATCH);
            }
        }
    }

    private void look(DomainInspection eye, String domain, String trigger, KafkaProducer<String, byte[]> producer) {
        try {
            Inspection seen = eye.inspect(domain, trigger);
            last.put(domain, seen.inspectedAt());
            ProducerRecord<String, byte[]> record = new ProducerRecord<>(
                    topics.inspections().name(),
                    Topics.partition(domain, partitions),
                    domain,
                    INSPECTION.write(seen),
                    topics.inspections().newHeaders());
            producer.send(record).get();
            written.increment();
            LOG.atInfo()
                    .addKeyValue("domain", domain)
                    .addKeyValue("trigger", trigger)
                    .addKeyValue("port25", seen.port25())
                    .log("looked at a domain");
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | java.util.concurrent.ExecutionException notSeen) {
            failed.increment();
            last.put(domain, surroundings.clock().instant()); // not at once again
            LOG.atWarn().setCause(notSeen).addKeyValue("domain", domain).log("a domain could not be looked at");
        } finally {
            underWay.remove(domain);
            room.release();
        }
    }

    /// Made anew when the settings change; null while they cannot be used.
    private @Nullable DomainInspection eye(AlertingSettings.Inspection settings) {
        if (settings.equals(madeFrom)) {
            return inspection;
        }
        madeFrom = settings;
        inspection = null;
        Settings all = surroundings.current().get();
        try {
            inspection = new DomainInspection(
                    new DomainInspection.Options(
                            all.dns().servers().stream().map(Inspector::address).toList(),
                            all.dns().timeout(),
                            heloName(settings),
                            settings.allowPrivateAddresses(),
                            settings.smtpPort(),
                            settings.httpsPort(),
                            settings.timeout(),
                            settings.connections(),
                            settings.caFile(),
                            settings.trustAnchors()),
                    surroundings.clock());
        } catch (RuntimeException unusable) {
            LOG.atError().setCause(unusable).log("live inspection is off until alerting.inspection is corrected");
        }
        return inspection;
    }

    private static InetSocketAddress address(HostPort server) {
        return new InetSocketAddress(server.host(), server.port());
    }

    private static String heloName(AlertingSettings.Inspection settings) {
        String given = settings.heloName();
        if (given != null) {
            return given;
        }
        try {
            return InetAddress.getLocalHost().getCanonicalHostName();
        } catch (UnknownHostException nameless) {
            return "localhost";
        }
    }
}

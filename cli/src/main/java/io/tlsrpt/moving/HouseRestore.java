package io.tlsrpt.moving;

import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertAction;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Notification;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/// Puts what an export wrote into another Kafka, however many partitions and copies that has. Everything else is made
/// anew there by the services, and nobody is told again what the old house has told.
///
/// Kafka's timestamps are arrival times and move along, on raw and rejected too, where otherwise the broker sets them:
/// these two take the given ones while this runs. A service does not start on topics that a restore has left so.
public final class HouseRestore {

    private static final String TIMESTAMPS = "message.timestamp.type";
    private static final String BROKERS_CLOCK = "LogAppendTime";
    private static final String GIVEN = "CreateTime";

    /// What of the refused the processor refuses again when it reads the raw topic.
    private static final Set<String> BY_PROCESSOR = Set.of("conflicting-duplicate", "no-policy-domain", "internal");

    /// By so much may the clock of the old house have been ahead.
    private static final Duration AHEAD = Duration.ofHours(1);

    private static final Duration CLOSE = Duration.ofSeconds(30);

    private final Settings settings;
    private final Topics topics;
    private final Clock clock;
    private final Consumer<String> says;

    /// @param settings of the house that moves in; the broker is named there
    /// @param says takes what is to be said meanwhile, a line each
    public HouseRestore(Settings settings, Clock clock, Consumer<String> says) {
        this.settings = settings;
        this.topics = new Topics(settings.topicPrefix(), settings.retention());
        this.clock = clock;
        this.says = says;
    }

    /// What was written.
    ///
    /// @param records by topic, without the prefix
    /// @param madeAnew refused documents that were left out, because the stream-processor refuses them again
    public record Restored(Map<String, Long> records, long madeAnew) {}

    /// Reads the file twice: nothing is written before all of it was found sound.
    ///
    /// @param intoNonEmpty whether the topics may have records already
    /// @throws MovingFault when the file, the broker or the topics do not allow it
    public Restored run(Path file, boolean intoNonEmpty) {
        Progress checking = new Progress(clock, says, "checking", 0);
        HouseFile.Contents contents = HouseFile.read(file, topics, record -> checking.step());
        Instant judgedUntil = contents.last().judgedUntil();
        if (judgedUntil != null && judgedUntil.isAfter(clock.instant().plus(AHEAD))) {
            throw new MovingFault(file + " says that all until " + judgedUntil
                    + " was judged, which is yet to come: nobody would be told of anything until then. Is the clock"
                    + " right?");
        }
        KafkaSettings kafka = new KafkaSettings(settings);
        try (Admin admin = Admin.create(kafka.admin("tlsrpt-restore"))) {
            List<String> running = new Services(admin, topics).running();
            if (!running.isEmpty()) {
                throw new MovingFault(
                        String.join(", ", running) + " runs: stop all services before anything is restored");
            }
            TopicSetup.ensure(
                    forRestore(admin, kafka),
                    topics,
                    settings.kafka().newTopicPartitions(),
                    settings.kafka().newTopicCopies());
            List<String> filled = filled(admin);
            if (!filled.isEmpty() && !intoNonEmpty) {
                throw new MovingFault("there are records already in " + String.join(", ", filled)
                        + ": restore into an empty house, under another topic-prefix or after deleting its topics;"
                        + " with --into-non-empty reports are not counted twice, but refused documents and the history"
                        + " of alerts are there twice, and alerts, silences, accepted domains and departures are as the"
                        + " file has them, also where something newer is there");
            }
            timestamps(admin, GIVEN);
            Restored restored;
            try (Writing writing = new Writing(kafka, admin, contents)) {
                restored = writing.run(file);
            } catch (RuntimeException failed) { // whatever it is, the topics are left as they are
                throw new MovingFault(
                        "not finished, " + failed.getMessage() + ". Services do not start on these topics as they are:"
                                + " delete them, or restore again with --into-non-empty",
                        failed);
            }
            timestamps(admin, BROKERS_CLOCK);
            return restored;
        }
    }

    /// Topics that an unfinished restore left behind are set right first, for they are checked.
    private Properties forRestore(Admin admin, KafkaSettings kafka) {
        Set<String> existing = Services.get(admin.listTopics().names());
        if (existing.containsAll(List.of(topics.raw().name(), topics.rejected().name()))) {
            timestamps(admin, BROKERS_CLOCK);
        }
        return kafka.admin("tlsrpt-restore-topics");
    }

    private void timestamps(Admin admin, String type) {
        Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
        for (Topics.Topic topic : List.of(topics.raw(), topics.rejected())) {
            changes.put(
                    new ConfigResource(ConfigResource.Type.TOPIC, topic.name()),
                    List.of(new AlterConfigOp(new ConfigEntry(TIMESTAMPS, type), AlterConfigOp.OpType.SET)));
        }
        Services.get(admin.incrementalAlterConfigs(changes).all());
    }

    /// Names of the topics that have or had records.
    private List<String> filled(Admin admin) {
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        descriptions(admin)
                .forEach((topic, description) -> description
                        .partitions()
                        .forEach(partition ->
                                ends.put(new TopicPartition(topic, partition.partition()), OffsetSpec.latest())));
        Map<String, Long> sums = new TreeMap<>();
        Services.get(admin.listOffsets(ends).all())
                .forEach((partition, end) -> sums.merge(partition.topic(), end.offset(), Long::sum));
        sums.values().removeIf(sum -> sum == 0);
        return List.copyOf(sums.keySet());
    }

    private Map<String, TopicDescription> descriptions(Admin admin) {
        return Services.get(admin.describeTopics(
                        topics.all().stream().map(Topics.Topic::name).toList())
                .allTopicNames());
    }

    /// The second reading of the file, which writes.
    private final class Writing implements AutoCloseable {

        private final HouseFile.Contents contents;
        private final KafkaProducer<byte @Nullable [], byte @Nullable []> producer;
        private final int partitions;
        private final Map<String, Topics.Topic> byName = new HashMap<>();
        private final Map<String, Long> written = new TreeMap<>();
        private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();

        /// Where each alert lies: what is said of it lies there, too.
        private final Map<String, Integer> placeOfAlert = new HashMap<>();

        private long madeAnew;

        Writing(KafkaSettings kafka, Admin admin, HouseFile.Contents contents) {
            this.contents = contents;
            this.partitions =
                    descriptions(admin).values().iterator().next().partitions().size();
            Carried.topics(topics).forEach(topic -> byName.put(Carried.name(topics, topic), topic));
            Properties properties = kafka.producer("tlsrpt-restore");
            properties.put("linger.ms", "20");
            properties.put("batch.size", "262144");
            this.producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
        }

        Restored run(Path file) {
            Progress progress = new Progress(clock, says, "restoring", contents.records());
            HouseFile.Contents again = HouseFile.read(file, topics, record -> {
                write(record);
                progress.step();
            });
            if (!again.last().equals(contents.last())) {
                throw new MovingFault(file + " was changed while it was read: delete the topics and restore again");
            }
            Instant judgedUntil = contents.last().judgedUntil();
            if (judgedUntil != null) {
                Notification moved = Notification.moved(judgedUntil);
                send(
                        topics.notifications(),
                        0,
                        null,
                        moved.key().getBytes(StandardCharsets.UTF_8),
                        Json.MAPPER.writeValueAsBytes(moved),
                        topics.notifications().newHeaders());
            }
            producer.flush();
            checkFailure();
            return new Restored(written, madeAnew);
        }

        private void write(HouseRecord record) {
            Topics.Topic topic = Objects.requireNonNull(byName.get(record.topic()));
            Headers headers = record.kafkaHeaders();
            if (topic.equals(topics.rejected()) && refusedAgain(record, headers)) {
                madeAnew++;
                return;
            }
            byte[] key = record.keyBytes();
            byte[] value = record.valueBytes();
            send(topic, partition(topic, record, key, value), record.timestamp(), key, value, headers);
            written.merge(record.topic(), 1L, Long::sum);
        }

        @SuppressWarnings("FutureReturnValueIgnored") // the callback hears of it
        private void send(
                Topics.Topic topic,
                int partition,
                @Nullable Long timestamp,
                byte @Nullable [] key,
                byte @Nullable [] value,
                Headers headers) {
            checkFailure();
            Long given = timestamp == null || timestamp < 0 ? null : timestamp;
            producer.send(
                    new ProducerRecord<>(topic.name(), partition, given, key, value, headers), (metadata, failed) -> {
                        if (failed != null) {
                            failure.compareAndSet(null, failed);
                        } else if (given != null && metadata.timestamp() != given) {
                            failure.compareAndSet(
                                    null, new KafkaException("the broker put its own timestamps on " + topic.name()));
                        }
                    });
        }

        private void checkFailure() {
            Exception failed = failure.get();
            if (failed != null) {
                throw failed instanceof KafkaException known ? known : new KafkaException(failed);
            }
        }

        /// Whether the processor makes it from a raw record of the same partition, which lies in the file as well.
        private boolean refusedAgain(HouseRecord record, Headers headers) {
            String reason = ReportHeaders.text(headers, ReportHeaders.REASON);
            boolean byProcessor = (reason != null && BY_PROCESSOR.contains(reason))
                    || ReportHeaders.text(headers, ReportHeaders.ENTRY) != null;
            Long since = contents.rawSince().get(record.partition());
            return byProcessor && since != null && record.timestamp() >= since;
        }

        private int partition(Topics.Topic topic, HouseRecord record, byte @Nullable [] key, byte @Nullable [] value) {
            if (key == null) {
                return record.partition() % partitions;
            }
            String text = new String(key, StandardCharsets.UTF_8);
            if (topic.equals(topics.alerts()) || topic.equals(topics.alertHistory())) {
                Alert alert = value == null ? null : read(value, Alert.class);
                if (alert == null) {
                    return placeOf(text);
                }
                placeOfAlert.putIfAbsent(text, alert.partition(partitions));
                return placeOf(text);
            }
            if (topic.equals(topics.alertActions())) {
                AlertAction action = value == null ? null : read(value, AlertAction.class);
                if (action != null) {
                    String place = Stream.of(action.policyDomain(), action.receivingMxHostname(), action.submitter())
                            .filter(Objects::nonNull)
                            .findFirst()
                            .orElse("");
                    placeOfAlert.putIfAbsent(text, Topics.partition(place, partitions));
                }
                return placeOf(text);
            }
            if (topic.equals(topics.notifications())) {
                int slash = text.indexOf('/');
                String about = slash < 0 ? text : text.substring(0, slash);
                // what is about no alert lies in the first partition
                return Notification.isAlert(about) ? placeOf(about) : 0;
            }
            return Utils.toPositive(Utils.murmur2(key)) % partitions;
        }

        private int placeOf(String alertId) {
            return placeOfAlert.getOrDefault(alertId, Topics.partition(alertId, partitions));
        }

        private static <T> @Nullable T read(byte[] value, Class<T> type) {
            try {
                return Json.MAPPER.readValue(value, type);
            } catch (JacksonException foreign) {
                return null; // goes along as it is; readers skip it
            }
        }

        @Override
        public void close() {
            producer.close(CLOSE);
        }
    }
}

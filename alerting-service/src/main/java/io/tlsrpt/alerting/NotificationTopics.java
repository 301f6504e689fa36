package io.tlsrpt.alerting;

import io.micrometer.core.instrument.Counter;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Notification;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Silence;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The pipeline's topics: reads `tlsrpt.alerts`, `tlsrpt.silences` and `tlsrpt.notifications`, writes the last one, and
/// tombstones for silences long over.
///
/// A consumer group divides the partitions of the log among the instances, and with them the alerts, which are
/// partitioned alike. Alerts and silences themselves are read whole by every instance. No offset is committed: at each
/// assignment the partitions of the log are read from their beginning, which compaction keeps as short as there are
/// alerts, and alerts and silences up to their end. A record that is none of ours is skipped, logged and counted
/// (`tlsrpt.notifications.unreadable`). Not thread-safe but for what [NotificationPipeline.Memory] asks for.
final class NotificationTopics implements NotificationPipeline.Memory, AutoCloseable {

    private static final Duration CLOSE = Duration.ofSeconds(5);
    private static final Logger LOG = LoggerFactory.getLogger(NotificationTopics.class);

    private final JsonSerde<Alert> alertJson = new JsonSerde<>(Alert.class);
    private final JsonSerde<Silence> silenceJson = new JsonSerde<>(Silence.class);
    private final JsonSerde<Notification> notificationJson = new JsonSerde<>(Notification.class);
    private final NotificationPipeline pipeline;
    private final Topics.Topic alerts;
    private final Topics.Topic silences;
    private final Topics.Topic notifications;
    private final KafkaConsumer<@Nullable String, byte @Nullable []> consumer;
    private final KafkaConsumer<@Nullable String, byte @Nullable []> everywhere;
    private final KafkaProducer<String, byte @Nullable []> producer;
    private final Counter unreadable;

    /// How far the partitions must be read before anything may be judged; empty once they are.
    private final Map<TopicPartition, Long> goals = new HashMap<>();
    private final Map<TopicPartition, Long> goalsEverywhere = new HashMap<>();

    private boolean restoring;

    NotificationTopics(Surroundings surroundings, NotificationPipeline pipeline) {
        Settings settings = surroundings.settings();
        Topics topics = new Topics(settings.topicPrefix(), settings.retention());
        String id = settings.topicPrefix() + "notification-pipeline";
        KafkaSettings kafka = new KafkaSettings(settings);
        this.pipeline = pipeline;
        this.alerts = topics.alerts();
        this.silences = topics.silences();
        this.notifications = topics.notifications();
        this.unreadable = surroundings.meters().counter("tlsrpt.notifications.unreadable");
        List<Runnable> opened = new ArrayList<>();
        try {
            this.consumer = new KafkaConsumer<>(
                    kafka.consumer(
                            id,
                            Map.of(
                                    "group.id",
                                    id,
                                    // After a crash the partitions wait for the lost member no longer than this.
                                    "session.timeout.ms",
                                    "10000",
                                    "heartbeat.interval.ms",
                                    "3000",
                                    "partition.assignment.strategy",
                                    RangeAssignor.class.getName())),
                    new StringDeserializer(),
                    new ByteArrayDeserializer());
            opened.add(() -> consumer.close(CloseOptions.timeout(CLOSE)));
            this.everywhere = new KafkaConsumer<>(
                    kafka.consumer(id + "-alerts", Map.of()), new StringDeserializer(), new ByteArrayDeserializer());
            opened.add(() -> everywhere.close(CloseOptions.timeout(CLOSE)));
            Properties producing = kafka.producer(id);
            producing.put("max.block.ms", "5000");
            producing.put("linger.ms", "0");
            this.producer = new KafkaProducer<>(producing, new StringSerializer(), new ByteArraySerializer());
            opened.add(() -> producer.close(CLOSE));
            List<TopicPartition> all = Stream.of(alerts, silences)
                    .flatMap(topic -> everywhere.partitionsFor(topic.name()).stream())
                    .map(each -> new TopicPartition(each.topic(), each.partition()))
                    .toList();
            everywhere.assign(all);
            everywhere.seekToBeginning(all);
            consumer.subscribe(List.of(notifications.name()), new Assignment());
        } catch (Throwable failed) {
            opened.forEach(Runnable::run);
            throw failed;
        }
    }

    /// Reads what there is, or waits for it, and tells the pipeline.
    void poll(Duration timeout) {
        for (ConsumerRecord<@Nullable String, byte @Nullable []> each : consumer.poll(timeout)) {
            read(each);
        }
        for (ConsumerRecord<@Nullable String, byte @Nullable []> each : everywhere.poll(Duration.ZERO)) {
            read(each);
        }
        if (restoring) {
            goals.entrySet().removeIf(goal -> consumer.position(goal.getKey()) >= goal.getValue());
            goalsEverywhere.entrySet().removeIf(goal -> everywhere.position(goal.getKey()) >= goal.getValue());
            if (goals.isEmpty() && goalsEverywhere.isEmpty()) {
                restoring = false;
                pipeline.restored(noMemory());
            }
        }
    }

    private void read(ConsumerRecord<@Nullable String, byte @Nullable []> each) {
        String key = each.key();
        byte[] value = each.value();
        if (key == null) {
            skip(each, "no key");
            return;
        }
        try {
            if (each.topic().equals(alerts.name())) {
                Alert alert = value == null ? null : alertJson.read(value);
                if (alert != null && !complete(key, alert)) {
                    skip(each, "incomplete");
                    return;
                }
                pipeline.alert(each.partition(), key, alert);
            } else if (each.topic().equals(silences.name())) {
                Silence silence = value == null ? null : silenceJson.read(value);
                if (silence != null && !complete(key, silence)) {
                    skip(each, "incomplete");
                    return;
                }
                pipeline.silence(each.partition(), key, silence);
            } else if (value == null) {
                pipeline.forgotten(key);
            } else {
                Notification notification = notificationJson.read(value);
                if (!complete(key, notification)) {
                    skip(each, "incomplete");
                    return;
                }
                pipeline.told(each.partition(), notification);
            }
        } catch (SerializationException notOurs) {
            skip(each, "unreadable");
        }
    }

    private void skip(ConsumerRecord<?, ?> each, String reason) {
        unreadable.increment();
        LOG.atWarn()
                .addKeyValue("reason", reason)
                .addKeyValue("topic", each.topic())
                .addKeyValue("partition", each.partition())
                .addKeyValue("offset", each.offset())
                .log("record skipped");
    }

    /// What JSON may leave out though our records always have it.
    @SuppressWarnings("UnnecessaryNullCheck")
    private static boolean complete(String key, Alert alert) {
        return key.equals(alert.alertId())
                && present(
                        alert.incidentId(),
                        alert.rule(),
                        alert.state(),
                        alert.severity(),
                        alert.openedAt(),
                        alert.updatedAt(),
                        alert.summary(),
                        alert.evidence());
    }

    private static boolean complete(String key, Silence silence) {
        return key.equals(silence.silenceId()) && present(silence.match(), silence.startsAt(), silence.endsAt());
    }

    private static boolean complete(String key, Notification told) {
        return present(told.alertId(), told.receiver(), told.incidentId(), told.state(), told.severity(), told.at())
                && present(told.result())
                && key.equals(told.key());
    }

    private static boolean present(@Nullable Object... members) {
        for (Object member : members) {
            if (member == null) {
                return false;
            }
        }
        return true;
    }

    /// Whether nobody ever wrote to the log: compaction removes records, never offsets.
    private boolean noMemory() {
        List<TopicPartition> all = consumer.partitionsFor(notifications.name()).stream()
                .map(each -> new TopicPartition(each.topic(), each.partition()))
                .toList();
        return consumer.endOffsets(all).values().stream().allMatch(end -> end == 0);
    }

    @Override
    public void remember(int partition, Notification notification, Consumer<Boolean> written) {
        write(notifications, partition, notification.key(), notificationJson.write(notification), written);
    }

    @Override
    public void forget(int partition, String key) {
        write(notifications, partition, key, null, written -> {
            if (!written) {
                LOG.atWarn().log("a notification of a removed alert stays in the log until the next start");
            }
        });
    }

    @Override
    public void forgetSilence(int partition, String silenceId) {
        write(silences, partition, silenceId, null, written -> {
            if (!written) {
                LOG.atWarn().log("a silence long over is removed later");
            }
        });
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the callback hears of it
    private void write(
            Topics.Topic topic, int partition, String key, byte @Nullable [] value, Consumer<Boolean> written) {
        ProducerRecord<String, byte @Nullable []> out = new ProducerRecord<>(topic.name(), partition, key, value);
        out.headers().add(ReportHeaders.SCHEMA, topic.schema().getBytes(StandardCharsets.UTF_8));
        try {
            producer.send(out, (metadata, failure) -> {
                if (failure != null) {
                    notWritten(failure);
                }
                written.accept(failure == null);
            });
        } catch (KafkaException notNow) {
            notWritten(notNow);
            written.accept(false);
        }
    }

    private static void notWritten(Exception failure) {
        LOG.atError().setCause(failure).log("a record of the notification pipeline was not written");
    }

    @Override
    public void close() {
        everywhere.close(CloseOptions.timeout(CLOSE));
        consumer.close(CloseOptions.timeout(CLOSE)); // gives the partitions back: the pipeline may write a last time
        producer.close(CLOSE);
    }

    private final class Assignment implements ConsumerRebalanceListener {

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            pipeline.released();
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            pipeline.lost();
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            pipeline.restoring(
                    partitions.stream().map(TopicPartition::partition).collect(Collectors.toSet()));
            restoring = true;
            goals.clear();
            consumer.seekToBeginning(partitions);
            goals.putAll(consumer.endOffsets(partitions));
            goalsEverywhere.putAll(everywhere.endOffsets(everywhere.assignment()));
        }
    }
}

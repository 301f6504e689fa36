package io.tlsrpt.alerting;

import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Topics;
import io.tlsrpt.topics.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/// The verdicts topic from its end on, without a group.
final class VerdictTail implements Canary.Verdicts {

    private static final Duration POLL = Duration.ofMillis(200);

    /// In one go; under load the next one goes on from there.
    private static final int MAX_BATCHES = 100;

    private final JsonSerde<Verdict> serde = new JsonSerde<>(Verdict.class);
    private final KafkaConsumer<byte @Nullable [], byte @Nullable []> consumer;

    /// When this returns no later verdict is missed.
    ///
    /// @throws KafkaException when the broker cannot be reached
    VerdictTail(Settings settings) {
        String topic = new Topics(settings.topicPrefix(), settings.retention())
                .verdicts()
                .name();
        consumer = new KafkaConsumer<>(
                new KafkaSettings(settings)
                        .consumer(
                                settings.topicPrefix() + "canary-verdicts", Map.of("default.api.timeout.ms", "10000")),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        try {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(each -> new TopicPartition(each.topic(), each.partition()))
                    .toList();
            if (partitions.isEmpty()) {
                throw new KafkaException("the topic " + topic + " does not exist");
            }
            consumer.assign(partitions);
            consumer.seekToEnd(partitions);
            partitions.forEach(consumer::position);
        } catch (KafkaException away) {
            close();
            throw away;
        }
    }

    @Override
    public List<Verdict> of(Set<String> reportKeys) {
        List<Verdict> found = new ArrayList<>();
        for (int batch = 0; batch < MAX_BATCHES; batch++) {
            ConsumerRecords<byte @Nullable [], byte @Nullable []> records = consumer.poll(POLL);
            for (ConsumerRecord<byte @Nullable [], byte @Nullable []> each : records) {
                byte[] key = each.key();
                byte[] value = each.value();
                if (key != null && value != null && reportKeys.contains(new String(key, StandardCharsets.UTF_8))) {
                    found.add(serde.read(value));
                }
            }
            if (records.isEmpty()) {
                break;
            }
        }
        return found;
    }

    @Override
    public void close() {
        consumer.close(CloseOptions.timeout(Duration.ZERO));
    }
}

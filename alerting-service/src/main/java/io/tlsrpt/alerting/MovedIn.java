package io.tlsrpt.alerting;

import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Notification;
import io.tlsrpt.topics.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Whether this house continues another one. A restore brings the reports, from which all numbers are made anew, and
/// the alerts, which are not: reports come back in another order than they came, so that what was a stray failure among
/// thousands of clean sessions may come first. What arrived until the move was judged then; it counts for what is usual
/// and opens, raises and ends nothing. The restore has left a record in the log of notifications that says when that
/// was.
final class MovedIn {

    private static final Logger LOG = LoggerFactory.getLogger(MovedIn.class);

    private MovedIn() {}

    /// @return the epoch where no house was moved
    static Instant judgedUntil(KafkaSettings kafka, Topics topics) {
        JsonSerde<Notification> json = new JsonSerde<>(Notification.class);
        String key = Notification.moved(Instant.EPOCH).key();
        TopicPartition log = new TopicPartition(topics.notifications().name(), NotificationPipeline.NOTICES);
        Instant judgedUntil = Instant.EPOCH;
        try (KafkaConsumer<@Nullable String, byte @Nullable []> consumer = new KafkaConsumer<>(
                kafka.consumer(topics.prefix() + "alerting-moved", Map.of()),
                new StringDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.assign(List.of(log));
            consumer.seekToBeginning(List.of(log));
            long end = consumer.endOffsets(List.of(log)).getOrDefault(log, 0L);
            while (consumer.position(log) < end) {
                for (ConsumerRecord<@Nullable String, byte @Nullable []> each : consumer.poll(Duration.ofMillis(100))) {
                    byte[] value = each.value();
                    if (key.equals(each.key())) {
                        judgedUntil = value == null
                                ? Instant.EPOCH
                                : notAfter(json.read(value).at(), Instant.ofEpochMilli(each.timestamp()));
                    }
                }
            }
        }
        if (judgedUntil.isAfter(Instant.EPOCH)) {
            LOG.atInfo()
                    .addKeyValue("judged-until", judgedUntil)
                    .log("a house moved in: what arrived until then was judged there");
        }
        return judgedUntil;
    }

    /// Nothing was judged after the restore wrote of it: a time that is yet to come would keep all alerts shut till
    /// then.
    static Instant notAfter(Instant judgedUntil, Instant writtenAt) {
        return judgedUntil.isAfter(writtenAt) ? writtenAt : judgedUntil;
    }
}

package io.tlsrpt.moving;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class UnjudgedTest {

    private static final Topics TOPICS = new Topics("tlsrpt.", Duration.ofDays(400));
    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final Instant BEFORE = NOON.minusSeconds(60);

    private final Unjudged unjudged = new Unjudged(TOPICS);

    @Test
    void whereAllWasReadThereIsNone() {
        assertThat(unjudged.since()).isNull();
    }

    @Test
    void anOlderRecordBehindTheFirstCounts() {
        add(TOPICS.events(), NOON, "{}");
        add(TOPICS.events(), BEFORE, "{}");
        add(TOPICS.events(), NOON.plusSeconds(1), null);
        assertThat(unjudged.since()).isEqualTo(BEFORE);
    }

    @Test
    void anActionAndALookCountFromTheTimeTheyName() {
        add(TOPICS.alertActions(), NOON, "{\"at\":\"" + BEFORE + "\"}");
        assertThat(unjudged.since()).isEqualTo(BEFORE);
        add(TOPICS.inspections(), NOON, "{\"inspected-at\":\"" + BEFORE.minusSeconds(1) + "\"}");
        assertThat(unjudged.since()).isEqualTo(BEFORE.minusSeconds(1));
    }

    @Test
    void soTheyDoOnTheirWayToTheOneWhoJudges() {
        add("tlsrpt.alerting-service-by-subject-repartition", NOON, "{\"action\":{\"at\":\"" + BEFORE + "\"}}");
        assertThat(unjudged.since()).isEqualTo(BEFORE);
        add(
                "tlsrpt.alerting-service-by-subject-repartition",
                NOON,
                "{\"look\":{\"inspection\":{\"inspected-at\":\"" + BEFORE.minusSeconds(1) + "\"}}}");
        assertThat(unjudged.since()).isEqualTo(BEFORE.minusSeconds(1));
    }

    @Test
    void aValueThatNobodyCanReadCountsByItsArrival() {
        add(TOPICS.alertActions(), NOON, "{\"at\":");
        add(TOPICS.alertActions(), NOON, "{\"at\":\"yesterday\"}");
        add(TOPICS.alertActions(), NOON, "[]");
        assertThat(unjudged.since()).isEqualTo(NOON);
    }

    private void add(Topics.Topic topic, Instant timestamp, @Nullable String value) {
        add(topic.name(), timestamp, value);
    }

    private void add(String topic, Instant timestamp, @Nullable String value) {
        unjudged.add(new ConsumerRecord<>(
                topic,
                0,
                0,
                timestamp.toEpochMilli(),
                TimestampType.CREATE_TIME,
                0,
                0,
                null,
                value == null ? null : value.getBytes(StandardCharsets.UTF_8),
                new RecordHeaders(),
                Optional.empty()));
    }
}

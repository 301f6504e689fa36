package io.tlsrpt.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class KafkaSettingsTest {

    @Test
    void internalTopicsHaveAsManyCopiesAsOurs() {
        assertThat(settings("").streams("app", Map.of()))
                .containsEntry("replication.factor", "3")
                .containsEntry("topic.min.insync.replicas", "2");
        assertThat(settings(", replication-factor: 1").streams("app", Map.of()))
                .containsEntry("replication.factor", "1")
                .containsEntry("topic.min.insync.replicas", "1");
    }

    @Test
    void whatAStateStoreWritesFitsItsChangelog() {
        var properties = settings("").streams("app", Map.of());

        assertThat(properties)
                .containsEntry("topic.max.message.bytes", properties.getProperty("producer.max.request.size"));
    }

    @Test
    void readersCreateNoTopics() {
        assertThat(settings("").consumer("reader", Map.of())).containsEntry("allow.auto.create.topics", "false");
    }

    @Test
    void whatTheOperatorPassesThroughWinsUnlessCorrectnessRestsOnIt() {
        KafkaSettings kafka = settings(
                ", properties: {linger.ms: '50', acks: '1', processing.guarantee: at_least_once, isolation.level: read_uncommitted}");

        assertThat(kafka.producer("writer")).containsEntry("linger.ms", "50").containsEntry("acks", "all");
        assertThat(kafka.streams("app", Map.of())).containsEntry("processing.guarantee", "exactly_once_v2");
        assertThat(kafka.consumer("reader", Map.of())).containsEntry("isolation.level", "read_committed");
    }

    private static KafkaSettings settings(String more) {
        return new KafkaSettings(
                SettingsFile.parse("test", "kafka: {bootstrap-servers: 'broker:9092'" + more + "}", name -> null));
    }
}

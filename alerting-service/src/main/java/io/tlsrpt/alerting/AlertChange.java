package io.tlsrpt.alerting;

import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.JsonSerde;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serializer;

/// What detection writes of an alert: its new state, or that it is to be forgotten.
///
/// @param transition whether people should know, so that it belongs into the history
/// @param expired whether a tombstone takes its place
record AlertChange(Alert alert, boolean transition, boolean expired) {

    private static final JsonSerde<Alert> ALERT = new JsonSerde<>(Alert.class);

    static AlertChange of(Alert alert, boolean transition) {
        return new AlertChange(alert, transition, false);
    }

    static AlertChange expired(Alert alert) {
        return new AlertChange(alert, false, true);
    }

    Headers headers() {
        return new RecordHeaders().add("schema", "tlsrpt.alert/1".getBytes(StandardCharsets.UTF_8));
    }

    /// Writes the alert, or Kafka's own null for a tombstone.
    @SuppressWarnings("NullAway")
    static Serializer<AlertChange> serializer() {
        return (topic, change) -> change.expired() ? null : ALERT.write(change.alert());
    }

    /// Where an alert lies.
    static Optional<Set<Integer>> partition(AlertChange change, int partitions) {
        return Optional.of(Set.of(change.alert().partition(partitions)));
    }
}

package io.tlsrpt.moving;

import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Topics;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// The earliest of the records that lead to alerts and have not been read. Their timestamps do not ascend within a
/// partition, and what people did and what live looks showed is judged by the time that they name themselves.
final class Unjudged {

    private static final String ACTED = "/at";
    private static final String LOOKED = "/inspected-at";

    private final Topics topics;
    private @Nullable Instant since;

    Unjudged(Topics topics) {
        this.topics = topics;
    }

    void add(ConsumerRecord<byte @Nullable [], byte @Nullable []> record) {
        earlier(Instant.ofEpochMilli(record.timestamp()));
        byte[] value = record.value();
        List<String> own = own(record.topic());
        if (value == null || own.isEmpty()) {
            return;
        }
        try {
            JsonNode json = Json.MAPPER.readTree(value);
            for (String place : own) {
                String text = json.at(place).asString("");
                if (!text.isEmpty()) {
                    earlier(Instant.parse(text));
                }
            }
        } catch (JacksonException | DateTimeException foreign) {
            // readers skip it
        }
    }

    /// Where a record names its own time; topics that are none of ours are between the parts of a service.
    private List<String> own(String topic) {
        if (topic.equals(topics.alertActions().name())) {
            return List.of(ACTED);
        }
        if (topic.equals(topics.inspections().name())) {
            return List.of(LOOKED);
        }
        return topics.all().stream().anyMatch(each -> each.name().equals(topic))
                ? List.of()
                : List.of("/action" + ACTED, "/look/inspection" + LOOKED);
    }

    private void earlier(Instant at) {
        since = since == null || at.isBefore(since) ? at : since;
    }

    /// Null where all was read.
    @Nullable
    Instant since() {
        return since;
    }
}

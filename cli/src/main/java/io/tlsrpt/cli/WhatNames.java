package io.tlsrpt.cli;

import io.tlsrpt.report.ReportKey;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// Which records of which topics name a domain.
final class WhatNames {

    private static final String HASHED = "|sha256:";

    private final Topics topics;
    private final String domain;
    private final byte[] bytes;

    /// Alerts about this domain alone, whose notifications are told apart by nothing else.
    private final Set<String> alertIds = new HashSet<>();

    WhatNames(Topics topics, String domain) {
        this.topics = topics;
        this.domain = domain;
        this.bytes = domain.getBytes(StandardCharsets.UTF_8);
    }

    /// All topics, in an order in which each can be understood: alerts before notifications.
    List<Topics.Topic> inOrder() {
        return topics.all().stream()
                .sorted((one, other) -> Boolean.compare(isNotifications(one.name()), isNotifications(other.name())))
                .toList();
    }

    private boolean isNotifications(String topic) {
        return topic.equals(topics.notifications().name());
    }

    /// @param record not a tombstone
    boolean names(ConsumerRecord<byte[], byte @Nullable []> record) {
        String topic = record.topic();
        byte[] value = record.value();
        String key = record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
        if (value == null) {
            return false;
        }
        if (topic.equals(topics.raw().name())
                || topic.equals(topics.rejected().name())
                || topic.equals(topics.verdicts().name())) {
            return ReportKey.policyDomains(key).contains(domain)
                    || domain.equals(ReportHeaders.text(record.headers(), "channel-domain"))
                    || ((key.isEmpty() || key.contains(HASHED)) && contains(value));
        }
        if (topic.equals(topics.events().name())
                || topic.equals(topics.inspections().name())
                || topic.equals(topics.domains().name())
                || topic.equals(topics.departures().name())) {
            return key.equals(domain);
        }
        if (isNotifications(topic)) {
            int slash = key.indexOf('/');
            return slash > 0 && alertIds.contains(key.substring(0, slash));
        }
        return inside(topic, key, value);
    }

    private boolean inside(String topic, String key, byte[] value) {
        JsonNode record;
        try {
            record = Json.MAPPER.readTree(value);
        } catch (JacksonException notOurs) {
            return contains(value);
        }
        if (topic.equals(topics.reports().name())) {
            return lists(record.path("policy-domains"));
        }
        if (topic.equals(topics.silences().name())) {
            return lists(record.path("match").path("domains"));
        }
        boolean own = domain.equals(record.path("policy-domain").asString(""));
        if (own
                && (topic.equals(topics.alerts().name())
                        || topic.equals(topics.alertHistory().name()))) {
            alertIds.add(key);
        }
        return own || lists(record.path("evidence").path("affected-domains"));
    }

    private boolean lists(JsonNode names) {
        for (JsonNode name : names) {
            if (domain.equals(name.asString(""))) {
                return true;
            }
        }
        return false;
    }

    private boolean contains(byte[] value) {
        for (int from = 0; from <= value.length - bytes.length; from++) {
            int at = 0;
            while (at < bytes.length && lower(value[from + at]) == bytes[at]) {
                at++;
            }
            if (at == bytes.length) {
                return true;
            }
        }
        return false;
    }

    private static byte lower(byte character) {
        return character >= 'A' && character <= 'Z' ? (byte) (character + ('a' - 'A')) : character;
    }
}

package io.tlsrpt.console;

import io.tlsrpt.topics.Topics;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What can be followed, and the domains that a record of it is about.
enum LiveTopic {
    EVENTS,
    ALERTS,
    AGGREGATES,
    VERDICTS;

    static final List<String> WORDS =
            Arrays.stream(values()).map(LiveTopic::word).toList();

    /// `events`, `alerts`, …
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// @param word absent or unknown: absent
    static @Nullable LiveTopic of(@Nullable String word) {
        return Arrays.stream(values())
                .filter(topic -> topic.word().equals(word))
                .findFirst()
                .orElse(null);
    }

    Topics.Topic in(Topics topics) {
        return switch (this) {
            case EVENTS -> topics.events();
            case ALERTS -> topics.alerts();
            case AGGREGATES -> topics.aggregates();
            case VERDICTS -> topics.verdicts();
        };
    }

    /// The policy domains of a record; none where it tells none, as the verdict on a report of so many domains that its
    /// key holds only their hash.
    Set<String> domains(JsonNode record) {
        Set<String> domains = new LinkedHashSet<>();
        switch (this) {
            case EVENTS, AGGREGATES -> add(domains, record.path("policy-domain"));
            case ALERTS -> {
                add(domains, record.path("policy-domain"));
                record.path("evidence").path("affected-domains").forEach(domain -> add(domains, domain));
            }
            case VERDICTS ->
                domains.addAll(ofReportKey(record.path("report-key").asString("")));
        }
        return domains;
    }

    private static void add(Set<String> domains, JsonNode domain) {
        if (domain.isString()) {
            domains.add(domain.stringValue());
        }
    }

    private static Set<String> ofReportKey(String key) {
        Set<String> domains = new LinkedHashSet<>();
        String last = key.substring(key.lastIndexOf('|') + 1);
        if (key.indexOf('|') < 0 || last.startsWith("sha256:")) {
            return domains;
        }
        for (String domain : last.split(",", -1)) {
            // a report without a domain counts for that of its channel: @example.com
            String bare = domain.startsWith("@") ? domain.substring(1) : domain;
            try {
                domains.add(URLDecoder.decode(bare.replace("+", "%2B"), StandardCharsets.UTF_8));
            } catch (IllegalArgumentException notOurs) {
                return Set.of();
            }
        }
        domains.remove("");
        return domains;
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Secret;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// PagerDuty's Events API v2: each alert triggers an incident and resolves it, under its alert-id.
///
/// One that somebody has acknowledged here is triggered and acknowledged there. A trigger of an open incident only adds
/// to its log, so repeating one is harmless. A notice becomes an event of severity `warning` that people close.
final class PagerDutyReceiver implements Receiver {

    static final int MAX_SUMMARY = 1_024;
    static final int MAX_DEDUP_KEY = 255;

    private static final String EVENTS = "https://events.pagerduty.com/v2/enqueue";
    private static final Duration PEACE = Duration.ofMinutes(2);
    private static final int MAX_NOTICE = 8_000;

    private final OutgoingHttp http;
    private final Secret routingKey;

    PagerDutyReceiver(AlertingSettings.Receiver settings) {
        Secret url = settings.url();
        this.http = new OutgoingHttp(
                URI.create(url == null ? EVENTS : url.reveal()), settings.allowPrivateAddresses(), settings.timeout());
        this.routingKey = Objects.requireNonNull(settings.routingKey());
    }

    /// What is refused holds up nothing behind it; anything else ends the round, as the next event would fare no
    /// better.
    @Override
    public Attempt deliver(Message message, Instant now) {
        Attempt refused = null;
        Attempt last = Attempt.of(Result.DELIVERED, "nothing to say");
        for (Map<String, Object> event : events(message, routingKey)) {
            last = http.post(Map.of(), Json.MAPPER.writeValueAsBytes(event), now);
            if (last.result() == Result.REFUSED) {
                refused = last;
            } else if (last.result() != Result.DELIVERED) {
                return last.result() == Result.THROTTLED ? patient(last) : last;
            }
        }
        return refused == null ? last : refused;
    }

    /// Its limit counts by the minute.
    private static Attempt patient(Attempt throttled) {
        Duration asked = throttled.retryAfter();
        return new Attempt(
                Result.THROTTLED, throttled.detail(), asked == null || asked.compareTo(PEACE) < 0 ? PEACE : asked);
    }

    static List<Map<String, Object>> events(Message message, Secret routingKey) {
        List<Map<String, Object>> events = new ArrayList<>();
        switch (message) {
            case Message.Notice notice -> events.add(notice(notice, routingKey));
            case Message.Alerts about ->
                about.alerts().forEach(alert -> {
                    if (!alert.firing()) {
                        events.add(event(routingKey, "resolve", alert.alertId()));
                        return;
                    }
                    events.add(trigger(alert, routingKey));
                    if (alert.acknowledged() != null) {
                        events.add(event(routingKey, "acknowledge", alert.alertId()));
                    }
                });
        }
        return events;
    }

    private static Map<String, Object> event(Secret routingKey, String action, String key) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("routing_key", routingKey.reveal());
        event.put("event_action", action);
        event.put("dedup_key", CleanText.of(key, MAX_DEDUP_KEY));
        return event;
    }

    private static Map<String, Object> trigger(Alert alert, Secret routingKey) {
        AlertText text = AlertText.of(alert);
        Map<String, Object> payload =
                payload(text.title() + " - " + text.summary(), alert.severity(), alert.openedAt());
        if (alert.receivingMxHostname() != null) {
            payload.put("component", CleanText.of(alert.receivingMxHostname(), 255));
        }
        if (alert.policyDomain() != null) {
            payload.put("group", CleanText.of(alert.policyDomain(), 255));
        }
        payload.put("class", CleanText.of(alert.resultType() == null ? alert.rule() : alert.resultType(), 255));
        payload.put("source", source(alert));
        Map<String, Object> details = new LinkedHashMap<>();
        text.facts().forEach(fact -> details.put(fact.label(), fact.value()));
        putPresent(details, "Seen live", text.live());
        putPresent(details, "Meaning", text.meaning());
        putPresent(details, "Fix", text.fix());
        putPresent(details, "Verify", text.verify());
        payload.put("custom_details", details);

        Map<String, Object> event = event(routingKey, "trigger", alert.alertId());
        event.put("payload", payload);
        event.put("client", "tlsrpt");
        putPresent(event, "client_url", text.alertUrl());
        List<Map<String, String>> links = new ArrayList<>();
        link(links, text.alertUrl(), "Alert");
        link(links, text.runbookUrl(), "Runbook");
        if (!links.isEmpty()) {
            event.put("links", links);
        }
        return event;
    }

    private static String source(Alert alert) {
        String source = alert.receivingMxHostname() != null
                ? alert.receivingMxHostname()
                : alert.policyDomain() != null ? alert.policyDomain() : alert.submitter();
        return source == null ? "tlsrpt" : CleanText.of(source, 255);
    }

    private static Map<String, Object> notice(Message.Notice notice, Secret routingKey) {
        Map<String, Object> payload = payload(notice.title(), "warning", notice.at());
        payload.put("source", "tlsrpt");
        payload.put("custom_details", Map.of("Text", CleanText.lines(notice.text(), MAX_NOTICE)));
        Map<String, Object> event = event(routingKey, "trigger", notice.id());
        event.put("payload", payload);
        event.put("client", "tlsrpt");
        return event;
    }

    private static Map<String, Object> payload(String summary, String severity, Instant at) {
        Map<String, Object> payload = new LinkedHashMap<>();
        payload.put("summary", bounded(CleanText.of(summary, MAX_SUMMARY)));
        payload.put(
                "severity",
                switch (severity) {
                    case "critical", "warning", "info" -> severity;
                    default -> "error";
                });
        payload.put("timestamp", at.toString());
        return payload;
    }

    /// Whether characters or bytes are counted nobody says; this is inside both.
    private static String bounded(String text) {
        String shorter = text;
        while (shorter.getBytes(StandardCharsets.UTF_8).length > MAX_SUMMARY) {
            shorter = shorter.substring(0, shorter.offsetByCodePoints(shorter.length(), -1));
        }
        return shorter;
    }

    private static void putPresent(Map<String, Object> map, String key, @Nullable String value) {
        if (value != null) {
            map.put(key, value);
        }
    }

    private static void link(List<Map<String, String>> links, @Nullable String url, String text) {
        if (url != null) {
            Map<String, String> link = new LinkedHashMap<>();
            link.put("href", url);
            link.put("text", text);
            links.add(link);
        }
    }
}

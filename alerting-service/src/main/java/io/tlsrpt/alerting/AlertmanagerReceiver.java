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
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Prometheus Alertmanager, API v2.
///
/// Its labels are what an alert *is*: `alertname` (our rule), `result_type`, `domain`, `mx`, `submitter`, `severity`
/// and
/// the labels of the configuration. Everything that changes with each report is in the annotations.
///
/// Alertmanager remembers nothing over a restart and takes what is not repeated for resolved. So each firing alert is
/// sent with an end five minutes ahead, and again each minute; a resolved one for five minutes. Nobody needs to
/// remember
/// what was sent: an alert whose severity or labels change goes on under its new labels, and its old ones run out
/// within
/// five minutes.
final class AlertmanagerReceiver implements Receiver {

    /// How long an alert lives there without being repeated.
    static final Duration ALIVE = Duration.ofMinutes(5);

    private static final Duration NOTICE = Duration.ofHours(1);
    private static final int MOST_AT_ONCE = 200;
    private static final int MAX_LABEL = 255;
    private static final int MAX_TEXT = 2_000;

    private final OutgoingHttp http;
    private final Map<String, String> headers;

    AlertmanagerReceiver(AlertingSettings.Receiver settings) {
        URI base = URI.create(Objects.requireNonNull(settings.url()).reveal());
        String url = base.toString();
        this.http = new OutgoingHttp(
                URI.create((url.endsWith("/") ? url.substring(0, url.length() - 1) : url) + "/api/v2/alerts"),
                settings.allowPrivateAddresses(),
                settings.timeout());
        this.headers = authorization(settings.user(), settings.password());
    }

    private static Map<String, String> authorization(@Nullable String user, @Nullable Secret password) {
        if (password == null) {
            return Map.of();
        }
        return Map.of(
                "authorization",
                user == null
                        ? "Bearer " + password.reveal()
                        : "Basic "
                                + Base64.getEncoder()
                                        .encodeToString(
                                                (user + ":" + password.reveal()).getBytes(StandardCharsets.UTF_8)));
    }

    /// Tells the alerts, or repeats them: to Alertmanager that is the same.
    @Override
    public Attempt deliver(Message message, Instant now) {
        List<Map<String, Object>> all = entries(message, now);
        Attempt last = Attempt.of(Result.DELIVERED, "nothing to say");
        for (int from = 0; from < all.size(); from += MOST_AT_ONCE) {
            List<Map<String, Object>> some = all.subList(from, Math.min(from + MOST_AT_ONCE, all.size()));
            last = http.post(headers, Json.MAPPER.writeValueAsBytes(some), now);
            if (last.result() != Result.DELIVERED) {
                return last;
            }
        }
        return last;
    }

    static List<Map<String, Object>> entries(Message message, Instant now) {
        return switch (message) {
            case Message.Notice notice -> List.of(entry(notice));
            case Message.Alerts about -> {
                List<Map<String, Object>> entries = new ArrayList<>();
                about.alerts().forEach(alert -> entries.add(entry(alert, now)));
                yield entries;
            }
        };
    }

    private static Map<String, Object> entry(Alert alert, Instant now) {
        AlertText text = AlertText.of(alert);
        Map<String, String> annotations = new LinkedHashMap<>();
        annotations.put("summary", text.title());
        annotations.put("description", text.summary());
        putPresent(annotations, "live", text.live());
        putPresent(annotations, "help", help(text));
        putPresent(annotations, "runbook_url", text.runbookUrl());
        annotations.put("alert_id", CleanText.of(alert.alertId(), MAX_LABEL));
        annotations.put("incident_id", CleanText.of(alert.incidentId(), MAX_LABEL));
        if (alert.acknowledged() != null) {
            annotations.put("acknowledged", CleanText.of(alert.acknowledged().by(), MAX_LABEL));
        }
        if (alert.resolveReason() != null) {
            annotations.put("resolve_reason", CleanText.of(alert.resolveReason(), MAX_LABEL));
        }
        Instant resolved = alert.resolvedAt() == null ? alert.updatedAt() : alert.resolvedAt();
        Instant ends =
                alert.firing() ? now.plus(ALIVE) : resolved.isBefore(alert.openedAt()) ? alert.openedAt() : resolved;
        return entry(labels(alert), annotations, alert.openedAt(), ends, text.alertUrl());
    }

    private static @Nullable String help(AlertText text) {
        return text.meaning() == null ? null : text.meaning() + " " + text.fix() + " Verify: " + text.verify();
    }

    private static Map<String, String> labels(Alert alert) {
        Map<String, String> labels = new TreeMap<>();
        Map<String, String> ours = alert.labels();
        if (ours != null) {
            ours.forEach((name, value) -> putPresent(labels, labelName(name), CleanText.of(value, MAX_LABEL)));
        }
        putPresent(labels, "result_type", alert.resultType());
        putPresent(labels, "domain", alert.policyDomain());
        putPresent(labels, "mx", alert.receivingMxHostname());
        putPresent(labels, "submitter", alert.submitter());
        labels.replaceAll((name, value) -> CleanText.of(value, MAX_LABEL));
        labels.put("alertname", alert.rule());
        labels.put("severity", alert.severity());
        return labels;
    }

    /// As Prometheus allows it: letters, digits and `_`, no digit first, `__` being its own.
    static String labelName(String name) {
        String allowed = CleanText.of(name, MAX_LABEL).replaceAll("[^a-zA-Z0-9_]", "_");
        return allowed.matches("([0-9]|__).*") || allowed.isEmpty() ? "label_" + allowed : allowed;
    }

    private static Map<String, Object> entry(Message.Notice notice) {
        Map<String, String> labels = new TreeMap<>();
        labels.put("alertname", "tlsrpt-notice");
        labels.put("notice", CleanText.of(notice.title(), MAX_LABEL));
        labels.put("severity", "info");
        Map<String, String> annotations = new LinkedHashMap<>();
        annotations.put("summary", CleanText.of(notice.title(), MAX_LABEL));
        annotations.put("description", CleanText.lines(notice.text(), MAX_TEXT));
        return entry(labels, annotations, notice.at(), notice.at().plus(NOTICE), null);
    }

    private static Map<String, Object> entry(
            Map<String, String> labels,
            Map<String, String> annotations,
            Instant starts,
            Instant ends,
            @Nullable String url) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("labels", labels);
        entry.put("annotations", annotations);
        entry.put("startsAt", starts.toString());
        entry.put("endsAt", ends.toString());
        if (url != null) {
            entry.put("generatorURL", url);
        }
        return entry;
    }

    private static void putPresent(Map<String, String> map, String name, @Nullable String value) {
        if (value != null && !value.isEmpty()) {
            map.put(name, value);
        }
    }
}

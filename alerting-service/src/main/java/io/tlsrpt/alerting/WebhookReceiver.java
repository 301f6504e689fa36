package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Secret;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// A generic webhook after Standard Webhooks 1.0.0: one POST of JSON for each notification, signed when a secret is
/// set.
///
///     {"type":"tlsrpt.alert.firing","timestamp":"2026-11-21T04:00:00Z","data":{ the alert as in tlsrpt.alerts }}
///
/// Several alerts in one message have the type `tlsrpt.alerts` and the data `{"alerts":[…],"truncated-alerts":n}`; what
/// is no alert has `tlsrpt.notice` and `{"title","text"}`.
///
/// `type` ends in `firing` or `resolved`, `timestamp` is when the alert came into this state. Bodies stay below 20 KB:
/// where an alert is larger its lists are cut, `affected-domain-count` stays.
///
/// While the secret changes each message carries two signatures, of the new one and of the one before.
final class WebhookReceiver implements Receiver {

    static final int MAX_BODY_BYTES = 20_000;

    private static final String SECRET_PREFIX = "whsec_";
    private static final int[] LIST_LIMITS = {100, 20, 5, 0};
    private static final int MAX_SUMMARY = 1_000;
    private static final int MAX_TEXT = 255;
    private static final int MAX_LABELS = 20;
    private static final int MAX_NOTICE = 4_000;
    private static final int MAX_ALERTS = 50;
    private static final int LIST_IN_SEVERAL = 5;

    private final OutgoingHttp http;
    private final List<byte[]> keys;

    @JsonPropertyOrder({"type", "timestamp", "data"})
    private record Body(String type, Instant timestamp, Alert data) {}

    @JsonPropertyOrder({"type", "timestamp", "data"})
    private record AlertsBody(String type, Instant timestamp, AlertsData data) {}

    @JsonPropertyOrder({"alerts", "truncated-alerts"})
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    private record AlertsData(List<Alert> alerts, @Nullable Integer truncatedAlerts) {}

    @JsonPropertyOrder({"type", "timestamp", "data"})
    private record NoticeBody(String type, Instant timestamp, NoticeData data) {}

    @JsonPropertyOrder({"title", "text"})
    private record NoticeData(String title, String text) {}

    /// @param settings whose address and signing secrets were checked when they were read
    WebhookReceiver(AlertingSettings.Receiver settings) {
        this.http = new OutgoingHttp(
                URI.create(Objects.requireNonNull(settings.url()).reveal()),
                settings.allowPrivateAddresses(),
                settings.timeout());
        this.keys = Stream.of(settings.signingSecret(), settings.previousSigningSecret())
                .filter(Objects::nonNull)
                .map(WebhookReceiver::key)
                .toList();
    }

    private static byte[] key(Secret secret) {
        return Base64.getDecoder().decode(secret.reveal().substring(SECRET_PREFIX.length()));
    }

    @Override
    public Attempt deliver(Message message, Instant now) {
        byte[] body = body(message);
        String timestamp = Long.toString(now.getEpochSecond());
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("webhook-id", message.id());
        headers.put("webhook-timestamp", timestamp);
        if (!keys.isEmpty()) {
            headers.put(
                    "webhook-signature",
                    keys.stream()
                            .map(key -> "v1," + signature(key, message.id(), timestamp, body))
                            .collect(Collectors.joining(" ")));
        }
        return http.post(headers, body, now);
    }

    static String signature(byte[] key, String id, String timestamp, byte[] body) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
            return Base64.getEncoder().encodeToString(mac.doFinal(body));
        } catch (GeneralSecurityException notThisPlatform) {
            throw new IllegalStateException("every Java platform has HmacSHA256", notThisPlatform);
        }
    }

    static byte[] body(Message message) {
        return switch (message) {
            case Message.Notice notice ->
                Json.MAPPER.writeValueAsBytes(new NoticeBody(
                        "tlsrpt.notice",
                        notice.at(),
                        new NoticeData(
                                CleanText.of(notice.title(), MAX_TEXT), CleanText.lines(notice.text(), MAX_NOTICE))));
            case Message.Alerts about -> about.alerts().size() == 1 ? body(about.first()) : body(about.alerts());
        };
    }

    /// As many of the alerts as fit, the most severe first; the rest is counted.
    private static byte[] body(List<Alert> alerts) {
        Instant newest =
                alerts.stream().map(Alert::updatedAt).max(Instant::compareTo).orElseThrow();
        for (int shown = Math.min(alerts.size(), MAX_ALERTS); ; shown--) {
            List<Alert> first = alerts.stream()
                    .limit(shown)
                    .map(alert -> cut(alert, LIST_IN_SEVERAL))
                    .toList();
            int rest = alerts.size() - shown;
            byte[] body = Json.MAPPER.writeValueAsBytes(
                    new AlertsBody("tlsrpt.alerts", newest, new AlertsData(first, rest == 0 ? null : rest)));
            if (body.length <= MAX_BODY_BYTES || shown == 1) {
                return body;
            }
        }
    }

    static byte[] body(Alert alert) {
        byte[] body = written(alert);
        for (int limit : LIST_LIMITS) {
            if (body.length <= MAX_BODY_BYTES) {
                return body;
            }
            body = written(cut(alert, limit));
        }
        return body;
    }

    private static byte[] written(Alert alert) {
        String type = alert.firing() ? "tlsrpt.alert.firing" : "tlsrpt.alert.resolved";
        return Json.MAPPER.writeValueAsBytes(new Body(type, alert.updatedAt(), alert));
    }

    private static Alert cut(Alert alert, int limit) {
        Alert.Evidence evidence = alert.evidence();
        List<String> domains = evidence.affectedDomains();
        Integer domainCount = evidence.affectedDomainCount();
        Alert.Evidence shorter = new Alert.Evidence(
                evidence.window(),
                evidence.branch(),
                evidence.failedSessionCount(),
                evidence.sessionCount(),
                evidence.baselineFailed(),
                evidence.baselineSessions(),
                evidence.probability(),
                texts(evidence.submitters(), limit),
                texts(evidence.receivingIps(), limit),
                texts(evidence.failureReasonCodes(), limit),
                texts(domains, limit),
                domainCount == null && domains != null ? Integer.valueOf(domains.size()) : domainCount,
                live(evidence.live(), limit));
        return new Alert(
                alert.alertId(),
                alert.incidentId(),
                alert.rule(),
                text(alert.resultType()),
                text(alert.policyDomain()),
                text(alert.receivingMxHostname()),
                text(alert.submitter()),
                alert.policyType(),
                limit == 0 ? null : labels(alert.labels()),
                alert.state(),
                alert.severity(),
                alert.transition(),
                alert.reopened(),
                alert.openedAt(),
                alert.updatedAt(),
                alert.resolvedAt(),
                alert.resolveReason(),
                word(alert.acknowledged()),
                limit == 0 || alert.notes() == null
                        ? null
                        : first(alert.notes(), limit).stream()
                                .map(WebhookReceiver::said)
                                .toList(),
                CleanText.of(alert.summary(), MAX_SUMMARY),
                shorter,
                alert.help(),
                alert.url(),
                alert.runbookUrl());
    }

    private static @Nullable Map<String, String> labels(@Nullable Map<String, String> labels) {
        return labels == null
                ? null
                : labels.entrySet().stream()
                        .limit(MAX_LABELS)
                        .collect(Collectors.toMap(
                                label -> CleanText.of(label.getKey(), MAX_TEXT),
                                label -> CleanText.of(label.getValue(), MAX_TEXT),
                                (one, other) -> one));
    }

    private static Alert.@Nullable Word word(Alert.@Nullable Word word) {
        return word == null ? null : said(word);
    }

    private static Alert.Word said(Alert.Word word) {
        return new Alert.Word(CleanText.of(word.by(), MAX_TEXT), word.at(), text(word.text()));
    }

    private static Alert.@Nullable Live live(Alert.@Nullable Live live, int limit) {
        return live == null
                ? null
                : new Alert.Live(
                        live.inspectedAt(),
                        CleanText.of(live.summary(), MAX_SUMMARY),
                        live.confirms(),
                        limit == 0 || live.findings() == null ? null : first(live.findings(), limit));
    }

    private static @Nullable String text(@Nullable String text) {
        return text == null ? null : CleanText.of(text, MAX_TEXT);
    }

    private static @Nullable List<String> texts(@Nullable List<String> texts, int limit) {
        return texts == null
                ? null
                : first(texts, limit).stream()
                        .map(each -> CleanText.of(each, MAX_TEXT))
                        .toList();
    }

    private static <T> List<T> first(List<T> list, int limit) {
        return list.size() <= limit ? list : list.subList(0, limit);
    }
}

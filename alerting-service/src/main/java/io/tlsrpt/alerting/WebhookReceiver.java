package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.inspection.AddressGuard;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Secret;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.SSLHandshakeException;
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
/// The address is a secret and stands in no log line, metric, exception or notification. Redirects are not followed.
/// Of the answer only status and `Retry-After` count; its body is not read.
///
/// Unless private addresses are allowed, the name is resolved before each attempt and every address must be public. The
/// HTTP client resolves it again when it connects; the virtual machine's own cache (30 s unless configured otherwise)
/// makes both see the same answer except when the entry runs out between the two. Whoever controls the DNS of a
/// configured receiver and hits that instant could still aim the POST at a private address, without ever seeing an
/// answer. A firewall that forbids such connections closes that too.
final class WebhookReceiver implements Receiver {

    static final int MAX_BODY_BYTES = 20_000;

    private static final String SECRET_PREFIX = "whsec_";
    private static final int[] LIST_LIMITS = {100, 20, 5, 0};
    private static final int MAX_SUMMARY = 1_000;
    private static final int MAX_ALERTS = 50;
    private static final int LIST_IN_SEVERAL = 5;

    private final URI address;
    private final byte @Nullable [] key;
    private final boolean privateAllowed;
    private final Duration timeout;
    private final HttpClient client;

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

    /// @param settings whose address and signing secret were checked when they were read
    WebhookReceiver(AlertingSettings.Receiver settings, HttpClient client) {
        Secret secret = settings.signingSecret();
        this.address = URI.create(Objects.requireNonNull(settings.url()).reveal());
        this.key = secret == null ? null : key(secret);
        this.privateAllowed = settings.allowPrivateAddresses();
        this.timeout = settings.timeout();
        this.client = client;
    }

    /// A client as this receiver needs it; one serves all receivers.
    static HttpClient client() {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(Duration.ofSeconds(10))
                .build();
    }

    private static byte[] key(Secret secret) {
        return Base64.getDecoder().decode(secret.reveal().substring(SECRET_PREFIX.length()));
    }

    @Override
    public Attempt deliver(Message message, Instant now) {
        try {
            if (!privateAllowed) {
                for (InetAddress each : InetAddress.getAllByName(address.getHost())) {
                    if (!AddressGuard.isPublic(each)) {
                        return Attempt.of(Result.FORBIDDEN, "not a public address; see allow-private-addresses");
                    }
                }
            }
            HttpResponse<InputStream> answer =
                    client.send(request(message, now), HttpResponse.BodyHandlers.ofInputStream());
            answer.body().close();
            return judged(answer, now);
        } catch (UnknownHostException unknown) {
            return Attempt.of(Result.UNREACHABLE, "host unknown");
        } catch (HttpConnectTimeoutException slow) {
            return Attempt.of(Result.UNREACHABLE, "no connection in time");
        } catch (HttpTimeoutException slow) {
            return Attempt.of(Result.TIMEOUT, "no answer within " + timeout.toSeconds() + " s");
        } catch (ConnectException refused) {
            return Attempt.of(Result.UNREACHABLE, "no connection");
        } catch (SSLHandshakeException refused) {
            return Attempt.of(Result.UNREACHABLE, "TLS handshake failed");
        } catch (IOException broken) {
            return Attempt.of(Result.BROKEN, "connection broke");
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return Attempt.of(Result.BROKEN, "stopped");
        }
    }

    private HttpRequest request(Message message, Instant now) {
        byte[] body = body(message);
        String timestamp = Long.toString(now.getEpochSecond());
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .timeout(timeout)
                .header("content-type", "application/json")
                .header("user-agent", "tlsrpt")
                .header("webhook-id", message.id())
                .header("webhook-timestamp", timestamp)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        if (key != null) {
            request.header("webhook-signature", "v1," + signature(key, message.id(), timestamp, body));
        }
        return request.build();
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

    private static Attempt judged(HttpResponse<InputStream> answer, Instant now) {
        int status = answer.statusCode();
        Duration retryAfter = answer.headers()
                .firstValue("retry-after")
                .map(text -> retryAfter(text, now))
                .orElse(null);
        String detail = "status " + status;
        return switch (status) {
            case 410 -> Attempt.of(Result.GONE, detail);
            case 408, 425, 429 -> new Attempt(Result.THROTTLED, detail, retryAfter);
            case 503 ->
                retryAfter == null
                        ? Attempt.of(Result.SERVER_ERROR, detail)
                        : new Attempt(Result.THROTTLED, detail, retryAfter);
            default ->
                switch (status / 100) {
                    case 2 -> Attempt.of(Result.DELIVERED, detail);
                    case 3 -> Attempt.of(Result.REDIRECTED, detail);
                    case 4 -> Attempt.of(Result.REFUSED, detail);
                    default -> Attempt.of(Result.SERVER_ERROR, detail);
                };
        };
    }

    /// Seconds or an HTTP date (RFC 9110 §10.2.3); anything else counts as absent.
    private static @Nullable Duration retryAfter(String text, Instant now) {
        Duration asked;
        if (text.matches("[0-9]{1,9}")) {
            asked = Duration.ofSeconds(Long.parseLong(text));
        } else {
            try {
                asked = Duration.between(now, ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME));
            } catch (DateTimeException notADate) {
                return null;
            }
        }
        if (asked.isNegative()) {
            return Duration.ZERO;
        }
        return asked.compareTo(Attempt.MAX_RETRY_AFTER) > 0 ? Attempt.MAX_RETRY_AFTER : asked;
    }

    static byte[] body(Message message) {
        return switch (message) {
            case Message.Notice notice ->
                Json.MAPPER.writeValueAsBytes(
                        new NoticeBody("tlsrpt.notice", notice.at(), new NoticeData(notice.title(), notice.text())));
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
                first(evidence.submitters(), limit),
                first(evidence.receivingIps(), limit),
                first(evidence.failureReasonCodes(), limit),
                first(domains, limit),
                domainCount == null && domains != null ? Integer.valueOf(domains.size()) : domainCount,
                evidence.live());
        String summary = alert.summary();
        return new Alert(
                alert.alertId(),
                alert.incidentId(),
                alert.rule(),
                alert.resultType(),
                alert.policyDomain(),
                alert.receivingMxHostname(),
                alert.submitter(),
                alert.policyType(),
                limit == 0 ? null : alert.labels(),
                alert.state(),
                alert.severity(),
                alert.transition(),
                alert.reopened(),
                alert.openedAt(),
                alert.updatedAt(),
                alert.resolvedAt(),
                alert.resolveReason(),
                alert.acknowledged(),
                alert.notes(),
                summary.length() <= MAX_SUMMARY ? summary : summary.substring(0, MAX_SUMMARY),
                shorter,
                alert.help(),
                alert.url(),
                alert.runbookUrl());
    }

    private static @Nullable List<String> first(@Nullable List<String> list, int limit) {
        return list == null || list.size() <= limit ? list : list.subList(0, limit);
    }
}

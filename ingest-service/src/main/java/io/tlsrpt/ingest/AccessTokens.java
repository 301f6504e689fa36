package io.tlsrpt.ingest;

import io.tlsrpt.runtime.Secret;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// OAuth2 access tokens for one mailbox: from a file that another program renews, or from a token endpoint with a
/// refresh token (RFC 6749 §6) or as the client itself (§4.4). Used by one thread.
final class AccessTokens implements AutoCloseable {

    /// A token is not used when it has less left than this.
    private static final Duration MARGIN = Duration.ofMinutes(2);

    private static final Duration WITHOUT_EXPIRY = Duration.ofMinutes(10);
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration TIMEOUT = Duration.ofSeconds(40);
    private static final int MOST_BYTES = 64 * 1024;

    private final Settings.Mail.OAuth2 settings;
    private final Clock clock;
    private final Duration timeout;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(CONNECT_TIMEOUT).build();
    private @Nullable Secret refreshToken;
    private @Nullable Secret token;
    private Instant until = Instant.MIN;

    AccessTokens(Settings.Mail.OAuth2 settings, Clock clock) {
        this(settings, clock, TIMEOUT);
    }

    /// @param timeout of a request and its whole answer
    AccessTokens(Settings.Mail.OAuth2 settings, Clock clock, Duration timeout) {
        this.settings = settings;
        this.clock = clock;
        this.timeout = timeout;
        this.refreshToken = settings.refreshToken();
    }

    /// A token for a login now.
    ///
    /// @throws IOException when there is none; its text holds no secret
    Secret current() throws IOException, InterruptedException {
        if (settings.accessTokenFile() != null) {
            return fromFile(settings.accessTokenFile());
        }
        Secret known = token;
        if (known != null && clock.instant().isBefore(until)) {
            return known;
        }
        Secret fresh = ask(Objects.requireNonNull(settings.tokenUrl()));
        token = fresh;
        return fresh;
    }

    /// The server did not want the last one.
    void forget() {
        token = null;
    }

    private static Secret fromFile(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            String text = new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8).strip();
            if (text.isEmpty() || text.chars().anyMatch(c -> c <= ' ' || c > '~')) {
                throw new IOException("no access token in " + file);
            }
            return new Secret(text);
        }
    }

    private Secret ask(String url) throws IOException, InterruptedException {
        Map<String, String> form = new LinkedHashMap<>();
        if (refreshToken != null) {
            form.put("grant_type", "refresh_token");
            form.put("refresh_token", refreshToken.reveal());
        } else {
            form.put("grant_type", "client_credentials");
        }
        form.put("client_id", Objects.requireNonNull(settings.clientId()));
        if (settings.clientSecret() != null) {
            form.put("client_secret", settings.clientSecret().reveal());
        }
        if (settings.scope() != null) {
            form.put("scope", settings.scope());
        }
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("Accept", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(form.entrySet().stream()
                        .map(each -> each.getKey() + "=" + URLEncoder.encode(each.getValue(), StandardCharsets.UTF_8))
                        .collect(Collectors.joining("&"))))
                .build();
        HttpResponse<byte[]> response = answer(request);
        JsonNode answer;
        try {
            answer = Json.MAPPER.readTree(response.body());
        } catch (JacksonException noJson) {
            // its text might hold a part of the token
            throw new IOException("the token endpoint answered " + response.statusCode() + " without JSON");
        }
        String fresh = answer.path("access_token").asString("");
        if (response.statusCode() != 200 || fresh.isEmpty()) {
            throw new IOException("the token endpoint answered " + response.statusCode() + " "
                    + Untrusted.shown(answer.path("error").asString("without a token")));
        }
        String next = answer.path("refresh_token").asString("");
        if (!next.isEmpty()) {
            refreshToken = new Secret(next);
        }
        long seconds = answer.path("expires_in").asLong(WITHOUT_EXPIRY.toSeconds());
        until = clock.instant()
                .plusSeconds(Math.clamp(seconds, 0, Duration.ofDays(1).toSeconds()))
                .minus(MARGIN);
        return new Secret(fresh);
    }

    /// The request's own timeout would end with the head of the answer, so this one is kept here.
    private HttpResponse<byte[]> answer(HttpRequest request) throws IOException, InterruptedException {
        CompletableFuture<HttpResponse<byte[]>> answer = http.sendAsync(
                request, HttpResponse.BodyHandlers.limiting(HttpResponse.BodyHandlers.ofByteArray(), MOST_BYTES));
        try {
            return answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException silent) {
            throw new IOException("the token endpoint has not answered in " + timeout, silent);
        } catch (ExecutionException failed) {
            throw new IOException("the token endpoint gave no answer", failed.getCause());
        } finally {
            answer.cancel(true);
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}

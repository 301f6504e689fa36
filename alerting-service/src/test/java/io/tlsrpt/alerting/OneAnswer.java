package io.tlsrpt.alerting;

import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.AlertingSettings.Kind;
import io.tlsrpt.runtime.Secret;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// A web server on the loopback address that keeps what it is sent and answers as told.
final class OneAnswer implements AutoCloseable {

    /// One request as it came.
    record Request(String path, Map<String, List<String>> headers, String body) {

        String header(String name) {
            return Objects.requireNonNull(headers.get(name), name).getFirst();
        }

        JsonNode json() {
            return Json.MAPPER.readTree(body);
        }
    }

    final List<Request> requests = new CopyOnWriteArrayList<>();

    private final HttpServer server;
    private final Deque<Integer> statuses = new ArrayDeque<>();

    /// @param statuses of the answers in their order; the last one for all further requests
    OneAnswer(String answer, Integer... statuses) throws IOException {
        this.statuses.addAll(List.of(statuses));
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            requests.add(
                    new Request(exchange.getRequestURI().toString(), Map.copyOf(exchange.getRequestHeaders()), body));
            byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
            // length 0 means chunks
            exchange.sendResponseHeaders(next(), answer.startsWith("chunks") ? 0 : bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
    }

    private int next() {
        return statuses.size() > 1 ? statuses.removeFirst() : statuses.getFirst();
    }

    String url(String path) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + path;
    }

    Request only() {
        if (requests.size() != 1) {
            throw new AssertionError(requests.size() + " requests: " + requests);
        }
        return requests.getFirst();
    }

    @Override
    public void close() {
        server.stop(0);
    }

    static AlertingSettings.Receiver settings(Kind kind, @Nullable String url) {
        return settings(kind, url, null, null);
    }

    static AlertingSettings.Receiver settings(
            Kind kind, @Nullable String url, @Nullable String user, @Nullable String password) {
        return new AlertingSettings.Receiver(
                "ops",
                kind,
                url == null ? null : new Secret(url),
                null,
                null,
                kind == Kind.PAGERDUTY ? new Secret("0123456789abcdef0123456789ABCDEF") : null,
                user,
                password == null ? null : new Secret(password),
                kind == Kind.EMAIL ? List.of("oncall@example.com", "second@example.com") : List.of(),
                Severity.WARNING,
                true,
                30,
                true,
                Duration.ofSeconds(5));
    }
}

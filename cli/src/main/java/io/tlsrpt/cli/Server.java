package io.tlsrpt.cli;

import io.tlsrpt.runtime.Secret;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.SerializableString;
import tools.jackson.core.io.CharacterEscapes;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectWriter;

/// The HTTP API of a running tlsrpt.
final class Server implements AutoCloseable {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration TIMEOUT = Duration.ofMinutes(1);
    private static final int MOST_PROBLEM = 64 * 1024;

    /// JSON of strangers for a terminal: nothing but printable ASCII.
    static final ObjectWriter ASCII =
            Json.MAPPER.writer().with(JsonWriteFeature.ESCAPE_NON_ASCII).with(new DeleteToo());

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
    private final String url;
    private final @Nullable Secret token;

    /// @param token who asks; absent: the server must not want to know
    Server(String url, @Nullable Secret token) {
        this.token = token;
        String withoutSlash = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
        if (!withoutSlash.startsWith("http://") && !withoutSlash.startsWith("https://")) {
            throw new Failure("--url is like http://127.0.0.1:8080");
        }
        this.url = withoutSlash;
    }

    /// The rows of every page, one after another.
    void rows(String path, Map<String, String> query, int most, Consumer<JsonNode> row) {
        rowsWhile(path, query, most, each -> {
            row.accept(each);
            return true;
        });
    }

    /// The rows of every page, one after another, up to one that is not wanted.
    void rowsWhile(String path, Map<String, String> query, int most, Predicate<JsonNode> wanted) {
        Map<String, String> parameters = new TreeMap<>(query);
        int left = most;
        while (left > 0) {
            JsonNode page = get(path, parameters);
            for (JsonNode each : page.path("rows")) {
                if (left-- > 0 && !wanted.test(each)) {
                    return;
                }
            }
            if (!page.path("cursor").isString()) {
                return;
            }
            parameters.put("cursor", page.path("cursor").stringValue());
        }
    }

    /// @throws Failure when there is no answer, or one that says no
    private JsonNode get(String path, Map<String, String> query) {
        return read(good(ask(request(path, query))));
    }

    /// Posts nothing: the path says it all.
    ///
    /// @param segments of the path behind the first, whatever they contain
    /// @throws Failure when there is no answer, or one that says no
    JsonNode act(String path, String... segments) {
        return read(good(ask(acting(path, segments))));
    }

    private HttpRequest.Builder acting(String path, String... segments) {
        String rest = Arrays.stream(segments)
                .map(segment -> "/" + URLEncoder.encode(segment, StandardCharsets.UTF_8))
                .collect(Collectors.joining());
        return request(path + rest, Map.of()).POST(HttpRequest.BodyPublishers.noBody());
    }

    /// As [#act]; absent when the server has none such (404).
    Optional<JsonNode> actIfThere(String path, String... segments) {
        HttpResponse<byte[]> response = ask(acting(path, segments));
        return response.statusCode() == 404 ? Optional.empty() : Optional.of(read(good(response)));
    }

    /// Does something.
    ///
    /// @param path encoded
    /// @param body absent: none
    /// @throws Failure when there is no answer, or one that says no
    JsonNode send(String method, String path, Map<String, String> query, @Nullable JsonNode body) {
        return send(method, path, query, body, TIMEOUT);
    }

    /// Does something that may take its time.
    ///
    /// @throws Failure when there is no answer, or one that says no
    JsonNode send(String method, String path, Map<String, String> query, @Nullable JsonNode body, Duration patience) {
        HttpRequest.Builder request = request(path, query);
        if (body == null) {
            request.method(method, HttpRequest.BodyPublishers.noBody());
        } else {
            request.header("Content-Type", "application/json")
                    .method(method, HttpRequest.BodyPublishers.ofByteArray(Json.MAPPER.writeValueAsBytes(body)));
        }
        return read(good(ask(request, patience)));
    }

    /// As [#send] by POST of an empty object; absent when something else must be so first (409).
    Optional<JsonNode> postUnlessConflict(String path, Map<String, String> query) {
        HttpResponse<byte[]> response = ask(request(path, query)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{}")));
        return response.statusCode() == 409 ? Optional.empty() : Optional.of(read(good(response)));
    }

    /// One thing; absent when the server has none such (404).
    ///
    /// @throws Failure when there is no answer, or one that says no
    Optional<JsonNode> find(String path, Map<String, String> query) {
        return bytes(path, query).map(this::read);
    }

    /// A download; absent when the server has none such (404).
    ///
    /// @throws Failure when there is no answer, or one that says no
    Optional<byte[]> bytes(String path, Map<String, String> query) {
        HttpResponse<byte[]> response = ask(request(path, query));
        return response.statusCode() == 404 ? Optional.empty() : Optional.of(good(response));
    }

    private byte[] good(HttpResponse<byte[]> response) {
        if (response.statusCode() / 100 != 2) {
            throw new Failure(says(response.statusCode(), response.body()));
        }
        return response.body();
    }

    /// What an answer that says no says, and what to do about it.
    String says(int status, byte[] problem) {
        String said = url + " says " + status + ": " + detail(new String(problem, StandardCharsets.UTF_8));
        return status == 401 && token == null
                ? said + " – name a file with a token by --token-file, or set TLSRPT_TOKEN"
                : said;
    }

    private JsonNode read(byte[] answer) {
        try {
            return Json.MAPPER.readTree(answer);
        } catch (JacksonException other) {
            throw new Failure("what answers at " + url + " is no tlsrpt: check --url");
        }
    }

    private HttpResponse<byte[]> ask(HttpRequest.Builder request) {
        return ask(request, TIMEOUT);
    }

    private HttpResponse<byte[]> ask(HttpRequest.Builder request, Duration patience) {
        try {
            return client.send(request.timeout(patience).build(), HttpResponse.BodyHandlers.ofByteArray());
        } catch (ConnectException nobody) {
            throw nobody();
        } catch (IOException broken) {
            throw new Failure("no answer from " + url + ": " + broken.getMessage());
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new Failure("interrupted");
        }
    }

    /// Posts once.
    ///
    /// @throws IOException when the connection failed
    HttpResponse<InputStream> post(String path, Map<String, String> query, HttpRequest.BodyPublisher body)
            throws IOException {
        try {
            return client.send(
                    request(path, query)
                            .header("Content-Type", "application/octet-stream")
                            .POST(body)
                            .build(),
                    HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new Failure("interrupted");
        }
    }

    /// Follows something without end.
    ///
    /// @param lastId of the event after which to go on; absent: at what comes
    /// @param first whether an answer that it cannot be done now is a failure too
    /// @return 200, or what may be tried again
    /// @throws IOException when the connection failed
    /// @throws Failure when the answer says no
    HttpResponse<InputStream> stream(String path, Map<String, String> query, @Nullable String lastId, boolean first)
            throws IOException {
        HttpRequest.Builder request = request(path, query).header("Accept", "text/event-stream");
        if (lastId != null) {
            request.header("Last-Event-ID", lastId);
        }
        try {
            HttpResponse<InputStream> response =
                    client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
            if (response.statusCode() != 200 && (first || response.statusCode() < 500)) {
                try (InputStream body = response.body()) {
                    throw new Failure(says(response.statusCode(), body.readNBytes(MOST_PROBLEM)));
                }
            }
            return response;
        } catch (ConnectException nobody) {
            if (first) {
                throw nobody();
            }
            throw nobody;
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new Failure("interrupted");
        }
    }

    /// Nobody listens there.
    Failure nobody() {
        return new Failure("no tlsrpt answers at " + url + " – start it with ./tlsrpt run, or name another with --url");
    }

    String url() {
        return url;
    }

    /// What a problem (RFC 9457) says, fit for a terminal.
    static String detail(String body) {
        try {
            JsonNode problem = Json.MAPPER.readTree(body);
            String detail =
                    problem.path("detail").asString(problem.path("title").asString(""));
            return Terminal.shown(detail.isEmpty() ? "no reason given" : detail);
        } catch (JacksonException noProblem) {
            return "no reason given";
        }
    }

    private HttpRequest.Builder request(String path, Map<String, String> query) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path, query));
        return token == null ? request : request.header("Authorization", "Bearer " + token.reveal());
    }

    private URI uri(String path, Map<String, String> query) {
        String parameters = query.entrySet().stream()
                .map(parameter ->
                        parameter.getKey() + "=" + URLEncoder.encode(parameter.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        try {
            return URI.create(url + path + (parameters.isEmpty() ? "" : "?" + parameters));
        } catch (IllegalArgumentException bad) {
            throw new Failure("--url is like http://127.0.0.1:8080");
        }
    }

    @Override
    public void close() {
        client.shutdownNow();
    }

    /// U+007F is ASCII and not printable.
    private static final class DeleteToo extends CharacterEscapes {

        private static final long serialVersionUID = 1;

        @Override
        public int[] getEscapeCodesForAscii() {
            int[] escapes = standardAsciiEscapesForJSON();
            escapes[0x7f] = ESCAPE_STANDARD;
            return escapes;
        }

        @Override
        public @Nullable SerializableString getEscapeSequence(int character) {
            return null;
        }
    }
}

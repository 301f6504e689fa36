package io.tlsrpt.console;

import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.runtime.BrowserGuard;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The paths of the console, all alike in what is refused before a question is read, in the headers of every answer and
/// in what a failure is answered. Faults are RFC 9457 problems that name the parameter.
///
/// What changes something is a POST of `application/json`, which no HTML form of another site can send, or a DELETE;
/// and
/// a browser must say that one of our own pages sent it ([BrowserGuard]).
final class ApiRoutes {

    private static final Logger LOG = LoggerFactory.getLogger(ApiRoutes.class);

    private static final String GET = "GET";
    private static final String POST = "POST";
    private static final String DELETE = "DELETE";
    private static final int MOST_BODY_BYTES = 64 * 1024;

    /// Nothing here is to be kept, sniffed, framed or run by a browser.
    private static final Map<String, String> EVERY_ANSWER = Map.of(
            "Cache-Control", "no-store",
            "X-Content-Type-Options", "nosniff",
            "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'",
            "Referrer-Policy", "no-referrer",
            "Cross-Origin-Resource-Policy", "same-origin");

    private final List<Endpoint> endpoints;
    private final BrowserGuard guard;
    private final MeterRegistry meters;

    /// Reads the parameters first and answers after: between the two, faulty parameters end the request.
    interface Question {
        Supplier<Answer> read(Parameters parameters);
    }

    /// One path and what may be asked of it.
    ///
    /// @param parameters of the query
    record Endpoint(String method, String path, Set<String> parameters, Question question) {

        static Endpoint get(String path, Set<String> parameters, Question question) {
            return new Endpoint(GET, path, parameters, question);
        }

        static Endpoint post(String path, Set<String> parameters, Question question) {
            return new Endpoint(POST, path, parameters, question);
        }

        static Endpoint delete(String path, Question question) {
            return new Endpoint(DELETE, path, Set.of(), question);
        }
    }

    /// How a request ended; the sum over all is the number of requests.
    enum Outcome {
        ANSWERED,
        REFUSED,
        UNAVAILABLE,
        FAILED;

        private static Outcome of(int status) {
            return switch (status) {
                case 200, 201, 202, 204 -> ANSWERED;
                case 503 -> UNAVAILABLE;
                case 500 -> FAILED;
                default -> REFUSED;
            };
        }

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    ApiRoutes(List<Endpoint> endpoints, BrowserGuard guard, MeterRegistry meters) {
        this.endpoints = List.copyOf(endpoints);
        this.guard = guard;
        this.meters = meters;
    }

    List<Endpoint> endpoints() {
        return endpoints;
    }

    void routing(HttpRouting.Builder routing) {
        Map<String, Map<String, Endpoint>> byPath = new LinkedHashMap<>();
        endpoints.forEach(endpoint -> byPath.computeIfAbsent(endpoint.path(), path -> new LinkedHashMap<>())
                .put(endpoint.method(), endpoint));
        byPath.forEach(
                (path, methods) -> routing.any(path, (request, response) -> serve(path, methods, request, response)));
    }

    private void serve(String path, Map<String, Endpoint> methods, ServerRequest request, ServerResponse response) {
        String method = request.prologue().method().text();
        boolean head = method.equals(Method.HEAD.text());
        Endpoint endpoint = methods.get(head ? GET : method);
        Answer answer;
        if (endpoint == null) {
            List<String> allowed = new ArrayList<>(methods.keySet());
            if (methods.containsKey(GET)) {
                allowed.add(allowed.indexOf(GET) + 1, Method.HEAD.text());
            }
            answer = Answer.methodNotAllowed(allowed);
        } else {
            answer = answer(path, endpoint, request);
        }
        meters.counter(
                        "tlsrpt.console.requests",
                        "outcome",
                        Outcome.of(answer.status()).word())
                .increment();
        EVERY_ANSWER.forEach((name, value) -> response.header(HeaderNames.create(name), value));
        answer.headers().forEach((name, value) -> response.header(HeaderNames.create(name), value));
        if (request.content().hasEntity() && !request.content().consumed()) {
            response.header(HeaderValues.CONNECTION_CLOSE); // what was sent with it is not for the next request
        }
        response.header(HeaderNames.CONTENT_TYPE, answer.contentType());
        response.header(HeaderNames.CONTENT_LENGTH, Integer.toString(answer.body().length));
        response.status(Status.create(answer.status()));
        response.send(head ? new byte[0] : answer.body());
    }

    private Answer answer(String path, Endpoint endpoint, ServerRequest request) {
        Optional<BrowserGuard.Refusal> refusal =
                endpoint.method().equals(GET) ? guard.reading(request) : guard.acting(request);
        if (refusal.isPresent()) {
            BrowserGuard.Refusal why = refusal.get();
            return Answer.problem(why.status(), why.title(), why.detail());
        }
        ObjectNode body = Json.MAPPER.createObjectNode();
        if (endpoint.method().equals(POST)) {
            if (!isJson(request)) {
                return Answer.problem(415, "Unsupported Media Type", "this takes Content-Type: application/json");
            }
            byte[] sent = sent(request);
            if (sent.length > MOST_BODY_BYTES) {
                return Answer.problem(413, "Content Too Large", "at most " + MOST_BODY_BYTES + " bytes");
            }
            try {
                JsonNode read = Json.MAPPER.readTree(sent);
                if (!(read instanceof ObjectNode object)) {
                    return Answer.problem(400, "Bad Request", "the body is not a JSON object");
                }
                body = object;
            } catch (JacksonException noJson) {
                return Answer.problem(400, "Bad Request", "the body is not a JSON object");
            }
        }
        Parameters parameters;
        try {
            parameters = parameters(endpoint, request, body);
        } catch (IllegalArgumentException notDecodable) {
            return Answer.problem(400, "Bad Request", "the query is not percent-encoded UTF-8");
        }
        Supplier<Answer> question = endpoint.question().read(parameters);
        if (!parameters.faults().isEmpty()) {
            return Answer.badRequest(parameters.faults());
        }
        return answer(path, question);
    }

    private static Answer answer(String path, Supplier<Answer> question) {
        try {
            return question.get();
        } catch (InvalidStateStoreException restoring) {
            return Answer.unavailable("the views are being restored from the broker; ask again shortly");
        } catch (RetriableException away) {
            LOG.atWarn()
                    .addKeyValue("path", path)
                    .addKeyValue("error", away.getClass().getSimpleName())
                    .log("the broker did not answer in time");
            return Answer.unavailable("the broker did not answer in time; ask again shortly");
        } catch (RuntimeException unexpected) {
            LOG.atError().addKeyValue("path", path).setCause(unexpected).log("request failed");
            return Answer.problem(500, "Internal Server Error", "the log has the cause");
        }
    }

    private static boolean isJson(ServerRequest request) {
        String type = request.headers().first(HeaderNames.CONTENT_TYPE).orElse("");
        int semicolon = type.indexOf(';');
        return (semicolon < 0 ? type : type.substring(0, semicolon)).strip().equalsIgnoreCase("application/json");
    }

    /// The body, or one byte more of it than may be.
    private static byte[] sent(ServerRequest request) {
        if (!request.content().hasEntity()) {
            return new byte[0];
        }
        try (InputStream in = request.content().inputStream()) {
            return in.readNBytes(MOST_BODY_BYTES + 1);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    private static Parameters parameters(Endpoint endpoint, ServerRequest request, ObjectNode body) {
        Map<String, String> path = new HashMap<>();
        var segments = request.path().pathParameters();
        segments.names().forEach(name -> path.put(name, segments.get(name)));
        Map<String, List<String>> query = request.query().names().stream()
                .collect(Collectors.toMap(
                        name -> name, name -> request.query().all(name), (one, other) -> one, LinkedHashMap::new));
        return new Parameters(path, query, endpoint.parameters(), body);
    }
}

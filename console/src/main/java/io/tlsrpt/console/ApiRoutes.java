package io.tlsrpt.console;

import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.Caller;
import io.tlsrpt.topics.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.jspecify.annotations.Nullable;
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
/// a browser must say that one of our own pages sent it ([Access]).
final class ApiRoutes {

    private static final Logger LOG = LoggerFactory.getLogger(ApiRoutes.class);

    private static final String GET = "GET";
    private static final String POST = "POST";
    private static final String DELETE = "DELETE";
    private static final int MOST_BODY_BYTES = 64 * 1024;
    private static final int WORTH_PACKING = 1_024;

    /// Where an endpoint has this parameter, `Accept` stands for it too.
    private static final String FORMAT = "format";

    /// Nothing here is to be sniffed, framed or run by a browser, and kept only with its tag, asked again each time.
    private static final Map<String, String> EVERY_ANSWER = Map.of(
            "Cache-Control", "no-store",
            "X-Content-Type-Options", "nosniff",
            "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'",
            "Referrer-Policy", "no-referrer",
            "Cross-Origin-Resource-Policy", "same-origin");

    private final List<Endpoint> endpoints;
    private final Access access;
    private final MeterRegistry meters;
    private final SlowReaders slowReaders;

    /// Reads the parameters first and answers after: between the two, faulty parameters end the request.
    interface Question {
        Supplier<Answer> read(Parameters parameters);
    }

    /// Who may ask.
    enum Reach {
        /// Anybody: what it answers is the same for all, and tells nothing of reports.
        ANYBODY,
        /// Whoever may ask at all: it looks at what is [Visible] to the caller itself, or tells nothing of domains.
        EACH,
        /// Who is shown the domain in the path.
        DOMAIN,
        /// Who is shown every domain.
        ALL
    }

    /// One path and what may be asked of it. A caller limited to labels comes no further than to a path with a domain
    /// that
    /// is shown to it, unless the endpoint says that it looks at what is visible itself ([#filtered]).
    ///
    /// @param parameters of the query; absent: it has any, which are for the page in the browser
    record Endpoint(String method, String path, @Nullable Set<String> parameters, Reach reach, Question question) {

        private Endpoint(String method, String path, Set<String> parameters, Question question) {
            this(method, path, parameters, path.contains("{domain}") ? Reach.DOMAIN : Reach.ALL, question);
        }

        /// A part of a page: the same for everybody.
        static Endpoint page(String path, Supplier<Answer> answer) {
            return page(path, parameters -> answer);
        }

        /// A part of a page: the same for everybody.
        static Endpoint page(String path, Question question) {
            return new Endpoint(GET, path, null, Reach.ANYBODY, question);
        }

        static Endpoint get(String path, Set<String> parameters, Question question) {
            return new Endpoint(GET, path, parameters, question);
        }

        static Endpoint post(String path, Set<String> parameters, Question question) {
            return new Endpoint(POST, path, parameters, question);
        }

        static Endpoint delete(String path, Question question) {
            return new Endpoint(DELETE, path, Set.of(), question);
        }

        /// Also for callers who are limited to labels: it answers only what is visible to them.
        Endpoint filtered() {
            return new Endpoint(method, path, parameters, Reach.EACH, question);
        }

        /// For everybody, also those who have not said who they are.
        Endpoint open() {
            return new Endpoint(method, path, parameters, Reach.ANYBODY, question);
        }

        private boolean acts() {
            return !method.equals(GET);
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
                case 200, 201, 202, 204, 304 -> ANSWERED;
                case 503 -> UNAVAILABLE;
                case 500 -> FAILED;
                default -> REFUSED;
            };
        }

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    ApiRoutes(List<Endpoint> endpoints, Access access, MeterRegistry meters) {
        this.endpoints = List.copyOf(endpoints);
        this.access = access;
        this.meters = meters;
        this.slowReaders = new SlowReaders(SlowReaders.PATIENCE, meters);
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
        if (request.content().hasEntity() && !request.content().consumed()) {
            response.header(HeaderValues.CONNECTION_CLOSE); // what was sent with it is not for the next request
        }
        try (Answer.Stream stream = answer.stream()) {
            send(answer, stream, head, request, response);
        }
    }

    private void send(
            Answer answer,
            Answer.@Nullable Stream stream,
            boolean head,
            ServerRequest request,
            ServerResponse response) {
        boolean asked = head || request.prologue().method().equals(Method.GET);
        Answer tagged = asked && answer.status() == 200 && stream == null && !answer.isDownload()
                ? tagged(answer, request)
                : answer;
        EVERY_ANSWER.forEach((name, value) -> response.header(HeaderNames.create(name), value));
        tagged.headers().forEach((name, value) -> response.header(HeaderNames.create(name), value));
        response.header(HeaderNames.CONTENT_TYPE, tagged.contentType());
        response.status(Status.create(tagged.status()));
        response.header(HeaderNames.VARY, "Accept, Accept-Encoding");
        try {
            if (stream != null && !head) {
                write(stream, request, response);
                return;
            }
            byte[] body = tagged.body();
            if (body.length >= WORTH_PACKING && packs(tagged, request)) {
                body = packed(body);
                response.header(HeaderNames.CONTENT_ENCODING, "gzip");
            }
            response.header(HeaderNames.CONTENT_LENGTH, Integer.toString(body.length));
            byte[] sent = head ? new byte[0] : body;
            slowReaders.watching(() -> response.send(sent));
        } catch (IOException gone) {
            throw new UncheckedIOException(gone);
        }
    }

    private void write(Answer.Stream stream, ServerRequest request, ServerResponse response) throws IOException {
        try (OutputStream out = response.outputStream()) {
            SlowReaders.Write write = () -> stream.writeTo(out, () -> access.reading(request));
            if (stream.isEndless()) {
                write.run();
            } else {
                slowReaders.watching(write);
            }
        }
    }

    /// With a tag of its content, by which a client that has it already is told so. The tag is weak, for it names the
    /// content and not its packing.
    private static Answer tagged(Answer answer, ServerRequest request) {
        String tag = "W/\"" + HexFormat.of().formatHex(sha256(answer.body()), 0, 16) + '"';
        Answer tagged = answer.with(Map.of("ETag", tag, "Cache-Control", "private, no-cache"));
        boolean known = request.headers().first(HeaderNames.IF_NONE_MATCH).stream()
                .flatMap(value -> Arrays.stream(value.split(",", -1)))
                .map(String::strip)
                .anyMatch(candidate -> candidate.equals(tag) || candidate.equals("*"));
        return known ? tagged.notModified() : tagged;
    }

    private static boolean packs(Answer answer, ServerRequest request) {
        return !answer.isDownload()
                && request.headers().first(HeaderNames.ACCEPT_ENCODING).stream()
                        .flatMap(value -> Arrays.stream(value.split(",", -1)))
                        .map(String::strip)
                        .anyMatch("gzip"::equals);
    }

    private static byte[] packed(byte[] body) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(body.length / 4);
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(body);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return out.toByteArray();
    }

    private static byte[] sha256(byte[] body) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(body);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private Answer answer(String path, Endpoint endpoint, ServerRequest request) {
        Caller caller = Caller.NOBODY;
        if (endpoint.reach() == Reach.ANYBODY) {
            Optional<Access.Refusal> foreign =
                    endpoint.acts() ? access.fromElsewhere(request) : Optional.<Access.Refusal>empty();
            if (foreign.isPresent()) {
                return Answer.refused(foreign.get());
            }
        } else {
            Access.Decision decision = endpoint.acts() ? access.acting(request) : access.reading(request);
            if (decision instanceof Access.Refusal refusal) {
                return Answer.refused(refusal);
            }
            caller = (Caller) decision;
        }
        if (endpoint.reach() == Reach.ALL && !caller.seesAll()) {
            return Answer.refused(access.beyond(caller));
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
            parameters = parameters(endpoint, caller, request, body);
        } catch (IllegalArgumentException notDecodable) {
            return Answer.problem(400, "Bad Request", "the query is not percent-encoded UTF-8");
        }
        if (endpoint.reach() != Reach.ANYBODY && !parameters.domainsVisible()) {
            return Answer.problem(404, "Not Found", "there is no such domain among those that are shown to you");
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
        } catch (StillRestoring notYet) {
            return Answer.unavailable(notYet.detail());
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

    /// Whether `text/csv` is asked for by name, and JSON not rather.
    private static boolean prefersCsv(ServerRequest request) {
        double csv = 0;
        double json = 0;
        for (String value : request.headers().values(HeaderNames.ACCEPT)) {
            for (String range : value.split(",", -1)) {
                String[] parts = range.toLowerCase(Locale.ROOT).split(";", -1);
                switch (parts[0].strip()) {
                    case "text/csv" -> csv = Math.max(csv, quality(parts));
                    case "application/json" -> json = Math.max(json, quality(parts));
                    default -> {} // what takes anything takes JSON
                }
            }
        }
        return csv > json;
    }

    /// The weight of a media range (RFC 9110 §12.4.2); 0 when it is none.
    private static double quality(String[] parts) {
        for (String part : parts) {
            if (part.strip().startsWith("q=")) {
                String weight = part.strip().substring(2);
                return weight.matches("[01](\\.[0-9]{0,3})?") ? Double.parseDouble(weight) : 0;
            }
        }
        return 1;
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

    private Parameters parameters(Endpoint endpoint, Caller caller, ServerRequest request, ObjectNode body) {
        Map<String, String> path = new HashMap<>();
        var segments = request.path().pathParameters();
        segments.names().forEach(name -> path.put(name, segments.get(name)));
        Map<String, List<String>> query = request.query().names().stream()
                .collect(Collectors.toMap(
                        name -> name, name -> request.query().all(name), (one, other) -> one, LinkedHashMap::new));
        Set<String> known = endpoint.parameters();
        if (known != null && known.contains(LiveStreams.RESUME)) {
            // a browser that connects again sends the header, and the query it began with
            request.headers()
                    .first(HeaderNames.create("Last-Event-ID"))
                    .filter(id -> !id.isEmpty())
                    .ifPresent(id -> query.put(LiveStreams.RESUME, List.of(id)));
        }
        if (known != null && known.contains(FORMAT) && !query.containsKey(FORMAT) && prefersCsv(request)) {
            query.put(FORMAT, List.of(Listings.CSV));
        }
        // behind a proxy that ends TLS, the browser still says what it sees
        boolean overTls = request.isSecure()
                || request.headers().first(HeaderNames.ORIGIN).orElse("").startsWith("https://");
        return new Parameters(
                caller,
                new Visible(caller, access),
                overTls,
                path,
                query,
                known == null ? query.keySet() : known,
                body);
    }
}

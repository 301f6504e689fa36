package io.tlsrpt.console;

import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.report.RefusalHelp;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JsonGenerator;

/// Everything that can be asked over HTTP (`docs/openapi.yaml`). Answers are bounded: lists come in pages with
/// `complete` and `cursor`. Faults are RFC 9457 problems that name the parameter.
final class QueryApi {

    private static final Logger LOG = LoggerFactory.getLogger(QueryApi.class);

    private static final int MOST_DAYS = 3_660;
    private static final int DEFAULT_DAYS = 30;
    private static final JsonSerde<AcceptedReport> REPORT = new JsonSerde<>(AcceptedReport.class);

    /// Nothing here is to be kept, sniffed, framed or run by a browser.
    private static final Map<String, String> EVERY_ANSWER = Map.of(
            "Cache-Control", "no-store",
            "X-Content-Type-Options", "nosniff",
            "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'",
            "Referrer-Policy", "no-referrer",
            "Cross-Origin-Resource-Policy", "same-origin");

    private final Views views;
    private final TopicReader reader;
    private final Supplier<List<Settings.Domain>> configured;
    private final Clock clock;
    private final LoopbackNames names;
    private final MeterRegistry meters;
    private final Overview overview;

    /// Reads the parameters first and answers after: between the two, faulty parameters end the request.
    private interface Question {
        Supplier<Answer> read(Parameters parameters);
    }

    /// One path and what may be asked of it.
    private record Endpoint(String path, Set<String> parameters, Question question) {}

    /// How a request ended; the sum over all is the number of requests.
    enum Outcome {
        ANSWERED,
        REFUSED,
        UNAVAILABLE,
        FAILED;

        private static Outcome of(int status) {
            return switch (status) {
                case 200 -> ANSWERED;
                case 503 -> UNAVAILABLE;
                case 500 -> FAILED;
                default -> REFUSED;
            };
        }

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// @param configured the domains of the settings as they are now
    QueryApi(
            Views views,
            TopicReader reader,
            Supplier<List<Settings.Domain>> configured,
            Clock clock,
            LoopbackNames names,
            MeterRegistry meters) {
        this.views = views;
        this.reader = reader;
        this.configured = configured;
        this.clock = clock;
        this.names = names;
        this.meters = meters;
        this.overview = new Overview(views);
    }

    private List<Endpoint> endpoints() {
        return List.of(
                new Endpoint("/api/v1/domains", Set.of("limit", "cursor"), this::domains),
                new Endpoint(
                        "/api/v1/domains/{domain}/aggregates",
                        Set.of(
                                "from",
                                "to",
                                "submitter",
                                "policy-type",
                                "authentication",
                                "result-type",
                                "mx",
                                "limit",
                                "cursor"),
                        this::aggregates),
                new Endpoint("/api/v1/domains/{domain}/events", Set.of("from", "to", "limit", "cursor"), this::events),
                new Endpoint("/api/v1/domains/{domain}/reports", Set.of("limit", "cursor"), this::reports),
                new Endpoint("/api/v1/reports", Set.of("key"), this::report),
                new Endpoint("/api/v1/reports/raw", Set.of("key"), this::document),
                new Endpoint("/api/v1/reporters", Set.of("limit", "cursor"), this::reporters),
                new Endpoint("/api/v1/rejected", Set.of("reason", "limit", "cursor"), this::rejected),
                new Endpoint("/api/v1/rejected/record", Set.of("partition", "offset"), this::rejectedRecord),
                new Endpoint("/api/v1/rejected/raw", Set.of("partition", "offset"), this::rejectedBytes),
                new Endpoint("/api/v1/rejected/reasons", Set.of(), this::reasons),
                new Endpoint("/api/v1/alerts", Set.of("state", "domain", "label", "limit", "cursor"), this::alerts),
                new Endpoint("/api/v1/alerts/{id}", Set.of(), this::alert));
    }

    /// The paths served and the query parameters of each.
    Map<String, Set<String>> parametersByPath() {
        return endpoints().stream().collect(Collectors.toMap(Endpoint::path, Endpoint::parameters));
    }

    void routing(HttpRouting.Builder routing) {
        for (Endpoint endpoint : endpoints()) {
            routing.any(endpoint.path(), (request, response) -> serve(endpoint, request, response));
        }
    }

    private Supplier<Answer> domains(Parameters parameters) {
        int limit = parameters.limit(100, 1_000);
        Bytes cursor = parameters.keyCursor();
        String after = cursor == null ? null : StoreKey.parts(cursor).getFirst();
        return () -> Answer.json(overview.domains(configured.get(), after, today(), PageLimit.rows(limit))
                .json(Map.of()));
    }

    private Supplier<Answer> aggregates(Parameters parameters) {
        String domain = parameters.domain();
        Parameters.Days days = days(parameters);
        AggregateView.Filter filter = new AggregateView.Filter(
                parameters.text("submitter"),
                parameters.text("policy-type"),
                parameters.oneOf("authentication", List.of("dkim", "operator", "none")),
                parameters.text("result-type"),
                parameters.domain("mx"));
        int limit = parameters.limit(1_000, PageLimit.MAX_ROWS);
        Bytes cursor = parameters.keyCursor();
        return () -> Answer.json(views.aggregates()
                .cells(domain, days.from(), days.to(), filter, cursor, PageLimit.rows(limit))
                .json(head(days)));
    }

    private Supplier<Answer> events(Parameters parameters) {
        String domain = parameters.domain();
        Parameters.Days days = days(parameters);
        int limit = parameters.limit(100, 1_000);
        Positions cursor = parameters.positionCursor();
        return () -> Answer.json(reader.events(domain, days, cursor, limit).json(head(days)));
    }

    private Supplier<Answer> reports(Parameters parameters) {
        String domain = parameters.domain();
        int limit = parameters.limit(100, 1_000);
        Bytes cursor = parameters.keyCursor();
        return () -> Answer.json(
                views.reports().reports(domain, cursor, PageLimit.rows(limit)).json(Map.of()));
    }

    private Supplier<Answer> report(Parameters parameters) {
        String key = parameters.required("key");
        return () -> {
            byte[] report = views.reports().report(key);
            return report == null ? noSuch("report with this key") : Answer.json(report);
        };
    }

    private Supplier<Answer> document(Parameters parameters) {
        String key = parameters.required("key");
        return () -> {
            byte[] report = views.reports().report(key);
            if (report == null) {
                return noSuch("report with this key");
            }
            byte[] document = reader.document(REPORT.read(report).raw(), key);
            return document == null
                    ? Answer.problem(410, "Gone", "the document is kept no longer; its counts are")
                    : Answer.download(document, "tls-report.json");
        };
    }

    private Supplier<Answer> reporters(Parameters parameters) {
        int limit = parameters.limit(100, 1_000);
        Bytes cursor = parameters.keyCursor();
        return () -> Answer.json(
                views.reports().reporters(cursor, PageLimit.rows(limit)).json(Map.of()));
    }

    private Supplier<Answer> rejected(Parameters parameters) {
        String reason = parameters.text("reason");
        int limit = parameters.limit(50, 500);
        Positions cursor = parameters.positionCursor();
        return () -> Answer.json(reader.rejected(reason, cursor, limit).json(Map.of()));
    }

    private Supplier<Answer> rejectedRecord(Parameters parameters) {
        return rejected(parameters, found -> {
            RejectedRecord row = RejectedRecord.of(found);
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("rejected", row);
            String reason = row.reason();
            if (reason != null) {
                RefusalReason.of(reason).map(RefusalHelp::of).ifPresent(help -> answer.put("help", json(help)));
            }
            return Answer.json((Object) answer);
        });
    }

    private Supplier<Answer> rejectedBytes(Parameters parameters) {
        return rejected(parameters, found -> {
            byte[] kept = found.value();
            return Answer.download(
                    kept == null ? new byte[0] : kept,
                    "tlsrpt-rejected-" + found.partition() + "-" + found.offset() + ".bin");
        });
    }

    private Supplier<Answer> rejected(Parameters parameters, Function<ConsumerRecord<byte[], byte[]>, Answer> answer) {
        int partition = (int) parameters.number("partition", Integer.MAX_VALUE);
        long offset = parameters.number("offset", Long.MAX_VALUE);
        return () -> {
            ConsumerRecord<byte[], byte[]> found = reader.rejected(partition, offset);
            return found == null
                    ? noSuch("rejected record there; what is refused is kept 30 days")
                    : answer.apply(found);
        };
    }

    private Supplier<Answer> reasons(Parameters parameters) {
        return () -> Answer.json((Object)
                Map.of("rows", RefusalHelp.all().stream().map(QueryApi::json).toList()));
    }

    private static Map<String, String> json(RefusalHelp help) {
        Map<String, String> json = new LinkedHashMap<>();
        json.put("reason", help.reason().word());
        json.put("meaning", help.meaning());
        json.put("usually", help.fault().words());
        json.put("fix", help.fix());
        json.put("retry", help.retry().word());
        return json;
    }

    private Supplier<Answer> alerts(Parameters parameters) {
        AlertView.Filter filter = new AlertView.Filter(
                parameters.oneOf("state", List.of(Alert.FIRING, Alert.RESOLVED)),
                parameters.domain("domain"),
                parameters.pairs("label"));
        int limit = parameters.limit(100, 1_000);
        Bytes cursor = parameters.keyCursor();
        return () -> Answer.json(
                views.alerts().alerts(filter, cursor, PageLimit.rows(limit)).json(Map.of()));
    }

    private Supplier<Answer> alert(Parameters parameters) {
        String id = parameters.segment("id");
        return () -> {
            byte[] alert = views.alerts().alert(id);
            return alert == null
                    ? noSuch("alert with this id")
                    : Answer.json(withNotifications(alert, views.notifications().of(id)));
        };
    }

    private static byte[] withNotifications(byte[] alert, List<byte[]> notifications) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator json = Json.MAPPER.createGenerator(out)) {
            json.writeStartObject();
            json.writeName("alert");
            json.writeRawValue(new String(alert, StandardCharsets.UTF_8));
            json.writeArrayPropertyStart("notifications");
            for (byte[] notification : notifications) {
                json.writeRawValue(new String(notification, StandardCharsets.UTF_8));
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        return out.toByteArray();
    }

    private void serve(Endpoint endpoint, ServerRequest request, ServerResponse response) {
        Method method = request.prologue().method();
        boolean head = method.equals(Method.HEAD);
        Answer answer = head || method.equals(Method.GET) ? answer(endpoint, request) : Answer.methodNotAllowed();
        meters.counter(
                        "tlsrpt.console.requests",
                        "outcome",
                        Outcome.of(answer.status()).word())
                .increment();
        EVERY_ANSWER.forEach((name, value) -> response.header(HeaderNames.create(name), value));
        answer.headers().forEach((name, value) -> response.header(HeaderNames.create(name), value));
        response.header(HeaderNames.CONTENT_TYPE, answer.contentType());
        response.header(HeaderNames.CONTENT_LENGTH, Integer.toString(answer.body().length));
        response.status(Status.create(answer.status()));
        response.send(head ? new byte[0] : answer.body());
    }

    private Answer answer(Endpoint endpoint, ServerRequest request) {
        if (!names.allow(request.authority())) {
            return Answer.problem(
                    421, "Misdirected Request", "this host name is not served here; set alerting.public-url to it");
        }
        Parameters parameters;
        try {
            parameters = parameters(endpoint, request);
        } catch (IllegalArgumentException notDecodable) {
            return Answer.problem(400, "Bad Request", "the query is not percent-encoded UTF-8");
        }
        Supplier<Answer> question = endpoint.question().read(parameters);
        if (!parameters.faults().isEmpty()) {
            return Answer.badRequest(parameters.faults());
        }
        try {
            return question.get();
        } catch (InvalidStateStoreException restoring) {
            return Answer.unavailable("the views are being restored from the broker; ask again shortly");
        } catch (RetriableException away) {
            LOG.atWarn()
                    .addKeyValue("path", endpoint.path())
                    .addKeyValue("error", away.getClass().getSimpleName())
                    .log("the broker did not answer in time");
            return Answer.unavailable("the broker did not answer in time; ask again shortly");
        } catch (RuntimeException unexpected) {
            LOG.atError()
                    .addKeyValue("path", endpoint.path())
                    .setCause(unexpected)
                    .log("request failed");
            return Answer.problem(500, "Internal Server Error", "the log has the cause");
        }
    }

    private static Parameters parameters(Endpoint endpoint, ServerRequest request) {
        Map<String, String> path = new HashMap<>();
        var segments = request.path().pathParameters();
        segments.names().forEach(name -> path.put(name, segments.get(name)));
        Map<String, List<String>> query = new LinkedHashMap<>();
        request.query().names().forEach(name -> query.put(name, request.query().all(name)));
        return new Parameters(path, query, endpoint.parameters());
    }

    private Parameters.Days days(Parameters parameters) {
        LocalDate today = today();
        return parameters.days(today.minusDays(DEFAULT_DAYS - 1L), today, MOST_DAYS);
    }

    private static Map<String, @Nullable Object> head(Parameters.Days days) {
        Map<String, @Nullable Object> head = new LinkedHashMap<>();
        head.put("from", days.from());
        head.put("to", days.to());
        return head;
    }

    private static Answer noSuch(String what) {
        return Answer.problem(404, "Not Found", "there is no " + what);
    }

    private LocalDate today() {
        return LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
    }
}

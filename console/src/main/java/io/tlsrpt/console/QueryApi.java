package io.tlsrpt.console;

import io.tlsrpt.console.ApiRoutes.Endpoint;
import io.tlsrpt.report.FailureHelp;
import io.tlsrpt.report.RefusalHelp;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// Everything that can be asked over HTTP (`docs/openapi.yaml`). Answers are bounded: lists come in pages with
/// `complete` and `cursor`.
final class QueryApi {

    private static final int MOST_DAYS = 3_660;
    private static final int DEFAULT_DAYS = 30;
    private static final JsonSerde<AcceptedReport> REPORT = new JsonSerde<>(AcceptedReport.class);
    private static final JsonSerde<Alert> ALERT = new JsonSerde<>(Alert.class);

    private final Views views;
    private final TopicReader reader;
    private final Clock clock;

    QueryApi(Views views, TopicReader reader, Clock clock) {
        this.views = views;
        this.reader = reader;
        this.clock = clock;
    }

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.get(
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
                Endpoint.get("/api/v1/domains/{domain}/events", Set.of("from", "to", "limit", "cursor"), this::events),
                Endpoint.get("/api/v1/domains/{domain}/reports", Set.of("limit", "cursor"), this::reports),
                Endpoint.get("/api/v1/reports", Set.of("key"), this::report).filtered(),
                Endpoint.get("/api/v1/reports/raw", Set.of("key"), this::document)
                        .filtered(),
                Endpoint.get("/api/v1/reporters", Set.of("limit", "cursor"), this::reporters),
                Endpoint.get("/api/v1/rejected", Set.of("reason", "limit", "cursor"), this::rejected),
                Endpoint.get("/api/v1/rejected/record", Set.of("partition", "offset"), this::rejectedRecord),
                Endpoint.get("/api/v1/rejected/raw", Set.of("partition", "offset"), this::rejectedBytes),
                Endpoint.get("/api/v1/rejected/reasons", Set.of(), this::reasons)
                        .filtered(),
                Endpoint.get(
                                "/api/v1/alerts",
                                Set.of("state", "domain", "label", "id", "limit", "cursor"),
                                this::alerts)
                        .filtered(),
                Endpoint.get("/api/v1/help", Set.of(), this::help).filtered(),
                Endpoint.get("/api/v1/alerts/{id}", Set.of(), this::alert).filtered(),
                Endpoint.get("/api/v1/alerts/{id}/history", Set.of("from", "to", "limit", "cursor"), this::history)
                        .filtered(),
                Endpoint.get("/api/v1/domains/{domain}/inspection", Set.of(), this::inspection));
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
        Visible visible = parameters.visible();
        return () -> Answer.json(views.reports()
                .reports(domain, cursor, PageLimit.rows(limit))
                .showing(visible::report)
                .json(Map.of()));
    }

    private Supplier<Answer> report(Parameters parameters) {
        String key = parameters.required("key");
        Visible visible = parameters.visible();
        return () -> {
            byte[] report = report(key, visible);
            return report == null ? noSuch("report with this key") : Answer.json(report);
        };
    }

    private byte @Nullable [] report(String key, Visible visible) {
        byte[] report = views.reports().report(key);
        return report == null ? null : visible.report(report).orElse(null);
    }

    private Supplier<Answer> document(Parameters parameters) {
        String key = parameters.required("key");
        Visible visible = parameters.visible();
        return () -> {
            byte[] report = report(key, visible);
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

    private Supplier<Answer> help(Parameters parameters) {
        return () -> Answer.json((Object)
                Map.of("rows", FailureHelp.all().stream().map(QueryApi::json).toList()));
    }

    private static Map<String, Object> json(FailureHelp help) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put(help.subject().word(), help.word());
        json.put("meaning", help.meaning());
        json.put("urgency", help.urgency());
        json.put("fix", help.fix());
        json.put("verify", help.verify());
        json.put("runbook", "/runbook#" + help.word());
        return json;
    }

    private Supplier<Answer> alerts(Parameters parameters) {
        AlertView.Filter filter = new AlertView.Filter(
                parameters.oneOf("state", List.of(Alert.FIRING, Alert.RESOLVED)),
                parameters.domain("domain"),
                parameters.pairs("label"),
                parameters.text("id"));
        int limit = parameters.limit(100, 1_000);
        Bytes cursor = parameters.keyCursor();
        Visible visible = parameters.visible();
        return () -> Answer.json(views.alerts()
                .alerts(filter, cursor, PageLimit.rows(limit))
                .showing(visible::alert)
                .json(Map.of()));
    }

    private Supplier<Answer> alert(Parameters parameters) {
        String id = parameters.segment("id");
        Visible visible = parameters.visible();
        return () -> {
            byte[] alert = alert(id, visible);
            return alert == null
                    ? noSuch("alert with this id")
                    : Answer.json(withNotifications(alert, views.notifications().of(id)));
        };
    }

    private Supplier<Answer> history(Parameters parameters) {
        String id = parameters.segment("id");
        Parameters.Days days = days(parameters);
        int limit = parameters.limit(100, 1_000);
        Positions cursor = parameters.positionCursor();
        Visible visible = parameters.visible();
        return () -> {
            Alert alert = ALERT.readOrNull(alert(id, visible));
            return alert == null
                    ? noSuch("alert with this id")
                    : Answer.json(reader.history(alert, days, cursor, limit)
                            .showing(visible::alert)
                            .json(head(days)));
        };
    }

    private byte @Nullable [] alert(String id, Visible visible) {
        byte[] alert = views.alerts().alert(id);
        return alert == null ? null : visible.alert(alert).orElse(null);
    }

    private Supplier<Answer> inspection(Parameters parameters) {
        String domain = parameters.domain();
        return () -> {
            byte[] latest = views.inspections().of(domain, clock.instant());
            return latest == null ? noSuch("inspection of this domain in the last 90 days") : Answer.json(latest);
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

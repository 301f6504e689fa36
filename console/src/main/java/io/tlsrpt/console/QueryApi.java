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
import java.time.DateTimeException;
import java.time.Instant;
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
    private final Listings listings = new Listings();

    QueryApi(Views views, TopicReader reader, Clock clock) {
        this.views = views;
        this.reader = reader;
        this.clock = clock;
    }

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.get(
                        "/api/v1/domains/{domain}/aggregates",
                        Listings.parameters(
                                "from", "to", "submitter", "policy-type", "authentication", "result-type", "mx"),
                        this::aggregates),
                Endpoint.get(
                        "/api/v1/domains/{domain}/events",
                        Listings.parameters("from", "to", "submitter", "result-type", "mx", "report-key"),
                        this::events),
                Endpoint.get("/api/v1/domains/{domain}/reports", Listings.parameters(), this::reports),
                Endpoint.get("/api/v1/reports", Set.of("key"), this::report).filtered(),
                Endpoint.get("/api/v1/reports/raw", Set.of("key"), this::document)
                        .filtered(),
                Endpoint.get("/api/v1/reporters", Listings.parameters(), this::reporters),
                Endpoint.get("/api/v1/reporters/{+submitter}", Set.of(), this::reporter),
                Endpoint.get("/api/v1/rejected", Listings.parameters("reason", "submitter"), this::rejected),
                Endpoint.get("/api/v1/rejected/record", Set.of("partition", "offset"), this::rejectedRecord),
                Endpoint.get("/api/v1/rejected/raw", Set.of("partition", "offset"), this::rejectedBytes),
                Endpoint.get("/api/v1/rejected/reasons", Set.of(), this::reasons)
                        .filtered(),
                Endpoint.get("/api/v1/alerts", Listings.parameters("state", "domain", "label", "id"), this::alerts)
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
        Bytes cursor = parameters.keyCursor(AggregateView.ofDays(domain, days.from(), days.to())::contains);
        return listings.answer(
                parameters,
                CsvTable.AGGREGATES,
                1_000,
                PageLimit.MAX_ROWS,
                head(days),
                limit -> views.aggregates().cells(domain, days.from(), days.to(), filter, cursor, limit));
    }

    private Supplier<Answer> events(Parameters parameters) {
        String domain = parameters.domain();
        String reportKey = parameters.text("report-key");
        LocalDate today = today();
        LocalDate start = reportKey == null ? null : startDay(reportKey);
        Parameters.Days days = start == null
                ? days(parameters)
                : parameters.days(start, start.isAfter(today) ? start : today, MOST_DAYS);
        TopicReader.EventFilter filter = new TopicReader.EventFilter(
                days, parameters.text("submitter"), parameters.text("result-type"), parameters.domain("mx"), reportKey);
        Positions cursor = parameters.positionCursor();
        return listings.answer(
                parameters,
                CsvTable.EVENTS,
                100,
                1_000,
                head(days),
                limit -> reader.events(domain, filter, cursor, limit));
    }

    private Supplier<Answer> reports(Parameters parameters) {
        String domain = parameters.domain();
        Visible visible = parameters.visible();
        Bytes cursor = parameters.keyCursor(ReportView.ofDomain(domain)::contains);
        return listings.answer(
                parameters,
                CsvTable.REPORTS,
                100,
                1_000,
                Map.of(),
                limit -> views.reports().reports(domain, cursor, limit).showing(visible::report));
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
        Bytes cursor = parameters.keyCursor(ReportView.reporters()::contains);
        return listings.answer(
                parameters,
                CsvTable.REPORTERS,
                100,
                1_000,
                Map.of(),
                limit -> views.reports().reporters(cursor, limit));
    }

    private Supplier<Answer> reporter(Parameters parameters) {
        String submitter = parameters.segment("submitter");
        return () -> views.reports()
                .reporter(submitter)
                .map(found -> Answer.json((Object) found))
                .orElseGet(() -> noSuch("report of this submitter"));
    }

    private Supplier<Answer> rejected(Parameters parameters) {
        TopicReader.RejectedFilter filter =
                new TopicReader.RejectedFilter(parameters.text("reason"), parameters.text("submitter"));
        Positions cursor = parameters.positionCursor();
        return listings.answer(
                parameters, CsvTable.REJECTED, 50, 500, Map.of(), limit -> reader.rejected(filter, cursor, limit));
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
        Visible visible = parameters.visible();
        Bytes cursor = parameters.keyCursor(AlertView.ofState(filter.state())::contains);
        return listings.answer(
                parameters,
                CsvTable.ALERTS,
                100,
                1_000,
                Map.of(),
                limit -> views.alerts().alerts(filter, cursor, limit).showing(visible::alert));
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
                    : Answer.json(reader.history(alert, days, cursor, PageLimit.rows(limit))
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

    /// The day that a report starts on, as its key says; absent when it is no key.
    private static @Nullable LocalDate startDay(String reportKey) {
        String[] parts = reportKey.split("\\|", -1);
        try {
            LocalDate day = parts.length == 4 ? LocalDate.ofInstant(Instant.parse(parts[2]), ZoneOffset.UTC) : null;
            return day != null && day.getYear() >= 0 && day.getYear() <= 9999 ? day : null;
        } catch (DateTimeException noTime) {
            return null;
        }
    }

    private static Map<String, Object> head(Parameters.Days days) {
        Map<String, Object> head = new LinkedHashMap<>();
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

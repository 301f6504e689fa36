package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Topics;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `docs/openapi.yaml` against the running program: each of its operations is called, and each answer is what the
/// document says, in status, media type and every member.
class OpenApiIT {

    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String DOMAIN = "example.com";
    private static final String FOUND = "found.example";

    private final OpenApi document = new OpenApi();
    private final HttpClient http = HttpClient.newHttpClient();
    private final List<String> faults = new ArrayList<>();
    private final LocalDate yesterday =
            LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC).minusDays(1);

    /// How an operation is called.
    ///
    /// @param path with values in place of its parameters, and a query
    /// @param body of a POST; empty: there is none
    private record Call(String path, int status, String contentType, String body) {

        private static Call get(String path) {
            return new Call(path, 200, "", "");
        }

        private static Call post(String path, int status, String json) {
            return new Call(path, status, "application/json", json);
        }

        private Call at(String other, int answered) {
            return new Call(other, answered, contentType, body);
        }
    }

    @Test
    void everyOperationAnswersAsTheDocumentSays(@TempDir Path directory) throws Exception {
        try (House house =
                House.start(directory, "domains: [{name: example.com, labels: {team: mail}}, {name: example.net}]")) {
            fill(house);

            Map<String, Call> calls = calls(house);
            assertThat(new TreeSet<>(calls.keySet()))
                    .as("every operation of the document is called")
                    .isEqualTo(new TreeSet<>(document.operations().keySet()));
            for (Map.Entry<String, Call> call : calls.entrySet()) {
                check(house, call.getKey(), call.getValue());
            }
            assertThat(faults).isEmpty();
        }
    }

    /// Reports, two alerts, a silence, documents that were refused, a domain that was discovered and one looked at.
    private void fill(House house) {
        for (String domain : List.of(DOMAIN, "example.net")) {
            house.importFile(
                    domain + ".json",
                    SampleReports.report()
                            .id(domain)
                            .day(yesterday)
                            .policy("sts", domain, 20, 40)
                            .mode("enforce")
                            .mxHost("mx1." + domain)
                            .failure("certificate-expired", "mx1." + domain, 40)
                            .bytes());
        }
        assertThat(house.post(SampleReports.report()
                                .id("posted")
                                .day(yesterday)
                                .policy("tlsa", DOMAIN, 7, 0)
                                .gzip())
                        .statusCode())
                .isEqualTo(201);
        assertThat(house.post(SampleReports.report()
                                .id("foreign")
                                .policy("sts", "foreign.example", 7, 0)
                                .gzip())
                        .statusCode())
                .isEqualTo(201);
        assertThat(house.post(new byte[] {'x'}).statusCode()).isEqualTo(400);
        try (Producer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", house.standalone().bootstrapServers()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            var now = Clock.systemUTC().instant();
            put(
                    producer,
                    house.topics().domains(),
                    FOUND,
                    DomainClaim.pending(FOUND, "mailto:tlsrpt@example.com", now));
            put(
                    producer,
                    house.topics().inspections(),
                    DOMAIN,
                    new Inspection(
                            DOMAIN,
                            now,
                            Inspection.WATCH,
                            "open",
                            "mx",
                            new Inspection.TlsRpt("missing", null, null),
                            null,
                            null,
                            null));
        }
        await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(house.get("/api/v1/alerts?state=firing").path("rows").size())
                    .isEqualTo(2);
            assertThat(house.get("/api/v1/reporters").path("rows").size()).isEqualTo(1);
            assertThat(house.get("/api/v1/rejected").path("rows").size()).isEqualTo(2);
            assertThat(house.get("/api/v1/domains/" + DOMAIN + "/reports")
                            .path("rows")
                            .size())
                    .isEqualTo(2);
            assertThat(house.get("/api/v1/domains?state=pending").path("rows").size())
                    .isEqualTo(1);
        });
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> house.get("/api/v1/domains/" + DOMAIN + "/inspection"));
    }

    private static void put(Producer<byte[], byte[]> producer, Topics.Topic topic, String key, Object value) {
        var unused = producer.send(new ProducerRecord<>(
                topic.name(), key.getBytes(StandardCharsets.UTF_8), Json.MAPPER.writeValueAsBytes(value)));
    }

    /// How each operation is called, in this order.
    private Map<String, Call> calls(House house) {
        String of = "/api/v1/domains/" + DOMAIN;
        JsonNode alerts = house.get("/api/v1/alerts?state=firing").path("rows");
        String first = "/api/v1/alerts/" + alerts.path(0).path("alert-id").asString();
        String second = "/api/v1/alerts/" + alerts.path(1).path("alert-id").asString();
        JsonNode refused = house.get("/api/v1/rejected").path("rows").path(0);
        String where = "?partition=" + refused.path("partition").intValue() + "&offset="
                + refused.path("offset").longValue();
        String key = URLEncoder.encode(
                house.get(of + "/reports")
                        .path("rows")
                        .path(0)
                        .path("report-key")
                        .asString(),
                StandardCharsets.UTF_8);
        String report = SampleReports.report().id("again").day(yesterday).json();
        String silence = "{\"match\":{\"domains\":[\"" + DOMAIN + "\"]},\"duration\":\"2h\",\"comment\":\"work\"}";

        Map<String, Call> calls = new LinkedHashMap<>();
        calls.put("POST /v1/tlsrpt", new Call("/v1/tlsrpt", 201, "application/tlsrpt+json", report));
        calls.put("POST /v1/tlsrpt/{token}", new Call("/v1/tlsrpt/abc", 201, "application/tlsrpt+json", report));
        calls.put("POST /api/v1/import", new Call("/api/v1/import?name=r.json", 200, "application/json", report));
        calls.put("GET /api/v1/domains", Call.get("/api/v1/domains"));
        calls.put("POST /api/v1/domains/{domain}/accept", Call.post("/api/v1/domains/" + FOUND + "/accept", 200, ""));
        calls.put("POST /api/v1/domains/{domain}/forget", Call.post("/api/v1/domains/" + FOUND + "/forget", 200, ""));
        calls.put(
                "POST /api/v1/domains/{domain}/purge",
                Call.post("/api/v1/domains/departed.example/purge?anyway=true", 202, "{}"));
        calls.put("GET /api/v1/domains/{domain}", Call.get(of));
        calls.put("GET /api/v1/domains/{domain}/readiness", Call.get(of + "/readiness"));
        calls.put("GET /api/v1/domains/{domain}/summary", Call.get(of + "/summary"));
        calls.put("GET /api/v1/domains/{domain}/aggregates", Call.get(of + "/aggregates"));
        calls.put("GET /api/v1/domains/{domain}/events", Call.get(of + "/events"));
        calls.put("GET /api/v1/domains/{domain}/reports", Call.get(of + "/reports"));
        calls.put("GET /api/v1/domains/{domain}/inspection", Call.get(of + "/inspection"));
        calls.put("GET /api/v1/reports", Call.get("/api/v1/reports?key=" + key));
        calls.put("GET /api/v1/reports/raw", Call.get("/api/v1/reports/raw?key=" + key));
        calls.put("GET /api/v1/reporters", Call.get("/api/v1/reporters"));
        calls.put("GET /api/v1/reporters/{submitter}", Call.get("/api/v1/reporters/google.com"));
        calls.put("GET /api/v1/rejected", Call.get("/api/v1/rejected"));
        calls.put("GET /api/v1/rejected/record", Call.get("/api/v1/rejected/record" + where));
        calls.put("GET /api/v1/rejected/raw", Call.get("/api/v1/rejected/raw" + where));
        calls.put("GET /api/v1/rejected/reasons", Call.get("/api/v1/rejected/reasons"));
        calls.put("GET /api/v1/help", Call.get("/api/v1/help"));
        calls.put("GET /api/v1/explain", Call.get("/api/v1/explain?domain=" + DOMAIN));
        calls.put(
                "POST /api/v1/backtest",
                Call.post("/api/v1/backtest", 200, "{\"days\":7,\"rules\":{\"certificate\":false}}"));
        calls.put("GET /runbook", Call.get("/runbook"));
        calls.put("GET /runbook.css", Call.get("/runbook.css"));
        calls.put("GET /api/v1/alerts", Call.get("/api/v1/alerts"));
        calls.put("GET /api/v1/alerts/{id}", Call.get(first));
        calls.put("GET /api/v1/alerts/{id}/history", Call.get(first + "/history"));
        calls.put("POST /api/v1/alerts/{id}/note", Call.post(first + "/note", 202, "{\"text\":\"seen\"}"));
        calls.put("POST /api/v1/alerts/{id}/acknowledge", Call.post(first + "/acknowledge", 202, "{}"));
        calls.put("POST /api/v1/alerts/{id}/resolve", Call.post(first + "/resolve", 202, "{}"));
        calls.put("POST /api/v1/alerts/{id}/false-alarm", Call.post(second + "/false-alarm", 202, "{}"));
        calls.put("POST /api/v1/silences", Call.post("/api/v1/silences", 201, silence));
        calls.put("GET /api/v1/silences", Call.get("/api/v1/silences"));
        calls.put("DELETE /api/v1/silences/{id}", Call.get("/api/v1/silences/"));
        calls.put("GET /api/v1/stream", Call.get("/api/v1/stream?topic=events"));
        calls.put("GET /api/v1/session", Call.get("/api/v1/session"));
        calls.put("POST /api/v1/session", Call.post("/api/v1/session", 401, "{\"token\":\"unknown\"}"));
        calls.put("DELETE /api/v1/session", new Call("/api/v1/session", 204, "", ""));
        calls.put("GET /live", Call.get("/live"));
        calls.put("GET /ready", Call.get("/ready"));
        calls.put("GET /metrics", Call.get("/metrics"));
        return calls;
    }

    private void check(House house, String operation, Call call) throws Exception {
        Call answerable = call;
        if (operation.startsWith("DELETE /api/v1/silences")) { // the one that was made before
            await().atMost(PATIENCE)
                    .until(() -> !house.get("/api/v1/silences").path("rows").isEmpty());
            String id = house.get("/api/v1/silences")
                    .path("rows")
                    .path(0)
                    .path("silence-id")
                    .asString();
            answerable = call.at(call.path() + id, call.status());
        }
        answers(house, operation, answerable);
        if (operation.startsWith("GET /api/")) {
            String separator = call.path().contains("?") ? "&" : "?";
            if (document.tells(operation, 400)) {
                answers(house, operation, call.at(call.path() + separator + "nonsense=1", 400));
            }
            if (document.queryParameters(operation).contains("format")) {
                answers(house, operation, call.at(call.path() + separator + "format=csv", 200));
            }
        }
        if (operation.contains("{id}") && document.tells(operation, 404)) {
            answers(
                    house,
                    operation,
                    call.at(operation.replaceFirst("\\S+ ", "").replace("{id}", "unknown"), 404));
        }
    }

    private void answers(House house, String operation, Call call) throws Exception {
        String method = operation.replaceFirst(" .*", "");
        HttpRequest.Builder request = HttpRequest.newBuilder(House.uri(address(house, call.path()), call.path()))
                .timeout(PATIENCE)
                .method(
                        method,
                        method.equals("POST")
                                ? HttpRequest.BodyPublishers.ofString(call.body())
                                : HttpRequest.BodyPublishers.noBody());
        if (!call.contentType().isEmpty()) {
            request.header("Content-Type", call.contentType());
        }
        HttpResponse<InputStream> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        String contentType = answer.headers().firstValue("Content-Type").orElse("");
        String body = body(contentType, answer.body());
        String what = method + ' ' + call.path();
        if (answer.statusCode() != call.status()) {
            faults.add(what + " is answered " + answer.statusCode() + ", not " + call.status() + ": " + body);
        }
        if (call.path().contains("format=csv") && !contentType.startsWith("text/csv")) {
            faults.add(what + " is answered " + contentType);
        }
        document.faults(operation, answer.statusCode(), contentType, body)
                .forEach(fault -> faults.add(what + " " + fault));
    }

    /// The whole body; of a stream the first line.
    private static String body(String contentType, InputStream answer) throws IOException {
        try (answer) {
            if (contentType.startsWith("text/event-stream")) {
                return String.valueOf(
                        new BufferedReader(new InputStreamReader(answer, StandardCharsets.UTF_8)).readLine());
            }
            return new String(answer.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static HostPort address(House house, String path) {
        if (path.startsWith("/v1/")) {
            return house.standalone().intakeAddress();
        }
        return path.matches("/(live|ready|metrics)")
                ? house.standalone().adminAddress()
                : house.standalone().apiAddress();
    }
}

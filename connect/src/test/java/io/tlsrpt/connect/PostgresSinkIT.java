package io.tlsrpt.connect;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.JsonSerde;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.node.ObjectNode;

/// Records of the real program through a real worker, with our configurations and a real JDBC sink, into a real
/// PostgreSQL with our tables and views. Each test has domains of its own.
class PostgresSinkIT {

    private static final Path DEPLOY = Path.of("../deploy/connect");
    private static final Path WIRE = Path.of("../report-model/src/test/resources/wire");
    private static final List<String> TABLES = List.of("events", "aggregates", "reports", "alerts");
    private static final String ERRORS = "connect-tlsrpt-errors";
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /// What a key that is too long for an index keeps out of the table of aggregates.
    private static final String STORABLE = " length(policy_type) < 500";

    @TempDir
    static Path directory;

    private static @Nullable Postgres startedPostgres;
    private static @Nullable House startedHouse;
    private static @Nullable Worker startedWorker;

    private final LocalDate yesterday = LocalDate.now(Clock.systemUTC()).minusDays(1);

    @BeforeAll
    static void everythingRuns() throws IOException {
        Path database = Files.createDirectory(directory.resolve("postgres"));
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        startedPostgres = new Postgres(database);
        String tables = Files.readString(DEPLOY.resolve("postgresql.sql"));
        postgres().execute(tables);
        postgres().execute(tables);
        startedHouse = new House(directory);
        startedWorker = new Worker(house().bootstrapServers());
        for (String table : TABLES) {
            worker().ask("POST", "/connectors", connector(table));
        }
        for (String table : TABLES) {
            worker().awaitState(name(table), "RUNNING", 1);
        }
    }

    @AfterAll
    static void everythingStops() throws IOException {
        if (startedWorker != null) {
            startedWorker.close();
        }
        if (startedHouse != null) {
            startedHouse.close();
        }
        if (startedPostgres != null) {
            startedPostgres.close();
        }
    }

    @Test
    void aTrustedCopyTakesBackWhatAnUntrustedOneSaid() {
        SampleReports report = SampleReports.report()
                .day(yesterday)
                .id("replaced")
                .policy("sts", "alpha.example", 90, 10)
                .failure("certificate-expired", "mx1.alpha.example", 10);
        String sessions = "SELECT trusted, successful, failed, success_percent FROM tlsrpt_sessions_by_day"
                + " WHERE policy_domain = 'alpha.example' AND day = '" + yesterday + "'";
        String cells = "SELECT authentication, report_count, failures->0->>'result-type' FROM tlsrpt_aggregates"
                + " WHERE policy_domain = 'alpha.example'";

        house().post(report.gzip());
        awaitRows(sessions, "f | 90 | 10 | 90.00");
        awaitRows(cells, "none | 1 | certificate-expired");

        house().importFile("genuine.json", report.bytes());
        awaitRows(sessions, "t | 90 | 10 | 90.00");
        awaitRows(cells, "operator | 1 | certificate-expired");
        awaitRows(
                "SELECT kind, authentication, retraction, failed_session_count, total_successful_session_count"
                        + " FROM tlsrpt_events WHERE policy_domain = 'alpha.example' ORDER BY event_id",
                "summary | none |  |  | 90",
                "summary | none | t |  | -90",
                "failure | none |  | 10 | ",
                "failure | none | t | -10 | ",
                "summary | operator |  |  | 90",
                "failure | operator |  | 10 | ");
        awaitRows(
                "SELECT trusted, result_type, receiving_mx_hostname, failed FROM tlsrpt_failures_by_day"
                        + " WHERE policy_domain = 'alpha.example'",
                "t | certificate-expired | mx1.alpha.example | 10");
        awaitRows(
                "SELECT revision, authentication, policy_domains, raw->>'offset' IS NOT NULL FROM tlsrpt_reports"
                        + " WHERE report_id = 'replaced'",
                "1 | operator | [\"alpha.example\"] | t");
    }

    @Test
    void theTablesSayWhatTheTopicsSayAndARestartAndASecondDeliveryChangeNothing() throws IOException {
        Random random = new Random(20_261_122);
        Map<String, byte[]> archive = new LinkedHashMap<>();
        for (int i = 0; i < 120; i++) {
            int failed = random.nextInt(1, 20);
            SampleReports report = SampleReports.report()
                    .contact("tls@reporter" + random.nextInt(3) + ".example")
                    .id("sums-" + i)
                    .day(yesterday.minusDays(random.nextInt(6)))
                    .policy("sts", "beta" + random.nextInt(4) + ".example", random.nextInt(1000), failed)
                    .failure("validation-failure", "mx" + random.nextInt(3) + ".beta.example", failed)
                    .policy("tlsa", "beta" + random.nextInt(4) + ".example", random.nextInt(1000), 0);
            if (i % 4 == 0) {
                house().post(report.gzip());
            }
            if (i % 4 != 1) {
                archive.put("sums-" + i + ".json", report.bytes());
            } else {
                house().post(report.bytes());
            }
        }
        house().importFile("sums.zip", zip(archive));
        assertTablesEqualTopics();
        List<String> columns = columns();
        List<String> before = counted();

        worker().close();
        startedWorker = new Worker(house().bootstrapServers());
        for (String table : TABLES) {
            worker().awaitState(name(table), "RUNNING", 1);
        }
        house().post(SampleReports.report()
                .id("after")
                .day(yesterday)
                .policy("sts", "beta.example", 1, 0)
                .gzip());
        awaitRows("SELECT count(*) FROM tlsrpt_events WHERE report_id = 'after'", "1");
        assertTablesEqualTopics();

        for (String table : TABLES) {
            worker().ask("PUT", "/connectors/" + name(table) + "/stop", "");
            worker().awaitState(name(table), "STOPPED", 0);
            worker().ask("DELETE", "/connectors/" + name(table) + "/offsets", "");
            worker().ask("PUT", "/connectors/" + name(table) + "/resume", "");
        }
        for (String table : TABLES) {
            worker().awaitState(name(table), "RUNNING", 1);
            awaitReadAgain(name(table), "tlsrpt." + table);
        }
        assertTablesEqualTopics();
        assertThat(counted()).containsAll(before);
        assertThat(columns())
                .as("the connector had to add no column to our tables")
                .isEqualTo(columns);
    }

    @Test
    void anAlertIsOneRowThatFollowsItsState() throws IOException {
        Map<String, byte[]> archive = new LinkedHashMap<>();
        for (int i = 0; i < 200; i++) {
            archive.put(
                    i + ".json",
                    SampleReports.report()
                            .id("alert-" + i)
                            .day(yesterday)
                            .policy("sts", "d" + i + ".gamma.example", 0, 1)
                            .failure("certificate-expired", "mx.gamma.example", 1)
                            .bytes());
        }
        house().importFile("gamma.zip", zip(archive));

        awaitRows(
                "SELECT rule, state, severity, evidence->>'affected-domain-count' FROM tlsrpt_alerts"
                        + " WHERE receiving_mx_hostname = 'mx.gamma.example'",
                "certificate | firing | critical | 200");
        String id = postgres()
                .ask("SELECT alert_id FROM tlsrpt_alerts WHERE receiving_mx_hostname = 'mx.gamma.example'")
                .getFirst();
        String incident = postgres()
                .ask("SELECT incident_id FROM tlsrpt_alerts WHERE alert_id = '" + id + "'")
                .getFirst();
        house().resolve(id, incident);
        awaitRows("SELECT state, resolve_reason FROM tlsrpt_alerts WHERE alert_id = '" + id + "'", "resolved | manual");
    }

    @Test
    void hostileReportsStopNothing() throws IOException {
        Random random = new Random(7);
        String noise = random.ints(1_000, 'a', 'z' + 1)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        house().post(SampleReports.report()
                .day(yesterday)
                .id("long")
                .contact(null)
                .organization(noise)
                .policy(noise, noise.substring(0, 50) + ".example", 3, 0)
                .gzip());
        ObjectNode nul =
                (ObjectNode) MAPPER.readTree(WIRE.resolve("event-failure.json").toFile());
        nul.put("event-id", "delta#0.0.0").put("failure-reason-code", "a\u0000b");
        nul.putArray("mx-host").add("\u0000");
        produce("delta.example", nul, true);

        awaitRows(
                "SELECT failure_reason_code, mx_host->>0 FROM tlsrpt_events WHERE event_id = 'delta#0.0.0'",
                "a\ufffdb | \ufffd");
        awaitRows("SELECT total_successful_session_count FROM tlsrpt_events WHERE report_id = 'long'", "3");
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(house().records(ERRORS))
                        .anySatisfy(record ->
                                assertThat(new String(record.value(), UTF_8)).contains(noise)));
        worker().awaitState(name("aggregates"), "RUNNING", 1);
    }

    @Test
    void whatWasAbortedIsNotReadAndWhatIsNoRecordGoesToTheDeadLetters() throws IOException {
        ObjectNode event =
                (ObjectNode) MAPPER.readTree(WIRE.resolve("event-failure.json").toFile());
        produce("epsilon.example", event.deepCopy().put("event-id", "epsilon-aborted#0.0.0"), false);
        produce(
                "epsilon.example",
                event.deepCopy().put("event-id", "epsilon-wrong#0.0.0").put("received-at", "soon"),
                true);
        produce("epsilon.example", event.deepCopy().put("event-id", "epsilon-committed#0.0.0"), true);

        awaitRows("SELECT event_id FROM tlsrpt_events WHERE event_id LIKE 'epsilon-%'", "epsilon-committed#0.0.0");
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(house().records(ERRORS))
                        .filteredOn(record -> new String(record.value(), UTF_8).contains("epsilon"))
                        .singleElement()
                        .satisfies(record -> assertThat(new String(
                                        record.headers()
                                                .lastHeader("__connect.errors.exception.message")
                                                .value(),
                                        UTF_8))
                                .isEqualTo("tlsrpt.events: received-at is no RFC 3339 time")));
    }

    @Test
    void theSqlOfTheDocumentIsAnswered() throws IOException {
        house().post(SampleReports.report()
                .day(yesterday)
                .id("documented")
                .policy("sts", "example.com", 95, 5)
                .failure("certificate-expired", "mx1.example.com", 5)
                .gzip());
        house().importFile(
                        "documented.json",
                        SampleReports.report()
                                .day(yesterday)
                                .id("documented")
                                .policy("sts", "example.com", 95, 5)
                                .failure("certificate-expired", "mx1.example.com", 5)
                                .bytes());
        awaitRows("SELECT authentication FROM tlsrpt_aggregates WHERE policy_domain = 'example.com'", "operator");
        awaitRows(
                "SELECT count(*) FROM tlsrpt_events WHERE policy_domain = 'example.com' AND report_id = 'documented'",
                "6");

        List<String> queries = Pattern.compile("```sql\\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("../docs/connect.md")))
                .results()
                .map(query -> query.group(1))
                .toList();
        assertThat(queries).hasSizeGreaterThan(3);
        for (String query : queries) {
            assertThat(postgres().ask(query.replace("DATE '2026-11-20'", "DATE '" + yesterday + "'")))
                    .as(query)
                    .isNotEmpty();
        }
    }

    @Test
    void theWorkerShowsTheConverterWithItsVersionAndItsOptions() {
        assertThat(worker().get("/connector-plugins?connectorsOnly=false"))
                // the class path of this test has it too, without a version
                .filteredOn(plugin ->
                        plugin.get("class").asString().equals(RecordConverter.class.getName()) && plugin.has("version"))
                .singleElement()
                .satisfies(plugin -> {
                    assertThat(plugin.get("type").asString()).isEqualTo("converter");
                    assertThat(plugin.get("version").asString()).matches("\\d+\\.\\d+\\.\\d+.*");
                });
        assertThat(worker().get("/connector-plugins/" + RecordConverter.class.getName() + "/config"))
                .extracting(option -> option.get("name").asString())
                .containsExactlyInAnyOrder("nested", "record.type", "max.key.bytes");
    }

    @Test
    void theSinkFindsNoFaultInOurConnectors() {
        for (String table : TABLES) {
            ObjectNode config = (ObjectNode) MAPPER.readTree(connector(table)).get("config");
            config.put("name", name(table));
            JsonNode answer = MAPPER.readTree(
                    worker().ask("PUT", "/connector-plugins/JdbcSinkConnector/config/validate", config.toString()));

            assertThat(answer.get("error_count").asInt()).as(answer.toString()).isZero();
            List<String> known = new ArrayList<>();
            answer.get("configs")
                    .forEach(each -> known.add(each.at("/definition/name").asString()));
            assertThat(config.propertyNames())
                    .filteredOn(name -> !name.startsWith("consumer.override."))
                    .allMatch(known::contains);
        }
    }

    @Test
    void ourTablesHaveTheColumnsOfTheRecords() {
        for (String table : TABLES) {
            Schema schema = Objects.requireNonNull(
                    new RecordSchemas(RecordSchemas.Nesting.JSON).find(table.substring(0, table.length() - 1)));

            assertThat(postgres()
                            .ask("SELECT column_name, data_type, is_nullable FROM information_schema.columns"
                                    + " WHERE table_name = 'tlsrpt_" + table + "' ORDER BY ordinal_position"))
                    .containsExactlyElementsOf(
                            schema.fields().stream().map(PostgresSinkIT::column).toList());
        }
    }

    private static String column(Field field) {
        String name = field.schema().name() == null ? "" : field.schema().name();
        String type = switch (name) {
            case "org.apache.kafka.connect.data.Timestamp" -> "timestamp with time zone";
            case "org.apache.kafka.connect.data.Date" -> "date";
            case "io.debezium.data.Json" -> "jsonb";
            default ->
                switch (field.schema().type()) {
                    case INT64 -> "bigint";
                    case BOOLEAN -> "boolean";
                    default -> "text";
                };
        };
        return field.name() + " | " + type + " | " + (field.schema().isOptional() ? "YES" : "NO");
    }

    /// Waits until the sink has everything, and compares sums over events with the aggregates of table and topic.
    private static void assertTablesEqualTopics() {
        JsonSerde<Aggregate> serde = new JsonSerde<>(Aggregate.class);
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(500)).untilAsserted(() -> {
            assertThat(postgres().ask("SELECT event_id FROM tlsrpt_events WHERE event_id NOT LIKE 'epsilon-%'"))
                    .containsExactlyInAnyOrderElementsOf(house().records("tlsrpt.events").stream()
                            .map(record -> MAPPER.readTree(record.value())
                                    .get("event-id")
                                    .asString())
                            .filter(id -> !id.startsWith("epsilon-"))
                            .distinct()
                            .toList());
            List<String> cells = house().latest("tlsrpt.aggregates").values().stream()
                    .map(serde::read)
                    .filter(cell -> cell.policyType().length() < 500)
                    .map(PostgresSinkIT::cell)
                    .toList();
            assertThat(cells).hasSizeGreaterThan(50);
            assertThat(postgres()
                            .ask("SELECT \"window\", policy_domain, policy_type, submitter, authentication,"
                                    + " total_successful_session_count, total_failure_session_count, report_count,"
                                    + " (extract(epoch FROM last_received_at) * 1000)::bigint FROM tlsrpt_aggregates"))
                    .containsExactlyInAnyOrderElementsOf(cells);
            assertThat(
                            postgres()
                                    .ask(
                                            "SELECT (start_datetime AT TIME ZONE 'UTC')::date, policy_domain, policy_type, submitter,"
                                                    + " authentication, sum(total_successful_session_count),"
                                                    + " sum(total_failure_session_count), sum(CASE WHEN retraction THEN -1 ELSE 1 END)"
                                                    + " FROM tlsrpt_events WHERE kind = 'summary' AND " + STORABLE
                                                    + " GROUP BY 1, 2, 3, 4, 5 HAVING sum(CASE WHEN retraction THEN -1 ELSE 1 END) > 0"))
                    .containsExactlyInAnyOrderElementsOf(cells.stream()
                            .map(cell -> cell.substring(0, cell.lastIndexOf(" | ")))
                            .toList());
            assertThat(postgres().ask("SELECT report_key FROM tlsrpt_reports"))
                    .containsExactlyInAnyOrderElementsOf(
                            house().latest("tlsrpt.reports").keySet());
            assertThat(postgres().ask("SELECT alert_id, state, transition FROM tlsrpt_alerts"))
                    .containsExactlyInAnyOrderElementsOf(house().latest("tlsrpt.alerts").values().stream()
                            .map(MAPPER::readTree)
                            .map(alert -> alert.get("alert-id").asString() + " | "
                                    + alert.get("state").asString() + " | "
                                    + alert.get("transition").asInt())
                            .toList());
        });
    }

    private static String cell(Aggregate cell) {
        return String.join(
                " | ",
                cell.window().toString(),
                cell.policyDomain(),
                cell.policyType(),
                cell.submitter(),
                cell.authentication(),
                Long.toString(cell.totalSuccessfulSessionCount()),
                Long.toString(cell.totalFailureSessionCount()),
                Long.toString(cell.reportCount()),
                Long.toString(cell.lastReceivedAt().toEpochMilli()));
    }

    /// All rows but those of alerts, whose state goes on by itself.
    private static List<String> counted() {
        List<String> rows = new ArrayList<>();
        for (String table : List.of("events", "aggregates", "reports")) {
            rows.addAll(postgres().ask("SELECT t::text FROM tlsrpt_" + table + " t"));
        }
        return rows;
    }

    private static List<String> columns() {
        return postgres()
                .ask("SELECT table_name, column_name FROM information_schema.columns WHERE table_name LIKE 'tlsrpt%'"
                        + " ORDER BY 1, ordinal_position");
    }

    /// Waits until the connector's group has committed the end of each partition anew.
    private static void awaitReadAgain(String connector, String topic) {
        long records = house().records(topic).size();
        await().atMost(PATIENCE).untilAsserted(() -> {
            long read = 0;
            for (JsonNode each :
                    worker().get("/connectors/" + connector + "/offsets").get("offsets")) {
                read += each.at("/offset/kafka_offset").asLong();
            }
            assertThat(read).isGreaterThanOrEqualTo(records);
        });
    }

    private static void awaitRows(String query, String... rows) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(300))
                .untilAsserted(() -> assertThat(postgres().ask(query)).containsExactly(rows));
    }

    private static void produce(String key, ObjectNode event, boolean commit) {
        Map<String, Object> properties =
                Map.of("bootstrap.servers", house().bootstrapServers(), "transactional.id", "stranger");
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            Future<RecordMetadata> sent = producer.send(new ProducerRecord<>(
                    "tlsrpt.events",
                    null,
                    key.getBytes(UTF_8),
                    event.toString().getBytes(UTF_8),
                    new RecordHeaders().add("schema", "tlsrpt.event/1".getBytes(UTF_8))));
            assertThat(sent).succeedsWithin(PATIENCE);
            if (commit) {
                producer.commitTransaction();
            } else {
                producer.abortTransaction();
            }
        }
    }

    private static byte[] zip(Map<String, byte[]> files) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream out = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                out.putNextEntry(new ZipEntry(file.getKey()));
                out.write(file.getValue());
            }
        }
        return bytes.toByteArray();
    }

    /// Our configuration as it is, but for where the database is and how many brokers there are.
    private static String connector(String table) {
        ObjectNode file = (ObjectNode)
                MAPPER.readTree(DEPLOY.resolve("postgresql-" + table + ".json").toFile());
        ObjectNode config = (ObjectNode) file.get("config");
        config.put("connection.url", postgres().url(config.get("connection.url").asString()));
        config.put("connection.password", "trusted");
        config.put("errors.deadletterqueue.topic.replication.factor", "1");
        return file.toString();
    }

    private static String name(String table) {
        return "tlsrpt-postgresql-" + table;
    }

    private static Postgres postgres() {
        return Objects.requireNonNull(startedPostgres);
    }

    private static House house() {
        return Objects.requireNonNull(startedHouse);
    }

    private static Worker worker() {
        return Objects.requireNonNull(startedWorker);
    }
}

package io.tlsrpt.connect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.storage.Converter;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.node.ObjectNode;

class RecordConverterTest {

    private static final Path WIRE = Path.of("../report-model/src/test/resources/wire");
    private static final Path SCHEMAS = Path.of("../docs/schemas");
    private static final Topics TOPICS = new Topics("tlsrpt.", Duration.ofDays(400));
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String TOPIC = "some.topic";

    private static Stream<String> goldenFiles() {
        return names(WIRE, ".json");
    }

    private static Stream<String> records() {
        return names(SCHEMAS, ".schema.json").filter(name -> !name.equals("report-headers"));
    }

    @ParameterizedTest
    @MethodSource("goldenFiles")
    void everyRecordBecomesARowThatHoldsAllOfIt(String file) {
        Struct row = (Struct) converted("json", file).value();

        row.validate();
        assertHolds(row, golden(file));
    }

    @ParameterizedTest
    @MethodSource("goldenFiles")
    void everyRecordBecomesAStructThatHoldsAllOfIt(String file) {
        Struct struct = (Struct) converted("struct", file).value();

        struct.validate();
        assertHolds(struct, golden(file));
    }

    @Test
    void anEventBecomesTypedColumns() {
        SchemaAndValue event = converted("json", "event-failure");
        Struct row = (Struct) event.value();

        assertThat(event.schema().name()).isEqualTo("tlsrpt.event");
        assertThat(event.schema().version()).isEqualTo(1);
        assertThat(event.schema().field("event_id").schema().isOptional()).isFalse();
        assertThat(event.schema().field("failed_session_count").schema())
                .matches(Schema::isOptional)
                .returns(Schema.Type.INT64, Schema::type);
        assertThat(row.getInt64("failed_session_count")).isEqualTo(4);
        assertThat(row.getString("event_id")).endsWith("#0.0.0");
        assertThat(instant(row, "received_at")).isEqualTo("2026-11-21T10:15:30.250Z");
        assertThat(row.getBoolean("backfill")).isFalse();
        assertThat(row.get("retraction")).isNull();
        assertThat(row.get("total_failure_session_count")).isNull();
        assertThat(row.getString("mx_host")).isEqualTo("[\"*.example.com\"]");
        assertThat(row.schema().field("mx_host").schema().name()).isEqualTo("io.debezium.data.Json");
    }

    @Test
    void aRetractionSaysSoAndCountsBackwards() {
        Struct row = (Struct) converted("json", "event-retraction").value();

        assertThat(row.getBoolean("retraction")).isTrue();
        assertThat(row.getInt64("failed_session_count")).isEqualTo(-4);
        assertThat(row.getString("event_id")).endsWith("!");
    }

    @Test
    void theKeyOfAnAggregateBecomesAStructWithADate() {
        SchemaAndValue key = converter(true, Map.of())
                .toConnectData(TOPIC, header("tlsrpt.aggregate/1"), bytes(golden("aggregate-key")));
        Struct struct = (Struct) key.value();

        assertThat(key.schema().name()).isEqualTo("tlsrpt.aggregate_key");
        assertThat(key.schema().fields().stream().map(Field::name))
                .containsExactly("window", "policy_domain", "policy_type", "submitter", "authentication");
        assertThat(struct.schema().field("window").schema().name()).isEqualTo(Date.LOGICAL_NAME);
        assertThat(day(struct, "window")).isEqualTo("2026-11-20");
    }

    @Test
    void anyOtherKeyIsText() {
        SchemaAndValue key = converter(true, Map.of())
                .toConnectData(TOPIC, header("tlsrpt.event/1"), "example.com".getBytes(StandardCharsets.UTF_8));

        assertThat(key.schema()).isSameAs(Schema.STRING_SCHEMA);
        assertThat(key.value()).isEqualTo("example.com");
    }

    @Test
    void aTombstoneStaysNull() {
        assertThat(converter(false, Map.of()).toConnectData(TOPIC, header("tlsrpt.aggregate/1"), null))
                .isEqualTo(SchemaAndValue.NULL);
        assertThat(converter(true, Map.of()).toConnectData(TOPIC, null)).isEqualTo(SchemaAndValue.NULL);
    }

    @Test
    void allRecordsOfATypeShareOneSchema() {
        RecordConverter converter = converter(false, Map.of());
        Headers headers = header("tlsrpt.event/1");

        assertThat(converter
                        .toConnectData(TOPIC, headers, bytes(golden("event-failure")))
                        .schema())
                .isSameAs(converter
                        .toConnectData(TOPIC, headers, bytes(golden("event-summary")))
                        .schema());
    }

    @Test
    void theTopicsOfTheCatalogueAreReadButTheDocumentsThemselves() {
        for (Topics.Topic topic : TOPICS.all()) {
            String record = topic.schema().replaceFirst("tlsrpt\\.(.*)/1", "$1");
            byte[] any =
                    goldenFiles().anyMatch(file -> record(file).equals(record)) ? bytes(first(record)) : new byte[0];
            if (topic.equals(TOPICS.raw()) || topic.equals(TOPICS.rejected())) {
                assertThatThrownBy(() ->
                                converter(false, Map.of()).toConnectData(topic.name(), header(topic.schema()), any))
                        .isInstanceOf(DataException.class)
                        .hasMessage(topic.name() + ": " + record + " is no JSON record that this plugin knows");
            } else {
                assertThat(converter(false, Map.of())
                                .toConnectData(topic.name(), header(topic.schema()), any)
                                .value())
                        .as(topic.name())
                        .isInstanceOf(Struct.class);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("records")
    void columnsAreNamesInSqlAndLeadBackToTheirMembers(String record) {
        Schema schema = Objects.requireNonNull(new RecordSchemas(RecordSchemas.Nesting.JSON).find(record));
        JsonNode members = MAPPER.readTree(
                        SCHEMAS.resolve(record + ".schema.json").toFile())
                .get("properties");

        assertThat(schema.fields().stream().map(Field::name)).allMatch(name -> name.matches("[a-z][a-z0-9_]*"));
        assertThat(schema.fields().stream().map(field -> RecordSchemas.member(field.name())))
                .containsExactlyElementsOf(members.propertyNames());
        assertThat(schema.fields().stream().map(field -> field.schema().type()))
                .as("what a table can hold")
                .isSubsetOf(Schema.Type.STRING, Schema.Type.INT64, Schema.Type.INT32, Schema.Type.BOOLEAN);
    }

    @ParameterizedTest
    @MethodSource("records")
    void structsOfOneNameAreAlikeAndTheirNamesAreGoodForAvro(String record) {
        Schema schema = Objects.requireNonNull(new RecordSchemas(RecordSchemas.Nesting.STRUCT).find(record));
        Map<String, List<Field>> named = new HashMap<>();
        collect(schema, named);

        assertThat(named.keySet()).allMatch(name -> name.matches("[a-z][a-z_]*(\\.[a-z][a-z_]*)*"));
    }

    private static void collect(Schema schema, Map<String, List<Field>> named) {
        switch (schema.type()) {
            case STRUCT -> {
                List<Field> before = named.putIfAbsent(schema.name(), schema.fields());
                assertThat(schema.fields()).isEqualTo(before == null ? schema.fields() : before);
                schema.fields().forEach(field -> collect(field.schema(), named));
            }
            case ARRAY, MAP -> collect(schema.valueSchema(), named);
            default -> assertThat(schema.type().isPrimitive()).isTrue();
        }
    }

    @Test
    void membersThatThePluginDoesNotKnowAreIgnored() {
        ObjectNode newer = golden("event-summary");
        newer.put("weather", "fine").putObject("more").put("x", 1);

        assertThat(converted("json", "event", bytes(newer)).value())
                .isEqualTo(converted("json", "event-summary").value());
    }

    @ParameterizedTest
    @CsvSource({
        "event-summary, kind, 7, no text",
        "event-summary, total-successful-session-count, 0.5, no integer of 64 bits",
        "event-summary, total-successful-session-count, 9223372036854775808, no integer of 64 bits",
        "event-summary, total-successful-session-count, '\"Tr0ub4dor\"', no integer of 64 bits",
        "event-summary, backfill, '\"Tr0ub4dor\"', neither true nor false",
        "event-summary, start-datetime, '\"Tr0ub4dor\"', no RFC 3339 time",
        "event-summary, start-datetime, '\"+999999999-12-31T23:59:59Z\"', no RFC 3339 time",
        "event-summary, mx-host, '\"Tr0ub4dor\"', neither object nor array",
        "event-summary, event-id, null, missing",
        "aggregate, window, '\"Tr0ub4dor\"', no ISO date",
        "aggregate, failures, '\"Tr0ub4dor\"', neither object nor array",
    })
    void whatDoesNotFitIsRefusedWithItsPlaceAndIsNotQuoted(String file, String member, String value, String what) {
        ObjectNode wrong = golden(file);
        wrong.set(member, MAPPER.readTree(value));

        assertThatThrownBy(() -> converted("json", record(file), bytes(wrong)))
                .isInstanceOf(DataException.class)
                .hasNoCause()
                .hasMessage("some.topic: " + member + " is " + what);
    }

    @Test
    void aFaultInsideIsNamedWithTheWayThere() {
        ObjectNode wrong = golden("aggregate");
        ((ObjectNode) wrong.get("failures").get(1)).put("detail-count", "Tr0ub4dor");

        assertThatThrownBy(() -> converted("struct", "aggregate", bytes(wrong)))
                .isInstanceOf(DataException.class)
                .hasMessage("some.topic: failures[1]: detail-count is no integer of 64 bits");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "Tr0ub4dor", "{\"kind\":Tr0ub4dor}", "{} {}", "\"Tr0ub4dor\"", "[]", "{\"kind\":\"Tr0ub"})
    void whatIsNoJsonObjectIsRefusedAndNotQuoted(String text) {
        assertThatThrownBy(() -> converted("json", "event", text.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(DataException.class)
                .hasNoCause()
                .message()
                .startsWith("some.topic")
                .doesNotContain("Tr0ub");
    }

    @Test
    void aRecordThatIsNoneOfOursOrNewerIsRefused() {
        byte[] event = bytes(golden("event-summary"));
        RecordConverter converter = converter(false, Map.of());

        assertThatThrownBy(() -> converter.toConnectData(TOPIC, header("tlsrpt.event/2"), event))
                .isInstanceOf(DataException.class)
                .hasMessage("some.topic: tlsrpt.event/2 is newer than this plugin, which knows version 1");
        for (String strange : List.of("", "event", "tlsrpt.event", "tlsrpt.../../event/1", "tlsrpt.event/1\u202e")) {
            assertThatThrownBy(() -> converter.toConnectData(TOPIC, header(strange), event))
                    .isInstanceOf(DataException.class)
                    .hasMessage("some.topic: the header schema of a record names none of ours");
        }
        assertThatThrownBy(() -> converter.toConnectData(TOPIC, header("tlsrpt.weather/1"), event))
                .isInstanceOf(DataException.class)
                .hasMessage("some.topic: weather is no JSON record that this plugin knows");
    }

    @Test
    void aRecordWithoutHeadersIsWhatTheConfigurationSays() {
        byte[] event = bytes(golden("event-summary"));

        assertThatThrownBy(() -> converter(false, Map.of()).toConnectData(TOPIC, event))
                .isInstanceOf(DataException.class)
                .hasMessage("some.topic: a record has no header schema; see record.type");
        assertThat(converter(false, Map.of("record.type", "event"))
                        .toConnectData(TOPIC, event)
                        .value())
                .isEqualTo(converted("json", "event-summary").value());
    }

    @Test
    void aBadConfigurationIsRefused() {
        for (Map<String, String> bad : List.of(
                Map.of("nested", "xml"),
                Map.of("record.type", "weather"),
                Map.of("record.type", "../event"),
                Map.of("max.key.bytes", "0"))) {
            assertThatThrownBy(() -> converter(false, bad)).as(bad.toString()).isInstanceOf(ConfigException.class);
        }
    }

    @Test
    void textThatNoDatabaseHoldsIsReplaced() {
        ObjectNode hostile = golden("event-failure");
        hostile.put("failure-reason-code", "a\u0000b<high>c<low>d\ud83d\ude00");
        hostile.putArray("mx-host").add("\u0000.example").add("\\u0000.example");

        String json = hostile.toString().replace("<high>", "\\ud800").replace("<low>", "\\udc00");

        Struct row = (Struct) converted("json", "event", json.getBytes(StandardCharsets.UTF_8))
                .value();

        assertThat(row.getString("failure_reason_code")).isEqualTo("a\ufffdb\ufffdc\ufffdd\ud83d\ude00");
        assertThat(row.getString("mx_host")).isEqualTo("[\"\ufffd.example\",\"\\\\u0000.example\"]");
        SchemaAndValue key = converter(true, Map.of())
                .toConnectData(TOPIC, header("tlsrpt.event/1"), "a\u0000b".getBytes(StandardCharsets.UTF_8));
        assertThat(key.value()).isEqualTo("a\ufffdb");
    }

    @Test
    void aKeyThatNoIndexTakesIsRefused() {
        ObjectNode key = golden("aggregate-key");
        key.put("policy-type", "x".repeat(2_000));
        Headers headers = header("tlsrpt.aggregate/1");

        assertThatThrownBy(() -> converter(true, Map.of()).toConnectData(TOPIC, headers, bytes(key)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("bytes, over 2000");
        assertThat(converter(true, Map.of("max.key.bytes", "5000")).toConnectData(TOPIC, headers, bytes(key)))
                .isNotNull();
    }

    @Test
    void itWritesNothing() {
        assertThatThrownBy(() -> converter(false, Map.of()).fromConnectData(TOPIC, Schema.STRING_SCHEMA, "x"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("writes nothing");
    }

    @Test
    void aWorkerFindsItByItsService() {
        assertThat(ServiceLoader.load(Converter.class).stream().map(ServiceLoader.Provider::type))
                .contains(RecordConverter.class);
    }

    /// Every member of the JSON is in the struct, and the struct has nothing else.
    private static void assertHolds(Struct struct, JsonNode json) {
        for (Field field : struct.schema().fields()) {
            JsonNode expected = json.get(field.name().replace('_', '-'));
            assertHolds(field.name(), field.schema(), struct.get(field), expected);
        }
        List<String> columns =
                struct.schema().fields().stream().map(Field::name).toList();
        json.forEachEntry((member, value) -> assertThat(columns).contains(member.replace('-', '_')));
    }

    private static void assertHolds(String name, Schema schema, @Nullable Object value, @Nullable JsonNode expected) {
        if (expected == null) {
            assertThat(value).as(name).isNull();
            return;
        }
        switch (Objects.requireNonNull(value)) {
            case Struct inner -> assertHolds(inner, expected);
            case List<?> list -> {
                assertThat(list).as(name).hasSize(expected.size());
                for (int i = 0; i < list.size(); i++) {
                    assertHolds(name, schema.valueSchema(), list.get(i), expected.get(i));
                }
            }
            case Map<?, ?> map -> assertThat(MAPPER.valueToTree(map).toString()).isEqualTo(expected.toString());
            case java.util.Date date -> {
                boolean time = Timestamp.LOGICAL_NAME.equals(schema.name());
                assertThat((time ? date.toInstant() : LocalDate.ofInstant(date.toInstant(), ZoneOffset.UTC)).toString())
                        .as(name)
                        .isEqualTo(expected.asString());
            }
            case String text -> {
                String json = expected.isContainer() ? expected.toString() : expected.asString();
                assertThat(text).as(name).isEqualTo(json);
            }
            case Long number -> assertThat(number).as(name).isEqualTo(expected.asLong());
            case Double number -> assertThat(number).as(name).isEqualTo(expected.asDouble());
            case Boolean truth -> assertThat(truth).as(name).isEqualTo(expected.asBoolean());
            default -> throw new AssertionError(name + " is a " + value.getClass());
        }
    }

    private static Instant instant(Struct struct, String field) {
        return ((java.util.Date) struct.get(field)).toInstant();
    }

    private static LocalDate day(Struct struct, String field) {
        return LocalDate.ofInstant(instant(struct, field), ZoneOffset.UTC);
    }

    private static SchemaAndValue converted(String nested, String file) {
        return converted(nested, record(file), bytes(golden(file)));
    }

    private static SchemaAndValue converted(String nested, String record, byte[] json) {
        return converter(false, Map.of("nested", nested)).toConnectData(TOPIC, header("tlsrpt." + record + "/1"), json);
    }

    private static RecordConverter converter(boolean isKey, Map<String, String> configs) {
        RecordConverter converter = new RecordConverter();
        converter.configure(configs, isKey);
        return converter;
    }

    private static Headers header(String schema) {
        return new RecordHeaders().add("schema", schema.getBytes(StandardCharsets.UTF_8));
    }

    /// The record that a golden file shows: `event` of `event-summary`.
    private static String record(String file) {
        return records()
                .filter(record -> (file + "-").startsWith(record + "-"))
                .reduce((a, b) -> a.length() > b.length() ? a : b)
                .orElseThrow();
    }

    private static ObjectNode first(String record) {
        return golden(goldenFiles()
                .filter(file -> record(file).equals(record))
                .findFirst()
                .orElseThrow());
    }

    private static ObjectNode golden(String file) {
        return (ObjectNode) MAPPER.readTree(WIRE.resolve(file + ".json").toFile());
    }

    private static byte[] bytes(JsonNode node) {
        return node.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static Stream<String> names(Path directory, String suffix) {
        try (Stream<Path> files = Files.list(directory)) {
            return Arrays.stream(files.map(file -> file.getFileName().toString().replace(suffix, ""))
                    .sorted()
                    .toArray(String[]::new));
        } catch (IOException missing) {
            throw new UncheckedIOException(missing);
        }
    }
}

package io.tlsrpt.topics;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// The JSON Schemas and the AsyncAPI document in `docs/` say what the records and the catalogue say.
class PublishedSchemasTest {

    private static final Path DOCS = Path.of("../docs");
    private static final Map<String, Class<? extends Record>> RECORDS = Map.ofEntries(
            Map.entry("event", Event.class),
            Map.entry("aggregate", Aggregate.class),
            Map.entry("aggregate-key", AggregateKey.class),
            Map.entry("report", AcceptedReport.class),
            Map.entry("verdict", Verdict.class),
            Map.entry("alert", Alert.class),
            Map.entry("alert-action", AlertAction.class),
            Map.entry("inspection", Inspection.class),
            Map.entry("silence", Silence.class),
            Map.entry("notification", Notification.class),
            Map.entry("domain", DomainClaim.class),
            Map.entry("departure", Departure.class));

    private static final Topics TOPICS = new Topics("tlsrpt.", Duration.ofDays(400));

    private static final JsonNode ASYNC_API =
            YAMLMapper.builder().build().readTree(read(DOCS.resolve("asyncapi.yaml")));

    static Stream<String> files() {
        return SampleRecords.byFile().keySet().stream();
    }

    static Stream<String> schemas() {
        return RECORDS.keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("files")
    void everyGoldenRecordIsValid(String file) {
        assertThat(faults(schemaOf(file), GoldenFiles.read(file))).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("files")
    void aRecordWithoutARequiredMemberIsNot(String file) {
        JsonNode required = source(schemaOf(file)).get("required");

        for (JsonNode name : required) {
            ObjectNode record = (ObjectNode) Json.MAPPER.readTree(GoldenFiles.read(file));
            record.remove(name.asString());
            assertThat(faults(schemaOf(file), record.toString()))
                    .as(name.asString())
                    .isNotEmpty();
        }
    }

    @Test
    void nullsEmptyTextAndWrongTypesAreNotValid() {
        String event = GoldenFiles.read("event-summary.json");

        for (String wrong : List.of(
                event.replace("\"tlsa\"", "\"\""),
                event.replace("\"tlsa\"", "null"),
                event.replace(":50", ":\"50\""),
                event.replace(":50", ":0.5"),
                event.replace("\"backfill\":true", "\"backfill\":true,\"retraction\":false"),
                event.replace("\"backfill\":true", "\"backfill\":true,\"result-type\":\"certificate-expired\""),
                event.replace("2026-11-20T23:59:59Z", "yesterday"))) {
            assertThat(faults("event", wrong)).as(wrong).isNotEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void aSchemaNamesExactlyTheMembersOfItsRecord(String schema) {
        assertDescribes(source(schema), source(schema), Objects.requireNonNull(RECORDS.get(schema)));
    }

    @Test
    void everySchemaFileBelongsToARecordOrToTheHeaders() throws IOException {
        List<String> expected = new ArrayList<>(RECORDS.keySet());
        expected.add("report-headers");
        try (Stream<Path> files = Files.list(DOCS.resolve("schemas"))) {
            assertThat(files.map(file -> file.getFileName().toString().replace(".schema.json", "")))
                    .containsExactlyInAnyOrderElementsOf(expected);
        }
    }

    @Test
    void theHeadersAreValid() {
        String raw = TOPICS.raw().schema();
        Headers rejected = SampleRecords.fewestHeaders().write(TOPICS.rejected().schema());
        assertThat(faults("report-headers", json(rejected)))
                .as("without reason")
                .isNotEmpty();
        ReportHeaders.put(rejected, ReportHeaders.REASON, "not-json");
        ReportHeaders.put(rejected, ReportHeaders.DETAIL, "no JSON at line 1, column 1");
        ReportHeaders.put(rejected, ReportHeaders.ENTRY, "2");
        ReportHeaders.put(rejected, ReportHeaders.CUT, "true");

        assertThat(faults("report-headers", json(SampleRecords.headers().write(raw))))
                .isEmpty();
        assertThat(faults("report-headers", json(SampleRecords.fewestHeaders().write(raw))))
                .isEmpty();
        assertThat(faults("report-headers", json(rejected))).isEmpty();
        assertThat(source("report-headers").get("properties").propertyNames())
                .containsAll(names(SampleRecords.headers().write(raw)))
                .containsAll(names(rejected));
    }

    @Test
    void asyncApiDescribesExactlyTheTopicsOfTheCatalogue() {
        List<String> described = new ArrayList<>();
        for (JsonNode channel : ASYNC_API.get("channels")) {
            described.add(topic(channel));
        }

        assertThat(described)
                .containsExactlyInAnyOrderElementsOf(
                        TOPICS.all().stream().map(PublishedSchemasTest::topic).toList());
    }

    @Test
    void everyReferenceInAsyncApiLeadsSomewhere() {
        List<String> references = new ArrayList<>();
        collectReferences(ASYNC_API, references);

        assertThat(references).hasSizeGreaterThan(30).allSatisfy(reference -> {
            if (reference.startsWith("#")) {
                assertThat(ASYNC_API.at(reference.substring(1)).isMissingNode()).isFalse();
            } else {
                assertThat(DOCS.resolve(reference)).isRegularFile();
            }
        });
    }

    @Test
    void everyTopicCanBeSentTo() {
        List<String> operated = new ArrayList<>();
        for (JsonNode operation : ASYNC_API.get("operations")) {
            operated.add(operation.at("/channel/$ref").asString().replace("#/channels/", ""));
        }

        assertThat(operated)
                .containsExactlyInAnyOrderElementsOf(ASYNC_API.get("channels").propertyNames());
    }

    /// Name, schema, and what a broker is told about it, on one line.
    private static String topic(JsonNode channel) {
        JsonNode message = channel.get("messages").iterator().next();
        JsonNode described = ASYNC_API.at(message.get("$ref").asString().substring(1));
        JsonNode settings = channel.at("/bindings/kafka/topicConfiguration");
        return String.join(
                " ",
                channel.get("address").asString(),
                described.get("name").asString(),
                settings.at("/cleanup.policy/0").asString(),
                settings.path("retention.ms").asString("-"),
                settings.path("retention.bytes").asString("-"),
                settings.path("max.message.bytes").asString());
    }

    private static String topic(Topics.Topic topic) {
        Duration retention = topic.retention();
        Long bytes = topic.retentionBytes();
        return String.join(
                " ",
                topic.name(),
                topic.schema(),
                topic.cleanup(),
                retention == null ? "-" : String.valueOf(retention.toMillis()),
                bytes == null ? "-" : String.valueOf(bytes),
                String.valueOf(topic.maxMessageBytes()));
    }

    private static void collectReferences(JsonNode node, List<String> references) {
        for (Map.Entry<String, JsonNode> member : node.properties()) {
            if (member.getKey().equals("$ref")) {
                references.add(member.getValue().asString());
            }
        }
        for (JsonNode child : node) {
            collectReferences(child, references);
        }
    }

    private static void assertDescribes(JsonNode root, JsonNode schema, Class<?> type) {
        List<String> members = new ArrayList<>();
        TreeSet<String> required = new TreeSet<>();
        for (RecordComponent component : type.getRecordComponents()) {
            String name = kebab(component.getName());
            members.add(name);
            if (!component.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
                required.add(name);
            }
            JsonNode property = schema.path("properties").path(name);
            JsonNode described = property.has("items") ? property.get("items") : property;
            if (described.has("$ref")) {
                described = root.at(described.get("$ref").asString().substring(1));
            }
            Class<?> nested = nestedRecord(component);
            if (nested != null) {
                assertDescribes(root, described, nested);
            }
        }

        assertThat(schema.path("properties").propertyNames())
                .as(type.getSimpleName())
                .containsExactlyInAnyOrderElementsOf(members);
        TreeSet<String> said = new TreeSet<>();
        schema.path("required").forEach(name -> said.add(name.asString()));
        assertThat(said).as(type.getSimpleName()).isEqualTo(required);
    }

    private static @Nullable Class<?> nestedRecord(RecordComponent component) {
        String type = component.getGenericType().getTypeName().replaceAll("^java\\.util\\.List<(.*)>$", "$1");
        Stream<Class<?>> members = Stream.of(
                        Event.class, Aggregate.class, AcceptedReport.class, Alert.class, Inspection.class)
                .flatMap(outer -> Arrays.stream(outer.getDeclaredClasses()));
        return Stream.concat(members, Stream.of(RawPosition.class, AlertMatch.class))
                .filter(nested -> nested.getTypeName().equals(type))
                .findFirst()
                .orElse(null);
    }

    private static String kebab(String component) {
        return component.replaceAll("(?<=[a-z])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    }

    private static String schemaOf(String file) {
        String name = file.replace(".json", "");
        return RECORDS.containsKey(name) ? name : name.substring(0, name.indexOf('-'));
    }

    private static List<com.networknt.schema.Error> faults(String schema, String json) {
        Schema compiled = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(read(DOCS.resolve("schemas/" + schema + ".schema.json")));
        return compiled.validate(
                json,
                InputFormat.JSON,
                context -> context.executionConfig(config -> config.formatAssertionsEnabled(true)));
    }

    private static JsonNode source(String schema) {
        return Json.MAPPER.readTree(read(DOCS.resolve("schemas/" + schema + ".schema.json")));
    }

    private static List<String> names(Headers headers) {
        return Arrays.stream(headers.toArray()).map(Header::key).toList();
    }

    private static String json(Headers headers) {
        ObjectNode members = Json.MAPPER.createObjectNode();
        headers.forEach(header -> members.put(header.key(), new String(header.value(), StandardCharsets.UTF_8)));
        return members.toString();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException missing) {
            throw new UncheckedIOException(missing);
        }
    }
}

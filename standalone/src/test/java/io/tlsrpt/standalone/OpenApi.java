package io.tlsrpt.standalone;

import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `docs/openapi.yaml` and the record schemas that it refers to, read strictly: although members may be added in later
/// releases, what is answered today has no member that the document does not tell of.
final class OpenApi {

    private static final Path DOCS = Path.of("../docs");
    private static final String ID = "urn:tlsrpt:openapi";

    /// Keywords whose value is what a member or an element must be like.
    private static final Set<String> OF_A_PART = Set.of("items", "additionalProperties");

    private final ObjectNode document;
    private final Map<String, String> records = new TreeMap<>();

    OpenApi() {
        Map<String, String> ids = new TreeMap<>();
        try (Stream<Path> files = Files.list(DOCS.resolve("schemas"));
                InputStream yaml = Files.newInputStream(DOCS.resolve("openapi.yaml"))) {
            for (Path file : files.sorted().toList()) {
                ObjectNode schema = (ObjectNode) Json.MAPPER.readTree(Files.readString(file));
                String id = schema.path("$id").asString();
                ids.put("./schemas/" + file.getFileName(), id);
                close(schema, false);
                records.put(id, schema.toString());
            }
            document = Json.MAPPER.valueToTree(new Load(LoadSettings.builder().build()).loadFromInputStream(yaml));
        } catch (IOException missing) {
            throw new UncheckedIOException(missing);
        }
        refer(document, ids);
        document.path("components").path("schemas").forEach(schema -> close(schema, false));
        document.findValues("content").forEach(content -> content.forEach(media -> close(media.path("schema"), true)));
        document.put("$id", ID);
    }

    /// Each as `GET /path`.
    Map<String, JsonNode> operations() {
        Map<String, JsonNode> operations = new LinkedHashMap<>();
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .properties()
                        .forEach(method -> operations.put(
                                method.getKey().toUpperCase(Locale.ROOT) + ' ' + path.getKey(), method.getValue())));
        return operations;
    }

    private JsonNode operation(String operation) {
        return Objects.requireNonNull(operations().get(operation), operation);
    }

    /// Names of the query parameters of an operation.
    List<String> queryParameters(String operation) {
        List<String> names = new ArrayList<>();
        for (JsonNode parameter : operation(operation).path("parameters")) {
            JsonNode resolved = resolved(parameter);
            if (resolved.path("in").asString().equals("query")) {
                names.add(resolved.path("name").asString());
            }
        }
        return names;
    }

    /// Whether an operation can be answered so.
    boolean tells(String operation, int status) {
        return operation(operation).path("responses").has(Integer.toString(status));
    }

    /// What is wrong with an answer; nothing is when the list is empty.
    ///
    /// @param contentType with or without parameters; `""` when there is no body
    List<String> faults(String operation, int status, String contentType, String body) {
        JsonNode response = resolved(operation(operation).path("responses").path(Integer.toString(status)));
        if (response.isMissingNode()) {
            return List.of("the document has no answer " + status + ": " + body);
        }
        JsonNode content = response.path("content");
        if (content.isMissingNode()) {
            return body.isEmpty() ? List.of() : List.of("the document has no body");
        }
        String type = contentType.replaceFirst(";.*", "").strip();
        JsonNode media = content.path(type);
        if (media.isMissingNode()) {
            return List.of("the document has no " + type + ", only " + content.propertyNames());
        }
        return switch (type) {
            case "application/json", "application/problem+json" -> faults(media.path("schema"), body);
            case "application/x-ndjson" ->
                body.lines()
                        .flatMap(line -> faults(media.path("schema"), line).stream())
                        .toList();
            default -> List.of();
        };
    }

    private List<String> faults(JsonNode schema, String body) {
        if (!schema.isObject()) {
            return List.of("the document has no schema");
        }
        ObjectNode root = document.deepCopy();
        root.set("allOf", Json.MAPPER.createArrayNode().add(schema));
        return SchemaRegistry.withDefaultDialect(
                        SpecificationVersion.DRAFT_2020_12, builder -> builder.schemas(records))
                .getSchema(root)
                .validate(
                        Json.MAPPER.readTree(body),
                        context -> context.executionConfig(config -> config.formatAssertionsEnabled(true)))
                .stream()
                .map(com.networknt.schema.Error::toString)
                .toList();
    }

    private JsonNode resolved(JsonNode node) {
        String reference = node.path("$ref").asString("");
        return reference.isEmpty() ? node : document.at(reference.substring(1));
    }

    /// References to files become references to what the files call themselves.
    private static void refer(JsonNode node, Map<String, String> ids) {
        if (node instanceof ObjectNode object && object.path("$ref").isString()) {
            String[] reference = object.path("$ref").asString().split("#", 2);
            String id = ids.get(reference[0]);
            if (id != null) {
                object.put("$ref", reference.length == 1 ? id : id + '#' + reference[1]);
            }
        }
        node.forEach(child -> refer(child, ids));
    }

    /// Allows no member that is not told of.
    ///
    /// @param whole whether this is all that is said of a value, and not one of several schemas that it must fit
    private static void close(JsonNode node, boolean whole) {
        if (!(node instanceof ObjectNode schema)) {
            return;
        }
        boolean tells = schema.has("$ref") || schema.has("allOf") || schema.has("oneOf") || schema.has("properties");
        schema.properties().forEach(keyword -> {
            JsonNode value = keyword.getValue();
            if (keyword.getKey().equals("properties") || keyword.getKey().equals("$defs")) {
                value.forEach(part -> close(part, keyword.getKey().equals("properties")));
            } else if (OF_A_PART.contains(keyword.getKey())) {
                close(value, true);
            } else if (value instanceof ArrayNode several && keyword.getKey().endsWith("Of")) {
                several.forEach(one -> close(one, false));
            }
        });
        if (whole && tells && !schema.has("unevaluatedProperties")) {
            schema.put("unevaluatedProperties", false);
        }
    }
}

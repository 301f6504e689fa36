package io.tlsrpt.connect;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Timestamp;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// The Connect schemas of our records, made from the published JSON Schemas that the jar carries. There is one object
/// for
/// each record type, so that sinks see a change of schema only where there is one.
///
/// A member becomes a field of the same name with `_` for `-`, required if the JSON Schema requires it. Times are
/// `Timestamp`, days `Date`, integers `INT64`, numbers `FLOAT64`.
final class RecordSchemas {

    /// What members become that are objects or arrays.
    enum Nesting {

        /// Text of a schema that carries the name [#JSON_TEXT].
        JSON,

        /// Structs, maps and arrays.
        STRUCT
    }

    /// Name of the schema of JSON text. It is Debezium's, whose sink makes JSON columns of it; for others it is a
    /// string.
    static final String JSON_TEXT = "io.debezium.data.Json";

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Nesting nesting;
    private final Map<String, Schema> byRecord = new ConcurrentHashMap<>();

    RecordSchemas(Nesting nesting) {
        this.nesting = nesting;
    }

    /// @param record such as `event` or `aggregate-key`, of letters and `-` only
    /// @return with the record's version; absent when this plugin knows no such record
    @Nullable
    Schema find(String record) {
        Schema known = byRecord.get(record);
        if (known != null) {
            return known;
        }
        try (InputStream file = RecordSchemas.class.getResourceAsStream("schemas/" + record + ".schema.json")) {
            if (file == null) {
                return null;
            }
            JsonNode document = MAPPER.readTree(file);
            Schema made = new Translation(document, "tlsrpt." + column(record)).record();
            Schema first = byRecord.putIfAbsent(record, made);
            return first == null ? made : first;
        } catch (IOException unreadable) {
            throw new UncheckedIOException("the schema of " + record + " in this plugin cannot be read", unreadable);
        }
    }

    static String column(String member) {
        return member.replace('-', '_');
    }

    static String member(String column) {
        return column.replace('_', '-');
    }

    /// One JSON Schema on its way. Only what our schemas use is understood; anything else stops the build by a test.
    private final class Translation {

        private final JsonNode document;
        private final String name;

        Translation(JsonNode document, String name) {
            this.document = document;
            this.name = name;
        }

        Schema record() {
            String id = document.path("$id").asString();
            int version = Integer.parseInt(id.substring(id.lastIndexOf(':') + 1));
            return struct(document, name).version(version).build();
        }

        private SchemaBuilder struct(JsonNode definition, String structName) {
            SchemaBuilder struct = SchemaBuilder.struct().name(structName);
            Set<String> required = new HashSet<>();
            definition.path("required").forEach(member -> required.add(member.asString()));
            definition.path("properties").forEachEntry((member, property) -> {
                SchemaBuilder field = field(property, member);
                if (!required.contains(member)) {
                    field.optional();
                }
                struct.field(column(member), field.build());
            });
            return doc(struct, definition);
        }

        private SchemaBuilder field(JsonNode property, String member) {
            JsonNode definition = property;
            String called = member;
            if (property.has("$ref")) {
                String reference = property.get("$ref").asString();
                definition = document.at(reference.substring(1));
                called = reference.substring(reference.lastIndexOf('/') + 1);
            }
            SchemaBuilder field = nested(definition) && nesting == Nesting.JSON
                    ? SchemaBuilder.string().name(JSON_TEXT)
                    : ofType(definition, called);
            return doc(field, definition);
        }

        private boolean nested(JsonNode definition) {
            String type = definition.path("type").asString("");
            return type.equals("object") || type.equals("array");
        }

        private SchemaBuilder ofType(JsonNode definition, String called) {
            String type = definition.path("type").asString("");
            if (definition.path("const").isBoolean()) {
                return SchemaBuilder.bool();
            }
            return switch (type) {
                case "string" -> text(definition.path("format").asString(""));
                case "integer" -> SchemaBuilder.int64();
                case "number" -> SchemaBuilder.float64();
                case "boolean" -> SchemaBuilder.bool();
                case "array" ->
                    SchemaBuilder.array(field(definition.path("items"), called).build());
                case "object" ->
                    definition.has("properties")
                            ? struct(definition, name + "." + column(called))
                            : SchemaBuilder.map(
                                    Schema.STRING_SCHEMA,
                                    field(definition.path("additionalProperties"), called)
                                            .build());
                default ->
                    throw new IllegalStateException(name + ": " + called + " has no type that this plugin knows");
            };
        }

        private SchemaBuilder text(String format) {
            return switch (format) {
                case "date" -> Date.builder();
                case "date-time" -> Timestamp.builder();
                default -> SchemaBuilder.string();
            };
        }

        private SchemaBuilder doc(SchemaBuilder schema, JsonNode definition) {
            String description = definition.path("description").asString("");
            if (!description.isEmpty() && schema.doc() == null) {
                schema.doc(description);
            }
            return schema;
        }
    }
}

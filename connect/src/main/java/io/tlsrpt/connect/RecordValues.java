package io.tlsrpt.connect;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.DataException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/// JSON as the values that a schema of [RecordSchemas] wants. What does not fit is a [DataException] that names the
/// place
/// and never what stood there, which is a stranger's text.
final class RecordValues {

    private static final char REPLACEMENT = '\uFFFD';

    private RecordValues() {}

    /// @param place of the object, for messages
    /// @throws DataException when a required member is missing or one has another type; unknown members are ignored
    static Struct struct(Schema schema, JsonNode object, String place) {
        if (!object.isObject()) {
            throw misfit(place, "no JSON object");
        }
        Struct struct = new Struct(schema);
        for (Field field : schema.fields()) {
            String member = RecordSchemas.member(field.name());
            JsonNode node = object.path(member);
            if (!node.isMissingNode() && !node.isNull()) {
                struct.put(field, value(field.schema(), node, place + ": " + member));
            } else if (!field.schema().isOptional()) {
                throw misfit(place + ": " + member, "missing");
            }
        }
        return struct;
    }

    /// The same text without what databases do not hold: U+0000 and lone surrogates become U+FFFD.
    static String storable(String text) {
        StringBuilder copy = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean pair = Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1));
            if (pair) {
                i++;
            } else if (c == 0 || Character.isSurrogate(c)) {
                copy = copy == null ? new StringBuilder(text) : copy;
                copy.setCharAt(i, REPLACEMENT);
            }
        }
        return copy == null ? text : copy.toString();
    }

    // Connect's logical types are java.util.Date
    @SuppressWarnings("JavaUtilDate")
    private static Object value(Schema schema, JsonNode node, String place) {
        if (Timestamp.LOGICAL_NAME.equals(schema.name())) {
            try {
                return java.util.Date.from(
                        OffsetDateTime.parse(text(node, place)).toInstant());
            } catch (DateTimeException | IllegalArgumentException malformed) {
                throw misfit(place, "no RFC 3339 time");
            }
        }
        if (Date.LOGICAL_NAME.equals(schema.name())) {
            try {
                return java.util.Date.from(
                        LocalDate.parse(text(node, place)).atStartOfDay().toInstant(ZoneOffset.UTC));
            } catch (DateTimeException | IllegalArgumentException malformed) {
                throw misfit(place, "no ISO date");
            }
        }
        if (RecordSchemas.JSON_TEXT.equals(schema.name())) {
            if (!node.isContainer()) {
                throw misfit(place, "neither object nor array");
            }
            return storable(node).toString();
        }
        return switch (schema.type()) {
            case STRING -> storable(text(node, place));
            case INT64 -> {
                if (!node.isIntegralNumber() || !node.canConvertToLong()) {
                    throw misfit(place, "no integer of 64 bits");
                }
                yield node.asLong();
            }
            case FLOAT64 -> {
                if (!node.isNumber()) {
                    throw misfit(place, "no number");
                }
                yield node.asDouble();
            }
            case BOOLEAN -> {
                if (!node.isBoolean()) {
                    throw misfit(place, "neither true nor false");
                }
                yield node.asBoolean();
            }
            case STRUCT -> struct(schema, node, place);
            case ARRAY -> list(schema.valueSchema(), node, place);
            case MAP -> map(schema.valueSchema(), node, place);
            default -> throw new IllegalStateException(schema.type() + " is in none of our schemas");
        };
    }

    private static String text(JsonNode node, String place) {
        if (!node.isString()) {
            throw misfit(place, "no text");
        }
        return node.asString();
    }

    private static List<Object> list(Schema items, JsonNode node, String place) {
        if (!node.isArray()) {
            throw misfit(place, "no array");
        }
        List<Object> list = new ArrayList<>(node.size());
        for (JsonNode item : node) {
            list.add(value(items, item, place + "[" + list.size() + "]"));
        }
        return list;
    }

    private static Map<String, Object> map(Schema values, JsonNode node, String place) {
        if (!node.isObject()) {
            throw misfit(place, "no JSON object");
        }
        Map<String, Object> map = new LinkedHashMap<>();
        node.forEachEntry((name, value) -> map.put(storable(name), value(values, value, place + ": an entry")));
        return map;
    }

    private static JsonNode storable(JsonNode node) {
        if (node.isString()) {
            return StringNode.valueOf(storable(node.asString()));
        }
        if (node.isArray()) {
            ArrayNode copy = JsonNodeFactory.instance.arrayNode(node.size());
            node.forEach(item -> copy.add(storable(item)));
            return copy;
        }
        if (node.isObject()) {
            ObjectNode copy = JsonNodeFactory.instance.objectNode();
            node.forEachEntry((name, value) -> copy.set(storable(name), storable(value)));
            return copy;
        }
        return node;
    }

    private static DataException misfit(String place, String what) {
        return new DataException(place + " is " + what);
    }
}

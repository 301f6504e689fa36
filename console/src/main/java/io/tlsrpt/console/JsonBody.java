package io.tlsrpt.console;

import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// The members of a JSON object that a client sent. What is wrong with them is collected with the other faults of the
/// request; members nobody knows are faults.
final class JsonBody {

    private static final int MOST_VALUES = 100;
    private static final int MOST_VALUE = 256;
    private static final Pattern DURATION = Pattern.compile("(\\d{1,6})([smhd])");

    private final JsonNode json;
    private final String place;
    private final Consumer<Parameters.Fault> faults;

    JsonBody(JsonNode json, Set<String> known, Consumer<Parameters.Fault> faults) {
        this(json, "", known, faults);
    }

    private JsonBody(JsonNode json, String place, Set<String> known, Consumer<Parameters.Fault> faults) {
        this.json = json;
        this.place = place;
        this.faults = faults;
        for (String name : json.propertyNames()) {
            if (!known.contains(name)) {
                fault(
                        name.length() > 64 ? name.substring(0, 64) : name,
                        "no such member; known: " + String.join(", ", new TreeSet<>(known)));
            }
        }
    }

    boolean has(String name) {
        return json.has(name);
    }

    void fault(String name, String expected) {
        faults.accept(new Parameters.Fault(place + name, expected));
    }

    /// Text of one or more lines.
    @Nullable
    String text(String name, int most) {
        return text(
                name, most, character -> character == '\n' || character == '\t' || !Character.isISOControl(character));
    }

    /// Text of one line in which nothing hides.
    @Nullable
    String line(String name, int most) {
        return text(name, most, character -> switch (Character.getType(character)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        });
    }

    private @Nullable String text(String name, int most, Predicate<Integer> allowed) {
        JsonNode value = json.path(name);
        if (value.isMissingNode()) {
            return null;
        }
        String text = value.isString() ? value.stringValue().strip() : "";
        if (text.isEmpty() || text.length() > most || !text.codePoints().boxed().allMatch(allowed)) {
            fault(name, "text of 1 to " + most + " characters, without control characters");
            return null;
        }
        return text;
    }

    @Nullable
    Long number(String name, long least, long most) {
        JsonNode value = json.path(name);
        if (value.isMissingNode()) {
            return null;
        }
        if (value.isIntegralNumber() && value.canConvertToLong()) {
            long number = value.longValue();
            if (number >= least && number <= most) {
                return number;
            }
        }
        fault(name, "a number from " + least + " to " + most);
        return null;
    }

    @Nullable
    Boolean flag(String name) {
        JsonNode value = json.path(name);
        if (!value.isMissingNode() && !value.isBoolean()) {
            fault(name, "true or false");
        }
        return value.isBoolean() ? (Boolean) value.booleanValue() : null;
    }

    @Nullable
    Instant time(String name) {
        JsonNode value = json.path(name);
        if (value.isMissingNode()) {
            return null;
        }
        try {
            Instant time = Instant.parse(value.asString(""));
            if (!time.isBefore(Instant.EPOCH) && time.isBefore(Instant.parse("9999-01-01T00:00:00Z"))) {
                return time;
            }
        } catch (DateTimeParseException noTime) {
            // said below
        }
        fault(name, "a time such as 2026-11-20T00:00:00Z");
        return null;
    }

    @Nullable
    Duration duration(String name) {
        JsonNode value = json.path(name);
        if (value.isMissingNode()) {
            return null;
        }
        Matcher parts = DURATION.matcher(value.asString(""));
        if (!parts.matches()) {
            fault(name, "a duration such as 90m, 2h or 7d");
            return null;
        }
        long amount = Long.parseLong(parts.group(1));
        return switch (parts.group(2)) {
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofDays(amount);
        };
    }

    JsonBody object(String name, Set<String> known) {
        JsonNode value = json.path(name);
        if (!value.isMissingNode() && !value.isObject()) {
            fault(name, "an object");
        }
        return new JsonBody(value, place + name + ".", known, faults);
    }

    /// @param expected what each of the values is, for people
    List<String> values(String name, Predicate<String> good, String expected) {
        List<String> values = new ArrayList<>();
        JsonNode list = json.path(name);
        if (list.isMissingNode()) {
            return values;
        }
        boolean all = list.isArray() && list.size() <= MOST_VALUES;
        for (JsonNode value : list) {
            String text = value.isString() ? value.stringValue() : "";
            all &= !text.isEmpty() && text.length() <= MOST_VALUE && good.test(text);
            values.add(text);
        }
        if (!all) {
            fault(name, "a list of at most " + MOST_VALUES + ", each " + expected);
            return List.of();
        }
        return values;
    }

    Map<String, String> pairs(String name) {
        Map<String, String> pairs = new TreeMap<>();
        JsonNode object = json.path(name);
        if (object.isMissingNode()) {
            return pairs;
        }
        boolean all = object.isObject() && object.size() <= MOST_VALUES;
        for (Map.Entry<String, JsonNode> pair : object.properties()) {
            String text = pair.getValue().isString() ? pair.getValue().stringValue() : "";
            all &= !text.isEmpty()
                    && text.length() <= MOST_VALUE
                    && pair.getKey().length() <= MOST_VALUE;
            pairs.put(pair.getKey(), text);
        }
        if (!all) {
            fault(name, "an object of at most " + MOST_VALUES + " texts");
            return Map.of();
        }
        return pairs;
    }
}

package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.runtime.Caller;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// The parameters of one request, in the path and in the query. What is wrong with them is collected, so that a client
/// hears of all faults at once.
final class Parameters {

    private static final String DOMAIN = "domain";
    private static final int MAX_LENGTH = 4_096;

    private final Caller caller;
    private final Visible visible;
    private final boolean overTls;
    private final Map<String, String> path;
    private final Map<String, List<String>> query;
    private final ObjectNode body;
    private final List<Fault> faults = new ArrayList<>();

    /// One parameter that cannot be used. The value is not repeated: the client knows it.
    @JsonPropertyOrder({"parameter", "expected"})
    record Fault(String parameter, String expected) {}

    /// @param overTls whether the client, or the proxy that it sees, speaks TLS
    /// @param known names the endpoint understands
    /// @param body an empty object where nothing was sent
    Parameters(
            Caller caller,
            Visible visible,
            boolean overTls,
            Map<String, String> path,
            Map<String, List<String>> query,
            Set<String> known,
            ObjectNode body) {
        this.caller = caller;
        this.visible = visible;
        this.overTls = overTls;
        this.path = path;
        this.query = query;
        this.body = body;
        for (Map.Entry<String, List<String>> parameter : query.entrySet()) {
            if (!known.contains(parameter.getKey())) {
                faults.add(new Fault(
                        shortened(parameter.getKey()),
                        known.isEmpty()
                                ? "no parameter here"
                                : "one of "
                                        + String.join(
                                                ", ", known.stream().sorted().toList())));
            } else if (parameter.getValue().stream().anyMatch(value -> value.length() > MAX_LENGTH)) {
                faults.add(new Fault(parameter.getKey(), "at most " + MAX_LENGTH + " characters"));
            }
        }
    }

    /// Who asks.
    Caller caller() {
        return caller;
    }

    /// What is shown to who asks.
    Visible visible() {
        return visible;
    }

    /// Whether the client, or the proxy that it sees, speaks TLS.
    boolean overTls() {
        return overTls;
    }

    /// Whether the domain in the path, or that of the parameter `domain`, is shown to who asks.
    boolean domainsVisible() {
        return visible.everything()
                || Stream.concat(Stream.ofNullable(path.get(DOMAIN)), query.getOrDefault(DOMAIN, List.of()).stream())
                        .map(Parameters::normalized)
                        .allMatch(visible::domain);
    }

    List<Fault> faults() {
        return List.copyOf(faults);
    }

    /// What was sent, whose faults are told with the others.
    ///
    /// @param known members the endpoint understands
    JsonBody body(Set<String> known) {
        return new JsonBody(body, known, faults::add);
    }

    /// A part of the path.
    String segment(String name) {
        return path.getOrDefault(name, "");
    }

    /// The domain in the path, in the form that records have.
    String domain() {
        return normalized(segment(DOMAIN));
    }

    @Nullable
    String text(String name) {
        List<String> values = query.getOrDefault(name, List.of());
        if (values.size() > 1) {
            faults.add(new Fault(name, "it once, not " + values.size() + " times"));
        }
        String value = values.isEmpty() ? null : values.getFirst();
        if (value != null && value.isEmpty()) {
            faults.add(new Fault(name, "a value, or no such parameter"));
        }
        return value;
    }

    String required(String name) {
        String value = text(name);
        if (value == null) {
            faults.add(new Fault(name, "a value: it is required"));
            return "";
        }
        return value;
    }

    @Nullable
    String domain(String name) {
        String value = text(name);
        return value == null ? null : normalized(value);
    }

    @Nullable
    String oneOf(String name, List<String> words) {
        String value = text(name);
        if (value != null && !words.contains(value)) {
            faults.add(new Fault(name, "one of " + String.join(", ", words)));
        }
        return value;
    }

    LocalDate day(String name, LocalDate otherwise) {
        String value = text(name);
        if (value == null) {
            return otherwise;
        }
        try {
            LocalDate day = LocalDate.parse(value);
            if (day.getYear() >= 0 && day.getYear() <= 9999) {
                return day;
            }
        } catch (DateTimeParseException noDay) {
            // said below
        }
        faults.add(new Fault(name, "a day such as 2026-11-20"));
        return otherwise;
    }

    /// The days `from` to `to`, both included.
    ///
    /// @param from unless the request says otherwise
    Days days(LocalDate from, LocalDate to, int most) {
        LocalDate last = day("to", to);
        LocalDate first = day("from", query.containsKey("to") && from.isAfter(last) ? last : from);
        if (first.isAfter(last)) {
            faults.add(new Fault("from", "a day not after to"));
        } else if (first.plusDays(most).isBefore(last)) {
            faults.add(new Fault("from", "at most " + most + " days before to"));
        }
        return new Days(first, last);
    }

    record Days(LocalDate from, LocalDate to) {

        boolean contains(LocalDate day) {
            return !day.isBefore(from) && !day.isAfter(to);
        }
    }

    /// A number that must be there, 0 or more.
    long number(String name, long most) {
        String value = required(name);
        try {
            long number = Long.parseLong(value);
            if (number >= 0 && number <= most) {
                return number;
            }
        } catch (NumberFormatException noNumber) {
            // said below
        }
        if (!value.isEmpty()) {
            faults.add(new Fault(name, "a number from 0 to " + most));
        }
        return 0;
    }

    int limit(int otherwise, int most) {
        String value = text("limit");
        if (value == null) {
            return otherwise;
        }
        try {
            int limit = Integer.parseInt(value);
            if (limit >= 1 && limit <= most) {
                return limit;
            }
        } catch (NumberFormatException noNumber) {
            // said below
        }
        faults.add(new Fault("limit", "a number from 1 to " + most));
        return otherwise;
    }

    /// Where the page before ended, for a page over a store.
    ///
    /// @param keys that pages of this list can end with
    @Nullable
    Bytes keyCursor(Predicate<Bytes> keys) {
        String value = text("cursor");
        if (value == null) {
            return null;
        }
        try {
            Bytes cursor = Cursor.bytes(value);
            if (keys.test(cursor)) {
                return cursor;
            }
        } catch (IllegalArgumentException noCursor) {
            // said below
        }
        badCursor();
        return null;
    }

    /// Where the page before ended, for a page over a topic.
    @Nullable
    Positions positionCursor() {
        String value = text("cursor");
        try {
            return value == null ? null : Positions.parse(Cursor.text(value));
        } catch (IllegalArgumentException noCursor) {
            badCursor();
            return null;
        }
    }

    /// `name=key:value`, any number of times.
    Map<String, String> pairs(String name) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String pair : query.getOrDefault(name, List.of())) {
            int colon = pair.indexOf(':');
            if (colon <= 0) {
                faults.add(new Fault(name, "key:value"));
            } else {
                pairs.put(pair.substring(0, colon), pair.substring(colon + 1));
            }
        }
        return pairs;
    }

    private void badCursor() {
        faults.add(new Fault("cursor", "the cursor of the page before"));
    }

    private static String normalized(String domain) {
        String lower = domain.toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    private static String shortened(String name) {
        return name.length() > 64 ? name.substring(0, 64) : name;
    }
}

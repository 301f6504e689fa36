package io.tlsrpt.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// An alert by its alert-id, or by so much of the beginning of it that it is the only one: at least six hex digits.
final class AlertById {

    static final String PATH = "/api/v1/alerts";

    /// As many digits as lists show.
    static final int SHOWN = 12;

    private static final int MOST_NAMED = 10;

    private AlertById() {}

    /// @throws IllegalArgumentException when the text is no beginning of an alert-id
    static String checked(String id) {
        if (!id.matches("[0-9a-f]{6,64}")) {
            throw new IllegalArgumentException(Terminal.shown(id)
                    + " is no alert-id: at least its first six hex digits, as alerts list shows them");
        }
        return id;
    }

    /// @throws Failure when no alert or more than one begins with this
    static JsonNode find(Server api, String id) {
        List<JsonNode> found = new ArrayList<>();
        api.rows(PATH, Map.of("id", id), MOST_NAMED + 1, found::add);
        if (found.isEmpty()) {
            throw new Failure("no alert begins with " + id);
        }
        if (found.size() > 1) {
            StringBuilder several = new StringBuilder("several alerts begin with " + id + ":");
            found.stream()
                    .limit(MOST_NAMED)
                    .forEach(alert -> several.append("\n  ")
                            .append(Rendering.text(alert, "alert-id"))
                            .append("  ")
                            .append(Rendering.text(alert, "summary")));
            throw new Failure(several.toString());
        }
        return found.getFirst();
    }

    /// What lists show of it.
    static String shown(JsonNode alert) {
        String id = Rendering.text(alert, "alert-id");
        return id.length() > SHOWN ? id.substring(0, SHOWN) : id;
    }
}

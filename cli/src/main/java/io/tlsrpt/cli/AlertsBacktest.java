package io.tlsrpt.cli;

import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Settings.Sensitivity;
import io.tlsrpt.topics.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// `./tlsrpt alerts backtest`: what would other rules have made of the same reports?
@Command(
        name = "backtest",
        mixinStandardHelpOptions = true,
        description = "Tells which alerts of the last days other rules would have added, and which be gone.")
final class AlertsBacktest implements Callable<Integer> {

    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private final Terminal terminal;

    @Mixin
    private ServerOption server = new ServerOption();

    @Option(names = "--days", paramLabel = "N", description = "How many days, 1 to 90; ${DEFAULT-VALUE} by default.")
    private int days = 30;

    @Option(names = "--sensitivity", paramLabel = "quiet|normal|eager", description = "Instead of the present one.")
    private @Nullable Sensitivity sensitivity;

    @Option(names = "--min-sessions", paramLabel = "N", description = "Instead of the present number.")
    private @Nullable Long minSessions;

    @Option(
            names = "--rule-off",
            paramLabel = "RULE",
            completionCandidates = RuleWords.class,
            description = "Without this rule; as often as wanted.")
    private List<String> rulesOff = new ArrayList<>();

    @Option(names = "--json", description = "The answer as JSON.")
    private boolean json;

    /// The words of all rules.
    static final class RuleWords extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        RuleWords() {
            super(AlertingSettings.Rules.WORDS);
        }
    }

    AlertsBacktest(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        ObjectNode wanted = Json.MAPPER.createObjectNode().put("days", days);
        ObjectNode rules = wanted.putObject("rules");
        if (sensitivity != null) {
            rules.put("sensitivity", sensitivity.name().toLowerCase(Locale.ROOT));
        }
        if (minSessions != null) {
            rules.put("min-sessions", minSessions);
        }
        rulesOff.forEach(rule -> rules.put(rule, false));
        JsonNode answer;
        try (Server api = server.connect()) {
            answer = api.send("POST", "/api/v1/backtest", Map.of(), wanted, PATIENCE);
        }
        if (json) {
            terminal.line(Server.ASCII.writeValueAsString(answer));
        } else {
            show(answer);
        }
        return 0;
    }

    private void show(JsonNode answer) {
        terminal.line(Rendering.count(answer, "days") + " days, " + Rendering.count(answer, "cells") + " aggregates of "
                + Rendering.count(answer, "domains") + " domains");
        terminal.field("present", totals(answer.path("present")));
        terminal.field("changed", totals(answer.path("changed")));
        list("added", answer);
        list("gone", answer);
    }

    private static String totals(JsonNode totals) {
        List<String> parts = new ArrayList<>();
        totals.path("by-severity")
                .properties()
                .forEach(one -> parts.add(one.getValue().asLong(0) + " " + Terminal.shown(one.getKey())));
        return Rendering.count(totals, "incidents") + " incidents"
                + (parts.isEmpty() ? "" : ": " + String.join(", ", parts));
    }

    private void list(String what, JsonNode answer) {
        long count = answer.path(what + "-count").asLong(0);
        terminal.line(terminal.bold(what + " " + count));
        JsonNode rows = answer.path(what);
        for (JsonNode row : rows) {
            terminal.line("  " + Rendering.text(row, "day") + "  " + Rendering.text(row, "severity") + "  "
                    + Rendering.text(row, "rule") + "  " + Rendering.text(row, "summary"));
        }
        if (rows.size() < count) {
            terminal.line("  … and " + (count - rows.size()) + " more");
        }
    }
}

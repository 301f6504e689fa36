package io.tlsrpt.cli;

import io.tlsrpt.report.FailureHelp;
import io.tlsrpt.topics.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// `./tlsrpt alerts show ID`: one alert with its evidence, what to do, what people said, who was told, and its history.
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        description = "Shows one alert: evidence, what to do, notes, who was told, history.")
final class AlertShow implements Callable<Integer> {

    private static final int MOST_TRANSITIONS = 100;

    private final Terminal terminal;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOption server = new ServerOption();

    @Parameters(paramLabel = "ID", description = "The alert-id, or at least its first six digits.")
    private String id = "";

    @Option(names = "--json", description = "One JSON object.")
    private boolean json;

    AlertShow(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        try {
            AlertById.checked(id);
        } catch (IllegalArgumentException noId) {
            throw new ParameterException(spec.commandLine(), String.valueOf(noId.getMessage()), noId);
        }
        try (Server api = server.connect()) {
            JsonNode found = AlertById.find(api, id);
            String path = AlertById.PATH + "/" + found.path("alert-id").asString("");
            JsonNode whole = api.find(path, Map.of()).orElseThrow(() -> new Failure("the alert has just expired"));
            JsonNode alert = whole.path("alert");
            List<JsonNode> history = new ArrayList<>();
            String opened = alert.path("opened-at").asString("");
            api.rows(
                    path + "/history",
                    opened.length() < 10 ? Map.of() : Map.of("from", opened.substring(0, 10)),
                    MOST_TRANSITIONS,
                    history::add);
            if (json) {
                ObjectNode all = Json.MAPPER.createObjectNode();
                all.set("alert", alert);
                all.set("notifications", whole.path("notifications"));
                all.putArray("history").addAll(history);
                terminal.line(Server.ASCII.writeValueAsString(all));
            } else {
                show(alert, whole.path("notifications"), history);
            }
        }
        return 0;
    }

    private void show(JsonNode alert, JsonNode notifications, List<JsonNode> history) {
        terminal.line(terminal.bold(Rendering.text(alert, "summary")));
        terminal.field("alert", Rendering.text(alert, "alert-id"));
        terminal.field("incident", Rendering.text(alert, "incident-id"));
        terminal.field("state", Rendering.state(alert, terminal) + ", opened " + Rendering.text(alert, "opened-at"));
        for (String member : List.of(
                "rule", "result-type", "policy-domain", "receiving-mx-hostname", "submitter", "policy-type", "url")) {
            optional(member, alert, member);
        }
        if (alert.has("labels")) {
            List<String> labels = new ArrayList<>();
            alert.path("labels")
                    .properties()
                    .forEach(label -> labels.add(Terminal.shown(
                            label.getKey() + "=" + label.getValue().asString(""))));
            terminal.field("labels", String.join(", ", labels));
        }
        evidence(alert.path("evidence"));
        if (alert.has("acknowledged")) {
            terminal.field("acknowledged", word(alert.path("acknowledged")));
        }
        alert.path("notes").forEach(note -> terminal.field("note", word(note)));
        optional("meaning", alert.path("help"), "meaning");
        urgency(alert);
        optional("fix", alert.path("help"), "fix");
        optional("verify", alert.path("help"), "verify");
        optional("runbook", alert, "runbook-url");
        notifications.forEach(told -> terminal.field(
                "told",
                Rendering.text(told, "at") + "  " + Rendering.text(told, "receiver") + "  "
                        + Rendering.text(told, "state") + "  " + Rendering.text(told, "result") + "  "
                        + Rendering.text(told, "detail")));
        history.forEach(transition -> terminal.field(
                "history",
                Rendering.text(transition, "updated-at") + "  #" + Rendering.count(transition, "transition") + "  "
                        + Rendering.state(transition, terminal)));
    }

    /// By what senders are asked to do. The alert does not tell the mode of an MTA-STS policy.
    private void urgency(JsonNode alert) {
        String resultType = alert.path("result-type").asString("");
        FailureHelp help = FailureHelp.ofRule(alert.path("rule").asString(""))
                .orElseGet(() -> FailureHelp.ofResultType(resultType));
        FailureHelp.Urgency urgency = help.urgency();
        switch (alert.path("policy-type").asString("")) {
            case "tlsa" -> terminal.field("urgency", urgency.tlsa());
            case "no-policy-found" -> terminal.field("urgency", urgency.noPolicyFound());
            default -> {
                if (urgency.enforce().equals(urgency.testing())) {
                    terminal.field("urgency", urgency.enforce());
                } else {
                    terminal.field("urgency", "policy mode enforce: " + urgency.enforce());
                    terminal.field("", "testing: " + urgency.testing());
                    terminal.field("", "none: " + urgency.none());
                }
            }
        }
    }

    private void evidence(JsonNode evidence) {
        terminal.field(
                "sessions",
                Rendering.count(evidence, "failed-session-count") + " failed of "
                        + Rendering.count(evidence, "session-count") + " on " + Rendering.text(evidence, "window")
                        + (evidence.has("branch") ? " (" + Rendering.text(evidence, "branch") + ")" : ""));
        terminal.field(
                "usual",
                Rendering.count(evidence, "baseline-failed") + " of " + Rendering.count(evidence, "baseline-sessions")
                        + (evidence.has("probability")
                                ? ", chance "
                                        + Terminal.shown(
                                                evidence.path("probability").asString(""))
                                : ""));
        for (String member : List.of("submitters", "receiving-ips", "failure-reason-codes", "affected-domains")) {
            if (evidence.has(member)) {
                List<String> values = new ArrayList<>();
                evidence.path(member).forEach(value -> values.add(Terminal.shown(value.asString(""))));
                terminal.field(member, String.join(", ", values));
            }
        }
        JsonNode live = evidence.path("live");
        if (!live.isMissingNode()) {
            terminal.field("seen live", Rendering.text(live, "inspected-at") + "  " + Rendering.text(live, "summary"));
        }
    }

    private void optional(String label, JsonNode row, String member) {
        if (row.has(member)) {
            terminal.field(label, Rendering.text(row, member));
        }
    }

    private static String word(JsonNode word) {
        return Rendering.text(word, "at") + "  " + Rendering.text(word, "by")
                + (word.has("text") ? ": " + Rendering.text(word, "text") : "");
    }
}

package io.tlsrpt.cli;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `./tlsrpt alerts explain DOMAIN [MX] [DAY]`: why did it, or did it not, fire?
@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        description = {
            "Shows every condition that was asked of what reports say of a domain on a day, with its numbers:",
            "why it is an alert, or is not."
        })
final class AlertsExplain implements Callable<Integer> {

    private final Terminal terminal;

    @Mixin
    private ServerOption server = new ServerOption();

    @Parameters(index = "0", paramLabel = "DOMAIN", description = "The policy domain.")
    private String domain = "";

    @Parameters(
            index = "1..2",
            arity = "0..2",
            paramLabel = "MX|DAY",
            description = "An MX host (all that failures name) and a day such as 2026-11-20 (the newest with reports).")
    private String[] more = {};

    @Option(names = "--json", description = "The answer as JSON.")
    private boolean json;

    AlertsExplain(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        Map<String, String> query = new TreeMap<>(Map.of("domain", domain));
        for (String each : more) {
            query.put(each.matches("\\d{4}-\\d{2}-\\d{2}") ? "day" : "mx", each);
        }
        JsonNode answer;
        try (Server api = server.connect()) {
            answer = api.find("/api/v1/explain", query)
                    .orElseThrow(() -> new Failure("there is no report about " + Terminal.shown(domain)));
        }
        if (json) {
            terminal.line(Server.ASCII.writeValueAsString(answer));
        } else {
            show(answer);
        }
        return 0;
    }

    private void show(JsonNode answer) {
        terminal.line(terminal.bold(Rendering.text(answer, "domain") + " on " + Rendering.text(answer, "day")) + ": "
                + Rendering.count(answer, "cells") + " aggregates of " + Rendering.count(answer, "domains")
                + " domains looked at");
        answer.path("notes").forEach(note -> terminal.line("note: " + Terminal.shown(note.asString(""))));
        boolean any = false;
        for (JsonNode mx : answer.path("mxs")) {
            for (JsonNode result : mx.path("results")) {
                any = true;
                result(result, mx.has("mx") ? "at " + Rendering.text(mx, "mx") : "of the domain, or at no named MX");
            }
        }
        if (!any) {
            terminal.line("no failure that a rule judges was reported of that day");
        }
    }

    private void result(JsonNode result, String where) {
        boolean alert = result.has("alert-id");
        terminal.line("");
        terminal.line(terminal.bold(Rendering.text(result, "result-type") + " " + where) + " (rule "
                + Rendering.text(result, "rule") + "): " + (alert ? terminal.red("an alert") : "no alert"));
        JsonNode now = result.path("alert");
        if (now.isObject()) {
            terminal.line("  " + Rendering.text(now, "incident-id") + ": " + Rendering.state(now, terminal));
        }
        result.path("notes").forEach(note -> terminal.line("  note: " + Terminal.shown(note.asString(""))));
        result.path("windows").forEach(this::window);
    }

    private void window(JsonNode window) {
        long days = window.path("days").asLong(1);
        terminal.line("  " + (days == 1 ? "the day" : days + " days") + ", " + Rendering.text(window, "policy-type")
                + ", " + (window.path("trusted").asBoolean(false) ? "trusted reports" : "all reports") + ": "
                + Rendering.count(window, "failed") + " of " + Rendering.count(window, "sessions")
                + " sessions, usually " + Rendering.count(window, "baseline-failed") + " of "
                + Rendering.count(window, "baseline-sessions") + ": " + verdict(window));
        for (JsonNode check : window.path("checks")) {
            boolean held = check.path("held").asBoolean(false);
            terminal.line(
                    "    " + mark(held) + "  " + Rendering.text(check, "name") + ": " + Rendering.text(check, "text"));
        }
    }

    private String verdict(JsonNode window) {
        return window.has("severity")
                ? terminal.red(Rendering.text(window, "severity") + " by " + Rendering.text(window, "branch"))
                : "recorded";
    }

    private String mark(boolean held) {
        if (terminal.interactive()) {
            return held ? "✓" : "✗";
        }
        return held ? "yes" : "no ";
    }
}

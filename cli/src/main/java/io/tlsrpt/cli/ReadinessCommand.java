package io.tlsrpt.cli;

import io.tlsrpt.inspection.Readiness;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Json;
import java.time.Clock;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `./tlsrpt readiness DOMAIN`: may its MTA-STS policy go from testing to enforce?
@Command(
        name = "readiness",
        mixinStandardHelpOptions = true,
        description = {
            "Tells whether the MTA-STS policy of a domain may go from mode testing to mode enforce, from the reports",
            "of the last 30 days (asked of the server) and from what the domain shows now (looked at from here)."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:ready", "1:not ready, or it failed", "2:wrong usage", "3:not enough data"})
final class ReadinessCommand implements Callable<Integer> {

    private static final int MOST_FAILURES = 20;

    private final Terminal terminal;
    private final Clock clock;

    @Parameters(
            paramLabel = "DOMAIN",
            converter = LiveLook.DomainText.class,
            description = "A policy domain, such as example.com.")
    private String domain = "";

    @Mixin
    private ServerOption server = new ServerOption();

    @Mixin
    private LiveLook look = new LiveLook();

    @Option(names = "--json", description = "One JSON object.")
    private boolean json;

    ReadinessCommand(Terminal terminal, Clock clock) {
        this.terminal = terminal;
        this.clock = clock;
    }

    @Override
    public Integer call() {
        Readiness reported;
        try (Server api = server.connect()) {
            reported = read(api.send("GET", "/api/v1/domains/" + domain + "/readiness", Map.of(), null));
        }
        return told(reported.with(look.open(clock).inspect(domain, Inspection.REQUEST)));
    }

    private static Readiness read(JsonNode answer) {
        try {
            return new Readiness(
                    answer.path("conditions")
                            .valueStream()
                            .map(condition -> new Readiness.Condition(
                                    Rendering.text(condition, "name"),
                                    Readiness.State.valueOf(
                                            Rendering.text(condition, "state").toUpperCase(Locale.ROOT)),
                                    Rendering.text(condition, "words")))
                            .toList(),
                    answer.path("failures")
                            .valueStream()
                            .map(failing -> new Readiness.Failing(
                                    Rendering.text(failing, "result-type"),
                                    failing.path("receiving-mx-hostname").stringValue(null),
                                    failing.path("failed-session-count").asLong(0),
                                    LocalDate.parse(Rendering.text(failing, "last-window"))))
                            .toList());
        } catch (IllegalArgumentException | DateTimeParseException another) {
            throw new Failure("the server's answer is that of another version: " + another.getMessage());
        }
    }

    /// @return the exit code
    private int told(Readiness readiness) {
        if (json) {
            json(readiness);
        } else {
            text(readiness);
        }
        return switch (readiness.verdict()) {
            case READY -> 0;
            case NOT_READY -> 1;
            case NOT_ENOUGH_DATA -> 3;
        };
    }

    private void text(Readiness readiness) {
        String verdict = readiness.verdict().word().replace('-', ' ');
        terminal.line(terminal.bold(domain) + "  "
                + (readiness.verdict() == Readiness.Verdict.READY ? verdict : terminal.red(verdict)));
        for (Readiness.Condition condition : readiness.conditions()) {
            String sign = switch (condition.state()) {
                case MET -> "yes";
                case UNMET -> "no";
                case UNKNOWN -> "?";
            };
            terminal.field(
                    "  " + sign + " ".repeat(4 - sign.length()) + condition.name(), Terminal.shown(condition.words()));
        }
        readiness.failures().stream()
                .limit(MOST_FAILURES)
                .forEach(failing -> terminal.line(String.format(
                        Locale.ROOT,
                        "  failed %s at %s: %,d sessions in 30 days, last on %s",
                        Terminal.shown(failing.resultType()),
                        failing.mx() == null ? "no MX that is named" : Terminal.shown(failing.mx()),
                        failing.sessions(),
                        failing.lastDay())));
    }

    private void json(Readiness readiness) {
        ObjectNode object = Json.MAPPER.createObjectNode();
        object.put("domain", domain).put("verdict", readiness.verdict().word());
        ArrayNode conditions = object.putArray("conditions");
        for (Readiness.Condition condition : readiness.conditions()) {
            conditions
                    .addObject()
                    .put("name", condition.name())
                    .put("state", condition.state().word())
                    .put("words", condition.words());
        }
        ArrayNode failures = object.putArray("failures");
        for (Readiness.Failing failing : readiness.failures()) {
            ObjectNode one = failures.addObject().put("result-type", failing.resultType());
            if (failing.mx() != null) {
                one.put("receiving-mx-hostname", failing.mx());
            }
            one.put("failed-session-count", failing.sessions())
                    .put("last-day", failing.lastDay().toString());
        }
        terminal.line(Server.ASCII.writeValueAsString(object));
    }
}

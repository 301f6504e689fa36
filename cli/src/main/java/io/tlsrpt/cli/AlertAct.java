package io.tlsrpt.cli;

import io.tlsrpt.topics.Json;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// `./tlsrpt alerts ack|resolve|note|false-alarm ID`: what somebody does about an alert.
@Command(mixinStandardHelpOptions = true)
final class AlertAct implements Callable<Integer> {

    private final Terminal terminal;
    private final Kind kind;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOption server = new ServerOption();

    @Parameters(paramLabel = "ID", description = "The alert-id, or at least its first six digits.")
    private String id = "";

    @Option(names = "--by", paramLabel = "NAME", description = "Who says so; by default your user name.")
    private String by = System.getProperty("user.name", "");

    @Option(names = "--text", paramLabel = "TEXT", description = "What there is to say.")
    private @Nullable String text;

    @Option(names = "--json", description = "The answer as JSON.")
    private boolean json;

    /// What can be done.
    enum Kind {
        ACK("ack", "acknowledge", "acknowledged", "Takes the incident on: its repetitions stop."),
        RESOLVE("resolve", "resolve", "resolved", "Ends the incident by hand."),
        NOTE("note", "note", "noted", "Adds a remark to the incident."),
        FALSE_ALARM(
                "false-alarm",
                "false-alarm",
                "called a false alarm",
                "Ends the incident; its bad days count for what is usual.");

        private final String word;
        private final String path;
        private final String done;
        private final String description;

        Kind(String word, String path, String done, String description) {
            this.word = word;
            this.path = path;
            this.done = done;
            this.description = description;
        }
    }

    private AlertAct(Terminal terminal, Kind kind) {
        this.terminal = terminal;
        this.kind = kind;
    }

    /// A command for each kind.
    static CommandLine addTo(CommandLine alerts, Terminal terminal) {
        for (Kind kind : Kind.values()) {
            CommandLine command = new CommandLine(new AlertAct(terminal, kind));
            command.getCommandSpec().usageMessage().description(kind.description);
            alerts.addSubcommand(kind.word, command);
        }
        return alerts;
    }

    @Override
    public Integer call() {
        try {
            AlertById.checked(id);
        } catch (IllegalArgumentException noId) {
            throw new ParameterException(spec.commandLine(), String.valueOf(noId.getMessage()), noId);
        }
        if (kind == Kind.NOTE && text == null) {
            throw new ParameterException(spec.commandLine(), "a note has a --text");
        }
        try (Server api = server.connect()) {
            JsonNode alert = AlertById.find(api, id);
            ObjectNode body = Json.MAPPER.createObjectNode();
            body.put("incident-id", alert.path("incident-id").asString(""));
            if (!by.isBlank()) {
                body.put("by", by);
            }
            if (text != null) {
                body.put("text", text);
            }
            JsonNode answer = api.send(
                    "POST",
                    AlertById.PATH + "/" + alert.path("alert-id").asString("") + "/" + kind.path,
                    Map.of(),
                    body);
            terminal.line(
                    json
                            ? Server.ASCII.writeValueAsString(answer)
                            : AlertById.shown(alert) + "  " + kind.done + "  " + Rendering.text(alert, "summary"));
        }
        return 0;
    }
}

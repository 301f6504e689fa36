package io.tlsrpt.cli;

import io.tlsrpt.topics.Json;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `./tlsrpt silence`: which alerts nobody is to be told of for a while.
@Command(
        name = "silence",
        mixinStandardHelpOptions = true,
        description = "Mutes notifications for a while; the alerts themselves go on.",
        synopsisSubcommandLabel = "COMMAND")
final class SilenceCommand {

    private static final String PATH = "/api/v1/silences";
    private static final int MOST = 2_000;

    /// `./tlsrpt silence add`.
    @Command(
            name = "add",
            mixinStandardHelpOptions = true,
            description = "Makes a silence. Every kind of matcher that is given must match, of one kind any value.")
    static final class Add implements Callable<Integer> {

        private final Terminal terminal;

        @Spec
        private CommandSpec spec = CommandSpec.create();

        @Mixin
        private ServerOption server = new ServerOption();

        @Option(names = "--alert", paramLabel = "ID", description = "An alert, by at least six digits of its ID.")
        private List<String> alerts = new ArrayList<>();

        @Option(names = "--domain", paramLabel = "DOMAIN", description = "A policy domain, or *.example.com.")
        private List<String> domains = new ArrayList<>();

        @Option(names = "--mx", paramLabel = "HOST", description = "An MX host.")
        private List<String> hosts = new ArrayList<>();

        @Option(names = "--submitter", paramLabel = "NAME", description = "A reporter.")
        private List<String> submitters = new ArrayList<>();

        @Option(names = "--label", paramLabel = "KEY=VALUE", description = "A label; all of several must match.")
        private Map<String, String> labels = new LinkedHashMap<>();

        @Option(names = "--rule", paramLabel = "RULE", description = "A rule, such as certificate.")
        private List<String> rules = new ArrayList<>();

        @Option(names = "--severity", paramLabel = "WORD", description = "critical, warning or info.")
        private List<String> severities = new ArrayList<>();

        @Option(names = "--class", paramLabel = "WORD", description = "A failure class, such as sts-policy.")
        private List<String> classes = new ArrayList<>();

        @Option(names = "--from", paramLabel = "TIME", description = "When it starts (2026-11-20T00:00:00Z); now.")
        private @Nullable String from;

        @Option(names = "--for", paramLabel = "TIME", description = "How long: 90m, 2h, 7d.")
        private @Nullable String lasts;

        @Option(names = "--until", paramLabel = "TIME", description = "Instead of --for: when it ends.")
        private @Nullable String until;

        @Option(names = "--comment", paramLabel = "TEXT", required = true, description = "Why.")
        private String comment = "";

        @Option(names = "--by", paramLabel = "NAME", description = "Who wants it; by default your user name.")
        private String by = System.getProperty("user.name", "");

        @Option(names = "--yes", description = "Does not ask.")
        private boolean yes;

        @Option(names = "--json", description = "The answer as JSON; does not ask.")
        private boolean json;

        Add(Terminal terminal) {
            this.terminal = terminal;
        }

        @Override
        public Integer call() {
            if ((lasts == null) == (until == null)) {
                throw new ParameterException(spec.commandLine(), "either --for or --until says how long");
            }
            try {
                alerts.forEach(AlertById::checked);
            } catch (IllegalArgumentException noId) {
                throw new ParameterException(spec.commandLine(), String.valueOf(noId.getMessage()), noId);
            }
            try (Server api = server.connect()) {
                ObjectNode wanted = wanted(api);
                if (wanted.path("match").isEmpty()) {
                    throw new ParameterException(
                            spec.commandLine(), "say which alerts, with --domain, --mx, --rule ...; never all of them");
                }
                if (!json) {
                    preview(api.send("POST", PATH, Map.of("preview", "true"), wanted));
                    if (terminal.interactive() && !yes && !terminal.agrees("Make this silence?")) {
                        terminal.line("nothing was changed");
                        return 1;
                    }
                }
                JsonNode made = api.send("POST", PATH, Map.of(), wanted);
                terminal.line(
                        json
                                ? Server.ASCII.writeValueAsString(made)
                                : Rendering.text(made.path("silence"), "silence-id") + "  "
                                        + Rendering.text(made.path("silence"), "state") + "  until "
                                        + Rendering.text(made.path("silence"), "ends-at"));
            }
            return 0;
        }

        private ObjectNode wanted(Server api) {
            ObjectNode wanted = Json.MAPPER.createObjectNode();
            ObjectNode match = wanted.putObject("match");
            put(
                    match,
                    "alert-ids",
                    alerts.stream()
                            .map(id -> AlertById.find(api, id).path("alert-id").asString(""))
                            .toList());
            put(match, "domains", domains);
            put(match, "receiving-mx-hostnames", hosts);
            put(match, "submitters", submitters);
            put(match, "rules", rules);
            put(match, "severities", severities);
            put(match, "classes", classes);
            if (!labels.isEmpty()) {
                ObjectNode object = match.putObject("labels");
                labels.forEach(object::put);
            }
            if (from != null) {
                wanted.put("starts-at", from);
            }
            if (lasts != null) {
                wanted.put("duration", lasts);
            } else {
                wanted.put("ends-at", until);
            }
            if (!by.isBlank()) {
                wanted.put("by", by);
            }
            return wanted.put("comment", comment);
        }

        private static void put(ObjectNode match, String name, List<String> values) {
            if (!values.isEmpty()) {
                ArrayNode list = match.putArray(name);
                values.forEach(list::add);
            }
        }

        private void preview(JsonNode preview) {
            long count = preview.path("match-count").asLong(0);
            terminal.line(
                    count == 0
                            ? "it matches no alert that fires now"
                            : "it matches " + Rendering.count(preview, "match-count") + " that fire now:");
            preview.path("matches").forEach(alert -> terminal.line("  " + Rendering.alert(alert, terminal)));
        }
    }

    /// `./tlsrpt silence list`.
    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Lists silences; expired ones for five days.")
    static final class Listing implements Callable<Integer> {

        private final Terminal terminal;

        @Mixin
        private ServerOption server = new ServerOption();

        @Option(names = "--json", description = "One JSON object per line.")
        private boolean json;

        Listing(Terminal terminal) {
            this.terminal = terminal;
        }

        @Override
        public Integer call() {
            List<List<String>> rows = new ArrayList<>();
            try (Server api = server.connect()) {
                api.rows(PATH, Map.of(), MOST, row -> {
                    if (json) {
                        terminal.line(Server.ASCII.writeValueAsString(row));
                    } else {
                        rows.add(List.of(
                                Rendering.text(row, "silence-id"),
                                Rendering.text(row, "state"),
                                Rendering.text(row, "starts-at"),
                                Rendering.text(row, "ends-at"),
                                Rendering.text(row, "by"),
                                matchers(row.path("match")),
                                Rendering.text(row, "comment")));
                    }
                });
            }
            if (!json && rows.isEmpty()) {
                terminal.line("no silence");
            } else if (!json) {
                terminal.table(List.of("ID", "STATE", "FROM", "UNTIL", "BY", "MATCHES", "COMMENT"), rows);
            }
            return 0;
        }

        private static String matchers(JsonNode match) {
            List<String> matchers = new ArrayList<>();
            match.properties().forEach(kind -> {
                List<String> values = new ArrayList<>();
                if (kind.getValue().isObject()) {
                    kind.getValue()
                            .properties()
                            .forEach(label -> values.add(
                                    label.getKey() + "=" + label.getValue().asString("")));
                } else {
                    kind.getValue().forEach(value -> values.add(value.asString("")));
                }
                matchers.add(kind.getKey() + " " + String.join(",", values));
            });
            return Terminal.shown(String.join("; ", matchers));
        }
    }

    /// `./tlsrpt silence remove`.
    @Command(name = "remove", mixinStandardHelpOptions = true, description = "Ends silences at once.")
    static final class Remove implements Callable<Integer> {

        private final Terminal terminal;

        @Mixin
        private ServerOption server = new ServerOption();

        @Parameters(paramLabel = "ID", arity = "1..*", description = "As silence list shows it, or its beginning.")
        private List<String> ids = List.of();

        @Option(names = "--json", description = "What they were, one JSON object per line.")
        private boolean json;

        Remove(Terminal terminal) {
            this.terminal = terminal;
        }

        @Override
        public Integer call() {
            int exit = 0;
            try (Server api = server.connect()) {
                List<String> known = new ArrayList<>();
                api.rows(
                        PATH,
                        Map.of(),
                        MOST,
                        row -> known.add(row.path("silence-id").asString("")));
                for (String id : ids) {
                    try {
                        JsonNode was = api.send(
                                "DELETE",
                                PATH + "/" + URLEncoder.encode(one(known, id), StandardCharsets.UTF_8),
                                Map.of(),
                                null);
                        terminal.line(
                                json
                                        ? Server.ASCII.writeValueAsString(was)
                                        : Rendering.text(was, "silence-id") + "  removed");
                    } catch (Failure failed) {
                        terminal.error(Terminal.shown(id) + ": " + failed.getMessage());
                        exit = 1;
                    }
                }
            }
            return exit;
        }

        private static String one(List<String> known, String id) {
            List<String> found =
                    known.stream().filter(each -> each.startsWith(id)).toList();
            if (found.size() == 1) {
                return found.getFirst();
            }
            throw new Failure(found.isEmpty() ? "no such silence" : found.size() + " silences begin so");
        }
    }
}

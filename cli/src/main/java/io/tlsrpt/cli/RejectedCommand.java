package io.tlsrpt.cli;

import java.util.ArrayList;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/// `./tlsrpt rejected`: what was refused. Each record has an ID, its partition and offset: `2-1047`.
@Command(
        name = "rejected",
        mixinStandardHelpOptions = true,
        description = "Shows what was refused and why, and has it judged again.",
        synopsisSubcommandLabel = "COMMAND")
final class RejectedCommand {

    static final String PATH = "/api/v1/rejected";

    private static final Pattern ID = Pattern.compile("(\\d{1,9})-(\\d{1,18})");

    static boolean isId(String text) {
        return ID.matcher(text).matches();
    }

    /// Where the record of an ID is, as parameters of the API.
    static Map<String, String> place(String id) {
        Matcher parts = ID.matcher(id);
        if (!parts.matches()) {
            throw new IllegalArgumentException("expected partition-offset");
        }
        return new TreeMap<>(Map.of("partition", parts.group(1), "offset", parts.group(2)));
    }

    /// `./tlsrpt rejected list`: newest first.
    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Lists what was refused and why, newest first.")
    static final class List implements Callable<Integer> {

        private final Terminal terminal;

        @Mixin
        private ServerOption server = new ServerOption();

        @Option(names = "--reason", paramLabel = "REASON", description = "Only for this reason, such as not-json.")
        private @Nullable String reason;

        @Option(names = "--limit", paramLabel = "N", description = "At most so many, ${DEFAULT-VALUE} by default.")
        private int limit = 50;

        @Option(names = "--json", description = "One JSON object per line.")
        private boolean json;

        List(Terminal terminal) {
            this.terminal = terminal;
        }

        @Override
        public Integer call() {
            Map<String, String> query = new TreeMap<>();
            if (reason != null) {
                query.put("reason", reason);
            }
            java.util.List<java.util.List<String>> rows = new ArrayList<>();
            try (Server api = server.connect()) {
                api.rows(PATH, query, limit, row -> {
                    if (json) {
                        terminal.line(Server.ASCII.writeValueAsString(row));
                    } else {
                        rows.add(columns(row));
                    }
                });
            }
            if (!json && rows.isEmpty()) {
                terminal.line("nothing was refused" + (reason == null ? "" : " for this reason"));
            } else if (!json) {
                terminal.table(java.util.List.of("ID", "WHEN", "REASON", "SOURCE", "FROM", "BYTES", "DETAIL"), rows);
            }
            return 0;
        }

        private static java.util.List<String> columns(JsonNode row) {
            String from = Rendering.text(row, "submitter");
            return java.util.List.of(
                    Rendering.text(row, "id"),
                    Rendering.text(row, "at"),
                    Rendering.text(row, "reason"),
                    Rendering.text(row, "source"),
                    from.equals("-") ? Rendering.text(row, "remote") : from,
                    Rendering.count(row, "size"),
                    Rendering.text(row, "detail"));
        }
    }
}

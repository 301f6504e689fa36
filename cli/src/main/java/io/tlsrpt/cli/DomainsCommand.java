package io.tlsrpt.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/// `./tlsrpt domains`: every configured or reporting domain.
@Command(name = "domains", mixinStandardHelpOptions = true, description = "Lists the domains and how they fare.")
final class DomainsCommand implements Callable<Integer> {

    private static final int MOST = 100_000;

    private final Terminal terminal;

    @Mixin
    private ServerOption server = new ServerOption();

    @Option(names = "--json", description = "One JSON object per line.")
    private boolean json;

    DomainsCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        List<List<String>> rows = new ArrayList<>();
        try (Server api = server.connect()) {
            api.rows("/api/v1/domains", Map.of("limit", "1000"), MOST, row -> {
                if (json) {
                    terminal.line(Server.ASCII.writeValueAsString(row));
                } else {
                    rows.add(columns(row));
                }
            });
        }
        if (!json && rows.isEmpty()) {
            terminal.line("no domain yet: reports make them known, and so does `domains:` in the configuration");
        } else if (!json) {
            terminal.table(
                    List.of("DOMAIN", "STATE", "LAST DAY", "ALERTS", "WORST", "SUCCESSFUL/FAILED SESSIONS, 30 DAYS"),
                    rows);
        }
        return 0;
    }

    private static List<String> columns(JsonNode row) {
        List<String> totals = new ArrayList<>();
        for (JsonNode total : row.path("last-30-days-totals")) {
            totals.add(Rendering.text(total, "policy-type") + " " + Rendering.text(total, "authentication") + " "
                    + Rendering.count(total, "total-successful-session-count") + "/"
                    + Rendering.count(total, "total-failure-session-count"));
        }
        return List.of(
                Rendering.text(row, "domain"),
                Rendering.text(row, "state"),
                Rendering.text(row, "last-window"),
                Rendering.count(row, "firing-alerts"),
                Rendering.text(row, "worst-failure-class"),
                String.join(", ", totals));
    }
}

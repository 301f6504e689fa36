package io.tlsrpt.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `./tlsrpt domains`: every configured, reporting or discovered domain.
@Command(
        name = "domains",
        mixinStandardHelpOptions = true,
        description = "Lists the domains and how they fare; accepts and forgets discovered ones.")
final class DomainsCommand implements Callable<Integer> {

    private static final int MOST = 100_000;

    private static final String DOMAINS = "/api/v1/domains";

    /// `./tlsrpt domains accept`.
    @Command(
            name = "accept",
            mixinStandardHelpOptions = true,
            description = "Makes discovered domains ours: their failures raise alerts from now on.")
    static final class Accept implements Callable<Integer> {

        private final Terminal terminal;

        @Mixin
        private ServerOption server = new ServerOption();

        @Parameters(paramLabel = "DOMAIN", arity = "1..*", description = "As `domains` lists them.")
        private List<String> domains = List.of();

        Accept(Terminal terminal) {
            this.terminal = terminal;
        }

        @Override
        public Integer call() {
            return each(server, domains, "accept", terminal);
        }
    }

    /// `./tlsrpt domains forget`.
    @Command(
            name = "forget",
            mixinStandardHelpOptions = true,
            description = "Takes the claim of discovered domains back; what was counted stays (see forget).")
    static final class Forget implements Callable<Integer> {

        private final Terminal terminal;

        @Mixin
        private ServerOption server = new ServerOption();

        @Parameters(paramLabel = "DOMAIN", arity = "1..*", description = "As `domains` lists them.")
        private List<String> domains = List.of();

        Forget(Terminal terminal) {
            this.terminal = terminal;
        }

        @Override
        public Integer call() {
            return each(server, domains, "forget", terminal);
        }
    }

    /// Does it to each, also behind one that fails.
    private static int each(ServerOption server, List<String> domains, String action, Terminal terminal) {
        int exit = 0;
        try (Server api = server.connect()) {
            for (String domain : domains) {
                try {
                    JsonNode claim = api.act(DOMAINS, domain, action);
                    terminal.line(Rendering.text(claim, "policy-domain") + "  "
                            + (action.equals("forget") ? "forgotten" : Rendering.text(claim, "state")));
                } catch (Failure failed) {
                    terminal.error(Terminal.shown(domain) + ": " + failed.getMessage());
                    exit = 1;
                }
            }
        }
        return exit;
    }

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
            api.rows(DOMAINS, Map.of("limit", "1000"), MOST, row -> {
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

package io.tlsrpt.cli;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `./tlsrpt alerts`.
@Command(
        name = "alerts",
        mixinStandardHelpOptions = true,
        description = "Shows alerts and says what is done about them.",
        synopsisSubcommandLabel = "COMMAND")
final class AlertsCommand {

    /// `./tlsrpt alerts list`: firing ones unless asked otherwise.
    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Lists alerts, the firing ones unless --all.")
    static final class List implements Callable<Integer> {

        private final Terminal terminal;

        @Mixin
        private ServerOption server = new ServerOption();

        @Option(names = "--all", description = "Resolved ones too.")
        private boolean all;

        @Option(names = "--domain", paramLabel = "DOMAIN", description = "Of this domain only.")
        private @Nullable String domain;

        @Option(names = "--limit", paramLabel = "N", description = "At most so many, ${DEFAULT-VALUE} by default.")
        private int limit = 1_000;

        @Option(names = "--json", description = "One JSON object per line.")
        private boolean json;

        List(Terminal terminal) {
            this.terminal = terminal;
        }

        @Override
        public Integer call() {
            Map<String, String> query = new TreeMap<>();
            if (!all) {
                query.put("state", "firing");
            }
            if (domain != null) {
                query.put("domain", domain);
            }
            int[] shown = new int[1];
            try (Server api = server.connect()) {
                api.rows("/api/v1/alerts", query, limit, row -> {
                    shown[0]++;
                    terminal.line(json ? Server.ASCII.writeValueAsString(row) : Rendering.alert(row, terminal));
                });
            }
            if (!json && shown[0] == 0) {
                terminal.line(all ? "no alert" : "no alert fires");
            }
            return 0;
        }
    }
}

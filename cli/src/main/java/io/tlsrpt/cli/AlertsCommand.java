package io.tlsrpt.cli;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
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

    /// `./tlsrpt alerts tail`: alerts as they open, change and end.
    @Command(
            name = "tail",
            mixinStandardHelpOptions = true,
            description = "Shows alerts as they open, change and end, until stopped (Ctrl-C).")
    static final class Tail implements Callable<Integer> {

        private final Terminal terminal;
        private final Consumer<Duration> pause;

        @Mixin
        private ServerOption server = new ServerOption();

        @Option(names = "--domain", paramLabel = "DOMAIN", description = "Of this domain only.")
        private @Nullable String domain;

        @Option(names = "--max", paramLabel = "N", description = "Stop after so many.")
        private long max = Long.MAX_VALUE;

        @Option(names = "--json", description = "One JSON object per line.")
        private boolean json;

        Tail(Terminal terminal, Consumer<Duration> pause) {
            this.terminal = terminal;
            this.pause = pause;
        }

        @Override
        public Integer call() {
            Map<String, String> query = new TreeMap<>(Map.of("topic", "alerts"));
            if (domain != null) {
                query.put("domain", domain);
            }
            try (Server api = server.connect()) {
                new LiveTail(api, terminal, pause)
                        .follow(
                                query,
                                max,
                                row -> terminal.line(
                                        json ? Server.ASCII.writeValueAsString(row) : Rendering.alert(row, terminal)));
            }
            return 0;
        }
    }
}

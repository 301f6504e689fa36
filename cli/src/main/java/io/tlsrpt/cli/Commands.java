package io.tlsrpt.cli;

import io.tlsrpt.runtime.Secret;
import java.io.BufferedReader;
import java.io.Console;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.Reader;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/// The commands that need no service in this process. The standalone program adds its own to the same root.
///
/// Exit codes of every command: 0 done, 1 failed, 2 wrong usage.
@Command(
        name = "tlsrpt",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        description = "Streaming ingestion of SMTP TLS reports (RFC 8460).",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:failed", "2:wrong usage"})
public final class Commands {

    /// What the options are unless the command line says otherwise.
    ///
    /// @param url of the API
    /// @param bootstrapServers of the broker
    /// @param topicPrefix first part of every topic's name
    /// @param token who asks the API, unless a file with another token is named
    public record Defaults(
            String url,
            String bootstrapServers,
            String topicPrefix,
            @Nullable Secret token) {

        /// Without a token.
        public Defaults(String url, String bootstrapServers, String topicPrefix) {
            this(url, bootstrapServers, topicPrefix, null);
        }

        /// The same with the token of the environment, `TLSRPT_TOKEN`.
        ///
        /// @param ofEnvironment absent or blank: none
        public Defaults withToken(@Nullable String ofEnvironment) {
            return new Defaults(
                    url,
                    bootstrapServers,
                    topicPrefix,
                    ofEnvironment == null || ofEnvironment.isBlank() ? null : new Secret(ofEnvironment.strip()));
        }

        /// Where `./tlsrpt run` listens without a configuration.
        public static final Defaults STANDALONE = new Defaults("http://127.0.0.1:8080", "127.0.0.1:9092", "tlsrpt.");

        private @Nullable String of(ArgSpec argument) {
            return argument instanceof OptionSpec option
                    ? Map.of("--url", url, "--bootstrap-servers", bootstrapServers, "--topic-prefix", topicPrefix)
                            .get(option.longestName())
                    : null;
        }
    }

    private final @Nullable Secret token;

    private Commands(@Nullable Secret token) {
        this.token = token;
    }

    /// Who asks the API, unless a file with another token is named.
    @Nullable
    Secret token() {
        return token;
    }

    /// The root command; more subcommands may be added. It does not exit: `execute` returns the exit code.
    public static CommandLine root(Defaults defaults) {
        boolean terminal =
                Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
        return root(
                defaults,
                new Terminal(
                        new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())),
                        new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                        new PrintWriter(System.err, true, StandardCharsets.UTF_8),
                        terminal,
                        terminal && CommandLine.Help.Ansi.AUTO.enabled()));
    }

    /// The root command for a program that reads what it writes.
    public static CommandLine root(Defaults defaults, PrintWriter out, PrintWriter err) {
        return root(defaults, new Terminal(new BufferedReader(Reader.nullReader()), out, err, false, false));
    }

    private static CommandLine root(Defaults defaults, Terminal terminal) {
        return root(defaults, terminal, System::nanoTime, pause -> LockSupport.parkNanos(pause.toNanos()));
    }

    static CommandLine root(Defaults defaults, Terminal terminal, LongSupplier nanoTime, Consumer<Duration> pause) {
        CommandLine root = new CommandLine(new Commands(defaults.token()))
                .addSubcommand(new ImportCommand(terminal, nanoTime, pause))
                .addSubcommand(new TailCommand(terminal, pause))
                .addSubcommand(new RecordCommand(terminal))
                .addSubcommand(new CheckCommand(terminal, Clock.systemUTC()))
                .addSubcommand(new ReadinessCommand(terminal, Clock.systemUTC()))
                .addSubcommand(new CommandLine(new RejectedCommand())
                        .addSubcommand(new RejectedCommand.List(terminal))
                        .addSubcommand(new RejectedExplain(terminal))
                        .addSubcommand(new RejectedRetry(terminal, nanoTime, pause, Clock.systemUTC())))
                .addSubcommand(new CommandLine(new DomainsCommand(terminal))
                        .addSubcommand(new DomainsCommand.Accept(terminal))
                        .addSubcommand(new DomainsCommand.Forget(terminal)))
                .addSubcommand(new ForgetCommand(terminal, nanoTime))
                .addSubcommand(AlertAct.addTo(
                        new CommandLine(new AlertsCommand())
                                .addSubcommand(new AlertsCommand.List(terminal))
                                .addSubcommand(new AlertsCommand.Tail(terminal, pause))
                                .addSubcommand(new AlertShow(terminal))
                                .addSubcommand(new AlertsExplain(terminal))
                                .addSubcommand(new AlertsBacktest(terminal)),
                        terminal))
                .addSubcommand(new TokenCommand(terminal, new SecureRandom()))
                .addSubcommand(new CommandLine(new SilenceCommand())
                        .addSubcommand(new SilenceCommand.Add(terminal))
                        .addSubcommand(new SilenceCommand.Listing(terminal))
                        .addSubcommand(new SilenceCommand.Remove(terminal)));
        root.setCaseInsensitiveEnumValuesAllowed(true);
        root.setDefaultValueProvider(defaults::of);
        root.setOut(terminal.out());
        root.setErr(terminal.err());
        root.setExecutionExceptionHandler((failed, command, parsed) -> {
            if (failed instanceof Failure expected) {
                terminal.error(String.valueOf(expected.getMessage()));
            } else {
                failed.printStackTrace(terminal.err());
            }
            return 1;
        });
        return root;
    }
}

package io.tlsrpt.standalone;

import io.tlsrpt.cli.Commands;
import java.time.Clock;
import java.util.Objects;
import picocli.CommandLine;

/// The program that `./tlsrpt` starts: the client's commands, and those that need the services.
public final class StandaloneMain {

    private StandaloneMain() {}

    /// Ends with 0 when done, 1 when it failed, 2 on wrong usage.
    public static void main(String[] args) {
        System.exit(commands().execute(args));
    }

    static CommandLine commands() {
        CommandLine root = Commands.root(Commands.Defaults.STANDALONE.withToken(System.getenv("TLSRPT_TOKEN")));
        Objects.requireNonNull(root.getSubcommands().get("alerts")).addSubcommand(new AlertsTestCommand());
        return root.addSubcommand(new RunCommand())
                .addSubcommand(new DemoCommand())
                .addSubcommand(new InitCommand())
                .addSubcommand(new ConfigCommand())
                .addSubcommand(new ExportCommand(Clock.systemUTC()))
                .addSubcommand(new RestoreCommand(Clock.systemUTC()))
                .setCaseInsensitiveEnumValuesAllowed(true);
    }
}

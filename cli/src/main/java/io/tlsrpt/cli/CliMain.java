package io.tlsrpt.cli;

/// The client's commands as a program of their own.
public final class CliMain {

    private CliMain() {}

    /// Ends with 0 when done, 1 when it failed, 2 on wrong usage.
    public static void main(String[] args) {
        System.exit(Commands.root(Commands.Defaults.STANDALONE.withToken(System.getenv("TLSRPT_TOKEN")))
                .execute(args));
    }
}

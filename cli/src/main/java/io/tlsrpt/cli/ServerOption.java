package io.tlsrpt.cli;

import picocli.CommandLine.Option;

/// Where the API is.
final class ServerOption {

    @Option(names = "--url", paramLabel = "URL", description = "The API, ${DEFAULT-VALUE} by default.")
    String url = Commands.Defaults.STANDALONE.url();

    Server connect() {
        return new Server(url);
    }
}

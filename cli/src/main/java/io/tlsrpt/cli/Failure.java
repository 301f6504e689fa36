package io.tlsrpt.cli;

/// A command cannot do its work, for a reason that the message tells together with what to do next. Ends the command
/// with exit code 1; no stack trace is shown.
final class Failure extends RuntimeException {

    private static final long serialVersionUID = 1;

    Failure(String message) {
        super(message);
    }
}

package io.tlsrpt.cli;

import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/// A command line whose output is kept and whose time passes only by its own pauses.
final class Captured {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    final AtomicLong nanos = new AtomicLong();
    final List<Duration> pauses = new ArrayList<>();
    final Terminal terminal;

    Captured(boolean interactive) {
        this(interactive, "");
    }

    /// @param answers what the person types
    Captured(boolean interactive, String answers) {
        terminal = new Terminal(
                new BufferedReader(new StringReader(answers)),
                new PrintWriter(out),
                new PrintWriter(err),
                interactive,
                interactive);
    }

    int run(String url, String... arguments) {
        Commands.Defaults defaults = new Commands.Defaults(url, "127.0.0.1:1", "tlsrpt.");
        int code = Commands.root(defaults, terminal, nanos::get, pause -> {
                    pauses.add(pause);
                    nanos.addAndGet(pause.toNanos());
                })
                .execute(arguments);
        terminal.out().flush();
        terminal.err().flush();
        return code;
    }

    String out() {
        return out.toString();
    }

    List<String> lines() {
        return out.toString().lines().toList();
    }

    String err() {
        terminal.err().flush();
        return err.toString();
    }
}

package io.tlsrpt.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;

/// How far an import is: a bar that is drawn over on a terminal, else a plain line each ten seconds.
final class Progress {

    private static final int WIDTH = 30;
    private static final Duration REDRAW = Duration.ofMillis(100);
    private static final Duration PLAIN = Duration.ofSeconds(10);

    private final Terminal terminal;
    private final LongSupplier nanoTime;
    private final long files;
    private final long bytes;
    private final long started;
    private long shown;
    private boolean drawn;

    /// @param bytes of all files
    Progress(Terminal terminal, LongSupplier nanoTime, long files, long bytes) {
        this.terminal = terminal;
        this.nanoTime = nanoTime;
        this.files = files;
        this.bytes = bytes;
        this.started = nanoTime.getAsLong();
        this.shown = started;
    }

    /// @param reports that have their verdict
    void at(long filesDone, long bytesDone, long reports) {
        long now = nanoTime.getAsLong();
        Duration every = terminal.interactive() ? REDRAW : PLAIN;
        if (now - shown < every.toNanos()) {
            return;
        }
        shown = now;
        double seconds = Math.max(1e-3, (now - started) / 1e9);
        double share = bytes == 0 ? 1 : Math.min(1, bytesDone / (double) bytes);
        String rate = String.format(
                Locale.ROOT,
                "%,d of %,d files, %,d reports, %,d/s%s",
                filesDone,
                files,
                reports,
                Math.round(reports / seconds),
                share <= 0 ? "" : ", " + left(seconds * (1 - share) / share));
        if (terminal.interactive()) {
            int filled = (int) (share * WIDTH);
            terminal.err()
                    .print("\r\u001b[K[" + "#".repeat(filled) + ".".repeat(WIDTH - filled) + "] "
                            + Math.round(Math.floor(share * 100)) + " % " + rate);
            terminal.err().flush();
            drawn = true;
        } else {
            terminal.err().println(Math.round(Math.floor(share * 100)) + " %: " + rate);
        }
    }

    /// Takes the bar away, so that other lines can be written.
    void clear() {
        if (drawn) {
            terminal.err().print("\r\u001b[K");
            terminal.err().flush();
            drawn = false;
        }
    }

    private static String left(double seconds) {
        long rounded = Math.round(seconds);
        return String.format(Locale.ROOT, "%d:%02d left", rounded / 60, rounded % 60);
    }
}

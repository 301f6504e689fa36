package io.tlsrpt.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;

/// Follows Maildirs: what is there is imported first, then what comes, until the process is stopped. A mail that moves
/// from `new` to `cur` or between folders is the same mail. A server that is away is waited for.
final class MaildirWatch {

    static final Duration LISTED_EVERY = Duration.ofSeconds(2);

    private final List<Path> directories;
    private final ImportedMails imported;
    private final Submitting submitting;
    private final Terminal terminal;
    private final boolean json;
    private final Consumer<Duration> pause;
    private boolean unlistable;

    /// @param directories Maildirs, or directories that hold some
    /// @param pause waits so long
    MaildirWatch(
            List<Path> directories,
            ImportedMails imported,
            Submitting submitting,
            Terminal terminal,
            boolean json,
            Consumer<Duration> pause) {
        this.directories = directories;
        this.imported = imported;
        this.submitting = submitting;
        this.terminal = terminal;
        this.json = json;
        this.pause = pause;
    }

    /// A large mail is no longer where it was listed.
    private static final class Moved extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /// Returns when the thread is interrupted.
    void run() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                Map<String, Path> mails = mails();
                unlistable = false;
                importNew(mails);
                imported.forgetOthersThan(mails.values());
            } catch (IOException failed) {
                if (!unlistable) {
                    terminal.error("waiting: " + Terminal.shown(String.valueOf(failed)));
                }
                unlistable = true;
            }
            pause.accept(LISTED_EVERY);
        }
    }

    /// By their unique names, since a mail may move while the folders are listed.
    private Map<String, Path> mails() throws IOException {
        Map<String, Path> mails = new LinkedHashMap<>();
        for (Path directory : directories) {
            Maildir.mails(directory).forEach(mail -> mails.putIfAbsent(Maildir.uniqueName(mail), mail));
        }
        return mails;
    }

    private void importNew(Map<String, Path> mails) throws IOException {
        List<Batch.ReportFile> files = new ArrayList<>();
        for (Path mail : mails.values()) {
            if (!imported.contains(mail) && Files.isReadable(mail)) {
                files.add(new Batch.ReportFile(mail, Files.size(mail)));
            }
        }
        int done = 0;
        while (done < files.size() && !Thread.currentThread().isInterrupted()) {
            Batch batch = Batch.first(files.subList(done, files.size()));
            send(batch);
            done += batch.files().size();
        }
        if (done > 0 && !json) {
            submitting.tell();
        }
    }

    private void send(Batch batch) throws IOException {
        List<Path> moved = new ArrayList<>();
        String stopped;
        try {
            stopped = submitting.send(
                    Map.of("name", batch.name()),
                    () -> {
                        moved.clear();
                        Path first = batch.files().getFirst().path();
                        if (batch.single() && !Files.isReadable(first)) {
                            throw new Moved();
                        }
                        return batch.body(moved::add);
                    },
                    reports -> {},
                    this::tell);
        } catch (Moved elsewhere) {
            // it is found where it is now when the folders are listed again
            return;
        }
        if (stopped != null) {
            throw new IOException(stopped);
        }
        imported.add(batch.files().stream()
                .map(Batch.ReportFile::path)
                .filter(path -> !moved.contains(path))
                .toList());
    }

    private void tell(JsonNode line) {
        String verdict = line.path("verdict").asString("failed");
        if (!json && (verdict.equals("rejected") || verdict.equals("failed"))) {
            terminal.line(terminal.red(
                    Rendering.answer(line, Terminal.shown(line.path("name").asString("")))));
        }
    }
}

package io.tlsrpt.cli;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `./tlsrpt import PATH...`: hands reports in files to a running tlsrpt and waits for their verdicts. Doing it again
/// is
/// harmless: what is known is told as a duplicate.
///
/// Exit code 0 when every report has its verdict, rejected ones included: they are an answer. 1 when some have none.
@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        description = {
            "Imports reports from files and directories, in the order of their paths:",
            "JSON, gzip, mails, mboxes, Maildirs, zip and tar archives of them."
        },
        footer = {
            "",
            "Ends with 0 when every report has its verdict, even if it is `rejected`;",
            "with 1 when some have none. Importing again is harmless."
        })
final class ImportCommand implements Callable<Integer> {

    private static final int REJECTED_SHOWN = 20;
    private static final Duration FOR_EVER = Duration.ofDays(10_000);

    private final Terminal terminal;
    private final LongSupplier nanoTime;
    private final Consumer<Duration> pause;

    @Mixin
    private ServerOption server = new ServerOption();

    @Parameters(arity = "1..*", paramLabel = "PATH", description = "Files and directories.")
    private List<Path> paths = List.of();

    @Option(
            names = "--retry-for",
            paramLabel = "SECONDS",
            description = "How long a server that went away is waited for, ${DEFAULT-VALUE} by default.")
    private long retryForSeconds = 300;

    @Option(names = "--json", description = "One JSON object per report, and one with the counts at the end.")
    private boolean json;

    @Option(names = "--watch", description = "Follow Maildirs: import what is there and what comes, until stopped.")
    private boolean watch;

    @Option(
            names = "--state",
            paramLabel = "FILE",
            description = "Where --watch remembers what it imported; .tlsrpt-imported in the first PATH by default.")
    private @Nullable Path state;

    private final List<String> rejected = new ArrayList<>();
    private final List<String> unreadable = new ArrayList<>();
    private int besideMails;

    /// @param pause waits so long
    ImportCommand(Terminal terminal, LongSupplier nanoTime, Consumer<Duration> pause) {
        this.terminal = terminal;
        this.nanoTime = nanoTime;
        this.pause = pause;
    }

    @Override
    public Integer call() {
        if (watch) {
            watch();
            return 0;
        }
        List<Batch.ReportFile> files = files();
        if (files.isEmpty() && unreadable.isEmpty()) {
            throw new Failure("there is no file in " + Terminal.shown(paths.toString()));
        }
        long bytes = files.stream().mapToLong(Batch.ReportFile::size).sum();
        Progress progress = new Progress(terminal, nanoTime, files.size(), bytes);
        String stopped = null;
        Submitting submitting;
        try (Server api = server.connect()) {
            submitting = new Submitting(api, terminal, json, nanoTime, pause, Duration.ofSeconds(retryForSeconds));
            long bytesDone = 0;
            int filesDone = 0;
            while (filesDone < files.size()) {
                Batch batch = Batch.first(files.subList(filesDone, files.size()));
                int before = filesDone;
                long bytesBefore = bytesDone;
                stopped = send(submitting, batch, done -> progress.at(before, bytesBefore, done));
                if (stopped != null) {
                    break;
                }
                filesDone += batch.files().size();
                bytesDone += batch.bytes();
                progress.at(filesDone, bytesDone, submitting.reports());
            }
        } finally {
            progress.clear();
        }
        tell(submitting, stopped);
        return stopped == null && unreadable.isEmpty() && submitting.judged() ? 0 : 1;
    }

    /// Until the process is stopped.
    private void watch() {
        for (Path path : paths) {
            try {
                if (!Files.isDirectory(path) || !Maildir.isAbove(path)) {
                    throw new Failure("--watch follows Maildirs, directories with cur and new; there is none in "
                            + Terminal.shown(path.toString()));
                }
            } catch (IOException failed) {
                throw new Failure("not readable: " + Terminal.shown(path.toString()));
            }
        }
        Path file = state == null ? paths.getFirst().resolve(".tlsrpt-imported") : state;
        ImportedMails imported = new ImportedMails(file);
        try (Server api = server.connect()) {
            Submitting submitting = new Submitting(
                    api,
                    terminal,
                    json,
                    nanoTime,
                    away -> {
                        terminal.error("waiting for " + api.url());
                        pause.accept(away);
                    },
                    FOR_EVER);
            submitting.waitForTheFirstAnswer();
            new MaildirWatch(paths, imported, submitting, terminal, json, pause).run();
        }
    }

    /// @return why it was given up; absent when it was not
    private @Nullable String send(Submitting submitting, Batch batch, LongConsumer underWay) {
        if (batch.single() && !Files.isReadable(batch.files().getFirst().path())) {
            unreadable.add(batch.name());
            return null;
        }
        List<Path> lost = new ArrayList<>();
        String stopped = submitting.send(
                Map.of("name", batch.name()),
                () -> {
                    lost.clear();
                    return batch.body(lost::add);
                },
                underWay,
                line -> take(batch, line));
        if (stopped == null) {
            lost.forEach(path -> unreadable.add(path.toString()));
        }
        return stopped;
    }

    private void take(Batch batch, JsonNode line) {
        String verdict = line.path("verdict").asString("failed");
        if ((verdict.equals("rejected") || verdict.equals("failed")) && rejected.size() < REJECTED_SHOWN) {
            String own = line.path("name").asString("");
            String name = batch.single() && !own.startsWith(batch.name()) ? batch.name() + "/" + own : own;
            rejected.add(Rendering.answer(line, Terminal.shown(name)));
        }
    }

    private void tell(Submitting submitting, @Nullable String stopped) {
        unreadable.forEach(path -> terminal.error("not readable: " + Terminal.shown(path)));
        if (stopped != null) {
            terminal.error(
                    "stopped: " + stopped + ". Run the same command again: what is in already is told as a duplicate.");
        }
        if (json) {
            submitting.tellJson(new TreeMap<>(Map.of("unreadable", unreadable.size(), "complete", stopped == null)));
            return;
        }
        if (besideMails > 0) {
            terminal.line("passed over " + besideMails + ": what a mail server keeps in Maildirs beside the mails");
        }
        rejected.forEach(line -> terminal.line(terminal.red(line)));
        long more = submitting.count("rejected") + submitting.count("failed") - rejected.size();
        if (more > 0) {
            terminal.line(String.format(Locale.ROOT, "… and %,d more: ./tlsrpt rejected list", more));
        }
        submitting.tell();
    }

    /// The regular files, each once, in the order of their paths. Links are followed where the user named them, never
    /// inside a directory.
    private List<Batch.ReportFile> files() {
        Set<Path> found = new LinkedHashSet<>();
        for (Path path : paths) {
            if (!Files.exists(path)) {
                throw new Failure("there is no " + Terminal.shown(path.toString()));
            }
            if (Files.isDirectory(path)) {
                walk(path, found);
            } else {
                found.add(path.normalize());
            }
        }
        List<Batch.ReportFile> files = new ArrayList<>();
        for (Path path : found) {
            try {
                files.add(new Batch.ReportFile(path, Files.size(path)));
            } catch (IOException failed) {
                unreadable.add(path.toString());
            }
        }
        return files;
    }

    private void walk(Path directory, Set<Path> found) {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
            stream.forEach(entries::add);
        } catch (IOException failed) {
            unreadable.add(directory.toString());
            return;
        }
        Collections.sort(entries);
        boolean maildir = Maildir.is(directory);
        for (Path entry : entries) {
            try {
                BasicFileAttributes attributes =
                        Files.readAttributes(entry, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                if (maildir && Maildir.isBesideTheMails(entry, attributes.isDirectory())) {
                    besideMails++;
                } else if (attributes.isDirectory()) {
                    walk(entry, found);
                } else if (attributes.isRegularFile()) {
                    found.add(entry.normalize());
                }
            } catch (IOException failed) {
                unreadable.add(entry.toString());
            }
        }
    }
}

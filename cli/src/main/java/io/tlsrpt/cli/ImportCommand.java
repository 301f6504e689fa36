package io.tlsrpt.cli;

import io.tlsrpt.topics.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// `./tlsrpt import PATH...`: hands reports in files to a running tlsrpt and waits for their verdicts. Doing it again
/// is
/// harmless: what is known is told as a duplicate.
///
/// Exit code 0 when every report has its verdict, rejected ones included: they are an answer. 1 when some have none.
@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        description =
                "Imports reports from files and directories (.json, .json.gz, .zip), in the order of their paths.",
        footer = {
            "",
            "Ends with 0 when every report has its verdict, even if it is `rejected`;",
            "with 1 when some have none. Importing again is harmless."
        })
final class ImportCommand implements Callable<Integer> {

    private static final int REJECTED_SHOWN = 20;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

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

    private final Map<String, Long> counts = new HashMap<>();
    private final List<String> rejected = new ArrayList<>();
    private final List<String> unreadable = new ArrayList<>();
    private boolean answered;

    /// @param pause waits so long
    ImportCommand(Terminal terminal, LongSupplier nanoTime, Consumer<Duration> pause) {
        this.terminal = terminal;
        this.nanoTime = nanoTime;
        this.pause = pause;
    }

    @Override
    public Integer call() {
        List<Batch.ReportFile> files = files();
        if (files.isEmpty() && unreadable.isEmpty()) {
            throw new Failure("there is no file in " + Terminal.shown(paths.toString()));
        }
        long bytes = files.stream().mapToLong(Batch.ReportFile::size).sum();
        Progress progress = new Progress(terminal, nanoTime, files.size(), bytes);
        String stopped = null;
        try (Server api = server.connect()) {
            long bytesDone = 0;
            int filesDone = 0;
            while (filesDone < files.size()) {
                Batch batch = Batch.first(files.subList(filesDone, files.size()));
                int before = filesDone;
                long bytesBefore = bytesDone;
                stopped = send(api, batch, done -> progress.at(before, bytesBefore, reports() + done));
                if (stopped != null) {
                    break;
                }
                filesDone += batch.files().size();
                bytesDone += batch.bytes();
                progress.at(filesDone, bytesDone, reports());
            }
        } finally {
            progress.clear();
        }
        tell(stopped);
        return stopped == null && unreadable.isEmpty() && count("pending") == 0 && count("failed") == 0 ? 0 : 1;
    }

    /// Sends a batch until it is answered whole.
    ///
    /// @return why it was given up; absent when it was not
    private @Nullable String send(Server api, Batch batch, Consumer<Integer> underWay) {
        if (batch.single() && !Files.isReadable(batch.files().getFirst().path())) {
            unreadable.add(batch.name());
            return null;
        }
        Duration next = FIRST_PAUSE;
        long giveUp = nanoTime.getAsLong() + Duration.ofSeconds(retryForSeconds).toNanos();
        while (true) {
            String trouble;
            List<Path> lost = new ArrayList<>();
            try {
                HttpResponse<InputStream> response =
                        api.post("/api/v1/import", Map.of("name", batch.name()), batch.body(lost::add));
                try (InputStream body = response.body()) {
                    answered = true;
                    if (response.statusCode() == 200) {
                        List<JsonNode> lines = lines(body, underWay);
                        if (lines.stream().noneMatch(ImportCommand::again)) {
                            lost.forEach(path -> unreadable.add(path.toString()));
                            lines.forEach(line -> take(batch, line));
                            return null;
                        }
                        trouble = "the broker cannot be reached";
                    } else {
                        String detail = Server.detail(new String(body.readNBytes(64 * 1024), StandardCharsets.UTF_8));
                        if (response.statusCode() != 503) {
                            return api.url() + " says " + response.statusCode() + ": " + detail;
                        }
                        trouble = detail;
                    }
                }
            } catch (ConnectException | HttpConnectTimeoutException nobody) {
                if (!answered) {
                    throw api.nobody();
                }
                trouble = "no tlsrpt answers at " + api.url();
            } catch (IOException | JacksonException broken) {
                trouble = "the answer broke off";
            }
            if (nanoTime.getAsLong() + next.toNanos() > giveUp) {
                return trouble + " for " + retryForSeconds + " s";
            }
            pause.accept(next);
            next = next.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : next.multipliedBy(2);
        }
    }

    private static List<JsonNode> lines(InputStream body, Consumer<Integer> underWay) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        BufferedReader reader = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            lines.add(Json.MAPPER.readTree(line));
            underWay.accept(lines.size());
        }
        return lines;
    }

    /// Whether this document was not stored because the broker was away.
    private static boolean again(JsonNode line) {
        return line.path("verdict").asString("").equals("failed")
                && line.path("reason").asString("").equals("busy");
    }

    private void take(Batch batch, JsonNode line) {
        String verdict = line.path("verdict").asString("failed");
        counts.merge(verdict, 1L, Long::sum);
        if (json) {
            terminal.line(Server.ASCII.writeValueAsString(line));
        }
        if ((verdict.equals("rejected") || verdict.equals("failed")) && rejected.size() < REJECTED_SHOWN) {
            String own = line.path("name").asString("");
            String name = batch.single() && !own.equals(batch.name()) ? batch.name() + "/" + own : own;
            rejected.add(verdict + "  " + Terminal.shown(name) + "  " + Rendering.text(line, "reason")
                    + (line.has("detail") ? ": " + Rendering.text(line, "detail") : ""));
        }
    }

    private void tell(@Nullable String stopped) {
        unreadable.forEach(path -> terminal.error("not readable: " + Terminal.shown(path)));
        if (stopped != null) {
            terminal.error(
                    "stopped: " + stopped + ". Run the same command again: what is in already is told as a duplicate.");
        }
        if (json) {
            Map<String, Object> summary = new LinkedHashMap<>();
            for (String verdict : List.of("accepted", "duplicate", "conflict", "rejected")) {
                summary.put(
                        verdict, verdict.equals("accepted") ? count("accepted") + count("replaced") : count(verdict));
            }
            for (String verdict : List.of("replaced", "skipped", "pending", "failed")) {
                summary.put(verdict, count(verdict));
            }
            summary.put("unreadable", unreadable.size());
            summary.put("complete", stopped == null);
            terminal.line(Server.ASCII.writeValueAsString(summary));
            return;
        }
        rejected.forEach(line -> terminal.line(terminal.red(line)));
        long more = count("rejected") + count("failed") - rejected.size();
        if (more > 0) {
            terminal.line(number("… and %,d more: ./tlsrpt rejected list", more));
        }
        tellCount("skipped", "skipped %,d: no reports by their names");
        tellCount("replaced", "replaced %,d untrusted copies, counted as accepted");
        tellCount("pending", "pending %,d: stored, but not judged in time; ./tlsrpt tail verdicts shows when they are");
        tellCount("failed", "failed %,d: not stored");
        terminal.line("accepted " + (count("accepted") + count("replaced")) + ", duplicate " + count("duplicate")
                + ", conflict " + count("conflict") + ", rejected " + count("rejected"));
    }

    private void tellCount(String verdict, String sentence) {
        if (count(verdict) > 0) {
            terminal.line(number(sentence, count(verdict)));
        }
    }

    private static String number(String sentence, long number) {
        return sentence.replace("%,d", String.format(Locale.ROOT, "%,d", number));
    }

    private long count(String verdict) {
        return counts.getOrDefault(verdict, 0L);
    }

    private long reports() {
        return counts.values().stream().mapToLong(Long::longValue).sum();
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
        for (Path entry : entries) {
            try {
                BasicFileAttributes attributes =
                        Files.readAttributes(entry, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                if (attributes.isDirectory()) {
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

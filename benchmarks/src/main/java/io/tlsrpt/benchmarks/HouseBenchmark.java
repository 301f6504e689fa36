package io.tlsrpt.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Measures the whole house on this machine and prints a table in Markdown, each figure beside a ceiling measured in
/// the
/// same run: what a bare producer or a bare copying topology does with the same reports, settings and broker.
@Command(
        name = "HouseBenchmark",
        mixinStandardHelpOptions = true,
        description = "Measures start, memory and reports per second, beside the ceiling.")
public final class HouseBenchmark implements Callable<Integer> {

    private static final int[] CONNECTIONS = {8, 64};
    private static final String TWIN = "benchmark.twin";

    @Option(names = "--reports", defaultValue = "20000", description = "Of each measurement (${DEFAULT-VALUE}).")
    private int reports;

    @Option(
            names = "--warm-up",
            defaultValue = "5000",
            description = "Reports before the measurements of each process (${DEFAULT-VALUE}).")
    private int warmUp;

    @Option(
            names = "--standalone",
            defaultValue = "standalone/target",
            description = "The build of the module standalone (${DEFAULT-VALUE}).")
    private Path standalone = Path.of("");

    @Option(
            names = "--directory",
            defaultValue = "benchmarks/target/house",
            description = "Where the data live while measuring; deleted before and after (${DEFAULT-VALUE}).")
    private Path directory = Path.of("");

    private final PrintStream out = System.out;
    private final Figures figures = new Figures();
    private final Instant now = Clock.systemUTC().instant();

    public static void main(String[] args) {
        System.exit(new CommandLine(new HouseBenchmark()).execute(args));
    }

    @Override
    public Integer call() throws IOException {
        delete(directory);
        Files.createDirectories(directory);
        Path absolute = directory.toAbsolutePath().normalize();
        house(standalone.toAbsolutePath().normalize(), absolute.resolve("house"));
        oneAtATime(absolute.resolve("services"));
        out.println(machine());
        out.println();
        out.println(reports());
        out.println();
        out.print(figures.markdown());
        delete(directory);
        return 0;
    }

    /// Everything in one process, as `./tlsrpt run` does.
    private void house(Path build, Path data) {
        say("starting on an empty directory");
        try (RunningHouse house = RunningHouse.start(build, data)) {
            figures.figure("start to ready, new data directory", seconds(house));
            figures.figure("RSS when ready", house.memoryMib("VmRSS") + " MiB");
            Settings settings =
                    SettingsFile.defaults().withEmbeddedBroker(house.broker().toString());
            Topics topics = new Topics(settings.topicPrefix(), settings.retention());
            KafkaSettings kafka = new KafkaSettings(settings);
            try (RawTopics raw = new RawTopics(
                    kafka.admin("benchmark"),
                    kafka.producer("benchmark"),
                    topics.raw().name())) {
                raw.createTwin(TWIN);
                say("warming up");
                house.importAll(Document.zip(documents("warm-import", warmUp)), warmUp);
                Posts.send(house.intake(), documents("warm-post", warmUp), CONNECTIONS[0]);
                house.awaitVerdicts(2L * warmUp);
                raw.produce(TWIN, documents("warm-twin", warmUp), RawTopics.UNBOUNDED);
                imports(house, raw);
                posts(house, raw);
            }
        }
        say("starting on what was measured");
        try (RunningHouse house = RunningHouse.start(build, data)) {
            figures.figure(
                    Figures.text("start to ready, %,d reports on the disk", 2 * warmUp + 5 * reports), seconds(house));
        }
    }

    private void imports(RunningHouse house, RawTopics raw) {
        say("importing");
        List<Document> documents = documents("import", reports);
        double ceiling = raw.produce(TWIN, documents, RawTopics.UNBOUNDED);
        byte[] zip = Document.zip(documents);
        Stopwatch watch = Stopwatch.start();
        house.importAll(zip, reports);
        figures.rate(
                "import of one zip, to the last verdict", watch.perSecond(reports), "producer, unbounded", ceiling, "");
        figures.figure(
                Figures.text("RSS after %,d more reports", reports),
                house.memoryMib("VmRSS") + " MiB, at most " + house.memoryMib("VmHWM") + " MiB");
    }

    private void posts(RunningHouse house, RawTopics raw) {
        double[] unbounded = new double[2];
        for (int flushed = 0; flushed < 2; flushed++) {
            boolean each = flushed == 0;
            String how = each ? "flush.messages=1" : "not flushed";
            raw.flush(each, TWIN);
            unbounded[flushed] = raw.produce(TWIN, documents("unbounded" + flushed, reports), RawTopics.UNBOUNDED);
            for (int connections : CONNECTIONS) {
                say("posting over " + connections + " connections, " + how);
                List<Document> documents = documents("post" + connections + "-" + flushed, reports);
                double ceiling = raw.produce(TWIN, documents, connections);
                long before = house.verdicts();
                Stopwatch watch = Stopwatch.start();
                Posts.Result result = Posts.send(house.intake(), documents, connections);
                house.awaitVerdicts(before + reports);
                double judged = watch.perSecond(reports);
                figures.rate(
                        "POST, " + connections + " connections, " + how,
                        result.perSecond(),
                        "producer, " + connections + " under way",
                        ceiling,
                        latency(result) + "; to the last verdict " + Figures.perSecond(judged));
            }
        }
        raw.flush(true, TWIN);
        figures.rate(
                "producer, unbounded, flush.messages=1 (what flushing costs)",
                unbounded[0],
                "not flushed",
                unbounded[1],
                "");
    }

    /// Intake alone, then the stream-processor alone.
    private void oneAtATime(Path data) {
        int connections = CONNECTIONS[1];
        try (Topologies topologies = new Topologies(data)) {
            say("warming up intake and topologies, one at a time");
            topologies.run("warm.", documents("warm", warmUp), connections);
            say("measuring intake and topologies, one at a time");
            Topologies.Result result = topologies.run("measured.", documents("measured", reports), connections);
            figures.rate(
                    "POST, " + connections + " connections, flush.messages=1, intake alone",
                    result.post().perSecond(),
                    "producer, " + connections + " under way",
                    result.produced(),
                    latency(result.post()));
            figures.rate("topology, verdicts", result.judged(), "copying topology", result.copied(), "");
            figures.rate(
                    "topology, to the last aggregate", result.aggregated(), "copying topology", result.copied(), "");
            figures.rate(
                    "copying topology with the processor's read-ahead of 5 records",
                    result.copied(),
                    "with 100",
                    result.copiedFarAhead(),
                    "");
        }
    }

    private List<Document> documents(String run, int count) {
        return Document.distinct(run, count, now);
    }

    private String machine() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        try {
            return Figures.text(
                    "%d cores, %d GiB of memory, data on %s, %s %s, %s %s.",
                    system.getAvailableProcessors(),
                    Math.round(system.getTotalMemorySize() / (double) (1 << 30)),
                    Files.getFileStore(directory).type(),
                    system.getName(),
                    system.getVersion(),
                    System.getProperty("java.vm.name"),
                    Runtime.version());
        } catch (IOException gone) {
            throw new UncheckedIOException(gone);
        }
    }

    private String reports() {
        List<Document> some = documents("size", 100);
        return Figures.text(
                "%,d distinct reports in each measurement after %,d to warm up; %,.0f bytes each, %,.0f as gzip, %d failure"
                        + " details. Sender, broker and services share the machine.",
                reports,
                warmUp,
                some.stream()
                        .mapToInt(document -> document.json().length)
                        .average()
                        .orElseThrow(),
                some.stream()
                        .mapToInt(document -> document.gzip().length)
                        .average()
                        .orElseThrow(),
                Document.DETAILS);
    }

    private static String seconds(RunningHouse house) {
        return Figures.text("%.1f s", house.secondsToReady());
    }

    private static String latency(Posts.Result result) {
        return Figures.text("p50 %.1f ms, p99 %.1f ms", result.p50Millis(), result.p99Millis());
    }

    private static void say(String what) {
        System.err.println(what + " …");
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}

package io.tlsrpt.benchmarks;

import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Topics;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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

    @Mixin
    private final Workbench bench = new Workbench();

    private final Figures figures = bench.figures();
    private final Instant now = Clock.systemUTC().instant();

    public static void main(String[] args) {
        System.exit(new CommandLine(new HouseBenchmark()).execute(args));
    }

    @Override
    public Integer call() {
        bench.clear();
        house(bench.standalone(), bench.directory("house"));
        oneAtATime(bench.directory("services"));
        bench.conclude(reports());
        return 0;
    }

    /// Everything in one process, as `./tlsrpt run` does.
    private void house(Path build, Path data) {
        bench.say("starting on an empty directory");
        try (RunningHouse house = RunningHouse.start(build, data)) {
            figures.figure("start to ready, new data directory", seconds(house));
            figures.figure("RSS when ready", house.memory());
            Settings settings =
                    SettingsFile.defaults().withEmbeddedBroker(house.broker().toString());
            Topics topics = new Topics(settings.topicPrefix(), settings.retention());
            KafkaSettings kafka = new KafkaSettings(settings);
            try (RawTopics raw = new RawTopics(
                    kafka.admin("benchmark"),
                    kafka.producer("benchmark"),
                    topics.raw().name())) {
                raw.createTwin(TWIN);
                bench.say("warming up");
                house.importAll(Document.zip(documents("warm-import", warmUp)), warmUp);
                Posts.send(house.intake(), documents("warm-post", warmUp), CONNECTIONS[0]);
                house.awaitVerdicts(2L * warmUp);
                raw.produce(TWIN, documents("warm-twin", warmUp), RawTopics.UNBOUNDED);
                imports(house, raw);
                posts(house, raw);
            }
        }
        bench.say("starting on what was measured");
        try (RunningHouse house = RunningHouse.start(build, data)) {
            figures.figure(
                    Figures.text("start to ready, %,d reports on the disk", 2 * warmUp + 5 * reports), seconds(house));
        }
    }

    private void imports(RunningHouse house, RawTopics raw) {
        bench.say("importing");
        List<Document> documents = documents("import", reports);
        double ceiling = raw.produce(TWIN, documents, RawTopics.UNBOUNDED);
        byte[] zip = Document.zip(documents);
        Stopwatch watch = Stopwatch.start();
        house.importAll(zip, reports);
        figures.rate(
                "import of one zip, to the last verdict", watch.perSecond(reports), "producer, unbounded", ceiling, "");
        figures.figure(Figures.text("RSS after %,d more reports", reports), house.memory());
    }

    private void posts(RunningHouse house, RawTopics raw) {
        double[] unbounded = new double[2];
        for (int flushed = 0; flushed < 2; flushed++) {
            boolean each = flushed == 0;
            String how = each ? "flush.messages=1" : "not flushed";
            raw.flush(each, TWIN);
            unbounded[flushed] = raw.produce(TWIN, documents("unbounded" + flushed, reports), RawTopics.UNBOUNDED);
            for (int connections : CONNECTIONS) {
                bench.say("posting over " + connections + " connections, " + how);
                List<Document> documents = documents("post" + connections + "-" + flushed, reports);
                double ceiling = raw.produce(TWIN, documents, connections);
                long before = house.verdicts();
                Stopwatch watch = Stopwatch.start();
                Load.Result result = Posts.send(house.intake(), documents, connections);
                house.awaitVerdicts(before + reports);
                double judged = watch.perSecond(reports);
                figures.rate(
                        "POST, " + connections + " connections, " + how,
                        result.perSecond(),
                        "producer, " + connections + " under way",
                        ceiling,
                        result.latency() + "; to the last verdict " + Figures.perSecond(judged));
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
            bench.say("warming up intake and topologies, one at a time");
            topologies.run("warm.", documents("warm", warmUp), connections);
            bench.say("measuring intake and topologies, one at a time");
            Topologies.Result result = topologies.run("measured.", documents("measured", reports), connections);
            figures.rate(
                    "POST, " + connections + " connections, flush.messages=1, intake alone",
                    result.post().perSecond(),
                    "producer, " + connections + " under way",
                    result.produced(),
                    result.post().latency());
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
}

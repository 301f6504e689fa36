package io.tlsrpt.benchmarks;

import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.standalone.EmbeddedBroker;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Measures a console over a long past of many domains: how long it takes to have its views, what they take of disk and
/// memory, and how fast it answers. Beside it stands what a plain consumer reads of the same topics, and how fast the
/// console answers who is asking.
@Command(
        name = "ConsoleBenchmark",
        mixinStandardHelpOptions = true,
        description = "Measures restore, size and answers of a console, beside the ceiling.")
public final class ConsoleBenchmark implements Callable<Integer> {

    private static final int[] CLIENTS = {1, 8};
    private static final String TRIVIAL = "/api/v1/session";

    @Option(names = "--domains", defaultValue = "500", description = "(${DEFAULT-VALUE})")
    private int domains;

    @Option(names = "--days", defaultValue = "400", description = "(${DEFAULT-VALUE})")
    private int days;

    @Option(names = "--reporters", defaultValue = "20", description = "Of each domain, daily (${DEFAULT-VALUE}).")
    private int reporters;

    @Option(names = "--seed", defaultValue = "1", description = "All numbers follow from it (${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--requests", defaultValue = "400", description = "Of each measurement (${DEFAULT-VALUE}).")
    private int requests;

    @Mixin
    private final Workbench bench = new Workbench();

    private final Figures figures = bench.figures();
    private final LocalDate today = LocalDate.now(Clock.systemUTC());

    public static void main(String[] args) {
        System.exit(new CommandLine(new ConsoleBenchmark()).execute(args));
    }

    /// What is asked.
    ///
    /// @param path by the number of the request, so that not all ask for the same
    private record Question(String name, IntFunction<String> path) {}

    @Override
    public Integer call() {
        bench.clear();
        PastReports past = new PastReports(domains, days, reporters, seed, today.minusDays(1));
        try (EmbeddedBroker broker = EmbeddedBroker.start(bench.directory("broker"), new HostPort("127.0.0.1", 0))) {
            HostPort address = HostPort.parse(broker.bootstrapServers());
            Settings settings = SettingsFile.defaults().withEmbeddedBroker(broker.bootstrapServers());
            Topics topics = new Topics(settings.topicPrefix(), settings.retention());
            KafkaSettings kafka = new KafkaSettings(settings);
            bench.say(Figures.text("writing %,d cells and as many reports", past.cells()));
            int partitions = settings.kafka().newTopicPartitions();
            TopicSetup.ensure(
                    kafka.admin("benchmark"),
                    topics,
                    partitions,
                    settings.kafka().newTopicCopies());
            past.writeTo(topics, partitions, kafka.producer("benchmark"));
            bench.say("reading them with a plain consumer");
            double ceiling = consumed(kafka, topics, past.cells());
            Path home = bench.directory("console");
            bench.say("restoring");
            try (RunningHouse console = RunningHouse.console(bench.standalone(), home, address)) {
                double seconds = console.metric("tlsrpt_console_restore_seconds");
                figures.rate(
                        "restore of an empty console, records",
                        2 * past.cells() / seconds,
                        "plain consumer",
                        ceiling,
                        Figures.text(
                                "%.0f s; %.0f s from its start to ready, %.0f s of CPU in all",
                                seconds, console.secondsToReady(), console.cpuSeconds()));
                figures.figure("RSS after it", console.memory());
            }
            figures.figure("the views on the disk", mebibytes(home.resolve("data/streams"), ""));
            figures.figure("their topics on the broker's disk, zstd", mebibytes(bench.directory("broker"), ".log"));
            try (RunningHouse console = RunningHouse.console(bench.standalone(), home, address)) {
                figures.figure(
                        "start to ready with the views on the disk", Figures.text("%.1f s", console.secondsToReady()));
                questions(past).forEach(question -> ask(console, question));
                figures.figure("RSS after all questions", console.memory());
            }
        }
        bench.conclude(Figures.text(
                "%,d domains, %,d days, %,d reporters, seed %d: %,d cells and as many reports. %,d requests in each"
                        + " measurement, after as many to warm up. Clients, broker and console share the machine.",
                domains, days, reporters, seed, past.cells(), requests));
        return 0;
    }

    /// Records per second.
    private static double consumed(KafkaSettings kafka, Topics topics, int each) {
        Map<String, Double> rates = Arrivals.await(
                kafka.consumer("benchmark", Map.of()),
                List.of(topics.aggregates().name(), topics.reports().name()),
                each);
        return rates.values().stream().mapToDouble(Double::doubleValue).sum();
    }

    private List<Question> questions(PastReports past) {
        return List.of(
                new Question("who is asking", number -> TRIVIAL),
                new Question("overview of all domains", number -> "/api/v1/domains?limit=1000"),
                ofDomain(past, "a domain", ""),
                ofDomain(past, "its summary, 30 days", "/summary?" + newest(30)),
                ofDomain(past, "its summary, all days", "/summary?" + newest(days)),
                ofDomain(past, "its aggregates, 30 days", "/aggregates?limit=10000&" + newest(30)),
                ofDomain(past, "its aggregates, all days", "/aggregates?limit=10000&" + newest(days)),
                ofDomain(past, "its 100 newest reports", "/reports?limit=100"),
                new Question("reporters", number -> "/api/v1/reporters?limit=1000"),
                new Question("alerts", number -> "/api/v1/alerts"));
    }

    private static Question ofDomain(PastReports past, String name, String path) {
        return new Question(name, number -> "/api/v1/domains/" + past.domain(number * 7) + path);
    }

    private String newest(int count) {
        return "from=" + today.minusDays(count) + "&to=" + today.minusDays(1);
    }

    private void ask(RunningHouse console, Question question) {
        bench.say("asking for: " + question.name());
        load(console, question, CLIENTS[1], new AtomicLong());
        for (int clients : CLIENTS) {
            AtomicLong bytes = new AtomicLong();
            Load.Result result = load(console, question, clients, bytes);
            Load.Result ceiling =
                    load(console, new Question("who is asking", number -> TRIVIAL), clients, new AtomicLong());
            figures.rate(
                    question.name() + ", " + clients + (clients == 1 ? " client" : " clients"),
                    result.perSecond(),
                    "who is asking",
                    ceiling.perSecond(),
                    result.latency() + Figures.text("; %,.1f KiB", bytes.get() / 1024.0 / requests));
        }
    }

    private Load.Result load(RunningHouse console, Question question, int clients, AtomicLong bytes) {
        return Load.run(requests, clients, () -> new Asking(console.api(), question, bytes));
    }

    /// A browser's way of asking: it takes gzip.
    private record Asking(HostPort api, Question question, AtomicLong bytes, HttpConnection connection)
            implements Load.Client {

        private Asking(HostPort api, Question question, AtomicLong bytes) throws IOException {
            this(api, question, bytes, new HttpConnection(api));
        }

        @Override
        public long ask(int number) throws IOException {
            byte[] request = ("GET " + question.path().apply(number) + " HTTP/1.1\r\nHost: " + api
                            + "\r\nAccept-Encoding: gzip\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII);
            long start = System.nanoTime();
            bytes.addAndGet(connection.ask(request).expect(200).bodyBytes());
            return System.nanoTime() - start;
        }

        @Override
        public void close() throws IOException {
            connection.close();
        }
    }

    /// @param suffix of the names of those files that count
    private static String mebibytes(Path directory, String suffix) {
        try (Stream<Path> files = Files.walk(directory)) {
            long bytes = files.filter(file -> file.toString().endsWith(suffix))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
            return Figures.text("%,d MiB", bytes >> 20);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}

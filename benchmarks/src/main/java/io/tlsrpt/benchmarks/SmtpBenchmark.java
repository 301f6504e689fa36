package io.tlsrpt.benchmarks;

import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Topics;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Measures mails over SMTP into the whole house, signed and unsigned, beside what a bare producer does with the same
/// reports in the same run; then counts the events, so that a mail lost or counted twice fails the measurement.
@Command(
        name = "SmtpBenchmark",
        mixinStandardHelpOptions = true,
        description = "Measures mails per second over SMTP, beside the ceiling.")
public final class SmtpBenchmark implements Callable<Integer> {

    private static final String TWIN = "benchmark.twin";

    @Option(names = "--mails", defaultValue = "50000", description = "Of each measurement (${DEFAULT-VALUE}).")
    private int mails;

    @Option(
            names = "--warm-up",
            defaultValue = "5000",
            description = "Mails before the measurements (${DEFAULT-VALUE}).")
    private int warmUp;

    @Option(names = "--connections", defaultValue = "20", description = "At a time (${DEFAULT-VALUE}).")
    private int connections;

    @Mixin
    private final Workbench bench = new Workbench();

    private final Figures figures = bench.figures();
    private final Instant now = Clock.systemUTC().instant();

    public static void main(String[] args) {
        System.exit(new CommandLine(new SmtpBenchmark()).execute(args));
    }

    @Override
    public Integer call() {
        bench.clear();
        SignedMail signer = new SignedMail();
        long events;
        try (KeyServer keys = new KeyServer(signer.keyRecord());
                RunningHouse house = RunningHouse.start(
                        bench.standalone(),
                        bench.directory("house"),
                        "  dkim: {mode: observe}", // or unsigned mails could not be measured; signed ones are verified
                        "dns: {servers: ['" + keys.address() + "']}")) {
            Settings settings =
                    SettingsFile.defaults().withEmbeddedBroker(house.broker().toString());
            Topics topics = new Topics(settings.topicPrefix(), settings.retention());
            KafkaSettings kafka = new KafkaSettings(settings);
            try (RawTopics raw = new RawTopics(
                    kafka.admin("benchmark"),
                    kafka.producer("benchmark"),
                    topics.raw().name())) {
                raw.createTwin(TWIN);
                Mails.send(house.smtp(), signed(signer, documents("warm", warmUp)), connections);
                house.awaitVerdicts(warmUp);
                raw.produce(TWIN, documents("warm-twin", warmUp), RawTopics.UNBOUNDED);
                measure(house, raw, "unsigned", documents("unsigned", mails), SmtpBenchmark::unsigned);
                measure(
                        house,
                        raw,
                        "signed with RSA 2048",
                        documents("signed", mails),
                        documents -> signed(signer, documents));
            }
            figures.figure("RSS", house.memory());
            events = events(kafka, topics);
        }
        long expected = (warmUp + 2L * mails) * (Document.DETAILS + 1);
        if (events != expected) {
            System.err.println("LOST OR TWICE: " + events + " events, not " + expected);
            return 1;
        }
        figures.figure(
                Figures.text("events, none lost and none twice, of %,d mails", warmUp + 2 * mails),
                Figures.text("%,d", events));
        bench.conclude(Figures.text("%,d mails in each measurement after %,d to warm up.", mails, warmUp));
        return 0;
    }

    private void measure(
            RunningHouse house,
            RawTopics raw,
            String how,
            List<Document> documents,
            java.util.function.Function<List<Document>, List<byte[]>> wrapped) {
        List<byte[]> ready = wrapped.apply(documents);
        double ceiling = raw.produce(TWIN, documents, connections);
        long before = house.verdicts();
        Stopwatch watch = Stopwatch.start();
        Load.Result result = Mails.send(house.smtp(), ready, connections);
        house.awaitVerdicts(before + mails);
        figures.rate(
                "SMTP, " + connections + " connections, " + how,
                result.perSecond(),
                "producer, " + connections + " under way",
                ceiling,
                Figures.text(
                        "%s from the end of a mail to 250; to the last verdict %s",
                        result.latency(), Figures.perSecond(watch.perSecond(mails))));
    }

    private List<Document> documents(String run, int count) {
        return Document.distinct(run, count, now);
    }

    private static String submitter(Document document) {
        return Objects.requireNonNull(document.headers().submitter());
    }

    private static List<byte[]> unsigned(List<Document> documents) {
        return documents.stream()
                .map(document -> SignedMail.unsigned(document, submitter(document)))
                .toList();
    }

    private static List<byte[]> signed(SignedMail signer, List<Document> documents) {
        return documents.parallelStream()
                .map(document -> signer.signed(document, submitter(document)))
                .toList();
    }

    /// The number of events, all of them different.
    private static long events(KafkaSettings kafka, Topics topics) {
        Set<String> ids = new HashSet<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                kafka.consumer("benchmark", Map.of()), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            consumer.partitionsFor(topics.events().name())
                    .forEach(info -> partitions.add(new TopicPartition(info.topic(), info.partition())));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
                for (ConsumerRecord<byte[], byte[]> event : consumer.poll(Duration.ofMillis(200))) {
                    String id =
                            Json.MAPPER.readTree(event.value()).path("event-id").asString();
                    if (!ids.add(id)) {
                        throw new IllegalStateException("twice: " + id);
                    }
                }
            }
        }
        return ids.size();
    }
}

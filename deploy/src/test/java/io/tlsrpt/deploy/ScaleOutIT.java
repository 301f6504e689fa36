package io.tlsrpt.deploy;

import static io.tlsrpt.standalone.RunningHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.standalone.RunningHouse;
import io.tlsrpt.standalone.Sums;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.Topics;
import io.tlsrpt.topics.Verdict;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.lifecycle.Startables;

/// Three brokers, an intake, a console and two stream processors, each in a container of its own, while reports pour
/// in: one processor dies, one is added, and a broker dies and comes back.
@ExtendWith(Engine.class)
class ScaleOutIT {

    private static final int REPORTS = 2_000;
    private static final int DOMAINS = 12;
    private static final List<String> REPORTERS = List.of("google.com", "microsoft.com", "mail.example");

    /// Short timeouts, so that the survivors take over soon.
    private static final String SETTINGS = """
            kafka:
              bootstrap-servers: kafka1:9092,kafka2:9092,kafka3:9092
              partitions: 6
              properties:
                num.standby.replicas: "1"
                session.timeout.ms: "6000"
                heartbeat.interval.ms: "1000"
                producer.transaction.timeout.ms: "10000"
            """;

    private final Topics topics = new Topics("tlsrpt.", Duration.ofDays(400));
    private final LocalDate day = LocalDate.now(Clock.systemUTC()).minusDays(1);

    @Test
    void whateverDiesAndWhateverIsAddedTheSumsAreExactAndTheConsoleKeepsAnswering() throws Exception {
        List<HostPort> outside = freePorts(3);
        try (Network network = Network.newNetwork();
                GenericContainer<?> kafka1 = broker(1, outside.get(0), network);
                GenericContainer<?> kafka2 = broker(2, outside.get(1), network);
                GenericContainer<?> kafka3 = broker(3, outside.get(2), network);
                ServiceContainer ingest = new ServiceContainer("ingest-service", network, SETTINGS);
                ServiceContainer console = new ServiceContainer("console", network, SETTINGS);
                ServiceContainer survivor = new ServiceContainer("stream-processor", network, SETTINGS);
                ServiceContainer victim = new ServiceContainer("stream-processor", network, SETTINGS);
                ServiceContainer added = new ServiceContainer("stream-processor", network, SETTINGS)) {
            Startables.deepStart(kafka1, kafka2, kafka3).join();
            Startables.deepStart(ingest, console, survivor, victim).join();
            RunningHouse.Doors doors = new RunningHouse.Doors(
                    String.join(",", outside.stream().map(HostPort::toString).toList()),
                    ingest.intake(),
                    ingest.api(),
                    console.api(),
                    List.of());
            try (RunningHouse house = new RunningHouse(doors, topics);
                    Asking asking = new Asking(house);
                    Posting posting = new Posting(house)) {
                posting.post(0, REPORTS / 3);
                await().atMost(PATIENCE).until(() -> house.verdicts().size() > 100);
                posting.post(REPORTS / 3, 2 * REPORTS / 3);
                Images.docker("kill", victim.getContainerId(), kafka3.getContainerId());
                added.start();
                posting.post(2 * REPORTS / 3, REPORTS);
                Images.docker("start", kafka3.getContainerId()); // with what it has on its disk
                posting.finish();

                Sums expected = expected();
                await().atMost(PATIENCE)
                        .pollInterval(Duration.ofSeconds(1))
                        .untilAsserted(() -> assertThat(Sums.ofAggregates(house.aggregates()))
                                .isEqualTo(expected));
                List<Event> events = house.events();
                assertThat(Sums.byAppending(events)).isEqualTo(expected);
                assertThat(events.stream().map(Event::eventId))
                        .hasSize(2 * REPORTS)
                        .doesNotHaveDuplicates();
                await().atMost(PATIENCE)
                        .untilAsserted(() ->
                                assertThat(Sums.ofAggregates(answers(house))).isEqualTo(expected));
                assertEachRawRecordHasOneVerdict(house);

                assertThat(survivor.isRunning()).isTrue();
                assertThat(added.isRunning()).isTrue();
                assertThat(asking.answers.get()).isGreaterThan(100);
                assertThat(asking.wrong).isEmpty();
            }
        }
    }

    private void assertEachRawRecordHasOneVerdict(RunningHouse house) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(house.verdicts().stream().map(Verdict::raw))
                        .hasSameSizeAs(house.records(topics.raw()))
                        .doesNotHaveDuplicates());
        assertThat(house.verdicts().stream().filter(each -> each.verdict().equals("accepted")))
                .hasSize(REPORTS);
        assertThat(house.verdicts().stream().filter(each -> each.verdict().equals("conflict")))
                .hasSizeGreaterThanOrEqualTo(REPORTS / 10);
    }

    private static List<Aggregate> answers(RunningHouse house) {
        List<Aggregate> cells = new ArrayList<>();
        for (int i = 0; i < DOMAINS; i++) {
            house.get("/api/v1/domains/" + domain(i) + "/aggregates")
                    .path("rows")
                    .forEach(row -> cells.add(Json.MAPPER.treeToValue(row, Aggregate.class)));
        }
        return cells;
    }

    private Sums expected() {
        Map<String, List<Long>> cells = new TreeMap<>();
        Map<String, Long> failures = new TreeMap<>();
        for (int i = 0; i < REPORTS; i++) {
            String cell = day + " " + domain(i) + " sts " + reporter(i);
            cells.merge(
                    cell,
                    List.of((long) i, 2L, 1L),
                    (had, more) ->
                            List.of(had.get(0) + more.get(0), had.get(1) + more.get(1), had.get(2) + more.get(2)));
            failures.merge(cell + " certificate-expired mx1.example.com", 2L, Long::sum);
        }
        return new Sums(cells, failures);
    }

    private byte[] report(int number, long successful) {
        return SampleReports.report()
                .id("r" + number)
                .contact("tls@" + reporter(number))
                .day(day)
                .policy("sts", domain(number), successful, 2)
                .failure("certificate-expired", "mx1.example.com", 2)
                .gzip();
    }

    private static String domain(int report) {
        return "d" + report % DOMAINS + ".example";
    }

    private static String reporter(int report) {
        return REPORTERS.get(report / DOMAINS % REPORTERS.size());
    }

    /// One of three, configured as a cluster is. Its port outside stays when it is started again.
    private static GenericContainer<?> broker(int id, HostPort outside, Network network) {
        GenericContainer<?> broker = new GenericContainer<>("apache/kafka:4.3.1")
                .withNetwork(network)
                .withNetworkAliases("kafka" + id)
                .withEnv(Map.ofEntries(
                        Map.entry("KAFKA_HEAP_OPTS", "-Xmx384m"),
                        Map.entry("CLUSTER_ID", "c2NhbGUtb3V0LXRlc3QtMQ"),
                        Map.entry("KAFKA_NODE_ID", Integer.toString(id)),
                        Map.entry("KAFKA_PROCESS_ROLES", "broker,controller"),
                        Map.entry("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@kafka1:9093,2@kafka2:9093,3@kafka3:9093"),
                        Map.entry("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
                        Map.entry("KAFKA_LISTENERS", "INSIDE://:9092,CONTROLLER://:9093,OUTSIDE://:19092"),
                        Map.entry("KAFKA_ADVERTISED_LISTENERS", "INSIDE://kafka" + id + ":9092,OUTSIDE://" + outside),
                        Map.entry("KAFKA_INTER_BROKER_LISTENER_NAME", "INSIDE"),
                        Map.entry(
                                "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
                                "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT"),
                        Map.entry("KAFKA_MIN_INSYNC_REPLICAS", "2"),
                        Map.entry("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "3"),
                        Map.entry("KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "3"),
                        Map.entry("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "3"),
                        Map.entry("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "2"),
                        Map.entry("KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS", "3"),
                        Map.entry("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0")))
                .waitingFor(Wait.forLogMessage(".*Kafka Server started.*", 1).withStartupTimeout(PATIENCE));
        broker.setPortBindings(List.of(outside.port() + ":19092"));
        return broker;
    }

    private static List<HostPort> freePorts(int count) throws IOException {
        List<ServerSocket> taken = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                taken.add(new ServerSocket(0));
            }
            return taken.stream()
                    .map(socket -> new HostPort("localhost", socket.getLocalPort()))
                    .toList();
        } finally {
            for (ServerSocket socket : taken) {
                socket.close();
            }
        }
    }

    /// Many senders at a time. Every third report comes twice, every tenth once more with other numbers, which count
    /// for nothing.
    private final class Posting implements AutoCloseable {

        private final RunningHouse house;
        private final ExecutorService senders = Executors.newFixedThreadPool(8);
        private final List<Future<?>> posts = new ArrayList<>();

        Posting(RunningHouse house) {
            this.house = house;
        }

        void post(int from, int to) {
            IntStream.range(from, to)
                    .forEach(report -> posts.add(senders.submit(() -> {
                        taken(report(report, report));
                        if (report % 3 == 0) {
                            taken(report(report, report));
                        }
                        if (report % 10 == 0) {
                            taken(report(report, report + 1L));
                        }
                    })));
        }

        private void taken(byte[] report) {
            assertThat(house.post(report).statusCode()).isEqualTo(201);
        }

        void finish() throws Exception {
            for (Future<?> post : posts) {
                post.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
        }

        @Override
        public void close() {
            senders.shutdownNow();
        }
    }

    /// Asks the console all the time.
    private static final class Asking implements AutoCloseable {

        private static final Duration EVERY = Duration.ofMillis(200);

        final AtomicInteger answers = new AtomicInteger();
        final List<String> wrong = new CopyOnWriteArrayList<>();
        private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();

        Asking(RunningHouse house) {
            var unused = clock.scheduleWithFixedDelay(() -> ask(house), 0, EVERY.toMillis(), TimeUnit.MILLISECONDS);
        }

        private void ask(RunningHouse house) {
            for (String path : List.of(
                    "/api/v1/domains", "/api/v1/domains/d0.example/aggregates", "/api/v1/domains/d0.example/reports")) {
                try {
                    house.get(path);
                    answers.incrementAndGet();
                } catch (RuntimeException | AssertionError failed) {
                    wrong.add(path + " " + failed);
                }
            }
        }

        @Override
        public void close() {
            clock.shutdownNow();
        }
    }
}

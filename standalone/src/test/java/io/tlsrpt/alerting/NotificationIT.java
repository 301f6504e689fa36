package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.standalone.EmbeddedBroker;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertMatch;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Notification;
import io.tlsrpt.topics.Silence;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The notification pipeline on a real broker, against a real receiver, killed in the middle.
class NotificationIT {

    private static final int PARTITIONS = 4;
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Topics TOPICS = new Topics("tlsrpt.", Duration.ofDays(400));
    private final Instant opened = Clock.systemUTC().instant().minus(Duration.ofHours(1));

    @TempDir
    Path directory;

    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final List<String> states = new CopyOnWriteArrayList<>();
    private final CountDownLatch released = new CountDownLatch(1);
    private final HttpServer receiver = receiver();
    private volatile @Nullable Process killedByNextMessage;
    private final EmbeddedBroker broker;
    private final KafkaProducer<String, byte[]> producer;

    NotificationIT(@TempDir Path brokerDirectory) {
        broker = EmbeddedBroker.start(brokerDirectory, HostPort.parse("127.0.0.1:0"));
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", broker.bootstrapServers()),
                new StringSerializer(),
                new ByteArraySerializer());
    }

    @BeforeEach
    void topics() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            new TopicSetup(admin, TOPICS, PARTITIONS, 1).run();
        }
    }

    @AfterEach
    void close() {
        released.countDown();
        producer.close();
        broker.close();
        receiver.stop(0);
    }

    @Test
    void aKilledProcessLosesNothingAndRepeatsNothingThatItLogged() throws Exception {
        IntStream.rangeClosed(1, 20).forEach(each -> tell("a" + each, 1, Alert.FIRING));
        Process first = start();
        await().atMost(PATIENCE).until(() -> log().size() == 20);
        first.destroyForcibly().waitFor();

        tell("a1", 2, Alert.RESOLVED);
        tell("a21", 1, Alert.FIRING);
        Process second = start();
        await().atMost(PATIENCE)
                .until(
                        () -> log().values().stream()
                                .map(Notification::transition)
                                .toList(),
                        told -> told.size() == 21 && told.contains(2));
        second.destroyForcibly().waitFor();

        assertThat(states)
                .hasSize(22)
                .doesNotHaveDuplicates()
                .contains("/hook a1-1 1", "/hook a1-1 2", "/hook a20-1 1", "/hook a21-1 1");
    }

    @Test
    void whatWasTakenButNotLoggedComesAgainUnderTheSameId() throws Exception {
        Process first = start();
        killedByNextMessage = first;
        tell("a1", 1, Alert.FIRING);
        assertThat(first.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(log()).isEmpty();

        Process second = start();
        await().atMost(PATIENCE).until(() -> log().containsKey("a1/ops"));
        second.destroyForcibly().waitFor();

        assertThat(heard).containsExactly("a1-1-1", "a1-1-1");
    }

    @Test
    void instancesShareTheAlertsAndTakeOverFromOneAnother() {
        // no more than one message has room for (20 kB): all of them may be told together
        String url = url();
        try (NotificationPipeline one = NotificationProcess.pipeline(broker.bootstrapServers(), url)) {
            one.start();
            IntStream.rangeClosed(1, 20).forEach(each -> tell("a" + each, 1, Alert.FIRING));
            await().atMost(PATIENCE).until(() -> log().size() == 20);
            try (NotificationPipeline two = NotificationProcess.pipeline(broker.bootstrapServers(), url)) {
                two.start();
                IntStream.rangeClosed(21, 30).forEach(each -> tell("a" + each, 1, Alert.FIRING));
                await().atMost(PATIENCE).until(() -> log().size() == 30);
            }
            IntStream.rangeClosed(1, 30).forEach(each -> tell("a" + each, 2, Alert.RESOLVED));
            await().atMost(PATIENCE)
                    .until(() -> log().values().stream()
                            .allMatch(each -> each.state().equals(Alert.RESOLVED)));
        }

        assertThat(states).hasSize(60).doesNotHaveDuplicates();
    }

    @Test
    void aReceiverThatIsDeadForAnHourAndOneThatHangsDelayNobodyAndLoseNothing() throws Exception {
        HttpServer dead = server(0);
        int port = dead.getAddress().getPort();
        dead.start();
        dead.stop(0);
        AheadClock clock = new AheadClock();
        Map<String, String> receivers =
                Map.of("ops", url(), "slow", url("/slow"), "dead", "http://127.0.0.1:" + port + "/hook");
        try (NotificationPipeline pipeline =
                NotificationProcess.pipeline(broker.bootstrapServers(), receivers, clock)) {
            pipeline.start();
            IntStream.rangeClosed(1, 20).forEach(each -> tell("a" + each, 1, Alert.FIRING));
            await().atMost(PATIENCE)
                    .until(() -> log().keySet().stream()
                                    .filter(key -> key.endsWith("/ops"))
                                    .count()
                            == 20);
            tell("a1", 2, Alert.RESOLVED);
            tell("a2", 2, Alert.FIRING);
            await().atMost(PATIENCE).until(() -> states.contains("/hook a1-1 2"));
            clock.goesAhead(Duration.ofMinutes(20));
            await().atMost(PATIENCE).until(() -> heard.stream().anyMatch(id -> id.startsWith("receiver-dead-dead-")));
            clock.goesAhead(Duration.ofMinutes(40));
            heard.clear();
            states.clear();

            HttpServer back = server(port);
            back.start();
            clock.goesAhead(Duration.ofHours(1));
            await().atMost(PATIENCE)
                    .until(() -> log().values().stream()
                                    .filter(told -> told.receiver().equals("dead")
                                            && told.alertId().startsWith("a"))
                                    .count()
                            == 19);
            await().atMost(PATIENCE).until(() -> heard.stream().anyMatch(id -> id.startsWith("receiver-dead-dead-")));
            back.stop(0);
            released.countDown();
        }
        List<String> late = states.stream()
                .filter(state -> state.startsWith("/back "))
                .map(state -> state.substring(6))
                .toList();
        assertThat(late)
                .as("what resolved meanwhile is not told, of what changed the latest")
                .hasSize(19)
                .doesNotHaveDuplicates()
                .contains("a2-1 2", "a3-1 1", "a20-1 1");
    }

    @Test
    void silencesAndInhibitionReachTheAlertsOfEveryInstance() throws Exception {
        tell("b1", "intake-broken", 1, Alert.FIRING);
        Silence silence = new Silence(
                "s1",
                new AlertMatch(null, List.of("c1.example"), null, null, null, null, null, null),
                opened,
                opened.plus(Duration.ofDays(1)),
                "anna",
                "maintenance",
                opened);
        producer.send(new ProducerRecord<>(
                        TOPICS.silences().name(), "s1", new JsonSerde<>(Silence.class).write(silence)))
                .get();
        try (NotificationPipeline one = NotificationProcess.pipeline(broker.bootstrapServers(), url());
                NotificationPipeline two = NotificationProcess.pipeline(broker.bootstrapServers(), url())) {
            one.start();
            two.start();
            await().atMost(PATIENCE).until(() -> heard.contains("b1-1-1"));
            IntStream.rangeClosed(1, 8).forEach(each -> tell("d" + each, "domain-silent", 1, Alert.FIRING));
            tell("c1", 1, Alert.FIRING);
            IntStream.rangeClosed(1, 8).forEach(each -> tell("a" + each, 1, Alert.FIRING));
            await().atMost(PATIENCE).until(() -> log().size() == 9);
            assertThat(states).noneMatch(state -> state.contains(" d") || state.contains(" c1"));

            tell("b1", "intake-broken", 2, Alert.RESOLVED);
            await().atMost(PATIENCE).until(() -> log().size() == 17);
            assertThat(states).contains("/hook d1-1 1", "/hook d8-1 1").noneMatch(state -> state.contains(" c1"));

            producer.send(new ProducerRecord<>(TOPICS.silences().name(), "s1", null))
                    .get();
            await().atMost(PATIENCE).until(() -> states.contains("/hook c1-1 1"));
        }
        assertThat(states).doesNotHaveDuplicates();
    }

    @Test
    void theDigestCountsWhatTheWeekBrought() throws Exception {
        ZonedDateTime due = ZonedDateTime.now(Clock.systemUTC());
        LocalDate day = WeeklyDigest.from(due).plusDays(3);
        aggregate(day, "one.example", "sts", "google.com", 90, 10);
        aggregate(day, "one.example", "sts", "google.com", 95, 10); // the cell's newer state
        aggregate(day, "one.example", "tlsa", "google.com", 40, 0); // the same sessions
        aggregate(day, "two.example", "sts", "gmx.net", 7, 0);
        aggregate(day.minusDays(10), "three.example", "sts", "gmx.net", 7, 0);
        producer.send(new ProducerRecord<>(TOPICS.aggregates().name(), "none", "none".getBytes(StandardCharsets.UTF_8)))
                .get();
        for (String reason : List.of("not-json", "foreign-domain", "not-json")) {
            ProducerRecord<String, byte[]> refused =
                    new ProducerRecord<>(TOPICS.rejected().name(), reason, new byte[300_000]);
            refused.headers().add("reason", reason.getBytes(StandardCharsets.UTF_8));
            producer.send(refused).get();
        }

        WeeklyDigest digest = new DigestReader(NotificationProcess.surroundings(
                        SettingsFile.defaults().withEmbeddedBroker(broker.bootstrapServers()), Clock.systemUTC()))
                .gather(due, List.of());

        assertThat(digest.reports())
                .isEqualTo(new WeeklyDigest.Reports(2, 2, 2, 112, 10, opened.truncatedTo(ChronoUnit.SECONDS)));
        assertThat(digest.refused()).isEqualTo(Map.of("foreign-domain", 1L, "not-json", 2L));
    }

    private void aggregate(LocalDate day, String domain, String type, String submitter, long good, long bad)
            throws Exception {
        Instant received = opened.truncatedTo(ChronoUnit.SECONDS);
        Aggregate cell = new Aggregate(
                day, domain, type, submitter, "dkim", good, bad, 1, null, List.of(), received, received, received,
                false);
        producer.send(new ProducerRecord<>(
                        TOPICS.aggregates().name(),
                        Topics.partition(domain, PARTITIONS),
                        domain + type + day,
                        new JsonSerde<>(Aggregate.class).write(cell)))
                .get();
    }

    @Test
    void aRecordThatIsNoneOfOursStopsNobody() throws Exception {
        for (int partition = 0; partition < PARTITIONS; partition++) {
            for (String poison : List.of("no json", "{}", "[]", "{\"alert-id\":\"x\"}")) {
                producer.send(new ProducerRecord<>(
                                TOPICS.alerts().name(), partition, "x", poison.getBytes(StandardCharsets.UTF_8)))
                        .get();
                producer.send(new ProducerRecord<>(
                                TOPICS.notifications().name(), partition, "x", poison.getBytes(StandardCharsets.UTF_8)))
                        .get();
            }
        }
        tell("a1", 1, Alert.FIRING);
        try (NotificationPipeline pipeline = NotificationProcess.pipeline(broker.bootstrapServers(), url())) {
            pipeline.start();
            await().atMost(PATIENCE).until(() -> heard.contains("a1-1-1"));
        }
    }

    private Process start() throws IOException {
        return NotificationProcess.start(broker.bootstrapServers(), url(), directory.resolve("output.txt"));
    }

    private String url() {
        return url("/hook");
    }

    private String url(String path) {
        return "http://127.0.0.1:" + receiver.getAddress().getPort() + path;
    }

    private HttpServer receiver() {
        HttpServer server = server(0);
        server.createContext("/slow", exchange -> {
            try {
                released.await();
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
            exchange.close();
        });
        server.createContext("/hook", exchange -> {
            heard.add(exchange.getRequestHeaders().getFirst("webhook-id"));
            note("/hook ", exchange);
            Process victim = killedByNextMessage;
            if (victim != null) {
                killedByNextMessage = null;
                victim.destroyForcibly();
                victim.onExit().join();
            }
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
        return server;
    }

    /// Takes what comes to `/`.
    private HttpServer server(int port) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
            server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            server.createContext("/", exchange -> {
                note("/back ", exchange);
                exchange.sendResponseHeaders(204, -1);
                exchange.close();
            });
            return server;
        } catch (IOException noPort) {
            throw new IllegalStateException(noPort);
        }
    }

    /// Which states of which alerts the message tells.
    private void note(String where, HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        Matcher state = Pattern.compile("\"incident-id\":\"([^\"]+)\".*?\"transition\":([0-9]+)")
                .matcher(body);
        while (state.find()) {
            states.add(where + state.group(1) + " " + state.group(2));
        }
    }

    /// A clock that can be put forward.
    private static final class AheadClock extends Clock {

        private final AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ZERO);

        void goesAhead(Duration time) {
            ahead.accumulateAndGet(time, Duration::plus);
        }

        @Override
        public Instant instant() {
            return Clock.systemUTC().instant().plus(ahead.get());
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    /// Writes the alert where the detection would: in the partition of its policy-domain.
    private void tell(String id, int transition, String state) {
        tell(id, "certificate", transition, state);
    }

    private void tell(String id, String rule, int transition, String state) {
        String domain = id + ".example";
        Instant updated = opened.plusSeconds(transition);
        Alert alert = new Alert(
                id,
                id + "-1",
                rule,
                "certificate-expired",
                domain,
                "mx." + domain,
                null,
                "sts",
                null,
                state,
                "critical",
                transition,
                null,
                opened,
                updated,
                state.equals(Alert.RESOLVED) ? updated : null,
                state.equals(Alert.RESOLVED) ? "recovered" : null,
                null,
                null,
                "expired certificate at mx." + domain,
                new Alert.Evidence(LocalDate.parse("2026-11-20"), "A", 5, 5, 0, 0, null, null, null, null, null, null),
                null,
                null,
                null);
        try {
            producer.send(new ProducerRecord<>(
                            TOPICS.alerts().name(),
                            Topics.partition(domain, PARTITIONS),
                            id,
                            new JsonSerde<>(Alert.class).write(alert)))
                    .get();
        } catch (InterruptedException | ExecutionException failed) {
            throw new IllegalStateException(failed);
        }
    }

    /// The notification log as it stands, each record in the partition of its alert.
    private Map<String, Notification> log() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", broker.bootstrapServers());
        Map<String, Notification> log = new HashMap<>();
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(properties, new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> all = IntStream.range(0, PARTITIONS)
                    .mapToObj(each -> new TopicPartition(TOPICS.notifications().name(), each))
                    .toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            while (all.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
                for (ConsumerRecord<String, byte[]> each : consumer.poll(Duration.ofMillis(100))) {
                    Notification told = new JsonSerde<>(Notification.class).read(each.value());
                    boolean notice = told.alertId().startsWith("receiver-dead");
                    assertThat(each.partition())
                            .isEqualTo(notice ? 0 : Topics.partition(told.alertId() + ".example", PARTITIONS));
                    assertThat(each.headers().lastHeader("schema").value())
                            .isEqualTo(TOPICS.notifications().schema().getBytes(StandardCharsets.UTF_8));
                    log.put(each.key(), told);
                }
            }
        }
        return log;
    }
}

package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.standalone.EmbeddedBroker;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Notification;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
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

        assertThat(heard).hasSize(22).doesNotHaveDuplicates().contains("a1-1-1", "a1-1-2", "a20-1-1", "a21-1-1");
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
        String url = url();
        try (NotificationPipeline one = NotificationProcess.pipeline(broker.bootstrapServers(), url)) {
            one.start();
            IntStream.rangeClosed(1, 20).forEach(each -> tell("a" + each, 1, Alert.FIRING));
            await().atMost(PATIENCE).until(() -> log().size() == 20);
            try (NotificationPipeline two = NotificationProcess.pipeline(broker.bootstrapServers(), url)) {
                two.start();
                IntStream.rangeClosed(21, 40).forEach(each -> tell("a" + each, 1, Alert.FIRING));
                await().atMost(PATIENCE).until(() -> log().size() == 40);
            }
            IntStream.rangeClosed(1, 40).forEach(each -> tell("a" + each, 2, Alert.RESOLVED));
            await().atMost(PATIENCE)
                    .until(() -> log().values().stream()
                            .allMatch(each -> each.state().equals(Alert.RESOLVED)));
        }

        assertThat(heard).hasSize(80).doesNotHaveDuplicates();
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
        return "http://127.0.0.1:" + receiver.getAddress().getPort() + "/hook";
    }

    private HttpServer receiver() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            server.createContext("/hook", exchange -> {
                heard.add(exchange.getRequestHeaders().getFirst("webhook-id"));
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
        } catch (IOException noPort) {
            throw new IllegalStateException(noPort);
        }
    }

    /// Writes the alert where the detection would: in the partition of its policy-domain.
    private void tell(String id, int transition, String state) {
        String domain = id + ".example";
        Instant updated = opened.plusSeconds(transition);
        Alert alert = new Alert(
                id,
                id + "-1",
                "certificate",
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
                    assertThat(each.partition()).isEqualTo(Topics.partition(told.alertId() + ".example", PARTITIONS));
                    assertThat(each.headers().lastHeader("schema").value())
                            .isEqualTo(TOPICS.notifications().schema().getBytes(StandardCharsets.UTF_8));
                    log.put(each.key(), told);
                }
            }
        }
        return log;
    }
}

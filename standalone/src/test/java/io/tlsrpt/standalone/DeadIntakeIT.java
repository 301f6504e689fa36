package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.alerting.AlertingService;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.JsonSerde;
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
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Four weeks of reports by two reporters about three domains, and then nothing for days, on a real broker.
class DeadIntakeIT {

    private static final int PARTITIONS = 4;
    private static final Topics TOPICS = new Topics("tlsrpt.", Duration.ofDays(400));

    @TempDir
    Path data;

    private final LocalDate today = LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC);
    private final List<String> heard = new CopyOnWriteArrayList<>();

    @Test
    void thePageArrivesWhenNoReportDoes() throws Exception {
        HttpServer receiver = receiver();
        try (EmbeddedBroker broker = EmbeddedBroker.start(data.resolve("broker"), HostPort.parse("127.0.0.1:0"))) {
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
                new TopicSetup(admin, TOPICS, PARTITIONS, 1).run();
            }
            reportsUntil(today.minusDays(5), broker.bootstrapServers());
            Settings settings = SettingsFile.parse(
                            "test.yaml",
                            """
                            data: %s
                            alerting:
                              rules: {settle: 0s}
                              receivers:
                                - {name: ops, url: "http://127.0.0.1:%d/", allow-private-addresses: true}
                            """.formatted(data, receiver.getAddress().getPort()),
                            name -> null)
                    .withEmbeddedBroker(broker.bootstrapServers());
            AlertingService alerting = new AlertingService(new Surroundings(
                    settings, () -> settings, new SimpleMeterRegistry(), new Health(), Clock.systemUTC()));
            try {
                alerting.start();
                await().atMost(Duration.ofMinutes(3)).until(() -> !heard.isEmpty());
            } finally {
                alerting.close();
            }
        } finally {
            receiver.stop(0);
        }
        assertThat(heard)
                .allSatisfy(message -> assertThat(message)
                        .contains("\"rule\":\"intake-broken\"")
                        .contains("\"severity\":\"critical\"")
                        .contains("6 of 6 that were expected"));
    }

    @SuppressWarnings("FutureReturnValueIgnored") // flushed below; what was not sent would be missed
    private static void reportsUntil(LocalDate last, String bootstrapServers) {
        JsonSerde<AggregateKey> keys = new JsonSerde<>(AggregateKey.class);
        JsonSerde<Aggregate> values = new JsonSerde<>(Aggregate.class);
        try (KafkaProducer<AggregateKey, Aggregate> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers), keys.serializer(), values.serializer())) {
            for (LocalDate day = last.minusDays(27); !day.isAfter(last); day = day.plusDays(1)) {
                for (String reporter : List.of("google.com", "microsoft.com")) {
                    for (String domain : List.of("one.example", "two.example", "three.example")) {
                        Aggregate aggregate = clean(day, domain, reporter);
                        producer.send(new ProducerRecord<>(
                                TOPICS.aggregates().name(),
                                Topics.partition(domain, PARTITIONS),
                                aggregate.firstReceivedAt().toEpochMilli(),
                                aggregate.key(),
                                aggregate));
                    }
                }
            }
            producer.flush();
        }
    }

    private static Aggregate clean(LocalDate day, String domain, String reporter) {
        Instant end = day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant();
        Instant arrival = end.plus(Duration.ofHours(10));
        return new Aggregate(
                day,
                domain,
                "sts",
                reporter,
                "dkim",
                50,
                0,
                1,
                "enforce",
                List.of(),
                arrival,
                arrival,
                end.minusSeconds(1),
                false);
    }

    private HttpServer receiver() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            heard.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
        return server;
    }
}

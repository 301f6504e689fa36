package io.tlsrpt.deploy;

import static io.tlsrpt.standalone.RunningHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.standalone.HouseBehaviour;
import io.tlsrpt.standalone.RunningHouse;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.testcontainers.containers.Network;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.lifecycle.Startables;
import org.testcontainers.utility.DockerImageName;

/// The contract, kept by our images: a broker and each service in a container of its own.
@ExtendWith(Engine.class)
class HouseInContainersIT extends HouseBehaviour {

    private static final Network NETWORK = Network.newNetwork();
    private static final String BROKER = "kafka:19092";

    @SuppressWarnings("resource") // closed after all tests
    private static final KafkaContainer KAFKA = new KafkaContainer(DockerImageName.parse("apache/kafka:4.3.1"))
            .withNetwork(NETWORK)
            .withListener(BROKER)
            .withEnv("KAFKA_HEAP_OPTS", "-Xmx512m");

    /// What the webhook was told; it is outside of the containers.
    private static final Queue<String> TOLD = new ConcurrentLinkedQueue<>();

    private static HttpServer webhook;
    private static int houses;

    @BeforeAll
    static void startWhatAllHousesShare() throws IOException {
        webhook = HttpServer.create(new InetSocketAddress(0), 0);
        webhook.createContext("/", exchange -> {
            TOLD.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        webhook.start();
        KAFKA.start();
    }

    @AfterAll
    static void stopWhatAllHousesShare() {
        KAFKA.stop();
        NETWORK.close();
        if (webhook != null) {
            webhook.stop(0);
        }
    }

    @Override
    protected RunningHouse start(Path directory) {
        return InContainers.start("house-" + ++houses + ".");
    }

    @Test
    void anAlertIsInTheDashboardsApiAndReachesAReceiverOutside() {
        house().importFile(
                        "failing.json",
                        SampleReports.report()
                                .day(yesterday())
                                .policy("sts", "example.com", 20, 40)
                                .mode("enforce")
                                .mxHost("mx1.example.com")
                                .failure("certificate-expired", "mx1.example.com", 40)
                                .bytes());

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(
                                house().get("/api/v1/alerts?state=firing").path("rows"))
                        .hasSize(1));
        String incident = house().get("/api/v1/alerts?state=firing")
                .path("rows")
                .path(0)
                .path("incident-id")
                .asString();
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(TOLD)
                        .anySatisfy(message ->
                                assertThat(message).contains("\"tlsrpt.alert.firing\"", '"' + incident + '"')));
    }

    /// A house with topics of its own on the shared broker.
    private static final class InContainers extends RunningHouse {

        private final List<ServiceContainer> services;

        private InContainers(Doors doors, Topics topics, List<ServiceContainer> services) {
            super(doors, topics);
            this.services = services;
        }

        static InContainers start(String topicPrefix) {
            String settings =
                    """
                    topic-prefix: %s
                    kafka: {bootstrap-servers: "%s", replication-factor: 1, partitions: 4}
                    alerting:
                      inspection: {enabled: false}
                      warning-wait: 1s
                      receivers:
                        - {name: outside, url: "http://outside:%d/", allow-private-addresses: true}
                    """.formatted(topicPrefix, BROKER, webhook.getAddress().getPort());
            ServiceContainer ingest = new ServiceContainer("ingest-service", NETWORK, settings);
            ServiceContainer processor = new ServiceContainer("stream-processor", NETWORK, settings);
            ServiceContainer alerting = new ServiceContainer("alerting-service", NETWORK, settings)
                    .withExtraHost("outside", "host-gateway");
            ServiceContainer console = new ServiceContainer("console", NETWORK, settings);
            List<ServiceContainer> services = List.of(ingest, processor, alerting, console);
            Startables.deepStart(services).join();
            return new InContainers(
                    new Doors(
                            KAFKA.getBootstrapServers(),
                            ingest.intake(),
                            ingest.api(),
                            console.api(),
                            services.stream().map(ServiceContainer::admin).toList()),
                    new Topics(topicPrefix, Duration.ofDays(400)),
                    services);
        }

        @Override
        public void close() {
            super.close();
            services.parallelStream().forEach(ServiceContainer::stop);
        }
    }
}

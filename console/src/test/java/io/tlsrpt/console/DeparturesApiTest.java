package io.tlsrpt.console;

import static io.tlsrpt.console.FilledViews.NOW;
import static io.tlsrpt.console.FilledViews.TOPICS;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.HttpListener;
import io.tlsrpt.runtime.Routes;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.DomainClaim;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.List;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeparturesApiTest {

    private static final HostPort ANY_PORT = HostPort.parse("127.0.0.1:0");
    private static final String DOMAIN = "claimed.example";
    private static final DomainClaim PENDING = DomainClaim.pending(DOMAIN, "mailto:tlsrpt@reports.example", NOW);

    private final HttpClient client = HttpClient.newHttpClient();
    private final MockProducer<byte[], byte[]> producer =
            new MockProducer<>(true, new RoundRobinPartitioner(), new ByteArraySerializer(), new ByteArraySerializer());
    private Settings settings = discovery(true);
    private FilledViews filled;
    private HttpListener listener;

    private static Settings discovery(boolean enabled) {
        return SettingsFile.parse(
                "test",
                "domains: [{name: other.example}]\nrua: [\"mailto:tlsrpt@reports.example\"]\ndiscovery: {enabled: "
                        + enabled + "}\n",
                name -> null);
    }

    @BeforeEach
    void start(@TempDir Path directory) {
        filled = new FilledViews(directory);
        DeparturesApi departures = new DeparturesApi(
                filled.views,
                new TopicWriter(() -> producer),
                TOPICS,
                () -> settings,
                Clock.fixed(NOW, ZoneOffset.UTC));
        ApiRoutes api = new ApiRoutes(departures.endpoints(), FilledViews.access(), filled.meters);
        listener =
                HttpListener.start(List.of(new Routes("api", ANY_PORT, null, api::routing)), new SimpleMeterRegistry());
    }

    @AfterEach
    void stop() {
        client.close();
        listener.close();
        filled.close();
    }

    @Test
    void aDiscoveredDomainIsPurgedOnlyAfterItsClaimWasTakenBack() throws Exception {
        for (DomainClaim claim : List.of(PENDING, PENDING.accept(NOW))) {
            filled.put(claim);
            HttpResponse<String> refused = purge("");
            assertThat(refused.statusCode()).isEqualTo(409);
            assertThat(refused.body()).contains("discovered and is " + claim.state());
        }
        assertThat(producer.history()).isEmpty();

        filled.forgetDomain(DOMAIN);
        assertThat(purge("").statusCode()).isEqualTo(202);
        assertThat(producer.history())
                .singleElement()
                .satisfies(written -> assertThat(written.topic()).isEqualTo("tlsrpt.departures"));
    }

    @Test
    void aPendingClaimStandsInNoWayWhileDiscoveryIsOffAndNoneWhereItIsWantedAnyway() throws Exception {
        filled.put(PENDING);
        settings = discovery(false);
        assertThat(purge("").statusCode()).isEqualTo(202);

        filled.put(PENDING.accept(NOW));
        assertThat(purge("").statusCode()).isEqualTo(409);
        assertThat(purge("?anyway=true").statusCode()).isEqualTo(202);
    }

    private HttpResponse<String> purge(String query) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create(
                                "http://" + listener.address() + "/api/v1/domains/" + DOMAIN + "/purge" + query))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString("{}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}

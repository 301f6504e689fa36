package io.tlsrpt.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.HttpListener;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IngestServiceTest {

    @TempDir
    Path data;

    @Test
    void itStartsAndSpoolsWhileNoNameOfABrokerCanBeResolved() throws Exception {
        Settings settings =
                SettingsFile.parse("test.yaml", """
                data: "%s"
                kafka: {bootstrap-servers: "no-such-host.invalid:9092"}
                intake: {listen: "127.0.0.1:0"}
                api: {listen: "127.0.0.1:0"}
                mail: {smtp: {enabled: false}}
                """.formatted(data.toString().replace("\\", "\\\\")), name -> null);
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        Health health = new Health();
        try (IngestService service = new IngestService(new Surroundings(
                settings, () -> settings, meters, health, Clock.fixed(TestIntake.NOW, ZoneOffset.UTC)))) {
            service.start();
            try (HttpListener listener = HttpListener.start(service.routes(), meters);
                    HttpClient client = HttpClient.newHttpClient()) {
                URI door = URI.create("http://" + listener.address());
                assertThat(post(client, door.resolve("/v1/tlsrpt"))).isEqualTo(201);
                assertThat(meters.get("tlsrpt.spool.entries").gauge().value()).isEqualTo(1);

                // past the first look for the broker: it goes on, and says why it waits
                await().atMost(Duration.ofMinutes(1))
                        .until(() -> health.notReady().toString().contains("bootstrap.servers"));
                assertThat(post(client, door.resolve("/v1/tlsrpt"))).isEqualTo(201);
                assertThat(meters.get("tlsrpt.spool.entries").gauge().value()).isEqualTo(2);
                assertThat(post(client, door.resolve("/api/v1/import"))).isEqualTo(503);
                assertThat(health.dead()).isEmpty();
            }
        }
    }

    private static int post(HttpClient client, URI uri) throws Exception {
        return client.send(
                        HttpRequest.newBuilder(uri)
                                .POST(HttpRequest.BodyPublishers.ofByteArray(
                                        SampleReports.report().gzip()))
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }
}

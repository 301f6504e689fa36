package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.runtime.AlertingSettings.Kind;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A real Alertmanager is told of our alerts.
class AlertmanagerIT {

    private static final String PROGRAM = "/usr/bin/prometheus-alertmanager";
    private static final Clock CLOCK = Clock.systemUTC();

    @TempDir
    Path directory;

    @BeforeAll
    static void thePeerIsInstalled() {
        if (!Files.isExecutable(Path.of(PROGRAM))) {
            String missing = "AlertmanagerIT needs the Debian package prometheus-alertmanager";
            assertThat(System.getenv("CI")).as(missing).isNull();
            System.out.println("skipped: " + missing);
            Assumptions.abort(missing);
        }
    }

    private Process start(int port, String storage) throws IOException {
        Path config = Files.writeString(directory.resolve("alertmanager.yml"), """
                global: { resolve_timeout: 1s }
                route: { receiver: nobody }
                receivers: [ { name: nobody } ]
                """);
        return new ProcessBuilder(
                        PROGRAM,
                        "--config.file=" + config,
                        "--storage.path=" + directory.resolve(storage),
                        "--web.listen-address=127.0.0.1:" + port,
                        "--cluster.listen-address=")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log-" + storage).toFile())
                .start();
    }

    @Test
    void alertsFireStayBeyondTheResolveTimeoutSurviveItsRestartAndEnd() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        Receiver receiver = Receiver.of(OneAnswer.settings(Kind.ALERTMANAGER, "http://127.0.0.1:" + port), null);
        Instant opened = CLOCK.instant().minus(Duration.ofHours(2));
        Message firing = new Message.Alerts(
                "m1", SampleAlerts.critical().reopened(opened).alert());

        Process alertmanager = start(port, "one");
        try {
            ready(port);
            assertThat(receiver.deliver(firing, CLOCK.instant()).result()).isEqualTo(Result.DELIVERED);
            JsonNode shown = alerts(port);
            assertThat(shown.size()).isEqualTo(1);
            assertThat(shown.at("/0/labels").toString())
                    .isEqualTo("{\"alertname\":\"certificate\",\"domain\":\"example.com\",\"mx\":\"mx1.example.com\","
                            + "\"result_type\":\"certificate-expired\",\"severity\":\"critical\",\"team\":\"mail\"}");
            assertThat(shown.at("/0/status/state").asString()).isEqualTo("active");
            Instant end = Instant.parse(shown.at("/0/endsAt").asString());

            // Its own resolve_timeout of a second does not end what has an end of its own.
            await().pollDelay(Duration.ofSeconds(2))
                    .untilAsserted(() -> assertThat(alerts(port).size()).isEqualTo(1));
            assertThat(receiver.deliver(firing, CLOCK.instant()).result()).isEqualTo(Result.DELIVERED);
            assertThat(alerts(port).size()).isEqualTo(1);
            assertThat(Instant.parse(alerts(port).at("/0/endsAt").asString())).isAfter(end);
        } finally {
            stop(alertmanager);
        }

        assertThat(receiver.deliver(firing, CLOCK.instant()).result()).isEqualTo(Result.UNREACHABLE);

        alertmanager = start(port, "two");
        try {
            ready(port);
            assertThat(alerts(port).size()).as("it remembers no alert").isZero();
            receiver.deliver(firing, CLOCK.instant());
            assertThat(alerts(port).size()).as("the next round brings it back").isEqualTo(1);

            // A worse severity is another alert there; the old one runs out as nobody repeats it.
            Message warning = new Message.Alerts(
                    "m2", SampleAlerts.warning().reopened(opened).alert());
            assertThat(receiver.deliver(
                                    warning,
                                    CLOCK.instant()
                                            .minus(AlertmanagerReceiver.ALIVE)
                                            .plusSeconds(2))
                            .result())
                    .isEqualTo(Result.DELIVERED);
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(alerts(port).toString())
                            .contains("critical")
                            .doesNotContain("\"severity\":\"warning\""));

            Message resolved = new Message.Alerts(
                    "m3",
                    SampleAlerts.critical()
                            .reopened(opened)
                            .resolved(CLOCK.instant())
                            .alert());
            assertThat(receiver.deliver(resolved, CLOCK.instant()).result()).isEqualTo(Result.DELIVERED);
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(alerts(port).size()).isZero());

            for (Message harm :
                    Messages.harmful().stream().map(named -> named.getPayload()).toList()) {
                assertThat(receiver.deliver(harm, CLOCK.instant()).result()).isEqualTo(Result.DELIVERED);
            }
        } finally {
            stop(alertmanager);
        }
    }

    private void ready(int port) {
        await().atMost(Duration.ofSeconds(30))
                .ignoreExceptions()
                .untilAsserted(
                        () -> assertThat(get(port, "/-/ready").statusCode()).isEqualTo(200));
    }

    private JsonNode alerts(int port) throws IOException, InterruptedException {
        return Json.MAPPER.readTree(get(port, "/api/v2/alerts").body());
    }

    private static HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    private static void stop(Process process) throws InterruptedException {
        process.destroy();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
    }
}

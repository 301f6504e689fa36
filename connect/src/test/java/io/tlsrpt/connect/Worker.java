package io.tlsrpt.connect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.connect.cli.ConnectDistributed;
import org.apache.kafka.connect.runtime.Connect;
import org.apache.kafka.connect.runtime.distributed.DistributedHerder;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// A real worker of Kafka Connect inside the test, configured by our `worker.properties`; plugins come from
/// directories,
/// each with a class loader of its own, as in operation.
final class Worker implements AutoCloseable {

    private static final Path TARGET = Path.of("target").toAbsolutePath();
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Connect<DistributedHerder> connect;
    private final HttpClient http = HttpClient.newHttpClient();
    private final String address;

    Worker(String bootstrapServers) {
        address = "http://127.0.0.1:" + freePort();
        Map<String, String> properties = properties();
        properties.put("bootstrap.servers", bootstrapServers);
        properties.put("listeners", address);
        properties.put("plugin.path", TARGET.resolve("plugin") + "," + TARGET.resolve("sinks"));
        properties.put("offset.flush.interval.ms", "500");
        properties.put("offset.storage.partitions", "1");
        properties.put("status.storage.partitions", "1");
        for (String storage : new String[] {"config", "offset", "status"}) {
            properties.put(storage + ".storage.replication.factor", "1");
        }
        connect = new ConnectDistributed().startConnect(properties);
        await().atMost(Duration.ofSeconds(90))
                .ignoreExceptions()
                .until(() -> send("GET", "/connectors", "").statusCode() == 200);
    }

    static Map<String, String> properties() {
        Properties file = new Properties();
        try (InputStream in = Files.newInputStream(Path.of("../deploy/connect/worker.properties"))) {
            file.load(in);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        Map<String, String> properties = new HashMap<>();
        file.stringPropertyNames().forEach(name -> properties.put(name, file.getProperty(name)));
        return properties;
    }

    JsonNode get(String path) {
        HttpResponse<String> answer = send("GET", path, "");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return MAPPER.readTree(answer.body());
    }

    /// Creates a connector, or does something else that a POST or PUT asks for.
    ///
    /// @return what was answered
    String ask(String method, String path, String body) {
        HttpResponse<String> answer = send(method, path, body);
        assertThat(answer.statusCode()).as(path + " " + answer.body()).isBetween(200, 204);
        return answer.body();
    }

    void awaitState(String connector, String state, int tasks) {
        await().atMost(Duration.ofSeconds(90)).ignoreExceptions().untilAsserted(() -> {
            JsonNode status = get("/connectors/" + connector + "/status");
            assertThat(status.at("/connector/state").asString())
                    .as(status.toString())
                    .isEqualTo(state);
            assertThat(status.get("tasks").size()).isEqualTo(tasks);
            status.get("tasks")
                    .forEach(task -> assertThat(task.get("state").asString())
                            .as(status.toString())
                            .isEqualTo(state));
        });
    }

    @Override
    public void close() {
        connect.stop();
        connect.awaitStop();
        http.close();
    }

    private HttpResponse<String> send(String method, String path, String body) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address + path))
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException noPort) {
            throw new UncheckedIOException(noPort);
        }
    }
}

package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.topics.Event;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `kill -9` of the whole process in the middle of an import.
class KillIT {

    private static final int REPORTS = Integer.getInteger("tlsrpt.kill.reports", 20_000);
    private static final int DOMAINS = 100;

    @TempDir
    Path directory;

    @Test
    void afterAKillAndARestartTheRepeatedImportGivesExactSumsAndNoEventTwice() throws Exception {
        LocalDate day =
                LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC).minusDays(1);
        byte[] archive = archive(day);
        int api = freePort();
        int admin = freePort();
        Path config = Files.writeString(directory.resolve("tlsrpt.yaml"), """
                data: "%s"
                kafka: {embedded-listen: "127.0.0.1:%d"}
                intake: {listen: "127.0.0.1:%d"}
                api: {listen: "127.0.0.1:%d"}
                admin: {listen: "127.0.0.1:%d"}
                mail: {smtp: {listen: "127.0.0.1:%d"}}
                """.formatted(
                        directory.resolve("data"), freePort(), api, api, admin, freePort()));

        Process first = start(config, admin);
        CompletableFuture<?> importing = post(api, archive);
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(100))
                .until(() -> accepted(admin) > REPORTS / 4.0);
        first.destroyForcibly();
        assertThat(first.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(importing.handle((answer, failed) -> failed != null).get(30, TimeUnit.SECONDS))
                .as("the import was cut off")
                .isTrue();

        Process second = start(config, admin);
        post(api, archive).get(5, TimeUnit.MINUTES);
        second.destroy();
        assertThat(second.waitFor(60, TimeUnit.SECONDS)).as("SIGTERM ends it").isTrue();
        assertThat(second.exitValue()).isIn(0, 143);

        try (House house = House.start(directory.resolve("data"))) {
            List<Event> events = house.events();
            Set<String> ids = new HashSet<>();
            assertThat(events)
                    .allSatisfy(event -> assertThat(ids.add(event.eventId())).isTrue());
            assertThat(events).hasSize(REPORTS);
            Map<String, List<Long>> cells = Sums.byAppending(events).cells();
            assertThat(cells).hasSize(DOMAINS);
            assertThat(cells.values()).containsOnly(List.of(100L * REPORTS / DOMAINS, 0L, (long) REPORTS / DOMAINS));
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(
                                    Sums.ofAggregates(house.aggregates()).cells())
                            .isEqualTo(cells));
        }
    }

    private Process start(Path config, int admin) throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx1g",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        Launched.CLASS_PATH,
                        StandaloneMain.class.getName(),
                        "run",
                        "--config",
                        config.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("log").toFile()))
                .start();
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(200))
                .until(() -> ready(admin));
        return process;
    }

    private static boolean ready(int admin) throws InterruptedException {
        try {
            return get("http://127.0.0.1:" + admin + "/ready").statusCode() == 200;
        } catch (IOException notYet) {
            return false;
        }
    }

    private static double accepted(int admin) throws IOException, InterruptedException {
        return get("http://127.0.0.1:" + admin + "/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("tlsrpt_processor_verdicts_total"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    private static HttpResponse<String> get(String uri) throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(HttpRequest.newBuilder(URI.create(uri)).build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    private static CompletableFuture<HttpResponse<String>> post(int api, byte[] archive) {
        return HttpClient.newHttpClient()
                .sendAsync(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + api + "/api/v1/import?name=many.zip"))
                                .POST(HttpRequest.BodyPublishers.ofByteArray(archive))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    private static byte[] archive(LocalDate day) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes, StandardCharsets.UTF_8)) {
            for (int i = 0; i < REPORTS; i++) {
                zip.putNextEntry(new ZipEntry(i + ".json"));
                var report = new java.util.LinkedHashMap<>(GeneratedReports.report(
                        "google.com", "d" + i % DOMAINS + ".example", day, 100, 0, null, "mx.example"));
                report.put("report-id", "r" + i);
                zip.write(GeneratedReports.json(report));
            }
        }
        return bytes.toByteArray();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}

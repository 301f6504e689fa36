package io.tlsrpt.benchmarks;

import io.tlsrpt.runtime.HostPort;
import java.io.IOException;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// `./tlsrpt run` as a process of its own, with the launcher's options.
final class RunningHouse implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(30);
    private static final String HEAP = "-Xmx1g";

    private final Process process;
    private final HostPort broker;
    private final HostPort api;
    private final HostPort admin;
    private final HostPort smtp;
    private final double secondsToReady;

    private RunningHouse(
            Process process, HostPort broker, HostPort api, HostPort admin, HostPort smtp, double secondsToReady) {
        this.process = process;
        this.broker = broker;
        this.api = api;
        this.admin = admin;
        this.smtp = smtp;
        this.secondsToReady = secondsToReady;
    }

    /// Returns when `/ready` answers 200.
    ///
    /// @param standalone its build directory, with `classes` and `lib`
    /// @param directory for its data, configuration and log
    /// @param moreYaml lines of settings besides; indented ones belong to `mail:`
    static RunningHouse start(Path standalone, Path directory, String... moreYaml) {
        HostPort broker = free();
        return start(
                standalone,
                directory,
                broker,
                "kafka: {embedded-listen: '" + broker + "'}",
                List.of(),
                List.of(moreYaml));
    }

    /// Only the console, on a broker that runs.
    static RunningHouse console(Path standalone, Path directory, HostPort broker) {
        return start(
                standalone,
                directory,
                broker,
                "kafka: {bootstrap-servers: '" + broker + "'}",
                List.of("--only", "console"),
                List.of());
    }

    private static RunningHouse start(
            Path standalone,
            Path directory,
            HostPort broker,
            String kafka,
            List<String> arguments,
            List<String> moreYaml) {
        HostPort api = free();
        HostPort admin = free();
        HostPort smtp = free();
        Path log = directory.resolve("house.log");
        try {
            Files.createDirectories(directory);
            Path config = Files.writeString(directory.resolve("tlsrpt.yaml"), """
                    data: "%s"
                    %s
                    intake: {listen: "%s"}
                    api: {listen: "%s"}
                    admin: {listen: "%s"}
                    mail:
                      smtp: {listen: "%s"}
                    %s
                    """.formatted(
                            directory.resolve("data"), kafka, api, api, admin, smtp, String.join("\n", moreYaml)));
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-XX:+UseCompactObjectHeaders",
                    "-XX:+ExitOnOutOfMemoryError",
                    HEAP,
                    "-cp",
                    standalone.resolve("classes") + ":" + standalone.resolve("lib") + "/*",
                    "io.tlsrpt.standalone.StandaloneMain",
                    "run",
                    "--config",
                    config.toString()));
            command.addAll(arguments);
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
            builder.environment().put("MALLOC_ARENA_MAX", "2");
            builder.environment().keySet().removeAll(Set.of("TLSRPT_LOG_LEVEL", "TLSRPT_KAFKA_LOG_LEVEL"));
            Stopwatch watch = Stopwatch.start();
            Process process = builder.start();
            awaitReady(process, admin, log);
            return new RunningHouse(process, broker, api, admin, smtp, watch.seconds());
        } catch (IOException cannot) {
            throw new UncheckedIOException(cannot);
        }
    }

    double secondsToReady() {
        return secondsToReady;
    }

    HostPort broker() {
        return broker;
    }

    HostPort smtp() {
        return smtp;
    }

    HostPort intake() {
        return api;
    }

    HostPort api() {
        return api;
    }

    /// What it takes of the machine's memory now, and what it took at most.
    String memory() {
        return memoryMib("VmRSS") + " MiB, at most " + memoryMib("VmHWM") + " MiB";
    }

    /// Seconds of one core that it has used since its start, which say more than the clock on a machine with others.
    double cpuSeconds() {
        return process.info().totalCpuDuration().orElseThrow().toMillis() / 1e3;
    }

    private long memoryMib(String line) {
        try {
            return Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status")).stream()
                    .filter(text -> text.startsWith(line + ":"))
                    .mapToLong(text -> Long.parseLong(text.replaceAll("\\D", "")) / 1024)
                    .findFirst()
                    .orElseThrow();
        } catch (IOException notLinux) {
            throw new UncheckedIOException("memory is read from /proc, which needs Linux", notLinux);
        }
    }

    /// Posts a zip to the import door and returns with the last verdict.
    ///
    /// @throws IllegalStateException when a report was not accepted
    void importAll(byte[] zip, int reports) {
        HttpResponse<String> answer =
                send(HttpRequest.newBuilder(URI.create("http://" + api + "/api/v1/import?name=reports.zip"))
                        .POST(HttpRequest.BodyPublishers.ofByteArray(zip))
                        .build());
        long accepted = answer.body()
                .lines()
                .filter(line -> line.contains("\"verdict\":\"accepted\""))
                .count();
        if (accepted != reports) {
            throw new IllegalStateException(
                    "accepted " + accepted + " of " + reports + ", status " + answer.statusCode() + ": "
                            + answer.body().lines().findFirst().orElse(""));
        }
    }

    /// Returns when the stream-processor has judged that many raw records since the start.
    void awaitVerdicts(long count) {
        Stopwatch watch = Stopwatch.start();
        while (verdicts() < count) {
            if (watch.seconds() > PATIENCE.toSeconds()) {
                throw new IllegalStateException(verdicts() + " verdicts, not " + count);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    long verdicts() {
        return (long) metric("tlsrpt_processor_verdicts_total");
    }

    /// The sum of a metric over its labels.
    double metric(String name) {
        return send(HttpRequest.newBuilder(URI.create("http://" + admin + "/metrics"))
                        .build())
                .body()
                .lines()
                .filter(line -> line.startsWith(name + ' ') || line.startsWith(name + '{'))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    /// Ends it as SIGTERM does.
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(1, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IllegalStateException("SIGTERM did not end it within a minute");
            }
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static void awaitReady(Process process, HostPort admin, Path log) {
        Stopwatch watch = Stopwatch.start();
        HttpRequest ready =
                HttpRequest.newBuilder(URI.create("http://" + admin + "/ready")).build();
        try (HttpClient http = HttpClient.newHttpClient()) {
            while (!isReady(http, ready)) {
                if (!process.isAlive() || watch.seconds() > PATIENCE.toSeconds()) {
                    process.destroyForcibly();
                    throw new IllegalStateException("it did not become ready; see " + log);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            }
        }
    }

    private static boolean isReady(HttpClient http, HttpRequest ready) {
        try {
            return http.send(ready, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException notYet) {
            return false;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private static HttpResponse<String> send(HttpRequest request) {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private static HostPort free() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return new HostPort("127.0.0.1", socket.getLocalPort());
        } catch (IOException noPort) {
            throw new UncheckedIOException(noPort);
        }
    }
}

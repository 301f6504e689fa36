package io.tlsrpt.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/// A real BIND on a free loopback port, with its zones in a directory of its own.
public final class Bind implements AutoCloseable {

    public static final String PROGRAM = "/usr/sbin/named";

    private final Path directory;
    private final int port;
    private final List<String> zones = new ArrayList<>();
    private @Nullable Process process;

    public Bind(Path directory) throws IOException {
        this.directory = directory;
        this.port = freePort();
    }

    public InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /// Names a zone; as long as its file is not written the server answers SERVFAIL.
    public Bind zone(String name) {
        zones.add(name);
        return this;
    }

    /// Writes a zone's records; takes effect with the next start.
    public void write(String zone, List<String> records) throws IOException {
        List<String> lines = new ArrayList<>(List.of(
                "$TTL 60",
                "@ IN SOA ns." + zone + ". admin." + zone + ". 1 60 60 3600 60",
                "@ IN NS ns." + zone + ".",
                "ns IN A 127.0.0.1"));
        lines.addAll(records);
        Files.write(directory.resolve(zone), lines);
    }

    /// Starts the server and waits until it takes connections; where BIND is missing the test is skipped, or fails when
    /// the environment says `CI`.
    public void start() throws IOException {
        if (!Files.isExecutable(Path.of(PROGRAM))) {
            if (System.getenv("CI") != null) {
                fail(PROGRAM + " is missing: install the Debian package bind9");
            }
            Assumptions.abort(PROGRAM + " is missing (Debian package bind9): skipped");
        }
        StringBuilder config = new StringBuilder("""
                options {
                  directory "%s"; pid-file none; session-keyfile none; lock-file none;
                  listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };
                  recursion no; dnssec-validation no; notify no;
                };
                controls { };
                """.formatted(directory, port));
        zones.forEach(zone -> config.append("zone \"%s\" { type primary; file \"%s\"; };%n".formatted(zone, zone)));
        Path file = Files.writeString(directory.resolve("named.conf"), config);
        Path log = directory.resolve("named.log");
        Process started = new ProcessBuilder(PROGRAM, "-g", "-n", "1", "-c", file.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        process = started;
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            assertThat(started.isAlive()).as(() -> content(log)).isTrue();
            try (Socket socket = new Socket()) {
                socket.connect(address(), 1000);
            }
            // zones are loaded before this line
            assertThat(content(log)).contains("running");
        });
    }

    /// Stops the server; its port stays ours to start again.
    public void stop() {
        Process running = process;
        process = null;
        if (running != null) {
            running.destroyForcibly().onExit().join();
        }
    }

    @Override
    public void close() {
        stop();
    }

    private static String content(Path log) {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket tcp = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                DatagramSocket udp = new DatagramSocket(tcp.getLocalPort(), InetAddress.getLoopbackAddress())) {
            return udp.getLocalPort();
        }
    }
}

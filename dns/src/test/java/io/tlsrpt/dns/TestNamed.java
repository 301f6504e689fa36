package io.tlsrpt.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;

/// A real BIND on a loopback port, the owner of the zones given. It is a child of the test.
public final class TestNamed implements AutoCloseable {

    private static final Path PROGRAM = Path.of("/usr/sbin/named");

    private final Process process;
    private final InetSocketAddress address;

    private TestNamed(Process process, InetSocketAddress address) {
        this.process = process;
        this.address = address;
    }

    /// Runs when the zones are served; where BIND is missing the test is skipped, or fails when the environment says
    /// `CI`.
    ///
    /// @param directory an empty one
    /// @param zones records by zone, as in a zone file; SOA and NS are added
    public static TestNamed serving(Path directory, Map<String, String> zones) throws IOException {
        if (!Files.isExecutable(PROGRAM)) {
            if (System.getenv("CI") != null) {
                fail(PROGRAM + " is missing: install the Debian package bind9");
            }
            Assumptions.abort(PROGRAM + " is missing (Debian package bind9): skipped");
        }
        InetAddress loopback = InetAddress.getLoopbackAddress();
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, loopback)) {
            port = free.getLocalPort();
        }
        StringBuilder config = new StringBuilder("""
                options {
                  directory "%1$s"; pid-file none; session-keyfile none; lock-file none; managed-keys-directory "%1$s";
                  listen-on port %2$d { 127.0.0.1; }; listen-on-v6 { none; };
                  recursion no; dnssec-validation no; notify no;
                };
                controls { };
                """.formatted(directory, port));
        for (Map.Entry<String, String> zone : zones.entrySet()) {
            Path file = directory.resolve(zone.getKey() + ".zone");
            Files.writeString(
                    file,
                    "$TTL 300\n@ IN SOA ns.invalid. root.invalid. 1 3600 600 86400 60\n@ IN NS ns.invalid.\n"
                            + zone.getValue() + "\n");
            config.append("zone \"%s\" { type primary; file \"%s\"; };%n".formatted(zone.getKey(), file));
        }
        Path file = Files.writeString(directory.resolve("named.conf"), config);
        Path log = directory.resolve("named.log");
        Process process = new ProcessBuilder(PROGRAM.toString(), "-g", "-n", "1", "-c", file.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        TestNamed named = new TestNamed(process, new InetSocketAddress(loopback, port));
        try {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(log).content().matches("(?s).* running\n.*"));
        } catch (RuntimeException | Error notRunning) {
            named.close();
            throw notRunning;
        }
        return named;
    }

    public InetSocketAddress address() {
        return address;
    }

    /// Ends the process, at once and for good.
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException stopped) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}

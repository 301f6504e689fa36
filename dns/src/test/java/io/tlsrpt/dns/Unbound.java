package io.tlsrpt.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// A real, validating unbound on a free loopback port, which knows of the world one zone.
public final class Unbound implements AutoCloseable {

    public static final String PROGRAM = "/usr/sbin/unbound";

    private final int port;
    private final Process process;

    /// @param zone whose server is asked
    /// @param server of the zone
    /// @param trustAnchors of the zone, as in a zone file
    public Unbound(Path directory, String zone, InetSocketAddress server, Path trustAnchors) throws IOException {
        Peer.require(PROGRAM, "unbound");
        this.port = Peer.freePort();
        Path config = Files.writeString(directory.resolve("unbound.conf"), """
                server:
                  interface: 127.0.0.1
                  port: %1$d
                  do-ip6: no
                  do-daemonize: no
                  do-not-query-localhost: no
                  access-control: 127.0.0.0/8 allow
                  chroot: ""
                  username: ""
                  directory: "%2$s"
                  pidfile: ""
                  use-syslog: no
                  logfile: ""
                  num-threads: 1
                  module-config: "validator iterator"
                  trust-anchor-file: "%3$s"
                  local-zone: "%4$s" nodefault
                remote-control:
                  control-enable: no
                stub-zone:
                  name: "%4$s"
                  stub-addr: 127.0.0.1@%5$d
                """.formatted(
                        port, directory, trustAnchors, zone, server.getPort()));
        Path log = directory.resolve("unbound.log");
        process = new ProcessBuilder(PROGRAM, "-d", "-c", config.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            assertThat(process.isAlive()).as(() -> Peer.content(log)).isTrue();
            assertThat(Peer.content(log)).contains("start of service");
        });
    }

    public InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}

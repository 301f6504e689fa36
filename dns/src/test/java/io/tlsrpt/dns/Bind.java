package io.tlsrpt.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

/// A real BIND on a free loopback port, with its zones in a directory of its own.
public final class Bind implements AutoCloseable {

    public static final String PROGRAM = "/usr/sbin/named";

    private final Path directory;
    private final int port;
    private final List<String> zones = new ArrayList<>();
    private final Set<String> signed = new HashSet<>();
    private @Nullable Process process;

    public Bind(Path directory) throws IOException {
        this.directory = directory;
        this.port = Peer.freePort();
    }

    public InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /// Names a zone; as long as its file is not written the server answers SERVFAIL.
    public Bind zone(String name) {
        zones.add(name);
        return this;
    }

    /// The same, with keys that the server makes and signatures as it makes them for everybody.
    public Bind signed(String name) {
        signed.add(name);
        return zone(name);
    }

    /// The public keys of the signed zones, as in a zone file; there once the zones are signed.
    public Path trustAnchors() throws IOException {
        StringBuilder keys = new StringBuilder();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "K*.key")) {
            for (Path file : files) {
                keys.append(Files.readString(file));
            }
        }
        return Files.writeString(directory.resolve("trust-anchors"), keys);
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
        Peer.require(PROGRAM, "bind9");
        StringBuilder config = new StringBuilder("""
                options {
                  directory "%s"; pid-file none; session-keyfile none; lock-file none;
                  listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };
                  recursion no; dnssec-validation no; notify no; minimal-responses yes;
                };
                controls { };
                """.formatted(directory, port));
        zones.forEach(zone -> config.append("zone \"%s\" { type primary; file \"%s\"; %s};%n"
                .formatted(zone, zone, signed.contains(zone) ? "dnssec-policy default; inline-signing yes; " : "")));
        Path file = Files.writeString(directory.resolve("named.conf"), config);
        Path log = directory.resolve("named.log");
        Process started = new ProcessBuilder(PROGRAM, "-g", "-n", "1", "-c", file.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        process = started;
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            assertThat(started.isAlive()).as(() -> Peer.content(log)).isTrue();
            try (Socket socket = new Socket()) {
                socket.connect(address(), 1000);
            }
            // zones are loaded before this line
            assertThat(Peer.content(log)).contains("running");
            for (String zone : signed) {
                assertThat(isSigned(zone)).as("%s is signed", zone).isTrue();
            }
        });
    }

    /// Whether its end carries a signature; the ones before it do then as well.
    private boolean isSigned(String zone) throws IOException {
        SimpleResolver asked = new SimpleResolver(address());
        asked.setEDNS(0, 1232, Flags.DO, List.of());
        asked.setTCP(true);
        Message answer =
                asked.send(Message.newQuery(Record.newRecord(Name.fromString(zone + "."), Type.SOA, DClass.IN)));
        return answer.getSection(Section.ANSWER).stream().anyMatch(record -> record.getType() == Type.RRSIG);
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
}

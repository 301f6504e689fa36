package io.tlsrpt.inspection;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.dns.Bind;
import io.tlsrpt.dns.Peer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/// Zones below a signed `test`, each with a parent that vouches for it or not, and falsified on demand: signed by
/// BIND's
/// tools before BIND starts.
final class SignedZones implements AutoCloseable {

    private final Path directory;
    private final Bind bind;
    private final List<String> parent = new ArrayList<>();

    /// @param directory an empty one
    SignedZones(Path directory) throws IOException {
        Peer.require(Bind.PROGRAM, "bind9");
        this.directory = directory;
        this.bind = new Bind(directory);
    }

    Bind bind() {
        return bind;
    }

    /// A zone with signatures and a DS record at its parent.
    SignedZones signed(String zone, List<String> records) throws IOException {
        unsigned(zone, records);
        parent.addAll(sign(zone));
        return this;
    }

    /// A zone without.
    SignedZones unsigned(String zone, List<String> records) throws IOException {
        broken(zone);
        bind.write(zone, records);
        return this;
    }

    /// A zone that the server cannot load.
    SignedZones broken(String zone) {
        bind.zone(zone);
        parent.add(zone + ". IN NS ns." + zone + ".");
        parent.add("ns." + zone + ". IN A 127.0.0.1");
        return this;
    }

    /// Writes something else into a zone, past its signatures.
    SignedZones falsified(String zone, String text, String instead) throws IOException {
        Path file = directory.resolve(zone);
        String records = Files.readString(file);
        assertThat(records).contains(text);
        Files.writeString(file, records.replace(text, instead));
        return this;
    }

    /// Signs the parent of all and starts.
    ///
    /// @return its trust anchors, DS records
    Path start() throws IOException {
        bind.zone("test").write("test", parent);
        Path anchors = Files.write(directory.resolve("anchors"), sign("test"));
        bind.start();
        return anchors;
    }

    /// @return DS records
    private List<String> sign(String zone) throws IOException {
        run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone);
        // -z: one key signs all
        run("dnssec-signzone", "-q", "-z", "-S", "-O", "full", "-o", zone, "-f", zone + ".signed", zone);
        Files.move(directory.resolve(zone + ".signed"), directory.resolve(zone), StandardCopyOption.REPLACE_EXISTING);
        return Files.readAllLines(directory.resolve("dsset-" + zone + "."));
    }

    private void run(String... command) throws IOException {
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.onExit().join().exitValue()).as(said).isZero();
    }

    @Override
    public void close() {
        bind.close();
    }
}

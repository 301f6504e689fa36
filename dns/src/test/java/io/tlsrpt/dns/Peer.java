package io.tlsrpt.dns;

import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/// A real server of somebody else that a test starts.
public final class Peer {

    private Peer() {}

    /// Where the program is missing the test is skipped, or fails when the environment says `CI`.
    public static void require(String program, String debianPackage) {
        if (!Files.isExecutable(Path.of(program))) {
            if (System.getenv("CI") != null) {
                fail(program + " is missing: install the Debian package " + debianPackage);
            }
            System.out.println("skipped: " + program + " is missing (Debian package " + debianPackage + ")");
            Assumptions.abort(program + " is missing (Debian package " + debianPackage + "): skipped");
        }
    }

    /// A port of the loopback address that nobody has, in TCP and UDP.
    static int freePort() throws IOException {
        try (ServerSocket tcp = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                DatagramSocket udp = new DatagramSocket(tcp.getLocalPort(), InetAddress.getLoopbackAddress())) {
            return udp.getLocalPort();
        }
    }

    static String content(Path log) {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return e.toString();
        }
    }
}

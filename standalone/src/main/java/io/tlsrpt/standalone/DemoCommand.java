package io.tlsrpt.standalone;

import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `./tlsrpt demo`: everything on a temporary directory, with reports flowing in and a webhook receiver that shows
/// alerts.
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description =
                "Runs everything on a temporary directory with sample reports flowing in, and shows the alerts that follow.")
final class DemoCommand implements Callable<Integer> {

    @Option(
            names = "--exit-after-alerts",
            description = "Ends when both alerts have arrived (0), or when they have not after two minutes (1).")
    private boolean exitAfterAlerts;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        Path directory = Files.createTempDirectory("tlsrpt-demo");
        try (DemoReceiver receiver = new DemoReceiver(out)) {
            Standalone standalone = Standalone.start(settings(directory, receiver.url()), null);
            if (!exitAfterAlerts) {
                out.println("Ctrl-C ends the demo and deletes its directory.");
                DemoScript script = new DemoScript(standalone, receiver, out);
                Thread.ofVirtual().name("demo").start(script::run);
                Stopping.await(standalone, receiver, () -> delete(directory));
                return 0;
            }
            try (standalone) {
                return new DemoScript(standalone, receiver, out).runUntilAlerts(Duration.ofMinutes(2)) ? 0 : 1;
            }
        } finally {
            delete(directory);
        }
    }

    private static Settings settings(Path directory, String receiverUrl) {
        HostPort web = free(8080);
        return SettingsFile.parse(
                "demo",
                """
                data: "%s"
                kafka:
                  embedded-listen: %s
                intake:
                  listen: %s
                  # the demo's own posts count as vouched for, as a trusted mailbox would
                  trusted-networks: [127.0.0.0/8]
                api:
                  listen: %s
                admin:
                  listen: %s
                mail:
                  smtp:
                    listen: %s
                domains:
                  - name: example.com
                    labels: {team: mail}
                  - name: example.net
                    labels: {team: mail}
                  - name: example.org
                alerting:
                  public-url: "http://%s"
                  warning-wait: 0s
                  # the demo's domains are nobody's to look at
                  inspection: {enabled: false}
                  receivers:
                    - name: demo
                      url: "%s"
                      allow-private-addresses: true
                """.formatted(
                                directory.toString().replace("\\", "\\\\"),
                                free(9092),
                                web,
                                web,
                                free(8081),
                                free(2525),
                                web,
                                receiverUrl),
                name -> null);
    }

    /// The usual port where it is free, else any that is: links to the dashboard need its number before it listens.
    private static HostPort free(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return new HostPort("127.0.0.1", socket.getLocalPort());
        } catch (IOException taken) {
            if (port == 0) {
                throw new UncheckedIOException("no port of this machine is free", taken);
            }
            return free(0);
        }
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.deleteIfExists(file);
            }
        } catch (IOException left) {
            throw new UncheckedIOException("could not delete " + directory, left);
        }
    }
}

package io.tlsrpt.alerting;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/// A process that runs nothing but the notification pipeline, to be killed by a test.
final class NotificationProcess {

    private NotificationProcess() {}

    /// @param arguments the broker and the receiver's address
    public static void main(String[] arguments) throws InterruptedException {
        try (NotificationPipeline pipeline = pipeline(arguments[0], arguments[1])) {
            pipeline.start();
            new CountDownLatch(1).await();
        }
    }

    static NotificationPipeline pipeline(String bootstrapServers, String url) {
        return pipeline(bootstrapServers, Map.of("ops", url), Clock.systemUTC());
    }

    /// @param receivers their addresses by name
    static NotificationPipeline pipeline(String bootstrapServers, Map<String, String> receivers, Clock clock) {
        StringBuilder yaml = new StringBuilder("alerting:\n  warning-wait: 0s\n  receivers:\n");
        receivers.forEach((name, url) -> yaml.append("""
                    - name: %s
                      url: %s
                      timeout: 60s
                      messages-per-minute: 600
                      allow-private-addresses: true
                """.formatted(name, url)));
        Settings settings =
                SettingsFile.parse("test.yaml", yaml.toString(), name -> null).withEmbeddedBroker(bootstrapServers);
        return new NotificationPipeline(surroundings(settings, clock));
    }

    static Surroundings surroundings(Settings settings, Clock clock) {
        return new Surroundings(settings, () -> settings, new SimpleMeterRegistry(), new Health(), clock);
    }

    static Process start(String bootstrapServers, String url, Path output) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        NotificationProcess.class.getName(),
                        bootstrapServers,
                        url)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                .start();
    }
}

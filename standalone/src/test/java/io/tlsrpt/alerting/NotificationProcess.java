package io.tlsrpt.alerting;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
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
        Settings settings = SettingsFile.parse("test.yaml", """
                        alerting:
                          warning-wait: 0s
                          receivers:
                            - name: ops
                              url: %s
                              allow-private-addresses: true
                        """.formatted(url), name -> null)
                .withEmbeddedBroker(bootstrapServers);
        return new NotificationPipeline(
                new Surroundings(settings, () -> settings, new SimpleMeterRegistry(), new Health(), Clock.systemUTC()));
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

package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.alerting.AlertingService;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AlertingAloneIT {

    @TempDir
    Path data;

    @Test
    void itStartsFirstOnANewCluster() {
        try (EmbeddedBroker broker = EmbeddedBroker.start(data.resolve("broker"), HostPort.parse("127.0.0.1:0"))) {
            Settings settings = SettingsFile.parse("test.yaml", "data: " + data + "\n", name -> null)
                    .withEmbeddedBroker(broker.bootstrapServers());
            Health health = new Health();
            AlertingService alerting = new AlertingService(
                    new Surroundings(settings, () -> settings, new SimpleMeterRegistry(), health, Clock.systemUTC()));
            try {
                alerting.start();
                await().atMost(Duration.ofMinutes(1))
                        .until(() -> health.isReady() || !health.dead().isEmpty());
                assertThat(health.dead()).isEmpty();
            } finally {
                alerting.close();
            }
        }
    }
}

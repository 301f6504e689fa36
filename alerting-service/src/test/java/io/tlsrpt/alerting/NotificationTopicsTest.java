package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import java.lang.management.ManagementFactory;
import java.time.Clock;
import javax.management.ObjectName;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.Test;

class NotificationTopicsTest {

    @Test
    void whatWasOpenedIsClosedWhenTheRestCannotBe() throws Exception {
        // Consumers do not know the key, so that only the producer, the last of the clients, refuses it.
        Settings settings = SettingsFile.parse("test.yaml", """
                topic-prefix: half-open.
                kafka:
                  bootstrap-servers: "127.0.0.1:1"
                  properties: {compression.type: no-such-codec}
                """, name -> null);
        Surroundings surroundings =
                new Surroundings(settings, () -> settings, new SimpleMeterRegistry(), new Health(), Clock.systemUTC());
        try (NotificationPipeline pipeline = new NotificationPipeline(surroundings)) {
            assertThatThrownBy(() -> new NotificationTopics(surroundings, pipeline).close())
                    .isInstanceOf(KafkaException.class)
                    .hasMessageContaining("no-such-codec");
        }

        assertThat(ManagementFactory.getPlatformMBeanServer()
                        .queryNames(new ObjectName("kafka.consumer:type=app-info,id=half-open.*"), null))
                .isEmpty();
    }
}

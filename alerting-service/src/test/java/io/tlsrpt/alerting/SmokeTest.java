package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SmokeTest {
    @Test
    void one(@TempDir Path directory) {
        try (Detection detection = new Detection(directory)) {
            detection.history(Detection.DAY_0, 28, "google.com", 55);
            detection.hoursAfter(Detection.DAY_0, 10);
            detection
                    .cell(Detection.DAY_0, "google.com")
                    .failed(Detection.EXPIRED, 5, 55)
                    .arrives();
            System.out.println(detection.records);
            System.out.println(detection.topology().describe());
            assertThat(detection.only().severity()).isEqualTo("warning");
        }
    }
}

package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static io.tlsrpt.alerting.Detection.EXPIRED;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Alert;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Memory and topology come to the same.
class ReplayTest {

    @Test
    void aReplayMakesTheTransitionsThatTheTopologyMade(@TempDir Path directory) {
        try (Detection detection = new Detection(directory)) {
            detection.history(DAY_0, 28, "google.com", 50);
            detection.hoursAfter(DAY_0, 4);
            detection.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40).arrives();
            detection.pass(Duration.ofMinutes(30));
            detection.cell(DAY_0, "microsoft.com").failed(EXPIRED, 15, 20).arrives();
            detection.hoursAfter(DAY_0.plusDays(1), 4);
            detection
                    .cell(DAY_0.plusDays(1), "google.com")
                    .failed(EXPIRED, 3, 41)
                    .arrives();
            detection.hoursAfter(DAY_0.plusDays(2), 4);
            detection.cell(DAY_0.plusDays(2), "google.com").sessions(60).arrives();
            detection.cell(DAY_0.plusDays(2), "microsoft.com").sessions(30).arrives();
            detection.hoursAfter(DAY_0.plusDays(10), 0);
            detection
                    .cell(DAY_0.plusDays(9), "google.com")
                    .failed(EXPIRED, 20, 60)
                    .arrives();
            detection.pass(Duration.ofDays(9));
            assertThat(detection.told()).hasSizeGreaterThanOrEqualTo(4);

            Replay replay =
                    new Replay(detection.settings(), detection.sent().getFirst().arrived());
            detection.sent().forEach(each -> replay.aggregate(each.aggregate(), each.arrived()));
            replay.passTo(detection.now());

            assertThat(words(replay.transitions())).isEqualTo(words(detection.transitions));
            assertThat(replay.state().keySet()).isEqualTo(detection.state.keySet());
        }
    }

    private static List<String> words(List<Alert> transitions) {
        return transitions.stream()
                .map(alert -> alert.incidentId() + " " + alert.transition() + " " + alert.state() + " "
                        + alert.severity() + " " + alert.resolveReason())
                .toList();
    }
}

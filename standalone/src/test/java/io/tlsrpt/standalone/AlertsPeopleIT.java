package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.cli.Commands;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.AlertAction;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Silence;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// What people do about an alert, from the command line to the topics, on a real broker.
class AlertsPeopleIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void anAlertIsNotedAndSilencedFromTheCommandLine() {
        try (House house = House.start(directory)) {
            LocalDate yesterday = LocalDate.now(ZoneOffset.UTC).minusDays(1);
            house.importFile(
                    "failing.json",
                    SampleReports.report()
                            .day(yesterday)
                            .policy("sts", "example.com", 20, 40)
                            .mode("enforce")
                            .mxHost("mx1.example.com")
                            .failure("certificate-expired", "mx1.example.com", 40)
                            .bytes());
            await().atMost(PATIENCE)
                    .until(() -> !house.get("/api/v1/alerts?state=firing")
                            .path("rows")
                            .isEmpty());
            JsonNode alert =
                    house.get("/api/v1/alerts?state=firing").path("rows").path(0);
            String id = alert.path("alert-id").asString("");

            assertThat(cli(house, "alerts", "note", id.substring(0, 12), "--text", "renewing", "--by", "alice"))
                    .as(err.toString())
                    .isZero();
            assertThat(cli(house, "silence", "add", "--alert", id.substring(0, 12), "--for", "2h", "--comment", "work"))
                    .as(err.toString())
                    .isZero();
            assertThat(cli(house, "alerts", "show", id.substring(0, 12)))
                    .as(err.toString())
                    .isZero();

            assertThat(out.toString())
                    .contains("it matches 1 that fire now:")
                    .contains("alert           " + id)
                    .contains("history  ");
            ConsumerRecord<byte[], byte[]> written =
                    house.records(house.topics().alertActions()).getFirst();
            AlertAction action = new JsonSerde<>(AlertAction.class).read(written.value());
            assertThat(action.by()).isEqualTo("alice");
            assertThat(action.incidentId()).isEqualTo(alert.path("incident-id").asString(""));
            assertThat(written.partition())
                    .isEqualTo(house.records(house.topics().alerts()).getFirst().partition());
            Silence silence = new JsonSerde<>(Silence.class)
                    .read(house.records(house.topics().silences()).getFirst().value());
            assertThat(Objects.requireNonNull(silence.match().alertIds())).containsExactly(id);
            await().atMost(PATIENCE)
                    .until(() -> house.get("/api/v1/silences?state=active")
                                    .path("rows")
                                    .size()
                            == 1);
            assertThat(cli(house, "silence", "remove", silence.silenceId().substring(0, 8)))
                    .as(err.toString())
                    .isZero();
            await().atMost(PATIENCE)
                    .until(() -> house.get("/api/v1/silences").path("rows").isEmpty());
        }
    }

    private int cli(House house, String... arguments) {
        return Commands.root(
                        new Commands.Defaults(
                                "http://" + house.standalone().apiAddress(),
                                house.standalone().bootstrapServers(),
                                "tlsrpt."),
                        new PrintWriter(out, true),
                        new PrintWriter(err, true))
                .execute(arguments);
    }
}

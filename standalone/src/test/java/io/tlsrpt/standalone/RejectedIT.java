package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.cli.Commands;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// What was refused, explained and judged again by command, on a real broker.
class RejectedIT {

    @TempDir
    Path directory;

    /// What a command printed.
    private record Ran(int code, String out) {

        private List<String> lines() {
            return out.lines().toList();
        }
    }

    @Test
    void aReportAboutAForeignDomainIsCountedOnceWhenTheDomainIsOursAndItIsRetried() throws IOException {
        Path file = directory.resolve("tlsrpt.yaml");
        settings(file, "example.org");
        try (House house = House.startWith(file)) {
            LocalDate yesterday = LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC)
                    .minusDays(1);
            SampleReports report =
                    SampleReports.report().id("one").day(yesterday).policy("sts", "example.com", 95, 5);
            assertThat(house.post(report.gzip()).statusCode()).isEqualTo(201);
            assertThat(house.post(new byte[] {'x'}).statusCode()).isEqualTo(400);

            Ran listed = rejected(house, "list", "--reason", "foreign-domain", "--json");
            assertThat(listed.lines()).hasSize(1);
            JsonNode row = Json.MAPPER.readTree(listed.out());
            String id = row.path("id").asString();
            assertThat(row.path("submitter").asString()).isEqualTo("google.com");
            assertThat(row.path("remote").asString()).isEqualTo("127.0.0.1");

            assertThat(rejected(house, "explain", id).out())
                    .contains("no policy-domain is ours: example.com")
                    .contains("`domains:`")
                    .contains("./tlsrpt rejected retry " + id);
            assertThat(rejected(house, "explain").out()).contains("foreign-domain", "not-json");

            Ran tooEarly = rejected(house, "retry", id);
            assertThat(tooEarly.lines().getLast()).isEqualTo("accepted 0, duplicate 0, conflict 0, rejected 1");
            assertThat(tooEarly.code()).isEqualTo(1);

            settings(file, "example.org", "example.com");
            await().atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofSeconds(1))
                    .untilAsserted(() -> assertThat(rejected(house, "retry", id))
                            .isEqualTo(new Ran(
                                    0,
                                    "accepted  " + id + "  google.com|one|" + yesterday + "T00:00:00Z|example.com\n"
                                            + "accepted 1, duplicate 0, conflict 0, rejected 0\n")));

            Ran again = rejected(house, "retry", "--reason", "foreign-domain", "--since", "1h");
            assertThat(again.lines().getLast())
                    .startsWith("accepted 0, duplicate ")
                    .endsWith(", conflict 0, rejected 0");
            assertThat(again.code()).isZero();

            assertThat(house.events()).singleElement().satisfies(event -> {
                assertThat(event.kind()).isEqualTo("summary");
                assertThat(event.totalSuccessfulSessionCount()).isEqualTo(95);
                assertThat(event.authentication()).isEqualTo("none");
            });

            assertThat(rejected(house, "retry", id, "--vouch").out())
                    .contains("you vouch for them")
                    .contains("replaced  " + id);
            assertThat(house.events()).extracting(Event::authentication).contains("operator");
        }
    }

    private void settings(Path file, String... domains) throws IOException {
        StringBuilder yaml = new StringBuilder(
                """
                data: "%s"
                kafka: {embedded-listen: "127.0.0.1:0"}
                intake: {listen: "127.0.0.1:0"}
                api: {listen: "127.0.0.1:0"}
                admin: {listen: "127.0.0.1:0"}
                mail: {smtp: {enabled: false}}
                domains:
                """.formatted(directory.resolve("data").toString().replace("\\", "\\\\")));
        for (String domain : domains) {
            yaml.append("- {name: ").append(domain).append("}\n");
        }
        Files.writeString(file, yaml);
    }

    private static Ran rejected(House house, String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] command = new String[arguments.length + 1];
        command[0] = "rejected";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        var defaults = new Commands.Defaults(
                "http://" + house.standalone().apiAddress(), house.standalone().bootstrapServers(), "tlsrpt.");
        int code = Commands.root(defaults, new PrintWriter(out, true), new PrintWriter(err, true))
                .execute(command);
        assertThat(err.toString()).isEmpty();
        return new Ran(code, out.toString());
    }
}

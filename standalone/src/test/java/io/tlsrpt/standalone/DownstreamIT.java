package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Json;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The programs and commands of docs/downstream.md, as a reader of the topics runs them.
class DownstreamIT {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    private Path directory;

    private House house;
    private LocalDate day;

    @BeforeEach
    void aReplacedReport() {
        house = House.start(directory.resolve("data"));
        day = LocalDate.now(ZoneOffset.UTC).minusDays(1);
        house.post(SampleReports.report()
                .id("one")
                .day(day)
                .policy("sts", "example.com", 0, 1000)
                .failure("starttls-not-supported", "mx1.example.com", 1000)
                .gzip());
        house.judged(1);
        house.importFile(
                "genuine.json",
                SampleReports.report()
                        .id("one")
                        .day(day)
                        .policy("sts", "example.com", 90, 10)
                        .failure("certificate-expired", "mx1.example.com", 10)
                        .bytes());
    }

    @AfterEach
    void stop() {
        house.close();
    }

    @Test
    void theExampleInJavaSeesEachFailureAndWhatIsTakenBackAndGoesOnWhereItStopped() throws Exception {
        Path out = directory.resolve("out");
        Process first = example(out);
        await().atMost(PATIENCE).until(() -> lines(out).size() >= 3);
        stop(first);

        assertThat(lines(out))
                .containsExactly(
                        day + " example.com +1000 starttls-not-supported mx1.example.com google.com",
                        day + " example.com -1000 starttls-not-supported mx1.example.com google.com",
                        day + " example.com +10 certificate-expired mx1.example.com google.com");

        house.importFile(
                "second.json",
                SampleReports.report()
                        .id("two")
                        .day(day)
                        .policy("sts", "example.com", 90, 7)
                        .failure("validation-failure", "mx2.example.com", 7)
                        .bytes());
        Path again = directory.resolve("again");
        Process second = example(again);
        await().atMost(PATIENCE).until(() -> !lines(again).isEmpty());
        stop(second);
        assertThat(lines(again)).containsExactly(day + " example.com +7 validation-failure mx2.example.com google.com");
    }

    @Test
    void theCommandsOfKcatShowRecords() throws Exception {
        assumeThat(Path.of("/usr/bin/kcat")).as("kcat is not installed").exists();
        await().atMost(PATIENCE).until(() -> !house.alerts().isEmpty());
        List<String> commands = Files.readString(ROOT.resolve("docs/downstream.md"))
                .lines()
                .filter(line -> line.startsWith("kcat "))
                .toList();
        assertThat(commands).hasSize(4);

        Map<String, List<String>> shown = commands.stream().collect(Collectors.toMap(each -> topic(each), this::run));

        assertThat(shown.get("alerts")).isNotEmpty().allSatisfy(line -> {
            String[] keyAndValue = line.split(" ", 2);
            assertThat(Json.MAPPER.readTree(keyAndValue[1]).path("alert-id").asString())
                    .isEqualTo(keyAndValue[0]);
        });
        assertThat(shown.get("aggregates"))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line).matches("(-1|[0-9]+) \\{.*"));
        assertThat(shown.get("events")).filteredOn(line -> line.startsWith("{")).hasSize(6);
        assertThat(shown.get("reports.raw"))
                .anySatisfy(line -> assertThat(line).contains("source=https", "authentication=none"));
    }

    private static String topic(String command) {
        return command.replaceFirst(".*tlsrpt\\.([a-z.]+).*", "$1");
    }

    private List<String> run(String command) {
        try {
            Process process = new ProcessBuilder(
                            "sh",
                            "-c",
                            command.replace("127.0.0.1:9092", house.standalone().bootstrapServers()))
                    .redirectErrorStream(true)
                    .start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(command + "\n" + out).isZero();
            return out.lines().toList();
        } catch (IOException failed) {
            throw new java.io.UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private Process example(Path out) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        "standalone" + File.separator + "target" + File.separator + "lib" + File.separator + "*",
                        "docs/examples/TlsFailures.java",
                        house.standalone().bootstrapServers(),
                        "my-group")
                .directory(ROOT.toFile())
                .redirectOutput(out.toFile())
                .redirectError(directory.resolve("err").toFile())
                .start();
    }

    private static void stop(Process process) throws InterruptedException {
        process.destroy();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }

    private static List<String> lines(Path out) throws IOException {
        return Files.exists(out) ? Files.readAllLines(out) : List.of();
    }
}

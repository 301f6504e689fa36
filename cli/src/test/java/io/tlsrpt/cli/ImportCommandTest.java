package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class ImportCommandTest {

    private final ImportServer server = new ImportServer();
    private final Captured cli = new Captured(false);

    @TempDir
    private Path directory;

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void directoriesAreWalkedInTheOrderOfPathsWithoutFollowingLinks() throws IOException {
        file("b/2.json", "accepted");
        file("a/1.json", "accepted");
        file("c.json", "duplicate");
        Files.createSymbolicLink(directory.resolve("a/loop"), directory);
        Files.createSymbolicLink(directory.resolve("a/0.json"), directory.resolve("c.json"));

        int code = cli.run(server.url(), "import", directory.toString());

        assertThat(server.requests)
                .containsExactly(List.of(
                        directory.resolve("a/1.json").toString(),
                        directory.resolve("b/2.json").toString(),
                        directory.resolve("c.json").toString()));
        assertThat(cli.lines()).containsExactly("accepted 2, duplicate 1, conflict 0, rejected 0");
        assertThat(code).isZero();
    }

    @Test
    void aFileNamedTwiceIsSentOnce() throws IOException {
        Path file = file("1.json", "accepted");

        cli.run(server.url(), "import", file.toString(), directory.toString(), directory + "/./1.json");

        assertThat(server.requests).containsExactly(List.of(file.toString()));
    }

    @Test
    void manyFilesGoInSeveralRequestsAndEachIsCountedOnce() throws IOException {
        for (int i = 0; i < 1_203; i++) {
            file("%05d.json".formatted(i), "accepted");
        }

        cli.run(server.url(), "import", directory.toString());

        assertThat(server.requests).extracting(List::size).containsExactly(500, 500, 203);
        assertThat(cli.lines().getLast()).isEqualTo("accepted 1203, duplicate 0, conflict 0, rejected 0");
    }

    @Test
    void anArchiveGoesByItselfUnderItsName() throws IOException {
        file("1.json", "accepted");
        Path archive = directory.resolve("2.ZIP");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(archive))) {
            zip.putNextEntry(new ZipEntry("inner.json"));
            zip.write("rejected".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        file("3.json", "accepted");

        cli.run(server.url(), "import", directory.toString());

        assertThat(server.requests).hasSize(3);
        assertThat(server.names.get(1)).isEqualTo("name=" + archive);
        assertThat(cli.out()).contains(archive + "/inner.json").contains("not-json");
    }

    @Test
    void whatIsNotAPlainVerdictIsToldBeforeTheLastLine() throws IOException {
        file("1.json", "replaced");
        file("2.json", "skipped");
        file("3.json", "conflict");
        file("4.json", "accepted");

        int code = cli.run(server.url(), "import", directory.toString());

        assertThat(cli.lines())
                .containsExactly(
                        "skipped 1: no reports by their names",
                        "replaced 1 untrusted copies, counted as accepted",
                        "accepted 2, duplicate 0, conflict 1, rejected 0");
        assertThat(code).isZero();
    }

    @Test
    void rejectedReportsAreListedUpToTwentyAndAreNoFailure() throws IOException {
        for (int i = 0; i < 25; i++) {
            file("%02d.json".formatted(i), "rejected");
        }

        int code = cli.run(server.url(), "import", directory.toString());

        assertThat(cli.lines()).hasSize(22);
        assertThat(cli.lines().getFirst())
                .isEqualTo("rejected  " + directory.resolve("00.json") + "  not-json: \\u001b[31mat line 1");
        assertThat(cli.lines().get(20)).isEqualTo("… and 5 more: ./tlsrpt rejected list");
        assertThat(cli.lines().getLast()).isEqualTo("accepted 0, duplicate 0, conflict 0, rejected 25");
        assertThat(code).isZero();
    }

    @Test
    void reportsWithoutAVerdictEndTheCommandWithOne() throws IOException {
        file("1.json", "pending");

        assertThat(cli.run(server.url(), "import", directory.toString())).isEqualTo(1);
        assertThat(cli.lines().getFirst()).startsWith("pending 1: stored, but not judged in time");
    }

    @Test
    void aServerThatRestartsIsWaitedForAndNothingIsCountedTwice() throws IOException {
        file("1.json", "accepted");
        server.troubles.addAll(List.of(
                ImportServer.Trouble.UNAVAILABLE, ImportServer.Trouble.BROKEN_OFF, ImportServer.Trouble.BUSY_LINE));

        int code = cli.run(server.url(), "import", directory.toString());

        assertThat(cli.lines()).containsExactly("accepted 1, duplicate 0, conflict 0, rejected 0");
        assertThat(cli.pauses).extracting(java.time.Duration::toMillis).containsExactly(500L, 1_000L, 2_000L);
        assertThat(code).isZero();
    }

    @Test
    void aServerThatStaysAwayIsGivenUpWithWhatToDo() throws IOException {
        file("1.json", "accepted");
        for (int i = 0; i < 100; i++) {
            server.troubles.add(ImportServer.Trouble.UNAVAILABLE);
        }

        int code = cli.run(server.url(), "import", "--retry-for", "20", directory.toString());

        assertThat(code).isEqualTo(1);
        assertThat(cli.err()).contains("stopped: starting for 20 s").contains("Run the same command again");
        assertThat(cli.lines().getLast()).isEqualTo("accepted 0, duplicate 0, conflict 0, rejected 0");
    }

    @Test
    void whereNobodyListensTheCommandSaysHowToStartIt() throws IOException {
        file("1.json", "accepted");
        server.close();

        assertThat(cli.run(server.url(), "import", directory.toString())).isEqualTo(1);
        assertThat(cli.err())
                .startsWith("no tlsrpt answers at " + server.url() + " – start it with ./tlsrpt run")
                .doesNotContain("\tat ");
        assertThat(cli.pauses).isEmpty();
    }

    @Test
    void withJsonEveryReportIsALineAndTheCountsAreTheLast() throws IOException {
        file("1.json", "accepted");
        file("2.json", "rejected");

        cli.run(server.url(), "import", "--json", directory.toString());

        List<JsonNode> lines = cli.lines().stream().map(Json.MAPPER::readTree).toList();
        assertThat(lines).hasSize(3);
        assertThat(lines.get(1).path("detail").stringValue()).isEqualTo("\u001b[31mat line 1");
        assertThat(lines.getLast().path("accepted").longValue()).isEqualTo(1);
        assertThat(lines.getLast().path("complete").booleanValue()).isTrue();
        assertThat(cli.out().chars().allMatch(character -> character == '\n' || (character >= ' ' && character < 127)))
                .isTrue();
    }

    @Test
    void wrongUsageIsTwoAndAMissingPathIsOne() {
        assertThat(cli.run(server.url(), "import")).isEqualTo(2);
        assertThat(cli.run(server.url(), "import", "--nonsense", "x")).isEqualTo(2);
        assertThat(cli.run(server.url(), "import", directory.resolve("none").toString()))
                .isEqualTo(1);
        assertThat(cli.run(server.url(), "import", directory.toString())).isEqualTo(1);
        assertThat(cli.run("ftp://x", "domains")).isEqualTo(1);
    }

    private Path file(String name, String verdict) throws IOException {
        Path file = directory.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, verdict);
    }
}

package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.topics.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A directory of reports, imported twice, gives the sums that another program (`sums.py`) computed. The directory is
/// that of the
/// witness files, whose sums (`sums.py --ids-from-names`) are kept beside the script; `-Dtlsrpt.corpus=DIRECTORY` names
/// another, whose sums the
/// script computes.
class CorpusIT {

    private static final Path WITNESSES = Path.of("../report-model/src/test/resources/reports");
    private static final Path SCRIPT = Path.of("src/test/resources/sums.py");

    @TempDir
    Path directory;

    @Test
    void anImportGivesExactSumsAndTheSecondOneChangesNothing() throws Exception {
        String named = System.getProperty("tlsrpt.corpus");
        Path corpus = named == null ? WITNESSES : Path.of(named);
        JsonNode expected = Json.MAPPER.readTree(
                named == null ? Files.readString(Path.of("src/test/resources/sums.json")) : computed(corpus));
        byte[] archive = zip(corpus, named == null);

        try (House house = House.start(directory, "retention: 14600d")) {
            Map<String, Long> verdicts = counts(house.importFile("corpus.zip", archive));
            assertThat(verdicts).isEqualTo(numbers(expected.path("verdicts")));
            Sums sums = new Sums(cells(expected.path("cells")), numbers(expected.path("failures")));
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() ->
                            assertThat(Sums.ofAggregates(house.aggregates())).isEqualTo(sums));
            assertThat(Sums.byAppending(house.events())).isEqualTo(sums);
            int events = house.events().size();

            Map<String, Long> again = counts(house.importFile("corpus.zip", archive));
            assertThat(again).doesNotContainKey("accepted").doesNotContainKey("replaced");
            assertThat(house.events()).hasSize(events);
            assertThat(Sums.ofAggregates(house.aggregates())).isEqualTo(sums);
        }
    }

    private static Map<String, Long> counts(List<JsonNode> lines) {
        Map<String, Long> counts = new TreeMap<>();
        for (JsonNode line : lines) {
            counts.merge(line.path("verdict").asString(), 1L, Long::sum);
        }
        return counts;
    }

    private static Map<String, Long> numbers(JsonNode members) {
        Map<String, Long> numbers = new TreeMap<>();
        members.properties()
                .forEach(
                        member -> numbers.put(member.getKey(), member.getValue().asLong()));
        return numbers;
    }

    private static Map<String, List<Long>> cells(JsonNode members) {
        Map<String, List<Long>> cells = new LinkedHashMap<>();
        members.properties().forEach(member -> {
            List<Long> counts = new ArrayList<>();
            member.getValue().forEach(count -> counts.add(count.asLong()));
            cells.put(member.getKey(), counts);
        });
        return new TreeMap<>(cells);
    }

    private static byte[] zip(Path corpus, boolean idFromName) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes);
                Stream<Path> files = Files.walk(corpus)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                String name = corpus.relativize(file).toString();
                if (name.endsWith(".json") || name.endsWith(".json.gz")) {
                    zip.putNextEntry(new ZipEntry(name));
                    zip.write(idFromName ? withIdFromName(file) : Files.readAllBytes(file));
                }
            }
        }
        return bytes.toByteArray();
    }

    /// The witness files share one report-id; here each is a report of its own, as the script does it.
    private static byte[] withIdFromName(Path file) throws IOException {
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        String id = Matcher.quoteReplacement("\"case-" + file.getFileName() + "\"");
        return text.replaceAll("\"report-id\"(\\s*):(\\s*)(\"[^\"]*\"|\\d+)", "\"report-id\"$1:$2" + id)
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String computed(Path corpus) throws IOException, InterruptedException {
        Process script = new ProcessBuilder("python3", SCRIPT.toString(), corpus.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(script.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(script.waitFor()).isZero();
        return output;
    }
}

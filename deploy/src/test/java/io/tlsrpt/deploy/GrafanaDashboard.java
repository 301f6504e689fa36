package io.tlsrpt.deploy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A dashboard for Grafana as it is written.
record GrafanaDashboard(String file, JsonNode json) {

    static final Path DIRECTORY = Program.ROOT.resolve("deploy/grafana");

    static List<GrafanaDashboard> all() {
        try (Stream<Path> files = Files.list(DIRECTORY.resolve("dashboards"))) {
            return files.sorted()
                    .map(file -> new GrafanaDashboard(String.valueOf(file.getFileName()), read(file)))
                    .toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static JsonNode read(Path file) {
        return JsonMapper.builder().build().readTree(file);
    }

    /// Every one, rows too.
    List<JsonNode> panels() {
        return elements(json.get("panels"));
    }

    /// A question that a panel asks Prometheus.
    record Query(String panel, String expression) {}

    List<Query> queries() {
        return panels().stream()
                .flatMap(panel -> elements(panel.path("targets")).stream()
                        .map(target -> new Query(
                                json.get("title").asString() + " / "
                                        + panel.get("title").asString(),
                                target.get("expr").asString())))
                .toList();
    }

    static List<JsonNode> elements(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).toList();
    }
}

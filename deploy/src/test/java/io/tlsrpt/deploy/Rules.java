package io.tlsrpt.deploy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/// The rules for Prometheus as they are written.
final class Rules {

    static final Path DIRECTORY = Program.ROOT.resolve("deploy/prometheus");
    static final Path ALERTS = DIRECTORY.resolve("tlsrpt.alerts.rules.yml");
    static final Path RECORDING = DIRECTORY.resolve("tlsrpt.recording.rules.yml");

    private Rules() {}

    /// One alert or recorded series.
    ///
    /// @param name of the alert, or of what is recorded
    record Rule(String name, String expression, Map<?, ?> labels, Map<?, ?> annotations) {}

    static List<Rule> in(Path file) {
        return list(yaml(file), "groups").stream()
                .flatMap(group -> list(group, "rules").stream())
                .map(rule -> new Rule(
                        String.valueOf(rule.containsKey("alert") ? rule.get("alert") : rule.get("record")),
                        String.valueOf(rule.get("expr")),
                        map(rule, "labels"),
                        map(rule, "annotations")))
                .toList();
    }

    static List<Path> tests() {
        try (Stream<Path> files = Files.list(DIRECTORY.resolve("tests"))) {
            return files.sorted().toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /// The names of the tests in a file of them.
    static List<String> testNames(Path file) {
        return list(yaml(file), "tests").stream()
                .map(test -> String.valueOf(test.get("name")))
                .toList();
    }

    private static Map<?, ?> yaml(Path file) {
        try {
            return (Map<?, ?>) new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static Map<?, ?> map(Map<?, ?> of, String name) {
        return of.get(name) instanceof Map<?, ?> map ? map : Map.of();
    }

    private static List<Map<?, ?>> list(Map<?, ?> of, String name) {
        List<Map<?, ?>> maps = new ArrayList<>();
        if (of.get(name) instanceof List<?> list) {
            list.forEach(each -> maps.add((Map<?, ?>) each));
        }
        return maps;
    }
}

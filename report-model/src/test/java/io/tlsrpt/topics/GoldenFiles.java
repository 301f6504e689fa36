package io.tlsrpt.topics;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// One record per file under `wire/`, on one line.
final class GoldenFiles {

    private static final Path DIRECTORY = Path.of("src/test/resources/wire");

    private GoldenFiles() {}

    static String read(String name) {
        try {
            return Files.readString(DIRECTORY.resolve(name)).strip();
        } catch (IOException missing) {
            throw new UncheckedIOException(missing);
        }
    }

    static List<String> names() {
        try (Stream<Path> files = Files.list(DIRECTORY)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException missing) {
            throw new UncheckedIOException(missing);
        }
    }
}

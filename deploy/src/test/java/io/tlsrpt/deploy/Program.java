package io.tlsrpt.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;

/// A program of this machine that a test looks through, such as `promtool`.
record Program(Path path) {

    private static final Duration PATIENCE = Duration.ofMinutes(5);

    /// The root of the repository: tests run in the directory of their module.
    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    /// The program; where it is not installed the test ends here and says so.
    static Program named(String name) {
        Path found = Arrays.stream(Objects.requireNonNull(System.getenv("PATH")).split(File.pathSeparator))
                .map(directory -> Path.of(directory, name))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
        Assumptions.assumeTrue(found != null, name + " is not installed, so this was not tested");
        return new Program(Objects.requireNonNull(found));
    }

    /// What it says when it succeeds.
    String run(Object... arguments) {
        List<String> command = new ArrayList<>(List.of(path.toString()));
        Arrays.stream(arguments).map(Object::toString).forEach(command::add);
        try {
            Path output = Files.createTempFile("program", ".txt");
            try {
                Process process = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
                boolean ended = process.waitFor(PATIENCE);
                process.destroyForcibly();
                String said = Files.readString(output, StandardCharsets.UTF_8);
                assertThat(ended).as(command + " ends: " + said).isTrue();
                assertThat(process.exitValue()).as(command + ": " + said).isZero();
                return said;
            } finally {
                Files.delete(output);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }
}

package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Topics and stores that a release wrote are read by this one, as docs/upgrading.md promises.
/// With `-Dtlsrpt.release.write=VERSION` what this one writes is kept as that release's.
class UpgradeIT {

    private static final Path RELEASES = Path.of("src/test/resources/releases");

    @TempDir
    private Path directory;

    static List<Path> releases() throws IOException {
        try (Stream<Path> files = Files.list(RELEASES)) {
            return files.sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("releases")
    void theStateOfAReleaseIsReadOn(Path release) throws IOException {
        ReleaseState.unpack(release, directory);
        ReleaseState.readOn(directory);
    }

    @Test
    void whatThisOneWritesIsReadOnToo() throws IOException {
        Path filled = directory.resolve("filled");
        ReleaseState.fill(filled, LocalDate.now(ZoneOffset.UTC).minusDays(1));
        Path packed = directory.resolve("packed.zip.gz");
        ReleaseState.pack(filled, packed);
        String release = System.getProperty("tlsrpt.release.write");
        if (release != null) {
            Files.createDirectories(RELEASES);
            Files.copy(packed, RELEASES.resolve(release + ".zip.gz"));
        }
        assertThat(packed).isNotEmptyFile();
        Path unpacked = directory.resolve("unpacked");
        ReleaseState.unpack(packed, unpacked);
        ReleaseState.readOn(unpacked);
    }
}

package io.tlsrpt.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/// What every benchmark of running services has: what is measured, where its data live meanwhile, and the table.
final class Workbench {

    @Option(
            names = "--standalone",
            defaultValue = "standalone/target",
            description = "The build of the module standalone (${DEFAULT-VALUE}).")
    private Path standalone = Path.of("");

    @Option(
            names = "--directory",
            defaultValue = "benchmarks/target/data",
            description = "Where the data live while measuring; deleted before and after (${DEFAULT-VALUE}).")
    private Path directory = Path.of("");

    private final Figures figures = new Figures();

    Path standalone() {
        return standalone.toAbsolutePath().normalize();
    }

    Path directory(String name) {
        return directory.toAbsolutePath().normalize().resolve(name);
    }

    Figures figures() {
        return figures;
    }

    /// Makes the directory empty.
    void clear() {
        delete();
        try {
            Files.createDirectories(directory);
        } catch (IOException unwritable) {
            throw new UncheckedIOException(unwritable);
        }
    }

    /// Prints the machine, what was measured and the figures, and deletes the data.
    ///
    /// @param what in a sentence or two
    void conclude(String what) {
        System.out.println(machine());
        System.out.println();
        System.out.println(what);
        System.out.println();
        System.out.print(figures.markdown());
        delete();
    }

    /// Says what goes on, beside the table.
    void say(String what) {
        System.err.println(what + " …");
    }

    private String machine() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        try {
            return Figures.text(
                    "%d cores, %d GiB of memory, data on %s, %s %s, %s %s.",
                    system.getAvailableProcessors(),
                    Math.round(system.getTotalMemorySize() / (double) (1 << 30)),
                    Files.getFileStore(directory).type(),
                    system.getName(),
                    system.getVersion(),
                    System.getProperty("java.vm.name"),
                    Runtime.version());
        } catch (IOException gone) {
            throw new UncheckedIOException(gone);
        }
    }

    private void delete() {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException undeletable) {
            throw new UncheckedIOException(undeletable);
        }
    }
}

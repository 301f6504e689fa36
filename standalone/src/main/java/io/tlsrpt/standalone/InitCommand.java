package io.tlsrpt.standalone;

import io.tlsrpt.runtime.SettingsDocument;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `./tlsrpt init`: a commented configuration to start from.
@Command(
        name = "init",
        mixinStandardHelpOptions = true,
        description = "Writes a commented starter configuration; never overwrites one.")
final class InitCommand implements Callable<Integer> {

    @Parameters(
            arity = "0..1",
            paramLabel = "FILE",
            defaultValue = "tlsrpt.yaml",
            description = "Default: ${DEFAULT-VALUE}")
    private Path file = Path.of("tlsrpt.yaml");

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try {
            Files.writeString(file, SettingsDocument.starter(), StandardOpenOption.CREATE_NEW);
        } catch (FileAlreadyExistsException exists) {
            err.println(file + " exists already; name another file, or move it away first");
            return 1;
        } catch (IOException unwritable) {
            err.println("cannot write " + file + ": " + unwritable.getMessage());
            return 1;
        }
        out.println("wrote " + file + "; edit it, then: ./tlsrpt config check " + file + " && ./tlsrpt run --config "
                + file);
        return 0;
    }
}

package io.tlsrpt.standalone;

import io.tlsrpt.moving.HouseExport;
import io.tlsrpt.moving.MovingFault;
import io.tlsrpt.runtime.SettingsFault;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `./tlsrpt export FILE`: what cannot be made anew, into one file.
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        description =
                "Writes reports, refused documents, alerts, silences and what was told of them into a file, for ./tlsrpt restore.")
final class ExportCommand implements Callable<Integer> {

    @Mixin
    private HouseOption house = new HouseOption();

    @Parameters(paramLabel = "FILE", description = "Where to; private to you.")
    private Path file = Path.of("house.tlsrpt");

    @Option(names = "--overwrite", description = "Also when the file exists.")
    private boolean overwrite;

    @Option(
            names = "--judged-until",
            paramLabel = "TIME",
            description = "When the services were stopped, where the broker has forgotten how far they had read;"
                    + " such as 2026-11-20T12:00:00Z.")
    private @Nullable Instant judgedUntil;

    @Spec
    private @Nullable CommandSpec spec;

    private final Clock clock;

    ExportCommand(Clock clock) {
        this.clock = clock;
    }

    @Override
    public Integer call() {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        if (Files.exists(file) && !overwrite) {
            err.println(file + " exists already; name another file, or add --overwrite");
            return 1;
        }
        try (HouseOption.Open open = house.openExisting()) {
            HouseExport.Exported exported =
                    new HouseExport(open.settings(), clock, err::println).run(file, judgedUntil);
            exported.records()
                    .forEach((topic, records) ->
                            out.println(String.format(Locale.ROOT, "  %-18s %,12d", topic, records)));
            if (exported.unjudged()) {
                err.println("note: the services had not read all of it when they stopped;"
                        + " what that leads to is told by the new house");
            }
            if (exported.arrivedMeanwhile() > 0) {
                err.println("warning: " + exported.arrivedMeanwhile()
                        + " documents arrived meanwhile and are not in the file");
            }
            out.println(String.format(Locale.ROOT, "exported %,d records to %s", exported.all(), file));
            return 0;
        } catch (SettingsFault bad) {
            err.println(bad.getMessage());
        } catch (MovingFault | IllegalStateException | KafkaException cannot) {
            err.println("cannot export: " + cannot.getMessage());
        } catch (UncheckedIOException failed) {
            // of a file that may not be opened the message is only its name
            err.println("cannot export: " + failed.getCause());
        }
        return 1;
    }
}

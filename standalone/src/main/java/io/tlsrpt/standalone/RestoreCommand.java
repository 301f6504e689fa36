package io.tlsrpt.standalone;

import io.tlsrpt.moving.HouseRestore;
import io.tlsrpt.moving.MovingFault;
import io.tlsrpt.runtime.SettingsFault;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
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

/// `./tlsrpt restore FILE`: what was exported, into an empty house.
@Command(
        name = "restore",
        mixinStandardHelpOptions = true,
        description = "Puts what ./tlsrpt export wrote into another, empty house, whose services do not run.")
final class RestoreCommand implements Callable<Integer> {

    @Mixin
    private HouseOption house = new HouseOption();

    @Parameters(paramLabel = "FILE", description = "What ./tlsrpt export wrote.")
    private Path file = Path.of("house.tlsrpt");

    @Option(names = "--into-non-empty", description = "Also when the topics have records already.")
    private boolean intoNonEmpty;

    @Spec
    private @Nullable CommandSpec spec;

    private final Clock clock;

    RestoreCommand(Clock clock) {
        this.clock = clock;
    }

    @Override
    public Integer call() {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try (HouseOption.Open open = house.open()) {
            HouseRestore.Restored restored =
                    new HouseRestore(open.settings(), clock, err::println).run(file, intoNonEmpty);
            restored.records()
                    .forEach((topic, records) ->
                            out.println(String.format(Locale.ROOT, "  %-18s %,12d", topic, records)));
            if (restored.madeAnew() > 0) {
                out.println(String.format(
                        Locale.ROOT,
                        "  %,d refused documents are left out: they are refused again",
                        restored.madeAnew()));
            }
            out.println(String.format(
                    Locale.ROOT,
                    "restored %,d records. Start the stream-processor first; when it has read them, all other services",
                    restored.records().values().stream()
                            .mapToLong(Long::longValue)
                            .sum()));
            return 0;
        } catch (SettingsFault bad) {
            err.println(bad.getMessage());
        } catch (MovingFault | IllegalStateException | KafkaException cannot) {
            err.println("cannot restore: " + cannot.getMessage());
        } catch (UncheckedIOException failed) {
            // of a file that may not be opened the message is only its name
            err.println("cannot restore: " + failed.getCause());
        }
        return 1;
    }
}

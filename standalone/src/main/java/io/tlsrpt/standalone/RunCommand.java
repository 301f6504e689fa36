package io.tlsrpt.standalone;

import io.tlsrpt.runtime.ServiceHost;
import io.tlsrpt.runtime.SettingsFault;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `./tlsrpt run`: everything in one process until SIGTERM or Ctrl-C.
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        description = "Runs broker (embedded when none is configured) and all services in this process.")
final class RunCommand implements Callable<Integer> {

    @Option(names = "--config", paramLabel = "FILE", description = "The configuration; without it: the defaults.")
    private @Nullable Path config;

    @Option(
            names = "--only",
            paramLabel = "SERVICE",
            split = ",",
            converter = PartName.class,
            completionCandidates = PartNames.class,
            description = "Only these services, on a broker that is configured: ${COMPLETION-CANDIDATES}")
    private Set<Standalone.Part> only = EnumSet.allOf(Standalone.Part.class);

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = java.util.Objects.requireNonNull(spec).commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        Standalone standalone;
        try {
            standalone = Standalone.start(config, only);
        } catch (SettingsFault bad) {
            err.println(bad.getMessage());
            return 1;
        } catch (IllegalStateException | KafkaException cannot) {
            err.println("cannot start: " + ServiceHost.why(cannot));
            return 1;
        }
        out.println("tlsrpt runs. Ctrl-C stops it.");
        if (only.contains(Standalone.Part.INGEST_SERVICE)) {
            out.println("  reports   http://" + standalone.intakeAddress() + "/v1/tlsrpt   (POST)");
            standalone.smtpAddress().ifPresent(address -> out.println("  mail      " + address + "   (SMTP)"));
            standalone.lmtpAddress().ifPresent(address -> out.println("  mail      " + address + "   (LMTP)"));
        }
        if (only.contains(Standalone.Part.CONSOLE)) {
            String scheme = standalone.settings().api().tls() == null ? "http://" : "https://";
            out.println("  dashboard " + scheme + standalone.apiAddress() + "/");
            out.println("  query     " + scheme + standalone.apiAddress() + "/api/v1/domains");
        }
        out.println("  health    http://" + standalone.adminAddress() + "/ready   /metrics");
        out.println("  broker    " + standalone.bootstrapServers());
        out.println(
                "  data      " + standalone.settings().data().toAbsolutePath().normalize());
        out.flush();
        Stopping.await(standalone);
        return 0;
    }

    /// A service as it is written on the command line.
    static final class PartName implements CommandLine.ITypeConverter<Standalone.Part> {
        @Override
        public Standalone.Part convert(String word) {
            return Arrays.stream(Standalone.Part.values())
                    .filter(part -> part.toString().equals(word))
                    .findFirst()
                    .orElseThrow(() -> new CommandLine.TypeConversionException(
                            "expected one of " + String.join(", ", new PartNames()) + ", found '" + word + "'"));
        }
    }

    /// All of them.
    static final class PartNames implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Arrays.stream(Standalone.Part.values())
                    .map(Standalone.Part::toString)
                    .iterator();
        }
    }
}

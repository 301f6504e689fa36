package io.tlsrpt.standalone;

import io.tlsrpt.alerting.AlertingService;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.runtime.SettingsFault;
import io.tlsrpt.runtime.SettingsFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `./tlsrpt alerts test RECEIVER`: does it arrive? Reads the configuration and sends by itself; no service needs to
/// run. It stands here, as the client's other commands know no service's code.
@Command(
        name = "test",
        mixinStandardHelpOptions = true,
        description = "Sends a sample alert, marked as a test, to one receiver of a configuration.")
final class AlertsTestCommand implements Callable<Integer> {

    @Parameters(paramLabel = "RECEIVER", description = "Its name in the configuration.")
    private String receiver = "";

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration, ${DEFAULT-VALUE} by default.",
            defaultValue = "tlsrpt.yaml")
    private Path config = Path.of("tlsrpt.yaml");

    @Option(
            names = "--severity",
            paramLabel = "SEVERITY",
            description = "info, warning or critical; warning by default.",
            defaultValue = "WARNING")
    private Severity severity = Severity.WARNING;

    @Option(names = "--resolve", description = "Tells of the resolution as well.")
    private boolean resolve;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        AlertingSettings settings;
        try {
            settings = SettingsFile.read(config).alerting();
        } catch (SettingsFault bad) {
            err.println(bad.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
        }
        List<String> names = settings.receivers().stream()
                .map(AlertingSettings.Receiver::name)
                .toList();
        if (!names.contains(receiver)) {
            err.println(
                    names.isEmpty()
                            ? config + " has no receivers"
                            : "no receiver \"" + receiver + "\" in " + config + "; it has " + String.join(", ", names));
            return CommandLine.ExitCode.USAGE;
        }
        List<AlertingService.Trial> trials =
                AlertingService.tryReceiver(settings, receiver, severity, resolve, Clock.systemUTC());
        trials.forEach(trial ->
                out.println(receiver + ": " + trial.told() + " " + trial.result() + " (" + trial.detail() + ")"));
        return trials.stream().allMatch(AlertingService.Trial::delivered)
                ? CommandLine.ExitCode.OK
                : CommandLine.ExitCode.SOFTWARE;
    }
}

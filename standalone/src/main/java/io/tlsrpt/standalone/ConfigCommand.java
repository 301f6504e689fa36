package io.tlsrpt.standalone;

import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFault;
import io.tlsrpt.runtime.SettingsFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `./tlsrpt config check FILE`: every fault of a configuration with file, line and path.
@Command(name = "config", mixinStandardHelpOptions = true, description = "Looks at a configuration.")
final class ConfigCommand {

    @Spec
    private @Nullable CommandSpec spec;

    @Command(
            name = "check",
            mixinStandardHelpOptions = true,
            description = "Tells every fault of a configuration at once.")
    int check(@Parameters(paramLabel = "FILE", description = "The configuration.") Path file) {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        Settings settings;
        try {
            settings = SettingsFile.read(file);
        } catch (SettingsFault bad) {
            spec.commandLine().getErr().println(bad.getMessage());
            spec.commandLine()
                    .getErr()
                    .println(bad.faults().size() + (bad.faults().size() == 1 ? " fault" : " faults"));
            return 1;
        }
        List<AlertingSettings.Receiver> receivers = settings.alerting().receivers();
        if (!receivers.isEmpty() && receivers.stream().allMatch(each -> each.kind() == AlertingSettings.Kind.TEAMS)) {
            out.println("warning: teams is the only receiver, and it never says whether a message was shown;"
                    + " add one of another kind");
        }
        out.println(file + " is fine");
        return 0;
    }
}

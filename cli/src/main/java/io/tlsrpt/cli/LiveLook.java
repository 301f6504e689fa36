package io.tlsrpt.cli;

import io.tlsrpt.inspection.DomainInspection;
import io.tlsrpt.report.DomainName;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// How a command looks at domains from this machine: as the configuration says, unless an option says otherwise.
final class LiveLook {

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration, for its dns and alerting.inspection.")
    private @Nullable Path config;

    @Option(
            names = "--dns",
            paramLabel = "HOST:PORT",
            converter = RecordCommand.ServerText.class,
            description = "The DNS server to ask, instead of the configured ones or those of this machine.")
    private List<HostPort> servers = List.of();

    @Option(names = "--helo", paramLabel = "NAME", description = "The name said in EHLO; this machine's by default.")
    private @Nullable String helo;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "How long looking at one address may take, 1 to 120; 20 by default.")
    private @Nullable Integer timeoutSeconds;

    @Option(names = "--ca-file", paramLabel = "FILE", description = "PEM file with the authorities to trust.")
    private @Nullable Path caFile;

    @Option(
            names = "--trust-anchors",
            paramLabel = "FILE",
            description = "DNSSEC trust anchors (DS or DNSKEY lines) instead of the root's.")
    private @Nullable Path trustAnchors;

    @Option(names = "--allow-private", description = "Look at private and loopback addresses too.")
    private boolean allowPrivate;

    @Option(names = "--smtp-port", paramLabel = "PORT", description = "The port of MX hosts in a test network.")
    private @Nullable Integer smtpPort;

    @Option(names = "--https-port", paramLabel = "PORT", description = "The port of policy hosts in a test network.")
    private @Nullable Integer httpsPort;

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    /// Connects to nobody yet.
    ///
    /// @throws Failure when a file is not as it must be
    DomainInspection open(Clock clock) {
        Settings settings = config == null ? SettingsFile.defaults() : RecordCommand.settings(config);
        AlertingSettings.Inspection configured = settings.alerting().inspection();
        List<HostPort> asked = servers.isEmpty() ? settings.dns().servers() : servers;
        Duration timeout = timeoutSeconds == null
                ? configured.timeout()
                : Duration.ofSeconds(within("--timeout", timeoutSeconds, 120));
        try {
            return new DomainInspection(
                    new DomainInspection.Options(
                            asked.stream()
                                    .map(server -> new InetSocketAddress(server.host(), server.port()))
                                    .toList(),
                            settings.dns().timeout(),
                            helo == null ? Objects.requireNonNullElseGet(configured.heloName(), LiveLook::us) : helo,
                            allowPrivate || configured.allowPrivateAddresses(),
                            smtpPort == null ? configured.smtpPort() : within("--smtp-port", smtpPort, 65_535),
                            httpsPort == null ? configured.httpsPort() : within("--https-port", httpsPort, 65_535),
                            timeout,
                            configured.connections(),
                            caFile == null ? configured.caFile() : caFile,
                            trustAnchors == null ? configured.trustAnchors() : trustAnchors),
                    clock);
        } catch (UncheckedIOException | IllegalArgumentException bad) {
            throw new Failure(String.valueOf(bad.getMessage()));
        }
    }

    private int within(String option, int value, int most) {
        if (value < 1 || value > most) {
            throw new CommandLine.ParameterException(
                    Objects.requireNonNull(spec).commandLine(), option + " must be 1 to " + most);
        }
        return value;
    }

    private static String us() {
        try {
            return InetAddress.getLocalHost().getCanonicalHostName();
        } catch (UnknownHostException nameless) {
            // RFC 5321 §4.1.3: who has no name says an address
            return "[127.0.0.1]";
        }
    }

    /// A domain in its comparable spelling.
    static final class DomainText implements CommandLine.ITypeConverter<String> {
        @Override
        public String convert(String text) {
            String domain = DomainName.canonical(text);
            if (!DomainName.isName(domain)) {
                throw new CommandLine.TypeConversionException("'" + Terminal.shown(text) + "' is no domain");
            }
            return domain;
        }
    }
}

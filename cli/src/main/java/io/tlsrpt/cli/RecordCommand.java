package io.tlsrpt.cli;

import io.tlsrpt.dns.RecordToPublish;
import io.tlsrpt.dns.Resolver;
import io.tlsrpt.dns.Rua;
import io.tlsrpt.dns.TlsRptRecord;
import io.tlsrpt.dns.TxtLookup;
import io.tlsrpt.report.DomainName;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFault;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Json;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Gatherers;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/// `./tlsrpt record`: the TXT record to publish, what is published, and what to do about the difference.
@Command(
        name = "record",
        mixinStandardHelpOptions = true,
        description = "Prints the TLSRPT record to publish for domains, and what is published now.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:every domain publishes what is wanted", "1:some do not, or DNS fails", "2:wrong usage"})
final class RecordCommand implements Callable<Integer> {

    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final int AT_ONCE = 16;
    private static final int AROUND_A_FAULT = 60;
    private static final int SHOWN = 300;

    /// How it is printed.
    enum Format {
        TEXT,
        JSON,
        ZONE
    }

    private record Finding(String domain, RecordFinding published) {}

    private final Terminal terminal;

    @Parameters(paramLabel = "DOMAIN", arity = "1..*", description = "Policy domains, such as example.com.")
    private List<String> domains = List.of();

    @Option(names = "--config", paramLabel = "FILE", description = "The configuration, for its rua and its resolvers.")
    private @Nullable Path config;

    @Option(
            names = "--rua",
            paramLabel = "URI",
            converter = RuaText.class,
            description = "Where reports shall go, instead of the configured addresses; the most important first.")
    private List<Rua> rua = List.of();

    @Option(
            names = "--server",
            paramLabel = "HOST:PORT",
            converter = ServerText.class,
            description = "The DNS server to ask, instead of the configured ones or those of this machine.")
    private List<HostPort> servers = List.of();

    @Option(names = "--format", paramLabel = "FORMAT", description = "${COMPLETION-CANDIDATES}; TEXT by default.")
    private Format format = Format.TEXT;

    @Option(names = "--json", description = "The same as --format json: one JSON object per line.")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    RecordCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        List<String> names = domains.stream().map(this::name).toList();
        Settings settings = config == null ? null : settings(config);
        RecordToPublish wanted = wanted(settings);
        TxtLookup lookup = lookup(settings);
        boolean allFine = true;
        for (Finding finding : names.stream()
                .gather(Gatherers.mapConcurrent(
                        AT_ONCE,
                        domain -> new Finding(domain, RecordFinding.of(wanted, lookup.txt(TlsRptRecord.name(domain))))))
                .toList()) {
            switch (json ? Format.JSON : format) {
                case TEXT -> text(finding, wanted);
                case JSON -> json(finding, wanted);
                case ZONE -> zone(finding, wanted);
            }
            allFine &= finding.published().state() == RecordFinding.State.AS_WANTED;
        }
        return allFine ? 0 : 1;
    }

    private String name(String text) {
        String domain = DomainName.canonical(text);
        if (!DomainName.isName(domain)) {
            throw usage("'" + Terminal.shown(text) + "' is no domain");
        }
        return domain;
    }

    /// @throws Failure when the file is not as it must be
    static Settings settings(Path file) {
        try {
            return SettingsFile.read(file);
        } catch (SettingsFault bad) {
            throw new Failure(String.valueOf(bad.getMessage()));
        }
    }

    private RecordToPublish wanted(@Nullable Settings settings) {
        if (!rua.isEmpty()) {
            return new RecordToPublish(rua);
        }
        if (settings == null || settings.rua().isEmpty()) {
            throw usage("say where reports shall go: --rua mailto:reports@example.com, or rua in the file of --config");
        }
        try {
            return new RecordToPublish(settings.rua().stream().map(Rua::of).toList());
        } catch (IllegalArgumentException bad) {
            throw new Failure(config + ": rua: " + bad.getMessage());
        }
    }

    private TxtLookup lookup(@Nullable Settings settings) {
        List<HostPort> asked =
                servers.isEmpty() && settings != null ? settings.dns().servers() : servers;
        return new Resolver(new Resolver.Options(
                asked.stream()
                        .map(server -> new InetSocketAddress(server.host(), server.port()))
                        .toList(),
                settings == null ? PATIENCE : settings.dns().timeout(),
                0));
    }

    private CommandLine.ParameterException usage(String what) {
        return new CommandLine.ParameterException(Objects.requireNonNull(spec).commandLine(), what);
    }

    private void text(Finding finding, RecordToPublish wanted) {
        RecordFinding published = finding.published();
        boolean fine = published.state() == RecordFinding.State.AS_WANTED;
        terminal.line(terminal.bold(finding.domain()));
        line("name", TlsRptRecord.name(finding.domain()) + "  TXT, TTL " + RecordToPublish.TTL);
        line("publish", wanted.text());
        String state = switch (published.state()) {
            case AS_WANTED, OTHER_ADDRESSES -> published.why();
            case ABSENT -> "nothing: " + published.why();
            case INVALID -> "invalid: " + published.why();
            case DNS_TROUBLE -> "unknown: " + published.why();
        };
        line("published", fine ? state : terminal.red(Terminal.shown(state)));
        for (String found : published.found()) {
            if (published.at() < 0) {
                line("", shown(found, 0, SHOWN) + (found.length() > SHOWN ? "…" : ""));
            } else {
                int at = published.at();
                String before = shown(found, Math.max(0, at - AROUND_A_FAULT), at);
                line("", before + Terminal.shown(found.substring(at, Math.min(found.length(), at + AROUND_A_FAULT))));
                line("", " ".repeat(before.length()) + terminal.red("^ character " + (at + 1)));
            }
        }
        published.warnings().forEach(warning -> line("warning", warning));
        published.next().forEach(next -> line("next", Terminal.shown(next)));
        notes(finding.domain(), wanted).forEach(note -> line("note", note));
    }

    private void line(String label, String text) {
        terminal.line("  " + label + " ".repeat(11 - label.length()) + text);
    }

    private static String shown(String text, int from, int to) {
        return (from > 0 ? "…" : "") + Terminal.shown(text.substring(from, Math.min(text.length(), to)));
    }

    /// What to know before publishing.
    private static List<String> notes(String domain, RecordToPublish wanted) {
        List<String> notes = new ArrayList<>();
        if (wanted.rua().size() > 1) {
            notes.add("Microsoft sends to the first address only");
        }
        boolean onlyOwnMailboxes = wanted.rua().stream()
                .allMatch(rua -> rua.mailAddress()
                        .filter(address ->
                                ("." + address.substring(address.lastIndexOf('@') + 1)).endsWith("." + domain))
                        .isPresent());
        if (onlyOwnMailboxes) {
            notes.add("the mailbox belongs to the domain itself: it has to take mail even when TLS there is broken"
                    + " (RFC 8460 section 3)");
        }
        return notes;
    }

    private void json(Finding finding, RecordToPublish wanted) {
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.put("domain", finding.domain())
                .put("name", TlsRptRecord.name(finding.domain()))
                .put("ttl", RecordToPublish.TTL)
                .put("record", wanted.text());
        wanted.strings().forEach(json.putArray("strings")::add);
        finding.published().writeTo(json.putObject("published"));
        notes(finding.domain(), wanted).forEach(json.putArray("notes")::add);
        terminal.line(Server.ASCII.writeValueAsString(json));
    }

    private void zone(Finding finding, RecordToPublish wanted) {
        terminal.line("; published now: " + finding.published().state());
        terminal.line(wanted.zoneLine(finding.domain()));
    }

    /// An address of a record.
    static final class RuaText implements CommandLine.ITypeConverter<Rua> {
        @Override
        public Rua convert(String text) {
            try {
                return Rua.of(text);
            } catch (IllegalArgumentException bad) {
                throw new CommandLine.TypeConversionException(bad.getMessage());
            }
        }
    }

    /// The address of a DNS server.
    static final class ServerText implements CommandLine.ITypeConverter<HostPort> {
        @Override
        public HostPort convert(String text) {
            try {
                return HostPort.parse(text);
            } catch (IllegalArgumentException bad) {
                throw new CommandLine.TypeConversionException(bad.getMessage() + ", found '" + text + "'");
            }
        }
    }
}

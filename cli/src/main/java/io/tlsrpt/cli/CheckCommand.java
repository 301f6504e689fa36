package io.tlsrpt.cli;

import io.tlsrpt.inspection.DomainInspection;
import io.tlsrpt.topics.Inspection;
import java.time.Clock;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Gatherers;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `./tlsrpt check`: what domains show to senders now, from this machine and without a server.
@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = {
            "Looks at domains as senders do: TLSRPT record, MTA-STS record and policy, MX, STARTTLS and certificate",
            "of each address, TLSA and DNSSEC. Tells each point with what was found, what to do and the rule."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:no error",
            "1:at least one error",
            "2:wrong usage",
            "3:no error, but something could not be found out"
        })
final class CheckCommand implements Callable<Integer> {

    private static final int DOMAINS_AT_ONCE = 8;
    private static final int UNDECIDED = 3;

    private final Terminal terminal;
    private final Clock clock;

    @Parameters(
            paramLabel = "DOMAIN",
            arity = "1..*",
            converter = LiveLook.DomainText.class,
            description = "Policy domains, such as example.com.")
    private List<String> domains = List.of();

    @Mixin
    private LiveLook look = new LiveLook();

    @Option(names = "--json", description = "One JSON object per domain, as on the topic tlsrpt.inspections.")
    private boolean json;

    CheckCommand(Terminal terminal, Clock clock) {
        this.terminal = terminal;
        this.clock = clock;
    }

    @Override
    public Integer call() {
        List<String> names = List.copyOf(new LinkedHashSet<>(domains));
        DomainInspection inspection = look.open(clock);
        return told(
                names.size(),
                names.stream()
                        .gather(Gatherers.mapConcurrent(
                                DOMAINS_AT_ONCE, domain -> inspection.inspect(domain, Inspection.REQUEST))));
    }

    /// Tells them as they come.
    ///
    /// @return the exit code
    int told(int expected, Stream<Inspection> inspections) {
        AtomicInteger done = new AtomicInteger();
        AtomicInteger errors = new AtomicInteger();
        AtomicInteger undecided = new AtomicInteger();
        progress(0, expected);
        inspections.forEachOrdered(inspection -> {
            progress(-1, expected);
            List<Inspection.Finding> findings = inspection.findings() == null ? List.of() : inspection.findings();
            if (json) {
                terminal.line(Server.ASCII.writeValueAsString(inspection));
            } else {
                if (done.get() > 0) {
                    terminal.line("");
                }
                text(inspection.policyDomain(), findings);
            }
            if (count(findings, Inspection.ERROR) > 0) {
                errors.incrementAndGet();
            } else if (count(findings, Inspection.UNKNOWN) > 0) {
                undecided.incrementAndGet();
            }
            progress(done.incrementAndGet(), expected);
        });
        if (!json && expected > 1) {
            terminal.line("");
            terminal.line(expected + " domains: " + errors + " with errors, " + undecided + " not known to the end, "
                    + (expected - errors.get() - undecided.get()) + " without error");
        }
        return errors.get() > 0 ? 1 : undecided.get() > 0 ? UNDECIDED : 0;
    }

    private static long count(List<Inspection.Finding> findings, String verdict) {
        return findings.stream()
                .filter(finding -> finding.verdict().equals(verdict))
                .count();
    }

    private void text(String domain, List<Inspection.Finding> findings) {
        terminal.line(terminal.bold(Terminal.shown(domain)) + "  " + summary(findings));
        findings.stream()
                .filter(finding -> !finding.verdict().equals(Inspection.OK))
                .forEach(this::full);
        findings.stream()
                .filter(finding -> finding.verdict().equals(Inspection.OK))
                .forEach(finding -> terminal.line("  ok       " + finding.code() + "  "
                        + Terminal.shown(finding.subject()) + ": " + Terminal.shown(finding.found())));
    }

    private static String summary(List<Inspection.Finding> findings) {
        List<String> parts = Stream.of(
                        part(count(findings, Inspection.ERROR), "error", "errors"),
                        part(count(findings, Inspection.WARNING), "warning", "warnings"),
                        part(count(findings, Inspection.UNKNOWN), "unknown", "unknown"),
                        part(count(findings, Inspection.NOTE), "note", "notes"))
                .flatMap(List::stream)
                .toList();
        return parts.isEmpty() ? "all is well" : String.join(", ", parts);
    }

    private static List<String> part(long count, String one, String many) {
        return count == 0 ? List.of() : List.of(count + " " + (count == 1 ? one : many));
    }

    private void full(Inspection.Finding finding) {
        String verdict =
                finding.verdict() + " ".repeat(Math.max(1, 9 - finding.verdict().length()));
        String shown = switch (finding.verdict()) {
            case Inspection.ERROR -> terminal.red(verdict);
            case Inspection.WARNING -> terminal.yellow(verdict);
            default -> verdict;
        };
        terminal.line("  " + shown + terminal.bold(finding.code()) + "  " + Terminal.shown(finding.subject()));
        terminal.field("    found", Terminal.shown(finding.found()));
        if (finding.fix() != null) {
            terminal.field("    fix", Terminal.shown(finding.fix()));
        }
        if (finding.reference() != null) {
            terminal.field("    rule", Terminal.shown(finding.reference()));
        }
    }

    /// On a terminal, how many are done; it is drawn over.
    ///
    /// @param done -1 takes it away
    private void progress(int done, int expected) {
        if (terminal.interactive()) {
            terminal.err()
                    .print("\r\u001b[K"
                            + (done < 0 || done == expected ? "" : done + " of " + expected + " domains …"));
            terminal.err().flush();
        }
    }
}

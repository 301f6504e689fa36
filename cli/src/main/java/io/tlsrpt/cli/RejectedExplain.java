package io.tlsrpt.cli;

import io.tlsrpt.report.RefusalHelp;
import io.tlsrpt.report.RefusalReason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/// `./tlsrpt rejected explain`: one record, one reason, or how often there was which.
@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        description = "Explains one refused record, or a reason; without either counts the reasons.")
final class RejectedExplain implements Callable<Integer> {

    private static final int BEGINNING = 200;

    private final Terminal terminal;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOption server = new ServerOption();

    @Parameters(
            arity = "0..1",
            paramLabel = "ID|REASON",
            description = "An ID as `rejected list` shows it, such as 2-1047; or a reason, such as not-json.")
    private @Nullable String what;

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "Without ID or REASON: of the newest N records, ${DEFAULT-VALUE} by default.")
    private int limit = 10_000;

    @Option(names = "--json", description = "One JSON object per line.")
    private boolean json;

    RejectedExplain(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        if (what == null) {
            return counts();
        }
        if (RejectedCommand.isId(what)) {
            return record(what);
        }
        Optional<RefusalReason> reason = RefusalReason.of(what);
        if (reason.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(),
                    Terminal.shown(what) + " is neither an ID such as 2-1047 nor one of "
                            + String.join(
                                    ", ",
                                    RefusalHelp.all().stream()
                                            .map(help -> help.reason().word())
                                            .toList()));
        }
        RefusalHelp help = RefusalHelp.of(reason.get());
        if (json) {
            terminal.line(Server.ASCII.writeValueAsString(members(help)));
        } else {
            terminal.line(terminal.bold(help.reason().word()));
            tell(help);
            terminal.field(
                    "retry",
                    switch (help.retry()) {
                        case AFTER_FIX ->
                            "after that: ./tlsrpt rejected retry --reason "
                                    + help.reason().word();
                        case VOUCH -> "only for the operator who vouches for it: ./tlsrpt rejected retry ID --vouch";
                        case NEVER -> "cannot help";
                    });
        }
        return 0;
    }

    private int counts() {
        Map<String, Integer> counts = new LinkedHashMap<>();
        Map<String, String> newest = new LinkedHashMap<>();
        int[] looked = {0};
        try (Server api = server.connect()) {
            api.rows(RejectedCommand.PATH, Map.of("limit", "500"), limit, row -> {
                String reason = row.path("reason").asString("-");
                counts.merge(reason, 1, Integer::sum);
                newest.putIfAbsent(reason, Rendering.text(row, "at"));
                looked[0]++;
            });
        }
        List<List<String>> rows = new ArrayList<>();
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
                .forEach(count -> {
                    Optional<RefusalHelp> help =
                            RefusalReason.of(count.getKey()).map(RefusalHelp::of);
                    if (json) {
                        Map<String, Object> line = new LinkedHashMap<>();
                        line.put("reason", count.getKey());
                        line.put("count", count.getValue());
                        line.put("newest-at", newest.get(count.getKey()));
                        help.ifPresent(known -> line.putAll(members(known)));
                        terminal.line(Server.ASCII.writeValueAsString(line));
                    } else {
                        rows.add(List.of(
                                String.format(Locale.ROOT, "%,d", count.getValue()),
                                Terminal.shown(count.getKey()),
                                String.valueOf(newest.get(count.getKey())),
                                help.map(RefusalHelp::meaning).orElse("a reason that this release does not know")));
                    }
                });
        if (!json && rows.isEmpty()) {
            terminal.line("nothing was refused");
        } else if (!json) {
            terminal.table(List.of("COUNT", "REASON", "NEWEST", "WHAT IT MEANS"), rows);
            if (looked[0] >= limit) {
                terminal.line(String.format(Locale.ROOT, "of the newest %,d; --limit for more", limit));
            }
        }
        return 0;
    }

    private int record(String id) {
        JsonNode row;
        try (Server api = server.connect()) {
            row = api.find(RejectedCommand.PATH + "/record", RejectedCommand.place(id))
                    .map(answer -> answer.path("rejected"))
                    .orElseThrow(() -> new Failure("there is no rejected record " + id
                            + ": it was kept 30 days, or there never was one; see ./tlsrpt rejected list"));
        }
        Optional<RefusalHelp> help =
                RefusalReason.of(row.path("reason").asString("")).map(RefusalHelp::of);
        if (json) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("rejected", row);
            help.ifPresent(known -> line.put("help", members(known)));
            retryCommand(row).ifPresent(command -> line.put("retry-command", command));
            terminal.line(Server.ASCII.writeValueAsString(line));
            return 0;
        }
        terminal.line(terminal.bold(id) + "  " + terminal.red(Rendering.text(row, "reason")));
        terminal.field(
                "came",
                "by " + Rendering.text(row, "source") + " from " + Rendering.text(row, "remote") + " at "
                        + Rendering.text(row, "received-at"));
        terminal.field("refused", Rendering.text(row, "at"));
        member("submitter", row);
        member("report-key", row);
        member("message-id", row);
        member("channel-domain", row);
        member("authentication", row);
        member("dkim-domain", row);
        terminal.field(
                "kept",
                Rendering.count(row, "size") + " bytes"
                        + (row.path("cut").asBoolean(false) ? ", only its head" : "")
                        + (row.has("entry") ? ": entry " + Rendering.text(row, "entry") + " of the report" : ""));
        if (row.has("preview")) {
            String preview = row.path("preview").asString("");
            terminal.field(
                    "begins",
                    Terminal.shown(preview.substring(
                            0,
                            preview.offsetByCodePoints(
                                    0, Math.min(BEGINNING, preview.codePointCount(0, preview.length()))))));
        }
        terminal.field("detail", Rendering.text(row, "detail"));
        help.ifPresent(this::tell);
        terminal.field(
                "retry", retryCommand(row).map(command -> retry(row) + command).orElseGet(() -> "no: " + whyNot(row)));
        return 0;
    }

    private void member(String name, JsonNode row) {
        if (row.has(name)) {
            terminal.field(name, Rendering.text(row, name));
        }
    }

    private void tell(RefusalHelp help) {
        terminal.field("meaning", help.meaning());
        terminal.field("usually", help.fault().words());
        terminal.field("what to do", help.fix());
    }

    private static String retry(JsonNode row) {
        return row.path("retry").asString("").equals(RefusalHelp.Retry.VOUCH.word())
                ? "only if you vouch for it: "
                : "after that: ";
    }

    private static Optional<String> retryCommand(JsonNode row) {
        String command = "./tlsrpt rejected retry " + Rendering.text(row, "id");
        String retry = row.path("retry").asString("");
        if (retry.equals(RefusalHelp.Retry.AFTER_FIX.word())) {
            return Optional.of(command);
        }
        return retry.equals(RefusalHelp.Retry.VOUCH.word()) ? Optional.of(command + " --vouch") : Optional.empty();
    }

    /// Why what was kept cannot be judged again.
    static String whyNot(JsonNode row) {
        if (row.has("entry")) {
            return "only this entry was kept; the others of its report were accepted";
        }
        if (row.path("cut").asBoolean(false)) {
            return "only its first bytes were kept";
        }
        return "what was kept will never be a report";
    }

    private static Map<String, String> members(RefusalHelp help) {
        Map<String, String> members = new LinkedHashMap<>();
        members.put("reason", help.reason().word());
        members.put("meaning", help.meaning());
        members.put("usually", help.fault().words());
        members.put("fix", help.fix());
        members.put("retry", help.retry().word());
        return members;
    }
}

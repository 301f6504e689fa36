package io.tlsrpt.cli;

import io.tlsrpt.report.RefusalHelp;
import io.tlsrpt.report.RefusalReason;
import java.net.http.HttpRequest;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import tools.jackson.databind.JsonNode;

/// `./tlsrpt rejected retry`: has what was refused judged again, the oldest first.
///
/// Exit code 0 when everything asked for was judged and nothing refused again; 1 otherwise.
@Command(
        name = "retry",
        mixinStandardHelpOptions = true,
        description = "Has refused documents judged again, as the channel they came by would judge them.",
        footer = {
            "",
            "Ends with 0 when everything was judged and nothing refused again, with 1 otherwise.",
            "Retrying what was accepted already is harmless: it is a duplicate."
        })
final class RejectedRetry implements Callable<Integer> {

    private static final String NAME = "rejected-";
    private static final String NOT_RETRIED = "not-retried";

    private final Terminal terminal;
    private final LongSupplier nanoTime;
    private final Consumer<Duration> pause;
    private final Clock clock;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOption server = new ServerOption();

    @Parameters(arity = "0..*", paramLabel = "ID", description = "As `rejected list` shows it, such as 2-1047.")
    private List<String> ids = List.of();

    @Option(names = "--reason", paramLabel = "REASON", description = "Everything refused for this reason.")
    private @Nullable String reason;

    @Option(
            names = "--since",
            paramLabel = "24h",
            converter = Ago.class,
            description = "With --reason: only what was refused in this time; s, m, h or d.")
    private @Nullable Duration since;

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "With --reason: at most the newest N, ${DEFAULT-VALUE} by default.")
    private int limit = 1_000;

    @Option(
            names = "--vouch",
            description =
                    "You vouch for them: signatures are not asked for, and they count as imported by the operator.")
    private boolean vouch;

    @Option(
            names = "--channel-domain",
            paramLabel = "DOMAIN",
            description = "The domain that entries are about which name none.")
    private @Nullable String channelDomain;

    @Option(
            names = "--retry-for",
            paramLabel = "SECONDS",
            description = "How long a server that went away is waited for, ${DEFAULT-VALUE} by default.")
    private long retryForSeconds = 300;

    @Option(names = "--json", description = "One JSON object per report, and one with the counts at the end.")
    private boolean json;

    private int notRetried;

    /// @param clock for `--since`
    RejectedRetry(Terminal terminal, LongSupplier nanoTime, Consumer<Duration> pause, Clock clock) {
        this.terminal = terminal;
        this.nanoTime = nanoTime;
        this.pause = pause;
        this.clock = clock;
    }

    /// `90m`, `24h`, `7d`.
    static final class Ago implements ITypeConverter<Duration> {

        private static final Pattern FORM = Pattern.compile("(\\d{1,6})([smhd])");

        @Override
        public Duration convert(String text) {
            Matcher parts = FORM.matcher(text);
            if (!parts.matches()) {
                throw new TypeConversionException("expected a time such as 90m, 24h or 7d");
            }
            long number = Long.parseLong(parts.group(1));
            return switch (parts.group(2)) {
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                default -> Duration.ofDays(number);
            };
        }
    }

    @Override
    public Integer call() {
        check();
        try (Server api = server.connect()) {
            List<String> asked = reason == null ? ids : found(api, reason);
            Submitting submitting =
                    new Submitting(api, terminal, json, nanoTime, pause, Duration.ofSeconds(retryForSeconds));
            if (vouch && !json) {
                terminal.line("you vouch for them: what is accepted counts as imported by the operator");
            }
            String stopped = null;
            for (String id : asked) {
                stopped = retry(api, submitting, id);
                if (stopped != null) {
                    terminal.error("stopped: " + stopped
                            + ". Run the same command again: what is in already is told as a duplicate.");
                    break;
                }
            }
            if (json) {
                Map<String, Object> more = new TreeMap<>();
                more.put(NOT_RETRIED, notRetried);
                more.put("complete", stopped == null);
                submitting.tellJson(more);
            } else {
                if (notRetried > 0) {
                    terminal.line("not retried " + notRetried);
                }
                submitting.tell();
            }
            boolean refusedAgain =
                    submitting.count("rejected") + submitting.count("conflict") + submitting.count("skipped") > 0;
            return stopped == null && notRetried == 0 && submitting.judged() && !refusedAgain ? 0 : 1;
        }
    }

    private void check() {
        if (ids.isEmpty() == (reason == null)) {
            throw new ParameterException(spec.commandLine(), "name either IDs or a --reason");
        }
        for (String id : ids) {
            if (!RejectedCommand.isId(id)) {
                throw new ParameterException(spec.commandLine(), Terminal.shown(id) + " is no ID such as 2-1047");
            }
        }
        if (reason != null && RefusalReason.of(reason).isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(), Terminal.shown(reason) + " is no reason; ./tlsrpt rejected explain has them");
        }
    }

    /// The IDs of what was refused for a reason, oldest first: of several copies the first seen wins again.
    private List<String> found(Server api, String reason) {
        Instant earliest = since == null ? Instant.MIN : clock.instant().minus(since);
        List<String> found = new ArrayList<>();
        api.rowsWhile(RejectedCommand.PATH, Map.of("reason", reason), limit, row -> {
            if (instant(row, "at").orElse(Instant.MAX).isBefore(earliest)) {
                return false;
            }
            found.add(row.path("id").asString(""));
            return true;
        });
        Collections.reverse(found);
        return found;
    }

    private static Optional<Instant> instant(JsonNode row, String member) {
        try {
            return Optional.of(Instant.parse(row.path(member).asString("")));
        } catch (DateTimeException noTime) {
            return Optional.empty();
        }
    }

    /// @return why all is given up; absent when it goes on
    private @Nullable String retry(Server api, Submitting submitting, String id) {
        Map<String, String> place = RejectedCommand.place(id);
        Optional<JsonNode> row =
                api.find(RejectedCommand.PATH + "/record", place).map(answer -> answer.path("rejected"));
        if (row.isEmpty()) {
            notRetried(id, "-", "there is no such record: it was kept 30 days, or there never was one");
            return null;
        }
        String word = Rendering.text(row.get(), "reason");
        String retry = row.get().path("retry").asString("");
        if (retry.equals(RefusalHelp.Retry.NEVER.word())) {
            notRetried(id, word, RejectedExplain.whyNot(row.get()));
            return null;
        }
        if (retry.equals(RefusalHelp.Retry.VOUCH.word()) && !vouch) {
            notRetried(id, word, "only with --vouch");
            return null;
        }
        Optional<byte[]> kept = api.bytes(RejectedCommand.PATH + "/raw", place);
        if (kept.isEmpty()) {
            notRetried(id, word, "it is kept no longer");
            return null;
        }
        return submitting.send(
                parameters(id, row.get()),
                () -> HttpRequest.BodyPublishers.ofByteArray(kept.get()),
                reports -> {},
                line -> {
                    if (!json) {
                        String key = line.has("report-key") ? "  " + Rendering.text(line, "report-key") : "";
                        String answer = Rendering.answer(line, id + key);
                        boolean bad = line.has("reason");
                        terminal.line(bad ? terminal.red(answer) : answer);
                    }
                });
    }

    private void notRetried(String id, String word, String why) {
        notRetried++;
        if (json) {
            Map<String, String> line = new LinkedHashMap<>();
            line.put("name", NAME + id);
            line.put("verdict", NOT_RETRIED);
            line.put("reason", word);
            line.put("detail", why);
            terminal.line(Server.ASCII.writeValueAsString(line));
        } else {
            terminal.line(terminal.red(NOT_RETRIED + "  " + id + "  " + word + ": " + why));
        }
    }

    /// What the import door is told of it: as it came, unless the operator vouches.
    private Map<String, String> parameters(String id, JsonNode row) {
        Map<String, String> parameters = new TreeMap<>();
        parameters.put("name", NAME + id);
        String authentication = row.path("authentication").asString("");
        if (vouch || authentication.equals("operator")) {
            parameters.put("authentication", "operator");
        } else {
            parameters.put("authentication", "channel");
            instant(row, "received-at").ifPresent(at -> parameters.put("received-at", at.toString()));
            if (authentication.equals("dkim") && row.has("dkim-domain")) {
                parameters.put("dkim-domain", row.path("dkim-domain").asString(""));
            }
        }
        String domain = channelDomain == null ? row.path("channel-domain").asString("") : channelDomain;
        if (!domain.isEmpty()) {
            parameters.put("channel-domain", domain);
        }
        return parameters;
    }
}

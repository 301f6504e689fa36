package io.tlsrpt.cli;

import io.tlsrpt.topics.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// Documents on their way through the import door: each body is sent until it is answered whole, and the verdicts are
/// counted up to the last line, `accepted N, duplicate N, conflict N, rejected N`.
final class Submitting {

    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    private final Server api;
    private final Terminal terminal;
    private final boolean json;
    private final LongSupplier nanoTime;
    private final Consumer<Duration> pause;
    private final Duration retryFor;
    private final Map<String, Long> counts = new HashMap<>();
    private boolean answered;

    /// What is posted, asked for before each attempt.
    interface Body {
        HttpRequest.BodyPublisher publisher() throws IOException;
    }

    /// @param json whether the answered lines and the counts are printed as JSON
    /// @param pause waits so long
    /// @param retryFor how long a server that went away is waited for
    Submitting(
            Server api,
            Terminal terminal,
            boolean json,
            LongSupplier nanoTime,
            Consumer<Duration> pause,
            Duration retryFor) {
        this.api = api;
        this.terminal = terminal;
        this.json = json;
        this.nanoTime = nanoTime;
        this.pause = pause;
        this.retryFor = retryFor;
    }

    /// A server that never answered is waited for like one that went away, instead of being taken for a wrong address.
    void waitForTheFirstAnswer() {
        answered = true;
    }

    /// Sends a body until it is answered whole.
    ///
    /// @param underWay told how many reports are answered in all
    /// @param take given each line of the whole answer
    /// @return why it was given up; absent when it was not
    /// @throws Failure when nobody ever answered
    @Nullable
    String send(Map<String, String> parameters, Body content, LongConsumer underWay, Consumer<JsonNode> take) {
        Duration next = FIRST_PAUSE;
        long giveUp = nanoTime.getAsLong() + retryFor.toNanos();
        while (true) {
            String trouble;
            try {
                HttpResponse<InputStream> response = api.post("/api/v1/import", parameters, content.publisher());
                try (InputStream body = response.body()) {
                    answered = true;
                    if (response.statusCode() == 200) {
                        List<JsonNode> lines = lines(body, underWay);
                        Optional<JsonNode> busy =
                                lines.stream().filter(Submitting::again).findFirst();
                        if (busy.isEmpty()) {
                            lines.forEach(line -> {
                                count(line);
                                take.accept(line);
                            });
                            return null;
                        }
                        trouble = Rendering.text(busy.get(), "detail");
                    } else {
                        byte[] problem = body.readNBytes(64 * 1024);
                        if (response.statusCode() != 503) {
                            return api.says(response.statusCode(), problem);
                        }
                        trouble = Server.detail(new String(problem, StandardCharsets.UTF_8));
                    }
                }
            } catch (ConnectException | HttpConnectTimeoutException nobody) {
                if (!answered) {
                    throw api.nobody();
                }
                trouble = "no tlsrpt answers at " + api.url();
            } catch (IOException | JacksonException broken) {
                trouble = "the answer broke off";
            }
            if (nanoTime.getAsLong() + next.toNanos() > giveUp) {
                return trouble + " for " + retryFor.toSeconds() + " s";
            }
            pause.accept(next);
            next = next.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : next.multipliedBy(2);
        }
    }

    private List<JsonNode> lines(InputStream body, LongConsumer underWay) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        BufferedReader reader = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            lines.add(Json.MAPPER.readTree(line));
            underWay.accept(reports() + lines.size());
        }
        return lines;
    }

    /// Whether this document was not stored because the broker or a key in DNS could not be reached.
    private static boolean again(JsonNode line) {
        return line.path("verdict").asString("").equals("failed")
                && line.path("reason").asString("").equals("busy");
    }

    private void count(JsonNode line) {
        counts.merge(line.path("verdict").asString("failed"), 1L, Long::sum);
        if (json) {
            terminal.line(Server.ASCII.writeValueAsString(line));
        }
    }

    /// How many reports had this verdict.
    long count(String verdict) {
        return counts.getOrDefault(verdict, 0L);
    }

    /// How many reports were answered.
    long reports() {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    /// Whether every report has its verdict, rejected ones included: they are an answer.
    boolean judged() {
        return count("pending") == 0 && count("failed") == 0;
    }

    /// The counts for people; the last line is that of the plain verdicts.
    void tell() {
        tell("skipped", "skipped %,d: no reports by their names");
        tell("replaced", "replaced %,d untrusted copies, counted as accepted");
        tell("pending", "pending %,d: stored, but not judged in time; ./tlsrpt tail verdicts shows when they are");
        tell("failed", "failed %,d: not stored");
        terminal.line("accepted " + accepted() + ", duplicate " + count("duplicate") + ", conflict " + count("conflict")
                + ", rejected " + count("rejected"));
    }

    private void tell(String verdict, String sentence) {
        if (count(verdict) > 0) {
            terminal.line(sentence.replace("%,d", String.format(Locale.ROOT, "%,d", count(verdict))));
        }
    }

    /// The counts as one object.
    ///
    /// @param more members behind them
    void tellJson(Map<String, ?> more) {
        Map<String, Object> summary = new LinkedHashMap<>();
        summary.put("accepted", accepted());
        for (String verdict :
                List.of("duplicate", "conflict", "rejected", "replaced", "skipped", "pending", "failed")) {
            summary.put(verdict, count(verdict));
        }
        summary.putAll(more);
        terminal.line(Server.ASCII.writeValueAsString(summary));
    }

    private long accepted() {
        return count("accepted") + count("replaced");
    }
}

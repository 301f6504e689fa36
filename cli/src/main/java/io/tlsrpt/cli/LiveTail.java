package io.tlsrpt.cli;

import io.tlsrpt.topics.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// Follows `GET /api/v1/stream` across interruptions: connects again with the id of the last event, so that nothing is
/// missed or shown twice.
final class LiveTail {

    /// Three beats.
    private static final Duration SILENCE = Duration.ofSeconds(45);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    private final Server server;
    private final Terminal terminal;
    private final Consumer<Duration> pause;
    private @Nullable String lastId;
    private long left;

    /// @param pause between two attempts
    LiveTail(Server server, Terminal terminal, Consumer<Duration> pause) {
        this.server = server;
        this.terminal = terminal;
        this.pause = pause;
    }

    /// Returns after so many rows; otherwise never.
    ///
    /// @param query `topic`, and what limits it
    /// @throws Failure when the server cannot be reached at first, or says that it will not answer
    void follow(Map<String, String> query, long most, Consumer<JsonNode> row) {
        left = most;
        Duration wait = Duration.ofSeconds(1);
        boolean known = false;
        while (left > 0) {
            try {
                HttpResponse<InputStream> response = server.stream("/api/v1/stream", query, lastId, !known);
                known = true;
                if (response.statusCode() == 200) {
                    wait = Duration.ofSeconds(1);
                    read(response.body(), row);
                } else {
                    response.body().close();
                }
            } catch (IOException broken) {
                if (!known) {
                    throw new Failure("no answer from " + server.url() + ": "
                            + Terminal.shown(String.valueOf(broken.getMessage())));
                }
            }
            if (left > 0) {
                terminal.error("interrupted; asking " + server.url() + " again in " + wait.toSeconds()
                        + " s, to go on where it stopped");
                pause.accept(wait);
                wait = wait.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : wait.multipliedBy(2);
            }
        }
    }

    /// Reads events until there is enough, or the stream ends or falls silent.
    private void read(InputStream body, Consumer<JsonNode> row) throws IOException {
        try (ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().factory());
                BufferedReader lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
            String id = lastId;
            String data = "";
            boolean isRecord = true;
            ScheduledFuture<?> silence = closing(watch, body);
            for (String line = lines.readLine(); line != null && left > 0; line = lines.readLine()) {
                silence.cancel(false);
                if (line.startsWith("id: ")) {
                    id = line.substring(4);
                } else if (line.equals("event: position")) {
                    isRecord = false; // only where the stream begins
                } else if (line.startsWith("data: ")) {
                    data = line.substring(6);
                } else if (line.startsWith(": position ")) {
                    terminal.error(Terminal.shown(line.substring(2)));
                } else if (line.isEmpty()) {
                    if (isRecord && !data.isEmpty()) {
                        left--;
                        show(data, row);
                    }
                    data = "";
                    isRecord = true;
                    lastId = id;
                }
                if (left <= 0) {
                    break;
                }
                silence = closing(watch, body);
            }
            watch.shutdownNow();
        }
    }

    private void show(String data, Consumer<JsonNode> row) {
        try {
            row.accept(Json.MAPPER.readTree(data));
        } catch (JacksonException other) {
            throw new Failure("what answers at " + server.url() + " is no tlsrpt: check --url");
        }
    }

    private static ScheduledFuture<?> closing(ScheduledExecutorService watch, InputStream body) {
        return watch.schedule(
                () -> {
                    body.close();
                    return null;
                },
                SILENCE.toMillis(),
                TimeUnit.MILLISECONDS);
    }
}

package io.tlsrpt.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.topics.Json;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/// An import door: answers a line per file, with the word that the file holds as its verdict. Troubles are played
/// first.
final class ImportServer implements AutoCloseable {

    /// What goes wrong with one request.
    enum Trouble {
        UNAVAILABLE,
        BROKEN_OFF,
        BUSY_LINE
    }

    final List<List<String>> requests = new ArrayList<>();
    final List<String> names = new ArrayList<>();
    final Deque<Trouble> troubles = new ArrayDeque<>();
    private final HttpServer server;

    ImportServer() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
        server.createContext("/api/v1/import", this::imports);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private void imports(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        Trouble trouble = troubles.poll();
        if (trouble == Trouble.UNAVAILABLE) {
            byte[] problem = "{\"status\":503,\"detail\":\"starting\"}".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(503, problem.length);
            exchange.getResponseBody().write(problem);
            exchange.close();
            return;
        }
        Map<String, String> files = files(body);
        requests.add(List.copyOf(files.keySet()));
        names.add(exchange.getRequestURI().getQuery());
        StringBuilder lines = new StringBuilder();
        files.forEach((name, verdict) -> lines.append(line(name, verdict)));
        if (trouble == Trouble.BUSY_LINE) {
            lines.append("{\"name\":\"x\",\"verdict\":\"failed\",\"reason\":\"busy\",\"detail\":\"away\"}\n");
        }
        byte[] answer = lines.toString().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, trouble == Trouble.BROKEN_OFF ? answer.length + 10 : answer.length);
        exchange.getResponseBody().write(answer);
        exchange.close();
    }

    private static Map<String, String> files(byte[] body) throws IOException {
        Map<String, String> files = new LinkedHashMap<>();
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(body))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                files.put(entry.getName(), new String(zip.readAllBytes(), StandardCharsets.UTF_8));
            }
        }
        return files;
    }

    private static String line(String name, String verdict) {
        Map<String, String> line = new LinkedHashMap<>();
        line.put("name", name);
        line.put("verdict", verdict);
        if (verdict.equals("rejected")) {
            line.put("reason", "not-json");
            line.put("detail", "\u001b[31mat line 1");
        }
        return Json.MAPPER.writeValueAsString(line) + "\n";
    }

    @Override
    public void close() {
        server.stop(0);
    }
}

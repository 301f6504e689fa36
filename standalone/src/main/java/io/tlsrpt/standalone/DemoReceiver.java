package io.tlsrpt.standalone;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import tools.jackson.databind.JsonNode;

/// The webhook receiver of the demo: shows each alert that is delivered to it.
final class DemoReceiver implements AutoCloseable {

    private final HttpServer server;
    private final PrintWriter out;
    private final Set<String> rules = ConcurrentHashMap.newKeySet();

    DemoReceiver(PrintWriter out) throws IOException {
        this.out = out;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::receive);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/alerts";
    }

    /// Rules whose alerts have arrived.
    Set<String> rules() {
        return Set.copyOf(rules);
    }

    private void receive(HttpExchange exchange) throws IOException {
        try (exchange) {
            JsonNode message = Json.MAPPER.readTree(exchange.getRequestBody().readNBytes(64 * 1024));
            JsonNode alert = message.path("data");
            exchange.sendResponseHeaders(204, -1);
            out.println();
            out.println("ALERT delivered to the webhook receiver: "
                    + message.path("type").asString() + ", "
                    + alert.path("severity").asString());
            out.println("  " + alert.path("summary").asString());
            out.println("  fix: " + alert.path("help").path("fix").asString());
            out.flush();
            rules.add(alert.path("rule").asString());
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}

package io.tlsrpt.runtime;

import io.helidon.common.socket.SocketOptions;
import io.helidon.common.tls.Tls;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One address that answers HTTP/1.1 and 1.0, for all the routes that name it. Limits: 4,096 connections, 15 s without
/// a
/// byte from the peer, and those of [RequestFraming] on each request.
///
/// What the server refuses before any route has it is counted as `tlsrpt.http.refused`.
public final class HttpListener implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(HttpListener.class);
    private static final int MAX_CONNECTIONS = 4096;
    private static final int MAX_REQUEST_LINE_BYTES = 8 * 1024;
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(15);
    private static final Duration IDLE_TIMEOUT = Duration.ofSeconds(75);
    private static final Duration IDLE_CHECK = Duration.ofSeconds(5);
    private static final Duration GRACE = Duration.ofSeconds(5);

    private final HostPort configured;
    private final List<String> names;
    private final WebServer server;
    private final @Nullable ReloadingKeyStore keyStore;

    private HttpListener(
            HostPort configured, List<String> names, WebServer server, @Nullable ReloadingKeyStore keyStore) {
        this.configured = configured;
        this.names = names;
        this.server = server;
        this.keyStore = keyStore;
    }

    /// @param routes all of one address, and alike in their TLS
    /// @param meters where what is refused is counted
    /// @throws IllegalStateException when the address cannot be used, naming the setting that moves it
    public static HttpListener start(List<Routes> routes, MeterRegistry meters) {
        Routes first = routes.getFirst();
        List<String> listenerNames =
                routes.stream().map(Routes::name).distinct().toList();
        String names = String.join("+", listenerNames);
        for (Routes other : routes) {
            if (!Objects.equals(other.tls(), first.tls())) {
                throw new IllegalStateException(names + " share " + first.address()
                        + " but not their tls settings; give them addresses of their own");
            }
        }
        HttpRouting.Builder routing = HttpRouting.builder();
        routing.addFilter(HttpListener::closeAsSaid);
        routes.forEach(each -> each.routing().accept(routing));
        ReloadingKeyStore keyStore = first.tls() == null ? null : new ReloadingKeyStore(first.tls());
        WebServerConfig.Builder config = WebServer.builder()
                .shutdownHook(false)
                .useNio(false) // the read timeout holds only on plain sockets
                .host(first.address().host())
                .port(first.address().port())
                .maxTcpConnections(MAX_CONNECTIONS)
                .idleConnectionTimeout(
                        IDLE_TIMEOUT) // longer than proxies keep theirs, so that none posts into a closing one
                .idleConnectionPeriod(IDLE_CHECK)
                .shutdownGracePeriod(GRACE)
                .connectionOptions(new ReadTimeout(SocketOptions.builder()
                        .readTimeout(READ_TIMEOUT)
                        .tcpNoDelay(true)
                        .build()))
                .protocolsDiscoverServices(false) // none but ours
                .addConnectionSelector(new FramedHttp1(Http1ConnectionSelector.builder()
                        .config(Http1Config.builder()
                                .maxPrologueLength(MAX_REQUEST_LINE_BYTES)
                                .maxHeadersSize(2 * RequestFraming.MAX_HEAD_BYTES) // the framing refuses earlier
                                .continueImmediately(false)
                                .build())
                        .build()))
                .contentEncoding(new BodyAsSent())
                .directHandlers(problems(meters))
                .routing(routing);
        if (keyStore != null) {
            keyStore.watch(names, meters);
            config.tls(Tls.builder().sslContext(keyStore.sslContext()).build());
        }
        WebServer server = config.build();
        try {
            server.start();
        } catch (RuntimeException failed) {
            throw new IllegalStateException(
                    names + " cannot listen at " + first.address() + ": " + rootMessage(failed) + "; set "
                            + first.name() + ".listen to a free address",
                    failed);
        }
        if (!server.isRunning()) {
            throw new IllegalStateException(names + " cannot listen at " + first.address()
                    + ", perhaps another program does; set " + first.name() + ".listen to a free address");
        }
        HttpListener listener = new HttpListener(first.address(), listenerNames, server, keyStore);
        LOG.atInfo()
                .addKeyValue("listener", names)
                .addKeyValue("address", listener.address())
                .addKeyValue("tls", keyStore != null)
                .log("listening");
        return listener;
    }

    /// What is answered here: `intake`, `api`, `admin`.
    public List<String> names() {
        return names;
    }

    /// The address with the port that it really has.
    public HostPort address() {
        return new HostPort(configured.host(), server.port());
    }

    void look() {
        if (keyStore != null) {
            keyStore.look();
        }
    }

    @Override
    public void close() {
        server.stop();
    }

    /// Closes the connection after an answer that says so. Without this the server would read on, and take what is left
    /// of an unread body for the next request. A sender who still waits for our go-ahead does not know either whether
    /// its
    /// body is wanted, so that connection ends too.
    private static void closeAsSaid(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        boolean asks = request.headers().containsToken(HeaderValues.EXPECT_100);
        response.beforeSend(() -> {
            if (asks && !request.continueSent()) {
                response.header(HeaderValues.CONNECTION_CLOSE);
            }
        });
        chain.proceed();
        if (response.isSent() && response.headers().containsToken(HeaderValues.CONNECTION_CLOSE)) {
            throw new CloseConnectionException("as the answer says");
        }
    }

    /// What the server itself refuses, before any route, is answered in the same form as everything else (RFC 9457).
    private static DirectHandlers problems(MeterRegistry meters) {
        DirectHandlers.Builder handlers = DirectHandlers.builder();
        for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
            handlers.addHandler(type, (request, event, status, headers, message) -> {
                String reason = status.reasonPhrase().toLowerCase(Locale.ROOT).replace(' ', '-');
                Counter.builder("tlsrpt.http.refused")
                        .description("Requests that no route answered")
                        .tag("why", reason)
                        .register(meters)
                        .increment();
                headers.set(HeaderNames.CONTENT_TYPE, "application/problem+json");
                return DirectHandler.TransportResponse.builder()
                        .status(status)
                        .headers(headers)
                        .entity(problem(status, reason).getBytes(StandardCharsets.UTF_8))
                        .keepAlive(event.keepAlive())
                        .build();
            });
        }
        return handlers.build();
    }

    private static String problem(Status status, String reason) {
        return "{\"type\":\"urn:tlsrpt:problem:" + reason + "\",\"title\":\"" + status.reasonPhrase() + "\",\"status\":"
                + status.code() + ",\"reason\":\"" + reason + "\"}";
    }

    private static String rootMessage(Throwable failed) {
        Throwable cause = failed;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }
}

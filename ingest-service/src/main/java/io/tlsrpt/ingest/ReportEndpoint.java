package io.tlsrpt.ingest;

import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Json;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Clock;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The front door for reports by HTTPS (RFC 8460 §3, §5.4): `POST /v1/tlsrpt` and `POST /v1/tlsrpt/{token}`.
///
/// Every known sender loses a report on any answer but 2xx, so it is 201 as soon as the bytes are safe, and 400 or 413
/// only for what no retry can mend. Never a redirect. The media type is not looked at: gzip is known by its magic.
final class ReportEndpoint {

    private static final Logger LOG = LoggerFactory.getLogger(ReportEndpoint.class);
    private static final String PATH = "/v1/tlsrpt";

    /// W3C Trace Context, version 00; an all-zero id is invalid.
    private static final Pattern TRACEPARENT =
            Pattern.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");

    private final Supplier<Settings.Intake> settings;
    private final Intake intake;
    private final Body.Reader bodies;
    private final IngestMetrics metrics;
    private final Clock clock;

    /// @param settings as they are now; tokens and trusted networks are asked for each report
    ReportEndpoint(
            Supplier<Settings.Intake> settings, Intake intake, Body.Reader bodies, IngestMetrics metrics, Clock clock) {
        this.settings = settings;
        this.intake = intake;
        this.bodies = bodies;
        this.metrics = metrics;
        this.clock = clock;
    }

    void routing(HttpRouting.Builder routing) {
        routing.any(PATH, this::handle).any(PATH + "/*", this::handle);
    }

    private record Created(String reportKey) {}

    /// What the path stands for.
    ///
    /// @param known whether it is one of ours
    private record Channel(boolean known, @Nullable String domain) {}

    private void handle(ServerRequest request, ServerResponse response) {
        if (!request.prologue().method().equals(Method.POST)) {
            metrics.turnedAway(IngestMetrics.TurnedAway.METHOD);
            response.header(HeaderNames.ALLOW, "POST");
            if (request.prologue().method().equals(Method.HEAD)) {
                response.status(Status.METHOD_NOT_ALLOWED_405).send();
            } else {
                Problem.of(Status.METHOD_NOT_ALLOWED_405, "method-not-allowed", "reports are posted", null)
                        .send(response);
            }
            return;
        }
        Channel channel = channel(request.path().path());
        if (!channel.known()) {
            metrics.turnedAway(IngestMetrics.TurnedAway.UNKNOWN_PATH);
            last(response, Problem.of(Status.NOT_FOUND_404, "not-found", null, null));
            return;
        }
        try (Body.Reader.Held held = bodies.read(request)) {
            switch (held.body()) {
                case Body.Whole whole ->
                    answer(intake.take(submission(request, whole.bytes(), false, channel)), response);
                case Body.TooLong tooLong -> {
                    response.header(HeaderValues.CONNECTION_CLOSE);
                    answer(intake.take(submission(request, tooLong.head(), true, channel)), response);
                }
                case Body.Slow slow -> {
                    metrics.turnedAway(IngestMetrics.TurnedAway.SLOW);
                    last(response, Problem.of(Status.REQUEST_TIMEOUT_408, "too-slow", "the body took too long", null));
                }
                case Body.Malformed malformed -> {
                    metrics.turnedAway(IngestMetrics.TurnedAway.MALFORMED);
                    last(response, Problem.of(Status.BAD_REQUEST_400, "malformed-body", malformed.why(), null));
                }
                case Body.NoRoom noRoom -> {
                    metrics.turnedAway(IngestMetrics.TurnedAway.NO_ROOM);
                    response.header(HeaderNames.RETRY_AFTER, "10");
                    last(
                            response,
                            Problem.of(Status.SERVICE_UNAVAILABLE_503, "busy", "too many reports at once", null));
                }
                case Body.Gone gone -> {
                    metrics.turnedAway(IngestMetrics.TurnedAway.GONE);
                    LOG.atInfo().addKeyValue("remote", remote(request)).log("a sender went away within its report");
                    throw new CloseConnectionException("the body never became complete");
                }
            }
        }
    }

    /// Answers a request whose body was not read to its end; nothing more can be understood on this connection.
    private static void last(ServerResponse response, Problem problem) {
        response.header(HeaderValues.CONNECTION_CLOSE);
        problem.send(response);
    }

    private void answer(Outcome outcome, ServerResponse response) {
        switch (outcome) {
            case Outcome.Accepted accepted -> created(accepted.reportKey(), response);
            case Outcome.Spooled spooled -> created(spooled.reportKey(), response);
            case Outcome.Refused refused -> {
                RefusalReason reason = refused.reason();
                if (reason.httpStatus() == Status.CREATED_201.code()) {
                    created(refused.reportKey() == null ? "" : refused.reportKey(), response);
                } else {
                    Problem.of(Status.create(reason.httpStatus()), reason.word(), refused.detail(), refused.reportKey())
                            .send(response);
                }
            }
            case Outcome.Busy busy -> {
                response.header(
                        HeaderNames.RETRY_AFTER, Long.toString(busy.retryAfter().toSeconds()));
                Problem.of(Status.SERVICE_UNAVAILABLE_503, "busy", busy.why(), null)
                        .send(response);
            }
        }
    }

    private static void created(String reportKey, ServerResponse response) {
        response.status(Status.CREATED_201);
        response.header(HeaderNames.CONTENT_TYPE, "application/json");
        response.send(Json.MAPPER.writeValueAsBytes(new Created(reportKey)));
    }

    private Submission submission(ServerRequest request, byte[] bytes, boolean cut, Channel channel) {
        return new Submission(
                bytes,
                cut,
                Source.HTTPS,
                clock.instant(),
                remote(request),
                trusted(peer(request)) ? Proof.OPERATOR : Proof.NOBODY,
                channel.domain(),
                Submission.Backfill.NO,
                null,
                traceparent(request));
    }

    private boolean trusted(@Nullable InetAddress peer) {
        return peer != null && settings.get().trustedNetworks().stream().anyMatch(network -> network.contains(peer));
    }

    private static @Nullable String traceparent(ServerRequest request) {
        return request.headers()
                .first(HeaderNames.create("traceparent"))
                .filter(text -> TRACEPARENT.matcher(text).matches())
                .orElse(null);
    }

    private static @Nullable InetAddress peer(ServerRequest request) {
        return request.remotePeer().address() instanceof InetSocketAddress address ? address.getAddress() : null;
    }

    private static String remote(ServerRequest request) {
        InetAddress peer = peer(request);
        return peer == null ? request.remotePeer().host() : peer.getHostAddress();
    }

    private Channel channel(String path) {
        String rest = path.length() <= PATH.length() ? "" : path.substring(PATH.length() + 1);
        String token = rest.endsWith("/") ? rest.substring(0, rest.length() - 1) : rest;
        if (token.indexOf('/') >= 0) {
            return new Channel(false, null);
        }
        List<Settings.Intake.Token> tokens = settings.get().tokens();
        if (tokens.isEmpty()) {
            return new Channel(true, null);
        }
        byte[] given = token.getBytes(StandardCharsets.UTF_8);
        Channel channel = new Channel(false, null);
        // all of them, always: the time taken tells nothing of which came close
        for (Settings.Intake.Token one : tokens) {
            if (MessageDigest.isEqual(given, one.token().reveal().getBytes(StandardCharsets.UTF_8))) {
                channel = new Channel(true, one.channelDomain());
            }
        }
        return channel;
    }
}

package io.tlsrpt.ingest;

import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.tlsrpt.report.DomainName;
import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.Caller;
import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.Json;
import java.time.Clock;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What people do with discovered domains: `POST /api/v1/domains/{domain}/accept` and `…/forget`. The answer is the
/// claim; 503 while the broker is away. Who is limited to labels may do it to a domain that the settings give them, as
/// for
/// any other question.
final class DomainsDoor {

    private static final Logger LOG = LoggerFactory.getLogger(DomainsDoor.class);
    private static final String PATH = "/api/v1/domains/{domain}/";
    private static final String RETRY_AFTER = "30";

    private final DomainClaims claims;
    private final IngestMetrics metrics;
    private final Clock clock;
    private final Doorkeeper doorkeeper;

    DomainsDoor(DomainClaims claims, Access access, IngestMetrics metrics, Clock clock) {
        this.claims = claims;
        this.metrics = metrics;
        this.clock = clock;
        this.doorkeeper = new Doorkeeper(access, metrics);
    }

    private interface Action {
        Optional<DomainClaim> on(String domain) throws DomainClaims.Unacknowledged, InterruptedException;
    }

    void routing(HttpRouting.Builder routing) {
        routing.any(
                PATH + "accept",
                (request, response) ->
                        handle(request, response, "accepted", domain -> claims.accept(domain, clock.instant())));
        routing.any(PATH + "forget", (request, response) -> handle(request, response, "forgotten", claims::forget));
    }

    private void handle(ServerRequest request, ServerResponse response, String done, Action action) {
        if (!request.prologue().method().equals(Method.POST)) {
            metrics.turnedAway(IngestMetrics.TurnedAway.METHOD);
            response.header(HeaderNames.ALLOW, "POST");
            Problem.of(Status.METHOD_NOT_ALLOWED_405, "method-not-allowed", "this is posted", null)
                    .send(response);
            return;
        }
        Optional<Caller> caller = doorkeeper.admitted(request, response);
        if (caller.isEmpty()) {
            return;
        }
        String domain = DomainName.canonical(
                request.path().pathParameters().first("domain").orElse(""));
        try {
            Optional<DomainClaim> claim = doorkeeper.shows(caller.get(), domain) ? action.on(domain) : Optional.empty();
            if (claim.isEmpty()) {
                Problem.of(
                                Status.NOT_FOUND_404,
                                "unknown-domain",
                                "the domain is neither pending nor accepted; a configured one needs no acceptance",
                                null)
                        .send(response);
                return;
            }
            LOG.atInfo()
                    .addKeyValue("domain", Untrusted.shown(domain))
                    .addKeyValue("by", caller.get().name())
                    .addKeyValue("remote", request.remotePeer().host())
                    .log("a discovered domain was " + done);
            response.header(HeaderNames.CONTENT_TYPE, "application/json");
            response.send(Json.MAPPER.writeValueAsBytes(claim.get()));
        } catch (DomainClaims.Unacknowledged away) {
            LOG.atWarn().setCause(away).log("a claim could not be changed");
            busy(response, String.valueOf(away.getMessage()));
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            busy(response, "the service is stopping");
        }
    }

    private static void busy(ServerResponse response, String why) {
        response.header(HeaderNames.RETRY_AFTER, RETRY_AFTER);
        Problem.of(Status.SERVICE_UNAVAILABLE_503, "busy", why, null).send(response);
    }
}

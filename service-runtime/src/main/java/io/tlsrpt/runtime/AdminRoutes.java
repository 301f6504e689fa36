package io.tlsrpt.runtime;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerResponse;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Map;

/// `/live`, `/ready` and `/metrics`.
final class AdminRoutes {

    private final Health health;
    private final PrometheusMeterRegistry meters;

    AdminRoutes(Health health, PrometheusMeterRegistry meters) {
        this.health = health;
        this.meters = meters;
    }

    Routes at(Settings.Admin admin) {
        return new Routes("admin", admin.listen(), null, this::routing);
    }

    private void routing(HttpRouting.Builder routing) {
        routing.get("/live", (request, response) -> state(response, "alive", health.dead()))
                .get("/ready", (request, response) -> state(response, "ready", health.notReady()))
                .get(
                        "/metrics",
                        (request, response) -> response.header(
                                        HeaderNames.CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")
                                .send(meters.scrape()));
    }

    /// One line when all is well, else one line per part with the reason.
    private static void state(ServerResponse response, String well, Map<String, String> faults) {
        StringBuilder body = new StringBuilder();
        faults.forEach((part, why) -> body.append(part).append(": ").append(why).append('\n'));
        response.header(HeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8")
                .header(HeaderNames.CACHE_CONTROL, "no-store")
                .status(faults.isEmpty() ? Status.OK_200 : Status.SERVICE_UNAVAILABLE_503)
                .send(faults.isEmpty() ? well + "\n" : body.toString());
    }
}

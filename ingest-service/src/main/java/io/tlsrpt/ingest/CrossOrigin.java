package io.tlsrpt.ingest;

import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.net.URI;

/// A page of another site, open in the operator's browser, must not act in the operator's name.
final class CrossOrigin {

    private CrossOrigin() {}

    /// Whether the request was refused and answered.
    static boolean refused(ServerRequest request, ServerResponse response, IngestMetrics metrics) {
        boolean foreign = request.headers()
                .first(HeaderNames.ORIGIN)
                .map(origin -> {
                    try {
                        return !request.authority()
                                .equalsIgnoreCase(URI.create(origin).getAuthority());
                    } catch (IllegalArgumentException opaque) {
                        return true;
                    }
                })
                .orElse(false);
        if (foreign) {
            metrics.turnedAway(IngestMetrics.TurnedAway.CROSS_ORIGIN);
            response.header(HeaderValues.CONNECTION_CLOSE);
            Problem.of(Status.FORBIDDEN_403, "cross-origin", "pages of other sites may not do this", null)
                    .send(response);
        }
        return foreign;
    }
}

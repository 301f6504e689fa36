package io.tlsrpt.ingest;

import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.tlsrpt.runtime.BrowserGuard;
import java.util.Optional;

/// A page of another site, open in the operator's browser, must not act in the operator's name.
final class CrossOrigin {

    private final BrowserGuard guard;
    private final IngestMetrics metrics;

    CrossOrigin(BrowserGuard guard, IngestMetrics metrics) {
        this.guard = guard;
        this.metrics = metrics;
    }

    /// Whether the request was refused and answered.
    boolean refused(ServerRequest request, ServerResponse response) {
        Optional<BrowserGuard.Refusal> refusal = guard.acting(request);
        refusal.ifPresent(why -> {
            IngestMetrics.TurnedAway turnedAway = switch (why) {
                case FOREIGN_NAME -> IngestMetrics.TurnedAway.FOREIGN_NAME;
                case CROSS_ORIGIN -> IngestMetrics.TurnedAway.CROSS_ORIGIN;
            };
            metrics.turnedAway(turnedAway);
            response.header(HeaderValues.CONNECTION_CLOSE);
            Problem.of(Status.create(why.status(), why.title()), why.word(), why.detail(), null)
                    .send(response);
        });
        return refusal.isPresent();
    }
}

package io.tlsrpt.ingest;

import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.Caller;
import java.util.Optional;

/// Lets those through a door of the API who may act, and answers all others.
final class Doorkeeper {

    private final Access access;
    private final IngestMetrics metrics;

    Doorkeeper(Access access, IngestMetrics metrics) {
        this.access = access;
        this.metrics = metrics;
    }

    /// Who acts; absent: somebody was refused and answered.
    Optional<Caller> admitted(ServerRequest request, ServerResponse response) {
        return switch (access.acting(request)) {
            case Caller caller -> Optional.of(caller);
            case Access.Refusal why -> {
                refuse(why, response);
                yield Optional.empty();
            }
        };
    }

    /// As [#admitted], for what may be about any domain: nobody who is limited to some.
    Optional<Caller> admittedToAll(ServerRequest request, ServerResponse response) {
        Optional<Caller> caller = admitted(request, response);
        if (caller.isPresent() && !caller.get().seesAll()) {
            refuse(access.beyond(caller.get()), response);
            return Optional.empty();
        }
        return caller;
    }

    /// Whether what is about a domain is shown to somebody.
    boolean shows(Caller caller, String policyDomain) {
        return access.shows(caller, policyDomain);
    }

    private void refuse(Access.Refusal why, ServerResponse response) {
        metrics.turnedAway(
                switch (why.why()) {
                    case FOREIGN_NAME -> IngestMetrics.TurnedAway.FOREIGN_NAME;
                    case CROSS_ORIGIN -> IngestMetrics.TurnedAway.CROSS_ORIGIN;
                    case NO_TOKEN, WRONG_TOKEN -> IngestMetrics.TurnedAway.NOT_AUTHENTICATED;
                    case NO_GROUP, ROLE, LABELS -> IngestMetrics.TurnedAway.NOT_ALLOWED;
                });
        response.header(HeaderValues.CONNECTION_CLOSE);
        why.headers().forEach((name, value) -> response.header(HeaderNames.create(name), value));
        Problem.of(Status.create(why.status(), why.title()), why.why().word(), why.detail(), null)
                .send(response);
    }
}

package io.tlsrpt.ingest;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerResponse;
import io.tlsrpt.topics.Json;
import org.jspecify.annotations.Nullable;

/// An error as RFC 9457 says it.
///
/// @param type `urn:tlsrpt:problem:` and the reason
/// @param reason our word, the same as in the rejected topic, logs and metrics
record Problem(
        String type,
        String title,
        int status,
        @Nullable String detail,
        String reason,
        @Nullable String reportKey) {

    static Problem of(Status status, String reason, @Nullable String detail, @Nullable String reportKey) {
        return new Problem(
                "urn:tlsrpt:problem:" + reason,
                status.reasonPhrase(),
                status.code(),
                detail == null || detail.isEmpty() ? null : detail,
                reason,
                reportKey);
    }

    void send(ServerResponse response) {
        response.status(Status.create(status));
        response.header(HeaderNames.CONTENT_TYPE, "application/problem+json");
        response.send(Json.MAPPER.writeValueAsBytes(this));
    }
}

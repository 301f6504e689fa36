package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// Latest word to one receiver about one alert (`tlsrpt.notifications`, key `<alert-id>/<receiver>`).
///
/// @param result `delivered`, `failed` (given up) or `muted` (decided not to tell)
/// @param detail for people: the answer's status or why it was muted; never a URL, which is a secret
@JsonPropertyOrder({
    "alert-id",
    "incident-id",
    "receiver",
    "transition",
    "state",
    "severity",
    "result",
    "detail",
    "attempts",
    "at"
})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Notification(
        String alertId,
        String incidentId,
        String receiver,
        int transition,
        String state,
        String severity,
        String result,
        @Nullable String detail,
        int attempts,
        Instant at) {

    public static final String DELIVERED = "delivered";
    public static final String FAILED = "failed";
    public static final String MUTED = "muted";

    public String key() {
        return alertId + "/" + receiver;
    }
}

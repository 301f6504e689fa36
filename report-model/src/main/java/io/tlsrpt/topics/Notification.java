package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.util.regex.Pattern;
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

    /// Stands in place of an alert-id for all that arrived until `at`: it was judged in the house that this one
    /// continues, see [#moved].
    public static final String MOVED = "moved";

    private static final Pattern ALERT = Pattern.compile("[0-9a-f]{64}");

    public String key() {
        return alertId + "/" + receiver;
    }

    /// What a restore leaves for detection: what arrived until then leads to no alert that the old house has not known.
    public static Notification moved(Instant judgedUntil) {
        return new Notification(MOVED, MOVED, "detection", 1, Alert.RESOLVED, "info", MUTED, null, 0, judgedUntil);
    }

    /// Whether this is the id of an alert, or else a word for something that is none.
    public static boolean isAlert(String alertId) {
        return ALERT.matcher(alertId).matches();
    }
}

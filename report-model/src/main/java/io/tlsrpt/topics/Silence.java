package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;

/// Somebody's wish not to be told of some alerts for a while (`tlsrpt.silences`, key silence-id). It mutes
/// notifications,
/// not alerts.
///
/// @param match which alerts; never all of them
@JsonPropertyOrder({"silence-id", "match", "starts-at", "ends-at", "by", "comment", "created-at"})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Silence(
        String silenceId,
        AlertMatch match,
        Instant startsAt,
        Instant endsAt,
        String by,
        String comment,
        Instant createdAt) {

    /// Whether this alert is not to be told of now. A silence that means all alerts mutes none, whoever wrote it.
    public boolean mutes(Alert alert, Instant now) {
        return !now.isBefore(startsAt) && now.isBefore(endsAt) && !match.meansAll() && match.matches(alert);
    }
}

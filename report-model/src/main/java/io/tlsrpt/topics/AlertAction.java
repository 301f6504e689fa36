package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// What somebody did about an alert (`tlsrpt.alert-actions`, key alert-id, partitioned as the alert is). Detection
/// reads
/// it and changes the alert.
///
/// @param actionId unique; the same again changes nothing
/// @param incidentId the incident that was seen: an action on an incident that is over changes nothing but its notes
/// @param action `acknowledge`, `resolve`, `note` or `false-alarm`
/// @param rule of the alert, and so on to `submitter`: where it is judged
/// @param by who says so
/// @param text in their words
@JsonPropertyOrder({
    "action-id",
    "alert-id",
    "incident-id",
    "action",
    "rule",
    "policy-domain",
    "receiving-mx-hostname",
    "submitter",
    "by",
    "at",
    "text"
})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record AlertAction(
        String actionId,
        String alertId,
        String incidentId,
        String action,
        String rule,
        @Nullable String policyDomain,
        @Nullable String receivingMxHostname,
        @Nullable String submitter,
        String by,
        Instant at,
        @Nullable String text) {

    public static final String ACKNOWLEDGE = "acknowledge";
    public static final String RESOLVE = "resolve";
    public static final String NOTE = "note";

    /// The bad days of the incident were none: they count for what is usual.
    public static final String FALSE_ALARM = "false-alarm";

    /// Most characters of a text or a name.
    public static final int MOST_TEXT = 2_000;

    /// About the incident that an alert is in.
    public static AlertAction on(
            Alert alert, String actionId, String action, String by, Instant at, @Nullable String text) {
        return new AlertAction(
                actionId,
                alert.alertId(),
                alert.incidentId(),
                action,
                alert.rule(),
                alert.policyDomain(),
                alert.receivingMxHostname(),
                alert.submitter(),
                by,
                at,
                text);
    }
}

package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One record of `tlsrpt.events`: a `failure` (one element of `failure-details`) or a `summary` (one policy entry).
/// Totals come only from summaries; failure counts overlap and are never added up to a total (RFC 8460 §4).
/// Never add over policy types: they describe the same sessions.
///
/// @param eventId `<report-key>#<revision>.<policy>.<detail>` of a failure, `<report-key>#<revision>.<policy>` of a
/// summary; a retraction appends `!`
/// @param failedSessionCount failures only; negative in a retraction
/// @param totalSuccessfulSessionCount summaries only; negative in a retraction
/// @param totalFailureSessionCount summaries only; negative in a retraction
/// @param retraction true when the event takes back the one of the same id without `!`; absent otherwise
/// @param truncated names of the members that were cut to keep the event under 256 KiB; absent when none was
@JsonPropertyOrder({
    "kind",
    "event-id",
    "retraction",
    "result-type",
    "failure-class",
    "failed-session-count",
    "sending-mta-ip",
    "receiving-mx-hostname",
    "receiving-mx-helo",
    "receiving-ip",
    "failure-reason-code",
    "additional-information",
    "total-successful-session-count",
    "total-failure-session-count",
    "policy-domain",
    "policy-type",
    "policy-mode",
    "mx-host",
    "submitter",
    "organization-name",
    "report-id",
    "start-datetime",
    "end-datetime",
    "authentication",
    "source",
    "received-at",
    "backfill",
    "truncated"
})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Event(
        String kind,
        String eventId,
        @Nullable Boolean retraction,
        @Nullable String resultType,
        @Nullable String failureClass,
        @Nullable Long failedSessionCount,
        @Nullable String sendingMtaIp,
        @Nullable String receivingMxHostname,
        @Nullable String receivingMxHelo,
        @Nullable String receivingIp,
        @Nullable String failureReasonCode,
        @Nullable String additionalInformation,
        @Nullable Long totalSuccessfulSessionCount,
        @Nullable Long totalFailureSessionCount,
        String policyDomain,
        String policyType,
        @Nullable String policyMode,
        @Nullable List<String> mxHost,
        String submitter,
        @Nullable String organizationName,
        String reportId,
        Instant startDatetime,
        Instant endDatetime,
        String authentication,
        String source,
        Instant receivedAt,
        boolean backfill,
        @Nullable List<String> truncated) {

    public Event {
        retraction = Json.present(retraction);
        mxHost = Json.present(mxHost);
        truncated = Json.present(truncated);
    }

    public static final String FAILURE = "failure";
    public static final String SUMMARY = "summary";

    public boolean isSummary() {
        return kind.equals(SUMMARY);
    }

    public boolean isRetraction() {
        return Boolean.TRUE.equals(retraction);
    }
}

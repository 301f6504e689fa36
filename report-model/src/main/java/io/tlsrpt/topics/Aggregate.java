package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Latest state of one cell of `tlsrpt.aggregates`. Published once per policy entry, when its summary arrives: never
/// half a report.
///
/// @param window UTC day of `start-datetime`
/// @param reportCount policy entries counted in this cell
/// @param policyMode of the contributor received last that knows it
/// @param failures by result type and MX, most failed sessions first; the first 1,000, the rest as one element with
/// result type `other` and no MX
/// @param backfill true when every contributor was
@JsonPropertyOrder({
    "window", "policy-domain", "policy-type", "submitter", "authentication", "total-successful-session-count",
    "total-failure-session-count", "report-count", "policy-mode", "failures", "first-received-at", "last-received-at",
    "latest-end-datetime", "backfill"
})
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Aggregate(
        LocalDate window,
        String policyDomain,
        String policyType,
        String submitter,
        String authentication,
        long totalSuccessfulSessionCount,
        long totalFailureSessionCount,
        long reportCount,
        @Nullable String policyMode,
        List<Failure> failures,
        Instant firstReceivedAt,
        Instant lastReceivedAt,
        Instant latestEndDatetime,
        boolean backfill) {

    public Aggregate {
        failures = List.copyOf(failures);
    }

    public AggregateKey key() {
        return new AggregateKey(window, policyDomain, policyType, submitter, authentication);
    }

    /// Failed sessions of one result type at one MX; they overlap with those of other result types.
    ///
    /// @param receivingMxHostname absent when the details name none
    /// @param detailCount elements of `failure-details` counted
    /// @param receivingIps the five with most failed sessions
    /// @param failureReasonCodes the five with most failed sessions
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonPropertyOrder({
        "result-type",
        "receiving-mx-hostname",
        "failed-session-count",
        "detail-count",
        "receiving-ips",
        "failure-reason-codes"
    })
    public record Failure(
            String resultType,
            @Nullable String receivingMxHostname,
            long failedSessionCount,
            long detailCount,
            @Nullable List<String> receivingIps,
            @Nullable List<String> failureReasonCodes) {

        public Failure {
            receivingIps = Json.present(receivingIps);
            failureReasonCodes = Json.present(failureReasonCodes);
        }
    }
}

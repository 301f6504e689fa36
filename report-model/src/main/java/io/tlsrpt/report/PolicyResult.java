package io.tlsrpt.report;

import java.util.List;

/// One element of `policies`: a policy, how its sessions went, and why some failed (RFC 8460 §4.4).
///
/// @param totalSuccessfulSessionCount sessions, 0 to 2^53-1
/// @param totalFailureSessionCount sessions, 0 to 2^53-1; not the sum of the details, which overlap (RFC 8460 §4)
public record PolicyResult(
        Policy policy,
        long totalSuccessfulSessionCount,
        long totalFailureSessionCount,
        List<FailureDetail> failureDetails) {

    public PolicyResult {
        failureDetails = List.copyOf(failureDetails);
    }
}

package io.tlsrpt.report;

import org.jspecify.annotations.Nullable;

/// One element of `failure-details` (RFC 8460 §4.4). All text is a stranger's: escape it where it is shown, fetch
/// nothing.
///
/// @param receivingMxHostname lower-case, without a trailing dot
/// @param failedSessionCount sessions, 0 to 2^53-1
public record FailureDetail(
        ResultType resultType,
        @Nullable String sendingMtaIp,
        @Nullable String receivingMxHostname,
        @Nullable String receivingMxHelo,
        @Nullable String receivingIp,
        long failedSessionCount,
        @Nullable String additionalInformation,
        @Nullable String failureReasonCode) {}

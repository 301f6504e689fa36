package io.tlsrpt.stream;

import io.tlsrpt.report.FailureDetail;
import io.tlsrpt.report.Policy;
import io.tlsrpt.report.PolicyResult;
import io.tlsrpt.topics.EventSize;
import io.tlsrpt.topics.Json;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One element of `policies` as a document of its own, in the words of RFC 8460 §4.4: what is kept of an entry that was
/// refused while its report was accepted.
record EntryDocument(
        PolicyDocument policy, Summary summary, @Nullable List<Detail> failureDetails) {

    /// No larger than a whole report may be.
    private static final int MAX_BYTES = 10 * 1024 * 1024;

    record PolicyDocument(
            String policyType,
            List<String> policyString,
            @Nullable String policyDomain,
            List<String> mxHost) {}

    record Summary(long totalSuccessfulSessionCount, long totalFailureSessionCount) {}

    record Detail(
            String resultType,
            @Nullable String sendingMtaIp,
            @Nullable String receivingMxHostname,
            @Nullable String receivingMxHelo,
            @Nullable String receivingIp,
            long failedSessionCount,
            @Nullable String additionalInformation,
            @Nullable String failureReasonCode) {}

    /// The entry as JSON; without its `failure-details` should they be too large for a record.
    static byte[] write(PolicyResult entry) {
        EntryDocument whole = of(entry);
        byte[] bytes = Json.MAPPER.writeValueAsBytes(whole);
        return bytes.length <= MAX_BYTES
                ? bytes
                : Json.MAPPER.writeValueAsBytes(new EntryDocument(whole.policy(), whole.summary(), null));
    }

    private static EntryDocument of(PolicyResult entry) {
        Policy policy = entry.policy();
        return new EntryDocument(
                new PolicyDocument(
                        whole(policy.policyType()),
                        policy.policyString().stream().map(EntryDocument::whole).toList(),
                        wholeOrNull(policy.policyDomain()),
                        policy.mxHost().stream().map(EntryDocument::whole).toList()),
                new Summary(entry.totalSuccessfulSessionCount(), entry.totalFailureSessionCount()),
                entry.failureDetails().stream().map(EntryDocument::of).toList());
    }

    private static Detail of(FailureDetail detail) {
        return new Detail(
                whole(detail.resultType().word()),
                wholeOrNull(detail.sendingMtaIp()),
                wholeOrNull(detail.receivingMxHostname()),
                wholeOrNull(detail.receivingMxHelo()),
                wholeOrNull(detail.receivingIp()),
                detail.failedSessionCount(),
                wholeOrNull(detail.additionalInformation()),
                wholeOrNull(detail.failureReasonCode()));
    }

    /// Not cut, but writable: no lone surrogates.
    private static String whole(String text) {
        return EventSize.cut(text, Integer.MAX_VALUE);
    }

    private static @Nullable String wholeOrNull(@Nullable String text) {
        return text == null ? null : whole(text);
    }
}

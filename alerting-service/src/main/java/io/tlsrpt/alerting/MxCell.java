package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.tlsrpt.topics.Aggregate;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What one aggregate says of one MX: the record that travels from domains to MX hosts. Empty when the aggregate is
/// taken back.
///
/// @param submitter cleaned, like every text here that a stranger wrote
/// @param sessions all sessions of the policy, an upper bound of those with this MX, never below the failed ones
/// @param enforced whether the policy makes senders hold mail back on failure
/// @param fresh whether it came in time to open, raise or resolve an alert; otherwise it only tells what was usual
/// @param failures at this MX by result type, judged ones only
record MxCell(
        LocalDate window,
        String policyDomain,
        String policyType,
        String submitter,
        String authentication,
        boolean enforced,
        boolean fresh,
        long sessions,
        long successes,
        Map<String, Failed> failures) {

    static final Duration FRESH = Duration.ofDays(3);

    /// No real counter comes near; sums of these cannot overflow.
    static final long MOST_SESSIONS = 1_000_000_000_000L;

    /// @param sessions that failed so
    /// @param receivingIps of the most failed, at most five
    /// @param failureReasonCodes likewise
    record Failed(long sessions, List<String> receivingIps, List<String> failureReasonCodes) {}

    /// @param mx a normalised name, as [MxName] makes them
    static MxCell of(Aggregate aggregate, String mx) {
        Map<String, Failed> failures = new TreeMap<>();
        long mostFailed = 0;
        for (Aggregate.Failure failure : aggregate.failures()) {
            if (failure.failedSessionCount() > 0
                    && Rule.of(failure.resultType()) != null
                    && MxName.of(failure, aggregate.policyDomain()).equals(mx)) {
                Failed merged = failures.merge(
                        failure.resultType(),
                        new Failed(
                                Math.min(failure.failedSessionCount(), MOST_SESSIONS),
                                texts(failure.receivingIps()),
                                texts(failure.failureReasonCodes())),
                        (one, other) -> new Failed(
                                Math.min(one.sessions() + other.sessions(), MOST_SESSIONS),
                                one.receivingIps(),
                                one.failureReasonCodes()));
                mostFailed = Math.max(mostFailed, merged.sessions());
            }
        }
        long successes = Math.clamp(aggregate.totalSuccessfulSessionCount(), 0, MOST_SESSIONS);
        long total =
                Math.min(successes + Math.clamp(aggregate.totalFailureSessionCount(), 0, MOST_SESSIONS), MOST_SESSIONS);
        return new MxCell(
                aggregate.window(),
                aggregate.policyDomain(),
                CleanText.of(aggregate.policyType(), 64),
                CleanText.of(aggregate.submitter(), 255),
                aggregate.authentication(),
                aggregate.policyType().equals("tlsa") || "enforce".equals(aggregate.policyMode()),
                fresh(aggregate),
                Math.max(total, mostFailed),
                successes,
                failures);
    }

    MxCell takenBack() {
        return new MxCell(window, policyDomain, policyType, submitter, authentication, enforced, fresh, 0, 0, Map.of());
    }

    @JsonIgnore
    boolean isEmpty() {
        return sessions == 0 && failures.isEmpty();
    }

    /// Whether it was authenticated by DKIM or vouched for by the operator.
    boolean trusted() {
        return trusted(authentication);
    }

    static boolean trusted(String authentication) {
        return authentication.equals("dkim") || authentication.equals("operator");
    }

    long failed(String resultType) {
        Failed failed = failures.get(resultType);
        return failed == null ? 0 : failed.sessions();
    }

    /// A day later than the report's own arrival comes from a wrong clock: it must not stand in the way of the days
    /// that are really still to come.
    static boolean fresh(Aggregate aggregate) {
        return !aggregate.backfill()
                && Duration.between(aggregate.latestEndDatetime(), aggregate.firstReceivedAt())
                                .compareTo(FRESH)
                        <= 0
                && !aggregate
                        .window()
                        .isAfter(aggregate
                                .firstReceivedAt()
                                .atZone(ZoneOffset.UTC)
                                .toLocalDate());
    }

    private static List<String> texts(@Nullable List<String> texts) {
        return texts == null
                ? List.of()
                : texts.stream().limit(5).map(text -> CleanText.of(text, 200)).toList();
    }
}

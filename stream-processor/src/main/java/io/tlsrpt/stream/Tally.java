package io.tlsrpt.stream;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.EventSize;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Failed sessions of one result type at one MX. Immutable; counts are never negative.
///
/// @param receivingIps the most frequent candidates with their failed sessions, at most ten
/// @param failureReasonCodes likewise
@JsonPropertyOrder({
    "result-type",
    "receiving-mx-hostname",
    "failed-session-count",
    "detail-count",
    "receiving-ips",
    "failure-reason-codes"
})
record Tally(
        String resultType,
        @Nullable String receivingMxHostname,
        long failedSessionCount,
        long detailCount,
        Map<String, Long> receivingIps,
        Map<String, Long> failureReasonCodes) {

    /// Result type of what does not fit.
    static final String OTHER = "other";

    private static final int MAX_CANDIDATES = 10;
    private static final int PUBLISHED_CANDIDATES = 5;

    private static final int MAX_RESULT_TYPE_BYTES = 128;
    private static final int MAX_MX_BYTES = 255;
    private static final int MAX_IP_BYTES = 45;
    private static final int MAX_REASON_BYTES = 128;

    /// Member names, numbers and punctuation of one tally in JSON.
    private static final int FRAME_BYTES = 180;

    private static final int CANDIDATE_FRAME_BYTES = 24;

    Tally {
        receivingIps = Collections.unmodifiableMap(new LinkedHashMap<>(receivingIps));
        failureReasonCodes = Collections.unmodifiableMap(new LinkedHashMap<>(failureReasonCodes));
    }

    /// What tallies are told apart by.
    record Key(String resultType, @Nullable String receivingMxHostname) {}

    Key key() {
        return new Key(resultType, receivingMxHostname);
    }

    /// One failure event, its sign left aside.
    static Tally of(Event failure) {
        long sessions = Math.absExact(Objects.requireNonNull(failure.failedSessionCount()));
        String resultType = EventSize.cut(Objects.requireNonNull(failure.resultType()), MAX_RESULT_TYPE_BYTES);
        return new Tally(
                resultType,
                cutOrNull(failure.receivingMxHostname(), MAX_MX_BYTES),
                sessions,
                1,
                candidate(cutOrNull(failure.receivingIp(), MAX_IP_BYTES), sessions),
                candidate(cutOrNull(failure.failureReasonCode(), MAX_REASON_BYTES), sessions));
    }

    /// The same sessions under `other`.
    Tally asOther() {
        return new Tally(OTHER, null, failedSessionCount, detailCount, Map.of(), Map.of());
    }

    Tally plus(Tally more) {
        return new Tally(
                resultType,
                receivingMxHostname,
                Counts.plus(failedSessionCount, more.failedSessionCount),
                Counts.plus(detailCount, more.detailCount),
                plus(receivingIps, more.receivingIps),
                plus(failureReasonCodes, more.failureReasonCodes));
    }

    /// The counts without new candidates, for a cell that is full.
    Tally plusCountsOf(Tally more) {
        return new Tally(
                resultType,
                receivingMxHostname,
                Counts.plus(failedSessionCount, more.failedSessionCount),
                Counts.plus(detailCount, more.detailCount),
                receivingIps,
                failureReasonCodes);
    }

    /// Takes back what was added; absent when nothing is left.
    @Nullable
    Tally minus(Tally less) {
        long details = detailCount - less.detailCount;
        return details <= 0
                ? null
                : new Tally(
                        resultType,
                        receivingMxHostname,
                        Math.max(0, failedSessionCount - less.failedSessionCount),
                        details,
                        minus(receivingIps, less.receivingIps),
                        minus(failureReasonCodes, less.failureReasonCodes));
    }

    /// Upper bound of its bytes as JSON.
    int bytes() {
        String mx = receivingMxHostname;
        int sum = FRAME_BYTES
                + EventSize.jsonBytes(resultType, Integer.MAX_VALUE)
                + (mx == null ? 0 : EventSize.jsonBytes(mx, Integer.MAX_VALUE));
        for (String ip : receivingIps.keySet()) {
            sum += CANDIDATE_FRAME_BYTES + EventSize.jsonBytes(ip, Integer.MAX_VALUE);
        }
        for (String code : failureReasonCodes.keySet()) {
            sum += CANDIDATE_FRAME_BYTES + EventSize.jsonBytes(code, Integer.MAX_VALUE);
        }
        return sum;
    }

    List<String> topIps() {
        return top(receivingIps);
    }

    List<String> topReasonCodes() {
        return top(failureReasonCodes);
    }

    private static List<String> top(Map<String, Long> candidates) {
        return candidates.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(PUBLISHED_CANDIDATES)
                .map(Map.Entry::getKey)
                .toList();
    }

    private static Map<String, Long> candidate(@Nullable String text, long sessions) {
        return text == null || sessions == 0 ? Map.of() : Map.of(text, sessions);
    }

    /// When there are too many, a newcomer takes the place of the smallest it exceeds.
    private static Map<String, Long> plus(Map<String, Long> kept, Map<String, Long> more) {
        if (more.isEmpty()) {
            return kept;
        }
        Map<String, Long> sum = new LinkedHashMap<>(kept);
        more.forEach((text, sessions) -> {
            if (sum.containsKey(text) || sum.size() < MAX_CANDIDATES) {
                sum.merge(text, sessions, Counts::plus);
                return;
            }
            Map.Entry<String, Long> smallest = Collections.min(sum.entrySet(), Map.Entry.comparingByValue());
            if (smallest.getValue() < sessions) {
                sum.remove(smallest.getKey());
                sum.put(text, sessions);
            }
        });
        return sum;
    }

    private static Map<String, Long> minus(Map<String, Long> kept, Map<String, Long> less) {
        if (less.isEmpty()) {
            return kept;
        }
        Map<String, Long> rest = new LinkedHashMap<>(kept);
        less.forEach(
                (text, sessions) -> rest.computeIfPresent(text, (same, had) -> had > sessions ? had - sessions : null));
        return rest;
    }

    private static @Nullable String cutOrNull(@Nullable String text, int maxBytes) {
        return text == null ? null : EventSize.cut(text, maxBytes);
    }
}

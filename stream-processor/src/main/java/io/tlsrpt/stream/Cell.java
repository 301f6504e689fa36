package io.tlsrpt.stream;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Event;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One daily cell while it is added to. A retraction subtracts, and leaves exactly what would be there had the report
/// never come; only `first-received-at`, `last-received-at`, `latest-end-datetime` and `policy-mode` stay as they are,
/// and counts are no longer told apart exactly once a bound was hit.
///
/// Bounds: 1,000 pairs of result type and MX, and 220 KiB of them as JSON; what comes after counts as `other`.
final class Cell {

    private static final int MAX_FAILURES = 1_000;
    private static final int MAX_FAILURE_BYTES = 220 * 1024;
    private static final Tally.Key OTHER = new Tally.Key(Tally.OTHER, null);

    private final Map<Tally.Key, Tally> failures = new LinkedHashMap<>();
    private int failureBytes;
    private long successful;
    private long failed;
    private long reports;
    private long backfills;
    private @Nullable String policyMode;
    private @Nullable Instant policyModeAt;
    private @Nullable Instant firstReceivedAt;
    private @Nullable Instant lastReceivedAt;
    private @Nullable Instant latestEnd;

    /// How a cell is kept in its store.
    ///
    /// @param version of this form; 1
    /// @param backfillCount contributors that were back-filled
    /// @param policyModeAt when the contributor that told the mode was received
    @JsonPropertyOrder({
        "version",
        "total-successful-session-count",
        "total-failure-session-count",
        "report-count",
        "backfill-count",
        "policy-mode",
        "policy-mode-at",
        "first-received-at",
        "last-received-at",
        "latest-end-datetime",
        "failures"
    })
    record Stored(
            int version,
            long totalSuccessfulSessionCount,
            long totalFailureSessionCount,
            long reportCount,
            long backfillCount,
            @Nullable String policyMode,
            @Nullable Instant policyModeAt,
            @Nullable Instant firstReceivedAt,
            @Nullable Instant lastReceivedAt,
            @Nullable Instant latestEndDatetime,
            List<Tally> failures) {

        static final int VERSION = 1;
    }

    static Cell of(@Nullable Stored stored) {
        Cell cell = new Cell();
        if (stored != null) {
            cell.successful = stored.totalSuccessfulSessionCount();
            cell.failed = stored.totalFailureSessionCount();
            cell.reports = stored.reportCount();
            cell.backfills = stored.backfillCount();
            cell.policyMode = stored.policyMode();
            cell.policyModeAt = stored.policyModeAt();
            cell.firstReceivedAt = stored.firstReceivedAt();
            cell.lastReceivedAt = stored.lastReceivedAt();
            cell.latestEnd = stored.latestEndDatetime();
            stored.failures().forEach(cell::put);
        }
        return cell;
    }

    Stored stored() {
        return new Stored(
                Stored.VERSION,
                successful,
                failed,
                reports,
                backfills,
                policyMode,
                policyModeAt,
                firstReceivedAt,
                lastReceivedAt,
                latestEnd,
                List.copyOf(failures.values()));
    }

    /// Whether nobody contributes any more.
    boolean empty() {
        return reports <= 0;
    }

    /// @param summary with negative counts when it is a retraction
    void add(Event summary) {
        int sign = summary.isRetraction() ? -1 : 1;
        successful =
                Math.max(0, Counts.plus(successful, Objects.requireNonNull(summary.totalSuccessfulSessionCount())));
        failed = Math.max(0, Counts.plus(failed, Objects.requireNonNull(summary.totalFailureSessionCount())));
        reports += sign;
        backfills += summary.backfill() ? sign : 0;
        if (summary.isRetraction()) {
            return;
        }
        Instant receivedAt = summary.receivedAt();
        firstReceivedAt =
                firstReceivedAt == null || receivedAt.isBefore(firstReceivedAt) ? receivedAt : firstReceivedAt;
        lastReceivedAt = later(lastReceivedAt, receivedAt);
        latestEnd = later(latestEnd, summary.endDatetime());
        if (summary.policyMode() != null && (policyModeAt == null || !receivedAt.isBefore(policyModeAt))) {
            policyMode = summary.policyMode();
            policyModeAt = receivedAt;
        }
    }

    void add(Tally more) {
        Tally known = failures.get(more.key());
        if (known != null) {
            Tally sum = known.plus(more);
            put(fits(sum.bytes() - known.bytes()) ? sum : known.plusCountsOf(more));
        } else if (failures.size() < MAX_FAILURES && fits(more.bytes())) {
            put(more);
        } else {
            Tally rest = failures.get(OTHER);
            put(rest == null ? more.asOther() : rest.plusCountsOf(more));
        }
    }

    void subtract(Tally less) {
        Tally.Key key = failures.containsKey(less.key()) ? less.key() : OTHER;
        Tally known = failures.remove(key);
        if (known == null) {
            return;
        }
        failureBytes -= known.bytes();
        Tally rest = known.minus(less);
        if (rest != null) {
            put(rest);
        }
    }

    private boolean fits(int moreBytes) {
        return failureBytes + moreBytes <= MAX_FAILURE_BYTES;
    }

    private void put(Tally tally) {
        Tally before = failures.put(tally.key(), tally);
        failureBytes += tally.bytes() - (before == null ? 0 : before.bytes());
    }

    private static Instant later(@Nullable Instant known, Instant other) {
        return known == null || other.isAfter(known) ? other : known;
    }

    Aggregate aggregate(AggregateKey key) {
        return new Aggregate(
                key.window(),
                key.policyDomain(),
                key.policyType(),
                key.submitter(),
                key.authentication(),
                successful,
                failed,
                reports,
                policyMode,
                failures.values().stream()
                        .sorted(Comparator.comparingLong(Tally::failedSessionCount)
                                .reversed()
                                .thenComparing(Tally::resultType)
                                .thenComparing(
                                        Tally::receivingMxHostname, Comparator.nullsFirst(Comparator.naturalOrder())))
                        .map(tally -> new Aggregate.Failure(
                                tally.resultType(),
                                tally.receivingMxHostname(),
                                tally.failedSessionCount(),
                                tally.detailCount(),
                                tally.topIps(),
                                tally.topReasonCodes()))
                        .toList(),
                Objects.requireNonNull(firstReceivedAt),
                Objects.requireNonNull(lastReceivedAt),
                Objects.requireNonNull(latestEnd),
                backfills >= reports);
    }
}

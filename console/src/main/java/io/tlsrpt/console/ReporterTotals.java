package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.topics.AcceptedReport;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What one submitter has sent.
///
/// @param reportCounts accepted reports still known, by authentication
/// @param lastStartDatetime latest start-datetime ever seen
@JsonPropertyOrder({"submitter", "organization-name", "report-counts", "last-received-at", "last-start-datetime"})
record ReporterTotals(
        String submitter,
        @Nullable String organizationName,
        Map<String, Long> reportCounts,
        Instant lastReceivedAt,
        Instant lastStartDatetime) {

    static ReporterTotals first(AcceptedReport report) {
        return new ReporterTotals(
                report.submitter(),
                report.organizationName(),
                Map.of(report.authentication(), 1L),
                report.receivedAt(),
                report.startDatetime());
    }

    ReporterTotals with(AcceptedReport report) {
        boolean newer = report.receivedAt().isAfter(lastReceivedAt);
        return new ReporterTotals(
                submitter,
                newer ? report.organizationName() : organizationName,
                counts(report.authentication(), 1),
                newer ? report.receivedAt() : lastReceivedAt,
                report.startDatetime().isAfter(lastStartDatetime) ? report.startDatetime() : lastStartDatetime);
    }

    ReporterTotals without(AcceptedReport report) {
        return new ReporterTotals(
                submitter, organizationName, counts(report.authentication(), -1), lastReceivedAt, lastStartDatetime);
    }

    private Map<String, Long> counts(String authentication, long more) {
        Map<String, Long> counts = new TreeMap<>(reportCounts);
        counts.merge(authentication, more, Long::sum);
        counts.values().removeIf(count -> count == 0);
        return counts;
    }
}

package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.topics.AcceptedReport;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Sums of what one submitter has sent, as they are kept.
///
/// @param organizationName of the report received last
/// @param reportCounts accepted reports still known, by authentication
/// @param lastReceivedAt latest arrival ever seen
/// @param lastStartDatetime latest start-datetime ever seen
/// @param leniencies reports still known that deviated, by the name of the deviation
/// @param domainCount domains that reports still known are about
@JsonPropertyOrder({
    "submitter",
    "organization-name",
    "report-counts",
    "last-received-at",
    "last-start-datetime",
    "leniencies",
    "domain-count"
})
record ReporterTotals(
        String submitter,
        @Nullable String organizationName,
        Map<String, Long> reportCounts,
        Instant lastReceivedAt,
        Instant lastStartDatetime,
        Map<String, Long> leniencies,
        long domainCount) {

    static ReporterTotals none(AcceptedReport report) {
        return new ReporterTotals(
                report.submitter(),
                report.organizationName(),
                Map.of(),
                report.receivedAt(),
                report.startDatetime(),
                Map.of(),
                0);
    }

    ReporterTotals with(AcceptedReport report) {
        boolean older = report.receivedAt().isBefore(lastReceivedAt);
        return new ReporterTotals(
                submitter,
                older ? organizationName : report.organizationName(),
                sums(reportCounts, List.of(report.authentication()), 1),
                older ? lastReceivedAt : report.receivedAt(),
                report.startDatetime().isAfter(lastStartDatetime) ? report.startDatetime() : lastStartDatetime,
                sums(leniencies, leniencies(report), 1),
                domainCount);
    }

    ReporterTotals without(AcceptedReport report) {
        return new ReporterTotals(
                submitter,
                organizationName,
                sums(reportCounts, List.of(report.authentication()), -1),
                lastReceivedAt,
                lastStartDatetime,
                sums(leniencies, leniencies(report), -1),
                domainCount);
    }

    ReporterTotals withDomains(long more) {
        return new ReporterTotals(
                submitter,
                organizationName,
                reportCounts,
                lastReceivedAt,
                lastStartDatetime,
                leniencies,
                domainCount + more);
    }

    private static List<String> leniencies(AcceptedReport report) {
        return report.leniencies() == null ? List.of() : report.leniencies();
    }

    private static Map<String, Long> sums(Map<String, Long> before, List<String> words, long more) {
        Map<String, Long> sums = new TreeMap<>(before);
        words.forEach(word -> sums.merge(word, more, Long::sum));
        sums.values().removeIf(count -> count == 0);
        return sums;
    }
}

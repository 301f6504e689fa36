package io.tlsrpt.console;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One submitter as people see it.
///
/// @param organizationName of the report received last
/// @param reportCounts accepted reports still known, by authentication
/// @param firstReceivedAt arrival of the earliest one still known
/// @param lastReceivedAt arrival of the latest one still known
/// @param lastStartDatetime latest start-datetime ever seen
/// @param delay ISO 8601 duration: the median time from end-datetime to arrival over the newest reports that are from
/// no
/// archive, to the second; absent when there is none
/// @param domainCount domains that reports still known are about
/// @param days UTC days of start-datetime with reports, the newest 30, newest first
/// @param leniencies reports still known that deviated, by the name of the deviation
/// @param domains their names, sorted; absent in a list of submitters
@JsonPropertyOrder({
    "submitter",
    "organization-name",
    "report-counts",
    "first-received-at",
    "last-received-at",
    "last-start-datetime",
    "delay",
    "domain-count",
    "days",
    "leniencies",
    "domains"
})
@JsonInclude(JsonInclude.Include.NON_NULL)
record Reporter(
        String submitter,
        @Nullable String organizationName,
        Map<String, Long> reportCounts,
        Instant firstReceivedAt,
        Instant lastReceivedAt,
        Instant lastStartDatetime,
        @Nullable String delay,
        long domainCount,
        List<LocalDate> days,
        Map<String, Long> leniencies,
        @Nullable List<String> domains) {}

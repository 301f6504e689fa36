package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One record of `tlsrpt.reports`: what is known of an accepted report, latest revision per report-key.
///
/// @param revision 0 for the first sighting, one more with each replacement
/// @param leniencies names of the tolerated deviations, sorted
/// @param raw where the document lies in the raw topic
/// @param replaces the revision that this one replaced; absent when none
@JsonPropertyOrder({
    "report-key",
    "revision",
    "submitter",
    "organization-name",
    "contact-info",
    "report-id",
    "start-datetime",
    "end-datetime",
    "policy-domains",
    "entries",
    "authentication",
    "source",
    "received-at",
    "backfill",
    "leniencies",
    "raw",
    "replaces"
})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record AcceptedReport(
        String reportKey,
        int revision,
        String submitter,
        @Nullable String organizationName,
        @Nullable String contactInfo,
        String reportId,
        Instant startDatetime,
        Instant endDatetime,
        @Nullable List<String> policyDomains,
        @Nullable List<Entry> entries,
        String authentication,
        String source,
        Instant receivedAt,
        boolean backfill,
        @Nullable List<String> leniencies,
        RawPosition raw,
        @Nullable Integer replaces) {

    public AcceptedReport {
        policyDomains = Json.present(policyDomains);
        entries = Json.present(entries);
        leniencies = Json.present(leniencies);
    }

    /// The same as if it had never been about these domains; absent when it is about no other.
    public @Nullable AcceptedReport without(Collection<String> gone) {
        List<String> domains = Objects.requireNonNullElse(policyDomains, List.<String>of()).stream()
                .filter(domain -> !gone.contains(domain))
                .toList();
        return domains.isEmpty()
                ? null
                : new AcceptedReport(
                        reportKey,
                        revision,
                        submitter,
                        organizationName,
                        contactInfo,
                        reportId,
                        startDatetime,
                        endDatetime,
                        domains,
                        Objects.requireNonNullElse(entries, List.<Entry>of()).stream()
                                .filter(entry -> !gone.contains(entry.policyDomain()))
                                .toList(),
                        authentication,
                        source,
                        receivedAt,
                        backfill,
                        leniencies,
                        raw,
                        replaces);
    }

    /// Totals of one policy entry; the first entries are listed, as many as take 256 KiB.
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonPropertyOrder({
        "policy-domain",
        "policy-type",
        "policy-mode",
        "total-successful-session-count",
        "total-failure-session-count"
    })
    public record Entry(
            String policyDomain,
            String policyType,
            @Nullable String policyMode,
            long totalSuccessfulSessionCount,
            long totalFailureSessionCount) {}
}

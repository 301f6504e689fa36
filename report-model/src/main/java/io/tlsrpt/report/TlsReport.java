package io.tlsrpt.report;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// One SMTP TLS report (RFC 8460 §4.4) as read from its document.
///
/// @param organizationName who reports, free text; absent when the document has none
/// @param contactInfo the reporter's address (RFC 5322 §3.4.1); absent when the document has none
/// @param reportId opaque, unique only within its author
/// @param dateRange what the report covers
/// @param submitter domain of `contact-info`, else the lower-cased, trimmed `organization-name`; never empty
/// @param policies one element per policy applied, in document order; may be empty
public record TlsReport(
        @Nullable String organizationName,
        @Nullable String contactInfo,
        String reportId,
        DateRange dateRange,
        String submitter,
        List<PolicyResult> policies) {

    public TlsReport {
        policies = List.copyOf(policies);
    }

    /// The domains that the entries name, sorted and distinct; empty when none names one.
    public List<String> policyDomains() {
        return policies.stream()
                .map(entry -> entry.policy().policyDomain())
                .<String>mapMulti((domain, sink) -> {
                    if (domain != null) {
                        sink.accept(domain);
                    }
                })
                .distinct()
                .sorted()
                .toList();
    }
}

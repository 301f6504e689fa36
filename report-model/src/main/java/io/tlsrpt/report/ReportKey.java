package io.tlsrpt.report;

import org.jspecify.annotations.Nullable;

/// Identity of a report, from the document alone:
/// `<submitter>|<report-id>|<start-datetime, UTC, seconds>|<its policy-domains, sorted, distinct, joined by ",">`.
/// RFC 8460's report-id is unique only inside its author, and in practice not even there.
public final class ReportKey {

    private ReportKey() {}

    /// @param channelDomain the domain that the channel stands for, used as `@<channel-domain>` where no entry names a
    /// domain
    public static String of(TlsReport report, @Nullable String channelDomain) {
        return report.submitter() + "|" + report.reportId() + "|"
                + report.dateRange().start() + "|"
                + (channelDomain == null ? String.join(",", report.policyDomains()) : channelDomain);
    }
}

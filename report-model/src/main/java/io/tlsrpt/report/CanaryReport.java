package io.tlsrpt.report;

import java.nio.charset.StandardCharsets;
import java.time.LocalDate;

/// A report that this installation sends to itself to see that reports come through, from the front door to a verdict.
///
/// It is about a name that nobody can own and by that name (RFC 2606 §2), so it is neither ours nor a stranger's: it
/// passes every question of whose it is, gets its verdict, and is counted nowhere. Anybody can send one and gains
/// nothing: it says nothing but its id, and is at most [#MAX_BYTES] long.
///
/// @param reportId unique
/// @param document JSON (RFC 8460 §4.4)
/// @param reportKey the key of its verdict
@SuppressWarnings("ArrayRecordComponent") // a document that is sent and never compared
public record CanaryReport(String reportId, byte[] document, String reportKey) {

    /// Both who reports and the policy-domain.
    public static final String DOMAIN = "canary.tlsrpt.invalid";

    /// Of the document, not zipped. A longer one is a report like any other.
    static final int MAX_BYTES = 4 * 1024;

    /// @param reportId letters, digits and `-`
    /// @param day in UTC
    public static CanaryReport of(String reportId, LocalDate day) {
        byte[] document = """
            {"organization-name":"tlsrpt canary",\
            "date-range":{"start-datetime":"%1$sT00:00:00Z","end-datetime":"%1$sT23:59:59Z"},\
            "contact-info":"canary@%2$s",\
            "report-id":"%3$s",\
            "policies":[{"policy":{"policy-type":"no-policy-found","policy-domain":"%2$s"},\
            "summary":{"total-successful-session-count":1,"total-failure-session-count":0}}]}""".formatted(day, DOMAIN, reportId).getBytes(StandardCharsets.UTF_8);
        if (new ReportReader(ReportReader.Limits.DEFAULT).read(document) instanceof Reading.Read read
                && is(read.report(), document.length)) {
            return new CanaryReport(reportId, document, ReportKey.of(read.report(), null));
        }
        throw new IllegalArgumentException("no canary comes of the id " + reportId);
    }

    /// Whether a report is one of these: every entry names the domain, and so does the author.
    ///
    /// @param bytes of its document, not zipped
    public static boolean is(TlsReport report, int bytes) {
        return bytes <= MAX_BYTES
                && report.submitter().equals(DOMAIN)
                && !report.policies().isEmpty()
                && report.policies().stream()
                        .allMatch(entry -> DOMAIN.equals(entry.policy().policyDomain()));
    }
}

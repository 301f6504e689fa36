package io.tlsrpt.stream;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.ReportKey;
import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.RawPosition;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is remembered of a report that was counted: enough to know its copies and to replace it.
///
/// @param version of this form; 1
/// @param revision 0 for the first sighting, one more with each replacement
/// @param authentication the word of [Authentication]
/// @param shared what stands in the topic, to be written anew without a domain that departs; absent where the
/// report-key
/// tells all of its domains and there is one, and where release 0.1.0 wrote it
/// @param left what departures left of it: `nothing`; absent where they took nothing or a part
@JsonPropertyOrder({"version", "revision", "authentication", "content-sha256", "received-at", "raw", "shared", "left"})
@JsonInclude(JsonInclude.Include.NON_NULL)
record SeenReport(
        int version,
        int revision,
        String authentication,
        String contentSha256,
        Instant receivedAt,
        RawPosition raw,
        @Nullable AcceptedReport shared,
        @Nullable String left) {

    static final int VERSION = 1;

    private static final String NOTHING = "nothing";

    /// Whether a trusted copy takes this one's place.
    boolean replaceable() {
        return !Authentication.of(authentication).trusted();
    }

    /// The same as it stands in the topic now.
    ///
    /// @param report absent when every domain of it is forgotten
    SeenReport with(String reportKey, @Nullable AcceptedReport report) {
        List<String> told = ReportKey.policyDomains(reportKey);
        boolean alone = report == null || (told.size() == 1 && told.equals(report.policyDomains()));
        return new SeenReport(
                version,
                revision,
                authentication,
                contentSha256,
                receivedAt,
                raw,
                alone ? null : report,
                report == null ? NOTHING : null);
    }

    /// Whether every domain of it is forgotten; its copies are known nevertheless.
    @JsonIgnore
    boolean forgotten() {
        return left != null;
    }
}

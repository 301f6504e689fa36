package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.report.FailureHelp;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Latest state of one alert (`tlsrpt.alerts`), or one transition of it (`tlsrpt.alert-history`).
///
/// @param alertId hex SHA-256 of the JSON array `[rule, result-type, policy-domain, receiving-mx-hostname, submitter]`,
/// `""` where absent
/// @param incidentId `<alert-id>-<n>`, n counting the openings from 1
/// @param state `firing` or `resolved`
/// @param severity `critical`, `warning` or `info`
/// @param transition counts the changes of this incident from 1; (incident-id, transition) is a receiver's idempotency
/// key
/// @param resolveReason `recovered`, `stale`, `manual`, `retracted` or `probe`
/// @param acknowledged who has taken it on in this incident
/// @param notes what people wrote in this incident, oldest first, at most 20
@JsonPropertyOrder({
    "alert-id",
    "incident-id",
    "rule",
    "result-type",
    "policy-domain",
    "receiving-mx-hostname",
    "submitter",
    "policy-type",
    "labels",
    "state",
    "severity",
    "transition",
    "reopened",
    "opened-at",
    "updated-at",
    "resolved-at",
    "resolve-reason",
    "acknowledged",
    "notes",
    "summary",
    "evidence",
    "help",
    "url",
    "runbook-url"
})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Alert(
        String alertId,
        String incidentId,
        String rule,
        @Nullable String resultType,
        @Nullable String policyDomain,
        @Nullable String receivingMxHostname,
        @Nullable String submitter,
        @Nullable String policyType,
        @Nullable Map<String, String> labels,
        String state,
        String severity,
        int transition,
        @Nullable Boolean reopened,
        Instant openedAt,
        Instant updatedAt,
        @Nullable Instant resolvedAt,
        @Nullable String resolveReason,
        @Nullable Word acknowledged,
        @Nullable List<Word> notes,
        String summary,
        Evidence evidence,
        @Nullable Help help,
        @Nullable String url,
        @Nullable String runbookUrl) {

    public Alert {
        labels = labels == null || labels.isEmpty() ? null : Collections.unmodifiableMap(new TreeMap<>(labels));
        reopened = Json.present(reopened);
        notes = Json.present(notes);
    }

    public static final String FIRING = "firing";
    public static final String RESOLVED = "resolved";

    public boolean firing() {
        return state.equals(FIRING);
    }

    /// Where it lies in every topic of alerts: with its policy-domain, else with its MX, else with its submitter.
    public int partition(int partitions) {
        String place = Stream.of(policyDomain, receivingMxHostname, submitter)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse("");
        return Topics.partition(place, partitions);
    }

    /// The same for somebody who is not to see every affected domain.
    ///
    /// @param domains of the affected ones, those that may be named
    public Alert naming(List<String> domains) {
        return new Alert(
                alertId,
                incidentId,
                rule,
                resultType,
                policyDomain,
                receivingMxHostname,
                submitter,
                policyType,
                labels,
                state,
                severity,
                transition,
                reopened,
                openedAt,
                updatedAt,
                resolvedAt,
                resolveReason,
                acknowledged,
                notes,
                summary,
                evidence.naming(domains),
                help,
                url,
                runbookUrl);
    }

    /// What somebody said, and when.
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonPropertyOrder({"by", "at", "text"})
    public record Word(String by, Instant at, @Nullable String text) {}

    /// What the servers presented when somebody last looked.
    ///
    /// @param summary in a sentence or two
    /// @param confirms whether the look shows the fault that the alert is about; absent when it cannot tell
    /// @param findings the verdicts that bear on this alert
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonPropertyOrder({"inspected-at", "summary", "confirms", "findings"})
    public record Live(
            Instant inspectedAt,
            String summary,
            @Nullable Boolean confirms,
            @Nullable List<Inspection.Finding> findings) {
        public Live {
            findings = Json.present(findings);
        }
    }

    /// The numbers that made the decision.
    ///
    /// @param window the day judged
    /// @param branch which branch of the rule fired
    /// @param probability chance of so many failures if nothing had changed
    /// @param affectedDomains policy domains with such failures, at most 100, most failed sessions first
    /// @param affectedDomainCount how many there are in all
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    @JsonPropertyOrder({
        "window",
        "branch",
        "failed-session-count",
        "session-count",
        "baseline-failed",
        "baseline-sessions",
        "probability",
        "submitters",
        "receiving-ips",
        "failure-reason-codes",
        "affected-domains",
        "affected-domain-count",
        "live"
    })
    public record Evidence(
            LocalDate window,
            @Nullable String branch,
            long failedSessionCount,
            long sessionCount,
            long baselineFailed,
            long baselineSessions,
            @Nullable Double probability,
            @Nullable List<String> submitters,
            @Nullable List<String> receivingIps,
            @Nullable List<String> failureReasonCodes,
            @Nullable List<String> affectedDomains,
            @Nullable Integer affectedDomainCount,
            @Nullable Live live) {

        public Evidence {
            submitters = Json.present(submitters);
            receivingIps = Json.present(receivingIps);
            failureReasonCodes = Json.present(failureReasonCodes);
            affectedDomains = Json.present(affectedDomains);
        }

        /// Without a live look.
        public Evidence(
                LocalDate window,
                @Nullable String branch,
                long failedSessionCount,
                long sessionCount,
                long baselineFailed,
                long baselineSessions,
                @Nullable Double probability,
                @Nullable List<String> submitters,
                @Nullable List<String> receivingIps,
                @Nullable List<String> failureReasonCodes,
                @Nullable List<String> affectedDomains,
                @Nullable Integer affectedDomainCount) {
            this(
                    window,
                    branch,
                    failedSessionCount,
                    sessionCount,
                    baselineFailed,
                    baselineSessions,
                    probability,
                    submitters,
                    receivingIps,
                    failureReasonCodes,
                    affectedDomains,
                    affectedDomainCount,
                    null);
        }

        /// The same without one of the domains that it affects; unchanged when it names no such one.
        public Evidence without(String domain) {
            List<String> affected = affectedDomains;
            return affected == null || !affected.contains(domain)
                    ? this
                    : naming(
                            affected.stream()
                                    .filter(other -> !other.equals(domain))
                                    .toList(),
                            affectedDomainCount == null ? null : affectedDomainCount - 1);
        }

        private Evidence naming(List<String> domains) {
            return naming(domains, affectedDomains == null ? null : (Integer) domains.size());
        }

        private Evidence naming(List<String> domains, @Nullable Integer domainCount) {
            return new Evidence(
                    window,
                    branch,
                    failedSessionCount,
                    sessionCount,
                    baselineFailed,
                    baselineSessions,
                    probability,
                    submitters,
                    receivingIps,
                    failureReasonCodes,
                    domains,
                    domainCount,
                    live);
        }
    }

    /// What the failure means, how to mend it, and the command that shows it is mended.
    @JsonPropertyOrder({"meaning", "fix", "verify"})
    public record Help(String meaning, String fix, String verify) {

        /// What the catalogue says.
        public static Help of(FailureHelp help) {
            return new Help(help.meaning(), help.fix(), help.verify());
        }
    }
}

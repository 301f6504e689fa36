package io.tlsrpt.alerting;

import io.tlsrpt.report.FailureHelp;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Alert;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// Turns an incident into the alert that people and programs read. Every text from a report has been cleaned before it
/// gets here.
final class AlertWording {

    private static final int REPORTERS_NAMED = 3;

    private static final Map<String, String> TROUBLES = Map.ofEntries(
            Map.entry(ResultType.CERTIFICATE_EXPIRED.word(), "expired certificate"),
            Map.entry(ResultType.CERTIFICATE_HOST_MISMATCH.word(), "certificate for another host name"),
            Map.entry(ResultType.CERTIFICATE_NOT_TRUSTED.word(), "untrusted certificate"),
            Map.entry(ResultType.VALIDATION_FAILURE.word(), "TLS validation failure"),
            Map.entry(ResultType.STARTTLS_NOT_SUPPORTED.word(), "STARTTLS missing"),
            Map.entry(ResultType.TLSA_INVALID.word(), "TLSA records that do not fit the certificate"),
            Map.entry(ResultType.DANE_REQUIRED.word(), "no TLSA record where a sender requires DANE"),
            Map.entry(ResultType.DNSSEC_INVALID.word(), "DNSSEC that does not validate"),
            Map.entry(ResultType.STS_POLICY_FETCH_ERROR.word(), "MTA-STS policy that cannot be fetched"),
            Map.entry(ResultType.STS_POLICY_INVALID.word(), "MTA-STS policy that cannot be read"),
            Map.entry(ResultType.STS_WEBPKI_INVALID.word(), "MTA-STS policy host with an untrusted certificate"));

    private AlertWording() {}

    static Alert alert(Incident incident, String mx, Instant now, Settings settings) {
        Finding finding = incident.newest;
        boolean several = incident.affectedDomainCount > 1 || incident.policyDomain == null;
        return new Alert(
                incident.alertId,
                incident.incidentId(),
                incident.rule.word(),
                incident.type(),
                incident.policyDomain,
                incident.receivingMxHostname,
                null,
                finding.policyType(),
                labels(incident, settings),
                incident.firing ? Alert.FIRING : Alert.RESOLVED,
                incident.worst.severity().name().toLowerCase(Locale.ROOT),
                incident.transition,
                incident.reopened ? true : null,
                incident.openedAt,
                now,
                incident.resolvedAt,
                incident.resolution == null ? null : incident.resolution.word(),
                incident.acknowledged,
                incident.notes,
                summary(incident, mx),
                new Alert.Evidence(
                        finding.day(),
                        branch(finding),
                        finding.failed(),
                        finding.sessions(),
                        finding.baselineFailed(),
                        finding.baselineSessions(),
                        finding.probability(),
                        finding.reporters(),
                        incident.receivingIps,
                        incident.failureReasonCodes,
                        several ? incident.affectedDomains : null,
                        several ? incident.affectedDomainCount : null,
                        incident.live),
                Alert.Help.of(FailureHelp.ofResultType(incident.type())
                        .at(incident.receivingMxHostname, incident.policyDomain)),
                settings.alerting().publicUrl() + "/alerts/" + incident.alertId,
                runbook(settings, incident.type()));
    }

    static Alert alert(Standing standing, Instant now, Settings settings) {
        Claim claim = standing.claim;
        List<String> domains = claim.policyDomain() != null
                ? List.of(claim.policyDomain())
                : Objects.requireNonNullElse(claim.evidence().affectedDomains(), List.of());
        String summary = standing.resolution == null
                ? claim.trouble()
                : (standing.ending == null ? standing.resolution.word() : standing.ending) + ": " + claim.trouble();
        return new Alert(
                standing.alertId,
                standing.incidentId(),
                standing.rule.word(),
                standing.resultType,
                standing.policyDomain,
                standing.receivingMxHostname,
                standing.submitter,
                null,
                common(domains, settings),
                standing.firing ? Alert.FIRING : Alert.RESOLVED,
                standing.worst.name().toLowerCase(Locale.ROOT),
                standing.transition,
                standing.reopened ? true : null,
                standing.openedAt,
                now,
                standing.resolvedAt,
                standing.resolution == null ? null : standing.resolution.word(),
                standing.acknowledged,
                standing.notes,
                summary,
                claim.evidence(),
                FailureHelp.ofRule(standing.rule.word())
                        .map(help -> Alert.Help.of(help.at(standing.receivingMxHostname, standing.policyDomain)))
                        .orElse(null),
                settings.alerting().publicUrl() + "/alerts/" + standing.alertId,
                runbook(settings, standing.rule.word()));
    }

    /// @param word whose section is meant
    private static String runbook(Settings settings, String word) {
        return settings.alerting().publicUrl() + "/runbook#" + word;
    }

    private static String summary(Incident incident, String mx) {
        if (incident.resolution == null) {
            return trouble(incident, mx);
        }
        return switch (incident.resolution) {
            case RECOVERED ->
                "recovered: " + subject(incident, mx) + "; " + number(incident.cleanSessions) + " clean sessions after "
                        + incident.lastBad;
            case STALE -> "no data for 7 days, not a recovery: " + trouble(incident, mx);
            case MANUAL ->
                (incident.ending == null ? "resolved by hand" : incident.ending) + ": " + trouble(incident, mx);
            case RETRACTED -> "the reports were taken back: " + trouble(incident, mx);
            case PROBE -> "a live look found it mended: " + trouble(incident, mx);
        };
    }

    /// "expired certificate at mx1.example.com: 5 of 55 sessions (9 %) on 2026-11-20, one reporter (google.com); 0 of
    /// 1,500 in 28 days before"
    private static String trouble(Incident incident, String mx) {
        Finding finding = incident.newest;
        if (incident.rule == Rule.STS_POLICY) {
            return subject(incident, mx) + ": " + reporters(finding) + " on " + finding.day();
        }
        StringBuilder text = new StringBuilder(subject(incident, mx))
                .append(": ")
                .append(number(finding.failed()))
                .append(" of ")
                .append(number(finding.sessions()))
                .append(" sessions (")
                .append(percent(finding.failed(), finding.sessions()))
                .append(") ")
                .append(finding.days() == 1 ? "on " : "in the " + finding.days() + " days to ")
                .append(finding.day())
                .append(", ")
                .append(reporters(finding));
        if (finding.picture() != null) {
            text.append("; ").append(finding.picture().words(finding.reporters().getFirst()));
        }
        if (!finding.alongside().isEmpty()) {
            text.append("; also seen: ").append(String.join(", ", finding.alongside()));
        }
        if (finding.baselineSessions() == 0) {
            text.append("; nothing known of the 28 days before");
        } else {
            text.append("; ")
                    .append(number(finding.baselineFailed()))
                    .append(" of ")
                    .append(number(finding.baselineSessions()))
                    .append(" in 28 days before");
        }
        return text.toString();
    }

    private static String subject(Incident incident, String mx) {
        String what = TROUBLES.getOrDefault(incident.type(), incident.type());
        String host = incident.receivingMxHostname;
        String where = incident.rule == Rule.STS_POLICY
                ? " of " + MxName.domain(mx)
                : host == null ? " at an unnamed MX of " + MxName.domain(mx) : " at " + host;
        String domains = incident.affectedDomainCount > 1 ? ", " + incident.affectedDomainCount + " domains" : "";
        return what + where + domains;
    }

    private static String reporters(Finding finding) {
        List<String> named = finding.reporters().stream()
                .limit(REPORTERS_NAMED)
                .map(reporter -> CleanText.of(reporter, 100))
                .toList();
        String trust = finding.trusted() ? "" : "unverified ";
        String count = finding.reporterCount() == 1
                ? "one " + trust + "reporter"
                : finding.reporterCount() + " " + trust + "reporters";
        return count + " (" + String.join(", ", named) + (finding.reporterCount() > named.size() ? ", …" : "") + ")";
    }

    /// The long window is told apart: `B/3d`.
    private static String branch(Finding finding) {
        return finding.days() == 1 ? finding.branch() : finding.branch() + "/" + finding.days() + "d";
    }

    /// Of the domain, or those that all affected domains share; and `security` where somebody may be listening.
    private static Map<String, String> labels(Incident incident, Settings settings) {
        Map<String, String> all = common(
                incident.policyDomain == null ? incident.affectedDomains : List.of(incident.policyDomain), settings);
        if (incident.newest.picture() == Call.Picture.ONE_PATH) {
            all.put("security", "possible-downgrade");
        }
        return all;
    }

    /// The labels that all these domains share.
    private static Map<String, String> common(List<String> domains, Settings settings) {
        Map<String, String> labels = null;
        for (String domain : domains) {
            Settings.Domain entry = settings.domain(domain);
            Map<String, String> own = entry == null ? Map.of() : entry.labels();
            if (labels == null) {
                labels = new TreeMap<>(own);
            } else {
                labels.entrySet().retainAll(own.entrySet());
            }
        }
        return labels == null ? new TreeMap<>() : labels;
    }

    private static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /// Whole percents; two digits below one.
    static String percent(long part, long whole) {
        if (whole == 0) {
            return "0 %";
        }
        double percent = 100.0 * part / whole;
        if (percent >= 1 || part == 0) {
            return Math.round(percent) + " %";
        }
        return BigDecimal.valueOf(percent)
                        .round(new MathContext(2, RoundingMode.HALF_UP))
                        .stripTrailingZeros()
                        .toPlainString()
                + " %";
    }
}

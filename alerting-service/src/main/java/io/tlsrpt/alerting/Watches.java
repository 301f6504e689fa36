package io.tlsrpt.alerting;

import io.tlsrpt.inspection.FindingCode;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Alert.Evidence;
import io.tlsrpt.topics.Alert.Live;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Inspection.Address;
import io.tlsrpt.topics.Inspection.Certificate;
import io.tlsrpt.topics.Inspection.Finding;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What the watches say of one live look. Pure. A fault claims an alert; that all is well ends one; what could not be
/// found out does neither, and blames nobody.
final class Watches {

    private static final int MOST_FINDINGS = 10;

    /// Seconds (RFC 8461 §3.2).
    private static final long MOST_MAX_AGE = 31_557_600;

    /// What one rule says of one subject.
    ///
    /// @param alertId of the alert that it is about
    /// @param claim absent: all is well
    record Said(Rule rule, String alertId, @Nullable Claim claim) {}

    private final Look look;
    private final Inspection inspection;
    private final List<Finding> findings;
    private final @Nullable String domain;
    private final List<String> affected;
    private final List<Said> said = new ArrayList<>();

    private Watches(Look look, List<String> affected) {
        this.look = look;
        this.inspection = look.inspection();
        this.findings = Objects.requireNonNullElse(inspection.findings(), List.of());
        this.domain = look.mx() == null ? inspection.policyDomain() : null;
        this.affected = affected;
    }

    /// Of an MX host.
    ///
    /// @param before what was remembered when the last look was over
    /// @param domains that it serves
    /// @param warning how long before its end a certificate is worth an alert
    static List<Said> ofMx(Look look, Looked before, List<String> domains, Duration warning) {
        Watches watches = new Watches(look, domains);
        List<Address> addresses = expected(look, before);
        boolean allReached =
                !addresses.isEmpty() && addresses.stream().allMatch(LiveEvidence::reached) && LiveEvidence.whole(look);
        watches.certificates(addresses, allReached, warning);
        watches.faults(Rule.STARTTLS_MISSING, Set.of("starttls-missing"), Severity.CRITICAL, allReached);
        watches.faults(Rule.TLSA, Set.of("tlsa", "dnssec"), Severity.CRITICAL, allReached);
        return watches.said;
    }

    /// The addresses that must be reached before all is well. A family to which there is no way from here, and has not
    /// been of late, is left out: waiting for it would keep an alert open for ever.
    private static List<Address> expected(Look look, Looked before) {
        List<Address> addresses = LiveEvidence.addresses(look);
        Set<String> without = new TreeSet<>();
        addresses.forEach(address -> without.add(family(address)));
        addresses.stream()
                .filter(address -> address.detail() == null || !address.detail().endsWith(Inspection.NO_ROUTE))
                .forEach(address -> without.remove(family(address)));
        without.removeAll(before.families().keySet());
        return addresses.stream()
                .filter(address -> !without.contains(family(address)))
                .toList();
    }

    /// The families of which this look reached an address.
    static List<String> reached(Look look) {
        return LiveEvidence.addresses(look).stream()
                .filter(LiveEvidence::reached)
                .map(Watches::family)
                .distinct()
                .toList();
    }

    private static String family(Address address) {
        return address.ip().indexOf(':') < 0 ? "4" : "6";
    }

    /// Of a domain: its records, its policy and the host of that.
    ///
    /// @param before what was remembered when the last look was over
    /// @param ours addresses that reports shall be sent to; empty when nobody said so
    static List<Said> ofDomain(Look look, Looked before, List<String> ours, Duration warning) {
        Watches watches = new Watches(look, List.of(look.inspection().policyDomain()));
        watches.tlsRptRecord(before, ours);
        watches.mtaSts(before);
        watches.policyHost(warning);
        return watches.said;
    }

    /// What is to be remembered of this look at a domain.
    static Looked remember(Look look, Looked before, List<String> ours) {
        Inspection.TlsRpt tlsRpt = look.inspection().tlsRpt();
        Looked after = before;
        if (tlsRpt != null && tlsRpt.rua() != null && (before.rua() == null || lists(tlsRpt.rua(), ours))) {
            after = after.withRua(tlsRpt.rua());
        }
        Inspection.MtaSts mtaSts = look.inspection().mtaSts();
        Instant at = look.inspection().inspectedAt();
        if (mtaSts == null || mtaSts.sha256() == null) {
            return after.at(at);
        }
        boolean sameId = Objects.equals(mtaSts.id(), before.policyId()) && before.policySha256() != null;
        return after.withPolicy(
                at,
                mtaSts.id(),
                sameId ? before.policySha256() : mtaSts.sha256(),
                "enforce".equals(mtaSts.mode()) && "valid".equals(mtaSts.policyState())
                        ? at.plusSeconds(
                                Math.clamp(Objects.requireNonNullElse(mtaSts.maxAge(), MOST_MAX_AGE), 0, MOST_MAX_AGE))
                        : null);
    }

    private void certificates(List<Address> addresses, boolean allReached, Duration warning) {
        List<Finding> faults = faults(Set.of("certificate-expiry"));
        if (!faults.isEmpty()) {
            claim(Rule.CERTIFICATE_EXPIRY, severity(faults, Severity.CRITICAL), words(faults), faults);
            return;
        }
        Optional<Certificate> first = addresses.stream()
                .map(Address::certificate)
                .filter(Objects::nonNull)
                .filter(certificate -> endsSoon(certificate, warning))
                .min(Comparator.comparing(Certificate::notAfter));
        if (first.isPresent()) {
            claim(Rule.CERTIFICATE_EXPIRY, Severity.WARNING, "at " + look.mx() + ": " + ending(first.get()), List.of());
        } else if (allReached && addresses.stream().allMatch(address -> address.certificate() != null)) {
            well(Rule.CERTIFICATE_EXPIRY);
        }
    }

    private void policyHost(Duration warning) {
        Inspection.MtaSts mtaSts = inspection.mtaSts();
        Certificate certificate = mtaSts == null ? null : mtaSts.certificate();
        if (certificate == null) {
            if (mtaSts != null && mtaSts.state().equals("missing")) {
                well(Rule.CERTIFICATE_EXPIRY); // nobody asks that host any more
            }
        } else if (endsSoon(certificate, warning)) {
            claim(
                    Rule.CERTIFICATE_EXPIRY,
                    Severity.WARNING,
                    "at mta-sts." + domain + ": " + ending(certificate),
                    List.of());
        } else {
            well(Rule.CERTIFICATE_EXPIRY);
        }
    }

    private boolean endsSoon(Certificate certificate, Duration warning) {
        return certificate.notAfter().isBefore(inspection.inspectedAt().plus(warning));
    }

    private String ending(Certificate certificate) {
        long days = Duration.between(inspection.inspectedAt(), certificate.notAfter())
                .toDays();
        return "the certificate ends on " + day(certificate.notAfter()) + (days < 0 ? "" : ", in " + days + " days")
                + " (issuer " + CleanText.of(certificate.issuer(), 100) + ")";
    }

    private void tlsRptRecord(Looked before, List<String> ours) {
        Inspection.TlsRpt tlsRpt = inspection.tlsRpt();
        List<Finding> faults = faults(Set.of("tlsrpt-record"));
        if (!faults.isEmpty()) {
            claim(Rule.TLSRPT_RECORD, Severity.WARNING, words(faults), faults);
            return;
        }
        if (tlsRpt == null || !tlsRpt.state().equals("published")) {
            return;
        }
        List<String> rua = Objects.requireNonNullElse(tlsRpt.rua(), List.of());
        List<String> meant = before.rua();
        String shown = CleanText.of(String.join(", ", rua), 300);
        if (!ours.isEmpty() && !lists(rua, ours)) {
            claim(
                    Rule.TLSRPT_RECORD,
                    Severity.WARNING,
                    "the TLSRPT record of " + domain + " lists none of our addresses, so reports go elsewhere: "
                            + shown,
                    List.of());
        } else if (ours.isEmpty() && meant != null && !Set.copyOf(meant).equals(Set.copyOf(rua))) {
            claim(
                    Rule.TLSRPT_RECORD,
                    Severity.WARNING,
                    "the addresses in the TLSRPT record of " + domain + " have changed to " + shown + " (before: "
                            + CleanText.of(String.join(", ", meant), 300) + ")",
                    List.of());
        } else {
            well(Rule.TLSRPT_RECORD);
        }
    }

    private void mtaSts(Looked before) {
        Inspection.MtaSts now = inspection.mtaSts();
        List<Finding> faults = faults(Set.of("mta-sts"));
        if (!faults.isEmpty()) {
            boolean holdsMailBack = faults.stream()
                    .anyMatch(finding -> finding.verdict().equals(Inspection.ERROR)
                            && finding.code().equals(FindingCode.MTA_STS_MX_UNCOVERED.code()));
            claim(Rule.MTA_STS, holdsMailBack ? Severity.CRITICAL : Severity.WARNING, words(faults), faults);
        } else if (now == null || now.state().equals("unknown") || "unknown".equals(now.policyState())) {
            return;
        } else if (now.state().equals("missing")
                && before.enforcedUntil() != null
                && inspection.inspectedAt().isBefore(before.enforcedUntil())) {
            claim(
                    Rule.MTA_STS,
                    Severity.WARNING,
                    "the MTA-STS record of " + domain
                            + " is gone while senders still hold its policy with mode enforce",
                    List.of());
        } else if (now.sha256() != null
                && before.policySha256() != null
                && Objects.equals(now.id(), before.policyId())
                && !now.sha256().equals(before.policySha256())) {
            claim(
                    Rule.MTA_STS,
                    Severity.WARNING,
                    "the MTA-STS policy of " + domain
                            + " has changed and the id of its record has not: senders keep the" + " old policy",
                    List.of());
        } else {
            well(Rule.MTA_STS);
        }
    }

    private void faults(Rule rule, Set<String> areas, Severity most, boolean allReached) {
        List<Finding> faults = faults(areas);
        if (!faults.isEmpty()) {
            claim(rule, severity(faults, most), words(faults), faults);
        } else if (allReached
                && findings.stream()
                        .noneMatch(finding -> areas.contains(finding.area())
                                && finding.verdict().equals(Inspection.UNKNOWN))) {
            well(rule);
        }
    }

    private List<Finding> faults(Set<String> areas) {
        return findings.stream()
                .filter(finding -> areas.contains(finding.area()))
                .filter(finding -> finding.verdict().equals(Inspection.ERROR)
                        || finding.verdict().equals(Inspection.WARNING))
                .toList();
    }

    private static Severity severity(List<Finding> faults, Severity most) {
        boolean error = faults.stream().anyMatch(finding -> finding.verdict().equals(Inspection.ERROR));
        return error ? most : Severity.WARNING;
    }

    private String words(List<Finding> faults) {
        Finding worst = faults.getFirst();
        String more = faults.size() == 1 ? "" : " (and " + (faults.size() - 1) + " more)";
        return CleanText.of(worst.subject(), 300) + ": " + CleanText.of(worst.found(), 500) + more;
    }

    private void claim(Rule rule, Severity severity, String trouble, List<Finding> bearing) {
        Evidence evidence = new Evidence(
                day(inspection.inspectedAt()),
                null,
                0,
                0,
                0,
                0,
                null,
                null,
                null,
                null,
                domain == null ? affected : null,
                domain == null ? affected.size() : null,
                new Live(
                        inspection.inspectedAt(),
                        trouble,
                        true,
                        bearing.stream().limit(MOST_FINDINGS).toList()));
        Claim claim = new Claim(rule, null, domain, look.mx(), null, severity, trouble, evidence);
        said.add(new Said(rule, claim.alertId(), claim));
    }

    private void well(Rule rule) {
        said.add(new Said(rule, Life.alertId(rule, null, domain, look.mx(), null), null));
    }

    private static boolean lists(List<String> rua, List<String> ours) {
        return rua.stream().anyMatch(ours::contains);
    }

    private static LocalDate day(Instant instant) {
        return LocalDate.ofInstant(instant, ZoneOffset.UTC);
    }
}

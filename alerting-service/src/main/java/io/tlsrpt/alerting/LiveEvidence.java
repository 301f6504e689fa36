package io.tlsrpt.alerting;

import io.tlsrpt.inspection.FindingCode;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.topics.Alert.Live;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Inspection.Address;
import io.tlsrpt.topics.Inspection.Certificate;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What a live look says about one fault: in a sentence, and whether it shows that fault, shows that there is none, or
/// cannot tell.
final class LiveEvidence {

    private static final int MOST_FINDINGS = 10;
    private static final int MOST_TEXT = 100;
    private static final int NAMES_SHOWN = 3;

    private static final String BLOCKED = "blocked";
    private static final String OPEN = "open";
    private static final String UNKNOWN = "unknown";
    private static final String OFFERED = "offered";
    private static final String VALID = "valid";

    /// The word of the look for a certificate that a report refuses by that result type.
    private static final Map<String, String> PKIX = Map.of(
            ResultType.CERTIFICATE_EXPIRED.word(), "expired",
            ResultType.CERTIFICATE_HOST_MISMATCH.word(), "host-mismatch",
            ResultType.CERTIFICATE_NOT_TRUSTED.word(), "not-trusted");

    /// How the codes of the findings begin that bear on a rule.
    private static final Map<Rule, Set<String>> BEARING = Map.of(
            Rule.CERTIFICATE, Set.of("certificate-", "starttls-", "tls-version-", "mta-sts-mx-"),
            Rule.STARTTLS_REGRESSION, Set.of("starttls-"),
            Rule.DANE, Set.of("tlsa-", "dnssec-", "dns-failed"),
            Rule.STS_POLICY, Set.of("mta-sts-"));

    /// Said of an MX host, they mean that not all its addresses are known.
    private static final Set<String> INCOMPLETE =
            Set.of(FindingCode.MX_TOO_MANY.code(), FindingCode.DNS_FAILED.code(), FindingCode.DNSSEC_BOGUS.code());

    private LiveEvidence() {}

    /// @return null when the look is about something else
    static @Nullable Live of(Rule rule, String resultType, Look look) {
        Inspection inspection = look.inspection();
        Inspection.Mx mx = look.mx() == null || inspection.mx() == null
                ? null
                : inspection.mx().getFirst();
        if ((rule == Rule.STS_POLICY) != (look.mx() == null) || (mx == null && rule != Rule.STS_POLICY)) {
            return null;
        }
        List<Inspection.Finding> findings =
                Objects.requireNonNullElse(inspection.findings(), List.<Inspection.Finding>of()).stream()
                        .filter(finding ->
                                BEARING.getOrDefault(rule, Set.of()).stream().anyMatch(finding.code()::startsWith))
                        .limit(MOST_FINDINGS)
                        .toList();
        String summary;
        Boolean confirms;
        if (mx == null) {
            summary = policySummary(inspection.mtaSts());
            confirms = policyFault(resultType, inspection.mtaSts());
        } else if (rule == Rule.DANE && !resultType.equals(ResultType.TLSA_INVALID.word())) {
            summary = dnsSummary(mx);
            confirms = dnsFault(resultType, mx);
        } else if (inspection.port25().equals(BLOCKED)) {
            summary = "port 25 is blocked from here";
            confirms = null;
        } else {
            summary = addressSummary(rule, addresses(mx));
            confirms = inspection.port25().equals(OPEN)
                    ? addressFault(rule, resultType, addresses(mx), whole(look))
                    : null;
        }
        return new Live(inspection.inspectedAt(), summary, confirms, findings);
    }

    /// Whether each address of the MX was reached and presents a certificate that senders accept.
    static boolean allValid(Look look) {
        Inspection inspection = look.inspection();
        List<Inspection.Mx> mx = inspection.mx();
        return look.mx() != null
                && mx != null
                && inspection.port25().equals(OPEN)
                && whole(look)
                && !addresses(mx.getFirst()).isEmpty()
                && addresses(mx.getFirst()).stream()
                        .allMatch(address -> address.starttls().equals(OFFERED) && VALID.equals(address.pkix()));
    }

    /// Whether the look knows all addresses of the MX: none beyond its limit, and none hidden by trouble in DNS.
    static boolean whole(Look look) {
        return Objects.requireNonNullElse(look.inspection().findings(), List.<Inspection.Finding>of()).stream()
                .noneMatch(finding ->
                        INCOMPLETE.contains(finding.code()) && finding.subject().equals(look.mx()));
    }

    private static @Nullable Boolean addressFault(
            Rule rule, String resultType, List<Address> addresses, boolean whole) {
        Predicate<Address> faulty = switch (rule) {
            case STARTTLS_REGRESSION -> address -> address.starttls().equals("missing");
            case DANE -> address -> Boolean.FALSE.equals(address.tlsaMatch());
            default ->
                resultType.equals(ResultType.VALIDATION_FAILURE.word())
                        ? address -> address.starttls().equals("failed")
                                || (address.pkix() != null && !VALID.equals(address.pkix()))
                        : address -> Objects.equals(PKIX.get(resultType), address.pkix());
        };
        Predicate<Address> clean = switch (rule) {
            case STARTTLS_REGRESSION -> address -> address.starttls().equals(OFFERED);
            case DANE -> address -> Boolean.TRUE.equals(address.tlsaMatch());
            default -> address -> VALID.equals(address.pkix());
        };
        if (addresses.stream().filter(LiveEvidence::reached).anyMatch(faulty)) {
            return true;
        }
        boolean well = whole && !addresses.isEmpty() && addresses.stream().allMatch(clean);
        return well ? false : null;
    }

    private static String addressSummary(Rule rule, List<Address> addresses) {
        List<Address> reached = addresses.stream().filter(LiveEvidence::reached).toList();
        if (reached.isEmpty()) {
            return addresses.isEmpty() ? "the host has no address" : "no address could be reached";
        }
        List<String> parts = new ArrayList<>();
        if (rule == Rule.DANE) {
            long judged = reached.stream()
                    .filter(address -> address.tlsaMatch() != null)
                    .count();
            long fit = reached.stream()
                    .filter(address -> Boolean.TRUE.equals(address.tlsaMatch()))
                    .count();
            parts.add(judged == 0 ? "no TLSA records that count" : "TLSA records fit " + on(fit, addresses));
        }
        Map<String, Long> presented = new LinkedHashMap<>();
        reached.stream()
                .map(LiveEvidence::presented)
                .filter(Objects::nonNull)
                .forEach(words -> presented.merge(words, 1L, Long::sum));
        presented.forEach((words, count) -> parts.add("presents " + words + " " + on(count, addresses)));
        long offered = reached.stream()
                .filter(address -> address.starttls().equals(OFFERED))
                .count();
        parts.add("STARTTLS offered " + on(offered, addresses));
        if (reached.size() < addresses.size()) {
            parts.add(addresses.size() - reached.size() + " could not be reached");
        }
        return String.join("; ", parts);
    }

    private static @Nullable String presented(Address address) {
        Certificate leaf = address.certificate();
        if (leaf == null || address.pkix() == null) {
            return null;
        }
        String issuer = " (issuer " + CleanText.of(leaf.issuer(), MOST_TEXT) + ")";
        return switch (address.pkix()) {
            case "expired" -> "a certificate that expired on " + day(leaf.notAfter()) + issuer;
            case "not-yet-valid" -> "a certificate that is valid from " + day(leaf.notBefore()) + issuer;
            case "host-mismatch" -> "a certificate for other names (" + names(leaf) + ")";
            case "not-trusted" -> "a certificate without a chain to a trusted authority" + issuer;
            default -> "a valid certificate";
        };
    }

    private static String names(Certificate leaf) {
        List<String> names = Objects.requireNonNullElse(leaf.names(), List.of());
        String shown = names.stream()
                .limit(NAMES_SHOWN)
                .map(name -> CleanText.of(name, MOST_TEXT))
                .collect(Collectors.joining(", "));
        return names.isEmpty() ? "none" : shown + (names.size() > NAMES_SHOWN ? ", …" : "");
    }

    private static String dnsSummary(Inspection.Mx mx) {
        return "addresses of the host: DNSSEC " + Objects.requireNonNullElse(mx.dnssec(), UNKNOWN) + "; TLSA records: "
                + (mx.tlsa() == null ? UNKNOWN : mx.tlsa().state());
    }

    private static @Nullable Boolean dnsFault(String resultType, Inspection.Mx mx) {
        String tlsa = mx.tlsa() == null ? UNKNOWN : mx.tlsa().state();
        String host = Objects.requireNonNullElse(mx.dnssec(), UNKNOWN);
        if (resultType.equals(ResultType.DNSSEC_INVALID.word())) {
            if (host.equals("bogus") || tlsa.equals("bogus")) {
                return true;
            }
            boolean known = !host.equals(UNKNOWN) && !tlsa.equals(UNKNOWN);
            return known ? false : null;
        }
        return tlsa.equals(UNKNOWN) ? null : !tlsa.equals("secure");
    }

    private static String policySummary(Inspection.@Nullable MtaSts found) {
        if (found == null) {
            return "nothing known of the MTA-STS policy";
        }
        if (found.policyState() == null) {
            return "MTA-STS record: " + found.state();
        }
        Map<String, String> words = new TreeMap<>(Map.of(
                VALID,
                "the MTA-STS policy is there and can be read",
                "unfetchable",
                "the MTA-STS policy cannot be fetched",
                "untrusted",
                "the policy host presents a certificate that senders refuse",
                "invalid",
                "the MTA-STS policy cannot be read"));
        return words.getOrDefault(found.policyState(), "whether the MTA-STS policy is there is unknown");
    }

    private static @Nullable Boolean policyFault(String resultType, Inspection.@Nullable MtaSts found) {
        String state = found == null || found.policyState() == null ? UNKNOWN : found.policyState();
        if (state.equals(VALID)) {
            return false;
        }
        boolean shown = switch (state) {
            case "unfetchable" -> resultType.equals(ResultType.STS_POLICY_FETCH_ERROR.word());
            case "untrusted" -> !resultType.equals(ResultType.STS_POLICY_INVALID.word());
            case "invalid" -> resultType.equals(ResultType.STS_POLICY_INVALID.word());
            default -> false;
        };
        return shown ? true : null;
    }

    /// Of the one MX that the look is about.
    static List<Address> addresses(Look look) {
        List<Inspection.Mx> mx = look.inspection().mx();
        return mx == null || mx.isEmpty() ? List.of() : addresses(mx.getFirst());
    }

    private static List<Address> addresses(Inspection.Mx mx) {
        return Objects.requireNonNullElse(mx.addresses(), List.of());
    }

    static boolean reached(Address address) {
        return !address.starttls().equals(UNKNOWN);
    }

    private static String on(long count, List<Address> addresses) {
        return "on " + count + " of " + addresses.size() + (addresses.size() == 1 ? " address" : " addresses");
    }

    private static LocalDate day(Instant instant) {
        return LocalDate.ofInstant(instant, ZoneOffset.UTC);
    }
}

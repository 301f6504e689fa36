package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a live look at one of our domains showed (`tlsrpt.inspections`, key policy-domain): what is published in DNS,
/// the
/// MTA-STS policy, and what each address of each MX presents.
///
/// @param trigger `watch`, `alert` or `request`
/// @param port25 `open`, `blocked` (nothing in the world answers on it from here) or `unknown`
/// @param findings the verdict of each point, worst first
@JsonPropertyOrder({"policy-domain", "inspected-at", "trigger", "port25", "mail", "tls-rpt", "mta-sts", "mx", "findings"
})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Inspection(
        String policyDomain,
        Instant inspectedAt,
        String trigger,
        String port25,
        @Nullable String mail,
        @Nullable TlsRpt tlsRpt,
        @Nullable MtaSts mtaSts,
        @Nullable List<Mx> mx,
        @Nullable List<Finding> findings) {

    public static final String WATCH = "watch";
    public static final String ALERT = "alert";
    public static final String REQUEST = "request";

    public static final String OK = "ok";
    public static final String NOTE = "note";
    public static final String WARNING = "warning";
    public static final String ERROR = "error";

    /// It could not be found out, which blames nobody.
    public static final String UNKNOWN = "unknown";

    /// How the detail of an address ends to which there is no way from here, as to all of IPv6 from many hosts.
    public static final String NO_ROUTE = "no route from here";

    public Inspection {
        mx = Json.present(mx);
        findings = Json.present(findings);
    }

    /// The TLSRPT record (RFC 8460 §3).
    ///
    /// @param state `published`, `missing`, `invalid`, `several` or `unknown` (DNS trouble)
    /// @param record its text
    /// @param rua its addresses
    @JsonPropertyOrder({"state", "record", "rua"})
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    public record TlsRpt(
            String state, @Nullable String record, @Nullable List<String> rua) {
        public TlsRpt {
            rua = Json.present(rua);
        }
    }

    /// The MTA-STS record and policy (RFC 8461).
    ///
    /// @param state of the record: `published`, `missing`, `invalid` or `unknown`
    /// @param policyState `valid`, `unfetchable`, `untrusted` (HTTPS certificate), `invalid` or `unknown`; absent
    /// without
    /// a record
    /// @param sha256 of the policy's bytes, hex
    @JsonPropertyOrder({"state", "id", "policy-state", "mode", "max-age", "mx", "sha256", "certificate"})
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    public record MtaSts(
            String state,
            @Nullable String id,
            @Nullable String policyState,
            @Nullable String mode,
            @Nullable Long maxAge,
            @Nullable List<String> mx,
            @Nullable String sha256,
            @Nullable Certificate certificate) {
        public MtaSts {
            mx = Json.present(mx);
        }
    }

    /// One MX host.
    ///
    /// @param dnssec of its address records: `secure`, `insecure`, `bogus` or `unknown`
    /// @param coveredByPolicy whether a pattern of the MTA-STS policy matches; absent without a valid policy
    /// @param tlsa its TLSA records
    @JsonPropertyOrder({"host", "preference", "dnssec", "covered-by-policy", "tlsa", "addresses"})
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    public record Mx(
            String host,
            int preference,
            @Nullable String dnssec,
            @Nullable Boolean coveredByPolicy,
            @Nullable Tlsa tlsa,
            @Nullable List<Address> addresses) {
        public Mx {
            addresses = Json.present(addresses);
        }
    }

    /// @param state `secure`, `insecure` (not signed: ignored by senders), `bogus`, `missing` or `unknown`
    /// @param records as in a zone file: `3 1 1 <hex>`
    @JsonPropertyOrder({"state", "records"})
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    public record Tlsa(String state, @Nullable List<String> records) {
        public Tlsa {
            records = Json.present(records);
        }
    }

    /// What one address of an MX presents.
    ///
    /// @param starttls `offered`, `missing`, `failed` (offered, then no handshake) or `unknown` (not reached)
    /// @param detail why it was not reached, or what failed
    /// @param pkix whether senders that obey MTA-STS accept the certificate: `valid`, `expired`, `not-yet-valid`,
    /// `host-mismatch`, `not-trusted`
    /// @param tlsaMatch whether the TLSA records fit; absent where there are none that count
    @JsonPropertyOrder({"ip", "starttls", "detail", "tls-version", "pkix", "tlsa-match", "certificate"})
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    public record Address(
            String ip,
            String starttls,
            @Nullable String detail,
            @Nullable String tlsVersion,
            @Nullable String pkix,
            @Nullable Boolean tlsaMatch,
            @Nullable Certificate certificate) {}

    /// A leaf certificate, in words that may be shown: cleaned and cut.
    ///
    /// @param names the DNS-IDs of its subjectAltName, at most 100
    /// @param sha256 of its DER bytes, hex
    @JsonPropertyOrder({"subject", "issuer", "names", "not-before", "not-after", "sha256"})
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    public record Certificate(
            String subject,
            String issuer,
            @Nullable List<String> names,
            Instant notBefore,
            Instant notAfter,
            String sha256) {
        public Certificate {
            names = Json.present(names);
        }
    }

    /// The verdict on one point.
    ///
    /// @param code which fault, such as `certificate-expired`; the same word for the same fault always
    /// @param area the rule that watches it: `certificate-expiry`, `starttls-missing`, `tlsrpt-record`, `mta-sts` or
    /// `tlsa`; `mx` and `dnssec` are watched by none
    /// @param verdict `ok`, `note`, `warning`, `error` or `unknown`
    /// @param subject what it is about: the domain, an MX host, or host and address
    /// @param mx the MX host where it is about one
    /// @param found the value found, in words
    /// @param fix what to do; absent when nothing is to be done
    /// @param reference the rule it breaks, such as `RFC 8461 §4.1`
    @JsonPropertyOrder({"code", "area", "verdict", "subject", "mx", "found", "fix", "reference"})
    @JsonInclude(JsonInclude.Include.NON_EMPTY)
    public record Finding(
            String code,
            String area,
            String verdict,
            String subject,
            @Nullable String mx,
            String found,
            @Nullable String fix,
            @Nullable String reference) {}
}

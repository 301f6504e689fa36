package io.tlsrpt.inspection;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Every point that a look at a domain can judge. How grave it is depends on what else was found, see
/// `docs/inspection.md`.
public enum FindingCode {
    TLSRPT_RECORD_OK("tlsrpt-record", "RFC 8460 §3", null),
    TLSRPT_RECORD_MISSING("tlsrpt-record", "RFC 8460 §3", "publish a TXT record at _smtp._tls.<domain>"),
    TLSRPT_RECORD_INVALID("tlsrpt-record", "RFC 8460 §3", "correct the TXT record at _smtp._tls.<domain>"),
    TLSRPT_RECORD_SEVERAL(
            "tlsrpt-record",
            "RFC 8460 §3",
            "leave one TXT record at _smtp._tls.<domain>; it may name several addresses"),
    TLSRPT_RECORD_DOUBTFUL("tlsrpt-record", "RFC 8460 §3", "write it so that every sender reads it"),
    MTA_STS_OK("mta-sts", "RFC 8461 §3", null),
    MTA_STS_RECORD_MISSING("mta-sts", "RFC 8461 §3.1", "publish an MTA-STS record and policy, first with mode testing"),
    MTA_STS_RECORD_INVALID(
            "mta-sts",
            "RFC 8461 §3.1",
            "correct the TXT record at _mta-sts.<domain>: v=STSv1; id=<1 to 32 letters and digits>"),
    MTA_STS_POLICY_UNFETCHABLE(
            "mta-sts",
            "RFC 8461 §3.3",
            "answer GET https://mta-sts.<domain>/.well-known/mta-sts.txt with status 200 and the policy, without redirect"),
    MTA_STS_POLICY_UNTRUSTED(
            "mta-sts",
            "RFC 8461 §3.3",
            "install a certificate for mta-sts.<domain> from a public authority, with its intermediate certificates"),
    MTA_STS_POLICY_INVALID("mta-sts", "RFC 8461 §3.2", "correct the policy, then change the id of the record"),
    MTA_STS_POLICY_DOUBTFUL("mta-sts", "RFC 8461 §3.2", "write the policy so that every sender reads it"),
    MTA_STS_MAX_AGE_SHORT("mta-sts", "RFC 8461 §3.2", "set max_age to weeks, for example 1209600, when all is well"),
    MTA_STS_NOT_ENFORCED("mta-sts", "RFC 8461 §5", "go to mode enforce when the reports show no failures"),
    MTA_STS_MX_UNCOVERED("mta-sts", "RFC 8461 §4.1", "add the MX host to the policy, then change the id of the record"),
    MTA_STS_PATTERN_UNUSED("mta-sts", "RFC 8461 §4.1", "remove the pattern when no MX is to come that it matches"),
    CERTIFICATE_OK("certificate-expiry", "RFC 8461 §4.2", null),
    CERTIFICATE_EXPIRED("certificate-expiry", "RFC 8461 §4.2", "install a new certificate and restart the mail server"),
    CERTIFICATE_NOT_YET_VALID(
            "certificate-expiry",
            "RFC 8461 §4.2",
            "install a certificate that is valid now; check the clock that issued it"),
    CERTIFICATE_HOST_MISMATCH(
            "certificate-expiry", "RFC 8461 §4.2", "install a certificate whose subjectAltName has the MX host's name"),
    CERTIFICATE_NOT_TRUSTED(
            "certificate-expiry",
            "RFC 8461 §4.2",
            "install a certificate from a public authority, and send its intermediate certificates too"),
    STARTTLS_OK("starttls-missing", "RFC 3207", null),
    STARTTLS_MISSING("starttls-missing", "RFC 3207", "switch STARTTLS on; look for a firewall that strips it"),
    STARTTLS_FAILED(
            "starttls-missing", "RFC 3207", "look into the mail server's log: key, certificate and protocol versions"),
    TLSA_OK("tlsa", "RFC 7671", null),
    TLSA_MISSING("tlsa", "RFC 7672", null),
    TLSA_MISMATCH(
            "tlsa",
            "RFC 7671 §8",
            "publish TLSA records for the certificate in use, or put the certificate back that fits"),
    TLSA_UNUSABLE("tlsa", "RFC 7672 §3.1", "publish a record 3 1 1 with the SHA-256 of the server's public key"),
    TLSA_NOT_SECURE("tlsa", "RFC 6698 §4.1", "sign the zone of the MX host with DNSSEC, or remove the records"),
    TLSA_MX_NOT_SECURE("tlsa", "RFC 7672 §2.2", "sign the domain's own zone too"),
    TLSA_ROLLOVER("tlsa", "RFC 7671 §8.1", "remove the old records when the change of keys is done"),
    MX_OK("mx", "RFC 5321 §5.1", null),
    MX_NULL("mx", "RFC 7505", null),
    MX_NULL_NOT_ALONE("mx", "RFC 7505 §3", "remove the null MX or the others"),
    MX_MISSING("mx", "RFC 5321 §5.1", "publish an MX record"),
    MX_LOOKUP_FAILED("mx", "RFC 5321 §5.1", "look at the name servers of the domain"),
    MX_IS_ALIAS("mx", "RFC 5321 §5.1", "name the host itself in the MX record, not an alias"),
    MX_WITHOUT_ADDRESS("mx", "RFC 5321 §5.1", "give the MX host an address record, or remove it"),
    MX_ADDRESS_PRIVATE("mx", "RFC 6890", "publish addresses only that the internet can reach"),
    MX_UNREACHABLE("mx", "RFC 5321 §4.5.4", "look at the mail server and the firewall before it"),
    MX_TOO_MANY("mx", null, null),
    PORT_25_BLOCKED("mx", null, "run the look from a network that lets connections to port 25 out"),
    DNSSEC_BOGUS("dnssec", "RFC 4035 §5", "renew the signatures, or correct the DS record at the parent"),
    DNSSEC_UNKNOWN("dnssec", "RFC 4033 §5", "use a DNS server that passes signatures on, or correct the trust anchors"),
    DNS_FAILED("dnssec", "RFC 1035", "look at the name servers of the zone");

    private final String code;
    private final String area;
    private final @Nullable String reference;
    private final @Nullable String fix;

    FindingCode(String area, @Nullable String reference, @Nullable String fix) {
        this.code = name().toLowerCase(Locale.ROOT).replace('_', '-');
        this.area = area;
        this.reference = reference;
        this.fix = fix;
    }

    /// The word in the topic, in alerts and on the command line.
    public String code() {
        return code;
    }

    /// What it belongs to, see [io.tlsrpt.topics.Inspection.Finding].
    public String area() {
        return area;
    }

    /// The rule behind it, if there is one.
    public @Nullable String reference() {
        return reference;
    }

    /// What is to be done when it is not well; null when nothing is.
    public @Nullable String fix() {
        return fix;
    }
}

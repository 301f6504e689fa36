package io.tlsrpt.dkim;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What the DKIM signatures of one mail are worth.
///
/// @param signatures  each DKIM-Signature field from the top, at most 100
/// @param fromDomains the domains of the From field as canonical names; empty when there is not exactly one such field,
/// or it
///                    cannot be read
public record DkimResult(List<Signature> signatures, List<String> fromDomains) {

    public DkimResult {
        signatures = List.copyOf(signatures);
        fromDomains = List.copyOf(fromDomains);
    }

    /// Whether the mail has no DKIM-Signature field at all.
    public boolean unsigned() {
        return signatures.isEmpty();
    }

    /// Whether no signature passed and one at least may pass later, because DNS failed (RFC 6376 §6.1). One that cannot
    /// speak for From would not count then either: a stranger's broken DNS delays nothing.
    public boolean temporary() {
        return passed().isEmpty()
                && signatures.stream()
                        .filter(signature -> signature.verdict() == Verdict.TEMPFAIL)
                        .anyMatch(signature -> speaksForFrom(signature, false));
    }

    /// Whether [#by] is empty and may have an answer once DNS works again: a relay's own good signature does not hide
    /// that
    /// the reporter's key could not be fetched.
    public boolean temporaryFor(String reportingDomain, boolean strict) {
        return by(reportingDomain, strict).isEmpty()
                && signatures.stream()
                        .filter(signature -> signature.verdict() == Verdict.TEMPFAIL)
                        .anyMatch(signature -> speaksFor(signature, reportingDomain, strict));
    }

    /// The signatures that verified, whoever made them.
    public List<Signature> passed() {
        return signatures.stream()
                .filter(signature -> signature.verdict() == Verdict.PASS)
                .toList();
    }

    /// The passed signature of the reporting domain (RFC 8460 §3): its `d=` is that domain or a parent of it at or
    /// below the
    /// organisational domain, and stands in the same relation to every domain of the From field. A child or a sibling
    /// does
    /// not speak for a domain, a public suffix for none.
    ///
    /// @param reportingDomain the domain of the report's `contact-info`, canonical
    /// @param strict          only the domain itself, for From too
    public Optional<Signature> by(String reportingDomain, boolean strict) {
        return passed().stream()
                .filter(signature -> speaksFor(signature, reportingDomain, strict))
                .findFirst();
    }

    private boolean speaksFor(Signature signature, String reportingDomain, boolean strict) {
        return speaksFor(signature.domain(), reportingDomain, strict) && speaksForFrom(signature, strict);
    }

    private boolean speaksForFrom(Signature signature, boolean strict) {
        return !fromDomains.isEmpty()
                && fromDomains.stream().allMatch(from -> speaksFor(signature.domain(), from, strict));
    }

    private static boolean speaksFor(String signer, String domain, boolean strict) {
        return strict
                ? signer.equals(domain) && !OrganizationalDomain.isRegistry(signer)
                : OrganizationalDomain.speaksFor(signer, domain);
    }

    /// One DKIM-Signature field, judged.
    ///
    /// @param domain        `d=`, canonical; empty when unreadable
    /// @param selector      `s=`, canonical; empty when unreadable
    /// @param detail        more about the verdict, for people; our own words, nothing of the mail but names
    /// @param signedHeaders the names in `h=`, lower case, of which every field in the mail is covered: a second,
    /// unsigned field
    ///                      of that name takes the name off this list
    public record Signature(
            String domain, String selector, Verdict verdict, String detail, List<String> signedHeaders) {

        public Signature {
            signedHeaders = List.copyOf(signedHeaders);
        }

        /// Whether all fields of this name are signed, or their absence is.
        public boolean signed(String header) {
            return signedHeaders.contains(header.toLowerCase(Locale.ROOT));
        }
    }

    /// Why a signature counts or does not.
    public enum Verdict {
        /// Verified.
        PASS("pass"),

        // the mail
        /// A header line that is no field, or a field name nobody can read: readers would disagree about such a mail.
        MALFORMED_HEADER("malformed-header"),
        /// A header over 4 MiB or 10,000 fields.
        HEADER_TOO_LARGE("header-too-large"),
        /// Not exactly one From field (RFC 5322 §3.6, RFC 6376 §8.15).
        NOT_ONE_FROM("not-one-from"),
        /// More than one Content-Type field: which one a reader believes is anybody's guess (RFC 6376 §6.1.1).
        DUPLICATE_CONTENT_TYPE("duplicate-content-type"),

        // the field
        /// Not a list of tags, a tag twice, or a value that breaks its grammar (RFC 6376 §6.1.1).
        MALFORMED("malformed"),
        /// `v=` is not 1.
        VERSION("version"),
        /// One of v, a, b, bh, d, h, s is not there.
        MISSING_TAG("missing-tag"),
        /// `a=rsa-sha1` (RFC 8301 §3.1).
        RSA_SHA1("rsa-sha1"),
        /// Any other algorithm but rsa-sha256 and ed25519-sha256.
        ALGORITHM("algorithm"),
        /// `c=` names something else than simple and relaxed.
        CANONICALIZATION("canonicalization"),
        /// `l=` is there, whatever its value (RFC 8460 §3).
        LENGTH_TAG("length-tag"),
        /// `q=` does not offer dns/txt.
        QUERY_METHOD("query-method"),
        /// `d=` is a name under which anybody registers, like com or co.uk.
        PUBLIC_SUFFIX("public-suffix"),
        /// `h=` does not name From.
        FROM_NOT_SIGNED("from-not-signed"),
        /// `i=` is not within `d=`.
        IDENTITY("identity"),
        /// `x=` had passed when the mail came.
        EXPIRED("expired"),
        /// `t=` lay in the future when the mail came.
        FUTURE("future"),
        /// The body is not the one that was signed.
        BODY_HASH("body-hash"),
        /// There were more signatures than we try.
        NOT_TRIED("not-tried"),

        // the key
        /// DNS did not answer: to be tried again.
        TEMPFAIL("dns-failure"),
        /// No such record.
        NO_KEY("no-key"),
        /// A record that is no DKIM key, or one that cannot be decoded.
        KEY_MALFORMED("key-malformed"),
        /// `h=` of the key lacks sha256.
        KEY_HASH("key-hash"),
        /// `s=` of the key has neither tlsrpt nor email nor `*`; or not tlsrpt where that is asked for.
        KEY_SERVICE("key-service"),
        /// `k=` is unknown or another than the signature's.
        KEY_TYPE("key-type"),
        /// `p=` is empty.
        KEY_REVOKED("key-revoked"),
        /// RSA under 1024 bits (RFC 8301 §3.2).
        KEY_TOO_SMALL("key-too-small"),
        /// RSA over 4096 bits, or with an exponent over 64.
        KEY_TOO_LARGE("key-too-large"),
        /// `t=y`: as good as unsigned (RFC 6376 §3.6.1).
        KEY_TESTING("key-testing"),
        /// `t=s`, and `i=` is a subdomain of `d=`.
        KEY_STRICT("key-strict"),

        /// The signature does not fit the header and the key.
        SIGNATURE("signature");

        private final String word;

        Verdict(String word) {
            this.word = word;
        }

        /// The word in logs, metrics and `rejected`.
        public String word() {
            return word;
        }
    }
}

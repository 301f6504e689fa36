package io.tlsrpt.inspection;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.TLSARecord;

/// TLSA records of an MX host, and whether a certificate fits them (RFC 6698, RFC 7671, and RFC 7672 for SMTP).
final class TlsaRecords {

    static final int DANE_TA = 2;
    static final int DANE_EE = 3;
    private static final int CERTIFICATE = 0;
    private static final int PUBLIC_KEY = 1;
    private static final int FULL = 0;
    private static final int SHA_256 = 1;
    private static final int SHA_512 = 2;

    private TlsaRecords() {}

    /// One record.
    ///
    /// @param hex the data in lower case without blanks, however a zone file breaks it
    record Tlsa(int usage, int selector, int matching, String hex) {

        static Tlsa of(TLSARecord record) {
            return new Tlsa(
                    record.getCertificateUsage(),
                    record.getSelector(),
                    record.getMatchingType(),
                    HexFormat.of().formatHex(record.getCertificateAssociationData()));
        }

        /// As in a zone file.
        String text() {
            return combination() + " " + hex;
        }

        /// Usage, selector and matching type: `3 1 1`.
        String combination() {
            return usage + " " + selector + " " + matching;
        }

        private byte[] data() {
            return HexFormat.of().parseHex(hex);
        }
    }

    /// How a chain fits.
    ///
    /// @param fits whether every sender that obeys DANE accepts it: for each combination of usage, selector and
    /// matching
    /// type at least one record matches (RFC 7671 §8)
    /// @param byLeaf whether a DANE-EE record matches, so that names and dates do not count (RFC 7671 §5.1)
    /// @param unmatched records that match nothing here, in zone file form: a rollover, or stale
    /// @param why what does not fit, for people; null when all does
    record Match(
            boolean fits,
            boolean byLeaf,
            List<String> unmatched,
            @Nullable String why) {
        Match {
            unmatched = List.copyOf(unmatched);
        }
    }

    /// The name of the records of a host: port decimal without leading zeros (RFC 6698 §3). Always that of port 25,
    /// which is where senders look.
    static String name(String baseDomain) {
        return "_25._tcp." + baseDomain;
    }

    /// Why senders ignore the record, or null when they use it (RFC 6698 §2.1, RFC 7672 §3.1.3).
    static @Nullable String unusable(Tlsa tlsa) {
        if (tlsa.usage() == 0 || tlsa.usage() == 1) {
            return "usage " + tlsa.usage() + " (PKIX) is not for SMTP: use 3 or 2";
        }
        if (tlsa.usage() != DANE_TA && tlsa.usage() != DANE_EE) {
            return "usage " + tlsa.usage() + " is unknown";
        }
        if (tlsa.selector() != CERTIFICATE && tlsa.selector() != PUBLIC_KEY) {
            return "selector " + tlsa.selector() + " is unknown";
        }
        return switch (tlsa.matching()) {
            case FULL ->
                parses(tlsa)
                        ? null
                        : "its data is no " + (tlsa.selector() == CERTIFICATE ? "certificate" : "public key");
            case SHA_256 -> length(tlsa, 32);
            case SHA_512 -> length(tlsa, 64);
            default -> "matching type " + tlsa.matching() + " is unknown";
        };
    }

    private static @Nullable String length(Tlsa tlsa, int wanted) {
        return tlsa.data().length == wanted
                ? null
                : "its data has " + tlsa.data().length + " bytes, a digest of matching type " + tlsa.matching()
                        + " has " + wanted;
    }

    private static boolean parses(Tlsa tlsa) {
        return tlsa.selector() == CERTIFICATE ? certificate(tlsa.data()) != null : isPublicKey(tlsa.data());
    }

    private static @Nullable X509Certificate certificate(byte[] der) {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        } catch (CertificateException noCertificate) {
            return null;
        }
    }

    private static boolean isPublicKey(byte[] der) {
        for (String algorithm : List.of("RSA", "EC", "EdDSA")) {
            try {
                KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(der));
                return true;
            } catch (NoSuchAlgorithmException missing) {
                throw new IllegalStateException(missing);
            } catch (GeneralSecurityException another) {
                // of another algorithm, or none
            }
        }
        return false;
    }

    /// Holds the usable ones of the records against what a server sent.
    ///
    /// @param records usable ones, at least one
    /// @param chain as sent, leaf first, at least the leaf
    /// @param names that a certificate under a DANE-TA record may be for: the base domain, and what the next hop is
    /// called where its MX records are signed (RFC 7671 §10.2)
    static Match match(List<Tlsa> records, List<X509Certificate> chain, Set<String> names, Instant now) {
        Map<String, Boolean> fitting = new LinkedHashMap<>();
        List<String> unmatched = new ArrayList<>();
        boolean byLeaf = false;
        String trouble = null;
        for (Tlsa tlsa : records) {
            String fault = tlsa.usage() == DANE_EE
                    ? leafFault(tlsa, chain.getFirst())
                    : authorityFault(tlsa, chain, names, now);
            fitting.merge(tlsa.combination(), fault == null, Boolean::logicalOr);
            if (fault == null) {
                byLeaf |= tlsa.usage() == DANE_EE;
            } else {
                unmatched.add(tlsa.text());
                trouble = trouble == null ? fault : trouble;
            }
        }
        List<String> failing = fitting.entrySet().stream()
                .filter(combination -> !combination.getValue())
                .map(Map.Entry::getKey)
                .toList();
        if (failing.isEmpty()) {
            return new Match(true, byLeaf, unmatched, null);
        }
        String which = failing.stream().collect(Collectors.joining(", ", "no record ", " fits"));
        return new Match(
                false,
                byLeaf,
                unmatched,
                failing.size() < fitting.size()
                        ? which + ", though others do: senders that use the strongest digest only fail"
                        : which + ": " + trouble);
    }

    private static @Nullable String leafFault(Tlsa tlsa, X509Certificate leaf) {
        return matches(tlsa, leaf) ? null : "the server's certificate has another " + what(tlsa);
    }

    /// The authority must be sent along, even when it is a root (RFC 7671 §5.2.2).
    private static @Nullable String authorityFault(
            Tlsa tlsa, List<X509Certificate> chain, Set<String> names, Instant now) {
        X509Certificate authority = null;
        for (X509Certificate sent : chain.subList(1, chain.size())) {
            if (authority == null && matches(tlsa, sent)) {
                authority = sent;
            }
        }
        if (authority == null) {
            return "no authority in the chain sent has this " + what(tlsa);
        }
        String path = pathFault(authority, chain, now);
        if (path != null) {
            return path;
        }
        return names.stream().anyMatch(name -> CertificateCheck.isFor(chain.getFirst(), name))
                ? null
                : "the certificate is not for " + String.join(" or ", names);
    }

    private static @Nullable String pathFault(X509Certificate authority, List<X509Certificate> chain, Instant now) {
        List<X509Certificate> path = new ArrayList<>();
        X509Certificate below = chain.getFirst();
        while (path.size() < chain.size()) {
            path.add(below);
            if (signs(authority, below)) {
                break;
            }
            X509Certificate last = below;
            X509Certificate above = chain.stream()
                    .filter(sent -> !path.contains(sent) && signs(sent, last))
                    .findFirst()
                    .orElse(null);
            if (above == null) {
                return "the chain sent does not lead to the authority";
            }
            below = above;
        }
        try {
            authority.checkValidity(Date.from(now));
            CertPath certificates = CertificateFactory.getInstance("X.509").generateCertPath(path);
            PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(authority, null)));
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(now));
            CertPathValidator.getInstance("PKIX").validate(certificates, parameters);
            return null;
        } catch (GeneralSecurityException wrong) {
            return "the chain below the authority is not valid: " + Untrusted.shown(String.valueOf(wrong.getMessage()));
        }
    }

    private static boolean signs(X509Certificate issuer, X509Certificate subject) {
        if (!issuer.getSubjectX500Principal().equals(subject.getIssuerX500Principal())) {
            return false;
        }
        try {
            PublicKey key = issuer.getPublicKey();
            subject.verify(key);
            return true;
        } catch (GeneralSecurityException another) {
            return false;
        }
    }

    private static boolean matches(Tlsa tlsa, X509Certificate certificate) {
        try {
            byte[] selected = tlsa.selector() == CERTIFICATE
                    ? certificate.getEncoded()
                    : certificate.getPublicKey().getEncoded();
            byte[] compared = switch (tlsa.matching()) {
                case SHA_256 -> MessageDigest.getInstance("SHA-256").digest(selected);
                case SHA_512 -> MessageDigest.getInstance("SHA-512").digest(selected);
                default -> selected;
            };
            return Arrays.equals(compared, tlsa.data());
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String what(Tlsa tlsa) {
        return (tlsa.matching() == FULL ? "" : "digest of its ")
                + (tlsa.selector() == CERTIFICATE ? "certificate" : "public key");
    }
}

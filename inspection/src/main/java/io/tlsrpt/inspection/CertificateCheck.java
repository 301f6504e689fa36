package io.tlsrpt.inspection;

import io.tlsrpt.topics.Inspection;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// Whether a certificate is one that senders who obey MTA-STS accept (RFC 8461 §3.3 and §4.2): in its time, from a
/// trusted authority, and for the name. Nothing is fetched to find out: neither missing authorities nor revocation.
public final class CertificateCheck {

    public static final String VALID = "valid";
    public static final String EXPIRED = "expired";
    public static final String NOT_YET_VALID = "not-yet-valid";
    public static final String HOST_MISMATCH = "host-mismatch";
    public static final String NOT_TRUSTED = "not-trusted";

    private static final int DNS_NAME = 2;
    private static final int MOST_NAMES = 100;
    private static final int MOST_AUTHORITIES = 8;
    private static final String SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1";

    private final Set<TrustAnchor> anchors;

    /// @param caFile PEM file with the authorities to trust; absent: those of the Java installation
    /// @throws UncheckedIOException when the file cannot be read
    /// @throws IllegalArgumentException when it holds no certificate, or something else
    public CertificateCheck(@Nullable Path caFile) {
        this.anchors = (caFile == null ? ofJava() : ofFile(caFile))
                .stream().map(authority -> new TrustAnchor(authority, null)).collect(Collectors.toUnmodifiableSet());
    }

    private static Collection<X509Certificate> ofJava() {
        try {
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init((KeyStore) null);
            return Arrays.stream(factory.getTrustManagers())
                    .filter(X509TrustManager.class::isInstance)
                    .flatMap(manager -> Arrays.stream(((X509TrustManager) manager).getAcceptedIssuers()))
                    .toList();
        } catch (GeneralSecurityException broken) {
            throw new IllegalStateException("the authorities of this Java installation cannot be read", broken);
        }
    }

    private static Collection<X509Certificate> ofFile(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            List<X509Certificate> authorities =
                    CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
                            .map(X509Certificate.class::cast)
                            .toList();
            if (authorities.isEmpty()) {
                throw new IllegalArgumentException(file + " holds no certificate");
            }
            return authorities;
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        } catch (GeneralSecurityException bad) {
            throw new IllegalArgumentException(file + " is no PEM file of certificates: " + bad.getMessage(), bad);
        }
    }

    /// The first of these that is wrong: the dates, so that an expired certificate is called so even where its
    /// authority is unknown; then the chain; then the name.
    ///
    /// @param chain as the server sent it, leaf first; in any order behind the leaf
    /// @param host the name that must stand in the certificate, an A-label
    /// @return `valid`, `expired`, `not-yet-valid`, `not-trusted` or `host-mismatch`
    /// @throws IllegalArgumentException when the chain is empty
    public String pkix(List<X509Certificate> chain, String host, Instant now) {
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("no certificate");
        }
        X509Certificate leaf = chain.getFirst();
        if (now.isAfter(leaf.getNotAfter().toInstant())) {
            return EXPIRED;
        }
        if (now.isBefore(leaf.getNotBefore().toInstant())) {
            return NOT_YET_VALID;
        }
        if (!isTrusted(chain, now)) {
            return NOT_TRUSTED;
        }
        return isFor(leaf, host) ? VALID : HOST_MISMATCH;
    }

    private boolean isTrusted(List<X509Certificate> chain, Instant now) {
        X509Certificate leaf = chain.getFirst();
        if (anchors.stream().anyMatch(anchor -> leaf.equals(anchor.getTrustedCert()))) {
            return true;
        }
        X509CertSelector target = new X509CertSelector();
        target.setCertificate(leaf);
        try {
            target.setExtendedKeyUsage(Set.of(SERVER_AUTHENTICATION));
            PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, target);
            parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(chain)));
            parameters.setRevocationEnabled(false);
            parameters.setMaxPathLength(MOST_AUTHORITIES);
            parameters.setDate(Date.from(now));
            CertPathBuilder.getInstance("PKIX").build(parameters);
            return true;
        } catch (CertPathBuilderException noPath) {
            return false;
        } catch (IOException | GeneralSecurityException impossible) {
            throw new IllegalStateException("Java cannot judge certificates", impossible);
        }
    }

    /// Whether a DNS-ID of the certificate is the host or, with `*` as its whole left-most label, covers it (RFC 6125
    /// §6.4). The common name does not count.
    static boolean isFor(X509Certificate leaf, String host) {
        String wanted = lowerCase(host.endsWith(".") ? host.substring(0, host.length() - 1) : host);
        return dnsIds(leaf).stream().map(CertificateCheck::lowerCase).anyMatch(name -> {
            int dot = wanted.indexOf('.');
            return name.startsWith("*.")
                    ? dot > 0 && wanted.substring(dot).equals(name.substring(1))
                    : name.equals(wanted);
        });
    }

    /// The names in the certificate as they stand there.
    static List<String> dnsIds(X509Certificate leaf) {
        try {
            Collection<List<?>> names = leaf.getSubjectAlternativeNames();
            return names == null
                    ? List.of()
                    : names.stream()
                            .filter(name -> name.getFirst() instanceof Integer kind && kind == DNS_NAME)
                            .map(name -> String.valueOf(name.get(1)))
                            .toList();
        } catch (CertificateParsingException garbage) {
            return List.of();
        }
    }

    /// ASCII only: other letters that would become the same are other names.
    private static String lowerCase(String name) {
        StringBuilder lower = new StringBuilder(name.length());
        name.chars().forEach(c -> lower.append((char) (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c)));
        return lower.toString();
    }

    /// The certificate in words that may be shown.
    public static Inspection.Certificate shown(X509Certificate leaf) {
        return new Inspection.Certificate(
                Untrusted.shown(leaf.getSubjectX500Principal().getName()),
                Untrusted.shown(leaf.getIssuerX500Principal().getName()),
                dnsIds(leaf).stream().limit(MOST_NAMES).map(Untrusted::shown).toList(),
                leaf.getNotBefore().toInstant(),
                leaf.getNotAfter().toInstant(),
                sha256(leaf));
    }

    private static String sha256(Certificate certificate) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}

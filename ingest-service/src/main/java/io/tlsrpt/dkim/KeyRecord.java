package io.tlsrpt.dkim;

import io.tlsrpt.dkim.DkimResult.Verdict;
import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;

/// What one TXT record of a selector is good for (RFC 6376 §3.6.1, RFC 8463 §4).
sealed interface KeyRecord {

    /// RFC 8301 §3.2. Not higher: Microsoft signs its reports with 1024 bits.
    int MIN_RSA_BITS = 1024;

    int MAX_RSA_BITS = 4096;

    /// The work of checking a signature grows with it; real keys have 17.
    int MAX_EXPONENT_BITS = 64;

    /// A key that may verify the signature.
    record Usable(PublicKey key) implements KeyRecord {}

    record Refused(Verdict verdict, String detail) implements KeyRecord {}

    static KeyRecord read(byte[] record, SignatureField signature, boolean requireTlsrptService) {
        TagList tags = TagList.read(record, 0, record.length);
        if (tags == null) {
            return new Refused(Verdict.KEY_MALFORMED, "not a list of distinct tags");
        }
        String version = tags.value("v");
        if (version != null && !(version.equals("DKIM1") && tags.first().equals("v"))) {
            return new Refused(Verdict.KEY_MALFORMED, "v= is not DKIM1 or not the first tag");
        }
        String p = tags.compact("p");
        if (p == null) {
            return new Refused(Verdict.KEY_MALFORMED, "p= is missing");
        }
        if (tags.value("h") != null && !list(tags, "h", "").contains("sha256")) {
            return new Refused(Verdict.KEY_HASH, "h= lacks sha256");
        }
        List<String> services = list(tags, "s", "*");
        // a key for tlsrpt alone is what RFC 8460 §3 asks for: a reader that looks for "email" only would refuse it
        if (requireTlsrptService
                ? !services.contains("tlsrpt")
                : services.stream().noneMatch(List.of("*", "email", "tlsrpt")::contains)) {
            return new Refused(
                    Verdict.KEY_SERVICE, requireTlsrptService ? "s= lacks tlsrpt" : "s= lacks tlsrpt, email and *");
        }
        if (p.isEmpty()) {
            return new Refused(Verdict.KEY_REVOKED, "p= is empty");
        }
        if (!Objects.requireNonNullElse(tags.value("k"), "rsa")
                .equals(signature.algorithm().keyType())) {
            return new Refused(
                    Verdict.KEY_TYPE, "k= is not " + signature.algorithm().keyType());
        }
        List<String> flags = list(tags, "t", "");
        if (flags.contains("y")) {
            return new Refused(Verdict.KEY_TESTING, "t=y: the domain is testing DKIM");
        }
        if (flags.contains("s") && !signature.identityDomain().equals(signature.domain())) {
            return new Refused(Verdict.KEY_STRICT, "t=s, and i= is a subdomain of d=");
        }
        try {
            byte[] decoded = Base64.getDecoder().decode(p);
            return switch (signature.algorithm()) {
                case RSA -> rsa(decoded);
                case ED25519 -> ed25519(decoded);
            };
        } catch (IllegalArgumentException notBase64) {
            return new Refused(Verdict.KEY_MALFORMED, "p= is not base64");
        } catch (NoSuchAlgorithmException brokenRuntime) {
            throw new IllegalStateException(brokenRuntime);
        } catch (GeneralSecurityException noKey) {
            return new Refused(Verdict.KEY_MALFORMED, "p= is not a key of this type");
        }
    }

    private static KeyRecord rsa(byte[] encoded) throws GeneralSecurityException {
        KeyFactory factory = KeyFactory.getInstance("RSA");
        RSAPublicKey key;
        try {
            key = (RSAPublicKey) factory.generatePublic(new X509EncodedKeySpec(encoded));
        } catch (InvalidKeySpecException pkcs1) {
            // RFC 6376 says RSAPublicKey, the world publishes SubjectPublicKeyInfo (errata 3017, 6674, 7001): both are
            // taken
            key = (RSAPublicKey) factory.generatePublic(new X509EncodedKeySpec(Der.subjectPublicKeyInfo(encoded)));
        }
        int bits = key.getModulus().bitLength();
        if (bits < MIN_RSA_BITS) {
            return new Refused(Verdict.KEY_TOO_SMALL, bits + " bits");
        }
        if (bits > MAX_RSA_BITS) {
            return new Refused(Verdict.KEY_TOO_LARGE, bits + " bits");
        }
        int exponent = key.getPublicExponent().bitLength();
        return exponent > MAX_EXPONENT_BITS
                ? new Refused(Verdict.KEY_TOO_LARGE, "an exponent of " + exponent + " bits")
                : new Usable(key);
    }

    private static KeyRecord ed25519(byte[] raw) throws GeneralSecurityException {
        if (raw.length != 32) {
            return new Refused(Verdict.KEY_MALFORMED, "an ed25519 key has 32 bytes");
        }
        return new Usable(KeyFactory.getInstance("Ed25519")
                .generatePublic(new X509EncodedKeySpec(Der.join(Der.ED25519_PREFIX, raw))));
    }

    private static List<String> list(TagList tags, String tag, String absent) {
        return Arrays.stream(Objects.requireNonNullElse(tags.value(tag), absent).split(":", -1))
                .map(String::strip)
                .toList();
    }

    /// The few bytes of ASN.1 around a key, which JDK key factories want.
    final class Der {
        private static final byte[] ED25519_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");
        private static final byte[] RSA_ENCRYPTION = HexFormat.of().parseHex("300d06092a864886f70d0101010500");

        private Der() {}

        private static byte[] subjectPublicKeyInfo(byte[] rsaPublicKey) {
            byte[] bits = element(0x03, join(new byte[1], rsaPublicKey));
            return element(0x30, join(RSA_ENCRYPTION, bits));
        }

        private static byte[] element(int tag, byte[] content) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.write(tag);
            if (content.length < 0x80) {
                out.write(content.length);
            } else {
                out.write(0x83);
                out.write(content.length >> 16);
                out.write(content.length >> 8);
                out.write(content.length);
            }
            out.writeBytes(content);
            return out.toByteArray();
        }

        private static byte[] join(byte[] first, byte[] second) {
            byte[] joined = Arrays.copyOf(first, first.length + second.length);
            System.arraycopy(second, 0, joined, first.length, second.length);
            return joined;
        }
    }
}

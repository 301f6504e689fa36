package io.tlsrpt.dkim;

import io.tlsrpt.dkim.DkimResult.Verdict;
import io.tlsrpt.report.DomainName;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A DKIM-Signature field that keeps all rules which can be judged without the body and the key (RFC 6376 §6.1.1).
///
/// @param domain         `d=`, canonical
/// @param selector       `s=`, canonical
/// @param algorithm      `a=`
/// @param headers        `h=`, lower case
/// @param identityDomain of `i=`, canonical
/// @param bodyHash       `bh=`, base64
/// @param signature      `b=`, base64
/// @param signatureSpan  where the value of `b=` lies in the mail
record SignatureField(
        Header.Field field,
        String domain,
        String selector,
        Algorithm algorithm,
        Canonicalization header,
        Canonicalization body,
        List<String> headers,
        String identityDomain,
        String bodyHash,
        String signature,
        TagList.Span signatureSpan) {

    /// How far clocks may disagree about `t=` and `x=`.
    static final Duration TOLERANCE = Duration.ofMinutes(5);

    private static final int MAX_BYTES = 64 << 10;
    private static final int MAX_NAME = 253;
    private static final List<String> REQUIRED = List.of("v", "a", "b", "bh", "d", "h", "s");

    enum Algorithm {
        RSA("rsa", "SHA256withRSA"),
        ED25519("ed25519", "Ed25519");

        private final String keyType;
        private final String jcaName;

        Algorithm(String keyType, String jcaName) {
            this.keyType = keyType;
            this.jcaName = jcaName;
        }

        /// As in `k=` of a key record.
        String keyType() {
            return keyType;
        }

        String jcaName() {
            return jcaName;
        }
    }

    /// What came of reading.
    sealed interface Reading {}

    record Read(SignatureField signature) implements Reading {}

    /// @param domain as far as known, else empty
    record Refused(String domain, String selector, List<String> headers, Verdict verdict, String detail)
            implements Reading {}

    static Reading read(byte[] mail, Header.Field field, Instant receivedAt) {
        if (field.end() - field.start() > MAX_BYTES) {
            return new Refused("", "", List.of(), Verdict.MALFORMED, "longer than 64 KiB");
        }
        TagList tags = TagList.read(mail, field.colon() + 1, field.end());
        if (tags == null) {
            return new Refused("", "", List.of(), Verdict.MALFORMED, "not a list of distinct tags");
        }
        return new Reader(tags, field, receivedAt).read();
    }

    /// The checks in their order; the first that fails decides.
    private static final class Reader {
        private final TagList tags;
        private final Header.Field field;
        private final Instant receivedAt;
        private String domain = "";
        private String selector = "";
        private List<String> headers = List.of();

        Reader(TagList tags, Header.Field field, Instant receivedAt) {
            this.tags = tags;
            this.field = field;
            this.receivedAt = receivedAt;
        }

        Reading read() {
            domain = name("d");
            selector = name("s");
            List<String> named = headerNames();
            headers = named == null ? List.of() : named;
            if (!Objects.requireNonNullElse(tags.value("v"), "1").equals("1")) {
                return refused(Verdict.VERSION, "v= is not 1");
            }
            for (String tag : REQUIRED) {
                if (tags.value(tag) == null) {
                    return refused(Verdict.MISSING_TAG, tag + "= is missing");
                }
            }
            Algorithm algorithm;
            switch (text("a")) {
                case "rsa-sha256" -> algorithm = Algorithm.RSA;
                case "ed25519-sha256" -> algorithm = Algorithm.ED25519;
                case "rsa-sha1" -> {
                    return refused(Verdict.RSA_SHA1, "SHA-1 is no longer good enough (RFC 8301)");
                }
                default -> {
                    return refused(Verdict.ALGORITHM, "a= is neither rsa-sha256 nor ed25519-sha256");
                }
            }
            if (tags.value("l") != null) {
                return refused(Verdict.LENGTH_TAG, "l= must not be used for reports (RFC 8460 §3)");
            }
            String[] c =
                    Objects.requireNonNullElse(tags.value("c"), "simple/simple").split("/", -1);
            Canonicalization header = Canonicalization.of(c[0]);
            Canonicalization body = c.length == 1 ? Canonicalization.SIMPLE : Canonicalization.of(c[1]);
            if (header == null || body == null || c.length > 2) {
                return refused(Verdict.CANONICALIZATION, "c= is neither simple nor relaxed");
            }
            if (!List.of(Objects.requireNonNullElse(tags.value("q"), "dns/txt").split("\\s*:\\s*"))
                    .contains("dns/txt")) {
                return refused(Verdict.QUERY_METHOD, "q= does not offer dns/txt");
            }
            if (domain.isEmpty() || selector.isEmpty() || keyName().length() > MAX_NAME) {
                return refused(Verdict.MALFORMED, "d= and s= do not make a DNS name");
            }
            if (OrganizationalDomain.isRegistry(domain)) {
                return refused(Verdict.PUBLIC_SUFFIX, "d= is a public suffix");
            }
            if (named == null) {
                return refused(Verdict.MALFORMED, "h= is not a list of field names");
            }
            if (!headers.contains("from")) {
                return refused(Verdict.FROM_NOT_SIGNED, "h= does not name From");
            }
            String identity = Objects.requireNonNullElse(tags.value("i"), "@" + domain);
            String identityDomain = DomainName.canonical(identity.substring(identity.lastIndexOf('@') + 1));
            if (identity.indexOf('@') < 0 || !DomainName.isName(identityDomain)) {
                return refused(Verdict.MALFORMED, "i= is not an address");
            }
            if (!OrganizationalDomain.isWithin(identityDomain, domain)) {
                return refused(Verdict.IDENTITY, "i= is not within d=");
            }
            Refused untimely = untimely();
            if (untimely != null) {
                return untimely;
            }
            String bodyHash = base64("bh");
            String signature = base64("b");
            TagList.Span span = tags.span("b");
            if (bodyHash == null || signature == null || span == null) {
                return refused(Verdict.MALFORMED, "b= or bh= is not base64");
            }
            return new Read(new SignatureField(
                    field,
                    domain,
                    selector,
                    algorithm,
                    header,
                    body,
                    headers,
                    identityDomain,
                    bodyHash,
                    signature,
                    span));
        }

        /// What is wrong with `t=` and `x=` at the time of receipt (RFC 6376 §3.5), or `null`.
        private @Nullable Refused untimely() {
            long signed = seconds("t");
            long expires = seconds("x");
            if (signed == BROKEN || expires == BROKEN || (signed != ABSENT && expires != ABSENT && expires <= signed)) {
                return refused(Verdict.MALFORMED, "t= or x= is not a time, or x= is not after t=");
            }
            if (expires != ABSENT
                    && receivedAt.isAfter(Instant.ofEpochSecond(expires).plus(TOLERANCE))) {
                return refused(Verdict.EXPIRED, "expired at " + Instant.ofEpochSecond(expires));
            }
            if (signed != ABSENT
                    && receivedAt.isBefore(Instant.ofEpochSecond(signed).minus(TOLERANCE))) {
                return refused(Verdict.FUTURE, "signed at " + Instant.ofEpochSecond(signed));
            }
            return null;
        }

        private static final long ABSENT = -1;
        private static final long BROKEN = -2;

        /// 1 to 12 digits.
        private long seconds(String tag) {
            String value = tags.value(tag);
            return value == null ? ABSENT : value.matches("[0-9]{1,12}") ? Long.parseLong(value) : BROKEN;
        }

        private String text(String tag) {
            return Objects.requireNonNullElse(tags.value(tag), "");
        }

        /// A canonical name, or empty.
        private String name(String tag) {
            String name = DomainName.canonical(text(tag));
            return DomainName.isName(name) && !text(tag).endsWith(".") ? name : "";
        }

        private String keyName() {
            return selector + "._domainkey." + domain;
        }

        private @Nullable List<String> headerNames() {
            List<String> names = new ArrayList<>();
            for (String item : text("h").toLowerCase(Locale.ROOT).split(":", -1)) {
                String name = item.strip();
                if (name.isEmpty() || !name.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
                    return null;
                }
                names.add(name);
            }
            return names;
        }

        /// The value without white space, when it is base64.
        private @Nullable String base64(String tag) {
            String value = Objects.requireNonNullElse(tags.compact(tag), "");
            try {
                return Base64.getDecoder().decode(value).length == 0 ? null : value;
            } catch (IllegalArgumentException notBase64) {
                return null;
            }
        }

        private Refused refused(Verdict verdict, String detail) {
            return new Refused(domain, selector, headers, verdict, detail);
        }
    }

    /// Where the key is published (RFC 6376 §3.6.2.1).
    String keyName() {
        return selector + "._domainkey." + domain;
    }
}

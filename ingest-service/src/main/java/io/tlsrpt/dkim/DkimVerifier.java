package io.tlsrpt.dkim;

import io.tlsrpt.dkim.DkimResult.Signature;
import io.tlsrpt.dkim.DkimResult.Verdict;
import io.tlsrpt.dns.TxtAnswer;
import io.tlsrpt.dns.TxtLookup;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.SignatureException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Verifies the DKIM signatures of a mail over its bytes as they came (RFC 6376, 8301, 8463, 8616), by the rules that
/// RFC 8460
/// §3 has for reports. Safe for use by many threads; blocks on DNS only.
///
/// Never throws because of a mail. Time is linear in the size of the mail and memory bounded whatever it holds: the
/// body is
/// hashed at most twice (simple, relaxed), and DNS is asked only for signatures whose body hash fits, at most
/// [Options#maxSignatures] times.
public final class DkimVerifier {

    private static final int MAX_LISTED = 100;
    private static final int MAX_KEYS = 4;

    private final TxtLookup dns;
    private final Options options;

    /// @param requireTlsrptService whether a key counts only if it names the service type `tlsrpt` (RFC 8460 §3 lets a
    /// receiver
    ///                             ask for it; hardly any key in the wild does)
    /// @param maxSignatures        how many signatures of one mail are taken to DNS and cryptography, those related to
    /// From
    ///                             first
    public record Options(boolean requireTlsrptService, int maxSignatures) {
        public static final Options DEFAULT = new Options(false, 10);
    }

    public DkimVerifier(TxtLookup dns, Options options) {
        this.dns = dns;
        this.options = options;
    }

    /// Judges every signature of a mail.
    ///
    /// @param message    the raw bytes as received; a bare LF counts as CRLF
    /// @param receivedAt when the mail first came: `x=` and `t=` are judged against it, however late this runs
    public DkimResult verify(byte[] message, Instant receivedAt) {
        Header header = Header.read(message);
        List<Header.Field> from = header.all("from");
        List<String> fromDomains = from.size() == 1 ? FromField.domains(message, from.getFirst()) : List.of();
        return new DkimResult(new Judgement(message, header, fromDomains).signatures(receivedAt), fromDomains);
    }

    /// A signature that has to be checked, and its place among the DKIM-Signature fields.
    private record Open(int place, SignatureField signature) {}

    private record Outcome(Verdict verdict, String detail) {
        static final Outcome PASS = new Outcome(Verdict.PASS, "");
    }

    /// The work on one mail.
    private final class Judgement {
        private final byte[] mail;
        private final Header header;
        private final List<String> fromDomains;
        private final Map<Canonicalization, byte[]> bodyHashes = new EnumMap<>(Canonicalization.class);
        private final Map<String, TxtAnswer> keys = new HashMap<>();

        Judgement(byte[] mail, Header header, List<String> fromDomains) {
            this.mail = mail;
            this.header = header;
            this.fromDomains = fromDomains;
        }

        List<Signature> signatures(Instant receivedAt) {
            if (header.tooLarge()) {
                return List.of(new Signature("", "", Verdict.HEADER_TOO_LARGE, "", List.of()));
            }
            Outcome unfit = unfitMail();
            List<Header.Field> fields = header.all("dkim-signature");
            Signature[] judged = new Signature[Math.min(fields.size(), MAX_LISTED)];
            List<Open> open = new ArrayList<>();
            for (int place = 0; place < judged.length; place++) {
                switch (SignatureField.read(mail, fields.get(place), receivedAt)) {
                    case SignatureField.Refused no ->
                        judged[place] = new Signature(
                                no.domain(), no.selector(), no.verdict(), no.detail(), covered(no.headers()));
                    case SignatureField.Read read -> {
                        SignatureField signature = read.signature();
                        Outcome early = unfit != null ? unfit : bodyOutcome(signature);
                        if (early != null) {
                            judged[place] = signed(signature, early);
                        } else {
                            open.add(new Open(place, signature));
                        }
                    }
                }
            }
            // what cannot speak for From can never count, so it must not use up the tries of what can
            open.sort(Comparator.comparing(candidate -> !relatesToFrom(candidate.signature())));
            int tried = 0;
            for (Open candidate : open) {
                Outcome outcome = tried++ < options.maxSignatures()
                        ? keyOutcome(candidate.signature())
                        : new Outcome(Verdict.NOT_TRIED, "only " + options.maxSignatures() + " signatures are tried");
                judged[candidate.place()] = signed(candidate.signature(), outcome);
            }
            return Arrays.asList(judged);
        }

        /// What spoils all signatures of the mail, or `null`.
        private @Nullable Outcome unfitMail() {
            if (header.malformed()) {
                return new Outcome(Verdict.MALFORMED_HEADER, "a header line is no field");
            }
            int from = header.all("from").size();
            if (from != 1) {
                return new Outcome(Verdict.NOT_ONE_FROM, from + " From fields");
            }
            int contentType = header.all("content-type").size();
            return contentType > 1
                    ? new Outcome(Verdict.DUPLICATE_CONTENT_TYPE, contentType + " Content-Type fields")
                    : null;
        }

        private boolean relatesToFrom(SignatureField signature) {
            return fromDomains.stream().allMatch(from -> OrganizationalDomain.speaksFor(signature.domain(), from));
        }

        private @Nullable Outcome bodyOutcome(SignatureField signature) {
            byte[] hash = bodyHashes.computeIfAbsent(signature.body(), canonicalization -> {
                MessageDigest digest = sha256();
                HashInput input = new HashInput(digest::update);
                canonicalization.body(mail, header.bodyStart(), input);
                input.flush();
                return digest.digest();
            });
            return MessageDigest.isEqual(hash, Base64.getDecoder().decode(signature.bodyHash()))
                    ? null
                    : new Outcome(Verdict.BODY_HASH, "the body was changed after signing");
        }

        /// Tries the keys that are published (RFC 6376 §6.1.2); of several failures the one of the best key is told.
        private Outcome keyOutcome(SignatureField signature) {
            return switch (keys.computeIfAbsent(signature.keyName(), dns::txt)) {
                case TxtAnswer.Failed failed -> new Outcome(Verdict.TEMPFAIL, failed.why());
                case TxtAnswer.None none -> new Outcome(Verdict.NO_KEY, signature.keyName());
                case TxtAnswer.Found found ->
                    found.records().stream()
                            .limit(MAX_KEYS)
                            .map(record -> outcome(record, signature))
                            .min(Comparator.comparing(outcome -> switch (outcome.verdict()) {
                                case PASS -> 0;
                                case SIGNATURE -> 1;
                                case KEY_MALFORMED -> 3;
                                default -> 2;
                            }))
                            .orElseGet(() -> new Outcome(Verdict.NO_KEY, signature.keyName()));
            };
        }

        private Outcome outcome(byte[] record, SignatureField signature) {
            return switch (KeyRecord.read(record, signature, options.requireTlsrptService())) {
                case KeyRecord.Refused refused -> new Outcome(refused.verdict(), refused.detail());
                case KeyRecord.Usable usable ->
                    verifies(signature, usable.key())
                            ? Outcome.PASS
                            : new Outcome(
                                    Verdict.SIGNATURE, "a signed header field was changed, or another key signed");
            };
        }

        private boolean verifies(SignatureField signature, PublicKey key) {
            try {
                var check = java.security.Signature.getInstance(
                        signature.algorithm().jcaName());
                check.initVerify(key);
                switch (signature.algorithm()) {
                    case RSA ->
                        feedHeader(signature, (bytes, offset, length) -> {
                            try {
                                check.update(bytes, offset, length);
                            } catch (SignatureException notInitialised) {
                                throw new IllegalStateException(notInitialised);
                            }
                        });
                    case ED25519 -> {
                        // the signature is over the hash, not over the text (RFC 8463 §3)
                        MessageDigest digest = sha256();
                        feedHeader(signature, digest::update);
                        check.update(digest.digest());
                    }
                }
                return check.verify(Base64.getDecoder().decode(signature.signature()));
            } catch (NoSuchAlgorithmException brokenRuntime) {
                throw new IllegalStateException(brokenRuntime);
            } catch (InvalidKeyException | SignatureException unfit) {
                return false;
            }
        }

        /// The signed fields, of each name from the bottom up, absent ones as nothing; then the signature's own field
        /// (RFC
        /// 6376 §3.7, §5.4.2).
        private void feedHeader(SignatureField signature, HashInput.Sink sink) {
            HashInput input = new HashInput(sink);
            Map<String, Integer> taken = new HashMap<>();
            for (String name : signature.headers()) {
                List<Header.Field> fields = header.all(name);
                int place = fields.size() - taken.merge(name, 1, Integer::sum);
                if (place >= 0 && fields.get(place).equals(signature.field())) {
                    // an oversigned DKIM-Signature: the signer did not see its own
                    place = fields.size() - taken.merge(name, 1, Integer::sum);
                }
                if (place >= 0) {
                    signature.header().field(mail, fields.get(place), input);
                }
            }
            TagList.Span b = signature.signatureSpan();
            signature.header().field(mail, signature.field(), b.from(), b.to(), input);
            input.flush();
        }

        private Signature signed(SignatureField signature, Outcome outcome) {
            return new Signature(
                    signature.domain(),
                    signature.selector(),
                    outcome.verdict(),
                    outcome.detail(),
                    covered(signature.headers()));
        }

        private List<String> covered(List<String> headers) {
            Map<String, Integer> times = new LinkedHashMap<>();
            headers.forEach(name -> times.merge(name, 1, Integer::sum));
            return times.entrySet().stream()
                    .filter(entry -> header.all(entry.getKey()).size() <= entry.getValue())
                    .map(Map.Entry::getKey)
                    .toList();
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException brokenRuntime) {
            throw new IllegalStateException(brokenRuntime);
        }
    }
}

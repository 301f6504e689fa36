package io.tlsrpt.benchmarks;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.util.Base64;

/// Makes report mails in the form of RFC 8460 §5.3, signed with RSA 2048 or not.
final class SignedMail {

    static final String SELECTOR = "b1";

    private static final Base64.Encoder MIME = Base64.getMimeEncoder();

    private final KeyPair key;

    SignedMail() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2048);
            key = generator.generateKeyPair();
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /// The TXT record of `b1._domainkey` of every sender.
    String keyRecord() {
        return "v=DKIM1; k=rsa; p="
                + Base64.getEncoder().encodeToString(key.getPublic().getEncoded());
    }

    /// @param domain who sends and signs
    static byte[] unsigned(Document document, String domain) {
        return (fields(domain) + rest(document)).getBytes(StandardCharsets.US_ASCII);
    }

    /// @param domain who sends and signs
    byte[] signed(Document document, String domain) {
        String fields = fields(domain);
        String rest = rest(document);
        String body = rest.substring(rest.indexOf("\r\n\r\n") + 4);
        try {
            String digest = Base64.getEncoder()
                    .encodeToString(
                            MessageDigest.getInstance("SHA-256").digest(body.getBytes(StandardCharsets.US_ASCII)));
            String field = "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=" + domain + "; s=" + SELECTOR
                    + "; h=from:to:subject; bh=" + digest + "; b=";
            Signature signer = Signature.getInstance("SHA256withRSA");
            signer.initSign(key.getPrivate());
            signer.update((fields + field).getBytes(StandardCharsets.US_ASCII));
            return (field + Base64.getEncoder().encodeToString(signer.sign()) + "\r\n" + fields + rest)
                    .getBytes(StandardCharsets.US_ASCII);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String fields(String domain) {
        return "From: tlsrpt@" + domain
                + "\r\nTo: tlsrpt@example.com\r\nSubject: Report Domain: example.com Submitter: " + domain + "\r\n";
    }

    private static String rest(Document document) {
        return """
                MIME-Version: 1.0
                Content-Type: multipart/report; report-type="tlsrpt"; boundary="b"

                --b
                Content-Type: text/plain

                A TLS report.
                --b
                Content-Type: application/tlsrpt+gzip
                Content-Transfer-Encoding: base64

                """.replace("\n", "\r\n") + MIME.encodeToString(document.gzip()) + "\r\n--b--\r\n";
    }
}

package io.tlsrpt.dkim;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The examples that the standards print.
class RfcExamplesTest {

    private static final Instant RECEIVED = Instant.parse("2020-01-01T00:00:00Z");

    /// RFC 6376 Appendix A.2, with the white space that was signed (errata 3192, 4926: six blanks before each
    /// continuation, and
    /// one blank between the sentences), and the key of Appendix C.
    @Test
    void theMessageOfRfc6376Passes() {
        TestKeys keys = new TestKeys()
                .with(
                        "example.com",
                        "brisbane",
                        "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"
                                + "IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfV"
                                + "jH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB");
        String mail = """
                DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;
                      c=simple/simple; q=dns/txt; i=joe@football.example.com;
                      h=Received : From : To : Subject : Date : Message-ID;
                      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
                      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
                      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
                      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
                      4bmp/YzhwvcubU4=;
                Received: from client1.football.example.com  [192.0.2.1]
                      by submitserver.example.com with SUBMISSION;
                      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)
                From: Joe SixPack <joe@football.example.com>
                To: Suzie Q <suzie@shopping.example.net>
                Subject: Is dinner ready?
                Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
                Message-ID: <20030712040037.46341.5F8J@football.example.com>

                Hi.

                We lost the game. Are you hungry yet?

                Joe.
                """;
        DkimResult result = judged(mail.replace("\n", "\r\n"), keys);
        assertThat(result.signatures()).extracting(s -> s.verdict().word()).containsExactly("pass");
        assertThat(result.by("football.example.com", false)).isPresent();
        assertThat(result.by("football.example.com", true)).isEmpty();
        assertThat(judged(mail, keys).passed()).as("kept with bare line feeds").hasSize(1);
        assertThat(judged(mail.replace(" Are", "  Are"), keys).signatures())
                .as("the body as printed")
                .extracting(s -> s.verdict().word())
                .containsExactly("body-hash");
    }

    /// RFC 8463 Appendix A: an ed25519 and an RSA signature of 1024 bits, oversigned.
    @Test
    void bothSignaturesOfRfc8463Pass() {
        TestKeys keys = new TestKeys()
                .with(
                        "football.example.com",
                        "brisbane",
                        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
                .with(
                        "football.example.com",
                        "test",
                        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
                                + "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
                                + "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
                                + "Ip3G+2kryOTIKT+l/K4w3QIDAQAB");
        String mail = """
                DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
                 d=football.example.com; i=@football.example.com;
                 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
                 subject : date : message-id : from : subject : date;
                 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
                 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
                 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
                DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
                 d=football.example.com; i=@football.example.com;
                 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
                 date : message-id : from : subject : date;
                 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
                 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
                 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
                 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
                From: Joe SixPack <joe@football.example.com>
                To: Suzie Q <suzie@shopping.example.net>
                Subject: Is dinner ready?
                Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
                Message-ID: <20030712040037.46341.5F8J@football.example.com>

                Hi.

                We lost the game.  Are you hungry yet?

                Joe.

                """;
        DkimResult result = judged(mail.replace("\n", "\r\n"), keys);
        assertThat(result.signatures()).extracting(s -> s.verdict().word()).containsExactly("pass", "pass");
        assertThat(result.signatures()).extracting(s -> s.selector()).containsExactly("brisbane", "test");
    }

    /// RFC 6376 §3.4.5, examples 1 to 3.
    @Test
    void theCanonicalFormsAreThoseOfRfc6376() {
        byte[] mail = "A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        assertThat(header(Canonicalization.RELAXED, mail)).isEqualTo("a:X\r\nb:Y Z\r\n");
        assertThat(header(Canonicalization.SIMPLE, mail)).isEqualTo("A: X\r\nB : Y\t\r\n\tZ  \r\n");
        assertThat(body(Canonicalization.RELAXED, mail)).isEqualTo(" C\r\nD E\r\n");
        assertThat(body(Canonicalization.SIMPLE, mail)).isEqualTo(" C \r\nD \t E\r\n");
    }

    /// RFC 6376 §3.4.3 and §3.4.4.
    @ParameterizedTest
    @CsvSource({
        "SIMPLE, frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=",
        "RELAXED, 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    })
    void anEmptyBodyHasTheKnownHash(Canonicalization canonicalization, String hash) throws Exception {
        for (String mail : new String[] {"A: b", "A: b\r\n", "A: b\r\n\r\n", "A: b\r\n\r\n\r\n\r\n", "\r\n", ""}) {
            byte[] canonical = body(canonicalization, mail.getBytes(StandardCharsets.US_ASCII))
                    .getBytes(StandardCharsets.US_ASCII);
            assertThat(Base64.getEncoder()
                            .encodeToString(MessageDigest.getInstance("SHA-256").digest(canonical)))
                    .as(mail)
                    .isEqualTo(hash);
        }
    }

    @ParameterizedTest
    @EnumSource(Canonicalization.class)
    void aBodyThatEndsWithoutALineBreakIsGivenOne(Canonicalization canonicalization) {
        assertThat(body(canonicalization, "A: b\n\n\nx".getBytes(StandardCharsets.US_ASCII)))
                .isEqualTo("\r\nx\r\n");
    }

    private static DkimResult judged(String mail, TestKeys keys) {
        return new DkimVerifier(keys, DkimVerifier.Options.DEFAULT)
                .verify(mail.getBytes(StandardCharsets.US_ASCII), RECEIVED);
    }

    private static String header(Canonicalization canonicalization, byte[] mail) {
        Header header = Header.read(mail);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        HashInput input = new HashInput(out::write);
        canonicalization.field(mail, header.all("a").getFirst(), input);
        canonicalization.field(mail, header.all("b").getFirst(), input);
        input.flush();
        return out.toString(StandardCharsets.US_ASCII);
    }

    private static String body(Canonicalization canonicalization, byte[] mail) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        HashInput input = new HashInput(out::write);
        canonicalization.body(mail, Header.read(mail).bodyStart(), input);
        input.flush();
        return out.toString(StandardCharsets.US_ASCII);
    }
}

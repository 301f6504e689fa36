package io.tlsrpt.dkim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class DkimVerifierTest {

    @Test
    void smoke() {
        TestKeys keys =
                new TestKeys().with("example.com", "s1", TestKeys.rsa(2048).getPublic());
        byte[] mail = "From: a@example.com\r\nSubject: x\r\n\r\nhello  \r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        DkimResult result = new DkimVerifier(keys, DkimVerifier.Options.DEFAULT)
                .verify(
                        TestDkimSigner.sign(mail, TestKeys.rsa(2048).getPrivate(), "example.com", "s1"),
                        Instant.parse("2026-11-20T00:00:00Z"));
        assertThat(result.by("example.com", false)).isPresent();
    }
}

package io.tlsrpt.dkim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/// Damaged mails and keys: a verdict always, an exception never, and no pass that was not earned.
class DkimFuzzTest {

    private static final Instant RECEIVED = Instant.parse("2026-11-20T08:00:00Z");
    private static final KeyPair RSA = TestKeys.rsa(1024);
    private static final KeyPair ED25519 = TestKeys.ed25519();
    private static final String[] PIECES = {
        ";",
        "=",
        ":",
        "\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        "\r\n\r\n",
        "b=",
        "d=",
        "h=from",
        "\"",
        "<",
        ">",
        "(",
        "\\",
        "@",
        "\0",
        "ü",
        "DKIM-Signature:",
        "From:",
        "Content-Type: a\r\n"
    };

    @Test
    void damagedMailsGetAVerdictAndNeverPassWithAChangedBody() {
        RandomGenerator random = seeded();
        byte[] mail = "From: A <a@reporter.example>\r\nTo: b@example.com\r\nSubject: c\r\n\r\nbody text\r\n"
                .getBytes(StandardCharsets.US_ASCII);
        byte[] signed = TestDkimSigner.sign(
                TestDkimSigner.sign(mail, RSA.getPrivate(), "reporter.example", "rsa", Map.of("c", "simple/simple")),
                ED25519.getPrivate(),
                "reporter.example",
                "ed",
                Map.of("t", "1700000000", "x", "1800000000", "i", "a@reporter.example"));
        TestKeys keys = new TestKeys()
                .with("reporter.example", "rsa", RSA.getPublic())
                .with("reporter.example", "ed", ED25519.getPublic());
        DkimVerifier verifier = new DkimVerifier(keys, DkimVerifier.Options.DEFAULT);
        assertThat(verifier.verify(signed, RECEIVED).passed()).hasSize(2);
        for (int round = 0; round < 4_000; round++) {
            byte[] damaged = damaged(signed, random);
            DkimResult result = verifier.verify(damaged, RECEIVED);
            assertThat(result.temporary()).isFalse();
            if (result.by("reporter.example", false).isPresent()) {
                String text = new String(damaged, StandardCharsets.ISO_8859_1);
                assertThat(text.replaceAll("\\s+", "")).contains("bodytext");
            }
        }
    }

    @Test
    void damagedKeysGetAVerdict() {
        RandomGenerator random = seeded();
        byte[] mail = "From: a@reporter.example\r\n\r\nx\r\n".getBytes(StandardCharsets.US_ASCII);
        for (KeyPair pair : new KeyPair[] {RSA, ED25519}) {
            byte[] signed = TestDkimSigner.sign(mail, pair.getPrivate(), "reporter.example", "s");
            byte[] record = TestKeys.record(pair.getPublic()).getBytes(StandardCharsets.US_ASCII);
            for (int round = 0; round < 1_000; round++) {
                TestKeys keys = new TestKeys()
                        .with("reporter.example", "s", new String(damaged(record, random), StandardCharsets.UTF_8));
                DkimResult result = new DkimVerifier(keys, DkimVerifier.Options.DEFAULT).verify(signed, RECEIVED);
                assertThat(result.signatures()).hasSize(1);
            }
        }
    }

    @Test
    void noiseGetsAVerdict() {
        RandomGenerator random = seeded();
        DkimVerifier verifier = new DkimVerifier(new TestKeys(), DkimVerifier.Options.DEFAULT);
        for (int round = 0; round < 5_000; round++) {
            byte[] noise = new byte[random.nextInt(300)];
            random.nextBytes(noise);
            assertThat(verifier.verify(noise, RECEIVED).passed()).isEmpty();
        }
    }

    private static byte[] damaged(byte[] whole, RandomGenerator random) {
        byte[] bytes = whole.clone();
        for (int times = 1 + random.nextInt(3); times > 0 && bytes.length > 0; times--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes = spliced(bytes, at, Math.min(bytes.length, at + random.nextInt(40)), new byte[0]);
                case 2 ->
                    bytes = spliced(
                            bytes, at, at, PIECES[random.nextInt(PIECES.length)].getBytes(StandardCharsets.UTF_8));
                default -> {
                    int to = Math.min(bytes.length, at + random.nextInt(60));
                    bytes = spliced(bytes, at, at, Arrays.copyOfRange(bytes, at, to));
                }
            }
        }
        return bytes;
    }

    private static byte[] spliced(byte[] bytes, int from, int to, byte[] piece) {
        byte[] result = new byte[bytes.length - (to - from) + piece.length];
        System.arraycopy(bytes, 0, result, 0, from);
        System.arraycopy(piece, 0, result, from, piece.length);
        System.arraycopy(bytes, to, result, from + piece.length, bytes.length - to);
        return result;
    }

    private static RandomGenerator seeded() {
        long seed = Long.getLong("tlsrpt.seed", new SplittableRandom().nextLong());
        System.out.println("-Dtlsrpt.seed=" + seed);
        return new SplittableRandom(seed);
    }
}

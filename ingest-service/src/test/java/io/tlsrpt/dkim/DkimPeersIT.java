package io.tlsrpt.dkim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.tlsrpt.dns.Bind;
import io.tlsrpt.dns.Resolver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Mails signed by Debian's `dkimsign`, with keys that a real BIND serves.
class DkimPeersIT {

    private static final String SIGNER = "/usr/bin/dkimsign";
    private static final String ZONE = "reporter.example";
    private static final KeyPair RSA_1024 = TestKeys.rsa(1024);
    private static final KeyPair RSA_2048 = TestKeys.rsa(2048);
    private static final KeyPair RSA_4096 = TestKeys.rsa(4096);
    private static final KeyPair ED25519 = TestKeys.ed25519();
    private static final String MAIL = """
            From: Reports <noreply@reporter.example>\r
            To: tlsrpt@example.com\r
            Subject: Report Domain: example.com\r
             Submitter: reporter.example\r
            TLS-Report-Domain: example.com\r
            Content-Type: text/plain\r
            \r
            One  line \t\r
            another line\r
            \r
            """;

    @TempDir
    private Path directory;

    @BeforeAll
    static void peersAreInstalled() {
        needs(Bind.PROGRAM, "bind9");
        needs(SIGNER, "python3-dkim");
        needs("/usr/lib/python3/dist-packages/nacl", "python3-nacl");
    }

    @ParameterizedTest
    @ValueSource(strings = {"simple simple", "simple relaxed", "relaxed simple", "relaxed relaxed"})
    void whatDkimsignSignsPasses(String canonicalization) throws Exception {
        try (Bind bind = new Bind(directory).zone(ZONE)) {
            bind.write(ZONE, records());
            bind.start();
            String[] c = canonicalization.split(" ", -1);
            String mail = MAIL;
            mail = dkimsign(mail, "rsa1024", rsaFile(RSA_1024), "rsa-sha256", c);
            mail = dkimsign(mail, "rsa2048", rsaFile(RSA_2048), "rsa-sha256", c);
            mail = dkimsign(mail, "rsa4096", rsaFile(RSA_4096), "rsa-sha256", c);
            mail = dkimsign(mail, "ed", ed25519File(), "ed25519-sha256", c);

            DkimResult result = judged(bind, mail);
            assertThat(result.signatures())
                    .extracting(signature ->
                            signature.selector() + " " + signature.verdict().word())
                    .containsExactly("ed pass", "rsa4096 pass", "rsa2048 pass", "rsa1024 pass");
            assertThat(result.by(ZONE, true)).isPresent();
            assertThat(judged(bind, mail.replace("another line", "another lime"))
                            .signatures())
                    .extracting(signature -> signature.verdict().word())
                    .containsOnly("body-hash");
            assertThat(judged(bind, mail.replace("Submitter: r", "Submitter: R"))
                            .signatures())
                    .extracting(signature -> signature.verdict().word())
                    .containsOnly("signature");
        }
    }

    @Test
    void aStoppedServerAndABrokenZoneAreTemporaryAndThenTheMailPasses() throws Exception {
        try (Bind bind = new Bind(directory).zone(ZONE)) {
            String mail =
                    dkimsign(MAIL, "rsa2048", rsaFile(RSA_2048), "rsa-sha256", new String[] {"relaxed", "relaxed"});
            assertTemporary(judged(bind, mail));

            // the zone has no file yet: SERVFAIL
            bind.start();
            assertTemporary(judged(bind, mail));

            bind.stop();
            assertTemporary(judged(bind, mail));

            bind.write(ZONE, records());
            bind.start();
            assertThat(judged(bind, mail).by(ZONE, true)).isPresent();
        }
    }

    @Test
    void aSelectorThatTheZoneLacksIsFinal() throws Exception {
        try (Bind bind = new Bind(directory).zone(ZONE)) {
            bind.write(ZONE, records());
            bind.start();
            String mail = dkimsign(MAIL, "gone", rsaFile(RSA_2048), "rsa-sha256", new String[] {"relaxed", "relaxed"});
            DkimResult result = judged(bind, mail);
            assertThat(result.signatures())
                    .extracting(signature -> signature.verdict().word())
                    .containsExactly("no-key");
            assertThat(result.temporaryFor(ZONE, false)).isFalse();
        }
    }

    private static void assertTemporary(DkimResult result) {
        assertThat(result.signatures())
                .extracting(signature -> signature.verdict().word())
                .containsExactly("dns-failure");
        assertThat(result.temporaryFor(ZONE, true)).isTrue();
    }

    private static DkimResult judged(Bind bind, String mail) {
        Resolver resolver = new Resolver(new Resolver.Options(List.of(bind.address()), Duration.ofSeconds(3), 0));
        return new DkimVerifier(resolver, DkimVerifier.Options.DEFAULT)
                .verify(mail.getBytes(StandardCharsets.US_ASCII), Instant.now());
    }

    private String dkimsign(String mail, String selector, Path key, String algorithm, String[] canonicalization)
            throws IOException, InterruptedException {
        Path input = Files.writeString(directory.resolve("mail"), mail);
        Path output = directory.resolve("signed");
        Process process = new ProcessBuilder(
                        SIGNER,
                        "--hcanon",
                        canonicalization[0],
                        "--bcanon",
                        canonicalization[1],
                        "--signalg",
                        algorithm,
                        selector,
                        ZONE,
                        key.toString())
                .redirectInput(input.toFile())
                .redirectOutput(output.toFile())
                .redirectError(directory.resolve("errors").toFile())
                .start();
        assertThat(process.waitFor())
                .as(() -> read(directory.resolve("errors")))
                .isZero();
        return Files.readString(output, StandardCharsets.US_ASCII);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private Path rsaFile(KeyPair pair) throws IOException {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(pair.getPrivate().getEncoded());
        return Files.writeString(
                directory.resolve("rsa.pem"),
                "-----BEGIN PRIVATE KEY-----\n" + base64 + "\n-----END PRIVATE KEY-----\n");
    }

    private Path ed25519File() throws IOException {
        PrivateKey key = ED25519.getPrivate();
        byte[] encoded = key.getEncoded();
        byte[] seed = Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length);
        return Files.writeString(
                directory.resolve("ed.key"), Base64.getEncoder().encodeToString(seed));
    }

    private static List<String> records() {
        return List.of(
                txt("rsa1024", TestKeys.record(RSA_1024.getPublic())),
                txt("rsa2048", TestKeys.record(RSA_2048.getPublic())),
                txt("rsa4096", TestKeys.record(RSA_4096.getPublic())),
                txt("ed", "v=DKIM1; s=tlsrpt; " + TestKeys.bareRecord(ED25519.getPublic())));
    }

    /// A record in strings of at most 255 bytes.
    private static String txt(String selector, String value) {
        List<String> strings = new ArrayList<>();
        for (int at = 0; at < value.length(); at += 255) {
            strings.add('"' + value.substring(at, Math.min(value.length(), at + 255)) + '"');
        }
        return selector + "._domainkey IN TXT ( " + String.join(" ", strings) + " )";
    }

    private static void needs(String file, String debianPackage) {
        if (Files.exists(Path.of(file))) {
            return;
        }
        assertThat(System.getenv("CI"))
                .as("Debian package " + debianPackage + " is needed")
                .isNull();
        System.out.println("not run, the Debian package " + debianPackage + " is not installed: DkimPeersIT");
        abort("Debian package " + debianPackage + " is not installed");
    }
}

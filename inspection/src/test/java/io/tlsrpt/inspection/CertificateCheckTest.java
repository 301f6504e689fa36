package io.tlsrpt.inspection;

import static io.tlsrpt.inspection.TestAuthority.pem;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tlsrpt.topics.Inspection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CertificateCheckTest {

    private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    private static final TestAuthority ROOT = TestAuthority.root("Trusted");
    private static final TestAuthority OTHER = TestAuthority.root("Nobody knows");

    @TempDir
    private Path directory;

    private CertificateCheck check;

    @BeforeEach
    void trustingOneRoot() throws IOException {
        check = new CertificateCheck(Files.writeString(directory.resolve("ca.pem"), pem(ROOT.certificate())));
    }

    @ParameterizedTest
    @CsvSource({
        "mx1.example.com, mx1.example.com, valid",
        "MX1.Example.COM, mx1.example.com, valid",
        "mx1.example.com, mx1.example.com., valid",
        "*.example.com, mx1.example.com, valid",
        "*.example.com, example.com, host-mismatch",
        "*.example.com, a.mx1.example.com, host-mismatch",
        "m*.example.com, mx1.example.com, host-mismatch",
        "*1.example.com, mx1.example.com, host-mismatch",
        "mx1.*.com, mx1.example.com, host-mismatch",
        "*, localhost, host-mismatch",
        "*., localhost, host-mismatch",
        "mx2.example.com, mx1.example.com, host-mismatch",
        "xample.com, example.com, host-mismatch",
    })
    void aNameCountsAsDnsIdWithAStarOnlyAsItsWholeFirstLabel(String inCertificate, String host, String verdict) {
        assertThat(check.pkix(ROOT.server(inCertificate).issue().chain(), host, NOW))
                .isEqualTo(verdict);
    }

    @Test
    void theCommonNameDoesNotCount() {
        assertThat(check.pkix(
                        ROOT.server().commonName("mx1.example.com").issue().chain(), "mx1.example.com", NOW))
                .isEqualTo("host-mismatch");
        assertThat(check.pkix(
                        ROOT.server("other.example")
                                .commonName("mx1.example.com")
                                .issue()
                                .chain(),
                        "mx1.example.com",
                        NOW))
                .isEqualTo("host-mismatch");
    }

    @Test
    void anyOfSeveralNamesIsEnough() {
        assertThat(check.pkix(
                        ROOT.server("example.com", "*.example.org", "mx1.example.com")
                                .issue()
                                .chain(),
                        "mx1.example.com",
                        NOW))
                .isEqualTo("valid");
    }

    @Test
    void theDatesAreJudgedFirstAndTheNameLast() {
        Instant yesterday = NOW.minusSeconds(86_400);
        Instant tomorrow = NOW.plusSeconds(86_400);
        assertThat(check.pkix(OTHER.server("x.example").until(yesterday).issue().chain(), "mx1.example.com", NOW))
                .isEqualTo("expired");
        assertThat(check.pkix(OTHER.server("x.example").from(tomorrow).issue().chain(), "mx1.example.com", NOW))
                .isEqualTo("not-yet-valid");
        assertThat(check.pkix(OTHER.server("x.example").issue().chain(), "mx1.example.com", NOW))
                .isEqualTo("not-trusted");
    }

    @Test
    void theDatesAreBothInclusive() {
        List<X509Certificate> chain =
                ROOT.server("mx1.example.com").from(NOW).until(NOW).issue().chain();
        assertThat(check.pkix(chain, "mx1.example.com", NOW)).isEqualTo("valid");
        assertThat(check.pkix(chain, "mx1.example.com", NOW.plusSeconds(1))).isEqualTo("expired");
        assertThat(check.pkix(chain, "mx1.example.com", NOW.minusSeconds(1))).isEqualTo("not-yet-valid");
    }

    @Test
    void anIntermediateThatIsNotSentIsMissedAndItsPlaceInTheChainIsOfNoMatter() {
        TestAuthority second = ROOT.intermediate("First").intermediate("Second");
        List<X509Certificate> chain = second.server("mx1.example.com").issue().chain();
        assertThat(chain).hasSize(3);
        assertThat(check.pkix(chain, "mx1.example.com", NOW)).isEqualTo("valid");
        assertThat(check.pkix(List.of(chain.get(0), chain.get(2), chain.get(1)), "mx1.example.com", NOW))
                .isEqualTo("valid");
        assertThat(check.pkix(chain.subList(0, 2), "mx1.example.com", NOW)).isEqualTo("not-trusted");
        assertThat(check.pkix(chain.subList(0, 1), "mx1.example.com", NOW)).isEqualTo("not-trusted");
    }

    @Test
    void aCertificateForSomethingElseThanServersIsNotTrusted() {
        assertThat(check.pkix(
                        ROOT.server("mx1.example.com")
                                .onlyFor("1.3.6.1.5.5.7.3.4")
                                .issue()
                                .chain(),
                        "mx1.example.com",
                        NOW))
                .isEqualTo("not-trusted");
        assertThat(check.pkix(
                        ROOT.server("mx1.example.com")
                                .onlyFor("1.3.6.1.5.5.7.3.1")
                                .issue()
                                .chain(),
                        "mx1.example.com",
                        NOW))
                .isEqualTo("valid");
    }

    @Test
    void aServersCertificateThatSignsAnotherIsNoAuthority() {
        TestAuthority.Issued server =
                ROOT.server("mx2.example.com").commonName("mx2.example.com").issue();
        X509Certificate forged = server.forger("mx2.example.com")
                .server("mx1.example.com")
                .issue()
                .leaf();
        assertThat(check.pkix(List.of(forged, server.leaf()), "mx1.example.com", NOW))
                .isEqualTo("not-trusted");
    }

    @Test
    void theAuthoritiesOfJavaDoNotKnowAPrivateRoot() {
        assertThat(new CertificateCheck(null)
                        .pkix(ROOT.server("mx1.example.com").issue().chain(), "mx1.example.com", NOW))
                .isEqualTo("not-trusted");
    }

    @Test
    void aCertificateThatIsItselfAmongTheAuthoritiesIsTrusted() throws IOException {
        TestAuthority.Issued alone = OTHER.server("mx1.example.com").issue();
        CertificateCheck pinned =
                new CertificateCheck(Files.writeString(directory.resolve("pinned.pem"), pem(alone.leaf())));
        assertThat(pinned.pkix(alone.chain(), "mx1.example.com", NOW)).isEqualTo("valid");
    }

    @Test
    void whatIsShownIsCleanedAndCut() {
        X509Certificate hostile = ROOT.server(IntStream.range(0, 300)
                        .mapToObj(n -> n + "\u0007\r\n.example")
                        .toArray(String[]::new))
                .commonName("a\u202eb\u001b[31m" + "x".repeat(10_000))
                .issue()
                .leaf();
        Inspection.Certificate shown = CertificateCheck.shown(hostile);
        assertThat(shown.subject())
                .doesNotContain("\u202e", "\u001b")
                .hasSizeLessThan(400)
                .contains("a\\u{202e}b");
        assertThat(shown.issuer()).isEqualTo("CN=Trusted");
        assertThat(shown.names()).hasSize(100).first().isEqualTo("0\\u{7}\\u{d}\\u{a}.example");
        assertThat(shown.notBefore()).isEqualTo(TestAuthority.LONG_AGO);
        assertThat(shown.notAfter()).isEqualTo(TestAuthority.FAR_AWAY);
        assertThat(shown.sha256()).matches("[0-9a-f]{64}");
    }

    @Test
    void aFileWithoutAuthoritiesIsRefused() throws IOException {
        Path empty = Files.createFile(directory.resolve("empty.pem"));
        assertThatThrownBy(() -> new CertificateCheck(empty)).hasMessageContaining("holds no certificate");
        Path text = Files.writeString(directory.resolve("text.pem"), "no certificate\n");
        assertThatThrownBy(() -> new CertificateCheck(text)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new CertificateCheck(directory.resolve("absent.pem")))
                .isInstanceOf(UncheckedIOException.class);
    }
}

package io.tlsrpt.inspection;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.inspection.TlsaRecords.Match;
import io.tlsrpt.inspection.TlsaRecords.Tlsa;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Rows R01 and R07 to R14 of the rules for TLSA records (RFC 6698, RFC 7671).
class TlsaRecordsTest {

    private static final Instant NOW = Instant.parse("2026-11-22T00:00:00Z");
    private static final Set<String> NAMES = Set.of("mx.example.com");
    private static final TestAuthority ROOT = TestAuthority.root("Root");
    private static final TestAuthority MIDDLE = ROOT.intermediate("Middle");
    private static final TestAuthority.Issued GOOD =
            MIDDLE.server("mx.example.com").issue();
    private static final TestAuthority.Issued OTHER =
            MIDDLE.server("mx.example.com").issue();

    @Test
    void r01TheNameIsThatOfPort25() {
        assertThat(TlsaRecords.name("mx.example.com")).isEqualTo("_25._tcp.mx.example.com");
    }

    @ParameterizedTest(name = "R07, R08: {0} {1} {2} with {3} bytes: {4}")
    @CsvSource(
            nullValues = "usable",
            value = {
                "3, 1, 1, 32, usable",
                "3, 0, 1, 32, usable",
                "2, 0, 1, 32, usable",
                "2, 1, 2, 64, usable",
                "3, 1, 2, 64, usable",
                "3, 1, 1, 31, 'its data has 31 bytes, a digest of matching type 1 has 32'",
                "3, 1, 1, 64, 'its data has 64 bytes, a digest of matching type 1 has 32'",
                "3, 1, 2, 32, 'its data has 32 bytes, a digest of matching type 2 has 64'",
                "3, 1, 1, 0, 'its data has 0 bytes, a digest of matching type 1 has 32'",
                "4, 1, 1, 32, usage 4 is unknown",
                "255, 1, 1, 32, usage 255 is unknown",
                "3, 2, 1, 32, selector 2 is unknown",
                "3, 1, 3, 32, matching type 3 is unknown",
                "3, 0, 0, 20, its data is no certificate",
                "3, 1, 0, 20, its data is no public key",
                "0, 1, 1, 32, usage 0 (PKIX) is not for SMTP: use 3 or 2",
                "1, 1, 1, 32, usage 1 (PKIX) is not for SMTP: use 3 or 2"
            })
    void unusableRecordsSayWhy(int usage, int selector, int matching, int bytes, @Nullable String why) {
        assertThat(TlsaRecords.unusable(new Tlsa(usage, selector, matching, "ab".repeat(bytes))))
                .isEqualTo(why);
    }

    @Test
    void r07WholeCertificatesAndKeysAreUsable() {
        assertThat(TlsaRecords.unusable(record(3, 0, 0, GOOD.leaf()))).isNull();
        assertThat(TlsaRecords.unusable(record(3, 1, 0, GOOD.leaf()))).isNull();
    }

    @ParameterizedTest(name = "3 {0} {1}")
    @CsvSource({"0, 0", "0, 1", "0, 2", "1, 0", "1, 1", "1, 2"})
    void r09ARecordOfTheLeafFitsIt(int selector, int matching) {
        Match match = match(GOOD, record(3, selector, matching, GOOD.leaf()));
        assertThat(match).isEqualTo(new Match(true, true, List.of(), null));
        assertThat(match(OTHER, record(3, selector, matching, GOOD.leaf())).fits())
                .isFalse();
    }

    @Test
    void r09UnderALeafRecordNamesAndDatesDoNotCount() {
        TestAuthority.Issued stale = MIDDLE.server("elsewhere.example")
                .until(Instant.parse("2021-01-01T00:00:00Z"))
                .issue();
        assertThat(match(stale, record(3, 1, 1, stale.leaf())).fits()).isTrue();
    }

    @Test
    void r10AnAuthorityInTheChainFits() {
        assertThat(match(GOOD, record(2, 0, 1, MIDDLE.certificate())))
                .isEqualTo(new Match(true, false, List.of(), null));
        assertThat(match(GOOD, record(2, 1, 2, MIDDLE.certificate())).fits()).isTrue();
    }

    @Test
    void r10ARootMustBeSentToo() {
        Tlsa root = record(2, 0, 1, ROOT.certificate());
        assertThat(match(GOOD, root).why())
                .isEqualTo("no record 2 0 1 fits: no authority in the chain sent has this digest of its certificate");
        List<X509Certificate> whole = List.of(GOOD.leaf(), MIDDLE.certificate(), ROOT.certificate());
        assertThat(TlsaRecords.match(List.of(root), whole, NAMES, NOW).fits()).isTrue();
    }

    @Test
    void r10ALeafIsNoAuthority() {
        assertThat(match(GOOD, record(2, 0, 1, GOOD.leaf())).fits()).isFalse();
    }

    @Test
    void r10UnderAnAuthorityTheNameCounts() {
        TestAuthority.Issued elsewhere = MIDDLE.server("elsewhere.example").issue();
        Tlsa tlsa = record(2, 0, 1, MIDDLE.certificate());
        assertThat(match(elsewhere, tlsa).why()).endsWith("the certificate is not for mx.example.com");
        assertThat(TlsaRecords.match(
                                List.of(tlsa), elsewhere.chain(), Set.of("mx.example.com", "elsewhere.example"), NOW)
                        .fits())
                .isTrue();
    }

    @Test
    void r10UnderAnAuthorityTheDateCounts() {
        TestAuthority.Issued expired = MIDDLE.server("mx.example.com")
                .until(Instant.parse("2021-01-01T00:00:00Z"))
                .issue();
        assertThat(match(expired, record(2, 0, 1, MIDDLE.certificate())).why())
                .contains("the chain below the authority is not valid");
    }

    @Test
    void r10AnAuthorityThatDidNotSignTheLeafProvesNothing() {
        List<X509Certificate> mixed =
                List.of(GOOD.leaf(), TestAuthority.root("Middle").certificate());
        assertThat(TlsaRecords.match(List.of(record(2, 0, 1, mixed.get(1))), mixed, NAMES, NOW)
                        .why())
                .endsWith("the chain sent does not lead to the authority");
    }

    @Test
    void r12EachCombinationMustFit() {
        Match match = match(GOOD, record(3, 1, 1, GOOD.leaf()), record(3, 1, 2, OTHER.leaf()));
        assertThat(match.fits()).isFalse();
        assertThat(match.why()).startsWith("no record 3 1 2 fits, though others do");
        assertThat(match(GOOD, record(3, 1, 1, GOOD.leaf()), record(3, 1, 2, GOOD.leaf()))
                        .fits())
                .isTrue();
    }

    @Test
    void r13ASecondRecordOfACombinationIsARollover() {
        Tlsa next = record(3, 1, 1, OTHER.leaf());
        assertThat(match(GOOD, record(3, 1, 1, GOOD.leaf()), next))
                .isEqualTo(new Match(true, true, List.of(next.text()), null));
    }

    @Test
    void aRecordIsWrittenAsInAZone() {
        assertThat(new Tlsa(3, 1, 1, "ab12").text()).isEqualTo("3 1 1 ab12");
    }

    private static Match match(TestAuthority.Issued server, Tlsa... records) {
        return TlsaRecords.match(List.of(records), server.chain(), NAMES, NOW);
    }

    static Tlsa record(int usage, int selector, int matching, X509Certificate certificate) {
        try {
            byte[] data = selector == 0
                    ? certificate.getEncoded()
                    : certificate.getPublicKey().getEncoded();
            byte[] held = matching == 0
                    ? data
                    : MessageDigest.getInstance(matching == 1 ? "SHA-256" : "SHA-512")
                            .digest(data);
            return new Tlsa(usage, selector, matching, HexFormat.of().formatHex(held));
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}

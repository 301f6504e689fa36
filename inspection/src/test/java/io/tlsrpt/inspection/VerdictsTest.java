package io.tlsrpt.inspection;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.inspection.PolicyFetch.Fetched;
import io.tlsrpt.topics.Inspection;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Type;

/// How grave the same fault is in each context: what senders do about it decides.
class VerdictsTest {

    private static final Instant NOW = Instant.parse("2026-11-22T00:00:00Z");
    private static final Answer NOTHING = new Answer.None("x", false, Security.SECURE);
    private static final TestAuthority ROOT = TestAuthority.root("Root");
    private static final TestAuthority.Issued VALID =
            ROOT.server("mx1.example.com").issue();
    private static final TestAuthority.Issued EXPIRED = ROOT.server("mx1.example.com")
            .until(Instant.parse("2021-01-01T00:00:00Z"))
            .issue();

    @TempDir
    static Path directory;

    private static CertificateCheck trust;

    @BeforeAll
    static void trust() throws IOException {
        trust = new CertificateCheck(PolicyFetchTest.pem(directory.resolve("ca.pem"), ROOT));
    }

    /// TLSA: `none`, `fits` or `stale`.
    @ParameterizedTest(name = "{0}, TLSA {1}: {2}")
    @CsvSource({
        "enforce, none,  error certificate-expired",
        "testing, none,  warning certificate-expired",
        "none,    none,  warning certificate-expired",
        "absent,  none,  warning certificate-expired",
        "enforce, fits,  error certificate-expired",
        "testing, fits,  warning certificate-expired",
        "absent,  fits,  note certificate-expired",
        "absent,  stale, warning certificate-expired",
        "absent,  stale, error tlsa-mismatch",
        "enforce, stale, error tlsa-mismatch"
    })
    void r09AnExpiredCertificateIsAsGraveAsSendersTakeIt(String mode, String tlsa, String expected) throws IOException {
        X509Certificate published = tlsa.equals("fits") ? EXPIRED.leaf() : VALID.leaf();
        Answer records = tlsa.equals("none") ? NOTHING : tlsa(Security.SECURE, published);
        assertThat(codes(mode, records, offered(EXPIRED), "open")).contains(expected);
    }

    @ParameterizedTest(name = "{0}, TLSA {1}: {2}")
    @CsvSource({
        "enforce, none,  error starttls-missing",
        "testing, none,  warning starttls-missing",
        "absent,  none,  warning starttls-missing",
        "absent,  fits,  error starttls-missing"
    })
    void r16MissingStarttlsIsAnErrorWhereSendersInsist(String mode, String tlsa, String expected) throws IOException {
        Answer records = tlsa.equals("none") ? NOTHING : tlsa(Security.SECURE, VALID.leaf());
        assertThat(codes(mode, records, new Presented("missing", null, null, List.of()), "open"))
                .contains(expected);
    }

    @ParameterizedTest(name = "port 25 {0}: {1}")
    @CsvSource({"open, warning", "blocked, unknown", "unknown, unknown"})
    void aServerThatIsNotReachedIsBlamedOnlyWhereOthersAre(String port25, String verdict) throws IOException {
        List<String> codes = codes("enforce", NOTHING, new Presented("unknown", "no answer", null, List.of()), port25);
        assertThat(codes).contains(verdict + " mx-unreachable");
        assertThat(codes.contains("unknown port-25-blocked")).isEqualTo(port25.equals("blocked"));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource({"enforce, error", "testing, warning"})
    void q17AnMxHostOutsideThePolicyIsAnErrorUnderEnforce(String mode, String verdict) throws IOException {
        String policy = "version: STSv1\nmode: " + mode + "\nmx: other.example\nmax_age: 604800\n";
        assertThat(codes(policy(policy, "text/plain"), NOTHING, offered(VALID), "open"))
                .contains(verdict + " mta-sts-mx-uncovered", "note mta-sts-pattern-unused");
    }

    @Test
    void q14AShortMaxAgeIsAWarningUnlessThePolicyIsOnItsWayOut() throws IOException {
        String head = "version: STSv1\nmx: mx1.example.com\nmax_age: 3600\nmode: ";
        assertThat(codes(policy(head + "enforce", "text/plain"), NOTHING, offered(VALID), "open"))
                .contains("warning mta-sts-max-age-short");
        assertThat(codes(policy(head + "none", "text/plain"), NOTHING, offered(VALID), "open"))
                .doesNotContain("warning mta-sts-max-age-short");
    }

    @Test
    void q11AnotherMediaTypeIsAWarning() throws IOException {
        String text = "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmax_age: 604800\n";
        assertThat(codes(policy(text, "text/html; charset=utf-8"), NOTHING, offered(VALID), "open"))
                .contains("warning mta-sts-policy-doubtful");
        assertThat(codes(policy(text, "Text/Plain; charset=utf-8"), NOTHING, offered(VALID), "open"))
                .contains("ok mta-sts-ok");
    }

    @Test
    void q26APolicyThatIsInvalidOrUnfetchableOrUntrustedIsAnErrorWithItsOwnCode() throws IOException {
        assertThat(codes(policy("<html>", "text/html"), NOTHING, offered(VALID), "open"))
                .contains("error mta-sts-policy-invalid");
        assertThat(codes(
                        new Facts.Policy.Asked(new Fetched.Unfetchable("404", VALID.leaf())),
                        NOTHING,
                        offered(VALID),
                        "open"))
                .contains("error mta-sts-policy-unfetchable");
        assertThat(codes(
                        new Facts.Policy.Asked(new Fetched.NotTrusted("expired", VALID.leaf())),
                        NOTHING,
                        offered(VALID),
                        "open"))
                .contains("error mta-sts-policy-untrusted");
        assertThat(codes(new Facts.Policy.Unknown("no answer"), NOTHING, offered(VALID), "open"))
                .contains("unknown dns-failed");
    }

    @Test
    void r03RecordsThatAreNotSignedAreNotHeldAgainstTheCertificate() throws IOException {
        assertThat(codes("absent", tlsa(Security.INSECURE, EXPIRED.leaf()), offered(VALID), "open"))
                .contains("warning tlsa-not-secure")
                .doesNotContain("error tlsa-mismatch");
    }

    @Test
    void r05ABrokenTlsaLookupIsAnErrorWhereTheAddressIsSigned() throws IOException {
        assertThat(codes("absent", new Answer.Broken(Security.UNKNOWN, "SERVFAIL"), offered(VALID), "open"))
                .contains("error dns-failed");
        assertThat(codes("absent", new Answer.Broken(Security.BOGUS, "no signature"), offered(VALID), "open"))
                .contains("error dnssec-bogus");
    }

    @Test
    void r06RecordsThatNobodyCanUseAreAnErrorAndAMixAWarning() throws IOException {
        Answer alone = records(Security.SECURE, "1 1 1 " + "ab".repeat(32));
        assertThat(codes("absent", alone, offered(VALID), "open")).contains("error tlsa-unusable");
        Answer mixed = records(
                Security.SECURE,
                "1 1 1 " + "ab".repeat(32),
                TlsaRecordsTest.record(3, 1, 1, VALID.leaf()).text());
        assertThat(codes("absent", mixed, offered(VALID), "open")).contains("warning tlsa-unusable", "ok tlsa-ok");
    }

    @Test
    void s01ANullMxBesideOthersIsAnError() throws IOException {
        Answer mx = found("example.com", Type.MX, Security.SECURE, "0 .", "10 mx1.example.com.");
        assertThat(codes(facts(null, mx, NOTHING, offered(VALID)), "open")).contains("error mx-null-not-alone");
    }

    @Test
    void everyCodeHasItsWordAndAnErrorHasAFix() {
        assertThat(FindingCode.CERTIFICATE_HOST_MISMATCH.code()).isEqualTo("certificate-host-mismatch");
        assertThat(FindingCode.values())
                .allSatisfy(code -> assertThat(code.area())
                        .isIn(
                                "certificate-expiry",
                                "starttls-missing",
                                "tlsrpt-record",
                                "mta-sts",
                                "tlsa",
                                "mx",
                                "dnssec"));
        assertThat(FindingCode.TLSA_MISMATCH.fix()).isNotEmpty();
    }

    private static List<String> codes(String mode, Answer tlsa, Presented presented, String port25) throws IOException {
        String text = "version: STSv1\nmode: " + mode + "\nmx: mx1.example.com\nmax_age: 604800\n";
        return codes(mode.equals("absent") ? null : policy(text, "text/plain"), tlsa, presented, port25);
    }

    private static List<String> codes(Facts.@Nullable Policy policy, Answer tlsa, Presented presented, String port25)
            throws IOException {
        Answer mx = found("example.com", Type.MX, Security.SECURE, "10 mx1.example.com.");
        return codes(facts(policy, mx, tlsa, presented), port25);
    }

    private static List<String> codes(Facts facts, String port25) {
        List<String> codes = new ArrayList<>();
        List<Inspection.Finding> findings =
                Verdicts.of(facts, port25, Inspection.WATCH, trust).findings();
        assertThat(findings).isNotNull();
        if (findings != null) {
            findings.forEach(finding -> codes.add(finding.verdict() + " " + finding.code()));
        }
        return codes;
    }

    private static Facts facts(Facts.@Nullable Policy policy, Answer mx, Answer tlsa, Presented presented)
            throws IOException {
        Answer address = found("mx1.example.com", Type.A, Security.SECURE, "192.0.2.1");
        Facts.Host host = new Facts.Host(
                "mx1.example.com",
                10,
                null,
                address,
                NOTHING,
                "mx1.example.com",
                tlsa,
                List.of(new Facts.Address(InetAddress.getLoopbackAddress(), presented)),
                0);
        Answer sts = policy == null
                ? NOTHING
                : found("_mta-sts.example.com", Type.TXT, Security.SECURE, "\"v=STSv1; id=1\"");
        return new Facts("example.com", NOW, NOTHING, sts, policy, mx, List.of(host), 0);
    }

    private static Facts.Policy policy(String text, String mediaType) {
        return new Facts.Policy.Asked(new Fetched.Body(text.getBytes(UTF_8), mediaType, VALID.leaf()));
    }

    private static Presented offered(TestAuthority.Issued certificate) {
        return new Presented("offered", null, "TLSv1.3", certificate.chain());
    }

    private static Answer tlsa(Security security, X509Certificate certificate) throws IOException {
        return records(security, TlsaRecordsTest.record(3, 1, 1, certificate).text());
    }

    private static Answer records(Security security, String... texts) throws IOException {
        return found("_25._tcp.mx1.example.com", Type.TLSA, security, texts);
    }

    private static Answer found(String owner, int type, Security security, String... texts) throws IOException {
        List<Record> records = new ArrayList<>();
        for (String text : texts) {
            records.add(Record.fromString(Name.fromString(owner + "."), type, DClass.IN, 60, text, Name.root));
        }
        return new Answer.Found(owner, records, security);
    }
}

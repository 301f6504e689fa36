package io.tlsrpt.inspection;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Inspection.Finding;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whole domains as they stand in signed and unsigned zones of a real BIND, with MX and policy hosts on loopback.
class DomainInspectionIT {

    private static final String ENFORCE = "version: STSv1\nmode: enforce\nmx: mx1.good.test\nmax_age: 604800\n";
    private static final TestAuthority ROOT = TestAuthority.root("Root");
    private static final TestAuthority.Issued GOOD = ROOT.server(
                    "mx1.good.test", "mta-sts.good.test", "mta-sts.bad.test")
            .issue();
    private static final TestAuthority.Issued EXPIRED = ROOT.server("mx1.good.test", "mx1.bad.test")
            .until(Instant.parse("2021-01-01T00:00:00Z"))
            .issue();

    @TempDir
    static Path directory;

    private static SignedZones zones;
    private static Path anchors;
    private static Path authorities;
    private static LoopbackHttps policies;
    private static final List<LoopbackSmtp> SERVERS = new ArrayList<>();

    @BeforeAll
    static void theWorld() throws IOException {
        authorities = PolicyFetchTest.pem(directory.resolve("ca.pem"), ROOT);
        // one port for all, as in the world: each server has an address of its own
        LoopbackSmtp good = LoopbackSmtp.start(
                InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0, LoopbackSmtp.offering(GOOD.server()));
        SERVERS.add(good);
        SERVERS.add(LoopbackSmtp.start(
                InetAddress.getByAddress(new byte[] {127, 0, 0, 2}),
                good.port(),
                LoopbackSmtp.offering(EXPIRED.server())));
        SERVERS.add(LoopbackSmtp.start(
                InetAddress.getByAddress(new byte[] {127, 0, 0, 3}), good.port(), LoopbackSmtp.plain()));
        policies = new LoopbackHttps(GOOD.server(), LoopbackHttps.serving(ENFORCE));
        zones = new SignedZones(directory);
        String tlsa = TlsaRecordsTest.record(3, 1, 1, GOOD.leaf()).text();
        String other = TlsaRecordsTest.record(3, 1, 1, EXPIRED.leaf()).text();
        zones.signed(
                "good.test",
                List.of(
                        "@ IN MX 10 mx1",
                        "mx1 IN A 127.0.0.1",
                        "_25._tcp.mx1 IN TLSA " + tlsa,
                        "_25._tcp.mx1 IN TLSA " + other,
                        "_smtp._tls IN TXT \"v=TLSRPTv1; rua=mailto:tlsrpt@good.test\"",
                        "_mta-sts IN TXT \"v=STSv1; id=1\"",
                        "mta-sts IN A 127.0.0.1"));
        // every fault at once
        zones.signed(
                "bad.test",
                List.of(
                        "@ IN MX 10 mx1",
                        "@ IN MX 20 mx2",
                        "@ IN MX 30 mx3",
                        "@ IN MX 40 mx4",
                        "mx1 IN A 127.0.0.2",
                        "_25._tcp.mx1 IN TLSA " + tlsa,
                        "mx2 IN A 127.0.0.3",
                        "_25._tcp.mx2 IN TLSA 1 1 1 " + "ab".repeat(32),
                        "mx3 IN CNAME mx1.good.test.",
                        "mx4 IN A 127.0.0.4",
                        "_smtp._tls IN TXT \"v=TLSRPTv1; rua=tlsrpt@bad.test\"",
                        "_mta-sts IN TXT \"v=STSv1; id=1\"",
                        "mta-sts IN A 127.0.0.1"));
        zones.signed("bogus.test", List.of("@ IN MX 10 mx1", "mx1 IN A 127.0.0.1"));
        zones.falsified("bogus.test", "10 mx1", "11 mx1");
        List<String> many = new ArrayList<>();
        IntStream.range(0, 25).forEach(index -> many.add("@ IN MX " + index + " mx" + index));
        IntStream.range(0, 14).forEach(index -> many.add("mx0 IN A 127.0.0." + (100 + index)));
        zones.unsigned("many.test", many);
        zones.unsigned("plain.test", List.of("@ IN MX 10 mx1", "mx1 IN A 127.0.0.1", "_25._tcp.mx1 IN TLSA " + tlsa));
        zones.unsigned("null.test", List.of("@ IN MX 0 ."));
        zones.unsigned("implicit.test", List.of("@ IN A 127.0.0.1"));
        zones.broken("broken.test");
        anchors = zones.start();
    }

    @AfterAll
    static void end() throws IOException {
        if (zones != null) {
            zones.close();
        }
        if (policies != null) {
            policies.close();
        }
        SERVERS.forEach(LoopbackSmtp::close);
    }

    @Test
    void aDomainInOrderIsSaidToBe() {
        Inspection inspection = inspection(true).inspect("Good.TEST.", Inspection.REQUEST);

        assertThat(codes(inspection))
                .containsExactlyInAnyOrder(
                        "ok tlsrpt-record-ok _smtp._tls.good.test",
                        "ok mta-sts-ok mta-sts.good.test",
                        "ok mx-ok good.test",
                        "ok starttls-ok mx1.good.test 127.0.0.1",
                        "ok certificate-ok mx1.good.test 127.0.0.1",
                        "ok tlsa-ok mx1.good.test 127.0.0.1",
                        "note tlsa-rollover mx1.good.test 127.0.0.1");
        assertThat(inspection.policyDomain()).isEqualTo("good.test");
        assertThat(inspection.port25()).isEqualTo("open");
        assertThat(inspection.mail()).isEqualTo("mx");
        assertThat(inspection.tlsRpt())
                .isEqualTo(new Inspection.TlsRpt(
                        "published", "v=TLSRPTv1; rua=mailto:tlsrpt@good.test", List.of("mailto:tlsrpt@good.test")));
        assertThat(requireNonNull(inspection.mtaSts()).policyState()).isEqualTo("valid");
        assertThat(requireNonNull(inspection.mtaSts()).mode()).isEqualTo("enforce");
        assertThat(requireNonNull(inspection.mtaSts()).sha256()).hasSize(64);
        assertThat(inspection.mx()).singleElement().satisfies(mx -> {
            assertThat(mx.dnssec()).isEqualTo("secure");
            assertThat(mx.coveredByPolicy()).isTrue();
            assertThat(requireNonNull(mx.tlsa()).state()).isEqualTo("secure");
            assertThat(mx.addresses()).singleElement().satisfies(address -> {
                assertThat(address.pkix()).isEqualTo("valid");
                assertThat(address.tlsaMatch()).isTrue();
                assertThat(address.tlsVersion()).isEqualTo("TLSv1.3");
                assertThat(address.certificate()).isEqualTo(CertificateCheck.shown(GOOD.leaf()));
            });
        });
    }

    @Test
    void everyFaultIsNamedAndTheWorstComeFirst() {
        Inspection inspection = inspection(true).inspect("bad.test", Inspection.REQUEST);

        assertThat(codes(inspection))
                .contains(
                        "error tlsrpt-record-invalid _smtp._tls.bad.test",
                        "error mta-sts-mx-uncovered mx1.bad.test",
                        "error tlsa-mismatch mx1.bad.test 127.0.0.2",
                        "warning certificate-expired mx1.bad.test 127.0.0.2",
                        "error tlsa-unusable _25._tcp.mx2.bad.test",
                        "error starttls-missing mx2.bad.test 127.0.0.3",
                        "warning mx-is-alias mx3.bad.test",
                        "note certificate-host-mismatch mx3.bad.test 127.0.0.1",
                        "ok tlsa-ok mx3.bad.test 127.0.0.1",
                        "warning mx-unreachable mx4.bad.test 127.0.0.4",
                        "note mta-sts-pattern-unused mta-sts.bad.test");
        assertThat(inspection.findings())
                .extracting(Finding::verdict)
                .isSortedAccordingTo(
                        Comparator.comparingInt(List.of("error", "warning", "unknown", "note", "ok")::indexOf));
        assertThat(inspection.findings())
                .filteredOn(finding -> finding.verdict().equals("error"))
                .allSatisfy(finding -> assertThat(finding.fix()).isNotEmpty());
    }

    @Test
    void unsignedTlsaRecordsAreToldFromSignedOnes() {
        Inspection inspection = inspection(true).inspect("plain.test", Inspection.WATCH);

        assertThat(codes(inspection))
                .contains(
                        "error tlsrpt-record-missing _smtp._tls.plain.test",
                        "note mta-sts-record-missing _mta-sts.plain.test",
                        "warning tlsa-not-secure _25._tcp.mx1.plain.test",
                        "warning certificate-host-mismatch mx1.plain.test 127.0.0.1");
        assertThat(requireNonNull(requireNonNull(inspection.mx()).getFirst().addresses())
                        .getFirst()
                        .tlsaMatch())
                .isNull();
    }

    @Test
    void falseSignaturesAreAnErrorAndBrokenServersBlameNobody() {
        DomainInspection look = inspection(true);
        Inspection bogus = look.inspect("bogus.test", Inspection.WATCH);
        assertThat(codes(bogus)).contains("error dnssec-bogus bogus.test");
        assertThat(bogus.mail()).isEqualTo("unknown");

        Inspection broken = look.inspect("broken.test", Inspection.WATCH);
        assertThat(codes(broken))
                .contains(
                        "unknown mx-lookup-failed broken.test",
                        "unknown dns-failed _smtp._tls.broken.test",
                        "unknown dns-failed _mta-sts.broken.test")
                .noneMatch(code -> code.startsWith("error"));
        assertThat(requireNonNull(broken.tlsRpt()).state()).isEqualTo("unknown");
    }

    @Test
    void domainsWithoutMxRecordsAreToldApart() {
        DomainInspection look = inspection(true);
        Inspection none = look.inspect("null.test", Inspection.WATCH);
        assertThat(codes(none)).contains("note mx-null null.test");
        assertThat(none.mail()).isEqualTo("none");
        Inspection implicit = look.inspect("implicit.test", Inspection.WATCH);
        assertThat(codes(implicit))
                .contains("warning mx-missing implicit.test", "ok starttls-ok implicit.test 127.0.0.1");
        assertThat(implicit.mail()).isEqualTo("implicit");
        Inspection missing = look.inspect("nowhere.test", Inspection.WATCH);
        assertThat(codes(missing)).contains("error mx-missing nowhere.test");
        assertThat(missing.mail()).isEqualTo("missing");
    }

    @Test
    void privateAddressesAreNotConnectedToUnlessAllowed() {
        int before = SERVERS.getFirst().heard.size();
        int asked = policies.heard.size();
        Inspection inspection = inspection(false).inspect("good.test", Inspection.WATCH);

        assertThat(codes(inspection))
                .contains(
                        "warning mx-address-private mx1.good.test 127.0.0.1",
                        "error mta-sts-policy-unfetchable mta-sts.good.test");
        assertThat(inspection.port25()).isEqualTo("unknown");
        assertThat(SERVERS.getFirst().heard).hasSize(before);
        assertThat(policies.heard).hasSize(asked);
    }

    @Test
    void manyHostsAndAddressesAreCutAndSaidToBe() {
        Inspection inspection = inspection(true).inspect("many.test", Inspection.WATCH);

        assertThat(inspection.mx()).hasSize(20);
        assertThat(requireNonNull(inspection.mx()).getFirst().addresses()).hasSize(10);
        assertThat(inspection.findings())
                .filteredOn(finding -> finding.code().equals("mx-too-many"))
                .extracting(Finding::found)
                .containsExactlyInAnyOrder(
                        "5 more MX hosts were not looked at; the limit is 20",
                        "4 more addresses were not looked at; the limit is 10");
    }

    @Test
    void whatIsNoDomainNameIsRefused() {
        assertThatThrownBy(() -> inspection(true).inspect("a b\u001b", Inspection.REQUEST))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("\"a b\\u{1b}\" is no domain name");
    }

    private static DomainInspection inspection(boolean allowPrivate) {
        return new DomainInspection(
                new DomainInspection.Options(
                        List.of(zones.bind().address()),
                        Duration.ofSeconds(10),
                        "probe.example",
                        allowPrivate,
                        SERVERS.getFirst().port(),
                        policies.port(),
                        Duration.ofSeconds(20),
                        4,
                        authorities,
                        anchors),
                Clock.systemUTC());
    }

    private static List<String> codes(Inspection inspection) {
        return requireNonNull(inspection.findings()).stream()
                .map(finding -> finding.verdict() + " " + finding.code() + " " + finding.subject())
                .toList();
    }
}

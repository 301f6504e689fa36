package io.tlsrpt.inspection;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.dns.LoopbackDns;
import io.tlsrpt.dns.Unbound;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/// Signed, unsigned and falsified zones of a real BIND.
class SecureLookupIT {

    private static final Duration PATIENT = Duration.ofSeconds(10);

    @TempDir
    static Path directory;

    private static SignedZones zones;
    private static Path anchors;
    private static SecureLookup dns;

    @BeforeAll
    static void world() throws IOException {
        zones = new SignedZones(directory)
                .signed(
                        "secure.test",
                        List.of(
                                "@ IN MX 10 mx1",
                                "mx1 IN A 192.0.2.1",
                                "alias IN CNAME mx1",
                                "out IN CNAME mx1.insecure.test.",
                                "_smtp._tls IN TXT \"v=TLSRPTv1; \" \"rua=mailto:a@secure.test\""))
                .unsigned(
                        "insecure.test",
                        List.of(
                                "mx1 IN A 192.0.2.2",
                                "l1 IN CNAME l2",
                                "l2 IN CNAME l1",
                                "in IN CNAME mx1.secure.test."))
                .signed("bogus.test", List.of("mx1 IN A 192.0.2.3"))
                .falsified("bogus.test", "192.0.2.3", "192.0.2.4")
                .broken("broken.test");
        anchors = zones.start();
        dns = lookup(anchors);
    }

    @AfterAll
    static void stop() {
        if (zones != null) {
            zones.close();
        }
    }

    @Test
    void aSignedAnswerIsSecure() {
        assertThat(dns.lookup("mx1.secure.test", Type.A)).isInstanceOfSatisfying(Answer.Found.class, found -> {
            assertThat(found.security()).isEqualTo(Security.SECURE);
            assertThat(found.owner()).isEqualTo("mx1.secure.test");
            assertThat(found.records()).hasSize(1);
        });
    }

    @Test
    void stringsOfARecordAreJoined() {
        assertThat(dns.lookup("_smtp._tls.secure.test", Type.TXT))
                .isInstanceOfSatisfying(
                        Answer.Found.class,
                        found -> assertThat(SecureLookup.texts(found))
                                .singleElement()
                                .satisfies(text -> assertThat(new String(text, StandardCharsets.US_ASCII))
                                        .isEqualTo("v=TLSRPTv1; rua=mailto:a@secure.test")));
    }

    @Test
    void absenceIsProvedToo() {
        assertThat(dns.lookup("nowhere.secure.test", Type.A))
                .isEqualTo(new Answer.None("nowhere.secure.test", false, Security.SECURE));
        assertThat(dns.lookup("mx1.secure.test", Type.AAAA))
                .isEqualTo(new Answer.None("mx1.secure.test", true, Security.SECURE));
    }

    @Test
    void aZoneThatItsParentDoesNotVouchForIsInsecure() {
        assertThat(dns.lookup("mx1.insecure.test", Type.A))
                .isInstanceOfSatisfying(
                        Answer.Found.class,
                        found -> assertThat(found.security()).isEqualTo(Security.INSECURE));
        assertThat(dns.lookup("nowhere.insecure.test", Type.A))
                .isEqualTo(new Answer.None("nowhere.insecure.test", false, Security.INSECURE));
    }

    @Test
    void aRecordChangedPastItsSignatureIsBogus() {
        assertThat(dns.lookup("mx1.bogus.test", Type.A)).isInstanceOfSatisfying(Answer.Broken.class, broken -> {
            assertThat(broken.security()).isEqualTo(Security.BOGUS);
            assertThat(broken.why()).startsWith("DNSSEC validation fails: ").hasSizeLessThan(300);
        });
    }

    @Test
    void aServerThatFailsIsNotBogus() {
        assertThat(dns.lookup("mx1.broken.test", Type.A)).isInstanceOfSatisfying(Answer.Broken.class, broken -> {
            assertThat(broken.security()).isEqualTo(Security.UNKNOWN);
            assertThat(broken.why()).contains("SERVFAIL");
        });
    }

    @Test
    void anAliasIsSecureWhenEachStepIs() {
        assertThat(dns.lookup("alias.secure.test", Type.A)).isInstanceOfSatisfying(Answer.Found.class, found -> {
            assertThat(found.owner()).isEqualTo("mx1.secure.test");
            assertThat(found.security()).isEqualTo(Security.SECURE);
        });
        assertThat(dns.lookup("out.secure.test", Type.A).security()).isEqualTo(Security.INSECURE);
        assertThat(dns.lookup("in.insecure.test", Type.A).security()).isEqualTo(Security.INSECURE);
    }

    @Test
    void aliasesInACircleEnd() {
        assertThat(dns.lookup("l1.insecure.test", Type.A))
                .isInstanceOfSatisfying(
                        Answer.Broken.class,
                        broken -> assertThat(broken.security()).isEqualTo(Security.UNKNOWN));
    }

    @Test
    void whereTheAnchorsDoNotHoldNothingIsCalledBogus() throws IOException {
        Path others = Files.writeString(directory.resolve("others"), "test. IN DS 1 13 2 " + "AB".repeat(32) + "\n");
        assertThat(lookup(others).lookup("mx1.secure.test", Type.A))
                .isInstanceOfSatisfying(
                        Answer.Found.class,
                        found -> assertThat(found.security()).isEqualTo(Security.UNKNOWN));
    }

    @Test
    void anAnchorMayBeAKey() throws IOException {
        Path key;
        try (var files = Files.list(directory)) {
            key = files.filter(file -> file.getFileName().toString().matches("Ktest\\.\\+.*\\.key"))
                    .findFirst()
                    .orElseThrow();
        }
        assertThat(lookup(key).lookup("mx1.secure.test", Type.A).security()).isEqualTo(Security.SECURE);
    }

    @Test
    void theRootsAnchorsAreBuiltInAndSayNothingAboutAnIsland() {
        assertThat(lookup(null).lookup("mx1.secure.test", Type.A).security()).isEqualTo(Security.UNKNOWN);
    }

    @Test
    void aServersWordIsNotTakenForIt() throws IOException {
        try (LoopbackDns liar = new LoopbackDns((query, answer) -> {
            answer.getHeader().setFlag(Flags.AD);
            assertThat(query.getHeader().getFlag(Flags.CD)).isTrue();
            try {
                answer.addRecord(
                        Record.fromString(query.getQuestion().getName(), Type.A, DClass.IN, 60, "192.0.2.9", Name.root),
                        Section.ANSWER);
            } catch (IOException wrong) {
                throw new IllegalStateException(wrong);
            }
            return true;
        })) {
            SecureLookup lookup = new SecureLookup(List.of(liar.address()), PATIENT, anchors, Clock.systemUTC());
            assertThat(lookup.lookup("mx1.secure.test", Type.A).security()).isEqualTo(Security.UNKNOWN);
        }
    }

    @Test
    void aValidatingServerHandsOutWhatItHoldsForFalse(@TempDir Path own) throws IOException {
        try (Unbound unbound = new Unbound(own, "test", zones.bind().address(), anchors)) {
            SecureLookup through = new SecureLookup(List.of(unbound.address()), PATIENT, anchors, Clock.systemUTC());
            assertThat(through.lookup("mx1.bogus.test", Type.A).security()).isEqualTo(Security.BOGUS);
            assertThat(through.lookup("mx1.secure.test", Type.A).security()).isEqualTo(Security.SECURE);
            assertThat(through.lookup("mx1.insecure.test", Type.A).security()).isEqualTo(Security.INSECURE);
        }
    }

    @Test
    void silenceEndsInTimeAndTheNextServerIsAsked() throws IOException {
        try (LoopbackDns silent = new LoopbackDns((query, answer) -> false)) {
            SecureLookup alone =
                    new SecureLookup(List.of(silent.address()), Duration.ofMillis(300), anchors, Clock.systemUTC());
            assertThat(alone.lookup("mx1.secure.test", Type.A))
                    .isInstanceOfSatisfying(
                            Answer.Broken.class,
                            broken -> assertThat(broken.why()).contains("no answer"));
            SecureLookup two = new SecureLookup(
                    List.of(silent.address(), zones.bind().address()),
                    Duration.ofSeconds(4),
                    anchors,
                    Clock.systemUTC());
            assertThat(two.lookup("mx1.secure.test", Type.A).security()).isEqualTo(Security.SECURE);
        }
    }

    private static SecureLookup lookup(@Nullable Path trustAnchors) {
        List<InetSocketAddress> servers = List.of(zones.bind().address());
        return new SecureLookup(servers, PATIENT, trustAnchors, Clock.systemUTC());
    }
}

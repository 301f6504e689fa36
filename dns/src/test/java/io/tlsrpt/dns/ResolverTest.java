package io.tlsrpt.dns;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

@Timeout(30)
class ResolverTest {

    private static final String NAME = "_smtp._tls.example.com";

    private final AtomicLong now = new AtomicLong();
    private final List<LoopbackDns> running = new ArrayList<>();

    @AfterEach
    void stop() throws IOException {
        for (LoopbackDns dns : running) {
            dns.close();
        }
    }

    @Test
    void stringsOfARecordAreJoinedAsBytesWithNothingBetween() throws IOException {
        LoopbackDns dns = dns((query, answer) -> add(answer, NAME + ". 300 IN TXT \"a\\\"b\\; \" \"\\233c\""));

        assertThat(texts(resolver(dns).txt(NAME))).containsExactly("a\"b; \u00e9c");
    }

    @Test
    void aTruncatedAnswerIsFetchedOverTcp() throws IOException {
        String long255 = "x".repeat(255);
        LoopbackDns dns =
                dns((query, answer) -> add(answer, NAME + ". 300 IN TXT" + (" \"" + long255 + "\"").repeat(40)));

        assertThat(texts(resolver(dns).txt(NAME))).containsExactly(long255.repeat(40));
        assertThat(dns.tcpQueries).hasValue(1);
    }

    @Test
    void aliasesAreFollowedEvenWhereTheServerDoesNot() throws IOException {
        LoopbackDns dns =
                dns((query, answer) -> switch (query.getQuestion().getName().toString()) {
                    case NAME + "." -> add(answer, NAME + ". 300 IN CNAME tlsrpt.provider.example.");
                    case "tlsrpt.provider.example." ->
                        add(
                                answer,
                                "other.provider.example. 300 IN TXT here",
                                "tlsrpt.provider.example. 300 IN CNAME other.provider.example.");
                    default -> false;
                });

        assertThat(texts(resolver(dns).txt(NAME))).containsExactly("here");
    }

    @Test
    void anAliasThatLeadsToNothingIsAbsence() throws IOException {
        LoopbackDns dns = dns((query, answer) -> {
            answer.getHeader().setRcode(Rcode.NXDOMAIN);
            return add(answer, NAME + ". 300 IN CNAME gone.example.");
        });

        assertThat(resolver(dns).txt(NAME)).isEqualTo(new TxtAnswer.None());
    }

    @Test
    void aliasesInACircleAreTrouble() throws IOException {
        LoopbackDns dns = dns((query, answer) ->
                add(answer, NAME + ". 300 IN CNAME a.example.", "a.example. 300 IN CNAME " + NAME + "."));

        assertThat(failure(resolver(dns).txt(NAME))).contains("circle");
    }

    @Test
    void aliasesWithoutEndAreTrouble() throws IOException {
        LoopbackDns dns = dns((query, answer) -> {
            Name name = query.getQuestion().getName();
            return add(answer, name + " 300 IN CNAME x." + name);
        });

        assertThat(failure(resolver(dns).txt(NAME))).contains("more than 8 CNAME");
        assertThat(dns.udpQueries.get()).isLessThan(20);
    }

    @Test
    void anUnknownNameAndANameWithoutTextAreAbsence() throws IOException {
        LoopbackDns unknown = dns((query, answer) -> {
            answer.getHeader().setRcode(Rcode.NXDOMAIN);
            return true;
        });
        LoopbackDns empty = dns((query, answer) -> true);

        assertThat(resolver(unknown).txt(NAME)).isEqualTo(new TxtAnswer.None());
        assertThat(resolver(empty).txt(NAME)).isEqualTo(new TxtAnswer.None());
    }

    @Test
    void aRecordOfAnotherNameIsNoAnswer() throws IOException {
        LoopbackDns dns = dns((query, answer) -> add(answer, "evil.example. 300 IN TXT \"v=TLSRPTv1;rua=mailto:a@b\""));

        assertThat(resolver(dns).txt(NAME)).isEqualTo(new TxtAnswer.None());
    }

    @ParameterizedTest
    @ValueSource(ints = {Rcode.SERVFAIL, Rcode.REFUSED, Rcode.FORMERR, Rcode.NOTIMP})
    void aServerThatFailsIsTrouble(int code) throws IOException {
        LoopbackDns dns = dns((query, answer) -> {
            answer.getHeader().setRcode(code);
            return true;
        });

        assertThat(failure(resolver(dns).txt(NAME)))
                .contains("127.0.0.1:" + dns.address().getPort() + " answered " + Rcode.string(code));
    }

    @Test
    void aBogusSignatureIsNamed() throws IOException {
        LoopbackDns dns = dns((query, answer) -> {
            answer.getHeader().setRcode(Rcode.SERVFAIL);
            answer.addRecord(
                    new OPTRecord(1232, 0, 0, 0, new ExtendedErrorCodeOption(6, "\u001b[31mwords of a stranger")),
                    Section.ADDITIONAL);
            return true;
        });

        assertThat(failure(resolver(dns).txt(NAME)))
                .containsIgnoringCase("SERVFAIL (DNSSEC bogus)")
                .doesNotContain("stranger");
    }

    @Test
    void aReferralIsNotAbsence() throws IOException {
        LoopbackDns dns = dns((query, answer) -> {
            answer.getHeader().unsetFlag(Flags.RA);
            return true;
        });

        assertThat(failure(resolver(dns).txt(NAME))).contains("no recursion");
    }

    @Test
    void silenceIsTroubleWithinTheTimeGiven() throws IOException {
        LoopbackDns dns = dns((query, answer) -> false);

        long start = System.nanoTime();
        Resolver resolver = new Resolver(new Resolver.Options(List.of(dns.address()), Duration.ofMillis(600), 100));
        assertThat(failure(resolver.txt(NAME)))
                .contains("no answer from 127.0.0.1")
                .contains("0.6 s");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        assertThat(dns.udpQueries.get()).isEqualTo(3);
    }

    @Test
    void aPortWithoutServerIsTrouble() throws IOException {
        int port;
        try (DatagramSocket free = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }

        assertThat(failure(resolver(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                        .txt(NAME)))
                .contains("127.0.0.1:" + port);
    }

    @Test
    void aServerWithoutAddressIsTrouble() {
        assertThat(failure(resolver(InetSocketAddress.createUnresolved("ns.invalid", 53))
                        .txt(NAME)))
                .contains("ns.invalid:53 has no known address");
    }

    @Test
    void theNextServerIsAskedAndThenPreferred() throws IOException {
        LoopbackDns broken = dns((query, answer) -> {
            answer.getHeader().setRcode(Rcode.SERVFAIL);
            return true;
        });
        LoopbackDns good =
                dns((query, answer) -> add(answer, query.getQuestion().getName() + " 300 IN TXT here"));
        Resolver resolver = resolver(broken.address(), good.address());

        assertThat(texts(resolver.txt("one.example"))).containsExactly("here");
        assertThat(texts(resolver.txt("two.example"))).containsExactly("here");
        assertThat(broken.udpQueries).hasValue(1);
        assertThat(good.udpQueries).hasValue(2);
    }

    @Test
    void anAnswerIsRememberedForItsTtlWhateverTheSpelling() throws IOException {
        LoopbackDns dns = dns((query, answer) ->
                add(answer, query.getQuestion().getName() + " 300 IN CNAME x.example.", "x.example. 60 IN TXT here"));
        Resolver resolver = resolver(dns);

        resolver.txt(NAME);
        now.addAndGet(Duration.ofSeconds(59).toNanos());
        assertThat(texts(resolver.txt("_SMTP._tls.Example.com."))).containsExactly("here");
        assertThat(dns.udpQueries).hasValue(1);
        now.addAndGet(Duration.ofSeconds(2).toNanos());
        resolver.txt(NAME);
        assertThat(dns.udpQueries).hasValue(2);
    }

    @Test
    void aTtlOfZeroIsRememberedForTenSecondsAndAYearForADay() throws IOException {
        LoopbackDns dns = dns((query, answer) -> add(
                answer,
                "zero.example. 0 IN TXT here"
                                .startsWith(query.getQuestion().getName().toString())
                        ? "zero.example. 0 IN TXT here"
                        : "year.example. 31536000 IN TXT here"));
        Resolver resolver = resolver(dns);

        resolver.txt("zero.example");
        resolver.txt("year.example");
        now.addAndGet(Duration.ofSeconds(9).toNanos());
        resolver.txt("zero.example");
        assertThat(dns.udpQueries).hasValue(2);
        now.addAndGet(Duration.ofHours(24).toNanos());
        resolver.txt("year.example");
        assertThat(dns.udpQueries).hasValue(3);
    }

    @Test
    void absenceIsRememberedAsTheZoneSays() throws IOException {
        LoopbackDns dns = dns((query, answer) -> {
            answer.getHeader().setRcode(Rcode.NXDOMAIN);
            answer.addRecord(
                    record("example.com. 3600 IN SOA ns.example.com. root.example.com. 1 2 3 4 120"),
                    Section.AUTHORITY);
            return true;
        });
        Resolver resolver = resolver(dns);

        resolver.txt(NAME);
        now.addAndGet(Duration.ofSeconds(119).toNanos());
        resolver.txt(NAME);
        assertThat(dns.udpQueries).hasValue(1);
        now.addAndGet(Duration.ofSeconds(1).toNanos());
        resolver.txt(NAME);
        assertThat(dns.udpQueries).hasValue(2);
    }

    @Test
    void troubleIsForgottenAfterThreeSeconds() throws IOException {
        LoopbackDns dns = dns((query, answer) -> {
            answer.getHeader().setRcode(Rcode.SERVFAIL);
            return true;
        });
        Resolver resolver = resolver(dns);

        resolver.txt(NAME);
        resolver.txt(NAME);
        assertThat(dns.udpQueries).hasValue(1);
        now.addAndGet(Duration.ofSeconds(3).toNanos());
        resolver.txt(NAME);
        assertThat(dns.udpQueries).hasValue(2);
    }

    @Test
    void freshAsksAgainAndItsAnswerIsRemembered() throws IOException {
        List<String> words = new ArrayList<>(List.of("new", "old"));
        LoopbackDns dns = dns((query, answer) -> add(answer, NAME + ". 300 IN TXT " + words.removeLast()));
        Resolver resolver = resolver(dns);

        assertThat(texts(resolver.txt(NAME))).containsExactly("old");
        assertThat(texts(resolver.fresh().txt(NAME))).containsExactly("new");
        assertThat(texts(resolver.txt(NAME))).containsExactly("new");
    }

    @Test
    void onlySoManyAnswersAreRememberedAndNoHugeOnes() throws IOException {
        LoopbackDns dns = dns((query, answer) -> {
            Name name = query.getQuestion().getName();
            boolean huge = name.toString().startsWith("huge");
            return add(answer, name + " 300 IN TXT" + (" \"" + "x".repeat(250) + "\"").repeat(huge ? 40 : 1));
        });
        Resolver resolver =
                new Resolver(new Resolver.Options(List.of(dns.address()), Duration.ofSeconds(5), 2), now::get);

        List.of("a.example", "b.example", "a.example", "c.example", "a.example").forEach(resolver::txt);
        assertThat(dns.udpQueries).hasValue(3);
        resolver.txt("b.example");
        assertThat(dns.udpQueries).hasValue(4);
        resolver.txt("huge.example");
        resolver.txt("huge.example");
        assertThat(dns.tcpQueries).hasValue(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a..b",
                "a b.example",
                "bücher.example",
                "a\\.b.example",
                "\u0000.example",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example"
            })
    void textThatCannotBeANameIsAbsentAndNobodyIsAsked(String name) throws IOException {
        LoopbackDns dns = dns((query, answer) -> add(answer, "example. 300 IN TXT here"));

        assertThat(resolver(dns).txt(name)).isEqualTo(new TxtAnswer.None());
        assertThat(dns.udpQueries).hasValue(0);
    }

    @Test
    void theSystemsServersMayBeAnybodyAndNothingIsThrown() {
        Resolver resolver = new Resolver(new Resolver.Options(List.of(), Duration.ofMillis(300), 0));

        assertThat(resolver.txt("_smtp._tls.invalid")).isInstanceOfAny(TxtAnswer.None.class, TxtAnswer.Failed.class);
    }

    private LoopbackDns dns(LoopbackDns.Script script) throws IOException {
        LoopbackDns dns = new LoopbackDns(script);
        running.add(dns);
        return dns;
    }

    private Resolver resolver(LoopbackDns dns) {
        return resolver(dns.address());
    }

    private Resolver resolver(InetSocketAddress... servers) {
        return new Resolver(new Resolver.Options(List.of(servers), Duration.ofSeconds(5), 100), now::get);
    }

    private static boolean add(Message answer, String... records) {
        for (String record : records) {
            answer.addRecord(record(record), Section.ANSWER);
        }
        return true;
    }

    private static Record record(String zoneLine) {
        String[] parts = zoneLine.split(" ", 5);
        return LoopbackDns.record(
                Name.fromConstantString(parts[0]), Type.value(parts[3]), Long.parseLong(parts[1]), parts[4]);
    }

    private static List<String> texts(TxtAnswer answer) {
        assertThat(answer).isInstanceOf(TxtAnswer.Found.class);
        return ((TxtAnswer.Found) answer)
                .records().stream().map(bytes -> new String(bytes, ISO_8859_1)).toList();
    }

    private static String failure(TxtAnswer answer) {
        assertThat(answer).isInstanceOf(TxtAnswer.Failed.class);
        return ((TxtAnswer.Failed) answer).why();
    }
}

package io.tlsrpt.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.dns.TxtAnswer;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Whose a domain is that nobody configured, with DNS and the topic as a test puts them.
class DiscoveryTest {

    private static final Topics TOPICS = new Topics("tlsrpt.", Duration.ofDays(400));
    private static final TopicPartition PARTITION =
            new TopicPartition(TOPICS.domains().name(), 0);
    private static final String RUA = "mailto:tlsrpt@reports.example";
    private static final TxtAnswer LISTED =
            txt("v=TLSRPTv1; rua=mailto:other@else.example,mailto:TLSRPT@reports.example");
    private static final TxtAnswer FAILED = new TxtAnswer.Failed("192.0.2.53:53 answered SERVFAIL");
    private static final JsonSerde<DomainClaim> SERDE = new JsonSerde<>(DomainClaim.class);

    private final Map<String, TxtAnswer> zone = new ConcurrentHashMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final Ticking clock = new Ticking();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final MockProducer<String, byte[]> broker =
            new MockProducer<>(true, new RoundRobinPartitioner(), new StringSerializer(), new ByteArraySerializer());
    private final CountDownLatch never = new CountDownLatch(1);
    private Settings.Discovery settings = new Settings.Discovery(true, 100, 50);
    private DomainClaims claims = claims(List.of());
    private DnsDiscovery discovery = discovery();

    private static TxtAnswer txt(String record) {
        return new TxtAnswer.Found(List.of(record.getBytes(StandardCharsets.US_ASCII)));
    }

    @BeforeEach
    void start() {
        claims.start();
    }

    @AfterEach
    void stop() {
        never.countDown();
        claims.close();
    }

    private DomainClaims claims(List<ConsumerRecord<byte[], byte[]>> written) {
        Delivery delivery = new Delivery(() -> broker, Delivery.MAX_UNACKNOWLEDGED_BYTES);
        delivery.open();
        return new DomainClaims(TOPICS.domains(), () -> consumer(written), delivery);
    }

    private static Consumer<byte[], byte[]> consumer(List<ConsumerRecord<byte[], byte[]>> written) {
        MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
        consumer.updatePartitions(
                PARTITION.topic(), List.of(new PartitionInfo(PARTITION.topic(), 0, Node.noNode(), null, null)));
        consumer.updateBeginningOffsets(Map.of(PARTITION, 0L));
        consumer.updateEndOffsets(Map.of(PARTITION, (long) written.size()));
        consumer.schedulePollTask(() -> written.forEach(consumer::addRecord));
        return consumer;
    }

    private DnsDiscovery discovery() {
        RuaRecords records = new RuaRecords(this::answer, () -> List.of(RUA), claims::withdraw, clock);
        return new DnsDiscovery(() -> settings, claims, records, new IngestMetrics(meters), clock);
    }

    private TxtAnswer answer(String name) {
        asked.add(name);
        return zone.getOrDefault(name, new TxtAnswer.None());
    }

    private Standing standing(String domain) {
        return Objects.requireNonNull(
                discovery.standings(List.of(domain), true, true).get(domain));
    }

    private String why(String domain) {
        return standing(domain) instanceof Standing.Foreign foreign ? foreign.why() : "not foreign";
    }

    @SuppressWarnings("NullAway") // Kafka's own null: a tombstone
    private static ConsumerRecord<byte[], byte[]> written(long offset, String domain, @Nullable DomainClaim claim) {
        return new ConsumerRecord<>(
                PARTITION.topic(),
                0,
                offset,
                domain.getBytes(StandardCharsets.UTF_8),
                claim == null ? null : SERDE.write(claim));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "v=TLSRPTv1; rua=mailto:tlsrpt@reports.example                        | pending",
                "v=TLSRPTv1;rua=https://else.example/v1,mailto:Tlsrpt@Reports.Example | pending",
                "v=TLSRPTv1; rua=mailto:tlsrpt@reports.example?subject=x              | pending",
                "v=TLSRPTv1; rua=mailto:somebody@else.example                         | foreign",
                "v=TLSRPTv1; rua=mailto:xtlsrpt@reports.example                       | foreign",
                "v=TLSRPTv1; RUA=mailto:tlsrpt@reports.example                        | foreign",
                "v=spf1 mailto:tlsrpt@reports.example                                 | foreign",
            })
    void aDomainIsPendingWhenItsRecordListsUs(String record, String expected) {
        zone.put("_smtp._tls.found.example", txt(record));

        assertThat(standing("found.example") instanceof Standing.Pending ? "pending" : "foreign")
                .isEqualTo(expected);
    }

    @Test
    void aParentsRecordIsNotAskedForAndDoesNotCount() {
        zone.put("_smtp._tls.found.example", LISTED);

        assertThat(why("mail.found.example"))
                .isEqualTo("not configured, and its TLSRPT record lists none of our addresses");
        assertThat(asked).containsExactly("_smtp._tls.mail.found.example");
    }

    @Test
    void aPendingDomainIsWrittenOnceWithTheAddressThatItLists() {
        zone.put("_smtp._tls.found.example", LISTED);

        assertThat(standing("found.example")).isEqualTo(Standing.PENDING);
        assertThat(standing("found.example")).isEqualTo(Standing.PENDING);

        assertThat(broker.history()).singleElement().satisfies(record -> {
            assertThat(record.topic()).isEqualTo("tlsrpt.domains");
            assertThat(record.key()).isEqualTo("found.example");
            assertThat(SERDE.read(record.value())).isEqualTo(DomainClaim.pending("found.example", RUA, Ticking.START));
            assertThat(new String(record.headers().lastHeader("schema").value(), StandardCharsets.UTF_8))
                    .isEqualTo("tlsrpt.domain/1");
        });
        assertThat(asked).as("a claim is believed for a day").hasSize(1);
    }

    @Test
    void anAcceptedDomainStaysOursWhenItsRecordVanishesAndWhenDiscoveryIsTurnedOff() throws Exception {
        zone.put("_smtp._tls.found.example", LISTED);
        standing("found.example");
        assertThat(claims.accept("found.example", clock.instant()))
                .hasValueSatisfying(claim -> assertThat(claim.accepted()).isTrue());
        assertThat(claims.accept("found.example", clock.instant().plusSeconds(9)))
                .as("a second time changes nothing")
                .hasValueSatisfying(claim -> assertThat(claim.acceptedAt()).isEqualTo(Ticking.START));
        assertThat(claims.accept("unknown.example", clock.instant())).isEmpty();

        zone.clear();
        clock.pass(Duration.ofDays(30));
        assertThat(standing("found.example")).isEqualTo(Standing.OURS);
        settings = new Settings.Discovery(false, 100, 50);
        assertThat(standing("found.example")).isEqualTo(Standing.OURS);
        assertThat(why("other.example")).isEqualTo("not configured");
    }

    @Test
    void aPendingDomainStaysPendingWhileDnsFailsAndIsForgottenWhenItsRecordIsGone() {
        zone.put("_smtp._tls.found.example", LISTED);
        standing("found.example");

        zone.put("_smtp._tls.found.example", FAILED);
        clock.pass(Duration.ofDays(2));
        assertThat(standing("found.example")).isEqualTo(Standing.PENDING);
        Awaitility.await().until(() -> asked.size() == 2);
        assertThat(standing("found.example")).isEqualTo(Standing.PENDING);

        zone.clear();
        clock.pass(Duration.ofDays(2));
        standing("found.example");
        Awaitility.await().until(() -> claims.of("found.example") == null);
        assertThat(standing("found.example")).isInstanceOf(Standing.Foreign.class);
        assertThat(broker.history()).hasSize(2);
        assertThat(broker.history().getLast().value()).isNull();
    }

    @Test
    void aForgottenDomainIsPendingAgainWhileItsRecordListsUs() throws Exception {
        zone.put("_smtp._tls.found.example", LISTED);
        standing("found.example");
        claims.accept("found.example", clock.instant());

        assertThat(claims.forget("found.example")).isPresent();
        assertThat(claims.forget("found.example")).isEmpty();
        assertThat(standing("found.example")).isEqualTo(Standing.PENDING);
    }

    @Test
    void brokenDnsIsNotAbsence() {
        zone.put("_smtp._tls.found.example", FAILED);

        assertThat(why("found.example"))
                .isEqualTo("not configured, and its record could not be looked up: 192.0.2.53:53 answered SERVFAIL");

        zone.put("_smtp._tls.found.example", LISTED);
        clock.pass(Duration.ofSeconds(10));
        assertThat(standing("found.example")).isEqualTo(Standing.PENDING);
    }

    @Test
    void absenceIsBelievedForTenMinutes() {
        standing("found.example");
        zone.put("_smtp._tls.found.example", LISTED);
        clock.pass(Duration.ofMinutes(9));
        assertThat(standing("found.example")).isInstanceOf(Standing.Foreign.class);
        assertThat(asked).hasSize(1);

        clock.pass(Duration.ofMinutes(1));
        assertThat(standing("found.example")).isEqualTo(Standing.PENDING);
    }

    @Test
    void noMoreDomainsArePendingThanMayBe() throws Exception {
        settings = new Settings.Discovery(true, 2, 50);
        for (String domain : List.of("a.example", "b.example", "c.example")) {
            zone.put("_smtp._tls." + domain, LISTED);
        }
        assertThat(standing("a.example")).isEqualTo(Standing.PENDING);
        assertThat(standing("b.example")).isEqualTo(Standing.PENDING);
        assertThat(why("c.example"))
                .isEqualTo("2 domains are pending already (discovery.max-domains): accept or forget some");
        assertThat(standing("a.example")).isEqualTo(Standing.PENDING);

        claims.accept("a.example", clock.instant());
        assertThat(standing("c.example")).as("there is room now").isEqualTo(Standing.PENDING);
    }

    @Test
    void noMoreReportsAboutAPendingDomainAreTakenInADayThanMayBe() throws Exception {
        settings = new Settings.Discovery(true, 100, 2);
        zone.put("_smtp._tls.found.example", LISTED);
        assertThat(standing("found.example")).isEqualTo(Standing.PENDING);
        assertThat(standing("found.example")).isEqualTo(Standing.PENDING);
        assertThat(why("found.example"))
                .isEqualTo("pending, and 2 reports about it were taken today (discovery.max-reports-per-day)");

        clock.pass(Duration.ofHours(12));
        assertThat(standing("found.example")).as("the next day in UTC").isEqualTo(Standing.PENDING);
        claims.accept("found.example", clock.instant());
        for (int report = 0; report < 5; report++) {
            assertThat(standing("found.example")).isEqualTo(Standing.OURS);
        }
    }

    @Test
    void ofOneReportTenNamesAreLookedUpAndOfAllTwentyASecond() {
        List<String> invented =
                IntStream.range(0, 1_000).mapToObj(i -> "d" + i + ".example").toList();
        invented.forEach(domain -> zone.put("_smtp._tls." + domain, LISTED));

        List<Standing> first =
                new ArrayList<>(discovery.standings(invented, true, true).values());
        assertThat(first).hasSize(1_000);
        assertThat(first.stream().filter(Standing.PENDING::equals)).hasSize(DnsDiscovery.MOST_NAMES);
        assertThat(asked).hasSize(10);

        for (int report = 1; report < 20; report++) {
            discovery.standings(invented.subList(report * 10, report * 10 + 10), true, true);
        }
        assertThat(asked).hasSize(RuaRecords.PER_SECOND);
        assertThat(why("d900.example"))
                .isEqualTo("not configured, and its record could not be looked up: too many names are looked up");

        clock.pass(Duration.ofSeconds(1));
        assertThat(standing("d900.example")).isEqualTo(Standing.PENDING);
        assertThat(meters.find("tlsrpt.discovery.standings").counters().stream()
                        .mapToDouble(counter -> counter.count())
                        .sum())
                .as("every domain asked about has one standing")
                .isEqualTo(1_000 + 19 * 10 + 2);
    }

    @Test
    void slowDnsDelaysAReportTwoSecondsAndHelpsTheNext() {
        CountDownLatch released = new CountDownLatch(1);
        RuaRecords slow = new RuaRecords(
                name -> {
                    try {
                        released.await();
                    } catch (InterruptedException stopped) {
                        Thread.currentThread().interrupt();
                    }
                    return LISTED;
                },
                () -> List.of(RUA),
                claims::withdraw,
                clock);
        discovery = new DnsDiscovery(() -> settings, claims, slow, new IngestMetrics(meters), clock);

        long before = System.nanoTime();
        assertThat(why("found.example"))
                .isEqualTo("not configured, and its record could not be looked up: DNS did not answer in time");
        assertThat(Duration.ofNanos(System.nanoTime() - before))
                .isBetween(Duration.ofMillis(1_900), Duration.ofSeconds(5));

        released.countDown();
        Awaitility.await().until(() -> standing("found.example").equals(Standing.PENDING));
    }

    @Test
    void whatIsNoNameOfAMailDomainIsNotLookedUp() {
        for (String text :
                List.of("localhost", "a b.example", "a..example", "x".repeat(250) + ".example", "<script>.example")) {
            assertThat(standing(text)).as(text).isInstanceOf(Standing.Foreign.class);
        }
        assertThat(asked).isEmpty();
    }

    @Test
    void whileClaimsAreNotReadNothingIsRefusedThatMayHaveBeenAccepted() {
        claims.close();
        DomainClaim pending = DomainClaim.pending("a.example", RUA, Ticking.START);
        claims = claims(List.of(
                written(0, "a.example", pending),
                written(1, "b.example", DomainClaim.pending("b.example", RUA, Ticking.START)),
                new ConsumerRecord<>(PARTITION.topic(), 0, 2, new byte[] {'x'}, new byte[] {'{'}),
                written(3, "a.example", pending.accept(Ticking.START)),
                written(4, "b.example", null)));
        discovery = discovery();
        assertThat(standing("a.example")).isEqualTo(Standing.PENDING);
        assertThat(asked).isEmpty();

        claims.start();

        assertThat(standing("a.example")).isEqualTo(Standing.OURS);
        assertThat(claims.of("b.example")).isNull();
        assertThat(broker.history()).isEmpty();
    }

    @Test
    void aClaimThatTheBrokerDoesNotTakeIsMadeAgainByTheNextReport() {
        zone.put("_smtp._tls.found.example", LISTED);
        standing("warm.example");
        broker.sendException = new org.apache.kafka.common.errors.TimeoutException("no broker");
        assertThat(standing("found.example")).isEqualTo(Standing.PENDING);
        assertThat(claims.of("found.example")).isNull();

        broker.sendException = null;
        assertThat(standing("found.example")).isEqualTo(Standing.PENDING);
        assertThat(broker.history()).hasSize(1);
    }

    @Test
    void withNothingConfiguredAndDiscoveryOffEverythingIsTaken() {
        settings = new Settings.Discovery(false, 100, 50);

        assertThat(discovery.standings(List.of("a.example"), false, true)).containsEntry("a.example", Standing.OURS);
        assertThat(discovery.standings(List.of("a.example"), true, true))
                .containsEntry("a.example", new Standing.Foreign("not configured", false));
        assertThat(asked).isEmpty();
    }

    @Test
    void strangersCannotSpendTheAllowanceOfKnownReporters() {
        zone.put("_smtp._tls.found.example", LISTED);
        for (int report = 0; report < 1_000; report++) {
            discovery.standings(List.of("found.example"), true, false);
        }
        assertThat(discovery.standings(List.of("found.example"), true, false).get("found.example"))
                .isInstanceOf(Standing.Foreign.class);
        assertThat(discovery.standings(List.of("found.example"), true, true))
                .containsEntry("found.example", Standing.PENDING);
    }

    @Test
    void onlyTheNamesThatNobodyConfiguredAreAskedAbout() {
        zone.put("_smtp._tls.found.example", LISTED);
        OurDomains ours = new OurDomains(
                () -> List.of(
                        new Settings.Domain("example.com", Map.of()), new Settings.Domain("*.example.net", Map.of())),
                discovery);

        assertThat(ours.standings(
                        List.of("example.com", "a.b.example.net", "example.net", "found.example", "example.com."),
                        true))
                .containsEntry("example.com", Standing.OURS)
                .containsEntry("a.b.example.net", Standing.OURS)
                .containsEntry("found.example", Standing.PENDING)
                .hasEntrySatisfying(
                        "example.net", standing -> assertThat(standing).isInstanceOf(Standing.Foreign.class));
        assertThat(asked).containsExactlyInAnyOrder("_smtp._tls.example.net", "_smtp._tls.found.example");
    }

    /// Stands where a test puts it; it begins at noon, UTC.
    private static final class Ticking extends Clock {

        static final Instant START = Instant.parse("2026-11-22T12:00:00Z");
        private volatile Instant now = START;

        void pass(Duration duration) {
            now = now.plus(duration);
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return now;
        }
    }
}

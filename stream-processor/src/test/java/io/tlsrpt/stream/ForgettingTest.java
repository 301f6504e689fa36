package io.tlsrpt.stream;

import static io.tlsrpt.report.SampleReports.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Event;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ForgettingTest {

    private static final String GONE = "gone.example";
    private static final String STAYS = "stays.example";
    private static final Instant DEPARTED = Stream.NOW.plusSeconds(60);

    @TempDir
    Path directory;

    private Stream stream;

    @BeforeEach
    void open() {
        stream = new Stream(directory);
    }

    @AfterEach
    void close() {
        stream.assertEveryRawRecordHasOneVerdict();
        stream.close();
    }

    /// About both, with failures of both at one MX.
    private static SampleReports both(String id) {
        return report().id(id)
                .policy("sts", GONE, 90, 10)
                .failure("certificate-expired", "mx.shared.example", 10)
                .policy("sts", STAYS, 40, 2)
                .failure("certificate-expired", "mx.shared.example", 2);
    }

    private void forget() {
        stream.depart(GONE, DEPARTED);
        rounds();
    }

    private void rounds() {
        for (int i = 0; i < 5; i++) {
            stream.pass(Forgetting.INTERVAL);
        }
    }

    private long inStores(String text) {
        long found = 0;
        for (String store :
                List.of(ReportTopology.CELLS, ReportTopology.PENDING_ENTRIES, ReportTopology.REPLACEABLE_EVENTS)) {
            try (KeyValueIterator<Object, Object> all =
                    stream.driver.getKeyValueStore(store).all()) {
                while (all.hasNext()) {
                    var entry = all.next();
                    // A report-key names all domains of its report.
                    String key = entry.key.toString().replaceAll("^[^#]*#", "#");
                    String value = entry.value.toString().replaceAll("eventId=[^,]*,", "");
                    found += key.contains(text) || value.contains(text) ? 1 : 0;
                }
            }
        }
        return found;
    }

    private void assertOnlyTheOtherIsLeft() {
        assertThat(stream.cells.values()).extracting(Aggregate::policyDomain).containsOnly(STAYS);
        assertThat(stream.reports.getLast().policyDomains()).containsExactly(STAYS);
        assertThat(inStores(GONE)).isZero();
        assertThat(stream.cell().totalSuccessfulSessionCount()).isEqualTo(40);
        assertThat(stream.cell().totalFailureSessionCount()).isEqualTo(2);
        assertThat(stream.cell().reportCount()).isEqualTo(1);
        assertThat(stream.cell().failures().getFirst().failedSessionCount()).isEqualTo(2);
    }

    @Test
    void whatIsAboutADomainLeavesAndTheOtherInTheSameReportStays() {
        stream.post(both("shared"));
        stream.post(report().id("alone").policy("sts", GONE, 5, 0), Authentication.DKIM);
        stream.post(report().id("alone").policy("tlsa", GONE, 5, 0));
        int events = stream.events.size();
        assertThat(stream.cells).hasSize(3);
        assertThat(stream.latestReports).hasSize(2);

        forget();

        assertOnlyTheOtherIsLeft();
        assertThat(stream.latestReports.keySet())
                .as("what is about it alone leaves, and what names another stays under its key")
                .containsExactly("google.com|shared|2026-11-20T00:00:00Z|gone.example,stays.example");
        assertThat(stream.reports.getLast().entries())
                .singleElement()
                .satisfies(entry -> assertThat(entry.policyDomain()).isEqualTo(STAYS));
        assertThat(stream.events).as("nothing is retracted").hasSize(events);
    }

    @Test
    void theTombstonesSayThatTheDomainDeparted() {
        stream.post(report().policy("sts", GONE, 5, 0));

        assertThat(headersOfTombstones()).containsExactly(DEPARTED.toString());
    }

    private List<String> headersOfTombstones() {
        stream.depart(GONE, DEPARTED);
        stream.driver.advanceWallClockTime(Forgetting.INTERVAL);
        return stream
                .driver
                .createOutputTopic(
                        stream.topics.aggregates().name(), new StringDeserializer(), new StringDeserializer())
                .readRecordsToList()
                .stream()
                .filter(record -> record.value() == null)
                .map(record ->
                        new String(record.headers().lastHeader("departed-at").value(), StandardCharsets.UTF_8))
                .toList();
    }

    @Test
    void aSignedCopyThatReplacesAnotherAfterwardsLeavesTheOtherDomainExact() {
        stream.post(both("shared"));
        forget();
        int events = stream.events.size();

        // no longer ours: intake says so
        byte[] copy = both("shared").bytes();
        stream.put(Stream.taken(copy, Authentication.DKIM, DEPARTED.plusSeconds(60), null, List.of(GONE)));

        assertThat(stream.lastVerdict().verdict()).isEqualTo("replaced");
        assertThat(stream.events.subList(events, stream.events.size()))
                .extracting(Event::policyDomain)
                .containsOnly(STAYS);
        assertOnlyTheOtherIsLeft();
        assertThat(stream.cell().authentication()).isEqualTo("dkim");
    }

    @Test
    void aReplacementBetweenTheDepartureAndTheRoundRetractsNothingOfIt() {
        stream.post(both("shared"));
        stream.depart(GONE, DEPARTED);

        stream.put(Stream.taken(
                both("shared").bytes(), Authentication.DKIM, DEPARTED.plusSeconds(60), null, List.of(GONE)));
        rounds();

        assertThat(stream.events.stream().filter(Event::isRetraction))
                .extracting(Event::policyDomain)
                .containsOnly(STAYS);
        assertOnlyTheOtherIsLeft();
    }

    @Test
    void aCopyOfAForgottenReportIsADuplicateStill() {
        SampleReports alone = report().id("alone").policy("sts", GONE, 5, 0);
        stream.post(alone, Authentication.DKIM);
        forget();

        stream.put(Stream.taken(alone.bytes(), Authentication.DKIM, DEPARTED.plusSeconds(60)));

        assertThat(stream.lastVerdict().verdict()).isEqualTo("duplicate");
        assertThat(stream.cells).isEmpty();
        assertThat(stream.latestReports).isEmpty();
    }

    @Test
    void doingItTwiceChangesNothingMore() {
        stream.post(both("shared"));
        forget();
        int aggregates = stream.aggregateKeys.size();
        int reports = stream.reports.size();

        stream.depart(GONE, DEPARTED.plusSeconds(5));
        rounds();

        assertThat(stream.aggregateKeys).hasSize(aggregates);
        assertThat(stream.reports).hasSize(reports);
        assertOnlyTheOtherIsLeft();
    }

    @Test
    void aStateThatIsMadeAnewFromTheRawTopicForgetsItFromTheStart() {
        stream.depart(GONE, DEPARTED);
        stream.post(both("shared"));
        stream.post(report().id("alone").policy("sts", GONE, 5, 0));

        assertThat(stream.verdictWords()).containsExactly("accepted", "accepted");
        assertThat(stream.events).extracting(Event::policyDomain).containsOnly(STAYS);
        assertOnlyTheOtherIsLeft();
        assertThat(stream.latestReports).hasSize(1);
    }

    @Test
    void whatArrivesLaterAboutItIsCountedByItself() {
        stream.post(report().id("old").policy("sts", GONE, 5, 1));
        stream.depart(GONE, DEPARTED);
        // the same cell, before the round came to it
        stream.put(Stream.taken(
                report().id("new").policy("sts", GONE, 7, 0).bytes(), Authentication.NONE, DEPARTED.plusSeconds(60)));
        rounds();

        assertThat(stream.cell().totalSuccessfulSessionCount()).isEqualTo(7);
        assertThat(stream.cell().totalFailureSessionCount()).isZero();
        assertThat(stream.cell().reportCount()).isEqualTo(1);
    }

    @Test
    void aReportOfWhichOneEntryWasForeignKeepsWhatItCounted() {
        stream.put(Stream.taken(both("shared").bytes(), Authentication.DKIM, Stream.NOW, null, List.of(GONE)));

        forget();

        assertOnlyTheOtherIsLeft();
        assertThat(stream.latestReports).hasSize(1);
    }

    @Test
    void moreDomainsThanAKeyTellsAreForgottenToo() {
        SampleReports many = report().id("many").policy("sts", GONE, 1, 0).policy("sts", STAYS, 40, 2);
        for (int i = 0; i < 30; i++) {
            many.policy("sts", "a-long-domain-name-" + i + ".example", 1, 0);
        }
        stream.post(many);
        assertThat(stream.lastVerdict().reportKey()).contains("sha256:");

        forget();

        assertThat(stream.reports.getLast().policyDomains()).hasSize(31).doesNotContain(GONE);
        assertThat(stream.cells.values())
                .extracting(Aggregate::policyDomain)
                .doesNotContain(GONE)
                .hasSize(31);
    }

    @Test
    void manyCellsLeaveSliceBySlice() {
        for (int i = 0; i < 2_600; i++) {
            stream.post(report().id("r" + i)
                    .organization("o")
                    .contact("tls@r" + i + ".example")
                    .policy("sts", GONE, 1, 0));
        }
        stream.depart(GONE, DEPARTED);
        stream.pass(Forgetting.INTERVAL);
        assertThat(stream.cells.size()).isBetween(1, 2_599);

        rounds();

        assertThat(stream.cells).isEmpty();
        assertThat(stream.latestReports).isEmpty();
    }

    @Test
    void whatIsNoDepartureIsPassedOver() {
        stream.post(report().policy("sts", GONE, 5, 0));
        var departures = stream.driver.createInputTopic(
                stream.topics.departures().name(), new StringSerializer(), new StringSerializer());
        for (Map.Entry<String, String> wrong : Map.of(
                        GONE,
                        "{}",
                        "a.example",
                        "not json",
                        "b.example",
                        "{\"policy-domain\":\"gone.example\",\"departed-at\":\"2026-11-23T00:00:00Z\",\"by\":\"x\"}")
                .entrySet()) {
            departures.pipeInput(wrong.getKey(), wrong.getValue());
        }
        departures.pipeInput(GONE, (String) null);
        stream.pass(Duration.ofSeconds(5));

        assertThat(stream.cells).hasSize(1);
    }
}

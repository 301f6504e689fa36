package io.tlsrpt.stream;

import static io.tlsrpt.report.SampleReports.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Counter;
import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.CanaryReport;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTopologyTest {

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

    @Test
    void theGraphIsTheOneThatIsWrittenDown() {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "golden");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        properties.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, "true");
        String graph = ReportTopology.build(
                        properties, new Topics("tlsrpt.", Stream.RETENTION), new ProcessorMetrics(stream.meters))
                .describe()
                .toString();
        assertThat(graph).isEqualTo(resource("topology.txt"));
    }

    @Test
    void whatIntakeToleratedInTheMailStandsOnTheReportBesideWhatTheDocumentShows() {
        byte[] document = report().contact(null).bytes();
        TestRecord<byte[], byte[]> taken = Stream.taken(document, Authentication.NONE, Stream.NOW);
        taken.headers().add("leniencies", "[\"gzip-twice\",\"mail-bare-lf\"]".getBytes(StandardCharsets.UTF_8));

        stream.put(taken);

        assertThat(stream.reports.getLast().leniencies())
                .containsExactly("contact-info-missing", "gzip-twice", "mail-bare-lf");
    }

    @Test
    void ourOwnReportGetsItsVerdictAndIsCountedNowhere() {
        CanaryReport canary = CanaryReport.of("canary-1", LocalDate.of(2026, 11, 22));
        byte[] other = new String(canary.document(), StandardCharsets.UTF_8)
                .replace("-count\":1", "-count\":2")
                .getBytes(StandardCharsets.UTF_8);

        stream.post(canary.document(), Authentication.NONE);
        stream.post(canary.document(), Authentication.OPERATOR);
        stream.post(other, Authentication.NONE);

        assertThat(stream.verdictWords()).containsExactly("accepted", "duplicate", "conflict");
        assertThat(stream.verdicts.getFirst().reportKey()).isEqualTo(canary.reportKey());
        assertThat(stream.events).isEmpty();
        assertThat(stream.reports).isEmpty();
        assertThat(stream.rejected).isEmpty();
        assertThat(stream.cells).isEmpty();
    }

    @Test
    void aReportBecomesEventsWithItsSummaryLastAndOneCell() {
        stream.post(report().id("r1")
                .policy("sts", "example.com", 100, 7)
                .failure("certificate-expired", "mx1.example.com", 4)
                .failure("starttls-not-supported", "mx2.example.com", 3));

        String key = "google.com|r1|2026-11-20T00:00:00Z|example.com";
        assertThat(stream.lastVerdict().verdict()).isEqualTo("accepted");
        assertThat(stream.lastVerdict().reportKey()).isEqualTo(key);
        assertThat(stream.lastVerdict().revision()).isZero();
        assertThat(stream.lastVerdict().raw()).isEqualTo(new RawPosition(0, 0));
        assertThat(stream.lastVerdict().detail()).isNull();
        assertThat(stream.events)
                .extracting(Event::eventId)
                .containsExactly(key + "#0.0.0", key + "#0.0.1", key + "#0.0");
        Event failure = stream.events.getFirst();
        assertThat(failure.kind()).isEqualTo("failure");
        assertThat(failure.resultType()).isEqualTo("certificate-expired");
        assertThat(failure.failureClass()).isEqualTo("certificate");
        assertThat(failure.failedSessionCount()).isEqualTo(4);
        assertThat(failure.receivingMxHostname()).isEqualTo("mx1.example.com");
        assertThat(failure.policyMode()).isEqualTo("enforce");
        assertThat(failure.authentication()).isEqualTo("none");
        assertThat(failure.receivedAt()).isEqualTo(Stream.NOW);
        assertThat(failure.totalFailureSessionCount()).isNull();
        Event summary = stream.events.getLast();
        assertThat(summary.kind()).isEqualTo("summary");
        assertThat(summary.totalSuccessfulSessionCount()).isEqualTo(100);
        assertThat(summary.totalFailureSessionCount()).isEqualTo(7);
        assertThat(summary.failedSessionCount()).isNull();

        assertThat(stream.aggregateKeys)
                .containsExactly(
                        "{\"window\":\"2026-11-20\",\"policy-domain\":\"example.com\",\"policy-type\":\"sts\",\"submitter\":\"google.com\",\"authentication\":\"none\"}");
        Aggregate cell = stream.cell();
        assertThat(cell.window()).isEqualTo(LocalDate.parse("2026-11-20"));
        assertThat(cell.totalSuccessfulSessionCount()).isEqualTo(100);
        assertThat(cell.totalFailureSessionCount()).isEqualTo(7);
        assertThat(cell.reportCount()).isEqualTo(1);
        assertThat(cell.policyMode()).isEqualTo("enforce");
        assertThat(cell.failures())
                .containsExactly(
                        new Aggregate.Failure(
                                "certificate-expired", "mx1.example.com", 4, 1, List.of("198.51.100.7"), null),
                        new Aggregate.Failure(
                                "starttls-not-supported", "mx2.example.com", 3, 1, List.of("198.51.100.7"), null));
        assertThat(cell.backfill()).isFalse();

        AcceptedReport accepted = stream.reports.getLast();
        assertThat(accepted.policyDomains()).containsExactly("example.com");
        assertThat(accepted.entries())
                .containsExactly(new AcceptedReport.Entry("example.com", "sts", "enforce", 100, 7));
        assertThat(accepted.raw()).isEqualTo(new RawPosition(0, 0));
        assertThat(accepted.replaces()).isNull();
    }

    @Test
    void aDuplicateChangesNothingNotEvenPrettyPrinted() {
        SampleReports report = report().policy("sts", "example.com", 10, 1).failure("certificate-expired", "mx", 1);
        stream.post(report);
        int events = stream.events.size();

        stream.post(report);
        stream.post(report.prettyJson().getBytes(StandardCharsets.UTF_8), Authentication.NONE);

        assertThat(stream.verdictWords()).containsExactly("accepted", "duplicate", "duplicate");
        assertThat(stream.lastVerdict().detail()).isEqualTo("first seen in raw partition 0 at offset 0");
        assertThat(stream.events).hasSize(events);
        assertThat(stream.rejected).isEmpty();
        assertThat(stream.cell().reportCount()).isEqualTo(1);
    }

    @Test
    void otherContentUnderTheSameKeyIsKeptAsAConflict() {
        stream.post(report().policy("sts", "example.com", 10, 0));
        byte[] other = report().policy("sts", "example.com", 11, 0).bytes();
        stream.post(other, Authentication.NONE);

        assertThat(stream.verdictWords()).containsExactly("accepted", "conflict");
        assertThat(stream.rejected).hasSize(1);
        assertThat(stream.rejected.getFirst().value()).isEqualTo(other);
        assertThat(Stream.reason(stream.rejected.getFirst())).isEqualTo("conflicting-duplicate");
        assertThat(ReportHeaders.read(stream.rejected.getFirst().headers()).remote())
                .isEqualTo("192.0.2.1");
        assertThat(stream.cell().totalSuccessfulSessionCount()).isEqualTo(10);
    }

    @Test
    void aForgedPostIsTakenBackWhenTheGenuineReportComes() {
        stream.post(report().policy("sts", "example.com", 0, 9).failure("certificate-expired", "mx1.example.com", 9));
        int forged = stream.events.size();
        stream.post(
                report().policy("sts", "example.com", 50, 1).failure("certificate-expired", "mx1.example.com", 1),
                Authentication.OPERATOR);

        assertThat(stream.verdictWords()).containsExactly("accepted", "replaced");
        assertThat(stream.lastVerdict().revision()).isEqualTo(1);
        List<Event> after = stream.events.subList(forged, stream.events.size());
        String key = "google.com|2026-11-20T00:00:00Z_example.com|2026-11-20T00:00:00Z|example.com";
        assertThat(after)
                .extracting(Event::eventId)
                .containsExactly(key + "#0.0.0!", key + "#0.0!", key + "#1.0.0", key + "#1.0");
        assertThat(after.getFirst().failedSessionCount()).isEqualTo(-9);
        assertThat(after.getFirst().isRetraction()).isTrue();
        assertThat(after.get(1).totalFailureSessionCount()).isEqualTo(-9);
        Aggregate cell = stream.cell();
        assertThat(cell.authentication()).isEqualTo("operator");
        assertThat(cell.totalSuccessfulSessionCount()).isEqualTo(50);
        assertThat(stream.aggregateKeys).hasSize(3);
        assertThat(stream.reports.getLast().replaces()).isZero();
        assertThat(stream.latestReports).containsValue("operator").hasSize(1);
    }

    @Test
    void aTrustedCopyOfTheSameContentReplacesToo() {
        stream.post(report(), Authentication.NONE);
        stream.post(report(), Authentication.DKIM);
        stream.post(report(), Authentication.OPERATOR);

        assertThat(stream.verdictWords()).containsExactly("accepted", "replaced", "duplicate");
        assertThat(stream.cell().authentication()).isEqualTo("dkim");
    }

    @Test
    void anUntrustedCopyNeverReplacesATrustedOne() {
        stream.post(report(), Authentication.DKIM);
        stream.post(report(), Authentication.NONE);
        stream.post(report().policy("sts", "example.com", 1, 0), Authentication.NONE);

        assertThat(stream.verdictWords()).containsExactly("accepted", "duplicate", "conflict");
        assertThat(stream.cell().totalSuccessfulSessionCount()).isEqualTo(100);
    }

    @Test
    void aRetractionLeavesTheOthersOfItsCellAlone() {
        stream.post(report().id("forged")
                .policy("sts", "example.com", 1, 6)
                .failure("certificate-expired", "mx1", 5)
                .failure("dnssec-invalid", "mx1", 1));
        stream.post(report().id("other").policy("sts", "example.com", 20, 2).failure("certificate-expired", "mx1", 2));
        stream.post(report().id("forged").policy("sts", "example.com", 7, 0), Authentication.DKIM);

        assertThat(stream.cells).hasSize(2);
        Aggregate untrusted = stream.cells.values().stream()
                .filter(cell -> cell.authentication().equals("none"))
                .findFirst()
                .orElseThrow();
        assertThat(untrusted.reportCount()).isEqualTo(1);
        assertThat(untrusted.totalSuccessfulSessionCount()).isEqualTo(20);
        assertThat(untrusted.totalFailureSessionCount()).isEqualTo(2);
        assertThat(untrusted.failures())
                .containsExactly(
                        new Aggregate.Failure("certificate-expired", "mx1", 2, 1, List.of("198.51.100.7"), null));
    }

    @Test
    void stsAndTlsaOfOneDomainAreDifferentCells() {
        stream.post(report().policy("sts", "example.com", 10, 0).policy("tlsa", "example.com", 10, 0));

        assertThat(stream.cells).hasSize(2);
        assertThat(stream.cells.values())
                .allSatisfy(
                        cell -> assertThat(cell.totalSuccessfulSessionCount()).isEqualTo(10));
    }

    @Test
    void twoEntriesOfOneCellAddUpAndAreNeverPublishedHalf() {
        stream.post(report().policy("sts", "example.com", 10, 3)
                .failure("certificate-expired", "mx1", 3)
                .policy("sts", "example.com", 5, 1)
                .failure("certificate-expired", "mx1", 1));

        assertThat(stream.aggregateKeys).hasSize(2);
        assertThat(stream.cell().reportCount()).isEqualTo(2);
        assertThat(stream.cell().totalSuccessfulSessionCount()).isEqualTo(15);
        assertThat(stream.cell().failures().getFirst().failedSessionCount()).isEqualTo(4);
    }

    @Test
    void anEntryWithoutADomainTakesTheChannelsDomain() {
        byte[] document = report().policy("no-policy-found", null, 3, 0).bytes();
        stream.put(Stream.taken(document, Authentication.NONE, Stream.NOW, "example.net", List.of()));

        assertThat(stream.lastVerdict().verdict()).isEqualTo("accepted");
        assertThat(stream.cell().policyDomain()).isEqualTo("example.net");
    }

    @Test
    void entriesOfForeignDomainsAreRefusedAloneAndTheVerdictSaysSo() {
        byte[] document = report().policy("sts", "example.com", 10, 0)
                .policy("sts", "foreign.example", 66, 4)
                .failure("certificate-expired", "mx.foreign.example", 4)
                .policy("no-policy-found", null, 3, 0)
                .bytes();
        stream.put(Stream.taken(document, Authentication.NONE, Stream.NOW, null, List.of("foreign.example")));

        assertThat(stream.lastVerdict().verdict()).isEqualTo("accepted");
        assertThat(stream.lastVerdict().detail())
                .isEqualTo("2 of 3 entries refused: foreign-domain 1, no-policy-domain 1");
        assertThat(stream.cell().policyDomain()).isEqualTo("example.com");
        assertThat(stream.rejected).extracting(Stream::reason).containsExactly("foreign-domain", "no-policy-domain");
        var entry = Json.MAPPER.readTree(stream.rejected.getFirst().value());
        assertThat(entry.at("/policy/policy-domain").asString()).isEqualTo("foreign.example");
        assertThat(entry.at("/summary/total-failure-session-count").asLong()).isEqualTo(4);
        assertThat(entry.at("/failure-details/0/result-type").asString()).isEqualTo("certificate-expired");
        assertThat(stream.reports.getLast().policyDomains()).containsExactly("example.com");
    }

    @Test
    void aReportOfForeignEntriesOnlyIsRejectedWholeAndNotRemembered() {
        byte[] document = report().policy("sts", "foreign.example", 1, 0).bytes();
        stream.put(Stream.taken(document, Authentication.NONE, Stream.NOW, null, List.of("foreign.example")));
        assertThat(stream.lastVerdict().verdict()).isEqualTo("rejected");
        assertThat(stream.lastVerdict().reason()).isEqualTo("foreign-domain");
        assertThat(stream.rejected.getFirst().value()).isEqualTo(document);

        stream.put(Stream.taken(document, Authentication.NONE, Stream.NOW, null, List.of()));
        assertThat(stream.lastVerdict().verdict()).isEqualTo("accepted");
    }

    @Test
    void aReportWithoutEntriesIsAcceptedAndCountsNothing() {
        String document = report().json().replaceAll("\"policies\":\\[.*\\]", "\"policies\":[]");
        stream.post(document.getBytes(StandardCharsets.UTF_8), Authentication.NONE);
        stream.post(document.getBytes(StandardCharsets.UTF_8), Authentication.NONE);

        assertThat(stream.verdictWords()).containsExactly("accepted", "duplicate");
        assertThat(stream.events).isEmpty();
        assertThat(stream.reports).hasSize(1);
    }

    @Test
    void datesOfOneReportHarmNoOther() {
        try (Stream archive = new Stream(directory.resolve("archive"), Duration.ofDays(40 * 365L))) {
            LocalDate today = LocalDate.parse("2026-11-21");
            LocalDate[] days = {today, today.minusDays(300), today, today.minusDays(39 * 365L), today.plusDays(1), today
            };
            for (int i = 0; i < days.length; i++) {
                archive.post(report().id("r" + i).day(days[i]));
            }
            assertThat(archive.verdictWords()).containsOnly("accepted").hasSize(days.length);
            assertThat(archive.cells).hasSize(4);
            assertThat(archive.cells.values().stream()
                            .filter(cell -> cell.window().equals(today))
                            .findFirst()
                            .orElseThrow()
                            .reportCount())
                    .isEqualTo(3);
        }
    }

    @Test
    void aReportFromTheFarFutureIsRejectedAndHarmsNoOther() {
        stream.put(Stream.taken(report().day(LocalDate.parse("2027-11-20")).bytes(), Authentication.NONE, Stream.NOW));
        stream.post(report());

        assertThat(stream.verdictWords()).containsExactly("rejected", "accepted");
        assertThat(stream.verdicts.getFirst().reason()).isEqualTo("implausible-date-range");
    }

    @Test
    void datesAreJudgedAgainstTheArrivalSoThatAReplayJudgesAlike() {
        Instant then = Instant.parse("2020-01-02T03:00:00Z");
        stream.put(Stream.taken(report().day(LocalDate.parse("2020-01-01")).bytes(), Authentication.NONE, then));

        assertThat(stream.lastVerdict().verdict()).isEqualTo("accepted");
    }

    @Test
    void sessionsAreCountedOnceForEachReport() {
        stream.post(report().policy("sts", "example.com", 90, 10)
                .failure("certificate-expired", "mx1", 8)
                .failure("unheard-of", "mx1", 2));
        stream.post(report().policy("sts", "example.com", 7, 3), Authentication.DKIM);
        stream.post(report().policy("sts", "example.com", 7, 3), Authentication.DKIM);

        assertThat(stream.verdictWords()).containsExactly("accepted", "replaced", "duplicate");
        assertThat(sessions("tlsrpt.processor.sessions", "outcome", "successful"))
                .isEqualTo(90);
        assertThat(sessions("tlsrpt.processor.sessions", "outcome", "failed")).isEqualTo(10);
        assertThat(sessions("tlsrpt.processor.failed.sessions", "result-type", "certificate-expired"))
                .isEqualTo(8);
        assertThat(sessions("tlsrpt.processor.failed.sessions", "result-type", "other"))
                .isEqualTo(2);
    }

    private double sessions(String name, String label, String value) {
        return stream.meters.get(name).tag(label, value).counters().stream()
                .mapToDouble(Counter::count)
                .sum();
    }

    private static String resource(String name) {
        try (InputStream in = ReportTopologyTest.class.getResourceAsStream(name)) {
            assertThat(in).as(name).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}

package io.tlsrpt.ingest;

import static io.tlsrpt.ingest.TestIntake.header;
import static io.tlsrpt.ingest.TestIntake.posted;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.ingest.TestIntake.Broker;
import io.tlsrpt.report.CanaryReport;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IntakeTest {

    private static final String KEY = "google.com|2026-11-20T00:00:00Z_example.com|2026-11-20T00:00:00Z|example.com";

    @TempDir
    Path data;

    @Test
    void aReportBecomesARawRecordWithItsDocumentUnzippedAndItsHeaders() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            SampleReports report = SampleReports.report();

            Outcome outcome = door.intake.take(posted(report.gzip()));

            assertThat(outcome)
                    .isInstanceOfSatisfying(
                            Outcome.Accepted.class,
                            accepted -> assertThat(accepted.reportKey()).isEqualTo(KEY));
            ProducerRecord<String, byte[]> raw = door.raw().getFirst();
            assertThat(raw.key()).isEqualTo(KEY);
            assertThat(raw.value()).isEqualTo(report.bytes());
            ReportHeaders headers = ReportHeaders.read(raw.headers());
            assertThat(headers.source()).isEqualTo("https");
            assertThat(headers.receivedAt()).isEqualTo(TestIntake.NOW);
            assertThat(headers.submitter()).isEqualTo("google.com");
            assertThat(headers.contentSha256()).hasSize(64);
            assertThat(headers.backfill()).isFalse();
            assertThat(header(raw, "schema")).isEqualTo("tlsrpt.report-document/1");
        }
    }

    @Test
    void whatIsNoReportIsKeptWithItsReasonBeforeTheAnswer() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            Outcome outcome = door.intake.take(posted("hello".getBytes(StandardCharsets.UTF_8)));

            assertThat(outcome).isInstanceOfSatisfying(Outcome.Refused.class, refused -> {
                assertThat(refused.reason()).isEqualTo(RefusalReason.NOT_JSON);
                assertThat(refused.reportKey()).isNull();
            });
            assertThat(door.raw()).isEmpty();
            ProducerRecord<String, byte[]> rejected = door.rejected().getFirst();
            assertThat(rejected.key()).isNull();
            assertThat(rejected.value()).asString().isEqualTo("hello");
            assertThat(header(rejected, "reason")).isEqualTo("not-json");
            assertThat(header(rejected, "detail")).isNotEmpty();
            assertThat(header(rejected, "schema")).isEqualTo("tlsrpt.rejected/1");
        }
    }

    @Test
    void anImplausibleReportIsRefusedUnderItsKey() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            byte[] year9999 = SampleReports.report()
                    .range("9999-01-01T00:00:00Z", "9999-01-01T23:59:59Z")
                    .bytes();
            byte[] old = SampleReports.report()
                    .range("2019-01-01T00:00:00Z", "2019-01-01T23:59:59Z")
                    .bytes();

            assertThat(reason(door.intake.take(posted(year9999)))).isEqualTo(RefusalReason.IMPLAUSIBLE_DATE_RANGE);
            assertThat(reason(door.intake.take(posted(old)))).isEqualTo(RefusalReason.TOO_OLD);
            assertThat(door.rejected()).allSatisfy(record -> {
                assertThat(record.key()).startsWith("google.com|");
                assertThat(header(record, "submitter")).isEqualTo("google.com");
            });
        }
    }

    @Test
    void aTooLargeDocumentKeepsOnlyItsHead() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "intake: {max-inflated: 1MiB}\n")) {
            byte[] large = new byte[2 * 1024 * 1024];

            assertThat(reason(door.intake.take(posted(large)))).isEqualTo(RefusalReason.TOO_LARGE);
            assertThat(door.rejected().getFirst().value()).hasSizeLessThanOrEqualTo(64 * 1024);
        }
    }

    @Test
    void aReportWhoseEventsWouldBeTooLargeIsRefused() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            SampleReports report = SampleReports.report();
            report.policy("sts", "example.com", 0, 45_000);
            report.organization("a long name ".repeat(85));
            for (int i = 0; i < 45_000; i++) {
                report.failure("certificate-expired", "mx.example.com", 1);
            }
            assertThat(reason(door.intake.take(posted(report.bytes())))).isEqualTo(RefusalReason.TOO_MANY_DETAILS);
            assertThat(door.rejected().getFirst().key()).isNotNull();
        }
    }

    @Test
    void aReportThatIsWhollyAboutOthersIsRefusedAndOnePartlyAboutOthersIsMarked() {
        String yaml = "domains: [{name: example.com}, {name: '*.example.net'}]\n";
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, yaml)) {
            byte[] ours = SampleReports.report()
                    .policy("sts", "example.com", 1, 0)
                    .policy("sts", "mail.example.net", 1, 0)
                    .bytes();
            byte[] mixed = SampleReports.report()
                    .policy("sts", "example.com", 1, 0)
                    .policy("sts", "example.net", 1, 0)
                    .bytes();
            byte[] foreign =
                    SampleReports.report().policy("sts", "example.org", 1, 0).bytes();

            assertThat(door.intake.take(posted(ours))).isInstanceOf(Outcome.Accepted.class);
            assertThat(door.intake.take(posted(mixed))).isInstanceOf(Outcome.Accepted.class);
            assertThat(reason(door.intake.take(posted(foreign)))).isEqualTo(RefusalReason.FOREIGN_DOMAIN);

            assertThat(header(door.raw().get(0), "foreign-domains")).isNull();
            assertThat(header(door.raw().get(1), "foreign-domains")).isEqualTo("[\"example.net\"]");
            assertThat(header(door.rejected().getFirst(), "foreign-domains")).isEqualTo("[\"example.org\"]");

            door.domains.set(List.of(new Settings.Domain("example.org", Map.of())));
            assertThat(door.intake.take(posted(foreign))).isInstanceOf(Outcome.Accepted.class);
        }
    }

    @Test
    void ourOwnReportPassesWhateverDomainsAreOursAndIsCountedApart() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "domains: [{name: example.com}]\n")) {
            CanaryReport canary = CanaryReport.of("canary-1", LocalDate.of(2026, 11, 22));

            Outcome outcome = door.intake.take(posted(canary.document()));

            assertThat(outcome)
                    .isInstanceOfSatisfying(
                            Outcome.Accepted.class,
                            accepted -> assertThat(accepted.reportKey()).isEqualTo(canary.reportKey()));
            assertThat(header(door.raw().getFirst(), "foreign-domains")).isNull();
            assertThat(door.count("tlsrpt.intake.received")).isOne();
            assertThat(door.count("tlsrpt.intake.canaries")).isOne();
            assertThat(door.count("tlsrpt.intake.accepted")).isZero();
        }
    }

    @Test
    void theCanarysDomainOpensTheDoorForNothingElse() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "domains: [{name: example.com}]\n")) {
            SampleReports mixed = SampleReports.report()
                    .contact("canary@" + CanaryReport.DOMAIN)
                    .policy("sts", CanaryReport.DOMAIN, 1, 0)
                    .policy("sts", "example.org", 1, 0);
            SampleReports long4k = SampleReports.report()
                    .contact("canary@" + CanaryReport.DOMAIN)
                    .policy("sts", CanaryReport.DOMAIN, 1, 0)
                    .mxHost("m".repeat(4_096));
            SampleReports ancient = SampleReports.report()
                    .contact("canary@" + CanaryReport.DOMAIN)
                    .policy("sts", CanaryReport.DOMAIN, 1, 0)
                    .range("2019-01-01T00:00:00Z", "2019-01-01T23:59:59Z");

            assertThat(reason(door.intake.take(posted(mixed.bytes())))).isEqualTo(RefusalReason.FOREIGN_DOMAIN);
            assertThat(reason(door.intake.take(posted(long4k.bytes())))).isEqualTo(RefusalReason.FOREIGN_DOMAIN);
            assertThat(reason(door.intake.take(posted(ancient.bytes())))).isEqualTo(RefusalReason.TOO_OLD);
            assertThat(door.count("tlsrpt.intake.canaries")).isZero();
        }
    }

    @Test
    void anEntryWithoutADomainIsAboutTheChannels() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "domains: [{name: example.com}]\n")) {
            byte[] nameless =
                    SampleReports.report().policy("no-policy-found", null, 1, 0).bytes();
            Submission plain = posted(nameless);
            Submission byToken = new Submission(
                    plain.bytes(),
                    false,
                    plain.source(),
                    plain.receivedAt(),
                    null,
                    plain.proof(),
                    "example.com",
                    plain.backfill(),
                    null,
                    null);
            assertThat(door.intake.take(byToken))
                    .isInstanceOfSatisfying(
                            Outcome.Accepted.class,
                            accepted -> assertThat(accepted.reportKey()).endsWith("|@example.com"));
            assertThat(header(door.raw().getFirst(), "channel-domain")).isEqualTo("example.com");
        }
    }

    @Test
    void anOldFileIsBackfillUnlessSaidOtherwise() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            byte[] old = SampleReports.report()
                    .range("2026-11-10T00:00:00Z", "2026-11-10T23:59:59Z")
                    .bytes();
            byte[] fresh = SampleReports.report().bytes();
            for (Submission.Backfill backfill : Submission.Backfill.values()) {
                for (byte[] bytes : List.of(old, fresh)) {
                    Submission plain = posted(bytes);
                    door.intake
                            .takeUnspooled(new Submission(
                                    bytes,
                                    false,
                                    Source.FILE,
                                    plain.receivedAt(),
                                    "a.json",
                                    plain.proof(),
                                    null,
                                    backfill,
                                    null,
                                    null))
                            .get();
                }
            }
            assertThat(door.raw().stream().map(record -> header(record, "backfill")))
                    .containsExactly("true", "true", null, null, "true", null);
        }
    }

    @Test
    void withoutAnAcknowledgementItIsSpooledAndThoseBehindItDoNotWait() {
        try (TestIntake door = new TestIntake(data, Broker.HANGS, "intake: {ack-timeout: 1s}\n")) {
            long start = System.nanoTime();
            assertThat(door.intake.take(report(0))).isInstanceOf(Outcome.Spooled.class);
            for (int i = 1; i < 200; i++) {
                assertThat(door.intake.take(report(i))).isInstanceOf(Outcome.Spooled.class);
            }
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
            assertThat(door.spool.entries()).isEqualTo(200);
            assertThat(door.broker.history()).hasSize(1);
            assertThat(ReportHeaders.read(
                                    door.spool.oldest(1, 1).getFirst().record().headers())
                            .receivedAt())
                    .isEqualTo(Instant.parse("2026-11-22T12:00:00Z"));
        }
    }

    @Test
    void whenTheBrokerComesBackTheSpoolIsDrainedInOrderAndPostsGoDirectlyAgain() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            door.brokerFails();
            for (int i = 0; i < 250; i++) {
                assertThat(door.intake.take(report(i))).isInstanceOf(Outcome.Spooled.class);
            }
            assertThat(door.intake.take(posted("junk".getBytes(StandardCharsets.UTF_8))))
                    .isInstanceOf(Outcome.Refused.class);
            assertThat(door.broker.history()).isEmpty();

            try (SpoolDrain drain = new SpoolDrain(door.spool, door.delivery, Duration.ofMillis(20))) {
                drain.start();
                door.brokerIsBack();
                await().until(door.spool::isEmpty);
                assertThat(door.intake.take(report(250))).isInstanceOf(Outcome.Accepted.class);
            }
            assertThat(door.raw()).hasSize(251).doesNotHaveDuplicates();
            assertThat(door.rejected()).hasSize(1);
            assertThat(door.raw().stream().map(record -> new String(record.value(), StandardCharsets.UTF_8)))
                    .isEqualTo(java.util.stream.IntStream.rangeClosed(0, 250)
                            .mapToObj(i -> new String(report(i).bytes(), StandardCharsets.UTF_8))
                            .toList());
            assertThat(door.count("tlsrpt.spool.kept")).isEqualTo(251);
            assertThat(door.count("tlsrpt.spool.drained")).isEqualTo(251);
        }
    }

    @Test
    void aRecordThatNoBrokerTakesDoesNotBlockTheSpool() {
        try (TestIntake door = new TestIntake(data, Broker.HANGS, "intake: {ack-timeout: 100ms}\n")) {
            door.intake.take(report(0));
            door.intake.take(report(1));
            try (SpoolDrain drain = new SpoolDrain(door.spool, door.delivery, Duration.ofMillis(20))) {
                assertThat(door.broker.errorNext(new org.apache.kafka.common.errors.TimeoutException("late")))
                        .isTrue();
                drain.start();
                await().until(() -> door.broker.history().size() == 3);
                door.broker.errorNext(new RecordTooLargeException("never"));
                door.broker.completeNext();
                await().until(door.spool::isEmpty);
            }
            assertThat(door.count("tlsrpt.spool.set.aside")).isEqualTo(1);
            assertThat(door.count("tlsrpt.spool.drained")).isEqualTo(1);
            assertThat(data.resolve("spool"))
                    .isDirectoryContaining(file -> file.toString().endsWith(".set-aside"));
        }
    }

    @Test
    void aFullSpoolIsBusyAndKeepsNothing() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "intake: {spool-max-bytes: 2KiB}\n")) {
            door.brokerFails();
            Outcome outcome = door.intake.take(report(0));
            for (int i = 1; outcome instanceof Outcome.Spooled; i++) {
                outcome = door.intake.take(report(i));
                assertThat(i).isLessThan(10);
            }
            assertThat(outcome).isInstanceOf(Outcome.Busy.class);
        }
    }

    @Test
    void aFileIsNeverSpooled() throws Exception {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "")) {
            door.brokerFails();
            assertThat(door.intake.takeUnspooled(report(0)).get()).isInstanceOf(Outcome.Busy.class);
            assertThat(door.spool.isEmpty()).isTrue();
        }
    }

    @Test
    void ofALongBodyThatIsNoReportOnlyWhatFitsTheRejectedTopicIsKept() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "intake: {max-body: 20MiB}\n")) {
            byte[] brokenGzip = new byte[15 * 1024 * 1024];
            brokenGzip[0] = 0x1f;
            brokenGzip[1] = (byte) 0x8b;
            assertThat(door.intake.take(TestIntake.posted(brokenGzip))).isInstanceOf(Outcome.Refused.class);
            assertThat(door.rejected())
                    .singleElement()
                    .satisfies(kept -> assertThat(kept.value()).hasSizeLessThan(Topics.MAX_DOCUMENT_RECORD_BYTES));
        }
    }

    @Test
    void theProducerNamesNoTopicBeforeTheTopicsAreVerified() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "");
                Delivery closed = new Delivery(() -> door.broker, 4096)) {
            ProducerRecord<String, byte[]> record = new ProducerRecord<>("t", "k", new byte[1000]);
            assertThat(closed.send(record, Duration.ZERO)).isCompletedExceptionally();
            assertThat(door.broker.history()).isEmpty();
            closed.open();
            assertThat(closed.send(record, Duration.ZERO)).isCompleted();
        }
    }

    @Test
    void aProducerThatCouldNotBeMadeIsMadeWhenItIsTriedAgain() {
        AtomicBoolean resolvable = new AtomicBoolean();
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "");
                Delivery delivery = new Delivery(
                        () -> {
                            if (!resolvable.get()) {
                                throw new KafkaException("no resolvable bootstrap urls");
                            }
                            return door.broker;
                        },
                        4096)) {
            ProducerRecord<String, byte[]> record = new ProducerRecord<>("t", "k", new byte[1000]);
            assertThatThrownBy(delivery::open).isInstanceOf(KafkaException.class);
            assertThat(delivery.send(record, Duration.ZERO)).isCompletedExceptionally();
            resolvable.set(true);
            delivery.open();
            assertThat(delivery.send(record, Duration.ZERO)).isCompleted();
        }
    }

    @Test
    void bytesWithoutAnAnswerAreBounded() {
        try (TestIntake door = new TestIntake(data, Broker.HANGS, "intake: {ack-timeout: 100ms}\n");
                Delivery small = new Delivery(() -> door.broker, 4096)) {
            small.open();
            ProducerRecord<String, byte[]> record = new ProducerRecord<>("t", "k", new byte[1000]);
            assertThat(small.send(record, Duration.ZERO)).isNotDone();
            assertThat(small.send(record, Duration.ZERO)).isNotDone();
            assertThat(small.send(record, Duration.ZERO)).isCompletedExceptionally();
            assertThat(door.broker.history()).hasSize(2);
            door.broker.completeNext();
            assertThat(small.send(record, Duration.ZERO)).isNotDone();
            door.broker.completeNext();
            door.broker.completeNext();
            assertThat(small.unacknowledgedBytes()).isZero();
        }
    }

    @Test
    void everySubmissionIsCountedOnceByWhatBecameOfIt() {
        try (TestIntake door = new TestIntake(data, Broker.ACKNOWLEDGES, "intake: {spool-max-bytes: 2KiB}\n")) {
            door.intake.take(report(0));
            door.intake.take(posted(new byte[0]));
            door.intake.take(posted("{}".getBytes(StandardCharsets.UTF_8)));
            door.brokerFails();
            for (int i = 0; i < 10; i++) {
                door.intake.take(report(i));
            }
            double accepted = door.count("tlsrpt.intake.accepted", "source", "https");
            double spooled = door.count("tlsrpt.intake.spooled", "source", "https");
            double refused = door.count("tlsrpt.intake.refused", "source", "https");
            double busy = door.count("tlsrpt.intake.busy", "source", "https");
            assertThat(accepted).isEqualTo(1);
            assertThat(refused).isEqualTo(2);
            assertThat(spooled).isPositive();
            assertThat(busy).isPositive();
            assertThat(door.count("tlsrpt.intake.received", "source", "https"))
                    .isEqualTo(accepted + spooled + refused + busy)
                    .isEqualTo(13);
            assertThat(door.count("tlsrpt.intake.refused", "reason", "empty")).isEqualTo(1);
        }
    }

    private static Submission report(int i) {
        return posted(SampleReports.report().id("report-" + i).bytes());
    }

    private static RefusalReason reason(Outcome outcome) {
        assertThat(outcome).isInstanceOf(Outcome.Refused.class);
        return ((Outcome.Refused) outcome).reason();
    }
}

package io.tlsrpt.stream;

import static io.tlsrpt.report.SampleReports.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.report.Authentication;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExpiryTest {

    private static final Duration RETENTION = Duration.ofDays(10);

    @TempDir
    Path directory;

    @Test
    void seenReportsAreForgottenWhenNoCopyCanComeAnyMore() {
        try (Stream stream = new Stream(directory, RETENTION)) {
            stream.post(report().policy("sts", "example.com", 1, 1).failure("certificate-expired", "mx1", 1));
            stream.pass(RETENTION.plusDays(3).minusMinutes(1));
            assertThat(size(stream, ReportTopology.SEEN_REPORTS)).isEqualTo(1);
            assertThat(size(stream, ReportTopology.REPLACEABLE_EVENTS)).isEqualTo(2);
            assertThat(stream.latestReports).hasSize(1);

            stream.pass(Duration.ofMinutes(2));
            assertThat(size(stream, ReportTopology.SEEN_REPORTS)).isZero();
            assertThat(size(stream, ReportTopology.REPLACEABLE_EVENTS)).isZero();
            assertThat(stream.latestReports).isEmpty();
        }
    }

    @Test
    void aCopyThatComesAfterItsReportWasForgottenIsTooOldToBeCountedTwice() {
        try (Stream stream = new Stream(directory, RETENTION)) {
            // the latest day that is believed
            byte[] early = report().range("2026-11-24T00:00:00Z", "2026-11-24T23:59:59Z")
                    .bytes();
            stream.post(early, Authentication.NONE);
            assertThat(stream.lastVerdict().verdict()).isEqualTo("accepted");
            Duration until = RETENTION.plusDays(3).plusMinutes(1);
            stream.pass(until);
            assertThat(size(stream, ReportTopology.SEEN_REPORTS)).isZero();

            stream.put(Stream.taken(early, Authentication.NONE, Stream.NOW.plus(until)));
            assertThat(stream.lastVerdict().reason()).isEqualTo("too-old");
        }
    }

    @Test
    void cellsLeaveWithATombstone() {
        try (Stream stream = new Stream(directory, RETENTION)) {
            stream.post(report().day(LocalDate.parse("2026-11-20")));
            stream.post(report().day(LocalDate.parse("2026-11-21")));
            assertThat(stream.cells).hasSize(2);

            // the window of the 20th ends at midnight, six hours less than two days ago
            stream.pass(RETENTION.plusDays(3).minusHours(29));
            assertThat(stream.cells).hasSize(1);
            assertThat(stream.cell().window()).isEqualTo(LocalDate.parse("2026-11-21"));
            stream.pass(Duration.ofDays(1));
            assertThat(stream.cells).isEmpty();
            assertThat(size(stream, ReportTopology.CELLS)).isZero();
        }
    }

    @Test
    void manyReportsAreForgottenSliceBySlice() {
        try (Stream stream = new Stream(directory, RETENTION)) {
            int reports = 2_600;
            for (int i = 0; i < reports; i++) {
                stream.post(report().id("r" + i));
            }
            // one report and its event are looked at and removed: four of a slice of 5,000
            stream.pass(RETENTION.plusDays(4));
            long left = size(stream, ReportTopology.SEEN_REPORTS);
            assertThat(left).isBetween(1L, reports - 1L);
            stream.pass(Sweep.INTERVAL);
            stream.pass(Sweep.INTERVAL);
            assertThat(size(stream, ReportTopology.SEEN_REPORTS)).isZero();
            assertThat(stream.latestReports).isEmpty();
        }
    }

    @Test
    void failuresWhoseSummaryNeverComesLeaveAfterTwoDays() {
        try (Stream stream = new Stream(directory, RETENTION)) {
            stream.putForeignEvent("""
                    {"kind":"failure","event-id":"k#0.0.0","result-type":"certificate-expired","failed-session-count":4,
                     "policy-domain":"example.com"}""".getBytes(StandardCharsets.UTF_8));
            // the failure, and the head of its entry
            assertThat(size(stream, ReportTopology.PENDING_ENTRIES)).isEqualTo(2);
            stream.pass(Duration.ofHours(47));
            assertThat(size(stream, ReportTopology.PENDING_ENTRIES)).isEqualTo(2);
            stream.pass(Duration.ofHours(2));
            assertThat(size(stream, ReportTopology.PENDING_ENTRIES)).isZero();
        }
    }

    @Test
    void anArchiveOfFortyYearsForgetsNothing() {
        try (Stream stream = new Stream(directory, Duration.ofDays(40 * 365L))) {
            stream.post(report().day(LocalDate.parse("1990-01-01")));
            stream.pass(Duration.ofDays(400));
            assertThat(stream.cells).hasSize(1);
            assertThat(size(stream, ReportTopology.SEEN_REPORTS)).isEqualTo(1);
        }
    }

    @Test
    void aRetentionLongerThanTimeItselfIsForEver() {
        assertThat(Retention.before(Stream.NOW, Duration.ofSeconds(Long.MAX_VALUE)))
                .isEqualTo(Instant.MIN);
    }

    private static long size(Stream stream, String store) {
        long size = 0;
        try (KeyValueIterator<Object, Object> records =
                stream.driver.getKeyValueStore(store).all()) {
            while (records.hasNext()) {
                records.next();
                size++;
            }
        }
        return size;
    }
}

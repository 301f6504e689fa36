package io.tlsrpt.stream;

import static io.tlsrpt.report.SampleReports.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.EventSize;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// No record, whatever it is, stops the stream, and each gets its verdict.
class PoisonRecordsTest {

    @TempDir
    Path directory;

    private Stream stream;
    private final TestRecord<byte[], byte[]> good = Stream.taken(report().bytes(), Authentication.NONE, Stream.NOW);

    @BeforeEach
    void open() {
        stream = new Stream(directory);
    }

    @AfterEach
    void theNextGoodReportIsAcceptedAndEachRecordHasItsVerdict() {
        stream.post(report().id("the next"));
        assertThat(stream.lastVerdict().verdict()).isEqualTo("accepted");
        stream.assertEveryRawRecordHasOneVerdict();
        stream.close();
    }

    @Test
    void withoutKey() {
        rejectedAsInternal(null, good.value(), good.headers(), "the record has no key");
    }

    @Test
    void withAKeyThatIsNoReportKey() {
        rejectedAsInternal(bytes("a#b"), good.value(), good.headers(), "the record's key is no report-key");
        rejectedAsInternal(
                new byte[] {(byte) 0xff, 0}, good.value(), good.headers(), "the record's key is no report-key");
        rejectedAsInternal(new byte[100_000], good.value(), good.headers(), "the record's key is no report-key");
    }

    @Test
    void withoutHeaders() {
        rejectedAsInternal(good.key(), good.value(), new RecordHeaders(), "header");
    }

    @Test
    void withMalformedHeaders() {
        for (String header : new String[] {"received-at", "authentication", "foreign-domains"}) {
            Headers headers = new RecordHeaders(good.headers());
            headers.remove(header);
            headers.add(header, bytes("[garbage\u202e"));
            rejectedAsInternal(good.key(), good.value(), headers, "header");
        }
    }

    @Test
    void withoutContentDigest() {
        Headers headers = new RecordHeaders(good.headers());
        headers.remove("content-sha256");
        rejectedAsInternal(good.key(), good.value(), headers, "record header content-sha256 is missing");
    }

    @Test
    void withGarbageOrNothingForAValue() {
        put(good.key(), null, good.headers());
        assertThat(stream.lastVerdict().reason()).isEqualTo("empty");
        put(good.key(), bytes("<html>"), good.headers());
        assertThat(stream.lastVerdict().reason()).isEqualTo("not-json");
        assertThat(stream.rejected.getLast().value()).isEqualTo(bytes("<html>"));
        Random random = new Random(8460);
        for (int i = 0; i < 200; i++) {
            byte[] noise = good.value().clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                noise[random.nextInt(noise.length)] = (byte) random.nextInt(256);
            }
            put(bytes("k" + i), noise, good.headers());
        }
    }

    @Test
    void largerThanAnyReportMayBeAndThanTheRejectedTopicTakes() {
        byte[] huge = new byte[40 * 1024 * 1024];
        Arrays.fill(huge, (byte) ' ');
        put(good.key(), huge, good.headers());

        assertThat(stream.lastVerdict().reason()).isEqualTo("too-large");
        assertThat(stream.rejected.getLast().value()).hasSize(64 * 1024);
        Headers wide = new RecordHeaders(good.headers());
        wide.add("x", new byte[13 * 1024 * 1024]);
        put(bytes("wide"), bytes("{}"), wide);
        int headerBytes = 0;
        for (var header : stream.rejected.getLast().headers()) {
            headerBytes += header.value().length;
        }
        assertThat(headerBytes).isLessThan(64 * 1024);
    }

    @Test
    void whoseReceptionIsAtTheEndOfTime() {
        for (String never : new String[] {"+999999999-12-31T23:59:59Z", "-999999999-01-01T00:00:00Z"}) {
            Headers headers = new RecordHeaders(good.headers());
            headers.remove("received-at");
            headers.add("received-at", bytes(never));
            put(good.key(), good.value(), headers);
            assertThat(stream.lastVerdict().verdict()).isEqualTo("rejected");
        }
    }

    @Test
    void whoseEventsWouldTakeMoreThan64MiB() {
        SampleReports report = report().policy("sts", "example.com", 0, 1);
        for (int i = 0; i < 90_000; i++) {
            report.failure("certificate-expired", "mx.example.com", 1);
        }
        put(good.key(), report.bytes(), good.headers());

        assertThat(stream.lastVerdict().reason()).isIn("too-many-details", "too-large");
        assertThat(stream.events).isEmpty();
    }

    /// Each entry reads and writes a cell of up to 256 KiB: ten thousand of them in one small post are gigabytes.
    @Test
    void withThousandsOfEntriesForOneCell() {
        SampleReports report = report();
        for (int i = 0; i < 1_001; i++) {
            report.policy("sts", "example.com", 1, 0);
        }
        put(good.key(), report.bytes(), good.headers());

        assertThat(stream.lastVerdict().reason()).isEqualTo("too-many-details");
        assertThat(stream.events).isEmpty();
    }

    @Test
    void withFiftyThousandDetails() {
        SampleReports report = report().policy("sts", "example.com", 5, 50_000);
        for (int i = 0; i < 50_000; i++) {
            report.failure(
                    i % 2 == 0 ? "certificate-expired" : "starttls-not-supported", "mx" + i % 700 + ".a.example", 1);
        }
        stream.post(report);

        assertThat(stream.lastVerdict().verdict()).isEqualTo("accepted");
        assertThat(stream.events).hasSize(50_001);
        var cell = stream.cell();
        assertThat(cell.failures().stream()
                        .mapToLong(failure -> failure.failedSessionCount())
                        .sum())
                .isEqualTo(50_000);
        assertThat(Json.MAPPER.writeValueAsBytes(cell)).hasSizeLessThan(256 * 1024);
    }

    @Test
    void withMoreThanAThousandKindsOfFailureCountsTheRestAsOther() {
        SampleReports report = report().policy("sts", "example.com", 5, 3_000);
        for (int i = 0; i < 3_000; i++) {
            report.failure("certificate-expired", "mx" + i + ".example.com", 1);
        }
        stream.post(report);

        var failures = stream.cell().failures();
        assertThat(failures).hasSizeLessThanOrEqualTo(1_001);
        assertThat(failures.getFirst().resultType()).isEqualTo("other");
        assertThat(failures.stream().mapToLong(failure -> failure.detailCount()).sum())
                .isEqualTo(3_000);
    }

    @Test
    void withTheLongestAndStrangestTextInEveryMember() {
        String strange = "\\ud800\\u0000\\u202e\\\"" + "\\u0001ä😀".repeat(3_000);
        String document = report().organization("O")
                .policy("sts", "example.com", 1, 2)
                .failure("R", "mx1.example.com", 2)
                .json()
                .replace("\"O\"", "\"" + strange + "\"")
                .replace("\"R\"", "\"" + strange + "\"")
                .replace("\"mx1.example.com\"", "\"" + strange + "\"")
                .replace("\"198.51.100.7\"", "\"" + strange + "\"");
        stream.post(bytes(document), Authentication.NONE);

        assertThat(stream.lastVerdict().verdict()).isEqualTo("accepted");
        Event failure = stream.events.getFirst();
        assertThat(failure.truncated()).contains("result-type", "organization-name");
        assertThat(bytes(String.valueOf(failure.resultType())))
                .hasSizeBetween(EventSize.MAX_TEXT_BYTES - 8, EventSize.MAX_TEXT_BYTES);
        assertThat(Json.MAPPER.writeValueAsBytes(failure)).hasSizeLessThan(256 * 1024);
    }

    @Test
    void withManyForeignEntriesDoesNotRepeatTheListOfThemAll() {
        SampleReports report = report().policy("sts", "example.com", 1, 0);
        List<String> foreign = new ArrayList<>();
        for (int i = 0; i < 999; i++) {
            foreign.add("d" + i + ".foreign.example");
            report.policy("sts", foreign.getLast(), 1, 0);
        }
        stream.put(Stream.taken(report.bytes(), Authentication.NONE, Stream.NOW, null, foreign));

        assertThat(stream.lastVerdict().verdict()).isEqualTo("accepted");
        assertThat(stream.rejected).hasSize(999);
        assertThat(stream.rejected)
                .allSatisfy(entry -> assertThat(entry.headers().lastHeader("foreign-domains"))
                        .isNull());
    }

    @Test
    void whoseCountsOverflow() {
        for (String id : List.of("one", "two")) {
            SampleReports report = report().id(id);
            for (int i = 0; i < 1_000; i++) {
                report.policy("sts", "example.com", (1L << 53) - 1, (1L << 53) - 1);
            }
            stream.post(report);
        }

        assertThat(stream.lastVerdict().verdict()).isEqualTo("accepted");
        assertThat(stream.cell().totalSuccessfulSessionCount()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void ofTheEventsTopicIsKeptAsRejectedToo() {
        for (String garbage : List.of("garbage", "{}", "{\"kind\":\"summary\",\"event-id\":\"x\"}", "[]")) {
            stream.putForeignEvent(bytes(garbage));
        }
        stream.putForeignEvent(null);

        assertThat(stream.rejected).hasSize(5);
        assertThat(stream.rejected).allSatisfy(record -> {
            assertThat(Stream.reason(record)).isEqualTo("internal");
            assertThat(ReportHeaders.text(record.headers(), "detail"))
                    .contains(stream.topics.events().name());
        });
        assertThat(stream.rejected.getFirst().value()).isEqualTo(bytes("garbage"));
        assertThat(stream.verdicts).isEmpty();
        assertThat(stream.meters.get("tlsrpt.processor.poison").counter().count())
                .isEqualTo(5);
    }

    private void rejectedAsInternal(byte @Nullable [] key, byte[] value, Headers headers, String detail) {
        put(key, value, headers);
        assertThat(stream.lastVerdict().verdict()).isEqualTo("rejected");
        assertThat(stream.lastVerdict().reason()).isEqualTo("internal");
        assertThat(stream.lastVerdict().detail()).contains(detail);
        assertThat(stream.rejected.getLast().value()).isEqualTo(value);
        assertThat(Stream.reason(stream.rejected.getLast())).isEqualTo("internal");
        assertThat(stream.rejected.getLast().value().length).isLessThan(Topics.MAX_DOCUMENT_RECORD_BYTES);
    }

    private void put(byte @Nullable [] key, byte @Nullable [] value, Headers headers) {
        stream.put(new TestRecord<>(key, value, headers, Stream.NOW));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

package io.tlsrpt.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.DateRange;
import io.tlsrpt.report.FailureDetail;
import io.tlsrpt.report.Policy;
import io.tlsrpt.report.PolicyResult;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.report.TlsReport;
import io.tlsrpt.stream.Examination.CountedEntry;
import io.tlsrpt.stream.Examination.Sound;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.EventSize;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.ReportHeaders;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FlatteningTest {

    private static final JsonSerde<Event> JSON = new JsonSerde<>(Event.class);

    @ParameterizedTest
    @ValueSource(longs = {1, 8460, 31337})
    void theBoundOnAReportsEventsIsNeverTooLowAndEveryEventCanBeReadBack(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 150; round++) {
            Sound sound = random(random);
            long bytes = 0;
            for (Event event : Flattening.events(sound, Integer.MAX_VALUE)) {
                byte[] json = JSON.write(Flattening.retraction(event));
                bytes += json.length;
                assertThat(json).hasSizeLessThan(256 * 1024);
                assertThat(JSON.write(JSON.read(json))).isEqualTo(json);
            }
            assertThat(bytes)
                    .as("seed %s round %s", seed, round)
                    .isLessThanOrEqualTo(EventSize.upperBound(sound.report(), sound.reportKey()));
        }
    }

    @Test
    void theBoundIsNotFarTooHighForOrdinaryReports() {
        FailureDetail detail = new FailureDetail(
                ResultType.CERTIFICATE_EXPIRED, "192.0.2.1", "mx1.example.com", null, "198.51.100.7", 4, null, null);
        Sound sound = sound(
                List.of(new PolicyResult(
                        new Policy("sts", List.of("mode: enforce"), "example.com", List.of("mx1.example.com")),
                        1,
                        2,
                        Collections.nCopies(1_000, detail))),
                "google.com");
        long bytes = 0;
        for (Event event : Flattening.events(sound, 0)) {
            bytes += JSON.write(event).length;
        }
        assertThat(EventSize.upperBound(sound.report(), sound.reportKey())).isBetween(bytes, bytes * 3 / 2);
    }

    @Test
    void whatIsCutIsNamed() {
        Sound sound = sound(
                List.of(new PolicyResult(
                        new Policy("sts", List.of(), "example.com", Collections.nCopies(101, "mx.example.com")),
                        1,
                        0,
                        List.of(new FailureDetail(
                                new ResultType("x"),
                                null,
                                null,
                                null,
                                null,
                                1,
                                "i".repeat(2_000),
                                "r".repeat(1_024))))),
                "google.com");
        List<Event> events = Flattening.events(sound, 0);
        assertThat(events.getFirst().truncated()).containsExactly("additional-information", "mx-host");
        assertThat(events.getFirst().additionalInformation()).hasSize(EventSize.MAX_TEXT_BYTES);
        assertThat(events.getFirst().mxHost()).hasSize(100);
        assertThat(events.getLast().truncated()).containsExactly("mx-host");
    }

    private static Sound random(Random random) {
        List<PolicyResult> entries = new ArrayList<>();
        for (int e = random.nextInt(4); e >= 0; e--) {
            List<FailureDetail> details = new ArrayList<>();
            for (int d = random.nextInt(6); d > 0; d--) {
                details.add(new FailureDetail(
                        new ResultType(text(random) + "x"),
                        optional(random),
                        optional(random),
                        optional(random),
                        optional(random),
                        random.nextLong(Long.MAX_VALUE),
                        optional(random),
                        optional(random)));
            }
            List<String> hosts = new ArrayList<>();
            for (int h = random.nextInt(150); h > 0; h--) {
                hosts.add(text(random));
            }
            entries.add(new PolicyResult(
                    new Policy(text(random) + "x", List.of("mode: enforce"), optional(random), hosts),
                    random.nextLong(Long.MAX_VALUE),
                    random.nextLong(Long.MAX_VALUE),
                    details));
        }
        return sound(entries, text(random) + "x");
    }

    private static Sound sound(List<PolicyResult> entries, String submitter) {
        TlsReport report = new TlsReport(
                submitter,
                submitter,
                submitter,
                new DateRange(
                        Instant.parse("2026-11-20T00:00:00.123456789Z"),
                        Instant.parse("2026-11-20T23:59:59.123456789Z")),
                submitter,
                entries);
        ReportHeaders headers = new ReportHeaders(
                "a-source-longer-than-any",
                Instant.parse("2026-11-21T00:00:00.123456789Z"),
                null,
                Authentication.OPERATOR,
                null,
                null,
                "00",
                null,
                List.of(),
                false,
                null,
                null);
        List<CountedEntry> counted = new ArrayList<>();
        for (int i = 0; i < entries.size(); i++) {
            String domain = entries.get(i).policy().policyDomain();
            counted.add(new CountedEntry(i, domain == null ? "c".repeat(255) : domain, entries.get(i)));
        }
        return new Sound("k".repeat(300), "00", headers, report, Set.of(), counted, List.of(), false);
    }

    private static @Nullable String optional(Random random) {
        return random.nextBoolean() ? text(random) : null;
    }

    /// Of any length up to well over the limit, of any characters, whole or not.
    private static String text(Random random) {
        int kind = random.nextInt(4);
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(random.nextInt(4) == 0 ? 1_500 : 30); i > 0; i--) {
            text.append((char) random.nextInt(kind == 0 ? 0x20 : kind == 1 ? 0x80 : 0x10000));
        }
        return text.toString();
    }
}

package io.tlsrpt.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tlsrpt.report.Authentication;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What stands in the topics, byte for byte. These files change only by adding: programs of others read the topics.
class WireTest {

    static Stream<String> files() {
        return SampleRecords.byFile().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("files")
    void aRecordIsWrittenByteForByteAsItsGoldenFileAndReadBackEqual(String file) {
        Record sample = Objects.requireNonNull(SampleRecords.byFile().get(file));
        String golden = GoldenFiles.read(file);

        assertThat(new String(write(sample), StandardCharsets.UTF_8)).isEqualTo(golden);
        assertThat(read(sample, golden)).isEqualTo(sample);
    }

    @Test
    void everyGoldenFileBelongsToARecord() {
        assertThat(GoldenFiles.names()).containsExactlyInAnyOrderElementsOf(files().toList());
    }

    @Test
    void membersOfALaterReleaseAreIgnored() {
        JsonSerde<AggregateKey> serde = new JsonSerde<>(AggregateKey.class);
        String golden = GoldenFiles.read("aggregate-key.json");

        assertThat(serde.read(bytes(golden.replace("{", "{\"later\":{\"a\":[1]},"))))
                .isEqualTo(serde.read(bytes(golden)));
    }

    @Test
    void whatIsNoRecordOfOursIsRefused() {
        JsonSerde<Aggregate> serde = new JsonSerde<>(Aggregate.class);

        for (String foreign :
                List.of("", "null of it", "[]", "{\"window\":\"yesterday\"}", "{\"window\":1,\"window\":1}")) {
            assertThatThrownBy(() -> serde.read(bytes(foreign))).isInstanceOf(SerializationException.class);
        }
    }

    @Test
    void aTombstoneIsNull() {
        JsonSerde<Aggregate> serde = new JsonSerde<>(Aggregate.class);

        assertThat(serde.readOrNull(null)).isNull();
    }

    @Test
    void headersAreWrittenAsTheCatalogueSaysAndReadBackEqual() {
        Headers headers = SampleRecords.headers().write("tlsrpt.report-document/1");

        assertThat(lines(headers))
                .containsExactly(
                        "schema: tlsrpt.report-document/1",
                        "source: smtp",
                        "received-at: 2026-11-21T10:15:30.250Z",
                        "remote: 192.0.2.25",
                        "authentication: dkim",
                        "dkim-domain: google.com",
                        "submitter: google.com",
                        "content-sha256: " + "ab12".repeat(16),
                        "channel-domain: example.com",
                        "foreign-domains: [\"other.example\",\"third.example\"]",
                        "backfill: true",
                        "message-id: <2026.11.20@google.com>",
                        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        assertThat(ReportHeaders.read(headers)).isEqualTo(SampleRecords.headers());
    }

    @Test
    void absentHeadersAreLeftOut() {
        Headers headers = SampleRecords.fewestHeaders().write("tlsrpt.rejected/1");

        assertThat(lines(headers))
                .containsExactly(
                        "schema: tlsrpt.rejected/1",
                        "source: https",
                        "received-at: 2026-11-20T00:00:00Z",
                        "authentication: none");
        assertThat(ReportHeaders.read(headers)).isEqualTo(SampleRecords.fewestHeaders());
    }

    @Test
    void aRecordWithoutTheRequiredHeadersIsNoneOfOurs() {
        for (String name : List.of("source", "received-at", "authentication")) {
            Headers headers = new RecordHeaders(SampleRecords.headers().write("tlsrpt.report-document/1"));
            headers.remove(name);

            assertThatThrownBy(() -> ReportHeaders.read(headers)).hasMessageContaining(name);
        }
        Headers headers = SampleRecords.headers().write("tlsrpt.report-document/1");
        ReportHeaders.put(headers, "authentication", "trust-me");
        assertThatThrownBy(() -> ReportHeaders.read(headers)).hasMessageContaining("trust-me");
        assertThat(Authentication.of("none").trusted()).isFalse();
    }

    private static List<String> lines(Headers headers) {
        List<String> lines = new ArrayList<>();
        for (Header header : headers) {
            lines.add(header.key() + ": " + new String(header.value(), StandardCharsets.UTF_8));
        }
        return lines;
    }

    @SuppressWarnings("unchecked") // a record is written as the class it is
    private static byte[] write(Record sample) {
        return new JsonSerde<>((Class<Record>) sample.getClass()).write(sample);
    }

    private static Record read(Record sample, String golden) {
        return new JsonSerde<>(sample.getClass()).read(bytes(golden));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

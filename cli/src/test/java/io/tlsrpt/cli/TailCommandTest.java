package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class TailCommandTest {

    private final Captured cli = new Captured(false);
    private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
    private final RecordHeaders none = new RecordHeaders();

    @Test
    void eventsAreReadableLines() {
        follow("events", List.of("""
                {"kind":"failure","result-type":"certificate-expired","receiving-mx-hostname":"mx1.example.com",
                "failed-session-count":4,"policy-domain":"example.com","policy-type":"sts","submitter":"google.com",
                "authentication":"dkim","start-datetime":"2026-11-20T00:00:00Z"}""", """
                {"kind":"summary","total-successful-session-count":1200,"total-failure-session-count":4,
                "policy-domain":"example.com","policy-type":"sts","submitter":"google.com\\u001b]0;x\\u0007",
                "authentication":"dkim","start-datetime":"2026-11-20T00:00:00Z"}"""), none);

        assertThat(cli.lines())
                .containsExactly(
                        "2026-11-20  example.com sts  google.com [dkim]  certificate-expired at mx1.example.com, 4"
                                + " sessions",
                        "2026-11-20  example.com sts  google.com\\u001b]0;x\\u0007 [dkim]  1,200 successful, 4 failed");
    }

    @Test
    void aggregatesAlertsAndVerdictsAreReadableLines() {
        follow("aggregates", List.of("""
                {"window":"2026-11-20","policy-domain":"example.com","policy-type":"sts","submitter":"google.com",
                "authentication":"dkim","total-successful-session-count":100,"total-failure-session-count":5,
                "failures":[{"result-type":"certificate-expired","failed-session-count":5}]}"""), none);
        assertThat(cli.lines().getLast())
                .isEqualTo("2026-11-20  example.com sts  google.com [dkim]  100 successful, 5 failed"
                        + "  (certificate-expired 5)");
    }

    @Test
    void verdictsNameTheReason() {
        follow(
                "verdicts",
                List.of("{\"verdict\":\"rejected\",\"report-key\":\"k\",\"reason\":\"too-old\",\"detail\":\"1999\"}"),
                none);

        assertThat(cli.lines()).containsExactly("rejected  k  too-old  1999");
    }

    @Test
    void rejectedShowsHeadersAndNeverTheBytes() {
        Headers headers = new RecordHeaders();
        headers.add("reason", "not-json".getBytes(StandardCharsets.UTF_8));
        headers.add("detail", "\u001b[2J".getBytes(StandardCharsets.UTF_8));

        follow("rejected", List.of("\u001b]0;owned\u0007"), headers);

        assertThat(cli.lines()).containsExactly("1970-01-01T00:00:00Z  not-json  -  -  10 bytes  \\u001b[2J");
    }

    @Test
    void foreignBytesAreNamedByTheirPlace() {
        follow("events", List.of("]["), none);

        assertThat(cli.lines()).containsExactly("(not one of ours: partition 0, offset 0)");
    }

    @Test
    void withoutTheTopicTheCommandSaysWhatMayBeWrong() {
        TailCommand tail = command("events", 1);

        assertThatThrownBy(() -> tail.follow(consumer))
                .isInstanceOf(Failure.class)
                .hasMessage("the broker has no topic tlsrpt.events – has tlsrpt been started with it?"
                        + " is --topic-prefix right?");
    }

    @Test
    void anUnknownTopicIsWrongUsage() {
        assertThat(cli.run("http://127.0.0.1:1", "tail", "everything")).isEqualTo(2);
    }

    private void follow(String followed, List<String> values, Headers headers) {
        String topic = followed.equals("rejected") ? "tlsrpt.reports.rejected" : "tlsrpt." + followed;
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.updatePartitions(topic, List.of(new PartitionInfo(topic, 0, null, null, null)));
        consumer.updateBeginningOffsets(Map.of(partition, 0L));
        consumer.schedulePollTask(() -> {
            for (int offset = 0; offset < values.size(); offset++) {
                byte[] value = values.get(offset).getBytes(StandardCharsets.UTF_8);
                consumer.addRecord(new ConsumerRecord<>(
                        topic,
                        0,
                        offset,
                        0L,
                        TimestampType.CREATE_TIME,
                        1,
                        value.length,
                        new byte[] {'k'},
                        value,
                        headers,
                        Optional.empty()));
            }
        });
        command(followed, values.size()).follow(consumer);
        cli.terminal.out().flush();
    }

    private TailCommand command(String followed, int max) {
        TailCommand tail = new TailCommand(cli.terminal, pause -> {});
        new CommandLine(tail)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .parseArgs(followed, "--from-beginning", "--max=" + max);
        return tail;
    }
}

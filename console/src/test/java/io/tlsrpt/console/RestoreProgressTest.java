package io.tlsrpt.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.runtime.Health;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class RestoreProgressTest {

    private static final TopicPartition CELLS = new TopicPartition("aggregates", 0);
    private static final TopicPartition REPORTS = new TopicPartition("reports", 0);
    private static final Instant START = Instant.parse("2026-11-22T12:00:00Z");

    private final Health health = new Health();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private Instant now = START;
    private final RestoreProgress progress = new RestoreProgress("console", health, clock(), meters);

    @Test
    void itMovesWithEachBatchOverAllTopics() {
        progress.begin(consumer(0, 100, 0, 300), List.of("aggregates", "reports"));
        assertThat(why()).isEqualTo("restoring the views from the broker: 0 %");

        progress.onRestoreStart(CELLS, "aggregates-by-domain", 0, 100);
        progress.onBatchRestored(CELLS, "aggregates-by-domain", 40, 40);
        assertThat(why()).endsWith(" 10 %");

        progress.onRestoreEnd(CELLS, "aggregates-by-domain", 100);
        progress.onBatchRestored(REPORTS, "reports-by-domain", 200, 200);
        assertThat(why()).endsWith(" 75 %");
        assertThat(gauge("tlsrpt.console.restored")).isEqualTo(0.75);
    }

    @Test
    void whatWasReadBeforeTheStartCountsAsRead() {
        progress.begin(consumer(0, 100, 0, 100), List.of("aggregates", "reports"));

        progress.onRestoreStart(CELLS, "aggregates-by-domain", 90, 100);

        assertThat(why()).endsWith(" 45 %");
    }

    @Test
    void whatTheTopicNoLongerHasIsNotWaitedFor() {
        progress.begin(consumer(50, 100, 10, 60), List.of("aggregates", "reports"));

        progress.onBatchRestored(CELLS, "aggregates-by-domain", 75, 25);

        assertThat(why()).endsWith(" 25 %");
    }

    @Test
    void recordsThatArriveMeanwhileDoNotMakeItMoreThanAll() {
        progress.begin(consumer(0, 100, 0, 0), List.of("aggregates", "reports"));

        progress.onBatchRestored(CELLS, "aggregates-by-domain", 120, 120);

        assertThat(why()).endsWith(" 100 %");
    }

    @Test
    void itIsAllThereInTheEndAndTheClockStands() {
        progress.begin(consumer(0, 0, 0, 0), List.of("aggregates", "reports"));
        assertThat(gauge("tlsrpt.console.restored")).isZero();
        now = START.plus(Duration.ofSeconds(90));
        assertThat(gauge("tlsrpt.console.restore.seconds")).isEqualTo(90);

        progress.end();
        now = START.plus(Duration.ofMinutes(15));

        assertThat(gauge("tlsrpt.console.restored")).isEqualTo(1);
        assertThat(gauge("tlsrpt.console.restore.seconds")).isEqualTo(90);
    }

    @Test
    void closingEndsItAtTheNextStep() {
        progress.begin(consumer(0, 100, 0, 300), List.of("aggregates", "reports"));

        progress.stop();

        assertThatExceptionOfType(CancellationException.class)
                .isThrownBy(() -> progress.onBatchRestored(CELLS, "aggregates-by-domain", 40, 40));
    }

    private String why() {
        return health.whyNotReady("console").orElseThrow();
    }

    private double gauge(String name) {
        return meters.get(name).gauge().value();
    }

    private static MockConsumer<byte[], byte[]> consumer(
            long firstCell, long endCell, long firstReport, long endReport) {
        MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
        for (TopicPartition each : List.of(CELLS, REPORTS)) {
            consumer.updatePartitions(
                    each.topic(),
                    List.of(new PartitionInfo(
                            each.topic(), each.partition(), Node.noNode(), new Node[0], new Node[0])));
        }
        consumer.updateBeginningOffsets(Map.of(CELLS, firstCell, REPORTS, firstReport));
        consumer.updateEndOffsets(Map.of(CELLS, endCell, REPORTS, endReport));
        return consumer;
    }

    private Clock clock() {
        return new Clock() {
            @Override
            public ZoneOffset getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(java.time.ZoneId zone) {
                throw new UnsupportedOperationException();
            }

            @Override
            public Instant instant() {
                return now;
            }
        };
    }
}

package io.tlsrpt.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import io.tlsrpt.topics.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.errors.ErrorHandlerContext;
import org.apache.kafka.streams.errors.ProcessingExceptionHandler.Response;
import org.apache.kafka.streams.errors.ProcessingExceptionHandler.Result;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.Record;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SafetyNetTest {

    private final Topics topics = new Topics("tlsrpt.", Duration.ofDays(400));
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final SafetyNet net = new SafetyNet();

    @BeforeEach
    void configure() {
        net.configure(SafetyNet.properties(topics, new ProcessorMetrics(meters)));
    }

    @Test
    void aRawRecordThatNobodyForesawIsKeptAndGetsItsOneVerdict() {
        Response response = caught(topics.raw().name(), new IllegalStateException("quotes the secret body"));

        assertThat(response.result()).isEqualTo(Result.RESUME);
        assertThat(response.deadLetterQueueRecords()).hasSize(2);
        var rejected = response.deadLetterQueueRecords().getFirst();
        assertThat(rejected.topic()).isEqualTo(topics.rejected().name());
        assertThat(rejected.value()).isEqualTo("body".getBytes(StandardCharsets.UTF_8));
        assertThat(ReportHeaders.text(rejected.headers(), ReportHeaders.REASON)).isEqualTo("internal");
        assertThat(ReportHeaders.text(rejected.headers(), ReportHeaders.DETAIL))
                .contains("java.lang.IllegalStateException", "drop-duplicates")
                .doesNotContain("secret");
        var verdict = response.deadLetterQueueRecords().getLast();
        assertThat(verdict.topic()).isEqualTo(topics.verdicts().name());
        assertThat(new JsonSerde<>(Verdict.class).read(verdict.value()))
                .satisfies(said -> assertThat(said.verdict()).isEqualTo(Verdict.REJECTED))
                .satisfies(said -> assertThat(said.reportKey()).isEqualTo("key"))
                .satisfies(said -> assertThat(said.raw()).isEqualTo(new RawPosition(3, 42)));
        assertThat(meters.get("tlsrpt.processor.raw").counter().count()).isEqualTo(1);
        assertThat(meters.get("tlsrpt.processor.verdicts")
                        .tag("reason", "internal")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void aRecordOfAnotherTopicGetsNoVerdict() {
        Response response = caught(topics.events().name(), new SerializationException("no event"));

        assertThat(response.result()).isEqualTo(Result.RESUME);
        assertThat(response.deadLetterQueueRecords()).hasSize(1);
    }

    @Test
    void troubleOfTheDiskOrTheBrokerIsNoFaultOfTheRecord() {
        Response response = caught(topics.raw().name(), new ProcessorStateException("disk full"));

        assertThat(response.result()).isEqualTo(Result.FAIL);
        assertThat(response.deadLetterQueueRecords()).isEmpty();
    }

    @Test
    void aFailureBetweenRecordsLosesNone() {
        Response response = caught(null, new IllegalStateException());

        assertThat(response.result()).isEqualTo(Result.RESUME);
        assertThat(response.deadLetterQueueRecords()).isEmpty();
    }

    private Response caught(@Nullable String topic, Exception error) {
        return net.handleError(new Where(topic), new Record<>("key", "body", 0), error);
    }

    @SuppressWarnings("NullAway") // Kafka gives no topic where there is no record
    private record Where(@Nullable String topic) implements ErrorHandlerContext {

        @Override
        public int partition() {
            return 3;
        }

        @Override
        public long offset() {
            return 42;
        }

        @Override
        public Headers headers() {
            return new RecordHeaders();
        }

        @Override
        public String processorNodeId() {
            return ReportTopology.DROP_DUPLICATES;
        }

        @Override
        public TaskId taskId() {
            return new TaskId(0, 3);
        }

        @Override
        public long timestamp() {
            return 0;
        }

        @Override
        public byte[] sourceRawKey() {
            return "key".getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public byte[] sourceRawValue() {
            return "body".getBytes(StandardCharsets.UTF_8);
        }
    }
}

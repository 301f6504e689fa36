package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.errors.ErrorHandlerContext;
import org.apache.kafka.streams.errors.ProcessingExceptionHandler.Result;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.Record;
import org.junit.jupiter.api.Test;

class PoisonRecordsTest {

    @Test
    void aRecordThatCannotBeJudgedIsPassedOver() {
        assertThat(caught(new IllegalStateException("a bug"))).isEqualTo(Result.RESUME);
        assertThat(caught(new SerializationException("none of ours"))).isEqualTo(Result.RESUME);
    }

    @Test
    void aRecordThatMetAFullDiskIsNot() {
        assertThat(caught(new ProcessorStateException("no space left on device")))
                .isEqualTo(Result.FAIL);
    }

    private static Result caught(Exception error) {
        return new PoisonRecords()
                .handleError(new Where(), new Record<>("mx1.example.com", "cell", 0), error)
                .result();
    }

    private record Where() implements ErrorHandlerContext {

        @Override
        public String topic() {
            return "tlsrpt.aggregates";
        }

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
            return "judge";
        }

        @Override
        public TaskId taskId() {
            return new TaskId(1, 3);
        }

        @Override
        public long timestamp() {
            return 0;
        }

        @Override
        public byte[] sourceRawKey() {
            return new byte[0];
        }

        @Override
        public byte[] sourceRawValue() {
            return new byte[0];
        }
    }
}

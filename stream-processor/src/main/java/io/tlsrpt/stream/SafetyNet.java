package io.tlsrpt.stream;

import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.stream.ProcessorMetrics.Outcome;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.Topics;
import io.tlsrpt.topics.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.DeserializationExceptionHandler;
import org.apache.kafka.streams.errors.ErrorHandlerContext;
import org.apache.kafka.streams.errors.ProcessingExceptionHandler;
import org.apache.kafka.streams.processor.api.Record;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Catches what nobody foresaw: the record goes to the rejected topic with reason `internal`, a raw record gets its one
/// verdict, and the stream goes on. Trouble of Kafka's or the disk's own is no fault of the record: there we stop.
///
/// Made by Kafka Streams from the properties that [#properties] gives.
public final class SafetyNet implements ProcessingExceptionHandler, DeserializationExceptionHandler {

    private static final Logger LOG = LoggerFactory.getLogger(SafetyNet.class);
    private static final String TOPICS = "tlsrpt.safety-net.topics";
    private static final String METRICS = "tlsrpt.safety-net.metrics";

    private static final JsonSerde<Verdict> VERDICTS = new JsonSerde<>(Verdict.class);

    private @Nullable Topics topics;
    private @Nullable ProcessorMetrics metrics;

    static Map<String, Object> properties(Topics topics, ProcessorMetrics metrics) {
        return Map.of(
                StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG,
                SafetyNet.class,
                StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG,
                SafetyNet.class,
                TOPICS,
                topics,
                METRICS,
                metrics);
    }

    @Override
    public void configure(Map<String, ?> properties) {
        topics = (Topics) Objects.requireNonNull(properties.get(TOPICS));
        metrics = (ProcessorMetrics) Objects.requireNonNull(properties.get(METRICS));
    }

    @Override
    public ProcessingExceptionHandler.Response handleError(
            ErrorHandlerContext where, Record<?, ?> record, Exception error) {
        if (error instanceof KafkaException && !(error instanceof SerializationException)) {
            return ProcessingExceptionHandler.Response.fail();
        }
        return ProcessingExceptionHandler.Response.resume(
                caught(where, where.sourceRawKey(), where.sourceRawValue(), error));
    }

    @Override
    public DeserializationExceptionHandler.Response handleError(
            ErrorHandlerContext where, ConsumerRecord<byte[], byte[]> record, Exception error) {
        return DeserializationExceptionHandler.Response.resume(caught(where, record.key(), record.value(), error));
    }

    private List<ProducerRecord<byte[], byte[]>> caught(
            ErrorHandlerContext where, byte @Nullable [] key, byte @Nullable [] value, Exception error) {
        Topics names = Objects.requireNonNull(topics);
        ProcessorMetrics counters = Objects.requireNonNull(metrics);
        String kind = error.getClass().getName();
        LOG.atError()
                .addKeyValue("topic", where.topic())
                .addKeyValue("partition", where.partition())
                .addKeyValue("offset", where.offset())
                .addKeyValue("operator", where.processorNodeId())
                .setCause(withoutMessages(error))
                .log("caught by the safety net; the record is kept as rejected");
        counters.poison();
        if (where.topic() == null) {
            // A punctuator failed: there is no record.
            return List.of();
        }
        String detail = "unforeseen " + kind + " at " + where.processorNodeId() + ", " + where.topic() + " partition "
                + where.partition() + " offset " + where.offset();
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        Rejection rejection = Rejection.of(key, value, where.headers(), names, RefusalReason.INTERNAL, detail);
        records.add(new ProducerRecord<>(
                names.rejected().name(), null, null, rejection.key(), rejection.value(), rejection.headers()));
        if (where.topic().equals(names.raw().name())) {
            String reportKey = FirstSighting.shownKey(key);
            Verdict verdict = new Verdict(
                    Outcome.REJECTED.word(),
                    reportKey,
                    null,
                    RefusalReason.INTERNAL.word(),
                    detail,
                    new RawPosition(where.partition(), where.offset()));
            records.add(new ProducerRecord<>(
                    names.verdicts().name(),
                    null,
                    null,
                    reportKey.getBytes(StandardCharsets.UTF_8),
                    VERDICTS.write(verdict),
                    names.verdicts().newHeaders()));
            counters.rawRecord();
            counters.verdict(Outcome.REJECTED, RefusalReason.INTERNAL);
        }
        return records;
    }

    /// Where it happened, without words that may quote a report.
    private static Throwable withoutMessages(Throwable error) {
        Throwable shown = new Throwable(error.getClass().getName());
        shown.setStackTrace(error.getStackTrace());
        return shown;
    }
}

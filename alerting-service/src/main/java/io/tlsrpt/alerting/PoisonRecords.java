package io.tlsrpt.alerting;

import java.util.Map;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.streams.errors.ErrorHandlerContext;
import org.apache.kafka.streams.errors.ProcessingExceptionHandler;
import org.apache.kafka.streams.processor.api.Record;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Passes over a record that cannot be judged, so that it does not silence all the others. Trouble of Kafka's or the
/// disk's own is no fault of the record: there detection stops, and judges it again when it is started anew.
///
/// Made by Kafka Streams from its class name.
public final class PoisonRecords implements ProcessingExceptionHandler {

    private static final Logger log = LoggerFactory.getLogger(PoisonRecords.class);

    @Override
    public Response handleError(ErrorHandlerContext where, Record<?, ?> record, Exception error) {
        if (error instanceof KafkaException && !(error instanceof SerializationException)) {
            return Response.fail();
        }
        log.atError()
                .addKeyValue("topic", where.topic())
                .addKeyValue("partition", where.partition())
                .addKeyValue("offset", where.offset())
                .addKeyValue("operator", where.processorNodeId())
                .setCause(withoutMessage(error))
                .log("record passed over: it cannot be judged");
        return Response.resume();
    }

    @Override
    public void configure(Map<String, ?> properties) {
        // nothing to configure
    }

    /// Where it happened, without words that may quote a report.
    private static Throwable withoutMessage(Throwable error) {
        Throwable shown = new Throwable(error.getClass().getName());
        shown.setStackTrace(error.getStackTrace());
        return shown;
    }
}

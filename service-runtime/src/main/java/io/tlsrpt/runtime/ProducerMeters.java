package io.tlsrpt.runtime;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.config.MeterFilter;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.producer.Producer;

/// The meters of one Kafka producer that are worth watching, of the hundred that it offers.
public final class ProducerMeters implements AutoCloseable {

    private static final Set<String> METERS = Set.of(
            "kafka.producer.record.send.total",
            "kafka.producer.record.error.total",
            "kafka.producer.record.retry.total",
            "kafka.producer.request.latency.avg",
            "kafka.producer.request.latency.max",
            "kafka.producer.buffer.available.bytes",
            "kafka.producer.connection.count");

    private final KafkaClientMetrics metrics;
    private final CompositeMeterRegistry watched;

    public ProducerMeters(Producer<?, ?> producer, MeterRegistry meters) {
        this.metrics = new KafkaClientMetrics(producer);
        this.watched = new CompositeMeterRegistry(Clock.SYSTEM, List.of(meters));
        watched.config().meterFilter(MeterFilter.denyUnless(id -> METERS.contains(id.getName())));
        metrics.bindTo(watched);
    }

    @Override
    public void close() {
        metrics.close();
        watched.close();
    }
}

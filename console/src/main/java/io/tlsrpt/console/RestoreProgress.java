package io.tlsrpt.console;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.runtime.Health;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.jspecify.annotations.Nullable;

/// How far the views are restored: the share of their topics that is read, for people who wait, in `/ready`, in answers
/// and as metrics. Kafka restores one partition after another and names the end of each only when it comes to it, so
/// all ends are asked for before.
final class RestoreProgress implements StateRestoreListener {

    private final String part;
    private final Health health;
    private final Clock clock;
    private final Map<TopicPartition, Span> spans = new ConcurrentHashMap<>();
    private volatile @Nullable Instant began;
    private volatile @Nullable Instant ended;
    private volatile boolean stopped;

    /// Offsets of one partition.
    private record Span(long first, long end, long reached) {

        private Span reached(long offset) {
            return new Span(first, end, Math.clamp(offset, reached, Math.max(end, reached)));
        }
    }

    /// @param part whose health tells of it
    RestoreProgress(String part, Health health, Clock clock, MeterRegistry meters) {
        this.part = part;
        this.health = health;
        this.clock = clock;
        Gauge.builder("tlsrpt.console.restored", this, RestoreProgress::share)
                .description("Share of the views' topics read since the start; 1 when the views are there")
                .register(meters);
        Gauge.builder("tlsrpt.console.restore.seconds", this, RestoreProgress::seconds)
                .description("How long the views took to be restored at the start, or have taken so far")
                .register(meters);
    }

    /// Restoring begins.
    void begin(Consumer<?, ?> consumer, Collection<String> topics) {
        began = clock.instant();
        List<TopicPartition> partitions = topics.stream()
                .flatMap(topic -> consumer.partitionsFor(topic).stream())
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .toList();
        Map<TopicPartition, Long> first = consumer.beginningOffsets(partitions);
        consumer.endOffsets(partitions).forEach((partition, end) -> {
            long from = first.getOrDefault(partition, 0L);
            spans.put(partition, new Span(from, end, from));
        });
        tell();
    }

    /// The views are there.
    void end() {
        ended = clock.instant();
    }

    /// Lets the restoring end at its next step, by a [CancellationException]: Kafka would go on to the end of all
    /// topics
    /// before it closes.
    void stop() {
        stopped = true;
    }

    boolean stopped() {
        return stopped;
    }

    /// From 0 to 1.
    double share() {
        if (ended != null) {
            return 1;
        }
        long read = 0;
        long all = 0;
        for (Span span : spans.values()) {
            read += span.reached() - span.first();
            all += span.end() - span.first();
        }
        return all == 0 ? 0 : (double) read / all;
    }

    double seconds() {
        Instant from = began;
        Instant to = ended;
        return from == null
                ? 0
                : Duration.between(from, to == null ? clock.instant() : to).toMillis() / 1e3;
    }

    /// For people: `restoring the views from the broker: 43 %`.
    String words() {
        return "restoring the views from the broker: " + (int) (100 * share()) + " %";
    }

    @Override
    public void onRestoreStart(TopicPartition partition, String store, long from, long end) {
        reached(partition, from);
    }

    @Override
    public void onBatchRestored(TopicPartition partition, String store, long reached, long records) {
        reached(partition, reached);
    }

    @Override
    public void onRestoreEnd(TopicPartition partition, String store, long records) {
        reached(partition, Long.MAX_VALUE);
    }

    private void reached(TopicPartition partition, long offset) {
        if (stopped) {
            throw new CancellationException("closing while the views are being restored");
        }
        spans.computeIfPresent(partition, (same, span) -> span.reached(offset));
        tell();
    }

    private void tell() {
        health.notReady(part, words());
    }
}

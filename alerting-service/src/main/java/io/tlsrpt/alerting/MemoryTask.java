package io.tlsrpt.alerting;

import java.io.File;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.StreamsMetrics;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.Punctuator;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.NOPLogger;

/// One processor of the topology, run in memory for a [Replay]: its stores, its clock, its punctuators.
final class MemoryTask<A, B, C, D> implements ProcessorContext<C, D> {

    private static final String APPLICATION = "replay";

    private final Processor<A, B, C, D> processor;
    private final Consumer<Record<C, D>> next;
    private final Map<String, MemoryStore<?>> stores = new HashMap<>();
    private final List<Punctuator> punctuators = new ArrayList<>();
    private long now;
    private long streamTime;

    /// @param next where what it forwards goes
    MemoryTask(Processor<A, B, C, D> processor, Instant now, Consumer<Record<C, D>> next) {
        this.processor = processor;
        this.next = next;
        this.now = now.toEpochMilli();
        processor.init(this);
    }

    /// A log that stays silent in a replay: what is only tried out did not happen.
    static Logger logger(ProcessingContext context, Class<?> name) {
        return context.applicationId().equals(APPLICATION) ? NOPLogger.NOP_LOGGER : LoggerFactory.getLogger(name);
    }

    void process(Record<A, B> record) {
        streamTime = Math.max(streamTime, record.timestamp());
        now = Math.max(now, record.timestamp());
        processor.process(record);
    }

    void tick(Instant at) {
        now = at.toEpochMilli();
        List.copyOf(punctuators).forEach(each -> each.punctuate(now));
    }

    @Override
    public <K extends C, V extends D> void forward(Record<K, V> record) {
        next.accept(new Record<>(record.key(), record.value(), record.timestamp(), record.headers()));
    }

    @Override
    public <K extends C, V extends D> void forward(Record<K, V> record, String child) {
        forward(record);
    }

    @Override
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // as Kafka has it
    public <S extends StateStore> S getStateStore(String name) {
        return (S) stores.computeIfAbsent(name, MemoryStore::new);
    }

    @Override
    public Cancellable schedule(Duration interval, PunctuationType type, Punctuator punctuator) {
        punctuators.add(punctuator);
        return () -> punctuators.remove(punctuator);
    }

    @Override
    public Cancellable schedule(Instant start, Duration interval, PunctuationType type, Punctuator punctuator) {
        return schedule(interval, type, punctuator);
    }

    @Override
    public long currentSystemTimeMs() {
        return now;
    }

    @Override
    public long currentStreamTimeMs() {
        return streamTime;
    }

    @Override
    public String applicationId() {
        return APPLICATION;
    }

    @Override
    public TaskId taskId() {
        return new TaskId(0, 0);
    }

    @Override
    public Optional<RecordMetadata> recordMetadata() {
        return Optional.empty();
    }

    @Override
    public Map<String, Object> appConfigs() {
        return Map.of();
    }

    @Override
    public Map<String, Object> appConfigsWithPrefix(String prefix) {
        return Map.of();
    }

    @Override
    public void commit() {
        // nothing is kept
    }

    @Override
    public @Nullable Serde<?> keySerde() {
        throw new UnsupportedOperationException("a replay writes nothing");
    }

    @Override
    public @Nullable Serde<?> valueSerde() {
        throw new UnsupportedOperationException("a replay writes nothing");
    }

    @Override
    public File stateDir() {
        throw new UnsupportedOperationException("a replay has no directory");
    }

    @Override
    public StreamsMetrics metrics() {
        throw new UnsupportedOperationException("a replay is not measured");
    }
}

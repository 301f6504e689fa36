package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static io.tlsrpt.alerting.Detection.EXPIRED;
import static io.tlsrpt.alerting.Detection.MX;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.JsonSerde;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.MockProcessorContext.CapturedPunctuator;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JudgeTest {

    /// Kafka Streams begins a task anew, after a transaction that was given up, by restoring its stores and calling
    /// init on the same processor.
    @Test
    void aTaskThatBeginsAnewKnowsNothingButItsStores(@TempDir Path first, @TempDir Path second) {
        Object firing;
        Instant now;
        try (Detection detection = new Detection(first)) {
            detection.hoursAfter(DAY_0, 4);
            detection.cell(DAY_0, "google.com").failed(EXPIRED, 40, 40).arrives();
            firing = Objects.requireNonNull(
                    Objects.requireNonNull(detection.stores().get(Judge.ALERTS)).get(MX));
            now = detection.now();
        }
        ProcessorSupplier<String, Clue, String, AlertChange> supplier = Judge.supplier(
                () -> SettingsFile.parse("test", "data: " + second, name -> null),
                new DetectionMetrics(new SimpleMeterRegistry()),
                Duration.ofDays(400),
                () -> Instant.EPOCH);
        Processor<String, Clue, String, AlertChange> judge = supplier.get();
        MockProcessorContext<String, AlertChange> context = new MockProcessorContext<>(
                new Properties(), new org.apache.kafka.streams.processor.TaskId(1, 0), second.toFile());
        List<StateStore> stores = new ArrayList<>();
        for (StoreBuilder<?> builder : Objects.requireNonNull(supplier.stores())) {
            StateStore store = builder.withLoggingDisabled().build();
            store.init(context.getStateStoreContext(), store);
            stores.add(store);
        }
        StateStore memory = Stores.timestampedKeyValueStoreBuilder(
                        Stores.inMemoryKeyValueStore(Judge.MEMORY), Serdes.String(), new JsonSerde<>(Alert.class))
                .withLoggingDisabled()
                .build();
        memory.init(context.getStateStoreContext(), memory);
        stores.add(memory);
        judge.init(context);
        tick(context, now);
        assertThat(context.forwarded()).isEmpty();

        KeyValueStore<String, Object> alerts = context.getStateStore(Judge.ALERTS);
        alerts.put(MX, firing);
        judge.init(context);
        tick(context, now.plus(Incident.STALE).plusSeconds(1));

        assertThat(context.forwarded())
                .isNotEmpty()
                .allSatisfy(told -> assertThat(told.record().value().alert().resolveReason())
                        .isEqualTo("stale"));
        stores.forEach(StateStore::close);
    }

    private static void tick(MockProcessorContext<String, AlertChange> context, Instant now) {
        context.setCurrentSystemTimeMs(now.toEpochMilli());
        context.scheduledPunctuators().stream()
                .filter(each -> each.getInterval().equals(Judge.TICK))
                .map(CapturedPunctuator::getPunctuator)
                .reduce((earlier, later) -> later)
                .orElseThrow()
                .punctuate(now.toEpochMilli());
    }
}

package io.tlsrpt.console;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.topics.Topics;
import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The compacted topics, and the latest inspections, as global stores: every instance holds all of them and answers
/// wholly by itself.
///
/// ```
/// tlsrpt.aggregates ► aggregates-by-domain    tlsrpt.alerts        ► alerts-by-state
/// tlsrpt.reports    ► reports-by-domain       tlsrpt.notifications ► notifications-by-alert
/// tlsrpt.domains    ► claims-by-domain        tlsrpt.silences      ► silences-by-id
/// tlsrpt.inspections ► inspections-by-domain
/// ```
///
/// Keys of the stores differ from those of the topics, so that questions are range scans. Kafka restores such a store
/// by
/// the same processor from the offset it was last flushed with (since 3.8, KAFKA-7663), which [View#changes] makes
/// safe.
final class Views {

    private static final Logger LOG = LoggerFactory.getLogger(Views.class);

    private final AggregateView aggregates;
    private final ReportView reports;
    private final AlertView alerts;
    private final NotificationView notifications;
    private final DomainView domains;
    private final SilenceView silences;
    private final InspectionView inspections;

    /// @param stores a store by name; asked at each use, throws while it is not there
    Views(Function<String, ReadOnlyKeyValueStore<Bytes, byte[]>> stores) {
        aggregates = new AggregateView(() -> stores.apply(AggregateView.STORE));
        reports = new ReportView(() -> stores.apply(ReportView.STORE));
        alerts = new AlertView(() -> stores.apply(AlertView.STORE));
        notifications = new NotificationView(() -> stores.apply(NotificationView.STORE));
        domains = new DomainView(() -> stores.apply(DomainView.STORE));
        silences = new SilenceView(() -> stores.apply(SilenceView.STORE));
        inspections = new InspectionView(() -> stores.apply(InspectionView.STORE));
    }

    AggregateView aggregates() {
        return aggregates;
    }

    ReportView reports() {
        return reports;
    }

    AlertView alerts() {
        return alerts;
    }

    NotificationView notifications() {
        return notifications;
    }

    DomainView domains() {
        return domains;
    }

    SilenceView silences() {
        return silences;
    }

    InspectionView inspections() {
        return inspections;
    }

    Topology topology(Topics topics, StreamsConfig config, MeterRegistry meters) {
        Counter skipped = Counter.builder("tlsrpt.console.skipped.records")
                .description("Records of the compacted topics that are none of ours and were passed over")
                .register(meters);
        StreamsBuilder builder = new StreamsBuilder(new TopologyConfig(config));
        add(builder, topics.aggregates(), AggregateView.STORE, aggregates, skipped);
        add(builder, topics.reports(), ReportView.STORE, reports, skipped);
        add(builder, topics.alerts(), AlertView.STORE, alerts, skipped);
        add(builder, topics.notifications(), NotificationView.STORE, notifications, skipped);
        add(builder, topics.domains(), DomainView.STORE, domains, skipped);
        add(builder, topics.silences(), SilenceView.STORE, silences, skipped);
        add(builder, topics.inspections(), InspectionView.STORE, inspections, skipped);
        return builder.build();
    }

    private static void add(StreamsBuilder builder, Topics.Topic topic, String store, View view, Counter skipped) {
        builder.addGlobalStore(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(store), Serdes.Bytes(), Serdes.ByteArray())
                        .withLoggingDisabled(),
                topic.name(),
                Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()).withName("read-" + store),
                () -> new Keeping(store, view, skipped));
    }

    /// Keeps one store as its view says.
    private static final class Keeping extends ContextualProcessor<byte[], byte @Nullable [], Void, Void> {

        private final String store;
        private final View view;
        private final Counter skipped;

        private Keeping(String store, View view, Counter skipped) {
            this.store = store;
            this.view = view;
            this.skipped = skipped;
        }

        @Override
        public void process(Record<byte[], byte @Nullable []> arrived) {
            KeyValueStore<Bytes, byte[]> entries = context().getStateStore(store);
            List<KeyValue<Bytes, byte @Nullable []>> changes;
            try {
                changes = view.changes(entries, arrived.key(), arrived.value());
            } catch (StreamsException storeIsBroken) {
                throw storeIsBroken;
            } catch (RuntimeException notOurs) {
                skipped.increment();
                LOG.atWarn()
                        .addKeyValue("store", store)
                        .addKeyValue(
                                "position",
                                context().recordMetadata().map(Object::toString).orElse("unknown"))
                        .addKeyValue("error", notOurs.getClass().getName())
                        .log("record skipped: not one of ours");
                return;
            }
            entries.putAll(changes);
            view.written(arrived.key());
        }
    }
}

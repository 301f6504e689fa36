package io.tlsrpt.stream;

import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Topics;
import io.tlsrpt.topics.Verdict;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/// The whole graph, top to bottom. Names of operators and stores are part of the state on disk and broker: renaming one
/// means a new application id and a replay of the raw topic.
///
///     reports.raw ─► drop-duplicates ─┬─► verdicts          exactly one per raw record
///                    seen-reports     ├─► reports           what is known of each accepted report
///                    replaceable-     ├─► reports.rejected  conflicts and refused entries, with the reason
///                    events           └─► events            one per failure detail, one per policy entry
///
///     events ─► aggregate-by-day ─► aggregates              one cell per day, domain, policy type, submitter and trust
///               pending-entries
///               cells
///
///     departures ─► known to both: what arrived about a domain until it departed is taken out of every store
final class ReportTopology {

    static final String READ_RAW = "read-raw";
    static final String DROP_DUPLICATES = "drop-duplicates";
    static final String SEEN_REPORTS = "seen-reports";
    static final String REPLACEABLE_EVENTS = "replaceable-events";
    static final String WRITE_VERDICTS = "write-verdicts";
    static final String WRITE_REPORTS = "write-reports";
    static final String WRITE_REJECTED = "write-rejected";
    static final String WRITE_EVENTS = "write-events";

    static final String READ_EVENTS = "read-events";
    static final String AGGREGATE_BY_DAY = "aggregate-by-day";
    static final String PENDING_ENTRIES = "pending-entries";
    static final String CELLS = "cells";
    static final String WRITE_AGGREGATES = "write-aggregates";

    private ReportTopology() {}

    /// @param properties of the Streams application that will run it
    static Topology build(Properties properties, Topics topics, ProcessorMetrics metrics) {
        Topology graph = new Topology(new TopologyConfig(new StreamsConfig(properties)));

        // What arrived, judged; raw keys keep all copies of a report in one partition.
        graph.addSource(
                READ_RAW,
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer(),
                topics.raw().name());
        graph.addProcessor(DROP_DUPLICATES, () -> new FirstSighting(topics, metrics), READ_RAW);
        graph.addStateStore(store(SEEN_REPORTS, Serdes.String(), new JsonSerde<>(SeenReport.class)), DROP_DUPLICATES);
        graph.addStateStore(store(REPLACEABLE_EVENTS, Serdes.String(), new JsonSerde<>(Event.class)), DROP_DUPLICATES);
        graph.addSink(
                WRITE_VERDICTS,
                topics.verdicts().name(),
                new StringSerializer(),
                new JsonSerde<>(Verdict.class).serializer(),
                DROP_DUPLICATES);
        graph.addSink(
                WRITE_REPORTS,
                topics.reports().name(),
                new StringSerializer(),
                new JsonSerde<>(AcceptedReport.class).serializer(),
                DROP_DUPLICATES);
        graph.addSink(
                WRITE_REJECTED,
                topics.rejected().name(),
                new ByteArraySerializer(),
                new ByteArraySerializer(),
                DROP_DUPLICATES);
        graph.addSink(
                WRITE_EVENTS,
                topics.events().name(),
                new StringSerializer(),
                new JsonSerde<>(Event.class).serializer(),
                DROP_DUPLICATES);

        // What was counted, added up by day; events lie by policy-domain.
        graph.addSource(
                READ_EVENTS,
                new StringDeserializer(),
                new JsonSerde<>(Event.class).deserializer(),
                topics.events().name());
        graph.addProcessor(AGGREGATE_BY_DAY, () -> new Aggregation(topics, metrics), READ_EVENTS);
        graph.addStateStore(
                store(PENDING_ENTRIES, Serdes.String(), new JsonSerde<>(PendingTally.class)), AGGREGATE_BY_DAY);
        graph.addStateStore(
                store(CELLS, new JsonSerde<>(AggregateKey.class), new JsonSerde<>(Cell.Stored.class)),
                AGGREGATE_BY_DAY);
        graph.addSink(
                WRITE_AGGREGATES,
                topics.aggregates().name(),
                new JsonSerde<>(AggregateKey.class).serializer(),
                new JsonSerde<>(Aggregate.class).serializer(),
                BY_POLICY_DOMAIN,
                AGGREGATE_BY_DAY);

        // Last: the numbers of the sub-topologies above, and with them their state, are as they were without it.
        Departures.addTo(graph, topics.departures().name());

        return graph;
    }

    private static final StreamPartitioner<AggregateKey, Aggregate> BY_POLICY_DOMAIN =
            (topic, key, value, partitions) -> Optional.of(Set.of(Topics.partition(key.policyDomain(), partitions)));

    private static <K, V> StoreBuilder<KeyValueStore<K, V>> store(String name, Serde<K> keys, Serde<V> values) {
        return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), keys, values);
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertAction;
import io.tlsrpt.topics.Departure;
import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Topics;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.Nullable;

/// The whole of detection, top to bottom: what is learned becomes clues about subjects, and these become alerts.
///
///     tlsrpt.aggregates       ► watch-mx, watch-reporters ╗               ╔► judge-mx        ╗
///     tlsrpt.reports.rejected ► watch-rejected            ╬═ by-subject ══╬► judge-reporters ╬► tlsrpt.alerts,
///     tlsrpt.alert-actions    ► address                   ╣               ╠► judge-silence   ╣  tlsrpt.alert-history
///     tlsrpt.inspections      ► split-looks               ╣               ╚► judge-looks     ╝
///     tlsrpt.departures       ► watch-departures          ╝ (to every task)
///
/// A fault belongs to a server, not to the domains behind it: so the evidence of all domains of an MX meets in one
/// place, and 200 domains behind one broken MX are one alert.
final class DetectionTopology {

    private DetectionTopology() {}

    /// Who is ours is asked of the topic `tlsrpt.domains`, which every instance holds whole; likewise `tlsrpt.alerts`,
    /// so
    /// that an application that begins anew goes on with what it finds there.
    ///
    /// @param properties as the application runs with
    /// @param judgedUntil what arrived until then was judged in another house, see [MovedIn]
    static Topology build(
            Topics topics,
            Supplier<Settings> settings,
            DetectionMetrics metrics,
            Properties properties,
            Supplier<Instant> judgedUntil) {
        StreamsBuilder builder = new StreamsBuilder(new TopologyConfig(new StreamsConfig(properties)));

        KStream<AggregateKey, Aggregate> aggregates = builder.stream(
                topics.aggregates().name(),
                Consumed.with(new JsonSerde<>(AggregateKey.class), new JsonSerde<>(Aggregate.class))
                        .withName("read-aggregates"));
        KStream<String, Clue> clues = aggregates
                .process(WatchMx.supplier(settings, metrics), Named.as("watch-mx"))
                .merge(
                        aggregates.process(WatchReporters.supplier(settings), Named.as("watch-reporters")),
                        Named.as("with-reporters"))
                .merge(rejections(builder, topics, settings, metrics), Named.as("with-rejections"))
                .merge(actions(builder, topics), Named.as("with-actions"))
                .merge(looks(builder, topics), Named.as("with-looks"))
                .merge(departures(builder, topics), Named.as("with-departures"))
                .repartition(Repartitioned.<String, Clue>as("by-subject")
                        .withKeySerde(Serdes.String())
                        .withValueSerde(new JsonSerde<>(Clue.class))
                        .withStreamPartitioner(DetectionTopology::toSubject));

        KStream<String, AlertChange> changes = clues.process(
                        Judge.supplier(settings, metrics, topics.retention(), judgedUntil), Named.as("judge-mx"))
                .merge(
                        clues.filter(JudgeLooks::takes, Named.as("for-watches"))
                                .process(
                                        JudgeLooks.supplier(settings, metrics, topics.retention(), judgedUntil),
                                        Named.as("judge-looks")),
                        Named.as("with-watches"))
                .merge(
                        clues.process(
                                JudgeReporters.supplier(settings, metrics, topics.retention(), judgedUntil),
                                Named.as("judge-reporters")),
                        Named.as("and-of-reporters"))
                .merge(
                        clues.process(
                                JudgeSilence.supplier(settings, metrics, topics.retention(), judgedUntil),
                                Named.as("judge-silence")),
                        Named.as("and-of-silence"));

        changes.to(topics.alerts().name(), written("write-alerts"));
        changes.filter((alertId, change) -> change.transition(), Named.as("transitions"))
                .to(topics.alertHistory().name(), written("write-alert-history"));

        // Last: the numbers of the sub-topologies above, and with them their state, are as they were without it.
        builder.globalTable(
                topics.domains().name(),
                Consumed.with(Serdes.String(), new JsonSerde<>(DomainClaim.class))
                        .withName("read-domains"),
                Materialized.<String, DomainClaim>as(Stores.inMemoryKeyValueStore(OurDomains.CLAIMS))
                        .withKeySerde(Serdes.String())
                        .withValueSerde(new JsonSerde<>(DomainClaim.class)));

        builder.globalTable(
                topics.alerts().name(),
                Consumed.with(Serdes.String(), new JsonSerde<>(Alert.class)).withName("read-alerts"),
                Materialized.<String, Alert>as(Stores.persistentKeyValueStore(Judge.MEMORY))
                        .withKeySerde(Serdes.String())
                        .withValueSerde(new JsonSerde<>(Alert.class)));

        return builder.build(properties);
    }

    /// What was refused, to whom it concerns.
    private static KStream<String, Clue> rejections(
            StreamsBuilder builder, Topics topics, Supplier<Settings> settings, DetectionMetrics metrics) {
        return builder.stream(
                        topics.rejected().name(),
                        Consumed.with(Serdes.String(), Serdes.ByteArray()).withName("read-rejected"))
                .process(WatchRejected.supplier(settings, metrics), Named.as("watch-rejected"));
    }

    /// What people did, to where the alert is judged.
    private static KStream<String, Clue> actions(StreamsBuilder builder, Topics topics) {
        return builder.stream(
                        topics.alertActions().name(),
                        Consumed.with(Serdes.String(), new JsonSerde<>(AlertAction.class))
                                .withName("read-alert-actions"))
                .flatMap(
                        (alertId, action) -> {
                            String subject = action == null ? null : Subject.of(action);
                            return subject == null ? List.of() : List.of(KeyValue.pair(subject, Clue.of(action)));
                        },
                        Named.as("address-actions"));
    }

    /// What live looks showed, to the MX hosts and to the domain.
    private static KStream<String, Clue> looks(StreamsBuilder builder, Topics topics) {
        return builder.stream(
                        topics.inspections().name(),
                        Consumed.with(Serdes.String(), new JsonSerde<>(Inspection.class))
                                .withName("read-inspections"))
                .flatMap(
                        (domain, inspection) -> inspection == null ? List.of() : Look.split(inspection),
                        Named.as("split-looks"));
    }

    /// Domains that are to be forgotten, to all; and the last look at each is taken from those who keep it.
    private static KStream<String, Clue> departures(StreamsBuilder builder, Topics topics) {
        KStream<String, Departure> departures = builder.stream(
                topics.departures().name(),
                Consumed.with(Serdes.String(), new JsonSerde<>(Departure.class)).withName("read-departures"));
        departures
                .process(() -> new NoLook(topics), Named.as("forget-look"))
                .to(
                        topics.inspections().name(),
                        Produced.with(Serdes.String(), new JsonSerde<>(Inspection.class))
                                .withName("write-no-look"));
        return departures.process(
                WatchDepartures::new, Named.as("watch-departures"), WatchDepartures.STORES.toArray(String[]::new));
    }

    /// A look that showed nothing.
    private static final class NoLook
            extends ContextualProcessor<String, @Nullable Departure, String, @Nullable Inspection> {

        private final Topics topics;

        private NoLook(Topics topics) {
            this.topics = topics;
        }

        @Override
        public void process(Record<String, @Nullable Departure> departure) {
            if (!WatchDepartures.isOurs(departure)) {
                return;
            }
            context()
                    .forward(new Record<>(
                            departure.key(),
                            null,
                            departure.timestamp(),
                            topics.inspections().newHeaders()));
        }
    }

    /// A subject has its place; what is for all goes to each.
    private static Optional<Set<Integer>> toSubject(String topic, String subject, Clue clue, int partitions) {
        return subject.equals(Subject.DEPARTED)
                ? Optional.of(IntStream.range(0, partitions).boxed().collect(Collectors.toSet()))
                : Optional.empty();
    }

    private static Produced<String, AlertChange> written(String name) {
        StreamPartitioner<String, AlertChange> byDomain =
                (topic, alertId, change, partitions) -> AlertChange.partition(change, partitions);
        return Produced.with(Serdes.String(), writeOnly())
                .withStreamPartitioner(byDomain)
                .withName(name);
    }

    private static Serde<AlertChange> writeOnly() {
        return Serdes.serdeFrom(AlertChange.serializer(), (topic, bytes) -> {
            throw new UnsupportedOperationException("alerts are not read here");
        });
    }
}

package io.tlsrpt.moving;

import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/// Writes all that cannot be made anew into one file: everything up to the ends that the topics have when it begins,
/// topic by topic, partition by partition, in the order of their offsets.
public final class HouseExport {

    private static final Duration POLL = Duration.ofMillis(200);

    private final Settings settings;
    private final Topics topics;
    private final Clock clock;
    private final Consumer<String> says;

    /// @param settings of the house that moves out; the broker is named there
    /// @param says takes what is to be said meanwhile, a line each
    public HouseExport(Settings settings, Clock clock, Consumer<String> says) {
        this.settings = settings;
        this.topics = new Topics(settings.topicPrefix(), settings.retention());
        this.clock = clock;
        this.says = says;
    }

    /// What was written.
    ///
    /// @param records by topic, without the prefix
    /// @param unjudged whether something lay there that the services had not yet read: what it leads to is told by the
    /// new house
    /// @param arrivedMeanwhile documents that arrived while the file was written and are not in it
    public record Exported(Map<String, Long> records, boolean unjudged, long arrivedMeanwhile) {

        /// Of all topics.
        public long all() {
            return records.values().stream().mapToLong(Long::longValue).sum();
        }
    }

    /// @param file takes the place of one that is there; until it is whole it has another name
    /// @param judged until when what had arrived was judged, where the services cannot be asked; null: they are asked
    /// @throws MovingFault when there is nothing to export, the broker does not answer or has dropped how far the
    /// services had read
    public Exported run(Path file, @Nullable Instant judged) {
        KafkaSettings kafka = new KafkaSettings(settings);
        try (Admin admin = Admin.create(kafka.admin("tlsrpt-export"));
                KafkaConsumer<byte @Nullable [], byte @Nullable []> consumer = new KafkaConsumer<>(
                        kafka.consumer("tlsrpt-export", Map.of("max.poll.records", "1000")),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer())) {
            Services services = new Services(admin, topics);
            Set<String> existing = Services.get(admin.listTopics().names());
            if (!existing.contains(topics.raw().name())) {
                throw new MovingFault("the broker has no topic " + topics.raw().name()
                        + ": is topic-prefix right? has tlsrpt been started with it?");
            }
            List<String> running = services.running();
            if (!running.isEmpty()) {
                says.accept("warning: " + String.join(", ", running)
                        + " runs: what arrives from now on is not in the file. Stop all services for a move");
            }
            return write(file, consumer, services, existing, judged);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private Exported write(
            Path file,
            KafkaConsumer<byte @Nullable [], byte @Nullable []> consumer,
            Services services,
            Set<String> existing,
            @Nullable Instant given)
            throws IOException {
        List<Topics.Topic> carried = Carried.topics(topics).stream()
                .filter(topic -> existing.contains(topic.name()))
                .toList();
        List<TopicPartition> all = new ArrayList<>();
        carried.forEach(topic -> all.addAll(partitions(consumer, topic)));
        Map<TopicPartition, Long> begins = consumer.beginningOffsets(all);
        Map<TopicPartition, Long> ends = consumer.endOffsets(all);
        long most = all.stream()
                .mapToLong(partition -> ends.getOrDefault(partition, 0L) - begins.getOrDefault(partition, 0L))
                .sum();
        Progress progress = new Progress(clock, says, "exporting", most);
        Instant began = clock.instant();
        // asked first: what is read later than this is judged in the new house
        Instant unjudged = given == null ? unjudgedSince(consumer, services, existing) : null;
        Instant[] latest = new Instant[1];
        try (HouseFile.Writer writer =
                new HouseFile.Writer(file, new HouseFile.First(HouseFile.VERSION, began, topics.prefix()))) {
            for (Topics.Topic topic : carried) {
                String name = Carried.name(topics, topic);
                boolean judged = List.of(topics.raw(), topics.rejected(), topics.inspections())
                        .contains(topic);
                for (TopicPartition partition : partitions(consumer, topic)) {
                    for (Reading reading = new Reading(
                                    consumer,
                                    partition,
                                    begins.getOrDefault(partition, 0L),
                                    ends.getOrDefault(partition, 0L));
                            reading.goesOn(); ) {
                        for (ConsumerRecord<byte @Nullable [], byte @Nullable []> record : reading.next()) {
                            writer.write(HouseRecord.of(name, record));
                            progress.step();
                            Instant at = Instant.ofEpochMilli(record.timestamp());
                            if (judged && (latest[0] == null || at.isAfter(latest[0]))) {
                                latest[0] = at;
                            }
                        }
                    }
                }
            }
            Instant until = unjudged == null ? given : unjudged.minusMillis(1);
            // nothing has arrived later than now, whatever a clock that was ahead has written
            HouseFile.Last last = writer.finish(earliest(latest[0], until, began));
            boolean later = latest[0] != null && given != null && latest[0].isAfter(given);
            return new Exported(last.records(), unjudged != null || later, arrived(consumer, ends));
        }
    }

    private static @Nullable Instant earliest(@Nullable Instant latest, @Nullable Instant until, Instant began) {
        if (latest == null) {
            return null;
        }
        Instant most = until == null || until.isAfter(latest) ? latest : until;
        return most.isAfter(began) ? began : most;
    }

    private long arrived(KafkaConsumer<byte @Nullable [], byte @Nullable []> consumer, Map<TopicPartition, Long> ends) {
        List<TopicPartition> raw = partitions(consumer, topics.raw());
        Map<TopicPartition, Long> now = consumer.endOffsets(raw);
        return raw.stream()
                .mapToLong(partition -> now.getOrDefault(partition, 0L) - ends.getOrDefault(partition, 0L))
                .sum();
    }

    /// The earliest of what one of the services had not read, of all that leads to alerts.
    ///
    /// @throws MovingFault when the broker has dropped how far a service had read
    private @Nullable Instant unjudgedSince(
            KafkaConsumer<byte @Nullable [], byte @Nullable []> consumer, Services services, Set<String> existing) {
        Map<String, List<Topics.Topic>> reads = new TreeMap<>(Map.of(
                "stream-processor", List.of(topics.raw(), topics.events()),
                "alerting-service",
                        List.of(
                                topics.aggregates(),
                                topics.rejected(),
                                topics.alertActions(),
                                topics.inspections(),
                                topics.departures())));
        Map<String, List<Topics.Topic>> writes = Map.of(
                "stream-processor", List.of(topics.verdicts(), topics.events()),
                "alerting-service", List.of(topics.alerts(), topics.alertHistory()));
        Unjudged unjudged = new Unjudged(topics);
        for (Map.Entry<String, List<Topics.Topic>> service : reads.entrySet()) {
            Map<TopicPartition, Long> positions = services.position(service.getKey());
            if (positions.isEmpty() && written(consumer, writes.getOrDefault(service.getKey(), List.of()), existing)) {
                throw new MovingFault("the broker does not know any more how far the " + service.getKey()
                        + " has read, so all would be judged, and told, again: a broker drops that when a service has"
                        + " been stopped for a week. Start all services once, stop them and export again; or say"
                        + " --judged-until with the time at which they were stopped");
            }
            // what a service committed names its internal topics, too
            Set<TopicPartition> partitions = new HashSet<>(positions.keySet());
            service.getValue().stream()
                    .filter(topic -> existing.contains(topic.name()))
                    .forEach(topic -> partitions.addAll(partitions(consumer, topic)));
            partitions.removeIf(partition -> !existing.contains(partition.topic()));
            Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            for (TopicPartition partition : partitions) {
                long from = Math.max(begins.getOrDefault(partition, 0L), positions.getOrDefault(partition, 0L));
                for (Reading reading = new Reading(consumer, partition, from, ends.getOrDefault(partition, 0L));
                        reading.goesOn(); ) {
                    reading.next().forEach(unjudged::add);
                }
            }
        }
        return unjudged.since();
    }

    private static boolean written(KafkaConsumer<?, ?> consumer, List<Topics.Topic> made, Set<String> existing) {
        List<TopicPartition> all = new ArrayList<>();
        made.stream()
                .filter(topic -> existing.contains(topic.name()))
                .forEach(topic -> all.addAll(partitions(consumer, topic)));
        return consumer.endOffsets(all).values().stream().anyMatch(end -> end > 0);
    }

    private static List<TopicPartition> partitions(KafkaConsumer<?, ?> consumer, Topics.Topic topic) {
        return consumer.partitionsFor(topic.name()).stream()
                .map(each -> new TopicPartition(each.topic(), each.partition()))
                .sorted((one, other) -> Integer.compare(one.partition(), other.partition()))
                .toList();
    }

    /// One partition, from an offset to the end that it had.
    private static final class Reading {

        private final KafkaConsumer<byte @Nullable [], byte @Nullable []> consumer;
        private final TopicPartition partition;
        private final long end;

        Reading(
                KafkaConsumer<byte @Nullable [], byte @Nullable []> consumer,
                TopicPartition partition,
                long from,
                long end) {
            this.consumer = consumer;
            this.partition = partition;
            this.end = end;
            consumer.assign(List.of(partition));
            consumer.seek(partition, from);
        }

        /// Past markers of transactions, too, which are no records.
        boolean goesOn() {
            return consumer.position(partition) < end;
        }

        List<ConsumerRecord<byte @Nullable [], byte @Nullable []>> next() {
            return consumer.poll(POLL).records(partition).stream()
                    .filter(record -> record.offset() < end)
                    .toList();
        }
    }
}

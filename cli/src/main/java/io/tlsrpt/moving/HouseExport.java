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
    /// @throws MovingFault when there is nothing to export or the broker does not answer
    public Exported run(Path file) {
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
            return write(file, consumer, services, existing);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private Exported write(
            Path file,
            KafkaConsumer<byte @Nullable [], byte @Nullable []> consumer,
            Services services,
            Set<String> existing)
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
        Instant[] latest = new Instant[1];
        try (HouseFile.Writer writer =
                new HouseFile.Writer(file, new HouseFile.First(HouseFile.VERSION, clock.instant(), topics.prefix()))) {
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
            Instant unjudged = unjudgedSince(consumer, services, existing);
            Instant judgedUntil = unjudged == null || latest[0] == null || unjudged.isAfter(latest[0])
                    ? latest[0]
                    : unjudged.minusMillis(1);
            HouseFile.Last last = writer.finish(judgedUntil);
            return new Exported(last.records(), unjudged != null, arrived(consumer, ends));
        }
    }

    private long arrived(KafkaConsumer<byte @Nullable [], byte @Nullable []> consumer, Map<TopicPartition, Long> ends) {
        List<TopicPartition> raw = partitions(consumer, topics.raw());
        Map<TopicPartition, Long> now = consumer.endOffsets(raw);
        return raw.stream()
                .mapToLong(partition -> now.getOrDefault(partition, 0L) - ends.getOrDefault(partition, 0L))
                .sum();
    }

    /// The earliest record that one of the services had not read, of all that leads to alerts.
    private @Nullable Instant unjudgedSince(
            KafkaConsumer<byte @Nullable [], byte @Nullable []> consumer, Services services, Set<String> existing) {
        Map<String, List<Topics.Topic>> reads = new TreeMap<>(Map.of(
                "stream-processor", List.of(topics.raw(), topics.events()),
                "alerting-service",
                        List.of(topics.aggregates(), topics.rejected(), topics.alertActions(), topics.inspections())));
        Instant earliest = null;
        for (Map.Entry<String, List<Topics.Topic>> service : reads.entrySet()) {
            Map<TopicPartition, Long> positions = services.position(service.getKey());
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
                    List<ConsumerRecord<byte @Nullable [], byte @Nullable []>> next = reading.next();
                    if (!next.isEmpty()) {
                        Instant at = Instant.ofEpochMilli(next.getFirst().timestamp());
                        earliest = earliest == null || at.isBefore(earliest) ? at : earliest;
                        break;
                    }
                }
            }
        }
        return earliest;
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

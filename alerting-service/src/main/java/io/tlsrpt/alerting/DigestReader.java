package io.tlsrpt.alerting;

import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Gathers the numbers of a [WeeklyDigest]: one pass over what came into `tlsrpt.aggregates` and
/// `tlsrpt.reports.rejected` since its first day, partition by partition, so that it never holds more than the cells of
/// one week and partition.
final class DigestReader implements WeeklyDigest.Source {

    /// A pass that takes longer is given up.
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private static final int MAX_REASONS = 50;
    private static final Logger LOG = LoggerFactory.getLogger(DigestReader.class);

    private final KafkaSettings kafka;
    private final Topics topics;
    private final String clientId;
    private final Clock clock;

    DigestReader(Surroundings surroundings) {
        Settings settings = surroundings.settings();
        this.kafka = new KafkaSettings(settings);
        this.topics = new Topics(settings.topicPrefix(), settings.retention());
        this.clientId = settings.topicPrefix() + "weekly-digest";
        this.clock = surroundings.clock();
    }

    /// What one cell says; of several policy types the one with most sessions.
    private record Cell(long sessions, long failed) {
        Cell most(Cell other) {
            return other.sessions > sessions || (other.sessions == sessions && other.failed > failed) ? other : this;
        }
    }

    @Override
    public WeeklyDigest gather(ZonedDateTime due, List<Alert> alerts) {
        LocalDate from = WeeklyDigest.from(due);
        Instant end = clock.instant().plus(PATIENCE);
        // Refused documents are large and only their headers are wanted: little is fetched at a time.
        Map<String, String> small = Map.of("max.partition.fetch.bytes", "262144", "fetch.max.bytes", "1048576");
        try (KafkaConsumer<@Nullable String, byte @Nullable []> consumer = new KafkaConsumer<>(
                kafka.consumer(clientId, small), new StringDeserializer(), new ByteArrayDeserializer())) {
            WeeklyDigest digest =
                    new WeeklyDigest(due, reports(consumer, from, end), refused(consumer, from, end), alerts);
            consumer.close(CloseOptions.timeout(Duration.ofSeconds(5)));
            return digest;
        }
    }

    private WeeklyDigest.Reports reports(
            KafkaConsumer<@Nullable String, byte @Nullable []> consumer, LocalDate from, Instant end) {
        JsonSerde<Aggregate> json = new JsonSerde<>(Aggregate.class);
        Totals totals = new Totals();
        for (TopicPartition partition : partitions(consumer, topics.aggregates())) {
            Map<AggregateKey, Aggregate> cells = new HashMap<>();
            read(consumer, partition, from, end, each -> {
                byte[] value = each.value();
                try {
                    Aggregate cell = value == null ? null : json.read(value);
                    if (cell != null
                            && cell.window() != null
                            && !cell.window().isBefore(from)
                            && cell.window().isBefore(from.plusDays(7))) {
                        cells.put(cell.key(), withoutFailures(cell));
                    }
                } catch (SerializationException notOurs) {
                    LOG.atDebug().addKeyValue("offset", each.offset()).log("no aggregate; not counted in the digest");
                }
            });
            totals.add(cells);
        }
        return new WeeklyDigest.Reports(
                totals.domains.size(),
                totals.reporters.size(),
                totals.reports,
                totals.sessions,
                totals.failed,
                totals.last);
    }

    private static Aggregate withoutFailures(Aggregate cell) {
        return new Aggregate(
                cell.window(),
                cell.policyDomain(),
                cell.policyType(),
                cell.submitter(),
                cell.authentication(),
                cell.totalSuccessfulSessionCount(),
                cell.totalFailureSessionCount(),
                cell.reportCount(),
                null,
                List.of(),
                cell.firstReceivedAt(),
                cell.lastReceivedAt(),
                cell.latestEndDatetime(),
                cell.backfill());
    }

    private static final class Totals {
        private final Set<String> domains = new HashSet<>();
        private final Set<String> reporters = new HashSet<>();
        private long reports;
        private long sessions;
        private long failed;
        private @Nullable Instant last;

        /// The cells of one partition: a domain is in one partition only.
        void add(Map<AggregateKey, Aggregate> cells) {
            Map<AggregateKey, Cell> sessionsOnce = new HashMap<>();
            Map<AggregateKey, Long> reportsOnce = new HashMap<>();
            for (Aggregate cell : cells.values()) {
                AggregateKey anyType = new AggregateKey(
                        cell.window(), cell.policyDomain(), "", cell.submitter(), cell.authentication());
                domains.add(cell.policyDomain());
                reporters.add(cell.submitter());
                reportsOnce.merge(anyType, cell.reportCount(), Math::max);
                sessionsOnce.merge(
                        anyType,
                        new Cell(
                                cell.totalSuccessfulSessionCount() + cell.totalFailureSessionCount(),
                                cell.totalFailureSessionCount()),
                        Cell::most);
                if (last == null || cell.lastReceivedAt().isAfter(last)) {
                    last = cell.lastReceivedAt();
                }
            }
            for (Cell cell : sessionsOnce.values()) {
                sessions += cell.sessions();
                failed += cell.failed();
            }
            for (long count : reportsOnce.values()) {
                reports += count;
            }
        }
    }

    private SortedMap<String, Long> refused(
            KafkaConsumer<@Nullable String, byte @Nullable []> consumer, LocalDate from, Instant end) {
        SortedMap<String, Long> refused = new TreeMap<>();
        for (TopicPartition partition : partitions(consumer, topics.rejected())) {
            read(consumer, partition, from, end, each -> {
                Header header = each.headers().lastHeader(ReportHeaders.REASON);
                String reason = header == null || header.value() == null
                        ? "unknown"
                        : CleanText.of(new String(header.value(), StandardCharsets.UTF_8), 60);
                refused.merge(
                        refused.size() < MAX_REASONS || refused.containsKey(reason) ? reason : "other", 1L, Long::sum);
            });
        }
        return refused;
    }

    private static List<TopicPartition> partitions(
            KafkaConsumer<@Nullable String, byte @Nullable []> consumer, Topics.Topic topic) {
        return consumer.partitionsFor(topic.name()).stream()
                .map(each -> new TopicPartition(each.topic(), each.partition()))
                .toList();
    }

    /// All that came into the partition since the day began, up to what is there now.
    private void read(
            KafkaConsumer<@Nullable String, byte @Nullable []> consumer,
            TopicPartition partition,
            LocalDate from,
            Instant end,
            Consumer<ConsumerRecord<@Nullable String, byte @Nullable []>> reader) {
        long start = from.atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli();
        OffsetAndTimestamp first =
                consumer.offsetsForTimes(Map.of(partition, start)).get(partition);
        if (first == null) {
            return;
        }
        long goal = consumer.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
        consumer.assign(List.of(partition));
        consumer.seek(partition, first.offset());
        while (consumer.position(partition) < goal) {
            consumer.poll(Duration.ofMillis(500)).forEach(reader);
            if (clock.instant().isAfter(end)) {
                throw new IllegalStateException("reading " + partition + " takes too long");
            }
        }
    }
}

package io.tlsrpt.console;

import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Reads the topics that no view keeps: events, the history of alerts, refused and raw documents. Every question is
/// bounded in records and in
/// time and goes on from its cursor. At most four are answered at once; others wait two seconds and are then refused.
final class TopicReader implements AutoCloseable {

    private static final int READERS = 4;
    private static final Duration WAIT = Duration.ofSeconds(2);
    private static final Duration POLL = Duration.ofMillis(250);
    private static final Duration TIME_PER_QUESTION = Duration.ofSeconds(3);
    private static final int EVENTS_PER_QUESTION = 100_000;
    private static final int REJECTED_PER_QUESTION = 5_000;
    private static final int STEP_BACK = 64;

    /// A report may start up to two days after it arrived (a wrong clock), not more.
    private static final int DAYS_AHEAD = 2;

    private static final JsonSerde<Event> EVENT = new JsonSerde<>(Event.class);
    private static final JsonSerde<Alert> ALERT = new JsonSerde<>(Alert.class);

    private final Topics topics;
    private final Supplier<? extends Consumer<byte[], byte[]>> readers;
    private final Clock clock;
    private final Semaphore permits = new Semaphore(READERS);
    private final BlockingQueue<Consumer<byte[], byte[]>> idle = new ArrayBlockingQueue<>(READERS);

    /// @param readers a new read_committed consumer without a group
    TopicReader(Topics topics, Supplier<? extends Consumer<byte[], byte[]>> readers, Clock clock) {
        this.topics = topics;
        this.readers = readers;
        this.clock = clock;
    }

    /// Which events are asked for; an absent member matches all.
    ///
    /// @param days of start-datetime
    /// @param resultType of failures, which alone have one
    /// @param mx the receiving-mx-hostname of failures
    /// @param reportKey whose events: those of each revision, and what took them back
    record EventFilter(
            Parameters.Days days,
            @Nullable String submitter,
            @Nullable String resultType,
            @Nullable String mx,
            @Nullable String reportKey) {

        private boolean matches(Event event) {
            return days.contains(LocalDate.ofInstant(event.startDatetime(), ZoneOffset.UTC))
                    && (submitter == null || submitter.equals(event.submitter()))
                    && (resultType == null || resultType.equals(event.resultType()))
                    && (mx == null || mx.equals(event.receivingMxHostname()))
                    && (reportKey == null || event.eventId().startsWith(reportKey + '#'));
        }
    }

    /// Which refused documents are asked for; an absent member matches all.
    record RejectedFilter(@Nullable String reason, @Nullable String submitter) {

        private boolean matches(RejectedRecord row) {
            return (reason == null || reason.equals(row.reason()))
                    && (submitter == null || submitter.equals(row.submitter()));
        }
    }

    /// The events of a domain that are asked for, oldest arrival first. A page can be empty and yet
    /// not be the last: then there was much of other domains to pass over.
    ///
    /// @param from where the page before ended; absent: the first record that can be of these days
    Page events(String domain, EventFilter filter, @Nullable Positions from, PageLimit limit) {
        return of(
                topics.events(),
                domain,
                partitions -> Topics.partition(domain, partitions),
                filter.days().from(),
                event -> filter.matches(EVENT.read(event)),
                from,
                limit);
    }

    /// The transitions of an alert in the days, oldest first; short or empty pages as with events.
    ///
    /// @param from where the page before ended
    Page history(Alert alert, Parameters.Days days, @Nullable Positions from, PageLimit limit) {
        return of(
                topics.alertHistory(),
                alert.alertId(),
                alert::partition,
                days.from(),
                transition ->
                        days.contains(LocalDate.ofInstant(ALERT.read(transition).updatedAt(), ZoneOffset.UTC)),
                from,
                limit);
    }

    /// The wanted records of a key, all in one partition.
    ///
    /// @param first day that they can be of
    private Page of(
            Topics.Topic of,
            String keyText,
            IntUnaryOperator place,
            LocalDate first,
            Predicate<byte[]> wanted,
            @Nullable Positions from,
            PageLimit limit) {
        String topic = of.name();
        byte[] key = keyText.getBytes(StandardCharsets.UTF_8);
        return with(reader -> {
            int partitions = reader.partitionsFor(topic).size();
            TopicPartition partition = new TopicPartition(topic, place.applyAsInt(partitions));
            reader.assign(List.of(partition));
            long end = reader.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
            long begin = reader.beginningOffsets(List.of(partition)).getOrDefault(partition, 0L);
            Long resumed = from == null ? null : from.offsets().get(partition.partition());
            long start = resumed != null ? resumed : firstArrived(reader, partition, first, end);

            Page page = new Page(limit.scanning(EVENTS_PER_QUESTION));
            long next = Math.clamp(start, begin, Math.max(begin, end));
            reader.seek(partition, next);
            Deadline deadline = new Deadline(limit.patience());
            boolean open = true;
            while (open && next < end && !deadline.passed()) {
                for (ConsumerRecord<byte[], byte[]> found : reader.poll(POLL).records(partition)) {
                    if (found.offset() >= end || !open) {
                        break;
                    }
                    if (Arrays.equals(found.key(), key) && isWanted(found, wanted)) {
                        page.add(found.value());
                    }
                    next = found.offset() + 1;
                    open = page.look();
                }
                next = open ? reader.position(partition) : next;
            }
            if (next < end) {
                page.continueAt(Cursor.of(new Positions(Map.of(partition.partition(), next)).toString()));
            }
            return page;
        });
    }

    /// The document of an accepted report, as it was sent; absent when it is kept no longer.
    byte @Nullable [] document(RawPosition raw, String reportKey) {
        ConsumerRecord<byte[], byte[]> document = at(topics.raw().name(), raw.partition(), raw.offset());
        return document != null && Arrays.equals(document.key(), reportKey.getBytes(StandardCharsets.UTF_8))
                ? document.value()
                : null;
    }

    /// A refused document or entry; absent when it is kept no longer, or never was.
    @Nullable
    ConsumerRecord<byte[], byte[]> rejected(int partition, long offset) {
        return at(topics.rejected().name(), partition, offset);
    }

    private @Nullable ConsumerRecord<byte[], byte[]> at(String topic, int place, long offset) {
        TopicPartition partition = new TopicPartition(topic, place);
        return with(reader -> {
            if (place >= reader.partitionsFor(topic).size()) {
                return null;
            }
            reader.assign(List.of(partition));
            long begin = reader.beginningOffsets(List.of(partition)).getOrDefault(partition, 0L);
            long end = reader.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
            if (offset < begin || offset >= end) {
                return null;
            }
            reader.seek(partition, offset);
            Deadline deadline = new Deadline(1);
            while (!deadline.passed()) {
                for (ConsumerRecord<byte[], byte[]> found : reader.poll(POLL).records(partition)) {
                    return found.offset() == offset ? found : null;
                }
                if (reader.position(partition) > offset) {
                    return null; // only markers of transactions from here on
                }
            }
            throw new TimeoutException("the record was not read in time");
        });
    }

    /// What was refused, newest first.
    ///
    /// @param below where the page before ended; absent: the end of the topic
    Page rejected(RejectedFilter filter, @Nullable Positions below, PageLimit limit) {
        String topic = topics.rejected().name();
        return with(reader -> {
            List<TopicPartition> partitions = new ArrayList<>();
            for (PartitionInfo info : reader.partitionsFor(topic)) {
                partitions.add(new TopicPartition(topic, info.partition()));
            }
            Map<TopicPartition, Long> begins = reader.beginningOffsets(partitions);
            Map<TopicPartition, Long> ends = reader.endOffsets(partitions);
            Deadline deadline = new Deadline(limit.patience());
            List<Backwards> sources = new ArrayList<>();
            for (TopicPartition partition : partitions) {
                long end = ends.getOrDefault(partition, 0L);
                Long resumed = below == null ? null : below.offsets().get(partition.partition());
                sources.add(new Backwards(
                        reader,
                        partition,
                        begins.getOrDefault(partition, 0L),
                        resumed == null ? end : Math.min(resumed, end),
                        deadline));
            }
            return newestFirst(sources, filter, limit);
        });
    }

    private static Page newestFirst(List<Backwards> sources, RejectedFilter filter, PageLimit limit) {
        Page page = new Page(limit.scanning(REJECTED_PER_QUESTION));
        boolean open = true;
        while (open) {
            sources.forEach(Backwards::fill);
            if (sources.stream().anyMatch(Backwards::outOfTime)) {
                break;
            }
            Backwards newest = sources.stream()
                    .filter(source -> !source.window.isEmpty())
                    .max(Comparator.comparing(source -> source.window.getFirst().at()))
                    .orElse(null);
            if (newest == null) {
                break;
            }
            RejectedRecord row = newest.take();
            if (filter.matches(row)) {
                page.add(Json.MAPPER.writeValueAsBytes(row));
            }
            open = page.look();
        }
        if (sources.stream().anyMatch(Backwards::hasMore)) {
            Map<Integer, Long> below = new TreeMap<>();
            sources.forEach(source -> below.put(source.partition.partition(), source.below));
            page.continueAt(Cursor.of(new Positions(below).toString()));
        }
        return page;
    }

    /// The newest refused documents and entries of each partition.
    ///
    /// @throws TimeoutException when they cannot be read in time
    List<RejectedRecord> newestRejected(int ofEach) {
        String topic = topics.rejected().name();
        return with(reader -> {
            List<TopicPartition> partitions = new ArrayList<>();
            for (PartitionInfo info : reader.partitionsFor(topic)) {
                partitions.add(new TopicPartition(topic, info.partition()));
            }
            Map<TopicPartition, Long> begins = reader.beginningOffsets(partitions);
            Map<TopicPartition, Long> ends = reader.endOffsets(partitions);
            partitions.removeIf(partition -> begins.getOrDefault(partition, 0L) >= ends.getOrDefault(partition, 0L));
            reader.assign(partitions);
            partitions.forEach(partition -> reader.seek(
                    partition,
                    Math.max(begins.getOrDefault(partition, 0L), ends.getOrDefault(partition, 0L) - ofEach)));
            List<RejectedRecord> newest = new ArrayList<>();
            Deadline deadline = new Deadline(1);
            while (partitions.stream()
                    .anyMatch(partition -> reader.position(partition) < ends.getOrDefault(partition, 0L))) {
                if (deadline.passed()) {
                    throw new TimeoutException("what was refused was not read in time");
                }
                reader.poll(POLL).forEach(record -> newest.add(RejectedRecord.of(record)));
            }
            return newest;
        });
    }

    /// One partition read from its end towards its beginning, some records at a time.
    private static final class Backwards {

        private final Consumer<byte[], byte[]> reader;
        private final TopicPartition partition;
        private final long begin;
        private final Deadline deadline;
        private final Deque<RejectedRecord> window = new ArrayDeque<>();

        /// everything from here on has been taken
        private long below;

        private Backwards(
                Consumer<byte[], byte[]> reader, TopicPartition partition, long begin, long below, Deadline deadline) {
            this.reader = reader;
            this.partition = partition;
            this.begin = begin;
            this.below = below;
            this.deadline = deadline;
        }

        private boolean hasMore() {
            return !window.isEmpty() || below > begin;
        }

        private boolean outOfTime() {
            return window.isEmpty() && below > begin;
        }

        private RejectedRecord take() {
            RejectedRecord row = window.removeFirst();
            below = row.offset();
            return row;
        }

        private void fill() {
            while (window.isEmpty() && below > begin) {
                long from = Math.max(begin, below - STEP_BACK);
                if (!read(from)) {
                    window.clear();
                    return;
                }
                if (window.isEmpty()) {
                    below = from; // only markers of transactions here
                }
            }
        }

        /// @return false when time ran out
        private boolean read(long from) {
            reader.assign(List.of(partition));
            reader.seek(partition, from);
            while (reader.position(partition) < below) {
                if (deadline.passed()) {
                    return false;
                }
                for (ConsumerRecord<byte[], byte[]> rejected : reader.poll(POLL).records(partition)) {
                    if (rejected.offset() < below) {
                        window.addFirst(RejectedRecord.of(rejected));
                    }
                }
            }
            return true;
        }
    }

    /// Closes the idle readers; those in use are closed when they are given back.
    @Override
    public void close() {
        permits.drainPermits();
        Consumer<byte[], byte[]> reader = idle.poll();
        while (reader != null) {
            reader.close();
            reader = idle.poll();
        }
    }

    private <T extends @Nullable Object> T with(Function<Consumer<byte[], byte[]>, T> question) {
        boolean mayRead;
        try {
            mayRead = permits.tryAcquire(WAIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            throw new TimeoutException("stopping", stopping);
        }
        if (!mayRead) {
            throw new TimeoutException("too many questions at once");
        }
        Consumer<byte[], byte[]> idling = idle.poll();
        Consumer<byte[], byte[]> reader = idling == null ? readers.get() : idling;
        boolean reusable = false;
        try {
            T answer = question.apply(reader);
            reader.unsubscribe();
            reusable = true;
            return answer;
        } finally {
            if (!reusable || !idle.offer(reader)) {
                reader.close();
            }
            permits.release();
        }
    }

    private static long firstArrived(
            Consumer<byte[], byte[]> reader, TopicPartition partition, LocalDate from, long end) {
        long earliest = from.minusDays(DAYS_AHEAD)
                .atStartOfDay(ZoneOffset.UTC)
                .toInstant()
                .toEpochMilli();
        OffsetAndTimestamp first =
                reader.offsetsForTimes(Map.of(partition, Math.max(0, earliest))).get(partition);
        return first == null ? end : first.offset();
    }

    private static boolean isWanted(ConsumerRecord<byte[], byte[]> record, Predicate<byte[]> wanted) {
        try {
            return wanted.test(record.value());
        } catch (SerializationException notOurs) {
            return false;
        }
    }

    private final class Deadline {

        private final long at;

        private Deadline(int patience) {
            at = clock.millis() + patience * TIME_PER_QUESTION.toMillis();
        }

        private boolean passed() {
            return clock.millis() > at;
        }
    }
}

package io.tlsrpt.console;

import io.helidon.webserver.CloseConnectionException;
import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.Caller;
import io.tlsrpt.topics.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectWriter;

/// One client that follows a topic. It is used by the thread of its request; [#stop] and [#dropIfSlow] by any.
///
/// Every event's id holds the next position of every partition, so that a client that comes back with the last one it
/// got misses nothing and gets nothing twice.
final class LiveStream implements Answer.Stream {

    private static final Logger LOG = LoggerFactory.getLogger(LiveStream.class);

    /// JSON that holds no line ending of any program that reads lines, and nothing that a terminal obeys.
    private static final ObjectWriter ONE_LINE = Json.MAPPER.writer().with(JsonWriteFeature.ESCAPE_NON_ASCII);

    private static final int WRITE_AT = 32 * 1024;

    private final LiveTopic topic;
    private final String topicName;
    private final Consumer<byte[], byte[]> reader;
    private final Caller caller;
    private final Visible visible;
    private final Predicate<Set<String>> wanted;
    private final LiveStreams streams;

    /// The next offset of each partition, after everything that was sent or passed over.
    /// The event that each stream begins with: a page in a browser sees no id but those of events.
    private static final String BEGINNING = "position";

    private final Map<Integer, Long> next = new TreeMap<>();

    private final StringBuilder told = new StringBuilder();
    private final AtomicReference<@Nullable End> end = new AtomicReference<>();
    private final Object writing = new Object();
    private @Nullable Thread writer;
    private boolean isWriting;
    private long writesSince;

    /// Why a stream ended.
    enum End {
        /// The client closed it, or cannot be reached any more.
        GONE,
        /// The client took longer than 10 s to take what was written.
        SLOW,
        /// The client may not read any more, or not the same.
        REFUSED,
        /// The topic cannot be read.
        BROKER,
        /// This process stops.
        STOPPED;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// @param reader closed with this
    /// @param visible what the caller is shown of each record
    /// @param wanted by the domains that a record is about
    LiveStream(
            LiveTopic topic,
            String topicName,
            Consumer<byte[], byte[]> reader,
            Caller caller,
            Visible visible,
            Predicate<Set<String>> wanted,
            LiveStreams streams) {
        this.topic = topic;
        this.topicName = topicName;
        this.reader = reader;
        this.caller = caller;
        this.visible = visible;
        this.wanted = wanted;
        this.streams = streams;
    }

    /// What an event's id says.
    ///
    /// @throws IllegalArgumentException when it is none of this topic's
    static Positions positions(LiveTopic topic, String id) {
        String text = Cursor.text(id);
        String prefix = topic.word() + " ";
        if (!text.startsWith(prefix)) {
            throw new IllegalArgumentException("of another topic");
        }
        return Positions.parse(text.substring(prefix.length()));
    }

    static String id(LiveTopic topic, Map<Integer, Long> next) {
        return Cursor.of(topic.word() + " " + new Positions(next));
    }

    /// Goes to where the stream begins.
    ///
    /// @param resumed absent: only what is new
    /// @return whether the topic has the partitions that are named
    /// @throws org.apache.kafka.common.errors.TimeoutException when the broker does not answer
    boolean seek(@Nullable Positions resumed) {
        List<TopicPartition> partitions = reader.partitionsFor(topicName).stream()
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .toList();
        reader.assign(partitions);
        Map<TopicPartition, Long> begins = reader.beginningOffsets(partitions);
        Map<TopicPartition, Long> ends = reader.endOffsets(partitions);
        Map<Integer, Long> from = resumed == null ? Map.of() : resumed.offsets();
        if (!partitions.stream().map(TopicPartition::partition).toList().containsAll(from.keySet())) {
            return false;
        }
        for (TopicPartition partition : partitions) {
            long begin = begins.getOrDefault(partition, 0L);
            long last = ends.getOrDefault(partition, 0L);
            long at;
            if (resumed == null) {
                at = last;
            } else {
                at = from.getOrDefault(partition.partition(), begin); // a partition added since is all new
                if (at < begin || at > last) {
                    gone(partition.partition(), at, begin);
                    at = begin;
                }
            }
            reader.seek(partition, at);
            next.put(partition.partition(), at);
        }
        return true;
    }

    @Override
    public boolean isEndless() {
        return true;
    }

    boolean isOf(Caller other) {
        return caller.name().equals(other.name());
    }

    @Override
    public void writeTo(OutputStream out, Supplier<Access.Decision> again) {
        synchronized (writing) {
            writer = Thread.currentThread();
        }
        streams.began(this);
        try {
            write(
                    out,
                    ascii(": " + topic.word() + " of " + next.size() + " partitions\n" + told + "retry: 3000\n"
                            + idLine() + "event: " + BEGINNING + "\ndata: {}\n\n"));
            told.setLength(0);
            follow(out, again);
        } catch (WakeupException | InterruptException stopped) {
            end.compareAndSet(null, End.STOPPED);
        } catch (IOException | UncheckedIOException | CloseConnectionException gone) {
            end.compareAndSet(null, End.GONE);
        } catch (KafkaException failed) {
            end.compareAndSet(null, End.BROKER);
            LOG.atWarn()
                    .addKeyValue("topic", topicName)
                    .setCause(failed)
                    .log("a stream ended: the topic cannot be read");
        } finally {
            synchronized (writing) {
                writer = null;
            }
            End why = end.get();
            streams.ended(this, why == null ? End.BROKER : why);
        }
    }

    private void follow(OutputStream out, Supplier<Access.Decision> again) throws IOException {
        long beatAt = System.nanoTime() + LiveStreams.BEAT.toNanos();
        while (end.get() == null) {
            long left = beatAt - System.nanoTime();
            if (left <= 0) {
                if (!caller.equals(again.get())) {
                    end.compareAndSet(null, End.REFUSED);
                    return;
                }
                write(out, ascii(": beat\n" + idLine() + "\n"));
                beatAt = System.nanoTime() + LiveStreams.BEAT.toNanos();
            } else {
                send(out, polled(Duration.ofNanos(left)));
            }
        }
    }

    /// What arrived. Where the topic is kept no longer from the position on, it goes on at what is kept.
    private ConsumerRecords<byte[], byte[]> polled(Duration most) {
        try {
            return reader.poll(most);
        } catch (OffsetOutOfRangeException lost) {
            Collection<TopicPartition> partitions =
                    lost.offsetOutOfRangePartitions().keySet();
            reader.beginningOffsets(partitions).forEach((partition, begin) -> {
                gone(partition.partition(), next.getOrDefault(partition.partition(), 0L), begin);
                reader.seek(partition, begin);
                next.put(partition.partition(), begin);
            });
            return ConsumerRecords.empty();
        }
    }

    private void gone(int partition, long at, long begin) {
        told.append(": position ")
                .append(at)
                .append(" of partition ")
                .append(partition)
                .append(" is not kept; going on at ")
                .append(begin)
                .append('\n');
    }

    private void send(OutputStream out, ConsumerRecords<byte[], byte[]> arrived) throws IOException {
        ByteArrayOutputStream frames = new ByteArrayOutputStream();
        if (!told.isEmpty()) {
            frames.writeBytes(ascii(told + idLine() + "\n"));
            told.setLength(0);
        }
        for (TopicPartition partition : arrived.partitions()) {
            for (ConsumerRecord<byte[], byte[]> record : arrived.records(partition)) {
                next.put(partition.partition(), record.offset() + 1);
                byte[] data = data(record.value());
                if (data != null) {
                    frames.writeBytes(ascii(idLine() + "event: " + topic.word() + "\ndata: "));
                    frames.writeBytes(data);
                    frames.writeBytes(ascii("\n\n"));
                }
                if (frames.size() >= WRITE_AT) {
                    write(out, frames.toByteArray());
                    frames.reset();
                }
            }
        }
        if (frames.size() > 0) {
            write(out, frames.toByteArray());
        }
    }

    /// A record's JSON on one line; absent when it is a tombstone, not ours or not asked for.
    private byte @Nullable [] data(byte @Nullable [] value) {
        if (value == null) {
            return null;
        }
        try {
            JsonNode record = Json.MAPPER.readTree(value);
            if (!record.isObject()) {
                streams.skipped();
                return null;
            }
            Set<String> domains = topic.domains(record);
            return wanted.test(domains)
                    ? visible.record(topic, domains, record)
                            .map(ONE_LINE::writeValueAsBytes)
                            .orElse(null)
                    : null;
        } catch (RuntimeException notOurs) { // JSON of another form, or none
            streams.skipped();
            return null;
        }
    }

    private void write(OutputStream out, byte[] frames) throws IOException {
        synchronized (writing) {
            writesSince = System.nanoTime();
            if (end.get() != null) {
                return;
            }
            isWriting = true;
        }
        try {
            out.write(frames);
            out.flush();
        } finally {
            synchronized (writing) {
                isWriting = false;
            }
        }
    }

    /// Ends the stream when its client does not take what is written to it.
    void dropIfSlow() {
        synchronized (writing) {
            if (isWriting && System.nanoTime() - writesSince > LiveStreams.PATIENCE.toNanos()) {
                interrupt(End.SLOW);
            }
        }
    }

    /// Ends the stream at once.
    void stop() {
        end.compareAndSet(null, End.STOPPED);
        synchronized (writing) {
            if (isWriting) {
                interrupt(End.STOPPED);
            }
        }
        reader.wakeup();
    }

    private void interrupt(End why) {
        end.compareAndSet(null, why);
        Thread waiting = writer;
        if (waiting != null) {
            waiting.interrupt();
        }
    }

    private String idLine() {
        return "id: " + id(topic, next) + "\n";
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public void close() {
        boolean interrupted = Thread.interrupted(); // otherwise the consumer would not close
        try {
            reader.close(CloseOptions.timeout(Duration.ZERO));
        } finally {
            streams.released();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}

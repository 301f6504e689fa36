package io.tlsrpt.console;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.console.ApiRoutes.Endpoint;
import io.tlsrpt.runtime.Caller;
import io.tlsrpt.topics.Topics;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.jspecify.annotations.Nullable;

/// `GET /api/v1/stream`: records as they arrive, as Server-Sent Events, to at most 64 clients at once.
///
/// Each client has a consumer of its own, which it pulls by taking what was written: one that does not read stops its
/// own consumer and nobody else's, nothing is held for it but what its socket and one small fetch hold, and it can
/// resume wherever the topic still reaches. A shared reader with a ring would save fetches from the broker, but would
/// need a second way to read whatever has left the ring, which is where every client that comes back begins. The price
/// is known: a stream costs a connection to each broker and one fetch of at most 256 KiB from each.
///
/// A write that takes longer than 10 s ends its stream: the thread is interrupted, which closes the socket under it.
///
/// `tlsrpt.console.stream.opened` = `tlsrpt.console.streams` + the sum of `tlsrpt.console.stream.dropped` over `why`.
final class LiveStreams implements AutoCloseable {

    static final int MOST = 64;

    /// Streams of one known caller, so that nobody takes all.
    static final int MOST_OF_ONE = 16;

    static final Duration BEAT = Duration.ofSeconds(15);
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final int FETCH_BYTES = 256 * 1024;
    private static final Duration LOOK = Duration.ofSeconds(1);

    /// The parameter that the header `Last-Event-ID` stands for too.
    static final String RESUME = "last-event-id";

    /// What a stream's consumer has other than all consumers have.
    static final Map<String, String> CONSUMER = Map.of(
            "auto.offset.reset",
            "none", // what is gone is told
            "fetch.max.bytes",
            Integer.toString(FETCH_BYTES),
            "max.partition.fetch.bytes",
            Integer.toString(FETCH_BYTES / 2),
            "max.poll.records",
            "100",
            "default.api.timeout.ms",
            "5000");

    private final Topics topics;
    private final Supplier<? extends Consumer<byte[], byte[]>> readers;
    private final Semaphore free = new Semaphore(MOST);
    private final Set<LiveStream> open = ConcurrentHashMap.newKeySet();
    private final Counter opened;
    private final Counter skipped;
    private final Map<LiveStream.End, Counter> dropped = new EnumMap<>(LiveStream.End.class);
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("console-streams-watch").daemon().factory());
    private volatile boolean closed;

    /// @param readers a new read_committed consumer without a group, with [#CONSUMER]
    LiveStreams(Topics topics, Supplier<? extends Consumer<byte[], byte[]>> readers, MeterRegistry meters) {
        this.topics = topics;
        this.readers = readers;
        opened = Counter.builder("tlsrpt.console.stream.opened")
                .description("Streams that clients opened")
                .register(meters);
        skipped = Counter.builder("tlsrpt.console.stream.skipped")
                .description("Records that are none of ours and were not sent, once for each stream")
                .register(meters);
        for (LiveStream.End why : LiveStream.End.values()) {
            dropped.put(
                    why,
                    Counter.builder("tlsrpt.console.stream.dropped")
                            .description("Streams that ended, by why")
                            .tag("why", why.word())
                            .register(meters));
        }
        Gauge.builder("tlsrpt.console.streams", open, Set::size)
                .description("Streams that clients follow now")
                .register(meters);
        var unused = watch.scheduleWithFixedDelay(
                () -> open.forEach(LiveStream::dropIfSlow), LOOK.toMillis(), LOOK.toMillis(), TimeUnit.MILLISECONDS);
    }

    List<Endpoint> endpoints() {
        return List.of(Endpoint.get("/api/v1/stream", Set.of("topic", "domain", RESUME), this::stream)
                .filtered());
    }

    private Supplier<Answer> stream(Parameters parameters) {
        LiveTopic topic = LiveTopic.of(parameters.oneOf("topic", LiveTopic.WORDS));
        if (topic == null) {
            parameters.required("topic");
        }
        String domain = parameters.domain("domain");
        String id = parameters.text(RESUME);
        return () -> {
            LiveTopic followed = Objects.requireNonNull(topic);
            Positions resumed;
            try {
                resumed = id == null ? null : LiveStream.positions(followed, id);
            } catch (IllegalArgumentException foreign) {
                return Answer.badRequest(
                        List.of(new Parameters.Fault(RESUME, "the id of an event of this topic, or none")));
            }
            Caller caller = parameters.caller();
            if (caller.authentication() != Caller.Authentication.NONE
                    && open.stream().filter(stream -> stream.isOf(caller)).count() >= MOST_OF_ONE) {
                return Answer.unavailable(
                        MOST_OF_ONE + " streams are open for " + caller.name() + "; ask again shortly");
            }
            if (closed || !free.tryAcquire()) {
                return Answer.unavailable(
                        closed ? "stopping" : MOST + " streams are open here already; ask again shortly");
            }
            return opened(
                    followed,
                    resumed,
                    caller,
                    parameters.visible(),
                    domain == null ? domains -> true : domains -> domains.contains(domain));
        };
    }

    /// With a permit taken, which is given back when the stream is closed.
    private Answer opened(
            LiveTopic topic,
            @Nullable Positions resumed,
            Caller caller,
            Visible visible,
            Predicate<Set<String>> wanted) {
        Consumer<byte[], byte[]> reader;
        try {
            reader = readers.get();
        } catch (RuntimeException failed) {
            free.release();
            throw failed;
        }
        LiveStream stream = new LiveStream(topic, topic.in(topics).name(), reader, caller, visible, wanted, this);
        boolean begins = false;
        try {
            begins = stream.seek(resumed);
        } finally {
            if (!begins) {
                stream.close();
            }
        }
        return begins
                ? Answer.stream("text/event-stream", Map.of("X-Accel-Buffering", "no"), stream)
                : Answer.badRequest(
                        List.of(new Parameters.Fault(RESUME, "an id whose partitions the topic has, or none")));
    }

    void began(LiveStream stream) {
        opened.increment();
        open.add(stream);
        if (closed) {
            stream.stop();
        }
    }

    void ended(LiveStream stream, LiveStream.End why) {
        if (open.remove(stream)) {
            Objects.requireNonNull(dropped.get(why)).increment();
        }
    }

    void skipped() {
        skipped.increment();
    }

    void released() {
        free.release();
    }

    /// Ends every stream at once; no more are opened.
    @Override
    public void close() {
        closed = true;
        watch.shutdownNow();
        open.forEach(LiveStream::stop);
    }
}

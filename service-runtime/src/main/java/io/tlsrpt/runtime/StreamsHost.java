package io.tlsrpt.runtime;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.config.MeterFilter;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs one Kafka Streams topology inside a service: reports its health, binds its metrics, replaces threads that died
/// of a passing trouble (at most three an hour) and leaves its group when closed, so that a restart need not wait.
public final class StreamsHost implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(StreamsHost.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);
    private static final int REPLACEMENTS_PER_HOUR = 3;

    /// Kafka offers hundreds of meters per thread and task; these are the ones to watch.
    private static final Set<String> METERS = Set.of(
            "kafka.stream.client.state",
            "kafka.stream.alive.stream.threads",
            "kafka.stream.failed.stream.threads",
            "kafka.stream.thread.commit.latency.max",
            "kafka.stream.thread.process.rate",
            "kafka.stream.thread.process.latency.max",
            "kafka.stream.thread.punctuate.latency.max",
            "kafka.stream.thread.task.closed.total",
            "kafka.stream.task.dropped.records.total",
            "kafka.stream.state.num.open.iterators",
            "kafka.stream.state.updater.active.restoring.tasks",
            "kafka.consumer.coordinator.last.heartbeat.seconds.ago",
            "kafka.consumer.fetch.manager.records.lag.max",
            "kafka.consumer.fetch.manager.records.consumed.total",
            "kafka.producer.record.send.total",
            "kafka.producer.record.error.total");

    private final String name;
    private final Health health;
    private final KafkaStreams streams;
    private final KafkaStreamsMetrics metrics;
    private final CompositeMeterRegistry watched;
    private final ThreadReplacement replacement;

    /// @param name of the part in health and logs
    /// @param properties as [KafkaSettings#streams] gives them
    public StreamsHost(String name, Topology topology, Properties properties, Surroundings surroundings) {
        this.name = name;
        this.health = surroundings.health();
        this.replacement = new ThreadReplacement(REPLACEMENTS_PER_HOUR, surroundings.clock());
        this.streams = new KafkaStreams(topology, properties);
        this.metrics = new KafkaStreamsMetrics(streams);
        this.watched = new CompositeMeterRegistry(Clock.SYSTEM, List.of(surroundings.meters()));
        watched.config().meterFilter(MeterFilter.denyUnless(id -> METERS.contains(id.getName())));
        streams.setStateListener((now, before) -> report(now));
        streams.setUncaughtExceptionHandler(this::uncaught);
        health.notReady(name, "not started");
    }

    public void start() {
        streams.start();
        metrics.bindTo(watched);
    }

    /// For queries of its state stores.
    public KafkaStreams streams() {
        return streams;
    }

    /// Commits, leaves the group and returns within 30 seconds.
    @Override
    public void close() {
        metrics.close();
        watched.close();
        boolean clean = streams.close(
                CloseOptions.timeout(CLOSE_TIMEOUT).withGroupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP));
        if (!clean) {
            log.atWarn()
                    .addKeyValue("part", name)
                    .log("closing took too long; the state is restored from the broker at the next start");
        }
    }

    private void report(State state) {
        switch (state) {
            case RUNNING -> health.ready(name);
            case CREATED, REBALANCING -> health.notReady(name, "taking over partitions and restoring their state");
            case PENDING_SHUTDOWN, NOT_RUNNING -> health.notReady(name, "closing");
            case PENDING_ERROR, ERROR -> health.dead(name, "stopped by an error; the log has the cause");
        }
        log.atInfo().addKeyValue("part", name).addKeyValue("state", state).log("streams state");
    }

    private StreamThreadExceptionResponse uncaught(Throwable error) {
        if (replacement.grant(error)) {
            log.atWarn().addKeyValue("part", name).setCause(error).log("a thread died and is replaced");
            return StreamThreadExceptionResponse.REPLACE_THREAD;
        }
        health.dead(name, "stopped by an error; the log has the cause");
        log.atError().addKeyValue("part", name).setCause(error).log("stopped: a restart is needed");
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }
}

package io.tlsrpt.ingest;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.report.ReportReader;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/// Intake on a producer that acknowledges, hangs or fails as a test says. It is noon on 2026-11-22.
final class TestIntake implements AutoCloseable {

    static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");

    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final IngestMetrics metrics = new IngestMetrics(meters);
    final Clock clock = Clock.fixed(NOW, ZoneOffset.UTC);
    final Settings settings;
    final Topics topics;
    final MockProducer<String, byte[]> broker;
    final Delivery delivery;
    final Spool spool;
    final AtomicReference<List<Settings.Domain>> domains;
    final Intake intake;
    final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();

    enum Broker {
        ACKNOWLEDGES,
        HANGS
    }

    TestIntake(Path data, Broker broker, String yaml) {
        this.settings = SettingsFile.parse("test.yaml", "data: " + data + "\n" + yaml, name -> null);
        this.topics = new Topics(settings.topicPrefix(), settings.retention());
        this.broker = new MockProducer<>(
                broker == Broker.ACKNOWLEDGES,
                new RoundRobinPartitioner(),
                new StringSerializer(),
                new ByteArraySerializer());
        this.delivery = new Delivery(() -> this.broker, Delivery.MAX_UNACKNOWLEDGED_BYTES);
        delivery.open();
        this.spool = new Spool(
                data.resolve("spool"), settings.intake().spoolMaxBytes().bytes(), metrics);
        metrics.watch(spool, delivery);
        this.domains = new AtomicReference<>(settings.domains());
        this.intake = new Intake(
                topics,
                settings.intake(),
                new OurDomains(domains::get, Discovery.OFF),
                new ReportReader(ReportReader.Limits.DEFAULT),
                delivery,
                spool,
                metrics);
    }

    void brokerFails() {
        broker.sendException = new TimeoutException("no broker");
    }

    void brokerIsBack() {
        broker.sendException = null;
    }

    ReportEndpoint endpoint(Duration bodyDeadline, long budget) {
        return new ReportEndpoint(
                settings::intake,
                intake,
                new Body.Reader(settings.intake().maxBody().asInt(), bodyDeadline, budget),
                metrics,
                clock);
    }

    static Submission posted(byte[] bytes) {
        return new Submission(
                bytes, false, Source.HTTPS, NOW, "192.0.2.1", Proof.NOBODY, null, Submission.Backfill.NO, null, null);
    }

    List<ProducerRecord<String, byte[]>> raw() {
        return broker.history().stream()
                .filter(record -> record.topic().equals(topics.raw().name()))
                .toList();
    }

    List<ProducerRecord<String, byte[]>> rejected() {
        return broker.history().stream()
                .filter(record -> record.topic().equals(topics.rejected().name()))
                .toList();
    }

    static @Nullable String header(ProducerRecord<String, byte[]> record, String name) {
        return ReportHeaders.text(record.headers(), name);
    }

    /// All counters of that name, or those with the tag.
    double count(String name, String... tags) {
        return meters.find(name).tags(tags).counters().stream()
                .mapToDouble(Counter::count)
                .sum();
    }

    double gauge(String name) {
        return Objects.requireNonNull(meters.find(name).gauge()).value();
    }

    @Override
    public void close() {
        timers.shutdownNow();
        spool.close();
    }
}

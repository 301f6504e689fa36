package io.tlsrpt.console;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.AcceptedReport;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.Notification;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.Topics;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TopologyTestDriver;

/// Views over topics that the test fills.
final class FilledViews implements AutoCloseable {

    static final Topics TOPICS = new Topics("tlsrpt.", Duration.ofDays(400));
    static final LocalDate DAY = LocalDate.of(2026, 11, 20);
    static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");

    private static final JsonSerde<AggregateKey> KEY = new JsonSerde<>(AggregateKey.class);
    private static final JsonSerde<Aggregate> AGGREGATE = new JsonSerde<>(Aggregate.class);
    private static final JsonSerde<AcceptedReport> REPORT = new JsonSerde<>(AcceptedReport.class);
    private static final JsonSerde<Alert> ALERT = new JsonSerde<>(Alert.class);
    private static final JsonSerde<DomainClaim> CLAIM = new JsonSerde<>(DomainClaim.class);
    private static final JsonSerde<Notification> NOTIFICATION = new JsonSerde<>(Notification.class);

    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final Views views;
    private final TopologyTestDriver driver;

    /// For an API on a loopback address that asks nobody who they are.
    static Access access() {
        Settings settings =
                SettingsFile.parse("test", "alerting: {public-url: \"https://tlsrpt.example.com/\"}", name -> null);
        return new Access(() -> settings, HostPort.parse("127.0.0.1:0"), new SimpleMeterRegistry());
    }

    FilledViews(Path directory) {
        Properties properties = new Properties();
        properties.put("application.id", "console-test");
        properties.put("bootstrap.servers", "127.0.0.1:1");
        properties.put("state.dir", directory.toString());
        properties.put("ensure.explicit.internal.resource.naming", "true");
        properties.put("processing.exception.handler.global.enabled", "true");
        views = new Views(name -> driver().getKeyValueStore(name));
        driver = new TopologyTestDriver(views.topology(TOPICS, new StreamsConfig(properties), meters), properties, NOW);
    }

    private TopologyTestDriver driver() {
        return driver;
    }

    static Aggregate cell(LocalDate day, String domain, String submitter, long successful, long failed) {
        return new Aggregate(
                day,
                domain,
                "sts",
                submitter,
                "dkim",
                successful,
                failed,
                1,
                "enforce",
                failed == 0
                        ? List.of()
                        : List.of(new Aggregate.Failure(
                                "certificate-expired", "mx1." + domain, failed, 1, List.of("192.0.2.1"), null)),
                NOW,
                NOW,
                day.plusDays(1).atStartOfDay().toInstant(ZoneOffset.UTC),
                false);
    }

    static AcceptedReport report(String key, String submitter, LocalDate day, String... domains) {
        Instant start = day.atStartOfDay().toInstant(ZoneOffset.UTC);
        return new AcceptedReport(
                key,
                0,
                submitter,
                "Google Inc.",
                "smtp-tls-reporting@" + submitter,
                "id-" + key,
                start,
                start.plus(Duration.ofDays(1)),
                List.of(domains),
                List.of(),
                "dkim",
                "smtp",
                NOW,
                false,
                List.of(),
                new RawPosition(0, 7),
                null);
    }

    static Alert alert(String id, String state, Instant updated, String domain, Map<String, String> labels) {
        return new Alert(
                id,
                id + "-1",
                "certificate",
                "certificate-expired",
                domain,
                "mx1.example.com",
                null,
                "sts",
                labels,
                state,
                "critical",
                1,
                null,
                NOW,
                updated,
                null,
                null,
                null,
                null,
                "expired certificate at mx1.example.com",
                new Alert.Evidence(
                        DAY, "B", 5, 55, 0, 1500, 2.8e-9, null, null, null, List.of(domain, "shared.example"), 2),
                null,
                null,
                null);
    }

    static byte[] bytes(Aggregate cell) {
        return AGGREGATE.write(cell);
    }

    void put(Aggregate cell) {
        pipe(TOPICS.aggregates(), KEY.write(cell.key()), AGGREGATE.write(cell));
    }

    void forget(AggregateKey key) {
        pipe(TOPICS.aggregates(), KEY.write(key), null);
    }

    void put(AcceptedReport report) {
        pipe(TOPICS.reports(), report.reportKey().getBytes(StandardCharsets.UTF_8), REPORT.write(report));
    }

    void forgetReport(String key) {
        pipe(TOPICS.reports(), key.getBytes(StandardCharsets.UTF_8), null);
    }

    void put(DomainClaim claim) {
        pipe(TOPICS.domains(), claim.policyDomain().getBytes(StandardCharsets.UTF_8), CLAIM.write(claim));
    }

    void forgetDomain(String domain) {
        pipe(TOPICS.domains(), domain.getBytes(StandardCharsets.UTF_8), null);
    }

    void put(Alert alert) {
        pipe(TOPICS.alerts(), alert.alertId().getBytes(StandardCharsets.UTF_8), ALERT.write(alert));
    }

    void put(Notification notification) {
        pipe(
                TOPICS.notifications(),
                notification.key().getBytes(StandardCharsets.UTF_8),
                NOTIFICATION.write(notification));
    }

    /// How many a store has.
    long entries(String store) {
        try (var all = driver.<Bytes, byte[]>getKeyValueStore(store).all()) {
            long entries = 0;
            while (all.hasNext()) {
                all.next();
                entries++;
            }
            return entries;
        }
    }

    @SuppressWarnings("NullAway") // a tombstone
    void pipe(Topics.Topic topic, byte[] key, byte @org.jspecify.annotations.Nullable [] value) {
        driver.createInputTopic(topic.name(), new ByteArraySerializer(), new ByteArraySerializer())
                .pipeInput(key, value);
    }

    @Override
    public void close() {
        driver.close();
    }
}

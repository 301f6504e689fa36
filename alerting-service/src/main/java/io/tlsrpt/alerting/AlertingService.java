package io.tlsrpt.alerting;

import io.tlsrpt.runtime.BoundedRocksDb;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Service;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.StreamsHost;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.streams.errors.LogAndContinueExceptionHandler;

/// Decides what is wrong ([DetectionTopology]) and tells those who want to know ([NotificationPipeline]). The two meet
/// at the topic `tlsrpt.alerts` alone.
public final class AlertingService implements Service {

    private final Surroundings surroundings;
    private final StreamsHost detection;
    private final NotificationPipeline notifications;
    private final Heartbeat heartbeat;

    public AlertingService(Surroundings surroundings) {
        this.surroundings = surroundings;
        Settings settings = surroundings.settings();
        Properties properties = new KafkaSettings(settings)
                .streams(
                        settings.topicPrefix() + "alerting-service",
                        Map.of(
                                "rocksdb.config.setter",
                                BoundedRocksDb.class.getName(),
                                // One record that cannot be read or judged must not silence all the others.
                                "deserialization.exception.handler",
                                LogAndContinueExceptionHandler.class.getName(),
                                "processing.exception.handler",
                                PoisonRecords.class.getName()));
        this.detection = new StreamsHost(
                "detection",
                DetectionTopology.build(
                        new Topics(settings.topicPrefix(), settings.retention()),
                        surroundings.current(),
                        new DetectionMetrics(surroundings.meters()),
                        properties),
                properties,
                surroundings);
        this.notifications = new NotificationPipeline(surroundings);
        this.heartbeat = new Heartbeat(surroundings);
    }

    @Override
    public String name() {
        return "alerting-service";
    }

    @Override
    public void start() {
        Settings settings = surroundings.settings();
        TopicSetup.ensure(
                new KafkaSettings(settings).admin(settings.topicPrefix() + "alerting-topics"),
                new Topics(settings.topicPrefix(), settings.retention()),
                settings.kafka().newTopicPartitions(),
                settings.kafka().newTopicCopies());
        detection.start();
        notifications.start();
        heartbeat.start();
    }

    @Override
    public void close() {
        heartbeat.close();
        notifications.close();
        detection.close();
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.BoundedRocksDb;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Service;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.runtime.StreamsHost;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Properties;
import org.apache.kafka.streams.errors.LogAndContinueExceptionHandler;

/// Decides what is wrong ([DetectionTopology]) and tells those who want to know ([NotificationPipeline]). The two meet
/// at the topic `tlsrpt.alerts` alone.
public final class AlertingService implements Service {

    private final Surroundings surroundings;
    private final StreamsHost detection;
    private final NotificationPipeline notifications;
    private final Heartbeat heartbeat;
    private final Canary canary;
    private final Inspector inspector;

    /// What arrived until then was judged in the house that this one continues.
    private volatile Instant judgedUntil = Instant.EPOCH;

    public AlertingService(Surroundings surroundings) {
        this.surroundings = surroundings;
        Settings settings = surroundings.settings();
        Properties properties = new KafkaSettings(settings)
                .streams(
                        settings.topicPrefix() + "alerting-service",
                        Map.of(
                                // The rejected topic has records of up to 12 MiB.
                                "buffered.records.per.partition",
                                "20",
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
                        properties,
                        () -> judgedUntil),
                properties,
                surroundings);
        this.notifications = new NotificationPipeline(surroundings);
        this.heartbeat = new Heartbeat(surroundings);
        this.canary = new Canary(surroundings, notifications::leads);
        this.inspector = new Inspector(surroundings);
    }

    /// How a trial of a receiver ended.
    ///
    /// @param told `firing` or `resolved`
    /// @param result a word of docs/alerting.md, such as `delivered` or `refused`
    /// @param detail for people; holds no secret
    public record Trial(String told, boolean delivered, String result, String detail) {}

    /// Tells a receiver of a sample alert, which says of itself that it is one, past all routes and silences. Needs no
    /// running service.
    ///
    /// @param resolve whether it is told of the resolution as well, once it took the alert
    /// @return one outcome for each message sent
    /// @throws NoSuchElementException when the settings have no receiver of this name
    public static List<Trial> tryReceiver(
            AlertingSettings settings, String receiver, Severity severity, boolean resolve, Clock clock) {
        AlertingSettings.Receiver found = settings.receivers().stream()
                .filter(each -> each.name().equals(receiver))
                .findFirst()
                .orElseThrow(() -> new NoSuchElementException("no receiver has the name \"" + receiver + "\""));
        Receiver target = Receiver.of(found, settings.mailServer());
        Instant now = clock.instant();
        Trial firing = trial(
                Alert.FIRING, target.deliver(TrialMessage.firing(settings, receiver, severity, now), clock.instant()));
        if (!resolve || !firing.delivered()) {
            return List.of(firing);
        }
        return List.of(
                firing,
                trial(
                        Alert.RESOLVED,
                        target.deliver(TrialMessage.resolved(settings, receiver, severity, now), clock.instant())));
    }

    private static Trial trial(String told, Attempt attempt) {
        return new Trial(
                told,
                attempt.result() == Receiver.Result.DELIVERED,
                attempt.result().word(),
                attempt.detail());
    }

    @Override
    public String name() {
        return "alerting-service";
    }

    @Override
    public void start() {
        Settings settings = surroundings.settings();
        Topics topics = new Topics(settings.topicPrefix(), settings.retention());
        TopicSetup.ensure(
                new KafkaSettings(settings).admin(settings.topicPrefix() + "alerting-topics"),
                topics,
                settings.kafka().newTopicPartitions(),
                settings.kafka().newTopicCopies());
        judgedUntil = MovedIn.judgedUntil(new KafkaSettings(settings), topics);
        detection.start();
        notifications.start();
        heartbeat.start();
        canary.start();
        inspector.start();
    }

    @Override
    public void close() {
        inspector.close();
        canary.close();
        heartbeat.close();
        notifications.close();
        detection.close();
    }
}

package io.tlsrpt.stream;

import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Service;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.StreamsHost;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/// Judges, flattens and adds up what lies in the raw topic. It creates the topics that are missing.
public final class ProcessorService implements Service {

    private static final String NAME = "stream-processor";

    /// A document may be 10 MiB and compress to nearly nothing: what is read ahead is counted in records, few of them.
    private static final Map<String, String> READ_AHEAD =
            Map.of("buffered.records.per.partition", "5", "main.consumer.max.poll.records", "20");

    private final Surroundings surroundings;
    private @Nullable StreamsHost host;

    public ProcessorService(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void start() {
        Settings settings = surroundings.settings();
        Topics topics = new Topics(settings.topicPrefix(), settings.retention());
        KafkaSettings kafka = new KafkaSettings(settings);
        TopicSetup.ensure(
                kafka.admin(settings.topicPrefix() + NAME + "-topics"),
                topics,
                settings.kafka().newTopicPartitions(),
                settings.kafka().newTopicCopies());
        ProcessorMetrics metrics = new ProcessorMetrics(surroundings.meters());
        Properties properties = kafka.streams(settings.topicPrefix() + NAME, READ_AHEAD);
        properties.putAll(SafetyNet.properties(topics, metrics));
        host = new StreamsHost(NAME, ReportTopology.build(properties, topics, metrics), properties, surroundings);
        host.start();
    }

    @Override
    public void close() {
        if (host != null) {
            host.close();
        }
    }
}

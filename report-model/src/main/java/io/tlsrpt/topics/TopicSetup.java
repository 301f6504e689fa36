package io.tlsrpt.topics;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Creates the topics that are missing, with the settings they need, and refuses those that contradict them.
public final class TopicSetup {

    private static final Logger LOG = LoggerFactory.getLogger(TopicSetup.class);
    private static final long TIMEOUT_SECONDS = 60;

    private static final int PATIENCE = 100;

    private final Admin admin;
    private final Topics topics;
    private final int partitions;
    private final short replicationFactor;

    /// @param partitions of new topics; all topics have equally many
    /// @param replicationFactor copies of new topics; 1 makes the broker flush each raw and rejected record to the disk
    public TopicSetup(Admin admin, Topics topics, int partitions, int replicationFactor) {
        this.admin = admin;
        this.topics = topics;
        this.partitions = partitions;
        this.replicationFactor = (short) replicationFactor;
    }

    /// Sets the topics up and says in the log what was done. Every service does so when it starts; whoever is first
    /// creates them.
    ///
    /// @param properties of an admin client
    /// @throws IllegalStateException when the broker does not answer or existing topics cannot be used
    public static void ensure(Properties properties, Topics topics, int partitions, int replicationFactor) {
        try (Admin admin = Admin.create(properties)) {
            Outcome outcome = new TopicSetup(admin, topics, partitions, replicationFactor).run();
            if (!outcome.created().isEmpty()) {
                LOG.atInfo()
                        .addKeyValue("topics", outcome.created())
                        .addKeyValue("partitions", partitions)
                        .addKeyValue("replication-factor", replicationFactor)
                        .log("topics created");
            }
            if (!outcome.adjusted().isEmpty()) {
                LOG.atInfo().addKeyValue("topics", outcome.adjusted()).log("retention follows the settings now");
            }
            outcome.warnings().forEach(warning -> LOG.atWarn().log(warning));
        }
    }

    /// What there is to know after setting up.
    ///
    /// @param created names of new topics
    /// @param adjusted names of topics whose retention now follows the settings
    /// @param warnings for the operator, such as acks=all meaning one copy
    public record Outcome(List<String> created, List<String> adjusted, List<String> warnings) {}

    /// @throws IllegalStateException naming every contradiction and what to do, when existing topics cannot be used
    public Outcome run() {
        List<String> created = createMissing();
        Map<String, TopicDescription> descriptions =
                known(() -> admin.describeTopics(names()).allTopicNames());
        Map<String, Config> configs = configs();
        List<String> faults = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        Map<String, Integer> partitionCounts = new TreeMap<>();
        Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
        for (Topics.Topic topic : topics.all()) {
            TopicDescription description = Objects.requireNonNull(descriptions.get(topic.name()));
            Config config = Objects.requireNonNull(configs.get(topic.name()));
            partitionCounts.put(topic.name(), description.partitions().size());
            faults.addAll(contradictions(topic, config));
            int copies = description.partitions().getFirst().replicas().size();
            if (topic.name().equals(topics.raw().name())) {
                oneCopy(topic.name(), copies, Integer.parseInt(value(config, "min.insync.replicas")))
                        .ifPresent(warnings::add);
            }
            if (topic.retention() != null) {
                String wanted = Long.toString(topic.retention().toMillis());
                if (!wanted.equals(value(config, "retention.ms"))) {
                    changes.put(
                            resource(topic.name()),
                            List.of(new AlterConfigOp(
                                    new ConfigEntry("retention.ms", wanted), AlterConfigOp.OpType.SET)));
                }
            }
        }
        if (Set.copyOf(partitionCounts.values()).size() > 1) {
            faults.add("all topics need the same number of partitions, but found " + partitionCounts
                    + "; create them anew under another topic-prefix, or delete the odd ones");
        }
        if (!faults.isEmpty()) {
            throw new IllegalStateException(
                    "the topics on this cluster cannot be used:\n  - " + String.join("\n  - ", faults));
        }
        if (!created.isEmpty()) {
            awaitLeaders(descriptions.values());
        }
        if (!changes.isEmpty()) {
            get(admin.incrementalAlterConfigs(changes).all());
        }
        return new Outcome(
                created,
                changes.keySet().stream().map(ConfigResource::name).sorted().toList(),
                warnings);
    }

    /// A producer that meets a partition before its leader does stumbles over its own sequence numbers.
    private void awaitLeaders(Collection<TopicDescription> descriptions) {
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        for (TopicDescription description : descriptions) {
            description
                    .partitions()
                    .forEach(partition -> ends.put(
                            new TopicPartition(description.name(), partition.partition()), OffsetSpec.latest()));
        }
        known(() -> admin.listOffsets(ends).all());
    }

    private List<String> createMissing() {
        Set<String> existing = get(admin.listTopics().names());
        List<NewTopic> missing = topics.all().stream()
                .filter(topic -> !existing.contains(topic.name()))
                .map(topic -> new NewTopic(topic.name(), partitions, replicationFactor).configs(settings(topic)))
                .toList();
        for (Map.Entry<String, KafkaFuture<Void>> creation :
                admin.createTopics(missing).values().entrySet()) {
            try {
                get(creation.getValue());
            } catch (TopicExistsException createdByAnother) {
                // another instance was faster; what it made is verified below
            }
        }
        return missing.stream().map(NewTopic::name).toList();
    }

    private Map<String, String> settings(Topics.Topic topic) {
        Map<String, String> settings = new HashMap<>();
        settings.put("cleanup.policy", topic.cleanup());
        settings.put("max.message.bytes", Integer.toString(topic.maxMessageBytes()));
        if (topic.retention() != null) {
            settings.put("retention.ms", Long.toString(topic.retention().toMillis()));
        }
        if (topic.retentionBytes() != null) {
            settings.put("retention.bytes", Long.toString(topic.retentionBytes()));
        }
        if (topic.flushed()) {
            // arrival, by the broker's clock: what retention counts from
            settings.put("message.timestamp.type", "LogAppendTime");
            if (replicationFactor == 1) {
                settings.put("flush.messages", "1");
            }
        }
        if (replicationFactor >= 3) {
            settings.put("min.insync.replicas", "2");
        }
        return settings;
    }

    /// What to say when an acknowledged report may lie on one disk alone.
    static Optional<String> oneCopy(String topic, int copies, int minInSync) {
        if (copies == 1) {
            return Optional.of("acks=all means one copy of each report: " + topic
                    + " has replication factor 1; a lost disk loses reports");
        }
        return minInSync > 1
                ? Optional.empty()
                : Optional.of("acks=all may mean one copy of each report: " + topic
                        + " has min.insync.replicas=1, so a report is acknowledged while the other copies are away");
    }

    private static List<String> contradictions(Topics.Topic topic, Config config) {
        List<String> faults = new ArrayList<>();
        String cleanup = value(config, "cleanup.policy");
        if (!cleanup.equals(topic.cleanup())) {
            faults.add(topic.name() + " has cleanup.policy=" + cleanup + ", but it must be " + topic.cleanup()
                    + ": alter the topic, or use another topic-prefix");
        }
        if (Integer.parseInt(value(config, "max.message.bytes")) < topic.maxMessageBytes()) {
            faults.add(topic.name() + " has max.message.bytes=" + value(config, "max.message.bytes")
                    + ", but needs at least " + topic.maxMessageBytes() + ": alter the topic");
        }
        if (topic.flushed() && !value(config, "message.timestamp.type").equals("LogAppendTime")) {
            faults.add(topic.name() + " has message.timestamp.type=" + value(config, "message.timestamp.type")
                    + ", but it must be LogAppendTime: finish the restore that left it so, or alter the topic");
        }
        return faults;
    }

    private Map<String, Config> configs() {
        List<ConfigResource> resources =
                names().stream().map(TopicSetup::resource).toList();
        Map<String, Config> configs = new HashMap<>();
        known(() -> admin.describeConfigs(resources).all())
                .forEach((resource, config) -> configs.put(resource.name(), config));
        return configs;
    }

    private List<String> names() {
        return topics.all().stream().map(Topics.Topic::name).toList();
    }

    private static ConfigResource resource(String topic) {
        return new ConfigResource(ConfigResource.Type.TOPIC, topic);
    }

    private static String value(Config config, String name) {
        return config.get(name).value();
    }

    /// A broker may not yet know of the topics that the controller has just created.
    private static <T> T known(Supplier<KafkaFuture<T>> question) {
        for (int attempt = 1; ; attempt++) {
            try {
                return get(question.get());
            } catch (UnknownTopicOrPartitionException notYet) {
                if (attempt == PATIENCE) {
                    throw notYet;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
            }
        }
    }

    private static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(failed.getCause());
        } catch (TimeoutException silent) {
            throw new IllegalStateException(
                    "the broker did not answer within " + TIMEOUT_SECONDS + " s; is kafka.bootstrap-servers right?",
                    silent);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while setting up the topics", interrupted);
        }
    }
}

package io.tlsrpt.cli;

import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// `./tlsrpt tail TOPIC`: what arrives, as it arrives, until it is stopped; from the broker, or from the API when it
/// is named.
@Command(
        name = "tail",
        mixinStandardHelpOptions = true,
        description = "Shows records as they arrive, until stopped (Ctrl-C).")
final class TailCommand implements Callable<Integer> {

    private static final Duration POLL = Duration.ofMillis(500);

    /// What can be followed.
    enum Followed {
        EVENTS,
        AGGREGATES,
        ALERTS,
        VERDICTS,
        REJECTED;

        private Topics.Topic in(Topics topics) {
            return switch (this) {
                case EVENTS -> topics.events();
                case AGGREGATES -> topics.aggregates();
                case ALERTS -> topics.alerts();
                case VERDICTS -> topics.verdicts();
                case REJECTED -> topics.rejected();
            };
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Terminal terminal;
    private final Consumer<Duration> pause;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOption server = new ServerOption();

    @Parameters(paramLabel = "TOPIC", description = "${COMPLETION-CANDIDATES}")
    private Followed followed = Followed.EVENTS;

    @Option(
            names = "--bootstrap-servers",
            paramLabel = "HOST:PORT",
            description = "The broker, ${DEFAULT-VALUE} by default.")
    private String bootstrapServers = Commands.Defaults.STANDALONE.bootstrapServers();

    @Option(
            names = "--topic-prefix",
            paramLabel = "PREFIX",
            description = "First part of the topics' names, ${DEFAULT-VALUE} by default.")
    private String topicPrefix = Commands.Defaults.STANDALONE.topicPrefix();

    @Option(names = "--domain", paramLabel = "DOMAIN", description = "Of this domain only; with --url.")
    private @Nullable String domain;

    @Option(names = "--from-beginning", description = "Everything that is kept, then what arrives; not with --url.")
    private boolean fromBeginning;

    @Option(names = "--max", paramLabel = "N", description = "Stop after so many records.")
    private long max = Long.MAX_VALUE;

    @Option(names = "--json", description = "One JSON object per line.")
    private boolean json;

    /// @param pause between two attempts to reach the API
    TailCommand(Terminal terminal, Consumer<Duration> pause) {
        this.terminal = terminal;
        this.pause = pause;
    }

    @Override
    public Integer call() {
        if (spec.commandLine().getParseResult().hasMatchedOption("--url")) {
            followApi();
        } else if (domain != null) {
            throw new ParameterException(spec.commandLine(), "--domain goes with --url");
        } else {
            followBroker();
        }
        return 0;
    }

    private void followApi() {
        if (followed == Followed.REJECTED) {
            throw new ParameterException(
                    spec.commandLine(), "rejected documents are followed on the broker only: leave out --url");
        }
        if (fromBeginning) {
            throw new ParameterException(spec.commandLine(), "--from-beginning reads the broker: leave out --url");
        }
        Map<String, String> query = new TreeMap<>(Map.of("topic", followed.toString()));
        if (domain != null) {
            query.put("domain", domain);
        }
        try (Server api = server.connect()) {
            new LiveTail(api, terminal, pause).follow(query, max, this::show);
        }
    }

    private void followBroker() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrapServers);
        properties.put("client.id", "tlsrpt-tail");
        properties.put("isolation.level", "read_committed");
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        properties.put("allow.auto.create.topics", "false");
        properties.put("default.api.timeout.ms", "10000");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            follow(consumer);
        } catch (TimeoutException nobody) {
            throw new Failure("no broker answers at " + Terminal.shown(bootstrapServers)
                    + " – start tlsrpt with ./tlsrpt run, or name another with --bootstrap-servers");
        } catch (KafkaException failed) {
            throw new Failure("the broker cannot be read: " + Terminal.shown(String.valueOf(failed.getMessage())));
        }
    }

    void follow(org.apache.kafka.clients.consumer.Consumer<byte[], byte[]> consumer) {
        String topic = followed.in(new Topics(topicPrefix, Duration.ofDays(1))).name();
        List<PartitionInfo> partitions = consumer.partitionsFor(topic);
        if (partitions == null || partitions.isEmpty()) {
            throw new Failure("the broker has no topic " + Terminal.shown(topic)
                    + " – has tlsrpt been started with it? is --topic-prefix right?");
        }
        List<TopicPartition> assigned = new ArrayList<>();
        partitions.forEach(partition -> assigned.add(new TopicPartition(topic, partition.partition())));
        consumer.assign(assigned);
        if (fromBeginning) {
            consumer.seekToBeginning(assigned);
        } else {
            consumer.seekToEnd(assigned);
        }
        long left = max;
        while (left > 0) {
            for (ConsumerRecord<byte[], byte[]> arrived : consumer.poll(POLL)) {
                if (left-- > 0) {
                    show(arrived);
                }
            }
        }
    }

    private void show(ConsumerRecord<byte[], byte[]> arrived) {
        JsonNode row;
        try {
            row = followed == Followed.REJECTED ? rejected(arrived) : value(arrived);
        } catch (JacksonException notOurs) {
            terminal.line("(not one of ours: partition " + arrived.partition() + ", offset " + arrived.offset() + ")");
            return;
        }
        if (row.isNull()) {
            return; // a tombstone: expired
        }
        show(row);
    }

    private void show(JsonNode row) {
        terminal.line(
                json
                        ? Server.ASCII.writeValueAsString(row)
                        : switch (followed) {
                            case EVENTS -> Rendering.event(row);
                            case AGGREGATES -> Rendering.aggregate(row);
                            case ALERTS -> Rendering.alert(row, terminal);
                            case VERDICTS -> Rendering.verdict(row, terminal);
                            case REJECTED -> Rendering.rejected(row, terminal);
                        });
    }

    private static JsonNode value(ConsumerRecord<byte[], byte[]> arrived) {
        return arrived.value() == null ? Json.MAPPER.nullNode() : Json.MAPPER.readTree(arrived.value());
    }

    private static JsonNode rejected(ConsumerRecord<byte[], byte[]> arrived) {
        ObjectNode row = Json.MAPPER.createObjectNode();
        row.put("at", Instant.ofEpochMilli(arrived.timestamp()).toString());
        for (String header : List.of("reason", "detail", "source", "remote", "submitter", "received-at")) {
            String text = ReportHeaders.text(arrived.headers(), header);
            if (text != null) {
                row.put(header, text);
            }
        }
        row.put("size", arrived.value() == null ? 0 : arrived.value().length);
        return row;
    }
}

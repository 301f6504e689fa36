package io.tlsrpt.connect;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.connect.runtime.distributed.DistributedConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// What is ours of the connector configurations, also of those whose sinks are on no repository that the build reaches.
class ConnectorFilesTest {

    private static final Path DEPLOY = Path.of("../deploy/connect");
    private static final List<String> TOPICS = new Topics("tlsrpt.", Duration.ofDays(400))
            .all().stream().map(Topics.Topic::name).toList();

    private static Stream<String> connectors() {
        try (Stream<Path> files = Files.list(DEPLOY)) {
            return files
                    .map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".json"))
                    .sorted()
                    .toList()
                    .stream();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    @Test
    void thereAreEight() {
        assertThat(connectors()).hasSize(8);
    }

    @ParameterizedTest
    @MethodSource("connectors")
    void aConnectorReadsWhatIsCommittedOfATopicOfOurs(String file) {
        Map<String, String> config = config(file);

        assertThat(config).containsEntry("consumer.override.isolation.level", "read_committed");
        assertThat(TOPICS).contains(config.get("topics"));
    }

    @ParameterizedTest
    @MethodSource("connectors")
    void aConnectorSetsAsideWhatItCannotReadAndHidesItsPasswords(String file) {
        Map<String, String> config = config(file);

        assertThat(config)
                .containsEntry("errors.tolerance", "all")
                .containsEntry("errors.deadletterqueue.topic.name", "connect-tlsrpt-errors");
        config.forEach((name, value) -> {
            if (name.matches(".*(password|secret|access\\.key).*")) {
                assertThat(value).as(name).startsWith("${file:/etc/kafka-connect/secrets.properties:");
            }
        });
    }

    @ParameterizedTest
    @MethodSource("connectors")
    void ourConverterTakesItsOptionsAndIsOnlyOnTopicsOfRecords(String file) {
        Map<String, String> config = config(file);

        for (String side : List.of("key.converter", "value.converter")) {
            Map<String, String> options = new HashMap<>();
            config.forEach((name, value) -> {
                if (name.startsWith(side + ".")) {
                    options.put(name.substring(side.length() + 1), value);
                }
            });
            if (RecordConverter.class.getName().equals(config.get(side))) {
                RecordConverter converter = new RecordConverter();
                converter.configure(options, side.startsWith("key"));

                assertThat(converter.config().names()).containsAll(options.keySet());
                assertThat(config.get("topics")).isNotIn("tlsrpt.reports.raw", "tlsrpt.reports.rejected");
            } else {
                assertThat(options).isEmpty();
                assertThat(config.get(side)).startsWith("org.apache.kafka.connect.");
            }
        }
    }

    @Test
    void theWorkerTakesItsPropertiesAndKnowsThemAll() {
        Map<String, String> properties = Worker.properties();

        DistributedConfig config = new DistributedConfig(properties);

        assertThat(config.getString("connector.client.config.override.policy")).isEqualTo("All");
        assertThat(properties.keySet())
                .filteredOn(name -> !name.startsWith("config.providers.") && !name.startsWith("consumer."))
                .isSubsetOf(config.values().keySet());
        assertThat(properties).containsEntry("consumer.isolation.level", "read_committed");
    }

    private static Map<String, String> config(String file) {
        JsonNode connector = new ObjectMapper().readTree(DEPLOY.resolve(file).toFile());
        assertThat(connector.get("name").asString()).isEqualTo("tlsrpt-" + file.replace(".json", ""));
        Map<String, String> config = new HashMap<>();
        connector.get("config").forEachEntry((name, value) -> config.put(name, value.asString()));
        return config;
    }
}

package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.topics.TopicSetup;
import io.tlsrpt.topics.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedBrokerIT {

    private static final HostPort ANY_PORT = HostPort.parse("127.0.0.1:0");

    @TempDir
    Path directory;

    @Test
    void topicsAreCreatedOnceAndFoundAgainAfterARestartWithAnotherPort() throws Exception {
        Topics topics = new Topics("tlsrpt.", Duration.ofDays(400));
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, ANY_PORT);
                Admin admin = admin(broker)) {
            assertThat(new TopicSetup(admin, topics, 4, 1).run().created())
                    .hasSize(topics.all().size());
        }
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, ANY_PORT);
                Admin admin = admin(broker)) {
            TopicSetup.Outcome again = new TopicSetup(admin, topics, 4, 1).run();
            assertThat(again.created()).isEmpty();
            assertThat(again.adjusted()).isEmpty();
            assertThat(again.warnings()).singleElement().asString().contains("one copy");
            Topics longer = new Topics("tlsrpt.", Duration.ofDays(14_600));
            assertThat(new TopicSetup(admin, longer, 4, 1).run().adjusted())
                    .contains("tlsrpt.reports.raw", "tlsrpt.events")
                    .doesNotContain("tlsrpt.aggregates");
        }
    }

    @Test
    void anExistingTopicThatContradictsIsRefusedWithWhatToDo() throws Exception {
        Topics topics = new Topics("other.", Duration.ofDays(400));
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, ANY_PORT);
                Admin admin = admin(broker)) {
            admin.createTopics(List.of(
                            new NewTopic("other.aggregates", 3, (short) 1).configs(Map.of("cleanup.policy", "delete"))))
                    .all()
                    .get();
            assertThatThrownBy(() -> new TopicSetup(admin, topics, 4, 1).run())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("other.aggregates has cleanup.policy=delete, but it must be compact")
                    .hasMessageContaining("same number of partitions");
        }
    }

    @Test
    void aTakenPortIsNamedWithTheSettingThatMovesIt() {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, ANY_PORT)) {
            assertThatThrownBy(() -> EmbeddedBroker.start(
                            directory.resolveSibling("second"), HostPort.parse(broker.bootstrapServers())))
                    .hasMessageContaining("kafka.embedded-listen");
        }
    }

    private static Admin admin(EmbeddedBroker broker) {
        return Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()));
    }
}

package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// The whole program in this JVM, on a real broker.
final class House extends RunningHouse {

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final Standalone standalone;

    private House(Standalone standalone) {
        super(
                new Doors(
                        standalone.bootstrapServers(),
                        standalone.intakeAddress(),
                        standalone.apiAddress(),
                        standalone.apiAddress(),
                        List.of(standalone.adminAddress())),
                new Topics(
                        standalone.settings().topicPrefix(),
                        standalone.settings().retention()));
        this.standalone = standalone;
    }

    /// Everything on free ports, with its data in a directory.
    static House start(Path data, String... moreYaml) {
        return ready(Standalone.start(settings(data, moreYaml), null));
    }

    /// With the settings of a file, which is read again when it changes.
    static House startWith(Path file) {
        return ready(Standalone.start(file));
    }

    private static House ready(Standalone standalone) {
        House house = new House(standalone);
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(house.standalone.host().health().notReady()).isEmpty());
        return house;
    }

    static Settings settings(Path data, String... moreYaml) {
        String yaml = """
                data: "%s"
                api: {listen: "127.0.0.1:0"}
                admin: {listen: "127.0.0.1:0"}
                """.formatted(data.toString().replace("\\", "\\\\")) + String.join("\n", moreYaml) + "\n";
        String intake = yaml.contains("intake:") ? "" : "intake: {listen: '127.0.0.1:0'}\n";
        String kafka = yaml.contains("kafka:") ? "" : "kafka: {embedded-listen: '127.0.0.1:0'}\n";
        String mail = yaml.contains("mail:") ? "" : "mail: {smtp: {listen: '127.0.0.1:0'}}\n";
        return SettingsFile.parse("test", yaml + intake + kafka + mail, name -> null);
    }

    Standalone standalone() {
        return standalone;
    }

    @Override
    public void close() {
        super.close();
        standalone.close();
    }
}

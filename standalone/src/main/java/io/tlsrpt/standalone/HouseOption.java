package io.tlsrpt.standalone;

import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Which house a command is about. Where its broker is embedded, that is started for the command alone.
final class HouseOption {

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The house's configuration; without it: the defaults, with the data in ./data.")
    private @Nullable Path config;

    @Option(
            names = "--bootstrap-servers",
            paramLabel = "HOST:PORT",
            description = "The broker, in place of the configured one.")
    private @Nullable String bootstrapServers;

    @Option(
            names = "--topic-prefix",
            paramLabel = "PREFIX",
            description = "First part of the topics' names, in place of the configured one.")
    private @Nullable String topicPrefix;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec = CommandSpec.create();

    /// A house of which nothing but the broker runs.
    ///
    /// @param settings name the broker's address
    record Open(Settings settings, Runnable closing) implements AutoCloseable {
        @Override
        public void close() {
            closing.run();
        }
    }

    /// @throws io.tlsrpt.runtime.SettingsFault when the configuration is bad
    /// @throws IllegalStateException when the embedded broker cannot be started, saying what to do
    Open open() {
        return open(false);
    }

    /// The same, where an embedded broker must have been there before.
    ///
    /// @throws IllegalStateException when there is none, too
    Open openExisting() {
        return open(true);
    }

    private Open open(boolean existing) {
        Settings settings = config == null ? SettingsFile.defaults() : SettingsFile.read(config);
        // asked of what was typed: the root has default values for options of these names
        String prefix = typed("--topic-prefix", topicPrefix, settings.topicPrefix());
        String servers =
                typed("--bootstrap-servers", bootstrapServers, settings.kafka().bootstrapServers());
        if (servers != null) {
            return new Open(settings.on(servers, String.valueOf(prefix)), () -> {});
        }
        Path brokersData = settings.data().resolve("broker");
        if (existing && !Files.isDirectory(brokersData)) {
            throw new IllegalStateException(
                    "there is no house in " + settings.data() + ": name its configuration with --config");
        }
        FileChannel lock = Standalone.lock(settings.data());
        try {
            EmbeddedBroker broker =
                    EmbeddedBroker.start(brokersData, settings.kafka().embeddedListen());
            Settings embedded = settings.withEmbeddedBroker(broker.bootstrapServers());
            return new Open(embedded.on(broker.bootstrapServers(), String.valueOf(prefix)), () -> {
                try {
                    broker.close();
                } finally {
                    Standalone.unlock(lock);
                }
            });
        } catch (RuntimeException failed) {
            Standalone.unlock(lock);
            throw failed;
        }
    }

    private @Nullable String typed(String option, @Nullable String value, @Nullable String otherwise) {
        return spec.commandLine().getParseResult().hasMatchedOption(option) ? value : otherwise;
    }
}

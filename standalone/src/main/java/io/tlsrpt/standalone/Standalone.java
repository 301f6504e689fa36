package io.tlsrpt.standalone;

import io.tlsrpt.alerting.AlertingService;
import io.tlsrpt.console.ConsoleService;
import io.tlsrpt.ingest.IngestService;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.LiveSettings;
import io.tlsrpt.runtime.Service;
import io.tlsrpt.runtime.ServiceHost;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.stream.ProcessorService;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// All services in one process, with a broker inside when none is configured. The service objects are those that the
/// separate processes use.
public final class Standalone implements AutoCloseable {

    private final FileChannel lock;
    private final @Nullable EmbeddedBroker broker;
    private final LiveSettings settings;
    private final ServiceHost host;

    private Standalone(FileChannel lock, @Nullable EmbeddedBroker broker, LiveSettings settings, ServiceHost host) {
        this.lock = lock;
        this.broker = broker;
        this.settings = settings;
        this.host = host;
    }

    /// Starts everything; [ServiceHost#health()] tells when it is ready.
    ///
    /// @param file the configuration; absent: the defaults
    /// @throws io.tlsrpt.runtime.SettingsFault when the configuration is bad
    /// @throws IllegalStateException when it cannot run here, saying what to do
    public static Standalone start(@Nullable Path file) {
        return start(file, EnumSet.allOf(Part.class));
    }

    /// Starts only some services, against a broker of its own.
    ///
    /// @param parts at least one
    public static Standalone start(@Nullable Path file, Set<Part> parts) {
        Settings settings = LiveSettings.of(file, read -> read).get();
        if (settings.embeddedBroker() && parts.size() < Part.values().length) {
            throw new IllegalStateException(
                    "some services alone need a broker that all can reach: set kafka.bootstrap-servers");
        }
        return start(settings, file, parts);
    }

    /// The services, in the order of their start.
    public enum Part {
        STREAM_PROCESSOR,
        ALERTING_SERVICE,
        CONSOLE,
        INGEST_SERVICE;

        private Service made(Surroundings surroundings) {
            return switch (this) {
                case STREAM_PROCESSOR -> new ProcessorService(surroundings);
                case ALERTING_SERVICE -> new AlertingService(surroundings);
                case CONSOLE -> new ConsoleService(surroundings);
                case INGEST_SERVICE -> new IngestService(surroundings);
            };
        }

        /// As in `--only`: `stream-processor` and so on.
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /// @param first the settings as read before the broker's address is known
    /// @param file where they are read again when it changes; absent: they stay
    static Standalone start(Settings first, @Nullable Path file) {
        return start(first, file, EnumSet.allOf(Part.class));
    }

    private static Standalone start(Settings first, @Nullable Path file, Set<Part> parts) {
        FileChannel lock = lock(first.data());
        EmbeddedBroker broker = null;
        try {
            if (first.embeddedBroker()) {
                broker = EmbeddedBroker.start(
                        first.data().resolve("broker"), first.kafka().embeddedListen());
            }
            LiveSettings settings = live(first, file, broker);
            ServiceHost host = new ServiceHost(settings);
            Surroundings surroundings = host.surroundings();
            host.start(Arrays.stream(Part.values())
                    .filter(parts::contains)
                    .map(part -> part.made(surroundings))
                    .toList());
            return new Standalone(lock, broker, settings, host);
        } catch (RuntimeException | Error failed) { // an Error too: a broker left running would hold the process
            if (broker != null) {
                broker.close();
            }
            unlock(lock);
            throw failed;
        }
    }

    private static LiveSettings live(Settings first, @Nullable Path file, @Nullable EmbeddedBroker broker) {
        if (broker == null) {
            return file == null ? LiveSettings.fixed(first) : LiveSettings.of(file, read -> read);
        }
        String address = broker.bootstrapServers();
        return file == null
                ? LiveSettings.fixed(first.withEmbeddedBroker(address))
                : LiveSettings.of(file, read -> read.withEmbeddedBroker(address));
    }

    public ServiceHost host() {
        return host;
    }

    public Settings settings() {
        return settings.get();
    }

    /// Where reports are posted.
    public HostPort intakeAddress() {
        return host.address("intake");
    }

    /// Where mail is taken by SMTP; empty when it is not.
    public Optional<HostPort> smtpAddress() {
        return host.otherAddress("smtp");
    }

    /// Where mail is taken by LMTP; empty when it is not.
    public Optional<HostPort> lmtpAddress() {
        return host.otherAddress("lmtp");
    }

    /// Where the query API answers.
    public HostPort apiAddress() {
        return host.address("api");
    }

    /// Where health and metrics answer.
    public HostPort adminAddress() {
        return host.address("admin");
    }

    /// The broker, embedded or not.
    public String bootstrapServers() {
        return java.util.Objects.requireNonNull(settings.get().kafka().bootstrapServers());
    }

    /// Services first, then the broker they write to.
    @Override
    public void close() {
        host.close();
        if (broker != null) {
            broker.close();
        }
        unlock(lock);
    }

    /// Keeps every other process off the data directory, until it is closed.
    static FileChannel lock(Path data) {
        try {
            Files.createDirectories(data);
            FileChannel channel =
                    FileChannel.open(data.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw new IllegalStateException("another tlsrpt runs with its data in "
                        + data.toAbsolutePath().normalize() + "; stop it, or set data: to another directory");
            }
            return channel;
        } catch (IOException unwritable) {
            throw new UncheckedIOException("cannot write to the data directory " + data, unwritable);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException thisProcess) {
            return null;
        }
    }

    static void unlock(FileChannel lock) {
        try {
            lock.close();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}

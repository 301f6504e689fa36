package io.tlsrpt.standalone;

import io.tlsrpt.runtime.HostPort;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/// A real Kafka broker (KRaft, broker and controller in one) inside this process, for one machine.
/// Its data survive a restart, also one with another port.
public final class EmbeddedBroker implements AutoCloseable {

    private static final int NODE = 1;
    private static final String CLUSTER_FILE = "cluster-id";

    private final KafkaRaftServer server;
    private final String bootstrapServers;

    private EmbeddedBroker(KafkaRaftServer server, String bootstrapServers) {
        this.server = server;
        this.bootstrapServers = bootstrapServers;
    }

    /// Starts it, after formatting the directory when it is new.
    ///
    /// @param directory where its data live; one broker at a time
    /// @param listen where clients connect; port 0 takes a free one
    /// @throws IllegalStateException when the port is taken or the directory cannot be used, saying what to do
    public static EmbeddedBroker start(Path directory, HostPort listen) {
        int port = listen.port() == 0 ? freePort(listen.host()) : listen.port();
        HostPort address = new HostPort(listen.host(), port);
        if (listen.port() != 0 && taken(address)) {
            throw new IllegalStateException("the embedded broker cannot listen at " + address
                    + ": another program does; set kafka.embedded-listen to a free port");
        }
        int controllerPort = freePort("127.0.0.1");
        Map<String, Object> properties = properties(directory, address, controllerPort);
        format(directory);
        KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(properties, false), Time.SYSTEM);
        try {
            server.startup();
        } catch (RuntimeException failed) {
            server.shutdown();
            server.awaitShutdown();
            throw new IllegalStateException("the embedded broker did not start with its data in " + directory, failed);
        }
        return new EmbeddedBroker(server, address.toString());
    }

    public String bootstrapServers() {
        return bootstrapServers;
    }

    @Override
    public void close() {
        server.shutdown();
        server.awaitShutdown();
    }

    private static Map<String, Object> properties(Path directory, HostPort address, int controllerPort) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("process.roles", "broker,controller");
        properties.put("node.id", Integer.toString(NODE));
        properties.put("listeners", "PLAINTEXT://" + address + ",CONTROLLER://127.0.0.1:" + controllerPort);
        properties.put("advertised.listeners", "PLAINTEXT://" + address);
        properties.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
        properties.put("controller.listener.names", "CONTROLLER");
        properties.put("controller.quorum.voters", NODE + "@127.0.0.1:" + controllerPort);
        properties.put("log.dirs", directory.toString());
        properties.put("auto.create.topics.enable", "false");
        properties.put("offsets.topic.replication.factor", "1");
        properties.put("offsets.topic.num.partitions", "1");
        // a house that was stopped for a while goes on where it stood: ten years
        properties.put("offsets.retention.minutes", "5256000");
        properties.put("transaction.state.log.replication.factor", "1");
        properties.put("transaction.state.log.min.isr", "1");
        properties.put("transaction.state.log.num.partitions", "4");
        properties.put("share.coordinator.state.topic.replication.factor", "1");
        properties.put("share.coordinator.state.topic.min.isr", "1");
        properties.put("group.initial.rebalance.delay.ms", "0");
        properties.put("log.cleaner.dedupe.buffer.size", "16777216");
        // a document of 10 MiB travels as one record
        properties.put("message.max.bytes", Integer.toString(13 * 1024 * 1024));
        properties.put("replica.fetch.max.bytes", Integer.toString(13 * 1024 * 1024));
        // one machine: few threads are enough
        properties.put("num.network.threads", "2");
        properties.put("num.io.threads", "4");
        properties.put("background.threads", "2");
        // internal topics of the services are created by them; their segments need not be a gigabyte each
        properties.put("log.segment.bytes", Integer.toString(64 * 1024 * 1024));
        // transaction ids of a stopped instance are forgotten soon, or they pile up with each restart
        properties.put("transactional.id.expiration.ms", "86400000");
        return properties;
    }

    /// Writes the cluster id and metadata version into a new directory; leaves a formatted one alone.
    private static void format(Path directory) {
        try {
            Files.createDirectories(directory);
            Path file = directory.resolve(CLUSTER_FILE);
            if (!Files.exists(file)) {
                Files.writeString(file, Uuid.randomUuid().toString());
            }
            Formatter formatter = new Formatter()
                    .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
                    .setNodeId(NODE)
                    .setClusterId(Files.readString(file).strip())
                    .setDirectories(List.of(directory.toString()))
                    .setMetadataLogDirectory(directory.toString())
                    .setReleaseVersion(MetadataVersion.LATEST_PRODUCTION)
                    .setIgnoreFormatted(true)
                    .setControllerListenerName("CONTROLLER");
            formatter.run();
        } catch (IOException unwritable) {
            throw new UncheckedIOException("the embedded broker cannot write to " + directory, unwritable);
        } catch (Exception failed) {
            throw new IllegalStateException("the embedded broker could not format " + directory, failed);
        }
    }

    private static int freePort(String host) {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(host))) {
            return socket.getLocalPort();
        } catch (IOException noPort) {
            throw new UncheckedIOException("no free port at " + host, noPort);
        }
    }

    private static boolean taken(HostPort address) {
        try (ServerSocket socket = new ServerSocket(address.port(), 1, InetAddress.getByName(address.host()))) {
            return socket.getLocalPort() != address.port();
        } catch (IOException inUse) {
            return true;
        }
    }
}

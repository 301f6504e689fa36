package io.tlsrpt.standalone;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/// A real cluster in this JVM: three brokers, the first of them the controller as well.
final class ThreeBrokers implements AutoCloseable {

    private static final int BROKERS = 3;

    private final List<KafkaRaftServer> servers = new ArrayList<>();
    private final List<String> addresses = new ArrayList<>();

    private ThreeBrokers() {}

    static ThreeBrokers start(Path directory) {
        ThreeBrokers brokers = new ThreeBrokers();
        String clusterId = Uuid.randomUuid().toString();
        int controllerPort = freePort();
        try {
            for (int node = 1; node <= BROKERS; node++) {
                brokers.add(directory.resolve("broker-" + node), clusterId, node, controllerPort);
            }
        } catch (RuntimeException | Error failed) {
            brokers.close();
            throw failed;
        }
        return brokers;
    }

    String bootstrapServers() {
        return String.join(",", addresses);
    }

    private void add(Path directory, String clusterId, int node, int controllerPort) {
        boolean controller = node == 1;
        String address = "127.0.0.1:" + freePort();
        Map<String, Object> properties = new HashMap<>();
        properties.put("process.roles", controller ? "broker,controller" : "broker");
        properties.put("node.id", Integer.toString(node));
        properties.put(
                "listeners",
                "PLAINTEXT://" + address + (controller ? ",CONTROLLER://127.0.0.1:" + controllerPort : ""));
        properties.put("advertised.listeners", "PLAINTEXT://" + address);
        properties.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
        properties.put("controller.listener.names", "CONTROLLER");
        properties.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
        properties.put("log.dirs", directory.toString());
        properties.put("auto.create.topics.enable", "false");
        properties.put("offsets.topic.num.partitions", "3");
        properties.put("transaction.state.log.num.partitions", "3");
        properties.put("group.initial.rebalance.delay.ms", "0");
        properties.put("log.cleaner.dedupe.buffer.size", "16777216");
        properties.put("message.max.bytes", Integer.toString(13 * 1024 * 1024));
        properties.put("replica.fetch.max.bytes", Integer.toString(13 * 1024 * 1024));
        properties.put("num.network.threads", "2");
        properties.put("num.io.threads", "2");
        try {
            Formatter formatter = new Formatter()
                    .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
                    .setNodeId(node)
                    .setClusterId(clusterId)
                    .setDirectories(List.of(directory.toString()))
                    .setMetadataLogDirectory(directory.toString())
                    .setReleaseVersion(MetadataVersion.LATEST_PRODUCTION)
                    .setControllerListenerName("CONTROLLER");
            formatter.run();
        } catch (Exception failed) {
            throw new IllegalStateException(failed);
        }
        KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(properties, false), Time.SYSTEM);
        servers.add(server);
        server.startup();
        addresses.add(address);
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException noPort) {
            throw new IllegalStateException(noPort);
        }
    }

    /// The controller last.
    @Override
    public void close() {
        for (KafkaRaftServer server : servers.reversed()) {
            server.shutdown();
            server.awaitShutdown();
        }
    }
}

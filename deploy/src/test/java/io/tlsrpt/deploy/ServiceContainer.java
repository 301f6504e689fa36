package io.tlsrpt.deploy;

import io.tlsrpt.runtime.HostPort;
import java.time.Duration;
import org.slf4j.LoggerFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.output.Slf4jLogConsumer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.images.builder.Transferable;

/// One of our services in a container, started when it says that it is ready.
final class ServiceContainer extends GenericContainer<ServiceContainer> {

    private static final int INTAKE = 8080;
    private static final int ADMIN = 8081;
    private static final int API = 8082;

    /// The listeners at the ports of the images. Nobody is asked who they are: only this machine gets at them.
    private static final String LISTENERS = """
            data: /var/lib/tlsrpt
            intake: {listen: "0.0.0.0:8080"}
            admin: {listen: "0.0.0.0:8081"}
            api: {listen: "0.0.0.0:8082", allow-unauthenticated: true}
            mail: {smtp: {enabled: false}}
            """;

    /// @param service as in the name of its image, such as `console`
    /// @param settings all but the listeners
    ServiceContainer(String service, Network network, String settings) {
        super(Images.built().get(service));
        withNetwork(network);
        withNetworkAliases(service);
        withCopyToContainer(Transferable.of(LISTENERS + settings), "/etc/tlsrpt/tlsrpt.yaml");
        withEnv("TLSRPT_JAVA_OPTS", "-Xmx320m");
        switch (service) {
            case "ingest-service" -> withExposedPorts(INTAKE, ADMIN, API);
            case "console" -> withExposedPorts(ADMIN, API);
            default -> withExposedPorts(ADMIN);
        }
        waitingFor(Wait.forHttp("/ready").forPort(ADMIN).withStartupTimeout(Duration.ofMinutes(4)));
        withLogConsumer(new Slf4jLogConsumer(LoggerFactory.getLogger(service)));
    }

    HostPort intake() {
        return address(INTAKE);
    }

    HostPort admin() {
        return address(ADMIN);
    }

    HostPort api() {
        return address(API);
    }

    private HostPort address(int port) {
        return new HostPort(getHost(), getMappedPort(port));
    }
}

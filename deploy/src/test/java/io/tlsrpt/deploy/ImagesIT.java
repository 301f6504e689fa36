package io.tlsrpt.deploy;

import static io.tlsrpt.deploy.Images.docker;
import static io.tlsrpt.standalone.RunningHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The images as they are built for users, run as the documents tell to: read-only, without privileges, with little
/// memory, against a broker in a container of its own.
@ExtendWith(Engine.class)
class ImagesIT {

    private static final String NETWORK = "tlsrpt-images-it";
    private static final String BROKER = NETWORK + "-broker";
    private static final String TOKEN_SHA256 = "0123456789abcdef".repeat(4);
    private static final List<String> HARDENED = List.of(
            "--network",
            NETWORK,
            "--read-only",
            "--tmpfs",
            "/tmp", // which the engine mounts noexec
            "--cap-drop",
            "ALL",
            "--security-opt",
            "no-new-privileges",
            "--memory",
            "512m");

    private static Map<String, String> images = Map.of();

    @BeforeAll
    static void start() {
        images = Images.built();
        remove();
        docker("network", "create", NETWORK);
        docker(
                "run",
                "--detach",
                "--name",
                BROKER,
                "--network",
                NETWORK,
                "--env",
                "KAFKA_NODE_ID=1",
                "--env",
                "KAFKA_PROCESS_ROLES=broker,controller",
                "--env",
                "KAFKA_CONTROLLER_QUORUM_VOTERS=1@localhost:9093",
                "--env",
                "KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER",
                "--env",
                "KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093",
                "--env",
                "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://" + BROKER + ":9092",
                "--env",
                "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "--env",
                "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1",
                "--env",
                "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR=1",
                "--env",
                "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR=1",
                "apache/kafka:4.3.1");
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> docker("exec", BROKER, "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9092")
                        .isEmpty());
        for (String service : images.keySet()) {
            if (!service.equals("standalone")) {
                run(
                        service,
                        List.of(),
                        List.of(
                                "TLSRPT_BOOTSTRAP_SERVERS=" + BROKER + ":9092",
                                "TLSRPT_REPLICATION_FACTOR=1",
                                "TLSRPT_JAVA_OPTS=-XX:AOTMode=on"));
            }
        }
        run("standalone", List.of("--memory", "768m"), List.of("TLSRPT_JAVA_OPTS=-XX:AOTMode=on"));
    }

    @AfterAll
    static void gone() {
        remove();
    }

    private static void remove() {
        List<String> names = docker("ps", "--all", "--quiet", "--filter", "name=" + NETWORK)
                .lines()
                .toList();
        names.forEach(name -> docker("rm", "--force", "--volumes", name));
        docker("network", "ls", "--quiet", "--filter", "name=" + NETWORK)
                .lines()
                .forEach(network -> docker("network", "rm", network));
    }

    private static void run(String service, List<String> options, List<String> variables) {
        List<String> command = new ArrayList<>(List.of("run", "--detach", "--name", container(service)));
        command.addAll(HARDENED);
        command.addAll(options);
        Stream.concat(variables.stream(), Stream.of("TLSRPT_TOKEN_SHA256=" + TOKEN_SHA256))
                .forEach(variable -> command.addAll(List.of("--env", variable)));
        command.add(image(service));
        docker(command.toArray(String[]::new));
    }

    private static String container(String service) {
        return NETWORK + "-" + service;
    }

    private static String image(String service) {
        return images.getOrDefault(service, service);
    }

    private static String state(String service, String field) {
        return docker("inspect", "--format", "{{.State." + field + "}}", container(service));
    }

    /// Of a container of its own, in which nothing of ours runs.
    private static String inside(String service, String script) {
        return docker(
                "run",
                "--rm",
                "--network",
                "none",
                "--user",
                "0",
                "--entrypoint",
                "/bin/sh",
                image(service),
                "-c",
                script);
    }

    /// With `AOTMode=on` it would not start without its cache.
    @ParameterizedTest
    @ValueSource(strings = {"ingest-service", "stream-processor", "alerting-service", "console", "standalone"})
    void aServiceRunsWithItsCacheBecomesHealthyAndEndsInOrderOnSigterm(String service) {
        await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).untilAsserted(() -> {
            assertThat(state(service, "Running"))
                    .as(Images.log(container(service)))
                    .isEqualTo("true");
            assertThat(state(service, "Health.Status")).isEqualTo("healthy");
        });
        assertThat(docker("exec", container(service), "id", "-u")).isEqualTo("10001");
        assertThat(docker("exec", container(service), "cat", "/proc/1/comm")).isEqualTo("java");

        docker("stop", "--time", "150", container(service));

        assertThat(state(service, "ExitCode")).as("128 + SIGTERM, not SIGKILL").isEqualTo("143");
        assertThat(Images.log(container(service)))
                .as("everything was closed before")
                .contains("ServiceHost stopped");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ingest-service", "stream-processor", "alerting-service", "console", "standalone"})
    void anImageSaysWhatItIsAndListsEveryJarInIt(String service) {
        String labels = docker("inspect", "--format", "{{json .Config.Labels}}", image(service));
        assertThat(labels)
                .contains("\"org.opencontainers.image.title\":\"tlsrpt " + service + "\"")
                .contains("\"org.opencontainers.image.licenses\":\"Apache-2.0\"")
                .contains("\"org.opencontainers.image.version\":\"" + Images.VERSION + "\"")
                .contains("org.opencontainers.image.description", "org.opencontainers.image.revision");
        assertThat(docker("inspect", "--format", "{{.Config.User}}", image(service)))
                .isEqualTo("10001:10001");

        String sbom = inside(service, "cat /usr/share/doc/tlsrpt/sbom.json");
        List<String> jars = inside(service, "ls /opt/tlsrpt/lib").lines().toList();
        assertThat(jars).isNotEmpty();
        assertThat(sbom).contains("\"bomFormat\" : \"CycloneDX\"");
        for (String jar : jars) {
            assertThat(components(sbom)).contains(jar);
        }
    }

    /// As `artifact-version.jar`.
    private static Set<String> components(String sbom) {
        return Pattern.compile("\"pkg:maven/[^/\"]+/([^@\"]+)@([^?\"]+)\\?type=jar\"")
                .matcher(sbom)
                .results()
                .map(found -> found.group(1) + "-" + found.group(2) + ".jar")
                .collect(Collectors.toUnmodifiableSet());
    }

    @ParameterizedTest
    @ValueSource(strings = {"ingest-service", "stream-processor", "alerting-service", "console", "standalone"})
    void nobodyCanChangeWhatIsRunNorBecomeSomebodyElse(String service) {
        assertThat(
                        inside(
                                service,
                                "find /opt /etc /usr /bin /sbin /lib ! -type l '(' -user 10001 -o -group 10001 -o -perm -o+w ')'"))
                .isEmpty();
        assertThat(inside(service, "find / -xdev -type f -perm /6000")).isEmpty();
        assertThat(inside(service, "stat -c '%u:%g %a' /var/lib/tlsrpt")).isEqualTo("10001:10001 755");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ingest-service", "stream-processor", "alerting-service", "console"})
    void aServiceHasWhatItRunsWithAndNothingElse(String service) {
        List<String> jars = inside(service, "ls /opt/tlsrpt/lib").lines().toList();

        assertThat(inside(service, "cat /opt/tlsrpt/" + service + ".args | tr : '\\n' | grep '^/opt/.*\\.jar$'")
                        .lines()
                        .map(path -> path.substring("/opt/tlsrpt/lib/".length())))
                .containsExactlyInAnyOrderElementsOf(jars);
        assertThat(jars)
                .noneMatch(
                        jar -> jar.startsWith("kafka_") || jar.startsWith("kafka-server") || jar.startsWith("scala-"))
                .noneMatch(jar -> jar.contains("junit") || jar.contains("assertj") || jar.endsWith("-tests.jar"));
        assertThat(jars.stream().anyMatch(jar -> jar.startsWith("rocksdbjni")))
                .as("state stores are not the intake's")
                .isEqualTo(!service.equals("ingest-service"));
        assertThat(inside(service, "ls /opt/tlsrpt/*.aot")).isEqualTo("/opt/tlsrpt/" + service + ".aot");
    }

    @Test
    void withoutATokenNothingStartsAndTheFaultTellsWhatToDo() {
        assertThatThrownBy(() -> docker("run", "--rm", "--network", "none", image("standalone")))
                .hasMessageContaining("ended with 1")
                .hasMessageContaining("/etc/tlsrpt/tlsrpt.yaml:")
                .hasMessageContaining("token operator --role operate");
        assertThatThrownBy(() -> docker("run", "--rm", "--network", "none", image("console")))
                .hasMessageContaining("TLSRPT_TOKEN_SHA256");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-XX:AOTMode=on -XX:+UseSerialGC", // what Java takes on one processor
                "-XX:AOTMode=on -XX:+UseParallelGC",
                "-XX:+UseZGC",
                "-XX:-UseCompactObjectHeaders"
            })
    void aCommandRunsAloneAlsoWhereTheCacheIsOfAnotherKindOfJava(String options) {
        List<String> command = new ArrayList<>(List.of("run", "--rm"));
        command.addAll(HARDENED);
        command.addAll(List.of("--env", "TLSRPT_JAVA_OPTS=" + options, image("standalone"), "token", "laptop"));

        String said = docker(command.toArray(String[]::new));

        assertThat(said.lines().findFirst().orElseThrow())
                .as("standard output is the command's alone")
                .matches("tlsrpt_[A-Za-z0-9_-]{43}");
    }
}

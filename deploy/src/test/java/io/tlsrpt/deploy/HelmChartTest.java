package io.tlsrpt.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetSpec;
import io.fabric8.kubernetes.api.model.networking.v1.HTTPIngressPath;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPort;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

class HelmChartTest {

    private static final Path VALUES = Path.of("src/test/resources/helm");
    private static final Path SMALLEST = VALUES.resolve("smallest.yaml");
    private static final Path EVERYTHING = VALUES.resolve("everything.yaml");
    private static final Path DOCUMENT = Path.of("../docs/kubernetes.md");
    private static final List<String> SERVICES =
            List.of("ingest-service", "stream-processor", "alerting-service", "console");
    private static final Map<String, Manifests> RENDERED = new TreeMap<>();

    @TempDir
    Path scratch;

    private static Manifests rendered(String values) {
        return RENDERED.computeIfAbsent(
                values, name -> Manifests.of("tlsrpt", Map.of(), VALUES.resolve(name + ".yaml")));
    }

    private static List<Manifests> allRendered() {
        return Stream.of("smallest", "everything", "bare", "open")
                .map(HelmChartTest::rendered)
                .toList();
    }

    private Manifests renderedWith(Path values, String more) {
        try {
            return Manifests.of("tlsrpt", Map.of(), values, Files.writeString(scratch.resolve("more.yaml"), more));
        } catch (IOException broken) {
            throw new IllegalStateException(broken);
        }
    }

    @Test
    void theChartPassesTheStrictLinter() {
        LintResult result = new Helm(Manifests.CHART).lint().strict().call();

        assertThat(result.isFailed()).as("%s", result.getMessages()).isFalse();
        assertThat(result.getMessages()).noneMatch(message -> message.contains("WARNING"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"smallest", "everything", "bare", "open"})
    void everyManifestHasOnlyWhatKubernetesKnowsAndLosesNothing(String values) {
        Manifests manifests = rendered(values);

        assertThat(manifests.objects()).hasSizeGreaterThan(10);
        for (int i = 0; i < manifests.objects().size(); i++) {
            assertThat(Manifests.sorted(manifests.objects().get(i)))
                    .isEqualTo(Manifests.sorted(manifests.rendered().get(i)));
        }
        assertThat(manifests.objects().stream()
                        .map(each -> each.getKind() + "/" + each.getMetadata().getName()))
                .doesNotHaveDuplicates();
        assertThat(manifests.objects()).allSatisfy(each -> {
            assertThat(each.getMetadata().getNamespace()).isEqualTo(Manifests.NAMESPACE);
            assertThat(each.getMetadata().getLabels())
                    .containsEntry("app.kubernetes.io/instance", "tlsrpt")
                    .containsEntry("app.kubernetes.io/managed-by", "Helm");
        });
    }

    @Test
    void everyServiceIsAStatefulSetWithAVolumeOfItsOwn() {
        for (Manifests manifests : allRendered()) {
            assertThat(manifests.all(StatefulSet.class))
                    .hasSize(SERVICES.size())
                    .allSatisfy(set -> {
                        StatefulSetSpec spec = set.getSpec();
                        assertThat(spec.getVolumeClaimTemplates())
                                .singleElement()
                                .satisfies(claim -> {
                                    assertThat(claim.getMetadata().getName()).isEqualTo("data");
                                    // It can never be changed, so it must not name a version.
                                    assertThat(claim.getMetadata().getLabels())
                                            .doesNotContainKey("app.kubernetes.io/version");
                                });
                        assertThat(container(spec.getTemplate().getSpec()).getVolumeMounts())
                                .anySatisfy(mount -> {
                                    assertThat(mount.getName()).isEqualTo("data");
                                    assertThat(mount.getMountPath()).isEqualTo("/var/lib/tlsrpt");
                                });
                        assertThat(spec.getPodManagementPolicy()).isEqualTo("Parallel");
                    });
        }
    }

    @Test
    void acknowledgedReportsInASpoolOutliveTheRelease() {
        for (Manifests manifests : allRendered()) {
            for (StatefulSet set : manifests.all(StatefulSet.class)) {
                var policy = set.getSpec().getPersistentVolumeClaimRetentionPolicy();
                String kept = set.getMetadata().getName().endsWith("ingest-service") ? "Retain" : "Delete";
                assertThat(policy.getWhenDeleted()).isEqualTo(kept);
                assertThat(policy.getWhenScaled()).isEqualTo(kept);
            }
        }
    }

    @Test
    void aContainerMayDoNothingItNeedNot() {
        for (Manifests manifests : allRendered()) {
            assertThat(manifests.pods()).hasSize(SERVICES.size() + 1).allSatisfy((name, pod) -> {
                PodSpec spec = pod.spec();
                assertThat(spec.getAutomountServiceAccountToken()).isFalse();
                assertThat(spec.getEnableServiceLinks()).isFalse();
                assertThat(spec.getSecurityContext().getRunAsNonRoot()).isTrue();
                assertThat(spec.getSecurityContext().getRunAsUser()).isEqualTo(10001L);
                assertThat(spec.getSecurityContext().getRunAsGroup()).isEqualTo(10001L);
                assertThat(spec.getSecurityContext().getFsGroup()).isEqualTo(10001L);
                assertThat(spec.getSecurityContext().getSeccompProfile().getType())
                        .isEqualTo("RuntimeDefault");
                assertThat(spec.getInitContainers()).isEmpty();
                assertThat(spec.getContainers()).singleElement().satisfies(container -> {
                    var may = container.getSecurityContext();
                    assertThat(may.getReadOnlyRootFilesystem()).isTrue();
                    assertThat(may.getAllowPrivilegeEscalation()).isFalse();
                    assertThat(may.getCapabilities().getDrop()).containsExactly("ALL");
                    assertThat(may.getCapabilities().getAdd()).isEmpty();
                    assertThat(container.getResources().getLimits()).containsKey("memory");
                    assertThat(container.getResources().getRequests()).containsKeys("memory", "cpu");
                });
            });
            assertThat(manifests.all(ServiceAccount.class))
                    .allSatisfy(account -> assertThat(account.getAutomountServiceAccountToken())
                            .isFalse());
        }
    }

    @Test
    void healthIsAskedAtTheAdminPortAndRestoringKillsNobody() {
        for (Manifests manifests : allRendered()) {
            for (StatefulSet set : manifests.all(StatefulSet.class)) {
                PodSpec spec = set.getSpec().getTemplate().getSpec();
                Container container = container(spec);
                for (Probe probe : List.of(container.getStartupProbe(), container.getLivenessProbe())) {
                    assertThat(probe.getHttpGet().getPath()).isEqualTo("/live");
                    assertThat(probe.getHttpGet().getPort()).isEqualTo(new IntOrString("admin"));
                }
                Probe startup = container.getStartupProbe();
                assertThat(startup.getPeriodSeconds() * startup.getFailureThreshold())
                        .isGreaterThanOrEqualTo(300);
                Probe readiness = container.getReadinessProbe();
                if (container.getName().equals("ingest-service")) {
                    // While the broker is away /ready says no, and the spool takes reports.
                    assertThat(readiness.getTcpSocket().getPort()).isEqualTo(new IntOrString("intake"));
                } else {
                    assertThat(readiness.getHttpGet().getPath()).isEqualTo("/ready");
                    assertThat(readiness.getHttpGet().getPort()).isEqualTo(new IntOrString("admin"));
                }
                // The sleep, 5 s for answers under way, 30 s for each group that is left.
                int groups = container.getName().equals("alerting-service") ? 3 : 1;
                assertThat(spec.getTerminationGracePeriodSeconds()).isGreaterThan(10 + 30L * groups);
            }
        }
    }

    @Test
    void everyPortThatIsNamedIsAPortOfThePodsBehindIt() {
        int named = 0;
        for (Manifests manifests : allRendered()) {
            for (Service service : manifests.all(Service.class)) {
                List<Manifests.PodMade> pods =
                        manifests.chosen(service.getSpec().getSelector());
                assertThat(pods).as(service.getMetadata().getName()).hasSize(1);
                for (ServicePort port : service.getSpec().getPorts()) {
                    named++;
                    assertThat(Manifests.ports(pods))
                            .contains(port.getTargetPort().getStrVal());
                }
            }
            for (NetworkPolicy policy : manifests.all(NetworkPolicy.class)) {
                List<Manifests.PodMade> pods =
                        manifests.chosen(policy.getSpec().getPodSelector().getMatchLabels());
                assertThat(pods).as(policy.getMetadata().getName()).isNotEmpty();
                named += policy.getSpec().getIngress().stream()
                        .flatMap(rule -> rule.getPorts().stream())
                        .mapToInt(port -> {
                            assertThat(Manifests.ports(pods))
                                    .contains(port.getPort().getStrVal());
                            return 1;
                        })
                        .sum();
            }
            for (Ingress ingress : manifests.all(Ingress.class)) {
                for (HTTPIngressPath path : paths(ingress)) {
                    named++;
                    var backend = path.getBackend().getService();
                    assertThat(manifests.one(Service.class, backend.getName()).getSpec().getPorts().stream()
                                    .map(ServicePort::getName))
                            .contains(backend.getPort().getName());
                }
            }
            for (ServiceMonitor monitor : manifests.all(ServiceMonitor.class)) {
                Map<String, String> labels = monitor.getSpec().getSelector().getMatchLabels();
                String exists = monitor.getSpec()
                        .getSelector()
                        .getMatchExpressions()
                        .getFirst()
                        .getKey();
                List<Service> scraped = manifests.all(Service.class).stream()
                        .filter(service ->
                                service.getMetadata().getLabels().entrySet().containsAll(labels.entrySet()))
                        .filter(service -> service.getMetadata().getLabels().containsKey(exists))
                        .toList();
                assertThat(scraped).hasSize(SERVICES.size()).allSatisfy(service -> {
                    assertThat(service.getMetadata()
                                    .getLabels()
                                    .get(monitor.getSpec().getJobLabel()))
                            .startsWith("tlsrpt-");
                    assertThat(service.getSpec().getPorts())
                            .extracting(ServicePort::getName)
                            .contains(
                                    monitor.getSpec().getEndpoints().getFirst().getPort());
                });
                named++;
            }
        }
        assertThat(named).isGreaterThan(50);
    }

    @Test
    void everySelectorFindsThePodsOfItsService() {
        for (Manifests manifests : allRendered()) {
            for (StatefulSet set : manifests.all(StatefulSet.class)) {
                Map<String, String> selector = set.getSpec().getSelector().getMatchLabels();
                assertThat(manifests.chosen(selector)).hasSize(1);
                assertThat(set.getSpec().getTemplate().getMetadata().getLabels())
                        .containsAllEntriesOf(selector);
                Service headless = manifests.one(Service.class, set.getSpec().getServiceName());
                assertThat(headless.getSpec().getClusterIP()).isEqualTo("None");
                assertThat(headless.getSpec().getSelector()).isEqualTo(selector);
                set.getSpec()
                        .getTemplate()
                        .getSpec()
                        .getTopologySpreadConstraints()
                        .forEach(spread -> assertThat(spread.getLabelSelector().getMatchLabels())
                                .isEqualTo(selector));
            }
            for (PodDisruptionBudget budget : manifests.all(PodDisruptionBudget.class)) {
                assertThat(manifests.chosen(budget.getSpec().getSelector().getMatchLabels()))
                        .hasSize(1);
            }
        }
    }

    @Test
    void everyMountHasItsVolumeAndEveryVolumeOfOursIsThere() {
        for (Manifests manifests : allRendered()) {
            for (StatefulSet set : manifests.all(StatefulSet.class)) {
                PodSpec spec = set.getSpec().getTemplate().getSpec();
                Set<String> volumes =
                        spec.getVolumes().stream().map(Volume::getName).collect(Collectors.toCollection(HashSet::new));
                set.getSpec()
                        .getVolumeClaimTemplates()
                        .forEach(claim -> volumes.add(claim.getMetadata().getName()));
                assertThat(container(spec).getVolumeMounts())
                        .extracting(VolumeMount::getName)
                        .containsExactlyInAnyOrderElementsOf(volumes);
                assertThat(container(spec).getVolumeMounts())
                        .extracting(VolumeMount::getMountPath)
                        .doesNotHaveDuplicates()
                        .contains("/tmp", "/etc/tlsrpt", "/var/lib/tlsrpt");
                // A file mounted alone would never change while the pod runs.
                assertThat(container(spec).getVolumeMounts()).allMatch(mount -> mount.getSubPath() == null);
                spec.getVolumes().stream()
                        .filter(volume -> volume.getConfigMap() != null)
                        .forEach(volume -> assertThat(manifests
                                        .one(
                                                ConfigMap.class,
                                                volume.getConfigMap().getName())
                                        .getData())
                                .containsOnlyKeys("tlsrpt.yaml"));
            }
        }
        assertThat(rendered("everything").all(ServiceAccount.class))
                .singleElement()
                .satisfies(account -> rendered("everything")
                        .pods()
                        .values()
                        .forEach(pod -> assertThat(pod.spec().getServiceAccountName())
                                .isEqualTo(account.getMetadata().getName())));
        assertThat(rendered("bare").all(ServiceAccount.class)).isEmpty();
    }

    @Test
    void eachServiceAcceptsItsSettingsAndListensWhereItsPodSays() {
        for (Manifests manifests : allRendered()) {
            for (String service : SERVICES) {
                Settings settings = settings(manifests, service);
                Map<String, Integer> ports = new TreeMap<>();
                container(set(manifests, service).getSpec().getTemplate().getSpec())
                        .getPorts()
                        .forEach(port -> ports.put(port.getName(), port.getContainerPort()));

                Map<String, Integer> listening = new TreeMap<>();
                listening.put("admin", settings.admin().listen().port());
                boolean ingest = service.equals("ingest-service");
                if (ingest || service.equals("console")) {
                    listening.put("api", settings.api().listen().port());
                    assertThat(settings.api().listen().host()).isEqualTo("0.0.0.0");
                }
                if (ingest) {
                    listening.put("intake", settings.intake().listen().port());
                    assertThat(settings.intake().listen().host()).isEqualTo("0.0.0.0");
                    if (settings.mail().smtp().enabled()) {
                        listening.put("smtp", settings.mail().smtp().listen().port());
                        assertThat(settings.mail().smtp().listen().host()).isEqualTo("0.0.0.0");
                    }
                    var lmtp = settings.mail().smtp().lmtpListen();
                    if (lmtp != null) {
                        listening.put("lmtp", lmtp.port());
                    }
                }
                assertThat(listening).as(service).isEqualTo(ports);
                assertThat(settings.admin().listen().host()).isEqualTo("0.0.0.0");
                assertThat(settings.data()).isEqualTo(Path.of("/var/lib/tlsrpt"));
            }
        }
    }

    @Test
    void settingsComeThroughAsTheyWereWritten() {
        Manifests manifests = rendered("everything");
        Settings ingest = settings(manifests, "ingest-service");
        Settings alerting = settings(manifests, "alerting-service");

        assertThat(ingest.intake().spoolMaxBytes().bytes()).isEqualTo(1L << 30);
        assertThat(ingest.mail().mailboxes()).hasSize(2);
        assertThat(String.valueOf(ingest.mail().mailboxes().get(1).backfillBefore()))
                .isEqualTo("2026-01-01");
        assertThat(ingest.kafka().properties().get("sasl.jaas.config"))
                .endsWith("password=\"" + secret("KAFKA_PASSWORD") + "\";");
        assertThat(alerting.alerting().quietHours())
                .isNotNull()
                .extracting(AlertingSettings.QuietHours::from)
                .isEqualTo("22:00");
        assertThat(String.valueOf(alerting.alerting().ignore().getFirst().until()))
                .isEqualTo("2026-12-31");
        assertThat(alerting.alerting().publicUrl()).isEqualTo("https://tlsrpt.example.com");
        assertThat(ingest.alerting().publicUrl()).isEqualTo("https://tlsrpt.example.com");
    }

    @Test
    void aSecretIsDemandedOnlyWhereItIsUsed() {
        Manifests manifests = rendered("everything");
        Map<String, Set<String>> demanded = new TreeMap<>();
        for (String service : SERVICES) {
            Matcher variables = Pattern.compile("\\$\\{(\\w+)}").matcher(configuration(manifests, service));
            demanded.put(
                    service,
                    variables
                            .results()
                            .map(variable -> variable.group(1))
                            .collect(Collectors.toCollection(TreeSet::new)));
        }

        assertThat(demanded)
                .isEqualTo(Map.of(
                        "ingest-service",
                                Set.of(
                                        "KAFKA_PASSWORD",
                                        "INTAKE_TOKEN",
                                        "SMTP_KEY_STORE_PASSWORD",
                                        "MAILBOX_PASSWORD",
                                        "MAILBOX_CLIENT_SECRET"),
                        "stream-processor", Set.of("KAFKA_PASSWORD"),
                        "alerting-service", Set.of("KAFKA_PASSWORD", "TEAM_MAIL_URL"),
                        "console", Set.of("KAFKA_PASSWORD")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            domains: [{name: new.example.com}]
            rua: ["mailto:new@example.com"]
            discovery: {enabled: false}
            intake: {trusted-networks: [198.51.100.0/24]}
            intake: {spool-max-bytes: 2GiB}
            intake: {tokens: []}
            mail: {dkim: {mode: observe}}
            mail: {smtp: {max-connections: 7}}
            mail: {mailboxes: []}
            api: {tokens: [{name: other, sha256: "0000000000000000000000000000000000000000000000000000000000000000"}]}
            alerting: {group-interval: 5m}
            alerting: {public-url: "https://new.example.com"}
            kafka: {properties: {linger.ms: "7"}}
            dns: {timeout: 7s}
            retention: 30d
            topic-prefix: other.
            """)
    void aPodIsReplacedWhenItsServiceNeedsARestartForItsSettingsAndOnlyThen(String change) {
        Manifests before = rendered("everything");
        Manifests after = renderedWith(EVERYTHING, "config: {" + change + "}");

        for (String service : SERVICES) {
            boolean restarts = !settings(before, service).onlyReloadableDiffers(settings(after, service));
            assertThat(!template(before, service).equals(template(after, service)))
                    .as("%s of %s", change, service)
                    .isEqualTo(restarts);
        }
        assertThat(SERVICES.stream()
                        .anyMatch(service -> !configuration(before, service).equals(configuration(after, service))))
                .isTrue();
    }

    @Test
    void thereAreNeverMoreStandbysThanOtherReplicas() {
        assertThat(standbys("smallest", "stream-processor")).isEqualTo("1");
        assertThat(standbys("smallest", "alerting-service")).isEqualTo("1");
        assertThat(standbys("everything", "stream-processor")).isEqualTo("2");
        assertThat(standbys("bare", "stream-processor")).isEqualTo("none");
        assertThat(standbys("smallest", "ingest-service")).isEqualTo("none");
        assertThat(standbys("smallest", "console")).isEqualTo("none");
    }

    private static String standbys(String values, String service) {
        return settings(rendered(values), service).kafka().properties().getOrDefault("num.standby.replicas", "none");
    }

    @Test
    void aNodeCanAlwaysBeDrainedOnePodAtATime() {
        assertThat(rendered("smallest").all(PodDisruptionBudget.class))
                .hasSize(SERVICES.size())
                .allSatisfy(budget -> {
                    assertThat(budget.getSpec().getMaxUnavailable()).isEqualTo(new IntOrString(1));
                    assertThat(budget.getSpec().getUnhealthyPodEvictionPolicy()).isEqualTo("AlwaysAllow");
                });
        assertThat(rendered("bare").all(PodDisruptionBudget.class)).isEmpty();
    }

    @Test
    void everyPathIsAnsweredByTheServiceThatKnowsIt() {
        Manifests manifests = rendered("everything");

        assertThat(backends(manifests.one(Ingress.class, "tlsrpt-intake")))
                .isEqualTo(Map.of("/v1/tlsrpt", "tlsrpt-ingest-service:intake"));
        Map<String, String> console = backends(manifests.one(Ingress.class, "tlsrpt-console"));
        assertThat(console)
                .containsEntry("/api/v1/import", "tlsrpt-ingest-service:api")
                .containsEntry("/", "tlsrpt-console:api")
                .hasSize(3);
        String doors = console.keySet().stream()
                .filter(path -> path.contains("accept"))
                .findFirst()
                .orElseThrow();
        assertThat(console.get(doors)).isEqualTo("tlsrpt-ingest-service:api");
        assertThat("/api/v1/domains/example.com/accept").matches(doors.replace("$", ""));
        assertThat("/api/v1/domains/example.com/forget").matches(doors.replace("$", ""));
        assertThat("/api/v1/domains/example.com/events").doesNotMatch(doors.replace("$", ""));
        assertThat(rendered("smallest").all(Ingress.class)).isEmpty();
    }

    @Test
    void whoMayConnectWhereIsSaidAndNobodyElseMay() {
        Manifests manifests = rendered("everything");
        NetworkPolicy all = manifests.one(NetworkPolicy.class, "tlsrpt");
        assertThat(all.getSpec().getPolicyTypes()).containsExactlyInAnyOrder("Ingress", "Egress");
        assertThat(manifests.chosen(all.getSpec().getPodSelector().getMatchLabels()))
                .hasSize(SERVICES.size() + 1);

        Map<String, String> in = new TreeMap<>();
        Map<String, String> out = new TreeMap<>();
        for (NetworkPolicy policy : manifests.all(NetworkPolicy.class)) {
            String name = policy.getMetadata().getName();
            policy.getSpec()
                    .getIngress()
                    .forEach(rule -> in.merge(
                            name,
                            ports(rule.getPorts())
                                    + (rule.getFrom().isEmpty()
                                            ? " from everywhere"
                                            : " from " + rule.getFrom().size()),
                            (one, other) -> one + ", " + other));
            policy.getSpec()
                    .getEgress()
                    .forEach(rule -> out.merge(
                            name,
                            ports(rule.getPorts())
                                    + (rule.getTo().isEmpty()
                                            ? " anywhere"
                                            : " to " + rule.getTo().size()),
                            (one, other) -> one + ", " + other));
        }
        assertThat(in)
                .isEqualTo(Map.of(
                        "tlsrpt", "admin from 2",
                        "tlsrpt-ingest-service", "intake api from 1, smtp from everywhere, lmtp from 1",
                        "tlsrpt-console", "api from 1"));
        assertThat(out)
                .isEqualTo(Map.of(
                        "tlsrpt", "5353 5353 anywhere, 9093 9094 to 1",
                        "tlsrpt-ingest-service", "993 1993 443 anywhere, 8443 anywhere",
                        "tlsrpt-stream-processor", "4317 anywhere",
                        "tlsrpt-alerting-service", "443 25 587 anywhere, 9093 to 1",
                        "tlsrpt-console", "4317 anywhere",
                        "tlsrpt-test", "admin to 1"));

        NetworkPolicy looks = rendered("smallest").one(NetworkPolicy.class, "tlsrpt-alerting-service");
        assertThat(ports(looks.getSpec().getEgress().getFirst().getPorts())).isEqualTo("443 25");
        NetworkPolicy open = rendered("open").one(NetworkPolicy.class, "tlsrpt");
        assertThat(ports(open.getSpec().getEgress().get(1).getPorts())).isEqualTo("9092 9094");
        assertThat(open.getSpec().getIngress().getFirst().getFrom()).isEmpty();
        assertThat(rendered("bare").all(NetworkPolicy.class)).isEmpty();
    }

    @Test
    void mailComesInBySmtpOnlyWhenItIsSwitchedOn() {
        Service smtp = rendered("everything").one(Service.class, "tlsrpt-smtp");
        assertThat(smtp.getSpec().getType()).isEqualTo("LoadBalancer");
        assertThat(smtp.getSpec().getExternalTrafficPolicy()).isEqualTo("Local");
        assertThat(smtp.getSpec().getPorts().getFirst().getPort()).isEqualTo(25);
        assertThat(rendered("smallest").all(Service.class))
                .extracting(service -> service.getMetadata().getName())
                .doesNotContain("tlsrpt-smtp")
                .hasSize(SERVICES.size() + 2);
    }

    @Test
    void rulesAndDashboardsAreThoseThatStandOutsideTheChart() throws IOException {
        Manifests manifests = rendered("everything");

        List<String> rules = new ArrayList<>();
        for (Path file : files("prometheus", ".rules.yml")) {
            rules.add(Manifests.sorted(loaded(file)));
        }
        assertThat(rules).isNotEmpty();
        assertThat(manifests.all(PrometheusRule.class))
                .extracting(rule -> Manifests.sorted(rule.getSpec()))
                .containsExactlyInAnyOrderElementsOf(rules);

        List<String> dashboards = new ArrayList<>();
        for (Path file : files("grafana/dashboards", ".json")) {
            dashboards.add(Files.readString(file).strip());
        }
        assertThat(dashboards).isNotEmpty();
        assertThat(manifests.all(ConfigMap.class).stream()
                        .filter(map -> map.getMetadata().getLabels().containsKey("grafana_dashboard"))
                        .flatMap(map -> map.getData().values().stream())
                        .map(String::strip))
                .containsExactlyInAnyOrderElementsOf(dashboards);

        // `helm template` asks no cluster whether it knows these kinds.
        assertThat(rendered("smallest").all(PrometheusRule.class)).isEmpty();
        assertThat(rendered("smallest").all(ServiceMonitor.class)).isEmpty();
    }

    private static List<Path> files(String directory, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(Path.of(directory))) {
            return files.filter(file -> file.toString().endsWith(suffix)).toList();
        }
    }

    @Test
    void theTestAsksEveryPod() {
        Manifests manifests = rendered("everything");
        Pod test = manifests.all(Pod.class).getFirst();
        List<String> pods = new ArrayList<>();
        for (StatefulSet set : manifests.all(StatefulSet.class)) {
            for (int i = 0; i < set.getSpec().getReplicas(); i++) {
                pods.add(set.getMetadata().getName() + "-" + i + "."
                        + set.getSpec().getServiceName());
            }
        }

        assertThat(test.getMetadata().getAnnotations()).containsEntry("helm.sh/no-hook", "test");
        assertThat(container(test.getSpec()).getArgs().stream().skip(2)).containsExactlyInAnyOrderElementsOf(pods);
    }

    @Test
    void theVersionIsTheProjectsAndTheImagesAreOurs() throws IOException {
        Matcher version = Pattern.compile("<version>([^<]+)</version>").matcher(Files.readString(Path.of("pom.xml")));
        assertThat(version.find()).isTrue();
        String project = version.group(1);

        assertThat(Files.readString(Manifests.CHART.resolve("Chart.yaml")))
                .contains("\nversion: " + project + "\n", "\nappVersion: " + project + "\n");
        for (String service : SERVICES) {
            assertThat(image(rendered("smallest"), service))
                    .isEqualTo("registry.example.com/tlsrpt/" + service + ":test");
            assertThat(image(rendered("everything"), service))
                    .isEqualTo("registry.example.com/mirror/tlsrpt/" + service + ":1.2.3");
        }
    }

    @Test
    void aLongReleaseNameStillGivesNamesThatKubernetesTakes() {
        Manifests manifests = Manifests.of("a".repeat(53), Map.of(), SMALLEST);

        assertThat(manifests.objects())
                .extracting(object -> object.getMetadata().getName())
                .allMatch(name -> name.length() <= 63);
        assertThat(manifests.objects())
                .extracting(
                        object -> object.getKind() + "/" + object.getMetadata().getName())
                .doesNotHaveDuplicates();
        // Their pods carry it in a label with a hash of eleven characters after it.
        assertThat(manifests.all(StatefulSet.class))
                .extracting(set -> set.getMetadata().getName())
                .allMatch(name -> name.length() <= 52);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            replicaCount: 2                                      | 'replicaCount'
            ingestService: {replicas: "2"}                       | /ingestService/replicas
            ingestService: {replicas: 0}                         | /ingestService/replicas
            streamProcessor: {standbyReplica: 1}                 | 'standbyReplica'
            console: {standbyReplicas: 1}                        | 'standbyReplicas'
            console: {resources: {limits: {memory: lots}}}       | /console/resources/limits/memory
            alertingService: {terminationGracePeriodSeconds: 10} | /alertingService/terminationGracePeriodSeconds
            config: {domain: [{name: example.com}]}              | 'domain'
            config: {data: /tmp}                                 | 'data'
            config: {admin: {listen: "0.0.0.0:9"}}               | 'admin'
            config: {intake: {listen: "0.0.0.0:80"}}             | /config/intake/listen
            config: {mail: {smtp: {listen: "0.0.0.0:25"}}}       | /config/mail/smtp/listen
            config: {kafka: {bootstrap-servers: ""}}             | /config/kafka/bootstrap-servers
            serviceMonitor: {enabled: true}                      | /serviceMonitor/enabled
            ingress: {intake: {host: "https://reports"}}         | /ingress/intake/host
            extraVolumes: [{name: data, emptyDir: {}}]           | /extraVolumes/0/name
            config: {api: {allow-unauthenticated: false}}        | config.api must say who may ask
            config: {mail: {smtp: {enabled: true}}}              | whose mail is taken
            ingestService: {lmtp: {enabled: true}}               | whose mail is taken
            ingress: {intake: {enabled: true}}                   | ingress.intake.host is required
            image: {registry: ""}                                | image.registry is required
            prometheusRule: {runbookBase: git.example.com}       | /prometheusRule/runbookBase
            """)
    void aWrongValueIsRefusedWithWhereItStandsOrWhatIsMissing(String values, String message) {
        assertThatThrownBy(() -> renderedWith(SMALLEST, values))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(message);
    }

    @Test
    void withoutATagItTakesTheImagesOfItsReleaseAndASnapshotIsNone() throws IOException {
        String noTag = "image: {tag: \"\"}";
        String appVersion =
                loaded(Manifests.CHART.resolve("Chart.yaml")).path("appVersion").asText();
        if (appVersion.endsWith("-SNAPSHOT")) {
            assertThatThrownBy(() -> renderedWith(SMALLEST, noTag)).hasMessageContaining("image.tag is required");
        } else {
            assertThat(image(renderedWith(SMALLEST, noTag), "console")).endsWith(":" + appVersion);
        }
    }

    @Test
    void runbooksAreWhereTheValueSays() {
        List<String> links = renderedWith(
                        EVERYTHING, "prometheusRule: {runbookBase: 'https://git.example.com/tlsrpt/'}")
                .all(PrometheusRule.class)
                .stream()
                .flatMap(rule -> Manifests.json(rule).findValuesAsText("runbook_url").stream())
                .toList();
        assertThat(links)
                .hasSizeGreaterThan(20)
                .allMatch(link -> link.startsWith("https://git.example.com/tlsrpt/docs/monitoring.md#tlsrpt"));
    }

    @Test
    void withoutBrokersItIsRefusedWithWhatToSay() {
        assertThatThrownBy(() -> Manifests.of("tlsrpt", Map.of()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("config.kafka.bootstrap-servers is required");
    }

    @Test
    void theSchemaKnowsTheSectionsOfTheSettings() {
        JsonNode schema = loaded(Manifests.CHART.resolve("values.schema.json"));
        Set<String> known = Arrays.stream(Settings.class.getRecordComponents())
                .map(RecordComponent::getName)
                .map(name -> name.replaceAll("([a-z])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT))
                .filter(name -> !name.equals("data") && !name.equals("admin"))
                .collect(Collectors.toSet());

        assertThat(names(schema.at("/properties/config/properties"))).isEqualTo(known);
        assertClosed("", schema);
    }

    /// Every object in it whose members it names refuses others, but for what is the settings' or Kubernetes' own.
    private static void assertClosed(String path, JsonNode schema) {
        if (schema.has("properties") && !path.matches("(/properties/config/.*|/[$]defs/(named|mounts)/.*)")) {
            assertThat(schema.path("additionalProperties").asText()).as(path).isEqualTo("false");
        }
        for (String section : List.of("properties", "$defs")) {
            names(schema.path(section))
                    .forEach(name -> assertClosed(
                            path + "/" + section + "/" + name,
                            schema.path(section).path(name)));
        }
        if (schema.has("items")) {
            assertClosed(path + "/items", schema.path("items"));
        }
    }

    private static Set<String> names(JsonNode object) {
        Set<String> names = new TreeSet<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @Test
    void whatTheDocumentShowsIsAccepted() throws IOException {
        String text = Files.readString(DOCUMENT);
        List<String> values = Pattern.compile("```yml\n(.*?)```", Pattern.DOTALL)
                .matcher(text)
                .results()
                .map(block -> block.group(1))
                .toList();
        assertThat(values).hasSizeGreaterThan(2);
        for (String block : values) {
            Manifests manifests = renderedWith(SMALLEST, withoutUnauthenticated(block));
            SERVICES.forEach(service -> settings(manifests, service));
        }

        Map<String, String> set = new LinkedHashMap<>();
        Pattern.compile("--set(?:-string)? ([\\w.-]+)=(\\S+)")
                .matcher(text)
                .results()
                .forEach(option -> set.put(option.group(1), option.group(2)));
        assertThat(set).isNotEmpty();
        assertThat(Manifests.of("tlsrpt", set, SMALLEST).objects()).isNotEmpty();

        JsonNode defaults = loaded(Manifests.CHART.resolve("values.yaml"));
        List<String> named = Pattern.compile(
                        "`((?:ingestService|streamProcessor|alertingService|console|ingress|networkPolicy|serviceMonitor|prometheusRule|grafanaDashboards|image|podDisruptionBudget)(?:\\.\\w+)+)`")
                .matcher(text)
                .results()
                .map(span -> span.group(1))
                .toList();
        assertThat(named)
                .hasSizeGreaterThan(10)
                .allMatch(path -> !defaults.at("/" + path.replace('.', '/')).isMissingNode());
    }

    /// A block that says who may ask contradicts the smallest values, which let everybody.
    private static String withoutUnauthenticated(String block) {
        return block.contains("tokens:") || block.contains("trusted-proxy:")
                ? block.replaceFirst("(?m)^  api:\n", "  api:\n    allow-unauthenticated: false\n")
                : block;
    }

    private static JsonNode loaded(Path file) {
        try {
            return Manifests.json(new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file)));
        } catch (IOException broken) {
            throw new IllegalStateException(broken);
        }
    }

    private static StatefulSet set(Manifests manifests, String service) {
        return manifests.all(StatefulSet.class).stream()
                .filter(set -> set.getMetadata().getName().endsWith("-" + service))
                .findFirst()
                .orElseThrow();
    }

    private static JsonNode template(Manifests manifests, String service) {
        return Manifests.json(set(manifests, service).getSpec().getTemplate());
    }

    private static String image(Manifests manifests, String service) {
        return container(set(manifests, service).getSpec().getTemplate().getSpec())
                .getImage();
    }

    private static Container container(PodSpec spec) {
        return spec.getContainers().getFirst();
    }

    private static String configuration(Manifests manifests, String service) {
        ConfigMap map = manifests.one(
                ConfigMap.class, set(manifests, service).getMetadata().getName());
        return Objects.requireNonNull(map.getData().get("tlsrpt.yaml"), service);
    }

    /// What the service reads, with no other environment than its container's.
    private static Settings settings(Manifests manifests, String service) {
        Map<String, String> environment =
                container(set(manifests, service).getSpec().getTemplate().getSpec()).getEnv().stream()
                        .collect(Collectors.toMap(
                                EnvVar::getName,
                                variable -> variable.getValue() == null
                                        ? secret(variable.getName())
                                        : variable.getValue()));
        return SettingsFile.parse(service, configuration(manifests, service), environment::get);
    }

    private static String secret(String name) {
        return name.endsWith("_URL") ? "https://hooks.example.com/secret" : "secret-of-" + name.replace('_', '-');
    }

    private static List<HTTPIngressPath> paths(Ingress ingress) {
        return ingress.getSpec().getRules().stream()
                .flatMap(rule -> rule.getHttp().getPaths().stream())
                .toList();
    }

    private static Map<String, String> backends(Ingress ingress) {
        Function<HTTPIngressPath, String> backend =
                path -> path.getBackend().getService().getName() + ":"
                        + path.getBackend().getService().getPort().getName();
        return paths(ingress).stream().collect(Collectors.toMap(HTTPIngressPath::getPath, backend));
    }

    private static String ports(List<NetworkPolicyPort> ports) {
        return ports.stream()
                .map(port -> port.getPort().getStrVal() == null
                        ? String.valueOf(port.getPort().getIntVal())
                        : port.getPort().getStrVal())
                .collect(Collectors.joining(" "));
    }
}

package io.tlsrpt.deploy;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.TemplateCommand;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/// What the chart renders, read strictly: a kind or a field that Kubernetes does not know is an error.
///
/// @param rendered each manifest as it stands in the text
/// @param objects the same, typed
record Manifests(List<JsonNode> rendered, List<HasMetadata> objects) {

    static final Path CHART = Path.of("helm", "tlsrpt");
    static final String NAMESPACE = "mail";

    /// A release that Kubernetes may be of.
    private static final String KUBERNETES = "1.33.0";

    private static final Map<String, Class<? extends HasMetadata>> KINDS = Map.of(
            "v1/ConfigMap", ConfigMap.class,
            "v1/Pod", Pod.class,
            "v1/Service", Service.class,
            "v1/ServiceAccount", ServiceAccount.class,
            "apps/v1/StatefulSet", StatefulSet.class,
            "networking.k8s.io/v1/Ingress", Ingress.class,
            "networking.k8s.io/v1/NetworkPolicy", NetworkPolicy.class,
            "policy/v1/PodDisruptionBudget", PodDisruptionBudget.class,
            "monitoring.coreos.com/v1/PrometheusRule", PrometheusRule.class,
            "monitoring.coreos.com/v1/ServiceMonitor", ServiceMonitor.class);

    /// The model keeps what it does not know; here that is refused.
    private static final ObjectMapper STRICT = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .setAnnotationIntrospector(new JacksonAnnotationIntrospector() {
                private static final long serialVersionUID = 1;

                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                    return false;
                }
            });

    /// Helm leaves hooks out of what it renders here, so they are rendered from a copy in which they are none.
    private static final Path HOOKS_SHOWN = hooksShown();

    private static Path hooksShown() {
        try (Stream<Path> files = Files.walk(CHART, FileVisitOption.FOLLOW_LINKS)) {
            Path copy = Files.createTempDirectory(Files.createDirectories(Path.of("target")), "chart-")
                    .resolve("tlsrpt");
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path to = copy.resolve(CHART.relativize(file));
                Files.createDirectories(to.getParent());
                Files.writeString(to, Files.readString(file).replace("helm.sh/hook: ", "helm.sh/no-hook: "));
            }
            return copy;
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    /// @param set values on top of those of the files, by their paths
    /// @throws IllegalStateException when Helm refuses, with what it says
    static Manifests of(String release, Map<String, String> set, Path... values) {
        TemplateCommand template = new Helm(HOOKS_SHOWN)
                .template()
                .withName(release)
                .withNamespace(NAMESPACE)
                .withKubeVersion(KUBERNETES);
        for (Path file : values) {
            template.withValuesFile(file);
        }
        set.forEach(template::set);
        List<JsonNode> rendered = new ArrayList<>();
        List<HasMetadata> objects = new ArrayList<>();
        for (Object document : new Load(LoadSettings.builder().build()).loadAllFromString(template.call())) {
            if (document != null) {
                JsonNode manifest = STRICT.valueToTree(document);
                rendered.add(manifest);
                objects.add(typed(manifest));
            }
        }
        return new Manifests(rendered, objects);
    }

    private static HasMetadata typed(JsonNode manifest) {
        String kind = manifest.path("apiVersion").asText() + "/"
                + manifest.path("kind").asText();
        Class<? extends HasMetadata> type = KINDS.get(kind);
        if (type == null) {
            throw new IllegalStateException("the chart makes no " + kind);
        }
        try {
            return STRICT.treeToValue(manifest, type);
        } catch (IOException unknown) {
            throw new UncheckedIOException(kind + ": " + unknown.getMessage(), unknown);
        }
    }

    /// A typed object as JSON again.
    static JsonNode json(@Nullable Object object) {
        return STRICT.valueToTree(object);
    }

    /// The same as text, one member a line, in the order of their names.
    static String sorted(Object object) {
        try {
            return STRICT.writer(SerializationFeature.INDENT_OUTPUT, SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
                    .writeValueAsString(STRICT.convertValue(json(object), Object.class));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    <T extends HasMetadata> List<T> all(Class<T> type) {
        return objects.stream().filter(type::isInstance).map(type::cast).toList();
    }

    <T extends HasMetadata> T one(Class<T> type, String name) {
        List<T> named = all(type).stream()
                .filter(object -> object.getMetadata().getName().equals(name))
                .toList();
        if (named.size() != 1) {
            throw new IllegalStateException(named.size() + " of " + type.getSimpleName() + " " + name + " in "
                    + all(type).stream().map(o -> o.getMetadata().getName()).toList());
        }
        return named.getFirst();
    }

    /// The pods' labels and containers, by the workload that makes them; the test's pod among them.
    Map<String, PodMade> pods() {
        Map<String, PodMade> pods = new LinkedHashMap<>();
        all(StatefulSet.class)
                .forEach(set -> pods.put(
                        set.getMetadata().getName(),
                        new PodMade(
                                set.getSpec().getTemplate().getMetadata().getLabels(),
                                set.getSpec().getTemplate().getSpec())));
        all(Pod.class)
                .forEach(pod -> pods.put(
                        pod.getMetadata().getName(),
                        new PodMade(pod.getMetadata().getLabels(), pod.getSpec())));
        return pods;
    }

    /// The pods that a selector chooses.
    List<PodMade> chosen(Map<String, String> selector) {
        return pods().values().stream()
                .filter(pod -> pod.labels().entrySet().containsAll(selector.entrySet()))
                .toList();
    }

    /// Names of all ports of pods.
    static List<String> ports(List<PodMade> pods) {
        return pods.stream().flatMap(PodMade::ports).toList();
    }

    /// A pod to be.
    record PodMade(Map<String, String> labels, io.fabric8.kubernetes.api.model.PodSpec spec) {

        Stream<String> ports() {
            return spec.getContainers().stream()
                    .flatMap(container -> container.getPorts().stream())
                    .map(io.fabric8.kubernetes.api.model.ContainerPort::getName);
        }
    }
}

package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.tlsrpt.report.ResultType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Which alerts are meant. All kinds of matchers that are given must match, of one kind any value; with none at all
/// every
/// alert is meant.
///
/// @param domains policy domains, or `*.example.com`; an alert of several domains matches by any of them
/// @param labels that the alert carries, all of them
/// @param classes failure classes of the result type
@JsonPropertyOrder({
    "alert-ids",
    "domains",
    "receiving-mx-hostnames",
    "submitters",
    "labels",
    "rules",
    "severities",
    "classes"
})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record AlertMatch(
        @Nullable List<String> alertIds,
        @Nullable List<String> domains,
        @Nullable List<String> receivingMxHostnames,
        @Nullable List<String> submitters,
        @Nullable Map<String, String> labels,
        @Nullable List<String> rules,
        @Nullable List<String> severities,
        @Nullable List<String> classes) {

    public AlertMatch {
        alertIds = Json.present(alertIds);
        domains = Json.present(domains);
        receivingMxHostnames = Json.present(receivingMxHostnames);
        submitters = Json.present(submitters);
        labels = labels == null || labels.isEmpty() ? null : Map.copyOf(labels);
        rules = Json.present(rules);
        severities = Json.present(severities);
        classes = Json.present(classes);
    }

    private static final List<String> ALL_SEVERITIES = List.of("critical", "warning", "info");

    /// Whether nothing is asked for, or no more than any severity, so that every alert is meant.
    public boolean meansAll() {
        return alertIds == null
                && domains == null
                && receivingMxHostnames == null
                && submitters == null
                && labels == null
                && rules == null
                && (severities == null || severities.containsAll(ALL_SEVERITIES))
                && classes == null;
    }

    public boolean matches(Alert alert) {
        return one(alertIds, alert.alertId())
                && matchesDomain(alert)
                && one(receivingMxHostnames, alert.receivingMxHostname())
                && one(submitters, alert.submitter())
                && (labels == null
                        || (alert.labels() != null && alert.labels().entrySet().containsAll(labels.entrySet())))
                && one(rules, alert.rule())
                && one(severities, alert.severity())
                && one(classes, failureClass(alert));
    }

    private boolean matchesDomain(Alert alert) {
        if (domains == null) {
            return true;
        }
        List<String> named = new ArrayList<>();
        if (alert.policyDomain() != null) {
            named.add(alert.policyDomain());
        }
        if (alert.evidence().affectedDomains() != null) {
            named.addAll(alert.evidence().affectedDomains());
        }
        return named.stream()
                .anyMatch(domain -> domains.stream()
                        .anyMatch(pattern -> pattern.startsWith("*.")
                                ? domain.endsWith(pattern.substring(1))
                                : domain.equals(pattern)));
    }

    private static @Nullable String failureClass(Alert alert) {
        String type = alert.resultType();
        return type == null
                ? null
                : ResultType.of(type)
                        .failureClass()
                        .name()
                        .toLowerCase(Locale.ROOT)
                        .replace('_', '-');
    }

    private static boolean one(@Nullable List<String> wanted, @Nullable String value) {
        return wanted == null || (value != null && wanted.contains(value));
    }
}

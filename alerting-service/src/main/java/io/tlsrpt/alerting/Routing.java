package io.tlsrpt.alerting;

import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertMatch;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Which receivers the configured routes send an alert to: the first route that matches, and those after it as long as
/// each says `proceed`. Without any route everybody hears of everything; with routes of which none matches nobody does.
record Routing(List<Path> paths) {

    /// One route.
    record Path(AlertMatch match, Set<String> receivers, boolean proceed) {}

    static Routing of(List<AlertingSettings.Route> routes) {
        return new Routing(routes.stream().map(Routing::path).toList());
    }

    private static Path path(AlertingSettings.Route route) {
        return new Path(
                new AlertMatch(
                        null,
                        route.domains(),
                        null,
                        null,
                        route.labels(),
                        route.rules(),
                        route.severities().stream()
                                .map(severity -> severity.name().toLowerCase(Locale.ROOT))
                                .toList(),
                        route.classes()),
                Set.copyOf(route.receivers()),
                route.proceed());
    }

    boolean reaches(Alert alert, String receiver) {
        if (paths.isEmpty()) {
            return true;
        }
        Set<String> reached = new HashSet<>();
        for (Path path : paths) {
            if (path.match().matches(alert)) {
                reached.addAll(path.receivers());
                if (!path.proceed()) {
                    break;
                }
            }
        }
        return reached.contains(receiver);
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.report.FailureHelp;
import io.tlsrpt.topics.Alert;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Alerts for tests: an expired certificate at mx1.example.com, opened 2026-11-21 at 04:00.
record SampleAlerts(
        String alertId,
        int opening,
        int transition,
        String state,
        String severity,
        Instant openedAt,
        Instant updatedAt,
        @Nullable Boolean reopened,
        List<String> submitters) {

    static final Instant OPENED = Instant.parse("2026-11-21T04:00:00Z");

    static SampleAlerts critical() {
        return new SampleAlerts("a1", 1, 1, Alert.FIRING, "critical", OPENED, OPENED, null, List.of("google.com"));
    }

    static SampleAlerts warning() {
        return critical().severity("warning");
    }

    SampleAlerts id(String id) {
        return new SampleAlerts(id, opening, transition, state, severity, openedAt, updatedAt, reopened, submitters);
    }

    SampleAlerts severity(String other) {
        return new SampleAlerts(alertId, opening, transition, state, other, openedAt, updatedAt, reopened, submitters);
    }

    SampleAlerts submitters(String... others) {
        return new SampleAlerts(
                alertId, opening, transition, state, severity, openedAt, updatedAt, reopened, List.of(others));
    }

    /// The same incident, one change later.
    SampleAlerts updated(Instant at) {
        return new SampleAlerts(alertId, opening, transition + 1, state, severity, openedAt, at, reopened, submitters);
    }

    SampleAlerts resolved(Instant at) {
        return new SampleAlerts(
                alertId, opening, transition + 1, Alert.RESOLVED, severity, openedAt, at, reopened, submitters);
    }

    /// The next incident of the same alert.
    SampleAlerts reopened(Instant at) {
        return new SampleAlerts(alertId, opening + 1, 1, Alert.FIRING, severity, at, at, true, submitters);
    }

    String incidentId() {
        return alertId + "-" + opening;
    }

    Alert alert() {
        return alert(
                new Alert.Evidence(
                        LocalDate.parse("2026-11-20"),
                        "B",
                        5,
                        55,
                        0,
                        1500,
                        2.8e-9,
                        submitters,
                        List.of("192.0.2.25"),
                        List.of("certificate has expired"),
                        List.of("example.com"),
                        1),
                Map.of("team", "mail"));
    }

    Alert alert(Alert.Evidence evidence, Map<String, String> labels) {
        boolean resolved = state.equals(Alert.RESOLVED);
        return new Alert(
                alertId,
                incidentId(),
                "certificate",
                "certificate-expired",
                "example.com",
                "mx1.example.com",
                null,
                "sts",
                labels,
                state,
                severity,
                transition,
                reopened,
                openedAt,
                updatedAt,
                resolved ? updatedAt : null,
                resolved ? "recovered" : null,
                null,
                null,
                "expired certificate at mx1.example.com: 5 of 55 sessions (9 %) on 2026-11-20, one reporter (google.com);"
                        + " 0 of 1,500 in 28 days before",
                evidence,
                Alert.Help.of(FailureHelp.ofResultType("certificate-expired").at("mx1.example.com", "example.com")),
                "http://127.0.0.1:8080/alerts/" + alertId,
                null);
    }
}

package io.tlsrpt.standalone;

import io.tlsrpt.topics.Json;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Writes reports as senders do, for the demo and for measuring.
public final class GeneratedReports {

    private GeneratedReports() {}

    /// One day's report about one domain.
    ///
    /// @param failure result type of the failures; null: none
    public static Map<String, Object> report(
            String submitter,
            String domain,
            LocalDate day,
            long successful,
            long failed,
            @Nullable String failure,
            String mx) {
        List<Object> details = new ArrayList<>();
        if (failure != null && failed > 0) {
            details.add(members(
                    "result-type", failure,
                    "sending-mta-ip", "192.0.2." + (1 + Math.floorMod(submitter.hashCode(), 250)),
                    "receiving-mx-hostname", mx,
                    "receiving-ip", "198.51.100.25",
                    "failed-session-count", failed));
        }
        Map<String, Object> policy = members(
                "policy",
                members(
                        "policy-type",
                        "sts",
                        "policy-string",
                        List.of("version: STSv1", "mode: enforce", "mx: " + mx, "max_age: 604800"),
                        "policy-domain",
                        domain,
                        "mx-host",
                        List.of(mx)),
                "summary",
                members("total-successful-session-count", successful, "total-failure-session-count", failed));
        if (!details.isEmpty()) {
            policy.put("failure-details", details);
        }
        return members(
                "organization-name",
                submitter,
                "date-range",
                members("start-datetime", day + "T00:00:00Z", "end-datetime", day + "T23:59:59Z"),
                "contact-info",
                "smtp-tls-reporting@" + submitter,
                "report-id",
                day + "T00:00:00Z_" + domain,
                "policies",
                List.of(policy));
    }

    /// The document of a report.
    public static byte[] json(Map<String, Object> report) {
        return Json.MAPPER.writeValueAsString(report).getBytes(StandardCharsets.UTF_8);
    }

    private static Map<String, Object> members(Object... namesAndValues) {
        Map<String, Object> members = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            members.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return members;
    }
}

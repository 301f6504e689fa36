package io.tlsrpt.report;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/// Builds report documents for tests as senders write them. The JSON text is written here and not by production code,
/// so that a fault there cannot hide itself.
public final class SampleReports {

    private @Nullable String organization = "Google Inc.";
    private @Nullable String contact = "smtp-tls-reporting@google.com";
    private @Nullable String id;
    private String start = "2026-11-20T00:00:00Z";
    private String end = "2026-11-20T23:59:59Z";
    private final List<Map<String, Object>> entries = new ArrayList<>();
    private boolean defaultEntry = true;

    private SampleReports() {
        addEntry("sts", "example.com", 100, 0);
    }

    /// google.com about example.com, 2026-11-20, sts enforce, 100 successful sessions, no failure. The report-id is
    /// `<start-datetime>_<first policy-domain>` unless [#id] says otherwise.
    public static SampleReports report() {
        return new SampleReports();
    }

    /// @param name absent when null
    public SampleReports organization(@Nullable String name) {
        organization = name;
        return this;
    }

    /// @param address absent when null
    public SampleReports contact(@Nullable String address) {
        contact = address;
        return this;
    }

    public SampleReports id(String reportId) {
        id = reportId;
        return this;
    }

    /// The report covers this UTC day.
    public SampleReports day(LocalDate day) {
        return range(day + "T00:00:00Z", day + "T23:59:59Z");
    }

    public SampleReports range(String startDatetime, String endDatetime) {
        start = startDatetime;
        end = endDatetime;
        return this;
    }

    /// The first call replaces the default entry, further calls add entries. An `sts` entry is in mode enforce for
    /// `mx1.<domain>`.
    ///
    /// @param domain absent when null
    public SampleReports policy(String type, @Nullable String domain, long successful, long failed) {
        if (defaultEntry) {
            entries.clear();
            defaultEntry = false;
        }
        addEntry(type, domain, successful, failed);
        return this;
    }

    /// Sets the mode of the last entry's STS policy.
    public SampleReports mode(String mode) {
        Map<String, Object> policy = lastPolicy();
        List<String> lines = new ArrayList<>();
        for (Object line : list(policy, "policy-string")) {
            lines.add(line.toString().startsWith("mode:") ? "mode: " + mode : line.toString());
        }
        policy.put("policy-string", lines);
        return this;
    }

    /// Sets the only `mx-host` of the last entry.
    public SampleReports mxHost(String pattern) {
        lastPolicy().put("mx-host", List.of(pattern));
        return this;
    }

    /// Adds a detail to the last entry; its totals stay as they are.
    ///
    /// @param mx receiving-mx-hostname, absent when null
    public SampleReports failure(String resultType, @Nullable String mx, long sessions) {
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("result-type", resultType);
        detail.put("sending-mta-ip", "192.0.2.25");
        if (mx != null) {
            detail.put("receiving-mx-hostname", mx);
            detail.put("receiving-ip", "198.51.100.7");
        }
        detail.put("failed-session-count", sessions);
        list(entries.getLast(), "failure-details").add(detail);
        return this;
    }

    /// Without white space, in the member order of the RFC.
    public String json() {
        StringBuilder out = new StringBuilder(1024);
        write(out, document(), null);
        return out.toString();
    }

    /// The same document, indented.
    public String prettyJson() {
        StringBuilder out = new StringBuilder(2048);
        write(out, document(), "\n");
        return out.append('\n').toString();
    }

    public byte[] bytes() {
        return json().getBytes(StandardCharsets.UTF_8);
    }

    public byte[] gzip() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes());
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return out.toByteArray();
    }

    private void addEntry(String type, @Nullable String domain, long successful, long failed) {
        Map<String, Object> policy = new LinkedHashMap<>();
        policy.put("policy-type", type);
        if (type.equals("sts")) {
            policy.put(
                    "policy-string", List.of("version: STSv1", "mode: enforce", "mx: mx1." + domain, "max_age: 86400"));
        } else if (type.equals("tlsa")) {
            policy.put(
                    "policy-string", List.of("3 1 1 0D6FCE13243AA7AB2F2D1B36A4DA1A4CC68D8E07D6A1EE7C4FBBB10F1F4F2F3A"));
        }
        if (domain != null) {
            policy.put("policy-domain", domain);
        }
        if (type.equals("sts")) {
            policy.put("mx-host", List.of("mx1." + domain));
        }
        Map<String, Object> summary = new LinkedHashMap<>();
        summary.put("total-successful-session-count", successful);
        summary.put("total-failure-session-count", failed);
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("policy", policy);
        entry.put("summary", summary);
        entry.put("failure-details", new ArrayList<Object>());
        entries.add(entry);
    }

    private Map<String, Object> document() {
        Map<String, Object> range = new LinkedHashMap<>();
        range.put("start-datetime", start);
        range.put("end-datetime", end);
        Map<String, Object> document = new LinkedHashMap<>();
        if (organization != null) {
            document.put("organization-name", organization);
        }
        document.put("date-range", range);
        if (contact != null) {
            document.put("contact-info", contact);
        }
        document.put("report-id", id == null ? start + "_" + firstDomain() : id);
        List<Object> policies = new ArrayList<>();
        for (Map<String, Object> entry : entries) {
            Map<String, Object> written = new LinkedHashMap<>(entry);
            if (list(entry, "failure-details").isEmpty()) {
                written.remove("failure-details");
            }
            policies.add(written);
        }
        document.put("policies", policies);
        return document;
    }

    private String firstDomain() {
        return String.valueOf(object(entries.getFirst(), "policy").getOrDefault("policy-domain", ""));
    }

    private Map<String, Object> lastPolicy() {
        return object(entries.getLast(), "policy");
    }

    @SuppressWarnings("unchecked") // built above and nowhere else
    private static Map<String, Object> object(Map<String, Object> parent, String name) {
        return (Map<String, Object>) Objects.requireNonNull(parent.get(name));
    }

    @SuppressWarnings("unchecked") // built above and nowhere else
    private static List<Object> list(Map<String, Object> parent, String name) {
        return (List<Object>) parent.getOrDefault(name, List.of());
    }

    private static void write(StringBuilder out, Object value, @Nullable String newLine) {
        String inner = newLine == null ? null : newLine + "  ";
        switch (value) {
            case Map<?, ?> members -> {
                char separator = '{';
                for (Map.Entry<?, ?> member : members.entrySet()) {
                    out.append(separator).append(inner == null ? "" : inner);
                    quote(out, String.valueOf(member.getKey()));
                    out.append(inner == null ? ":" : ": ");
                    write(out, member.getValue(), inner);
                    separator = ',';
                }
                out.append(newLine == null ? "" : newLine).append('}');
            }
            case List<?> elements -> {
                char separator = '[';
                for (Object element : elements) {
                    out.append(separator).append(inner == null ? "" : inner);
                    write(out, element, inner);
                    separator = ',';
                }
                out.append(newLine == null ? "" : newLine).append(']');
            }
            case Number number -> out.append(number);
            default -> quote(out, value.toString());
        }
    }

    private static void quote(StringBuilder out, String text) {
        out.append('"');
        for (int at = 0; at < text.length(); at++) {
            char character = text.charAt(at);
            if (character == '"' || character == '\\') {
                out.append('\\').append(character);
            } else if (character < ' ') {
                out.append(String.format("\\u%04x", (int) character));
            } else {
                out.append(character);
            }
        }
        out.append('"');
    }
}

package io.tlsrpt.topics;

import io.tlsrpt.report.Authentication;
import java.time.Instant;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The records that the golden files under `wire/` hold, by file name.
final class SampleRecords {

    private static final String KEY = "google.com|2026-11-20T00:00:00Z_example.com|2026-11-20T00:00:00Z|example.com";
    private static final String ALERT_ID = "0f3c".repeat(16);
    private static final Instant START = Instant.parse("2026-11-20T00:00:00Z");
    private static final Instant END = Instant.parse("2026-11-20T23:59:59Z");
    private static final Instant RECEIVED = Instant.parse("2026-11-21T10:15:30.250Z");
    private static final LocalDate DAY = LocalDate.parse("2026-11-20");

    private SampleRecords() {}

    static Map<String, Record> byFile() {
        Map<String, Record> records = new LinkedHashMap<>();
        records.put("event-failure.json", failure(4, null));
        records.put("event-summary.json", summary(50, 5, false));
        records.put("event-retraction.json", failure(-4, true));
        records.put("event-minimal.json", minimalEvent());
        records.put("aggregate-key.json", new AggregateKey(DAY, "example.com", "sts", "google.com", "dkim"));
        records.put("aggregate.json", aggregate());
        records.put("aggregate-without-failures.json", aggregateWithoutFailures());
        records.put("report.json", report());
        records.put("report-replaced.json", replacedReport());
        records.put("verdict-accepted.json", new Verdict(Verdict.ACCEPTED, KEY, 0, null, null, new RawPosition(3, 0)));
        records.put(
                "verdict-rejected.json",
                new Verdict(
                        Verdict.REJECTED,
                        KEY,
                        null,
                        "no-policy-domain",
                        "policies[0].policy.policy-domain is missing",
                        new RawPosition(3, 17)));
        records.put("alert-firing.json", firingAlert());
        records.put("alert-resolved.json", resolvedAlert());
        records.put(
                "alert-action.json",
                AlertAction.on(
                        firingAlert(),
                        "6c1f0a9e-6d0e-4c57-9d0b-3f5d9f1d2a77",
                        AlertAction.ACKNOWLEDGE,
                        "alice",
                        Instant.parse("2026-11-21T10:20:00Z"),
                        "renewal is under way"));
        records.put("silence.json", silence());
        records.put("inspection.json", inspection());
        records.put(
                "inspection-minimal.json",
                new Inspection(
                        "example.com",
                        RECEIVED,
                        Inspection.WATCH,
                        Inspection.UNKNOWN,
                        null,
                        null,
                        null,
                        List.of(),
                        List.of()));
        records.put(
                "notification.json",
                new Notification(
                        ALERT_ID,
                        ALERT_ID + "-1",
                        "team-mail",
                        1,
                        Alert.FIRING,
                        "critical",
                        Notification.DELIVERED,
                        "204",
                        1,
                        Instant.parse("2026-11-21T10:16:00Z")));
        records.put("departure.json", new Departure("example.com", RECEIVED, "alice"));
        DomainClaim pending = DomainClaim.pending("example.com", "mailto:tlsrpt@reports.example", RECEIVED);
        records.put("domain-pending.json", pending);
        records.put("domain-accepted.json", pending.accept(Instant.parse("2026-11-22T09:00:00Z")));
        return records;
    }

    static ReportHeaders headers() {
        return new ReportHeaders(
                "smtp",
                RECEIVED,
                "192.0.2.25",
                Authentication.DKIM,
                "google.com",
                "google.com",
                "ab12".repeat(16),
                "example.com",
                List.of("other.example", "third.example"),
                true,
                "<2026.11.20@google.com>",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    }

    static ReportHeaders fewestHeaders() {
        return new ReportHeaders(
                "https", START, null, Authentication.NONE, null, null, null, null, List.of(), false, null, null);
    }

    private static Event failure(long sessions, @Nullable Boolean retraction) {
        return new Event(
                Event.FAILURE,
                KEY + "#0.0.0" + (retraction == null ? "" : "!"),
                retraction,
                "certificate-expired",
                "certificate",
                sessions,
                "192.0.2.25",
                "mx1.example.com",
                "mx1.example.com",
                "2001:db8::25",
                "X509_V_ERR_CERT_HAS_EXPIRED",
                "https://google.com/why?id=1",
                null,
                null,
                "example.com",
                "sts",
                "enforce",
                List.of("*.example.com"),
                "google.com",
                "Google Inc.",
                "2026-11-20T00:00:00Z_example.com",
                START,
                END,
                "dkim",
                "smtp",
                RECEIVED,
                false,
                List.of("mx-host"));
    }

    private static Event summary(long successful, long failed, @Nullable Boolean retraction) {
        return new Event(
                Event.SUMMARY,
                KEY + "#0.0",
                retraction,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                successful,
                failed,
                "example.com",
                "tlsa",
                null,
                List.of(),
                "google.com",
                null,
                "2026-11-20T00:00:00Z_example.com",
                START,
                END,
                "operator",
                "file",
                START,
                true,
                List.of());
    }

    private static Event minimalEvent() {
        return summary(0, 0, null);
    }

    private static Aggregate aggregate() {
        return new Aggregate(
                DAY,
                "example.com",
                "sts",
                "google.com",
                "dkim",
                50,
                5,
                1,
                "enforce",
                List.of(
                        new Aggregate.Failure(
                                "certificate-expired",
                                "mx1.example.com",
                                4,
                                1,
                                List.of("2001:db8::25"),
                                List.of("X509_V_ERR_CERT_HAS_EXPIRED")),
                        new Aggregate.Failure("sts-policy-fetch-error", null, 0, 1, List.of(), List.of())),
                RECEIVED,
                RECEIVED,
                END,
                false);
    }

    private static Aggregate aggregateWithoutFailures() {
        return new Aggregate(
                DAY,
                "example.com",
                "no-policy-found",
                "google.com",
                "none",
                0,
                0,
                0,
                null,
                List.of(),
                START,
                RECEIVED,
                END,
                true);
    }

    private static AcceptedReport report() {
        return new AcceptedReport(
                KEY,
                0,
                "google.com",
                "Google Inc.",
                "smtp-tls-reporting@google.com",
                "2026-11-20T00:00:00Z_example.com",
                START,
                END,
                List.of("example.com"),
                List.of(new AcceptedReport.Entry("example.com", "sts", "enforce", 50, 5)),
                "dkim",
                "smtp",
                RECEIVED,
                false,
                List.of("date-without-zone", "mx-host-as-text"),
                new RawPosition(3, 17),
                null);
    }

    private static AcceptedReport replacedReport() {
        return new AcceptedReport(
                KEY,
                1,
                "google.com",
                null,
                null,
                "2026-11-20T00:00:00Z_example.com",
                START,
                END,
                List.of(),
                List.of(),
                "operator",
                "file",
                RECEIVED,
                true,
                List.of(),
                new RawPosition(0, 0),
                0);
    }

    private static Alert firingAlert() {
        return new Alert(
                ALERT_ID,
                ALERT_ID + "-2",
                "certificate",
                "certificate-expired",
                "example.com",
                "mx1.example.com",
                null,
                "sts",
                Map.of("team", "mail", "customer", "acme"),
                Alert.FIRING,
                "critical",
                3,
                true,
                RECEIVED,
                RECEIVED,
                null,
                null,
                new Alert.Word("alice", RECEIVED, null),
                List.of(new Alert.Word("alice", RECEIVED, "renewal is under way")),
                "expired certificate at mx1.example.com: 5 of 55 sessions (9 %) on 2026-11-20",
                new Alert.Evidence(
                        DAY,
                        "B",
                        5,
                        55,
                        0,
                        1_500,
                        2.8e-9,
                        List.of("google.com"),
                        List.of("2001:db8::25"),
                        List.of("X509_V_ERR_CERT_HAS_EXPIRED"),
                        List.of("example.com", "other.example"),
                        2,
                        new Alert.Live(
                                Instant.parse("2026-11-21T10:15:40Z"),
                                "mx1.example.com presents a certificate that expired on 2026-11-19.",
                                true,
                                List.of(expired()))),
                new Alert.Help(
                        "The certificate of the mail host is out of date.",
                        "Renew it and reload the mail server.",
                        "openssl s_client -connect mx1.example.com:25 -starttls smtp"),
                "https://tlsrpt.example/alerts/1",
                "https://runbooks.example/certificate");
    }

    private static Inspection.Finding expired() {
        return new Inspection.Finding(
                "certificate-expired",
                "certificate-expiry",
                Inspection.ERROR,
                "mx1.example.com 192.0.2.25",
                "mx1.example.com",
                "expired on 2026-11-19T12:00:00Z",
                "Renew the certificate and reload the mail server.",
                "RFC 8461 §4.2");
    }

    private static Silence silence() {
        return new Silence(
                "0d9a4f6e-5b0f-4a39-8a53-0c1f8c2f6b10",
                new AlertMatch(
                        List.of(ALERT_ID),
                        List.of("example.com", "*.example.net"),
                        List.of("mx1.example.com"),
                        List.of("google.com"),
                        Map.of("team", "mail"),
                        List.of("certificate"),
                        List.of("warning"),
                        List.of("certificate")),
                Instant.parse("2026-11-21T11:00:00Z"),
                Instant.parse("2026-11-21T13:00:00Z"),
                "alice",
                "the certificate is being renewed",
                RECEIVED);
    }

    private static Inspection inspection() {
        Inspection.Certificate certificate = new Inspection.Certificate(
                "CN=mx1.example.com",
                "CN=Example CA",
                List.of("mx1.example.com"),
                Instant.parse("2026-08-21T12:00:00Z"),
                Instant.parse("2026-11-19T12:00:00Z"),
                "cd34".repeat(16));
        return new Inspection(
                "example.com",
                RECEIVED,
                Inspection.ALERT,
                "open",
                "mx",
                new Inspection.TlsRpt(
                        "published", "v=TLSRPTv1; rua=mailto:tlsrpt@example.com", List.of("mailto:tlsrpt@example.com")),
                new Inspection.MtaSts(
                        "published",
                        "20261120",
                        "valid",
                        "enforce",
                        604_800L,
                        List.of("*.example.com"),
                        "ab12".repeat(16),
                        certificate),
                List.of(new Inspection.Mx(
                        "mx1.example.com",
                        10,
                        "secure",
                        true,
                        new Inspection.Tlsa("secure", List.of("3 1 1 " + "ef56".repeat(16))),
                        List.of(
                                new Inspection.Address(
                                        "192.0.2.25", "offered", null, "TLSv1.3", "expired", true, certificate),
                                new Inspection.Address(
                                        "2001:db8::25",
                                        Inspection.UNKNOWN,
                                        "no answer in time",
                                        null,
                                        null,
                                        null,
                                        null)))),
                List.of(expired()));
    }

    private static Alert resolvedAlert() {
        return new Alert(
                ALERT_ID,
                ALERT_ID + "-2",
                "starttls-regression",
                null,
                "example.com",
                null,
                null,
                null,
                Map.of(),
                Alert.RESOLVED,
                "warning",
                4,
                false,
                RECEIVED,
                Instant.parse("2026-11-24T00:00:00Z"),
                Instant.parse("2026-11-24T00:00:00Z"),
                "recovered",
                null,
                null,
                "STARTTLS is back at example.com",
                new Alert.Evidence(DAY, null, 0, 60, 0, 1_500, null, List.of(), List.of(), List.of(), List.of(), null),
                null,
                null,
                null);
    }
}

package io.tlsrpt.standalone;

import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.topics.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import tools.jackson.databind.JsonNode;

/// What happens in the demo: four quiet weeks are imported, then yesterday's reports are posted as senders post them:
/// a certificate has expired at one MX, and another MX no longer offers STARTTLS.
final class DemoScript {

    private static final Set<String> EXPECTED = Set.of("certificate", "starttls-regression");
    private static final List<String> SUBMITTERS = List.of("google.com", "microsoft.com", "mail.example");
    private static final Map<String, String> MX_BY_DOMAIN =
            Map.of("example.com", "mx1.example.com", "example.net", "mx.example.net", "example.org", "mx.example.org");
    private static final int QUIET_DAYS = 28;

    private final Standalone standalone;
    private final DemoReceiver receiver;
    private final PrintWriter out;
    private final HttpClient http = HttpClient.newHttpClient();
    private final LocalDate yesterday;

    DemoScript(Standalone standalone, DemoReceiver receiver, PrintWriter out) {
        this.standalone = standalone;
        this.receiver = receiver;
        this.out = out;
        this.yesterday =
                LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC).minusDays(1);
    }

    void run() {
        runUntilAlerts(Duration.ofMinutes(2));
    }

    /// @return whether both alerts were delivered in time
    boolean runUntilAlerts(Duration limit) {
        say("waiting until everything is ready …");
        await(limit, () -> standalone.host().health().isReady());
        say("ready. Dashboard: http://" + standalone.apiAddress() + "/   Broker: " + standalone.bootstrapServers());
        say("importing four quiet weeks of three domains from three senders …");
        out.print(importQuietWeeks());
        say("posting yesterday's reports, gzipped, as senders do …");
        postYesterday();
        await(limit, () -> aggregates("example.com") >= SUBMITTERS.size());
        say("aggregates of example.com for " + yesterday + ":");
        showAggregates("example.com");
        boolean told = await(limit, () -> receiver.rules().containsAll(EXPECTED));
        out.println();
        say(
                told
                        ? "both alerts were delivered: an expired certificate and a vanished STARTTLS."
                        : "the alerts did not arrive within " + limit.toSeconds()
                                + " s: this is a fault, please report it.");
        say("look yourself:  http://" + standalone.apiAddress() + "/");
        return told;
    }

    private String importQuietWeeks() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (int ago = QUIET_DAYS; ago > 0; ago--) {
                LocalDate day = yesterday.minusDays(ago);
                for (String submitter : SUBMITTERS) {
                    for (String domain : MX_BY_DOMAIN.keySet()) {
                        zip.putNextEntry(new ZipEntry(day + "-" + submitter + "-" + domain + ".json"));
                        // one early failure at each MX tells which domains are behind it
                        long failed = ago == QUIET_DAYS && submitter.equals("google.com") ? 1 : 0;
                        zip.write(GeneratedReports.json(GeneratedReports.report(
                                submitter, domain, day, 100, failed, "certificate-expired", mx(domain))));
                    }
                }
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        String answer = send(HttpRequest.newBuilder(uri(standalone.apiAddress(), "/api/v1/import?name=quiet-weeks.zip"))
                .header("Content-Type", "application/zip")
                .POST(HttpRequest.BodyPublishers.ofByteArray(bytes.toByteArray()))
                .build());
        List<String> verdicts = new ArrayList<>();
        for (String line : answer.lines().toList()) {
            verdicts.add(Json.MAPPER.readTree(line).path("verdict").asString());
        }
        long accepted = verdicts.stream().filter("accepted"::equals).count();
        return "  accepted " + accepted + " of " + verdicts.size() + System.lineSeparator();
    }

    private void postYesterday() {
        for (String submitter : SUBMITTERS) {
            post(
                    submitter,
                    GeneratedReports.report(
                            submitter, "example.com", yesterday, 20, 40, "certificate-expired", mx("example.com")));
            post(
                    submitter,
                    GeneratedReports.report(
                            submitter, "example.net", yesterday, 0, 55, "starttls-not-supported", mx("example.net")));
            post(
                    submitter,
                    GeneratedReports.report(submitter, "example.org", yesterday, 120, 0, null, mx("example.org")));
        }
    }

    private void post(String submitter, Map<String, Object> report) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(GeneratedReports.json(report));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        String answer = send(HttpRequest.newBuilder(uri(standalone.intakeAddress(), "/v1/tlsrpt"))
                .header("Content-Type", "application/tlsrpt+gzip")
                .POST(HttpRequest.BodyPublishers.ofByteArray(bytes.toByteArray()))
                .build());
        say("  201 for " + submitter + ": " + answer.strip());
    }

    private int aggregates(String domain) {
        return rows(domain).size();
    }

    private JsonNode rows(String domain) {
        String answer = send(HttpRequest.newBuilder(uri(
                        standalone.apiAddress(),
                        "/api/v1/domains/" + domain + "/aggregates?from=" + yesterday + "&to=" + yesterday))
                .build());
        return Json.MAPPER.readTree(answer).path("rows");
    }

    private void showAggregates(String domain) {
        for (JsonNode row : rows(domain)) {
            say("  " + row.path("submitter").asString() + ": "
                    + row.path("total-successful-session-count").asLong()
                    + " good, " + row.path("total-failure-session-count").asLong() + " failed, "
                    + row.path("failures").path(0).path("result-type").asString() + " at "
                    + row.path("failures").path(0).path("receiving-mx-hostname").asString());
        }
    }

    private String send(HttpRequest request) {
        try {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() / 100 != 2) {
                throw new IllegalStateException(
                        request.uri().getPath() + " answered " + answer.statusCode() + ": " + answer.body());
            }
            return answer.body();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private static URI uri(HostPort address, String path) {
        return URI.create("http://" + address + path);
    }

    private static String mx(String domain) {
        return Objects.requireNonNull(MX_BY_DOMAIN.get(domain));
    }

    private void say(String line) {
        out.println(line);
        out.flush();
    }

    private static boolean await(Duration limit, BooleanSupplier condition) {
        CountDownLatch never = new CountDownLatch(1);
        long end = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            try {
                never.await(200, TimeUnit.MILLISECONDS);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }
}

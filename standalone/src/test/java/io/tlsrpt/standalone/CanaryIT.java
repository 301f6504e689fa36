package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.report.CanaryReport;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Verdict;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The house sends reports to itself, by post and by its own SMTP server.
class CanaryIT {

    @TempDir
    Path directory;

    @Test
    void reportsOfOurOwnComeThroughBothDoorsToTheWatchdogAndAreCountedNowhere() throws IOException {
        List<String> calls = new CopyOnWriteArrayList<>();
        HttpServer watchdog = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        watchdog.createContext("/", exchange -> {
            calls.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        watchdog.start();
        String quiet = """
                data: "%s"
                api: {listen: "127.0.0.1:0"}
                admin: {listen: "127.0.0.1:0"}
                intake: {listen: "127.0.0.1:0"}
                kafka: {embedded-listen: "127.0.0.1:0"}
                mail: {smtp: {listen: "127.0.0.1:0"}}
                domains: [{name: example.com}]
                """.formatted(directory.resolve("data"));
        Path file = Files.writeString(directory.resolve("tlsrpt.yaml"), quiet);
        try (House house = House.startWith(file)) {
            HostPort smtp = house.standalone().smtpAddress().orElseThrow();
            Files.writeString(
                    file,
                    quiet
                            + """
                    alerting:
                      mail-server: {host: 127.0.0.1, port: %d, security: plain, from: alerts@example.com}
                      canary: {url: "http://127.0.0.1:%d/ping/s3cret", post-to: "http://%s/v1/tlsrpt",
                               mail-to: tlsrpt@example.com, every: 7d, allow-private-addresses: true}
                    """.formatted(
                                            smtp.port(),
                                            watchdog.getAddress().getPort(),
                                            house.standalone().intakeAddress()));

            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(calls).containsExactly("GET /ping/s3cret"));

            assertThat(house.verdicts())
                    .hasSize(2)
                    .allSatisfy(verdict -> assertThat(verdict.reportKey()).startsWith(CanaryReport.DOMAIN + "|"))
                    .extracting(Verdict::verdict)
                    .containsOnly(Verdict.ACCEPTED);
            assertThat(house.records(house.topics().raw()))
                    .extracting(raw -> ReportHeaders.text(raw.headers(), "source"))
                    .containsExactlyInAnyOrder("https", "smtp");

            // a report of somebody else, behind them
            assertThat(house.post(SampleReports.report()
                                    .day(LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC)
                                            .minusDays(1))
                                    .gzip())
                            .statusCode())
                    .isEqualTo(201);
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(house.aggregates()).hasSize(1));
            assertThat(house.events())
                    .singleElement()
                    .satisfies(event -> assertThat(event.policyDomain()).isEqualTo("example.com"));
            assertThat(house.records(house.topics().reports())).hasSize(1);
            assertThat(house.records(house.topics().rejected())).isEmpty();
            for (String path : List.of("/api/v1/domains", "/api/v1/reporters")) {
                assertThat(house.get(path).toString()).as(path).doesNotContain(CanaryReport.DOMAIN);
            }
            assertThat(house.metrics().lines())
                    .contains(
                            "tlsrpt_canary_pings_total{result=\"arrived\"} 1.0",
                            "tlsrpt_canary_reports_total{channel=\"https\",outcome=\"returned\"} 1.0",
                            "tlsrpt_canary_reports_total{channel=\"mail\",outcome=\"returned\"} 1.0",
                            "tlsrpt_intake_accepted_total{source=\"https\"} 1.0",
                            "tlsrpt_intake_canaries_total{source=\"https\"} 1.0",
                            "tlsrpt_intake_canaries_total{source=\"smtp\"} 1.0",
                            "tlsrpt_processor_canaries_total 2.0",
                            "tlsrpt_processor_raw_total 1.0");
        } finally {
            watchdog.stop(0);
        }
    }
}

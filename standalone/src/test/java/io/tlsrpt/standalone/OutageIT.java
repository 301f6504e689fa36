package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tlsrpt.report.SampleReports;
import io.tlsrpt.runtime.HostPort;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The broker goes away while reports come in.
class OutageIT {

    private static final int REPORTS = 1000;

    @TempDir
    Path directory;

    @Test
    void aThousandReportsPostedWhileTheBrokerIsAwayAreAllTakenAndCountedOnce() throws Exception {
        LocalDate day =
                LocalDate.ofInstant(Clock.systemUTC().instant(), ZoneOffset.UTC).minusDays(1);
        EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("broker"), HostPort.parse("127.0.0.1:0"));
        String address = broker.bootstrapServers();
        try (House house = House.start(
                directory.resolve("data"),
                "kafka: {bootstrap-servers: '" + address + "', partitions: 4, replication-factor: 1}",
                "intake: {listen: '127.0.0.1:0', ack-timeout: 1s}")) {
            assertThat(house.post(report(day, 0)).statusCode()).isEqualTo(201);
            house.judged(1);

            broker.close();
            List<Future<Integer>> answers = new ArrayList<>();
            try (ExecutorService senders = Executors.newFixedThreadPool(8)) {
                for (int i = 1; i <= REPORTS; i++) {
                    byte[] body = report(day, i);
                    answers.add(senders.submit(() -> house.post(body).statusCode()));
                }
            }
            for (Future<Integer> answer : answers) {
                assertThat(answer.get()).isEqualTo(201);
            }

            broker = EmbeddedBroker.start(directory.resolve("broker"), HostPort.parse(address));
            Map<String, Long> verdicts = house.judged(REPORTS + 1);
            assertThat(verdicts.get("accepted")).isEqualTo(REPORTS + 1);
            assertThat(verdicts.keySet()).isSubsetOf("accepted", "duplicate");
            Sums expected = new Sums(
                    Map.of(day + " example.com sts google.com", List.of(100L * (REPORTS + 1), 0L, REPORTS + 1L)),
                    Map.of());
            assertThat(Sums.byAppending(house.events())).isEqualTo(expected);
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() ->
                            assertThat(Sums.ofAggregates(house.aggregates())).isEqualTo(expected));
        } finally {
            broker.close();
        }
    }

    private static byte[] report(LocalDate day, int i) {
        return SampleReports.report().id("r" + i).day(day).gzip();
    }
}

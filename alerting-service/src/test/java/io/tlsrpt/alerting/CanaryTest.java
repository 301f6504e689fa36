package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.alerting.Canary.Channel;
import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.report.CanaryReport;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.RawPosition;
import io.tlsrpt.topics.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

class CanaryTest {

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Health health = new Health();
    private final Settings settings = SettingsFile.parse("test.yaml", """
            alerting:
              mail-server: {host: mail.example.com, from: alerts@example.com}
              canary: {url: "https://watch.example/secret", post-to: "https://reports.example.com/v1/tlsrpt",
                       mail-to: tlsrpt@example.com, every: 1h}
            """, name -> null);
    private final HandClock clock = new HandClock();
    private final Map<Channel, CanaryReport> sent = new EnumMap<>(Channel.class);
    private final List<Verdict> coming = new ArrayList<>();
    private final List<String> said = new ArrayList<>();
    private final Map<Channel, Attempt> answers = new EnumMap<>(Map.of(
            Channel.HTTPS, Attempt.of(Result.DELIVERED, "status 201"),
            Channel.MAIL, Attempt.of(Result.DELIVERED, "status 250")));
    private boolean leads = true;
    private boolean brokerAway;
    private int open;

    @Test
    void whenItHasComeThroughAllChannelsAndNotBeforeTheAddressIsCalled() {
        try (Canary canary = canary()) {
            canary.tick();
            assertThat(said).containsExactly("listen", "https", "mail");

            comesBack(Channel.HTTPS, Verdict.ACCEPTED);
            canary.tick();
            assertThat(said).doesNotContain("call");

            comesBack(Channel.MAIL, Verdict.ACCEPTED);
            canary.tick();
            assertThat(said).containsExactly("listen", "https", "mail", "call");
            assertThat(open).as("nobody reads verdicts while none is awaited").isZero();
            assertBalance(1, 1, 0);
            assertThat(calls("arrived")).isOne();

            clock.pass(Duration.ofMinutes(59));
            canary.tick();
            assertThat(said).hasSize(4);
            clock.pass(Duration.ofMinutes(1));
            canary.tick();
            assertThat(said).hasSize(7);
        }
    }

    @Test
    void aReportWithoutAVerdictIsLostAndNobodyIsCalled() {
        try (Canary canary = canary()) {
            canary.tick();
            comesBack(Channel.MAIL, Verdict.ACCEPTED);
            canary.tick();
            clock.pass(Duration.ofMinutes(15));
            canary.tick();

            assertThat(counted(Channel.HTTPS, "lost")).isOne();
            assertThat(counted(Channel.MAIL, "returned")).isOne();
            assertThat(said).doesNotContain("call");
            assertThat(open).isZero();

            comesBack(Channel.HTTPS, Verdict.ACCEPTED);
            clock.pass(Duration.ofMinutes(45));
            canary.tick();
            assertThat(counted(Channel.HTTPS, "returned"))
                    .as("too late is lost")
                    .isZero();
            assertThat(said).doesNotContain("call");
        }
    }

    @Test
    void aReportThatIsNotTakenOrRefusedIsLost() {
        answers.put(Channel.HTTPS, Attempt.of(Result.UNREACHABLE, "no connection"));
        try (Canary canary = canary()) {
            canary.tick();
            comesBack(Channel.MAIL, Verdict.REJECTED);
            canary.tick();

            assertBalance(1, 0, 1);
            assertThat(said).doesNotContain("call");
            assertThat(open).isZero();
        }
    }

    @Test
    void onlyTheOneThatLeadsSendsAndOnlyOnceAllIsUp() {
        leads = false;
        try (Canary canary = canary()) {
            canary.tick();
            leads = true;
            health.notReady("start", "starting");
            canary.tick();
            assertThat(said).isEmpty();

            health.ready("start");
            canary.tick();
            assertThat(said).hasSize(3);

            leads = false;
            comesBack(Channel.HTTPS, Verdict.ACCEPTED);
            comesBack(Channel.MAIL, Verdict.ACCEPTED);
            canary.tick();
            assertThat(said).as("what was sent is still awaited").endsWith("call");
        }
    }

    @Test
    void withoutTheBrokerNothingIsSentThatCouldNotBeSeen() {
        brokerAway = true;
        try (Canary canary = canary()) {
            canary.tick();
            canary.tick();
            assertThat(said).containsExactly("listen");

            brokerAway = false;
            clock.pass(Duration.ofMinutes(1));
            canary.tick();
            assertThat(said).containsExactly("listen", "listen", "https", "mail");
        }
    }

    @Test
    void itsMailIsAReportMailOfRfc8460() {
        CanaryReport report = CanaryReport.of("canary-mail-1", LocalDate.of(2026, 11, 22));

        String mail = new String(
                CanaryMail.of(report, "alerts@example.com", "tlsrpt@example.com", SampleAlerts.OPENED),
                StandardCharsets.US_ASCII);

        assertThat(mail)
                .contains(
                        "\r\nTLS-Report-Domain: canary.tlsrpt.invalid\r\n",
                        "\r\nContent-Type: multipart/report; report-type=\"tlsrpt\";\r\n",
                        "\r\nContent-Type: application/tlsrpt+gzip\r\n",
                        "\r\nMessage-ID: <canary-mail-1@example.com>\r\n")
                .endsWith("--tlsrpt-canary-mail-1--\r\n");
        assertThat(mail.replace("\r\n", "")).doesNotContain("\n", "\r");
    }

    private Canary canary() {
        return new Canary(
                new Surroundings(settings, () -> settings, meters, health, clock),
                () -> leads,
                (channel, alerting, report, now) -> {
                    said.add(channel.word());
                    sent.put(channel, report);
                    return answer(channel);
                },
                this::listen,
                asked -> {
                    said.add("call");
                    return Attempt.of(Result.DELIVERED, "status 200");
                });
    }

    private Attempt answer(Channel channel) {
        return Objects.requireNonNull(answers.get(channel));
    }

    private Canary.Verdicts listen() {
        said.add("listen");
        if (brokerAway) {
            throw new TimeoutException("no broker");
        }
        open++;
        return new Canary.Verdicts() {
            @Override
            public List<Verdict> of(Set<String> reportKeys) {
                List<Verdict> found = coming.stream()
                        .filter(each -> reportKeys.contains(each.reportKey()))
                        .toList();
                coming.clear();
                return found;
            }

            @Override
            public void close() {
                open--;
            }
        };
    }

    private void comesBack(Channel channel, String verdict) {
        CanaryReport report = Objects.requireNonNull(sent.get(channel));
        coming.add(new Verdict(verdict, report.reportKey(), 0, null, null, new RawPosition(0, 1)));
    }

    private void assertBalance(int sentEach, int returned, int lost) {
        for (Channel channel : Channel.values()) {
            assertThat(counted(channel, "sent")).isEqualTo(sentEach);
            assertThat(counted(channel, "returned")).isEqualTo(returned);
            assertThat(counted(channel, "lost")).isEqualTo(lost);
        }
    }

    private double counted(Channel channel, String outcome) {
        return meters.counter("tlsrpt.canary.reports", "channel", channel.word(), "outcome", outcome)
                .count();
    }

    private double calls(String result) {
        return meters.counter("tlsrpt.canary.pings", "result", result).count();
    }

    private static final class HandClock extends Clock {

        private Instant now = SampleAlerts.OPENED;

        void pass(Duration time) {
            now = now.plus(time);
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}

package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.runtime.AlertingSettings.Kind;
import io.tlsrpt.topics.Alert;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// How each kind that is spoken to by HTTP takes what the other side answers.
class ReceiverKindsTest {

    private static Attempt deliver(Kind kind, OneAnswer server, Message message) {
        return Receiver.of(OneAnswer.settings(kind, server.url("/services/T0/secret?sig=s%2Fs")), null)
                .deliver(message, Messages.NOW);
    }

    @Test
    void slackTakesItWhenItSaysOk() throws IOException {
        try (OneAnswer server = new OneAnswer("ok", 200)) {
            assertThat(deliver(Kind.SLACK, server, Messages.firing()))
                    .isEqualTo(Attempt.of(Result.DELIVERED, "status 200"));
            assertThat(server.only().path()).isEqualTo("/services/T0/secret?sig=s%2Fs");
            assertThat(server.only().header("Content-type")).isEqualTo("application/json");
        }
    }

    @ParameterizedTest
    @CsvSource({"no_service", "invalid_payload", "<html>log in</html>", "''", "'{\"ok\":false}'"})
    void slackThatSaysAnythingElseDidNotTakeIt(String answer) throws IOException {
        try (OneAnswer server = new OneAnswer(answer, 200)) {
            Attempt attempt = deliver(Kind.SLACK, server, Messages.firing());
            assertThat(attempt.result()).isEqualTo(Result.REFUSED);
            assertThat(attempt.detail()).isEqualTo("status 200, but the answer is not \"ok\"");
        }
    }

    @Test
    void anAnswerInChunksIsRead() throws IOException {
        try (OneAnswer server = new OneAnswer("chunks of words", 200)) {
            assertThat(deliver(Kind.SLACK, server, Messages.firing()).result()).isEqualTo(Result.REFUSED);
        }
    }

    @Test
    void teamsTakesWithoutConfirming() throws IOException {
        try (OneAnswer server = new OneAnswer("", 202)) {
            assertThat(deliver(Kind.TEAMS, server, Messages.firing()))
                    .isEqualTo(Attempt.of(Result.DELIVERED, "status 202, taken but not confirmed"));
        }
    }

    @ParameterizedTest
    @CsvSource({"429, THROTTLED", "413, REFUSED"})
    void teamsThatSaysTwoHundredAndAnErrorDidNotTakeIt(int error, Result result) throws IOException {
        String answer = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error "
                + error + " with ContextId x";
        try (OneAnswer server = new OneAnswer(answer, 200)) {
            assertThat(deliver(Kind.TEAMS, server, Messages.firing()).result()).isEqualTo(result);
        }
    }

    @Test
    void pagerDutyGetsAnEventForEachAlert() throws IOException {
        try (OneAnswer server = new OneAnswer("{}", 202)) {
            assertThat(deliver(Kind.PAGERDUTY, server, Messages.group()).result())
                    .isEqualTo(Result.DELIVERED);

            assertThat(server.requests)
                    .extracting(request -> request.json().at("/event_action").asString()
                            + " "
                            + request.json().at("/dedup_key").asString())
                    .containsExactly("trigger a1", "trigger a2", "resolve a3");
        }
    }

    @Test
    void pagerDutyHearsThatSomebodyHasTakenItOn() throws IOException {
        Alert taken = Messages.harmful("somebody", Alert.FIRING);
        try (OneAnswer server = new OneAnswer("{}", 202)) {
            deliver(Kind.PAGERDUTY, server, new Message.Alerts("m", taken));

            assertThat(server.requests)
                    .extracting(request -> request.json().at("/event_action").asString())
                    .containsExactly("trigger", "acknowledge");
        }
    }

    @Test
    void oneEventThatPagerDutyRefusesHoldsUpNoOther() throws IOException {
        try (OneAnswer server = new OneAnswer("{}", 400, 202)) {
            assertThat(deliver(Kind.PAGERDUTY, server, Messages.group()).result())
                    .isEqualTo(Result.REFUSED);
            assertThat(server.requests).hasSize(3);
        }
    }

    @Test
    void aBusyPagerDutyIsLeftAloneForMinutes() throws IOException {
        try (OneAnswer server = new OneAnswer("{}", 429)) {
            assertThat(deliver(Kind.PAGERDUTY, server, Messages.group()))
                    .isEqualTo(new Attempt(Result.THROTTLED, "status 429", Duration.ofMinutes(2)));
            assertThat(server.requests).hasSize(1);
        }
    }

    @Test
    void alertmanagerIsAskedUnderItsBaseAddress() throws IOException {
        try (OneAnswer server = new OneAnswer("", 200)) {
            Receiver.of(OneAnswer.settings(Kind.ALERTMANAGER, server.url("/am/"), "ops", "pass"), null)
                    .deliver(Messages.firing(), Messages.NOW);

            assertThat(server.only().path()).isEqualTo("/am/api/v2/alerts");
            assertThat(server.only().header("Authorization")).isEqualTo("Basic b3BzOnBhc3M=");
        }
    }

    @Test
    void aPasswordWithoutAUserIsABearerToken() throws IOException {
        try (OneAnswer server = new OneAnswer("", 200)) {
            Receiver.of(OneAnswer.settings(Kind.ALERTMANAGER, server.url(""), null, "token"), null)
                    .deliver(Messages.firing(), Messages.NOW);

            assertThat(server.only().path()).isEqualTo("/api/v2/alerts");
            assertThat(server.only().header("Authorization")).isEqualTo("Bearer token");
        }
    }

    @Test
    void aFiringAlertLivesFiveMinutesAheadAndAResolvedOneHasItsEnd() {
        Instant later = Messages.NOW.plusSeconds(3_600);

        assertThat(AlertmanagerReceiver.entries(Messages.firing(), later).getFirst())
                .containsEntry("startsAt", "2026-11-21T04:00:00Z")
                .containsEntry("endsAt", "2026-11-21T05:05:30Z");
        assertThat(AlertmanagerReceiver.entries(Messages.resolved(), later).getFirst())
                .containsEntry("endsAt", "2026-11-23T05:00:00Z");
    }

    @ParameterizedTest
    @CsvSource({"team, team", "cost-center, cost_center", "9lives, label_9lives", "__name__, label___name__"})
    void labelsGetNamesThatPrometheusAllows(String name, String allowed) {
        assertThat(AlertmanagerReceiver.labelName(name)).isEqualTo(allowed);
    }

    @Test
    void aLabelOfOursCannotReplaceWhatTheAlertIs() {
        Alert alert = SampleAlerts.critical()
                .alert(
                        SampleAlerts.critical().alert().evidence(),
                        java.util.Map.of("alertname", "none", "severity", "none", "mx", "none"));

        assertThat(AlertmanagerReceiver.entries(new Message.Alerts("m", alert), Messages.NOW)
                        .getFirst()
                        .toString())
                .doesNotContain("none");
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"SLACK", "TEAMS", "PAGERDUTY", "ALERTMANAGER", "WEBHOOK"})
    void secretsAreInNoOutcome(Kind kind) throws IOException {
        for (int status : List.of(200, 301, 400, 410, 429, 500)) {
            try (OneAnswer server = new OneAnswer("secret sig= 0123456789abcdef", status)) {
                assertThat(deliver(kind, server, Messages.firing()).toString())
                        .doesNotContain("secret", "sig", "0123456789abcdef", "127.0.0.1");
            }
        }
        assertThat(OneAnswer.settings(kind, "https://hooks.example/secret", "u", "password1")
                        .toString())
                .doesNotContain("hooks.example", "password1", "0123456789abcdef");
    }

    @Test
    void onlyPlainWebAddressesBecomeLinks() {
        assertThat(AlertText.link("https://tlsrpt.example.com:8443/a?b=c&d=%20#e"))
                .isEqualTo("https://tlsrpt.example.com:8443/a?b=c&d=%20#e");
        for (String bad : List.of(
                "javascript:alert(1)",
                "ftp://x.example/",
                "https://x.example/a b",
                "https://x.example/<b>",
                "https://x.example/\"",
                "https://x.example/a|b",
                "https:///x",
                "//x.example",
                "data:text/html,x")) {
            assertThat(AlertText.link(bad)).as(bad).isNull();
        }
        assertThat(AlertText.link(null)).isNull();
    }
}

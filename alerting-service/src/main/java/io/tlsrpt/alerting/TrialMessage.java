package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.report.FailureHelp;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Alert;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What a receiver is told when somebody tries it out: an alert that says of itself that it is none.
///
/// Its alert-id is the same in each trial of a receiver, so that a later resolution ends what an earlier trial opened.
final class TrialMessage {

    private static final String MX = "mx.example.com";
    private static final String DOMAIN = "example.com";

    private TrialMessage() {}

    static Message firing(AlertingSettings settings, String receiver, Severity severity, Instant now) {
        return message(alert(settings, receiver, severity, now, true), now);
    }

    static Message resolved(AlertingSettings settings, String receiver, Severity severity, Instant now) {
        return message(alert(settings, receiver, severity, now, false), now);
    }

    private static Message message(Alert alert, Instant now) {
        return new Message.Alerts(
                alert.incidentId() + "-" + alert.transition() + "-" + now.getEpochSecond(), List.of(alert));
    }

    private static Alert alert(
            AlertingSettings settings, String receiver, Severity severity, Instant now, boolean firing) {
        String id = "tlsrpt-test-" + receiver;
        String expired = ResultType.CERTIFICATE_EXPIRED.word();
        return new Alert(
                id,
                id + "-1",
                Rule.CERTIFICATE.word(),
                expired,
                DOMAIN,
                MX,
                null,
                "sts",
                Map.of("test", "true"),
                firing ? Alert.FIRING : Alert.RESOLVED,
                severity.name().toLowerCase(Locale.ROOT),
                firing ? 1 : 2,
                null,
                now.minus(Duration.ofMinutes(5)),
                now,
                firing ? null : now,
                firing ? null : "manual",
                null,
                null,
                "TEST of the receiver " + receiver + ", sent by hand: nothing is wrong, no server is meant",
                new Alert.Evidence(
                        now.atZone(ZoneOffset.UTC).toLocalDate(),
                        "test",
                        5,
                        55,
                        0,
                        1500,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null),
                Alert.Help.of(FailureHelp.ofResultType(expired).at(MX, DOMAIN)),
                settings.publicUrl(),
                null);
    }
}

package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.runtime.Secret;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What each kind of receiver is sent, byte for byte. `-Dtlsrpt.golden.write=true` writes the files anew: look at the
/// difference before you commit it.
class GoldenMessagesTest {

    private static final Path FILES = Path.of("src/test/resources/io/tlsrpt/alerting");
    private static final Secret KEY = new Secret("0123456789abcdef0123456789ABCDEF");

    @ParameterizedTest
    @CsvSource({
        "webhook, firing", "webhook, resolved", "webhook, group", "webhook, notice",
        "slack, firing", "slack, resolved", "slack, group", "slack, notice",
        "teams, firing", "teams, resolved", "teams, group", "teams, notice",
        "pagerduty, firing", "pagerduty, resolved", "pagerduty, group", "pagerduty, notice",
        "alertmanager, firing", "alertmanager, resolved", "alertmanager, group", "alertmanager, notice",
        "email, firing", "email, resolved", "email, group", "email, notice"
    })
    void eachKindIsToldInItsOwnWords(String kind, String what) throws IOException {
        String sent = sent(kind, message(what));
        Path file = FILES.resolve(kind + "-" + what + (kind.equals("email") ? ".eml" : ".json"));
        if (Boolean.getBoolean("tlsrpt.golden.write")) {
            Files.writeString(file, sent + "\n");
        }
        assertThat(sent).isEqualTo(Files.readString(file).strip());
    }

    private static Message message(String what) {
        return switch (what) {
            case "firing" -> Messages.firing();
            case "resolved" -> Messages.resolved();
            case "group" -> Messages.group();
            default -> Messages.notice();
        };
    }

    private static String sent(String kind, Message message) {
        return switch (kind) {
            case "webhook" -> pretty(WebhookReceiver.body(message));
            case "slack" -> pretty(SlackReceiver.body(message));
            case "teams" -> pretty(TeamsReceiver.body(message));
            case "pagerduty" -> pretty(Json.MAPPER.writeValueAsBytes(PagerDutyReceiver.events(message, KEY)));
            case "alertmanager" ->
                pretty(Json.MAPPER.writeValueAsBytes(AlertmanagerReceiver.entries(message, Messages.NOW)));
            default ->
                new String(
                                EmailReceiver.mail(
                                        message,
                                        List.of("oncall@example.com", "second@example.com"),
                                        "tlsrpt@example.com",
                                        Messages.NOW),
                                StandardCharsets.US_ASCII)
                        .replace("\r\n", "\n")
                        .strip();
        };
    }

    private static String pretty(byte[] json) {
        return Json.MAPPER.readTree(json).toPrettyString().strip();
    }
}

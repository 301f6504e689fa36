package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.topics.Alert;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Named;

/// What receivers are told in tests: the four kinds of message, and one that wishes harm.
final class Messages {

    static final Instant NOW = Instant.parse("2026-11-21T04:00:30Z");

    /// What an attacker would put into a report, in pieces that each would do harm somewhere.
    static final List<String> HARM = List.of(
            "<!channel> <!here> <@U1> <http://evil.example|bank>",
            "@everyone @channel @here",
            "](http://evil.example) [x](http://evil.example) ![x](http://evil.example/i.png)",
            "<a href=\"http://evil.example\" onclick='x'>x</a> <img src=x> **b** `c`",
            "line\r\nBcc: victim@evil.example\r\nSubject: gotcha\r\n\r\n.\r\nQUIT\r\n",
            "right\u202Eleft zero\u200Bwidth \u2028line \u0000 \u001b[31m",
            "\ud83d\ude00 \ud800 lone",
            "x".repeat(64 * 1024));

    private Messages() {}

    static Message firing() {
        return new Message.Alerts("a1-1-1", SampleAlerts.critical().alert());
    }

    static Message resolved() {
        return new Message.Alerts(
                "a1-1-2",
                SampleAlerts.critical()
                        .resolved(Instant.parse("2026-11-23T05:00:00Z"))
                        .alert());
    }

    static Message group() {
        return new Message.Alerts(
                "g1",
                List.of(
                        SampleAlerts.critical().alert(),
                        SampleAlerts.warning().id("a2").alert(),
                        SampleAlerts.warning()
                                .id("a3")
                                .resolved(Instant.parse("2026-11-23T05:00:00Z"))
                                .alert()));
    }

    static Message notice() {
        return new Message.Notice(
                "digest-2026-11-23",
                Instant.parse("2026-11-23T08:00:00Z"),
                "Weekly summary: 12 domains, 1,200 sessions",
                "All is well.\n\n3 reporters wrote, none was silent.");
    }

    /// Every text that may come from a report, or that quotes one, is the harm.
    static Alert harmful(String harm, String state) {
        List<String> many = Collections.nCopies(50, harm);
        Alert sample = SampleAlerts.critical().alert();
        Instant at = Instant.parse("2026-11-23T05:00:00Z");
        boolean resolved = state.equals(Alert.RESOLVED);
        return new Alert(
                "a9",
                "a9-1",
                "certificate",
                harm,
                harm,
                harm,
                harm,
                "sts",
                Map.of("team", harm, harm.substring(0, Math.min(60, harm.length())), "mail"),
                state,
                "critical",
                1,
                true,
                SampleAlerts.OPENED,
                at,
                resolved ? at : null,
                resolved ? "recovered" : null,
                new Alert.Word(harm, at, harm),
                null,
                harm,
                new Alert.Evidence(
                        LocalDate.parse("2026-11-20"),
                        "A",
                        5,
                        55,
                        0,
                        1500,
                        1e-9,
                        many,
                        many,
                        many,
                        many,
                        400,
                        new Alert.Live(at, harm, true, null)),
                sample.help(),
                "https://tlsrpt.example.com/alerts/a9",
                "javascript:alert(1)");
    }

    /// All the harm there is, in every kind of message.
    static List<Named<Message>> harmful() {
        String all = String.join(" ", HARM);
        List<Message> list = IntStream.range(0, HARM.size() + 1)
                .mapToObj(i -> i < HARM.size() ? HARM.get(i) : all)
                .<Message>mapMulti((harm, messages) -> {
                    messages.accept(new Message.Alerts("h1", harmful(harm, Alert.FIRING)));
                    messages.accept(new Message.Alerts("h2", harmful(harm, Alert.RESOLVED)));
                    messages.accept(new Message.Alerts("h3", Collections.nCopies(200, harmful(harm, Alert.FIRING))));
                    messages.accept(new Message.Notice("h4\r\nBcc: x@evil.example", NOW, harm, harm));
                })
                .toList();
        // The messages are megabytes, and the names of tests would hold them.
        return IntStream.range(0, list.size())
                .mapToObj(i -> Named.of("message " + i, list.get(i)))
                .toList();
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.NullNode;

/// A workflow of Microsoft Teams, "When a Teams webhook request is received": one adaptive card.
///
/// Workflows answer 202 before they post, and say nothing when posting fails later: *delivered* means taken, not shown.
/// Never make it the only receiver.
///
/// Cards read a part of Markdown, so its characters are escaped in all text. Mentions need an `entities` list, which is
/// never sent: text cannot call anybody. A card stays below 20 KB; what does not fit is counted.
final class TeamsReceiver implements Receiver {

    static final int MAX_BODY_BYTES = 20_000;

    private static final String MARKDOWN = "\\*_[]()~`#<>";
    private static final int MAX_NOTICE = 6_000;
    private static final int MAX_IN_LIST = 300;
    private static final int[] SHOWN = {20, 10, 5};
    private static final int READ = 500;

    private final OutgoingHttp http;

    TeamsReceiver(AlertingSettings.Receiver settings) {
        this.http = new OutgoingHttp(
                URI.create(Objects.requireNonNull(settings.url()).reveal()),
                settings.allowPrivateAddresses(),
                settings.timeout());
    }

    @Override
    public Attempt deliver(Message message, Instant now) {
        OutgoingHttp.Exchange exchange = http.post(Map.of(), body(message), READ, now);
        Attempt attempt = exchange.attempt();
        if (attempt.result() != Result.DELIVERED) {
            return attempt;
        }
        // The retired connectors, and relays that look like them, say 200 to everything and tell the truth in words.
        String answer = exchange.answer();
        if (answer.contains("Microsoft Teams endpoint returned HTTP error")) {
            return answer.contains("error 429")
                    ? Attempt.of(Result.THROTTLED, attempt.detail() + ", throttled according to the answer")
                    : Attempt.of(Result.REFUSED, attempt.detail() + ", refused according to the answer");
        }
        return Attempt.of(Result.DELIVERED, attempt.detail() + ", taken but not confirmed");
    }

    static byte[] body(Message message) {
        return switch (message) {
            case Message.Notice notice ->
                written(
                        List.of(heading(notice.title(), "accent"), block(CleanText.lines(notice.text(), MAX_NOTICE))),
                        List.of());
            case Message.Alerts about -> about.alerts().size() == 1 ? single(about.first()) : group(about.alerts());
        };
    }

    private static byte[] single(Alert alert) {
        AlertText text = AlertText.of(alert);
        List<Map<String, Object>> blocks = new ArrayList<>();
        blocks.add(heading(text.title(), color(alert)));
        blocks.add(block(text.summary()));
        if (text.live() != null) {
            blocks.add(block("Seen live: " + text.live()));
        }
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("type", "FactSet");
        facts.put(
                "facts",
                text.facts().stream()
                        .map(fact -> {
                            Map<String, Object> entry = new LinkedHashMap<>();
                            entry.put("title", fact.label());
                            entry.put("value", escaped(fact.value()));
                            return entry;
                        })
                        .toList());
        blocks.add(facts);
        if (alert.firing()) {
            for (String part : new @Nullable String[] {text.meaning(), text.fix(), text.verify()}) {
                if (part != null) {
                    blocks.add(block(part));
                }
            }
        }
        List<Map<String, Object>> actions = new ArrayList<>();
        action(actions, "Alert", text.alertUrl());
        action(actions, "Runbook", text.runbookUrl());
        return written(blocks, actions);
    }

    private static byte[] group(List<Alert> alerts) {
        byte[] body = {};
        for (int most : SHOWN) {
            List<Map<String, Object>> blocks = new ArrayList<>();
            blocks.add(heading(
                    AlertText.headline(alerts),
                    alerts.stream().anyMatch(Alert::firing) ? color(alerts.getFirst()) : "good"));
            for (Alert alert : alerts.subList(0, Math.min(most, alerts.size()))) {
                AlertText text = AlertText.of(alert);
                Map<String, Object> title = block(text.title());
                title.put("weight", "Bolder");
                title.put("separator", true);
                blocks.add(title);
                Map<String, Object> summary = block(CleanText.of(text.summary(), MAX_IN_LIST));
                if (text.alertUrl() != null) {
                    summary.put("text", summary.get("text") + " [Alert](" + parenthesised(text.alertUrl()) + ")");
                }
                blocks.add(summary);
            }
            if (alerts.size() > most) {
                blocks.add(block("and " + (alerts.size() - most) + " more"));
            }
            body = written(blocks, List.of());
            if (body.length < MAX_BODY_BYTES) {
                return body;
            }
        }
        return body;
    }

    /// An address inside the brackets of a Markdown link.
    private static String parenthesised(String url) {
        return url.replace("(", "%28").replace(")", "%29");
    }

    private static String color(Alert alert) {
        return alert.firing() ? alert.severity().equals("critical") ? "attention" : "warning" : "good";
    }

    private static Map<String, Object> heading(String text, String color) {
        Map<String, Object> block = block(CleanText.of(text, AlertText.MAX_TITLE));
        block.put("weight", "Bolder");
        block.put("size", "Medium");
        block.put("style", "heading");
        block.put("color", color);
        return block;
    }

    private static Map<String, Object> block(String text) {
        Map<String, Object> block = new LinkedHashMap<>();
        block.put("type", "TextBlock");
        block.put("text", escaped(text));
        block.put("wrap", true);
        return block;
    }

    private static void action(List<Map<String, Object>> actions, String title, @Nullable String url) {
        if (url != null) {
            Map<String, Object> action = new LinkedHashMap<>();
            action.put("type", "Action.OpenUrl");
            action.put("title", title);
            action.put("url", url);
            actions.add(action);
        }
    }

    private static byte[] written(List<Map<String, Object>> blocks, List<Map<String, Object>> actions) {
        Map<String, Object> card = new LinkedHashMap<>();
        card.put("$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
        card.put("type", "AdaptiveCard");
        card.put("version", "1.4");
        card.put("body", blocks);
        if (!actions.isEmpty()) {
            card.put("actions", actions);
        }
        card.put("msteams", Map.of("width", "full"));
        Map<String, Object> attachment = new LinkedHashMap<>();
        attachment.put("contentType", "application/vnd.microsoft.card.adaptive");
        attachment.put("contentUrl", NullNode.getInstance());
        attachment.put("content", card);
        Map<String, Object> envelope = new LinkedHashMap<>();
        envelope.put("type", "message");
        envelope.put("attachments", List.of(attachment));
        return Json.MAPPER.writeValueAsBytes(envelope);
    }

    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder(text.length());
        text.codePoints().forEach(point -> {
            if (MARKDOWN.indexOf(point) >= 0) {
                escaped.append('\\');
            }
            if (point == '\n') {
                escaped.append("\n"); // Markdown: an empty line parts two paragraphs
            }
            escaped.appendCodePoint(point);
        });
        return escaped.toString();
    }
}

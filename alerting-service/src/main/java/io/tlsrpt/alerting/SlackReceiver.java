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
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// An incoming webhook of Slack: one message, a resolution is a message of its own.
///
/// Whatever strangers may have written stands in `plain_text` elements or, in the `text` that notifications show, with
/// `&`, `<` and `>` escaped; names are not linked, addresses not unfolded. So nothing in a report calls anybody or
/// becomes a link. A message stays below 13,000 characters of JSON and 50 blocks; what does not fit is counted.
///
/// Slack says `ok` to what it took. Another answer with status 200 is a failure.
final class SlackReceiver implements Receiver {

    static final int MAX_CHARACTERS = 13_000;

    private static final int MAX_FALLBACK = 300;
    private static final int MAX_SECTION = 2_900;
    private static final int MAX_IN_LIST = 300;
    private static final int[] SHOWN = {20, 10, 5};
    private static final int READ = 200;

    private final OutgoingHttp http;

    SlackReceiver(AlertingSettings.Receiver settings) {
        this.http = new OutgoingHttp(
                URI.create(Objects.requireNonNull(settings.url()).reveal()),
                settings.allowPrivateAddresses(),
                settings.timeout());
    }

    @Override
    public Attempt deliver(Message message, Instant now) {
        OutgoingHttp.Exchange exchange = http.post(Map.of(), body(message), READ, now);
        Attempt attempt = exchange.attempt();
        return attempt.result() == Result.DELIVERED
                        && !exchange.answer().strip().equals("ok")
                ? Attempt.of(Result.REFUSED, attempt.detail() + ", but the answer is not \"ok\"")
                : attempt;
    }

    static byte[] body(Message message) {
        return switch (message) {
            case Message.Notice notice ->
                written(
                        notice.title(),
                        List.of(header(notice.title()), section(CleanText.lines(notice.text(), MAX_SECTION))));
            case Message.Alerts about ->
                about.alerts().size() == 1
                        ? written(about.first().summary(), blocks(about.first()))
                        : group(about.alerts());
        };
    }

    private static List<Map<String, Object>> blocks(Alert alert) {
        AlertText text = AlertText.of(alert);
        List<Map<String, Object>> blocks = new ArrayList<>();
        blocks.add(header(text.title()));
        blocks.add(section(text.summary()));
        if (text.live() != null) {
            blocks.add(section("Seen live: " + text.live()));
        }
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("type", "section");
        facts.put(
                "fields",
                text.facts().stream()
                        .map(fact -> plain(fact.label() + "\n" + fact.value()))
                        .toList());
        blocks.add(facts);
        if (alert.firing()) {
            Stream.of(text.meaning(), text.fix(), text.verify())
                    .filter(Objects::nonNull)
                    .forEach(part -> blocks.add(section(part)));
        }
        links(text, blocks);
        return blocks;
    }

    private static byte[] group(List<Alert> alerts) {
        String headline = AlertText.headline(alerts);
        byte[] body = {};
        for (int most : SHOWN) {
            List<Map<String, Object>> blocks = new ArrayList<>();
            blocks.add(header(headline));
            alerts.stream().limit(most).map(AlertText::of).forEach(text -> {
                blocks.add(section(text.title() + "\n" + CleanText.of(text.summary(), MAX_IN_LIST)));
                links(text, blocks);
            });
            if (alerts.size() > most) {
                blocks.add(section("and " + (alerts.size() - most) + " more"));
            }
            body = written(headline, blocks);
            if (body.length < MAX_CHARACTERS) {
                return body;
            }
        }
        return body;
    }

    private static byte[] written(String fallback, List<Map<String, Object>> blocks) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("text", escaped(CleanText.of(fallback, MAX_FALLBACK)));
        message.put("blocks", blocks);
        message.put("link_names", false);
        message.put("unfurl_links", false);
        message.put("unfurl_media", false);
        return Json.MAPPER.writeValueAsBytes(message);
    }

    private static Map<String, Object> header(String text) {
        return block("header", CleanText.of(text, AlertText.MAX_TITLE));
    }

    private static Map<String, Object> section(String text) {
        return block("section", text);
    }

    private static Map<String, Object> block(String type, String text) {
        Map<String, Object> block = new LinkedHashMap<>();
        block.put("type", type);
        block.put("text", plain(text));
        return block;
    }

    private static Map<String, Object> plain(String text) {
        Map<String, Object> element = new LinkedHashMap<>();
        element.put("type", "plain_text");
        element.put("text", text);
        element.put("emoji", false);
        return element;
    }

    /// The only `mrkdwn`, made of our own addresses.
    private static void links(AlertText text, List<Map<String, Object>> blocks) {
        String links = Stream.of(link(text.alertUrl(), "Alert"), link(text.runbookUrl(), "Runbook"))
                .filter(link -> !link.isEmpty())
                .collect(Collectors.joining(" · "));
        if (!links.isEmpty()) {
            Map<String, Object> element = new LinkedHashMap<>();
            element.put("type", "mrkdwn");
            element.put("text", links);
            Map<String, Object> block = new LinkedHashMap<>();
            block.put("type", "context");
            block.put("elements", List.of(element));
            blocks.add(block);
        }
    }

    private static String link(@Nullable String url, String name) {
        return url == null ? "" : "<" + escaped(url).replace("|", "%7C") + "|" + name + ">";
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}

package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.runtime.Secret;
import io.tlsrpt.topics.Json;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.ContentType;
import jakarta.mail.internet.MimeBodyPart;
import jakarta.mail.internet.MimeMessage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/// A report full of mentions, links, markup, line breaks, invisible characters and endless text reaches each receiver
/// harmless and inside its limits.
class HarmlessTextTest {

    private static final Secret KEY = new Secret("0123456789abcdef0123456789ABCDEF");

    static List<Named<Message>> harm() {
        return Messages.harmful();
    }

    @ParameterizedTest
    @MethodSource("harm")
    void slackShowsItAsPlainText(Message message) {
        byte[] body = SlackReceiver.body(message);
        JsonNode json = Json.MAPPER.readTree(body);

        assertThat(body).hasSizeLessThan(SlackReceiver.MAX_CHARACTERS);
        assertThat(json.at("/text").asString()).doesNotContain("<", ">").hasSizeLessThan(3_000);
        assertThat(json.at("/link_names").asBoolean(true)).isFalse();
        assertThat(json.at("/unfurl_links").asBoolean(true)).isFalse();
        assertThat(json.at("/unfurl_media").asBoolean(true)).isFalse();
        assertThat(json.at("/blocks").size()).isBetween(1, 50);
        for (JsonNode block : json.at("/blocks")) {
            switch (block.at("/type").asString()) {
                case "header" -> assertThat(plain(block.at("/text"))).hasSizeBetween(1, 150);
                case "section" -> {
                    if (block.has("text")) {
                        assertThat(plain(block.at("/text"))).hasSizeBetween(1, 3_000);
                    }
                    assertThat(block.at("/fields").size()).isLessThanOrEqualTo(10);
                    block.at("/fields")
                            .forEach(field -> assertThat(plain(field)).hasSizeBetween(1, 2_000));
                }
                default ->
                    assertThat(block.at("/elements").toString())
                            .isEqualTo("[{\"type\":\"mrkdwn\",\"text\":"
                                    + "\"<https://tlsrpt.example.com/alerts/a9|Alert>\"}]");
            }
        }
        assertThat(visible(json)).isTrue();
    }

    private static String plain(JsonNode text) {
        assertThat(text.at("/type").asString()).isEqualTo("plain_text");
        return text.at("/text").asString();
    }

    @ParameterizedTest
    @MethodSource("harm")
    void teamsShowsItWithoutMarkdown(Message message) {
        byte[] body = TeamsReceiver.body(message);
        JsonNode card = Json.MAPPER.readTree(body).at("/attachments/0/content");

        assertThat(body).hasSizeLessThan(TeamsReceiver.MAX_BODY_BYTES);
        assertThat(card.at("/msteams").toString()).isEqualTo("{\"width\":\"full\"}");
        for (JsonNode block : card.at("/body")) {
            assertNoMarkdown(block.at("/text").asString(""));
            block.at("/facts")
                    .forEach(fact -> assertNoMarkdown(fact.at("/value").asString()));
        }
        card.at("/actions")
                .forEach(action ->
                        assertThat(action.at("/url").asString()).isEqualTo("https://tlsrpt.example.com/alerts/a9"));
        assertThat(visible(card)).isTrue();
    }

    /// After our own link is taken away each character that Markdown reads stands behind a backslash.
    private static void assertNoMarkdown(String text) {
        String rest = text.replace(" [Alert](https://tlsrpt.example.com/alerts/a9)", "");
        assertThat(rest.replaceAll("\\\\[\\\\*_\\[\\]()~`#<>]", "")).doesNotContainPattern("[\\\\*_\\[\\]()~`#<>]");
    }

    @ParameterizedTest
    @MethodSource("harm")
    void pagerDutyTakesItInsideItsLimits(Message message) {
        for (Map<String, Object> event : PagerDutyReceiver.events(message, KEY)) {
            JsonNode json = Json.MAPPER.valueToTree(event);
            assertThat(json.toString().getBytes(StandardCharsets.UTF_8)).hasSizeLessThan(64 * 1024);
            assertThat(json.at("/dedup_key").asString()).hasSizeBetween(1, 255);
            assertThat(json.at("/payload/summary").asString("").getBytes(StandardCharsets.UTF_8))
                    .hasSizeLessThanOrEqualTo(1_024);
            json.at("/links")
                    .forEach(link ->
                            assertThat(link.at("/href").asString()).isEqualTo("https://tlsrpt.example.com/alerts/a9"));
            assertThat(visible(json)).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("harm")
    void alertmanagerTakesItAsLabelsAndAnnotations(Message message) {
        AlertmanagerReceiver.entries(message, Messages.NOW).forEach(entry -> {
            JsonNode json = Json.MAPPER.valueToTree(entry);
            assertThat(json.toString()).hasSizeLessThan(16 * 1024);
            json.at("/labels").properties().forEach(label -> {
                assertThat(label.getKey()).matches("(?!__)[a-zA-Z_][a-zA-Z0-9_]*");
                assertThat(label.getValue().asString()).hasSizeBetween(1, 2 * 255);
            });
            assertThat(json.at("/annotations").has("runbook_url")).isFalse();
            assertThat(visible(json)).isTrue();
        });
    }

    @ParameterizedTest
    @MethodSource("harm")
    void theWebhookStaysBelowTwentyKilobytes(Message message) {
        assertThat(WebhookReceiver.body(message)).hasSizeLessThanOrEqualTo(WebhookReceiver.MAX_BODY_BYTES);
    }

    @ParameterizedTest
    @MethodSource("harm")
    void aMailHasOurHeadersAndNoMarkupOfStrangers(Message message) throws MessagingException, IOException {
        byte[] bytes = EmailReceiver.mail(message, List.of("oncall@example.com"), "tlsrpt@example.com", Messages.NOW);
        MimeMessage mail = new MimeMessage(Session.getInstance(new Properties()), new ByteArrayInputStream(bytes));

        assertThat(bytes).hasSizeLessThan(512 * 1024);
        String raw = new String(bytes, StandardCharsets.US_ASCII);
        assertThat(raw.lines().allMatch(line -> line.length() <= 998)).isTrue();
        assertThat(raw.replace("\r\n", "")).doesNotContain("\r", "\n");
        Set<String> names = new TreeSet<>();
        Collections.list(mail.getAllHeaders()).forEach(header -> names.add(header.getName()));
        assertThat(Set.of(
                        "Auto-Submitted",
                        "Content-Type",
                        "Date",
                        "From",
                        "In-Reply-To",
                        "MIME-Version",
                        "Message-ID",
                        "References",
                        "Subject",
                        "To",
                        "X-Auto-Response-Suppress"))
                .containsAll(names);
        assertThat(mail.getHeader("Auto-Submitted")).containsExactly("auto-generated");
        assertThat(mail.getSubject()).hasSizeLessThanOrEqualTo(2 * AlertText.MAX_TITLE);
        assertThat(visible(mail.getSubject())).isTrue();
        assertThat(mail.getAllRecipients()).hasSize(1);

        List<String> parts = parts(mail);
        assertThat(parts).hasSize(2);
        String html = parts.getLast();
        assertThat(html.replaceAll("</?(html|body|h3|table|tr|td|p)>|<!DOCTYPE html>|</a>", "")
                        .replace("<p style=\"white-space:pre-wrap\">", "")
                        .replace("<a href=\"https://tlsrpt.example.com/alerts/a9\">", ""))
                .doesNotContain("<", ">");
        parts.forEach(part -> assertThat(visible(part)).isTrue());
    }

    private static List<String> parts(MimeMessage mail) throws MessagingException, IOException {
        String boundary = "\r\n--" + new ContentType(mail.getContentType()).getParameter("boundary");
        String body = "\r\n" + new String(mail.getRawInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        List<String> pieces = List.of(body.split(Pattern.quote(boundary), -1));
        assertThat(pieces.getFirst()).isEmpty();
        assertThat(pieces.getLast()).isEqualTo("--\r\n");
        List<String> parts = new ArrayList<>();
        for (String piece : pieces.subList(1, pieces.size() - 1)) {
            MimeBodyPart part = new MimeBodyPart(
                    new ByteArrayInputStream(piece.substring("\r\n".length()).getBytes(StandardCharsets.US_ASCII)));
            parts.add(new String(part.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        }
        return parts;
    }

    private static boolean visible(JsonNode json) {
        Map<String, Boolean> texts = new TreeMap<>();
        collect(json, texts);
        return texts.values().stream().allMatch(Boolean::booleanValue);
    }

    private static void collect(JsonNode json, Map<String, Boolean> texts) {
        if (json.isString()) {
            texts.put(json.asString(), visible(json.asString()));
        }
        json.forEach(child -> collect(child, texts));
    }

    /// Nothing but line breaks that is a control, a direction mark, invisible or half a character.
    private static boolean visible(String text) {
        return text.codePoints().noneMatch(point -> switch (Character.getType(point)) {
            case Character.CONTROL -> point != '\n' && point != '\r';
            case Character.FORMAT, Character.SURROGATE, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
            default -> false;
        });
    }
}

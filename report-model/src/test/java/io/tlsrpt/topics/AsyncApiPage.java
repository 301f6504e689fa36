package io.tlsrpt.topics;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// `docs/asyncapi.yaml` as one HTML page for people: no script, nothing loaded from elsewhere, readable without style.
final class AsyncApiPage {

    /// A record of each kind, as it stands on the wire.
    private static final Map<String, List<String>> EXAMPLES = Map.of(
            "tlsrpt.event/1", List.of("event-failure.json", "event-summary.json", "event-retraction.json"),
            "tlsrpt.aggregate/1", List.of("aggregate.json"),
            "tlsrpt.report/1", List.of("report.json"),
            "tlsrpt.verdict/1", List.of("verdict-accepted.json", "verdict-rejected.json"),
            "tlsrpt.alert/1", List.of("alert-firing.json"),
            "tlsrpt.alert-action/1", List.of("alert-action.json"),
            "tlsrpt.inspection/1", List.of("inspection.json"),
            "tlsrpt.silence/1", List.of("silence.json"),
            "tlsrpt.notification/1", List.of("notification.json"),
            "tlsrpt.domain/1", List.of("domain-accepted.json"));

    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    private final Path docs;
    private final JsonNode api;
    private final StringBuilder page = new StringBuilder();

    private AsyncApiPage(Path docs) {
        this.docs = docs;
        this.api = YAMLMapper.builder().build().readTree(read(docs.resolve("asyncapi.yaml")));
    }

    /// @param docs the directory of `asyncapi.yaml` and `schemas/`
    static String of(Path docs) {
        AsyncApiPage made = new AsyncApiPage(docs);
        made.write();
        return made.page.toString();
    }

    private void write() {
        page.append("""
                <!doctype html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <title>%s</title>
                <style>
                :root { --line: light-dark(#d5dae1, #39424e); --soft: light-dark(#f4f6f8, #1b2129); --dim: light-dark(#55606e, #9aa7b6); color-scheme: light dark; }
                body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; font: 1rem/1.55 system-ui, sans-serif; }
                h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1.5rem; overflow-wrap: anywhere; }
                code, pre { font-family: ui-monospace, monospace; font-size: .875em; }
                pre { background: var(--soft); padding: .75rem 1rem; overflow-x: auto; }
                dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.5rem; }
                dt, .type { color: var(--dim); }
                dd { margin: 0; overflow-wrap: anywhere; }
                div.table { overflow-x: auto; }
                table { border-collapse: collapse; width: 100%%; }
                th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
                td:first-child { white-space: nowrap; }
                nav ul { columns: 16rem; padding-left: 1.25rem; }
                summary { cursor: pointer; padding: .25rem 0; }
                </style>
                </head>
                <body>
                <main>
                <h1>%s</h1>
                <p>%s</p>
                <p>The same for programs: <a href="asyncapi.yaml">asyncapi.yaml</a> (AsyncAPI %s) and the <a href="schemas/">JSON Schemas</a>. In words: <a href="topics.md">Topics</a>.</p>
                <nav aria-label="Topics"><ul>
                """.formatted(
                        escaped(text(api, "info", "title")),
                        escaped(text(api, "info", "title")),
                        prose(text(api, "info", "description")),
                        escaped(text(api, "asyncapi"))));
        for (Map.Entry<String, JsonNode> channel : api.path("channels").properties()) {
            page.append("<li><a href=\"#%s\"><code>%s</code></a></li>\n"
                    .formatted(escaped(channel.getKey()), escaped(text(channel.getValue(), "address"))));
        }
        page.append("</ul></nav>\n");
        api.path("channels").properties().forEach(each -> channel(each.getKey(), each.getValue()));
        page.append("</main>\n</body>\n</html>\n");
    }

    private void channel(String id, JsonNode channel) {
        page.append("<section aria-labelledby=\"%s\">\n<h2 id=\"%s\"><code>%s</code></h2>\n<p>%s</p>\n"
                .formatted(
                        escaped(id),
                        escaped(id),
                        escaped(text(channel, "address")),
                        prose(text(channel, "description"))));
        JsonNode message = at(channel.path("messages").values().iterator().next());
        JsonNode key = at(message.path("bindings").path("kafka").path("key"));
        JsonNode topic = channel.path("bindings").path("kafka").path("topicConfiguration");
        page.append("<dl>\n");
        entry("Value", prose(text(message, "title")) + ", schema <code>" + escaped(text(message, "name")) + "</code>");
        entry("Content type", "<code>" + escaped(contentType(message)) + "</code>");
        entry("Key", prose(key.path("description").asString(key.path("title").asString(""))));
        entry("Kept", kept(topic));
        entry("Largest record", bytes(topic.path("max.message.bytes").asLong()));
        page.append("</dl>\n");
        if (key.has("properties")) {
            schema("Key", key);
        }
        schema("Value", at(message.path("payload")));
        schema("Headers", at(message.path("headers")));
        for (String example : EXAMPLES.getOrDefault(text(message, "name"), List.of())) {
            page.append("<details><summary>Example: %s</summary>\n<pre tabindex=\"0\"><code>%s</code></pre></details>\n"
                    .formatted(
                            escaped(example.replace(".json", "").replace('-', ' ')),
                            escaped(Json.MAPPER
                                    .readTree(GoldenFiles.read(example))
                                    .toPrettyString())));
        }
        page.append("</section>\n");
    }

    private String contentType(JsonNode message) {
        return message.path("contentType").asString(text(api, "defaultContentType"));
    }

    /// The members of a schema, and after them those of every object it speaks of.
    private void schema(String title, JsonNode schema) {
        if (!schema.has("properties")) {
            if (schema.has("description")) {
                page.append("<p>%s</p>\n".formatted(prose(text(schema, "description"))));
            }
            return;
        }
        Deque<String> open = new ArrayDeque<>();
        Set<String> seen = new LinkedHashSet<>();
        members(title, schema, open);
        while (!open.isEmpty()) {
            String name = open.removeFirst();
            if (seen.add(name)) {
                members(title + ": " + name, schema.path("$defs").path(name), open);
            }
        }
    }

    private void members(String title, JsonNode schema, Deque<String> open) {
        Set<String> required = new LinkedHashSet<>();
        schema.path("required").forEach(each -> required.add(each.asString()));
        page.append("<h3>%s</h3>\n".formatted(escaped(title)));
        if (schema.has("description")) {
            page.append("<p>%s</p>\n".formatted(prose(text(schema, "description"))));
        }
        page.append("""
                <div class="table" tabindex="0" role="group" aria-label="%s"><table>
                <thead><tr><th scope="col">member</th><th scope="col">type</th><th scope="col">meaning</th></tr></thead>
                <tbody>
                """.formatted(escaped(title)));
        rows("", schema, required, open);
        page.append("</tbody></table></div>\n");
    }

    private void rows(String before, JsonNode schema, Set<String> required, Deque<String> open) {
        for (Map.Entry<String, JsonNode> member : schema.path("properties").properties()) {
            JsonNode type = member.getValue();
            String name = before + member.getKey();
            page.append("<tr><td><code>%s</code></td><td class=\"type\">%s%s</td><td>%s</td></tr>\n"
                    .formatted(
                            escaped(name),
                            type(type, open),
                            required.contains(member.getKey()) ? ", required" : "",
                            prose(type.path("description").asString(""))));
            if (type.has("properties")) {
                Set<String> inner = new LinkedHashSet<>();
                type.path("required").forEach(each -> inner.add(each.asString()));
                rows(name + ".", type, inner, open);
            }
        }
    }

    private static String type(JsonNode schema, Deque<String> open) {
        if (schema.has("$ref")) {
            String name = schema.path("$ref").asString().replaceFirst(".*/", "");
            open.add(name);
            return escaped(name);
        }
        if (schema.has("items")) {
            return "list of " + type(schema.path("items"), open);
        }
        if (schema.has("enum")) {
            List<String> words = new ArrayList<>();
            schema.path("enum").forEach(each -> words.add("<code>" + escaped(each.asString()) + "</code>"));
            return String.join(" ", words);
        }
        if (schema.has("const")) {
            return "<code>" + escaped(schema.path("const").asString()) + "</code>";
        }
        return escaped(schema.has("format") ? text(schema, "format") : text(schema, "type"));
    }

    private static String kept(JsonNode topic) {
        List<String> policies = StreamSupport.stream(
                        topic.path("cleanup.policy").spliterator(), false)
                .map(each -> each.asString())
                .toList();
        if (policies.contains("compact")) {
            return "compacted: the latest of each key; a null value is a tombstone";
        }
        String size = topic.has("retention.bytes")
                ? " and " + bytes(topic.path("retention.bytes").asLong()) + " a partition"
                : "";
        return Duration.ofMillis(topic.path("retention.ms").asLong()).toDays() + " days" + size;
    }

    private static String bytes(long bytes) {
        return (bytes >> 20) + " MiB";
    }

    private void entry(String term, String html) {
        page.append("<dt>%s</dt><dd>%s</dd>\n".formatted(term, html));
    }

    /// What a reference leads to, in this document or in a file beside it.
    private JsonNode at(JsonNode node) {
        String reference = node.path("$ref").asString("");
        if (reference.isEmpty()) {
            return node;
        }
        return reference.startsWith("#")
                ? at(api.at(reference.substring(1)))
                : Json.MAPPER.readTree(read(docs.resolve(reference)));
    }

    private static String text(JsonNode node, String... path) {
        JsonNode found = node;
        for (String each : path) {
            found = found.path(each);
        }
        return found.asString("");
    }

    private static String prose(String text) {
        return CODE.matcher(escaped(text)).replaceAll("<code>$1</code>");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}

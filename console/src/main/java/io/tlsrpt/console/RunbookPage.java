package io.tlsrpt.console;

import io.tlsrpt.console.ApiRoutes.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.commonmark.Extension;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Code;
import org.commonmark.node.Heading;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.node.Text;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.html.HtmlRenderer;

/// `docs/runbook.md` as the page that alerts link to, rendered once. Nothing in it comes from a report.
final class RunbookPage {

    /// Only the stylesheet beside it is loaded, and nothing runs.
    private static final String POLICY =
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static final List<Extension> EXTENSIONS = List.of(TablesExtension.create());

    private final byte[] page = page(new String(resource("runbook.md"), StandardCharsets.UTF_8));
    private final byte[] style = resource("runbook.css");

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.page("/runbook", () -> Answer.page("text/html; charset=utf-8", page, POLICY)),
                Endpoint.page("/runbook.css", () -> Answer.page("text/css; charset=utf-8", style, POLICY)));
    }

    private static byte[] page(String markdown) {
        Node document = Parser.builder().extensions(EXTENSIONS).build().parse(markdown);
        document.accept(new OwnLinks());
        String body = HtmlRenderer.builder()
                .extensions(EXTENSIONS)
                .escapeHtml(true)
                .sanitizeUrls(true)
                .attributeProviderFactory(context -> (node, tag, attributes) -> {
                    if (node instanceof Heading) {
                        attributes.put("id", anchor(node));
                    }
                })
                .build()
                .render(document);
        return """
                <!doctype html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <title>Runbook</title>
                <link rel="stylesheet" href="runbook.css">
                </head>
                <body>
                <main>
                %s</main>
                </body>
                </html>
                """.formatted(body).getBytes(StandardCharsets.UTF_8);
    }

    /// As GitHub makes it, so that a link leads to the same place there and here.
    private static String anchor(Node heading) {
        StringBuilder words = new StringBuilder();
        heading.accept(new AbstractVisitor() {
            @Override
            public void visit(Text text) {
                words.append(text.getLiteral());
            }

            @Override
            public void visit(Code code) {
                words.append(code.getLiteral());
            }
        });
        return words.toString()
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N} _-]", "")
                .replace(' ', '-');
    }

    /// Other pages of the documentation are not served: what leads there becomes text.
    private static final class OwnLinks extends AbstractVisitor {

        @Override
        public void visit(Link link) {
            visitChildren(link);
            String target = link.getDestination();
            if (!target.startsWith("#") && !target.startsWith("https://")) {
                Node child = link.getFirstChild();
                while (child != null) {
                    Node next = child.getNext();
                    link.insertBefore(child);
                    child = next;
                }
                link.unlink();
            }
        }
    }

    private static byte[] resource(String name) {
        try (InputStream in =
                Objects.requireNonNull(RunbookPage.class.getResourceAsStream(name), "the build left out " + name)) {
            return in.readAllBytes();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}

package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.ConsoleMessage;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.ScreenshotAnimations;
import io.tlsrpt.dns.Peer;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import tools.jackson.databind.JsonNode;

/// A real Chromium that looks at a running console, and remembers whatever went wrong in its pages.
final class Chromium implements AutoCloseable {

    static final String PROGRAM = "/usr/bin/chromium";

    private static final Path SCREENSHOTS = Path.of("target", "screenshots");
    private static final String AXE = axe();

    private final Playwright playwright;
    private final Browser browser;
    private final String origin;
    private final List<BrowserContext> contexts = new ArrayList<>();
    private final List<String> complaints = new CopyOnWriteArrayList<>();
    private final List<String> elsewhere = new CopyOnWriteArrayList<>();

    /// @param origin of the console, such as `http://127.0.0.1:8080`
    Chromium(String origin) {
        Peer.require(PROGRAM, "chromium");
        this.origin = origin;
        playwright = Playwright.create(
                new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        browser = playwright
                .chromium()
                .launch(new BrowserType.LaunchOptions()
                        .setExecutablePath(Path.of(PROGRAM))
                        .setChromiumSandbox(false)
                        .setArgs(List.of(
                                "--disable-gpu",
                                "--disable-quic",
                                "--no-first-run",
                                "--disable-background-networking",
                                "--disable-component-update",
                                "--disable-sync")));
    }

    /// A new page of a browser that nobody has used yet.
    Page page(int width, int height, ColorScheme scheme) {
        BrowserContext context = browser.newContext(new Browser.NewContextOptions()
                .setBaseURL(origin)
                .setViewportSize(width, height)
                .setColorScheme(scheme)
                .setLocale("en-GB")
                .setTimezoneId("Europe/Berlin"));
        contexts.add(context);
        Page page = context.newPage();
        page.onConsoleMessage(message -> remember(message));
        page.onPageError(error -> complaints.add("error: " + error));
        page.onDialog(dialog -> {
            complaints.add("a script of somebody ran: " + dialog.message());
            dialog.dismiss();
        });
        page.onRequest(request -> {
            if (!request.url().startsWith(origin + "/") && !request.url().startsWith("data:")) {
                elsewhere.add(request.url());
            }
        });
        return page;
    }

    /// What pages complained about: errors, broken rules of the Content-Security-Policy, dialogs.
    List<String> complaints() {
        return List.copyOf(complaints);
    }

    /// The same, and nothing is remembered of it: for what a test brings about by itself.
    List<String> forgetComplaints() {
        List<String> forgotten = complaints();
        complaints.clear();
        return forgotten;
    }

    /// Requests to other places than the console.
    List<String> elsewhere() {
        return List.copyOf(elsewhere);
    }

    /// What axe-core finds wrong with a page by WCAG 2.2 A and AA, with the place of each.
    static List<String> inaccessible(Page page) {
        page.evaluate(AXE);
        Object found = page.evaluate("""
                async () => JSON.stringify((await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a',
                    'wcag21aa', 'wcag22aa', 'best-practice']})).violations)""");
        List<String> violations = new ArrayList<>();
        for (JsonNode violation : Json.MAPPER.readTree(String.valueOf(found))) {
            for (JsonNode node : violation.path("nodes")) {
                violations.add(violation.path("id").asString() + " at "
                        + node.path("target").toString() + ": "
                        + node.path("failureSummary").asString());
            }
        }
        return violations;
    }

    /// Keeps a picture of the whole page in `target/screenshots`.
    static void screenshot(Page page, String name) {
        page.screenshot(new Page.ScreenshotOptions()
                .setPath(SCREENSHOTS.resolve(name + ".png"))
                .setAnimations(ScreenshotAnimations.DISABLED)
                .setFullPage(true));
    }

    /// Ends what runs in the pages that are open.
    void closePages() {
        contexts.forEach(BrowserContext::close);
        contexts.clear();
    }

    @Override
    public void close() {
        closePages();
        browser.close();
        playwright.close();
        assertThat(elsewhere).as("requests to other places").isEmpty();
    }

    private void remember(ConsoleMessage message) {
        if (message.type().equals("error") || message.type().equals("warning")) {
            complaints.add(message.type() + ": " + message.text());
        }
    }

    private static String axe() {
        try (InputStream in = Objects.requireNonNull(Chromium.class.getResourceAsStream("/axe.min.js"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }
}

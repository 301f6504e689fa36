package io.tlsrpt.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.report.Leniency;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.HostPort;
import io.tlsrpt.runtime.HttpListener;
import io.tlsrpt.runtime.Routes;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DashboardTest {

    private static final Path FILES = Path.of("src/main/resources/io/tlsrpt/console/dashboard");

    /// What a module or a style names: `from "…"`, `import "…"`, `import("…")`, `url(…)`, `href="…"`, `src="…"`.
    private static final Pattern NAMED = Pattern.compile(
            "(?:\\bfrom\\s*|\\bimport\\s*\\(?\\s*|<(?:link|script)[^>]*?(?:href|src)=)[\"']([^\"'\\s]+)[\"']");

    private final HttpClient client = HttpClient.newHttpClient();
    private HttpListener listener;

    @BeforeEach
    void start() {
        ApiRoutes api = new ApiRoutes(new Dashboard().endpoints(), FilledViews.access(), new SimpleMeterRegistry());
        listener = HttpListener.start(
                List.of(new Routes("api", HostPort.parse("127.0.0.1:0"), null, api::routing)),
                new SimpleMeterRegistry());
    }

    @AfterEach
    void stop() {
        client.close();
        listener.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/?label=team:mail",
                "/domains/example.com?from=2026-11-01&mx=mx1.example.com",
                "/domains/%3Cscript%3E",
                "/reports/view?key=a%7Cb",
                "/alerts",
                "/alerts/a9",
                "/silences",
                "/reporters",
                "/reporters/google.com",
                "/reporters/a%2Fb",
                "/rejected",
                "/rejected/record?partition=0&offset=1",
                "/live",
                "/sign-in?back=%2Falerts"
            })
    void everyRouteIsTheOnePage(String route) throws Exception {
        HttpResponse<String> page = get(route);

        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.headers().firstValue("Content-Type")).contains("text/html; charset=utf-8");
        assertThat(page.body()).isEqualTo(Files.readString(FILES.resolve("index.html")));
        assertThat(page.headers().allValues("Content-Security-Policy"))
                .singleElement(InstanceOfAssertFactories.STRING)
                .contains("default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'")
                .doesNotContain("unsafe", "http", "*");
    }

    @Test
    void everythingThatThePageNamesIsServedFromHere() throws Exception {
        Set<String> seen = new LinkedHashSet<>();
        Deque<String> open = new ArrayDeque<>(List.of("/"));
        while (!open.isEmpty()) {
            String path = open.remove();
            if (!seen.add(path)) {
                continue;
            }
            HttpResponse<String> file = get(path);
            assertThat(file.statusCode()).as(path).isEqualTo(200);
            Matcher named = NAMED.matcher(file.body());
            while (named.find()) {
                URI uri = URI.create(path).resolve(named.group(1));
                assertThat(uri.getScheme()).as("%s names %s", path, uri).isNull();
                assertThat(named.group(1))
                        .as("a path, for there is no import map: %s", path)
                        .matches("[./].*");
                open.add(uri.getPath());
            }
        }
        try (Stream<Path> files = Files.list(FILES)) {
            assertThat(files.map(file -> "/dashboard/" + file.getFileName()))
                    .as("no file is there that the page does not use")
                    .allMatch(file -> file.equals("/dashboard/index.html") || seen.contains(file));
        }
        assertThat(seen).contains("/lib/lit-html/lit-html.js", "/lib/uplot/uPlot.esm.js");
    }

    @Test
    void nothingIsInlineOrTakenFromText() throws IOException {
        assertThat(Files.readString(FILES.resolve("index.html")))
                .doesNotContainPattern("<script(?![^>]*src=)[^>]*>\\s*\\S")
                .doesNotContainPattern("\\son[a-z]+=")
                .doesNotContain("<style", "style=");
        try (Stream<Path> files = Files.list(FILES)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".js")).toList()) {
                assertThat(Files.readString(file))
                        .as(file.toString())
                        .doesNotContain("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "unsafeHTML")
                        .doesNotContain("unsafeSVG", "eval(", "new Function", "javascript:", " style=\"");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/dashboard/none.js",
                "/dashboard/..%2Frunbook.css",
                "/dashboard/%2e%2e%2Frunbook.css",
                "/lib/uplot/..%2F..%2F..%2F..%2F..%2F..%2Flogback.xml",
                "/lib/lit-html/package.json",
                "/dashboard/index.html%00.js"
            })
    void nothingElseOfTheClassPathIsServed(String path) throws Exception {
        assertThat(get(path).statusCode()).isIn(400, 404);
    }

    @Test
    void thePageKnowsTheWordsOfTheRecords() throws IOException {
        String words = Files.readString(FILES.resolve("words.js"));
        for (Leniency leniency : Leniency.values()) {
            assertThat(words).contains("'" + leniency.word() + "': '");
        }
        for (String rule : AlertingSettings.Rules.WORDS) {
            assertThat(words).contains("'" + rule + "': '");
        }
    }

    @Test
    void whatTheBrowserHasIsNotSentAgain() throws Exception {
        HttpResponse<String> first = get("/dashboard/app.js");
        String tag = first.headers().firstValue("ETag").orElseThrow();

        HttpResponse<String> second = client.send(
                HttpRequest.newBuilder(uri("/dashboard/app.js"))
                        .header("If-None-Match", tag)
                        .build(),
                HttpResponse.BodyHandlers.ofString());

        assertThat(second.statusCode()).isEqualTo(304);
        assertThat(second.body()).isEmpty();
        assertThat(first.body()).isNotEmpty();
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private URI uri(String path) {
        return URI.create("http://" + listener.address() + path);
    }
}

package io.tlsrpt.standalone;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.ColorScheme;
import io.tlsrpt.cli.Commands;
import io.tlsrpt.topics.Json;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reports of somebody who means harm, with something in every text that a page, a spreadsheet, a stream or a terminal
/// could take for more than text: it is text everywhere.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init") // started before all
class HostileIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String SCRIPT = "<script>window.__pwned=1</script>";
    private static final int MX_NAMES = 10_000;
    private static final int MX_NAMES_OF_A_REPORT = 2_500;
    private static final String MANY = "many.example";

    /// Each alone in every member of a report of its own.
    private static final List<String> WORDS = List.of(
            SCRIPT,
            "\"><img src=x onerror=alert(1)>",
            "' onmouseover='alert(1)' x='",
            "javascript:alert(1)",
            "</title></textarea><svg onload=alert(1)>",
            "${7*7}{{7*7}}%{7*7}<%= 7*7 %>",
            "=HYPERLINK(\"http://evil.example/\",\"x\")",
            "+cmd|' /C calc'!A0",
            "-2+3+cmd|' /C calc'!A0",
            "@SUM(1+1)",
            "\t=1+1",
            "\rid: 7\r\nevent: pwned\r\ndata: pwned\r\n\r\n",
            "a\u2028b\u2029c\u0085d",
            "txt.\u202egpj.exe\u202c\u2066x\u2069\u200f\ufeff",
            "\u001b]8;;http://evil.example/\u001b\\click\u001b]8;;\u001b\\\u0007",
            "\u001b[2J\u001b[31m\u0008\u007f\u009b2J\u009dpwned\u009c",
            "../../../etc/passwd?a=1&b=2#c;d",
            "A".repeat(64 * 1024));

    /// What moves a cursor, reorders or hides text; line ends are for each place to allow.
    private static final Pattern UNSHOWABLE = Pattern.compile(
            "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]");

    private static final String UNLIKE_TEXT = """
            async path => {
              if (path) {
                const link = Object.assign(document.createElement('a'), { href: path });
                document.body.append(link);
                link.click();
                link.remove();
              }
              const busy = () => document.querySelector('main').getAttribute('aria-busy') !== 'false'
                || document.querySelector('.skeleton');
              for (const end = Date.now() + 60_000; busy();) {
                if (Date.now() > end) return ['never ready'];
                await new Promise(requestAnimationFrame);
              }
              const faults = [];
              if (window.__pwned !== undefined) faults.push('a script ran');
              for (const one of document.querySelectorAll('img,iframe,object,embed,audio,video,base,style,form[action]')) {
                faults.push('element ' + one.outerHTML.slice(0, 100));
              }
              for (const one of document.querySelectorAll('script')) {
                if (!/^\\/dashboard\\/[a-z]+\\.js$/.test(one.getAttribute('src') ?? '')) faults.push('script ' + one.outerHTML.slice(0, 100));
              }
              for (const one of document.querySelectorAll('*')) {
                for (const { name, value } of one.attributes) {
                  if (name.startsWith('on')) faults.push('handler ' + name);
                  if (['title', 'aria-label', 'placeholder'].includes(name) && UNSHOWABLE.test(value)) faults.push('not to be seen in ' + name);
                }
              }
              for (const one of document.querySelectorAll('a[href]')) {
                const known = one.origin === location.origin || one.href === 'https://www.rfc-editor.org/rfc/rfc8460';
                if (!known) faults.push('link to ' + one.href.slice(0, 100));
              }
              if (UNSHOWABLE.test(document.title)) faults.push('not to be seen in the title');
              const hidden = UNSHOWABLE.exec(document.body.textContent);
              if (hidden) faults.push('not to be seen: U+' + hidden[0].codePointAt(0).toString(16)
                    + ' in ' + JSON.stringify(hidden.input.slice(Math.max(0, hidden.index - 60), hidden.index + 20)));
              return faults;
            }""".replace(
                    "UNSHOWABLE",
                    "/[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]/");

    private final HttpClient http = HttpClient.newHttpClient();
    private final LocalDate yesterday = LocalDate.now(Clock.systemUTC()).minusDays(1);
    private final List<String> frames = new CopyOnWriteArrayList<>();
    private House house;
    private Chromium chromium;
    private Page page;

    @BeforeAll
    void start(@TempDir Path directory) throws IOException, InterruptedException {
        PlaywrightAssertions.setDefaultAssertionTimeout((double) PATIENCE.toMillis());
        house = House.start(directory, "mail: {smtp: {enabled: false}}", "alerting: {inspection: {enabled: false}}");
        HttpResponse<InputStream> stream = http.send(
                HttpRequest.newBuilder(uri("/api/v1/stream?topic=events")).build(),
                HttpResponse.BodyHandlers.ofInputStream());
        Thread.ofVirtual().start(() -> follow(stream));
        chromium = new Chromium("http://" + house.standalone().apiAddress());
        page = chromium.page(1280, 900, ColorScheme.LIGHT);
        page.navigate("/live");
        assertThat(page.locator(".live-state[data-state=live]")).isVisible();
        send();
    }

    @AfterAll
    void stop() {
        if (chromium != null) {
            chromium.close();
        }
        http.shutdownNow();
        if (house != null) {
            house.close();
        }
    }

    @AfterEach
    void nothingRanAndNothingWasAskedElsewhere() {
        assertThat(chromium.forgetComplaints()).isEmpty();
        assertThat(chromium.elsewhere()).isEmpty();
    }

    @Test
    void everyPageShowsItAsText() {
        List<String> faults = new ArrayList<>(unlikeText(null, "/live"));
        for (String topic : List.of("aggregates", "alerts", "verdicts")) {
            look("/live?topic=" + topic, faults);
        }
        look("/", faults);
        assertThat(page.locator("#domains tbody tr")).hasCount(WORDS.size() + 1);
        for (JsonNode row : rows("/api/v1/domains")) {
            look("/domains/" + segment(text(row, "domain")), faults);
        }
        look("/alerts", faults);
        for (JsonNode alert : rows("/api/v1/alerts")) {
            look("/alerts/" + text(alert, "alert-id"), faults);
        }
        look("/reporters", faults);
        for (JsonNode row : rows("/api/v1/reporters")) {
            look("/reporters/" + segment(text(row, "submitter")), faults);
        }
        look("/rejected", faults);
        for (JsonNode row : rows("/api/v1/rejected")) {
            look(
                    "/rejected/record?partition=" + row.path("partition").asInt() + "&offset="
                            + row.path("offset").asLong(),
                    faults);
        }
        String typed = String.join(" ", WORDS).substring(0, 600);
        look("/?q=" + encoded(typed) + "&label=" + encoded(typed), faults);
        assertThat(faults).isEmpty();
        // a path cannot name a domain that has a slash in it
        assertThat(chromium.forgetComplaints()).allMatch(complaint -> complaint.contains("404 (Not Found)"));
    }

    @Test
    void aReportShowsEachWordAndItsDocument() {
        List<String> faults = new ArrayList<>();
        List<String> keys = house.verdicts().stream()
                .filter(verdict -> verdict.verdict().equals("accepted"))
                .map(verdict -> Objects.requireNonNull(verdict.reportKey()))
                .filter(key -> !key.endsWith("|" + MANY))
                .toList();
        assertThat(keys).hasSameSizeAs(WORDS);
        for (String key : keys) {
            look("/reports/view?key=" + encoded(key), faults);
            if (page.locator("pre.document").count() == 0) {
                page.getByText("Show the JSON as it was sent").click();
            }
            assertThat(page.locator("pre.document")).containsText("organization-name");
            faults.addAll(unlikeText(null, key));
            if (key.contains("window.__pwned")) {
                assertThat(page.locator("h1")).containsText(SCRIPT);
                assertThat(page.locator("pre.document")).containsText(SCRIPT);
            }
        }
        assertThat(faults).isEmpty();
        assertThat(chromium.forgetComplaints()).allMatch(complaint -> complaint.contains("404 (Not Found)"));
    }

    @Test
    void aReporterWithTenThousandMxNamesLeavesThePageUsable() {
        page.navigate("/domains/" + MANY);
        Locator mx = page.locator(
                "section.card",
                new Page.LocatorOptions()
                        .setHas(page.locator("h2", new Page.LocatorOptions().setHasText("Failures by MX"))));
        assertThat(mx.locator(".facet li")).not().hasCount(0);
        mx.locator("input[type=search]").fill("mx-9999.");
        assertThat(mx.locator(".facet li")).hasCount(1);
        mx.locator(".facet a").click();
        assertThat(page).hasURL(Pattern.compile(".*[?&]mx=mx-9999\\..*"));
        assertThat(page.locator(".chips")).containsText("mx-9999." + MANY);
        page.locator(".nav a[href='/alerts']").click();
        assertThat(page.locator("h1")).hasText("Alerts");
    }

    @Test
    void noCellOfASpreadsheetIsAFormula() {
        List<String> faults = new ArrayList<>();
        List<String> paths =
                new ArrayList<>(List.of("/api/v1/domains", "/api/v1/reporters", "/api/v1/rejected", "/api/v1/alerts"));
        for (JsonNode row : rows("/api/v1/domains")) {
            if (text(row, "domain").contains("/")) {
                continue; // a path cannot name it
            }
            String domain = "/api/v1/domains/" + segment(text(row, "domain"));
            paths.addAll(List.of(domain + "/events", domain + "/aggregates", domain + "/reports"));
        }
        for (String path : paths) {
            HttpResponse<String> csv = get(path + "?format=csv");
            assertThat(csv.statusCode()).as(path).isEqualTo(200);
            assertThat(csv.headers().firstValue("Content-Type").orElse("")).startsWith("text/csv");
            List<List<String>> lines = cells(csv.body());
            assertThat(lines).as(path).hasSizeGreaterThan(1);
            for (List<String> line : lines) {
                assertThat(line).as(path).hasSameSizeAs(lines.getFirst());
                line.stream()
                        .filter(cell -> cell.matches("(?s)[=+@\\t\\r-].*") && !cell.matches("-?\\d+(\\.\\d+)?"))
                        .forEach(cell -> faults.add(path + ": " + cell));
            }
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void noFrameOfTheStreamIsBroken() {
        await().atMost(PATIENCE)
                .until(() -> frames.stream()
                                .filter(line -> line.startsWith("data:") && line.contains("\"summary\""))
                                .count()
                        >= WORDS.size());
        assertThat(List.copyOf(frames)).allSatisfy(line -> {
            assertThat(line).matches("(?s)(id: ?\\S+|event: ?(events|position)|data: ?\\{.*}|:.*|retry: ?\\d+|)");
            if (line.startsWith("data:") && !line.endsWith("{}")) {
                assertThat(Json.MAPPER.readTree(line.substring(5)).has("kind")).isTrue();
            }
        });
    }

    @Test
    void nothingReachesATerminalButText() {
        List<String> faults = new ArrayList<>();
        List<List<String>> commands = new ArrayList<>(List.of(
                List.of("domains"),
                List.of("domains", "--json"),
                List.of("alerts", "list"),
                List.of("alerts", "list", "--json"),
                List.of("rejected", "list"),
                List.of("tail", "events", "--from-beginning", "--max", String.valueOf(2 * WORDS.size())),
                List.of("tail", "verdicts", "--from-beginning", "--max", String.valueOf(WORDS.size())),
                List.of("tail", "aggregates", "--from-beginning", "--max", String.valueOf(WORDS.size()))));
        rows("/api/v1/alerts").forEach(alert -> commands.add(List.of("alerts", "show", text(alert, "alert-id"))));
        rows("/api/v1/rejected").forEach(row -> commands.add(List.of("rejected", "explain", text(row, "id"))));
        for (List<String> command : commands) {
            StringWriter out = new StringWriter();
            StringWriter err = new StringWriter();
            int code = Commands.root(
                            new Commands.Defaults(
                                    "http://" + house.standalone().apiAddress(),
                                    house.standalone().bootstrapServers(),
                                    "tlsrpt."),
                            new PrintWriter(out, true),
                            new PrintWriter(err, true))
                    .execute(command.toArray(String[]::new));
            String written = out + err.toString();
            assertThat(code).as(command + " " + err).isZero();
            assertThat(written).as(command.toString()).isNotBlank();
            UNSHOWABLE
                    .matcher(written)
                    .results()
                    .findFirst()
                    .ifPresent(found -> faults.add(
                            command + ": U+" + Integer.toHexString(found.group().codePointAt(0))));
            if (written.replace(System.lineSeparator(), "").indexOf('\r') >= 0) {
                faults.add(command + ": a carriage return");
            }
        }
        assertThat(faults).isEmpty();
    }

    // ---- what is sent

    private void send() {
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(archive)) {
            for (int i = 0; i < WORDS.size(); i++) {
                String word = WORDS.get(i);
                put(zip, "hostile" + i, report(word, word, 40));
                ObjectNode refused = report(word, word, 1);
                ((ObjectNode) refused.path("date-range")).put("end-datetime", word);
                put(zip, "refused" + i, refused);
            }
            for (int from = 0; from < MX_NAMES; from += MX_NAMES_OF_A_REPORT) {
                ObjectNode report = report("many" + from, MANY, 0);
                List<ObjectNode> details = IntStream.range(from, from + MX_NAMES_OF_A_REPORT)
                        .mapToObj(i -> detail("certificate-expired", "mx-" + i + "." + MANY, i == MX_NAMES - 1 ? 9 : 1))
                        .toList();
                ((ObjectNode) report.path("policies").path(0))
                        .putArray("failure-details")
                        .addAll(details);
                put(zip, "many" + from, report);
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        List<JsonNode> verdicts = house.importFile("hostile.zip", archive.toByteArray());
        assertThat(verdicts)
                .hasSize(2 * WORDS.size() + MX_NAMES / MX_NAMES_OF_A_REPORT)
                .allSatisfy(line -> assertThat(line.path("verdict").asString())
                        .as(line.toString())
                        .isEqualTo(line.path("name").asString().contains("refused") ? "rejected" : "accepted"));
        house.post(("no JSON " + String.join(" ", WORDS)).getBytes(StandardCharsets.UTF_8));
        await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(rows("/api/v1/domains")).hasSize(WORDS.size() + 1);
            assertThat(rows("/api/v1/alerts")).isNotEmpty();
        });
    }

    private static void put(ZipOutputStream zip, String name, ObjectNode report) throws IOException {
        zip.putNextEntry(new ZipEntry(name + ".json"));
        zip.write(Json.MAPPER.writeValueAsBytes(report));
    }

    /// @param word for every member that is free text
    private ObjectNode report(String word, String domain, long failed) {
        ObjectNode report = Json.MAPPER.createObjectNode();
        report.put("organization-name", word);
        report.putObject("date-range")
                .put("start-datetime", yesterday + "T00:00:00Z")
                .put("end-datetime", yesterday + "T23:59:59Z");
        report.put("contact-info", word);
        report.put("report-id", word);
        ObjectNode entry = report.putArray("policies").addObject();
        ObjectNode policy = entry.putObject("policy").put("policy-type", "sts").put("policy-domain", domain);
        policy.putArray("policy-string")
                .add("version: STSv1")
                .add("mode: enforce")
                .add(word);
        policy.putArray("mx-host").add(word);
        entry.putObject("summary")
                .put("total-successful-session-count", 20)
                .put("total-failure-session-count", failed * 2);
        if (failed > 0) {
            entry.putArray("failure-details")
                    .add(detail("certificate-expired", word, failed)
                            .put("receiving-mx-helo", word)
                            .put("failure-reason-code", word)
                            .put("additional-information", word))
                    .add(detail(word, word, failed)
                            .put("receiving-mx-helo", word)
                            .put("sending-mta-ip", word)
                            .put("failure-reason-code", word)
                            .put("additional-information", word));
        }
        return report;
    }

    private static ObjectNode detail(String resultType, String mx, long failed) {
        return Json.MAPPER
                .createObjectNode()
                .put("result-type", resultType)
                .put("sending-mta-ip", "192.0.2.25")
                .put("receiving-mx-hostname", mx)
                .put("receiving-ip", "198.51.100.7")
                .put("failed-session-count", failed);
    }

    // ---- what is seen

    /// Follows a link within the page.
    private void look(String path, List<String> faults) {
        faults.addAll(unlikeText(path, path));
    }

    /// Whatever of the page is more than text made of what came in.
    ///
    /// @param path where to go first; absent: the page as it is
    @SuppressWarnings("unchecked") // what the script gives
    private List<String> unlikeText(@Nullable String path, String name) {
        return ((List<String>) page.evaluate(UNLIKE_TEXT, path))
                .stream()
                        .map(fault -> (name.length() > 80 ? name.substring(0, 80) : name) + ": " + fault)
                        .toList();
    }

    private void follow(HttpResponse<InputStream> stream) {
        try (var lines = new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                frames.add(line);
            }
        } catch (IOException ended) {
            frames.add(": " + ended.getMessage());
        }
    }

    private List<JsonNode> rows(String path) {
        return StreamSupport.stream(house.get(path).path("rows").spliterator(), false)
                .toList();
    }

    private static String text(JsonNode node, String member) {
        return node.path(member).asString("");
    }

    private HttpResponse<String> get(String path) {
        try {
            return http.send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private URI uri(String path) {
        return House.uri(house.standalone().apiAddress(), path);
    }

    private static String segment(String text) {
        return encoded(text).replace("+", "%20");
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /// RFC 4180 as a spreadsheet reads it.
    private static List<List<String>> cells(String csv) {
        List<List<String>> lines = new ArrayList<>();
        List<String> line = new ArrayList<>();
        StringBuilder cell = new StringBuilder();
        boolean quoted = false;
        for (int at = 0; at < csv.length(); at++) {
            char character = csv.charAt(at);
            if (quoted) {
                if (character == '"' && at + 1 < csv.length() && csv.charAt(at + 1) == '"') {
                    cell.append('"');
                    at++;
                } else if (character == '"') {
                    quoted = false;
                } else {
                    cell.append(character);
                }
            } else if (character == '"') {
                quoted = true;
            } else if (character == ',' || character == '\n') {
                line.add(cell.toString());
                cell.setLength(0);
                if (character == '\n') {
                    lines.add(line);
                    line = new ArrayList<>();
                }
            } else if (character != '\r') {
                cell.append(character);
            }
        }
        return lines;
    }
}

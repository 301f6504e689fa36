package io.tlsrpt.standalone;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.ScreenshotAnimations;
import io.tlsrpt.topics.Json;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The dashboard in a real Chromium on one and the same running house, as somebody uses it who looks, reads and acts.
/// With `-Dtlsrpt.docs.write=true` the picture of the README is taken anew.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@SuppressWarnings("NullAway.Init") // started before all
class DashboardIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int WIDE = 1280;
    private static final int NARROW = 360;
    private static final int MOST_TABS = 400;
    private static final int MOST_PICTURE_BYTES = 300_000;
    private static final Path PICTURE = Path.of("..", "docs", "dashboard.png");

    /// A link that leads to no page.
    private static final String NOWHERE = "/no/such/page";

    /// What each test leaves as it was comes first.
    private static final int CHANGES_SOMETHING = 1 + Order.DEFAULT;

    private static final int CHANGES_WHO_MAY_ASK = 1 + CHANGES_SOMETHING;

    private static final Map<String, String> STATES = Map.of(
            "regular", "reporting",
            "first-report", "first report",
            "published", "published",
            "waiting", "waiting",
            "record-missing", "record missing",
            "pending", "pending");

    /// A place of the dashboard.
    private record View(String name, String path) {}

    private final HttpClient http = HttpClient.newHttpClient();
    private FilledHouse filled;
    private Chromium chromium;

    @BeforeAll
    void start(@TempDir Path directory) {
        PlaywrightAssertions.setDefaultAssertionTimeout((double) PATIENCE.toMillis());
        filled = FilledHouse.start(directory);
        chromium = new Chromium(filled.origin());
    }

    @AfterAll
    void stop() {
        if (chromium != null) {
            chromium.close();
        }
        if (filled != null) {
            filled.close();
        }
        http.close();
    }

    @AfterEach
    void noPageComplained() {
        chromium.closePages();
        assertThat(chromium.forgetComplaints()).isEmpty();
        assertThat(chromium.elsewhere()).isEmpty();
    }

    @Test
    void theOverviewHasTheNumbersOfTheApi() {
        Page page = open("/");

        Map<String, Map<String, String>> rows = new LinkedHashMap<>();
        cells(page, "#domains").forEach(row -> rows.put(firstLine(row.getOrDefault("domain", "")), row));
        List<JsonNode> all = rows(api("/api/v1/domains"));
        assertThat(rows.keySet())
                .containsExactlyInAnyOrderElementsOf(
                        all.stream().map(row -> text(row, "domain")).toList());
        long good = 0;
        long bad = 0;
        for (JsonNode row : all) {
            Map<String, String> shown = rows.get(text(row, "domain"));
            long successful = sum(row.path("trend").path("successful"));
            long failed = sum(row.path("trend").path("failed"));
            boolean reported = row.has("trend");
            if (text(row.path("trend"), "trust").equals("verified")) {
                good += successful;
                bad += failed;
            }
            long firing = row.path("firing-alerts").asLong();
            assertThat(shown)
                    .as(text(row, "domain"))
                    .containsEntry("sessions", reported ? number(successful + failed) : "–")
                    .containsEntry("failed", reported ? number(failed) : "–")
                    .containsEntry("rate", percent(successful, successful + failed))
                    .containsEntry("state", STATES.get(text(row, "state")))
                    .containsEntry(
                            "alerts",
                            firing == 0
                                    ? "none"
                                    : text(row, "worst-severity") + (firing > 1 ? " +" + (firing - 1) : ""));
        }
        assertThat(figures(page))
                .containsEntry("Success rate", percent(good, good + bad))
                .containsEntry("Domains", String.valueOf(all.size()));
        long critical = all.stream()
                .filter(row -> text(row, "worst-severity").equals("critical"))
                .count();
        assertThat(critical).isEqualTo(2);
        assertThat(page.locator("h1")).hasText("2 domains need you now");
        assertThat(rows.get(FilledHouse.SILENT)).containsEntry("last", "never");
    }

    @Test
    void theOverviewIsFilteredByWhatTheAddressSays() {
        Page page = open("/");
        Locator rows = page.locator("#domains tbody tr");
        int all = rows.count();

        page.getByLabel("Find a domain or label").fill("orch");
        assertThat(rows).hasCount(1);
        assertThat(page).hasURL(Pattern.compile(".*[?&]q=orch$"));
        page.reload();
        assertThat(rows).hasCount(1);
        assertThat(rows.first()).containsText(FilledHouse.NOISY);
        page.getByLabel("Find a domain or label").fill("");
        assertThat(rows).hasCount(all);

        page.getByRole(AriaRole.COMBOBOX, named("Label")).selectOption("team:shop");
        assertThat(page).hasURL(Pattern.compile(".*label=team%3Ashop.*"));
        assertThat(rows).hasCount(4);
        page.locator(".segmented a", new Page.LocatorOptions().setHasText("waiting"))
                .click();
        assertThat(rows).hasCount(1);
        page.goBack();
        assertThat(rows).hasCount(4);
        page.goBack();
        assertThat(rows).hasCount(all);
        page.goForward();
        assertThat(rows).hasCount(4);
        page.reload();
        assertThat(rows).hasCount(4);
        assertThat(page.getByRole(AriaRole.COMBOBOX, named("Label"))).hasValue("team:shop");

        go(page, "/");
        page.getByRole(AriaRole.BUTTON, named("Sessions")).click();
        assertThat(page).hasURL(Pattern.compile(".*sort=sessions.*"));
        List<Long> sessions = cells(page, "#domains").stream()
                .map(row -> row.get("sessions"))
                .filter(shown -> !shown.equals("–"))
                .map(shown -> Long.parseLong(shown.replace(",", "")))
                .toList();
        assertThat(sessions).hasSizeGreaterThan(3).isSortedAccordingTo((a, b) -> Long.compare(b, a));
    }

    @Test
    void aDomainHasTheNumbersOfTheApi() {
        Page page = open("/domains/" + FilledHouse.EXPIRED);
        JsonNode summary = api("/api/v1/domains/" + FilledHouse.EXPIRED + "/summary");
        JsonNode totals = summary.path("totals");
        long good = totals.path("total-successful-session-count").asLong();
        long bad = totals.path("total-failure-session-count").asLong();
        assertThat(bad).isPositive();

        assertThat(figures(page))
                .containsEntry("Success rate", percent(good, good + bad))
                .containsEntry("Sessions", number(good + bad))
                .containsEntry("Failed sessions", number(bad))
                .containsEntry("Reports", number(totals.path("report-count").asLong()))
                .containsEntry("Days with reports", summary.path("days").size() + " of 30");
        assertThat(facet(page, "Failures by type"))
                .isEqualTo(counted(summary.path("by-result-type"), "result-type", "failed-session-count"));
        assertThat(facet(page, "Failures by MX"))
                .isEqualTo(counted(summary.path("by-mx"), "receiving-mx-hostname", "failed-session-count"));
        Map<String, String> bySubmitter = new LinkedHashMap<>();
        for (JsonNode row : summary.path("by-submitter")) {
            long failed = row.path("total-failure-session-count").asLong();
            bySubmitter.put(
                    text(row, "submitter"),
                    number(row.path("total-successful-session-count").asLong() + failed)
                            + (failed > 0 ? " " + number(failed) + " failed" : ""));
        }
        assertThat(facet(page, "By reporter")).isEqualTo(bySubmitter).hasSize(3);

        Locator chart = page.locator("figure.chart").last();
        chart.locator("summary").click();
        assertThat(chart.locator("tbody tr")).hasCount(summary.path("days").size());
        JsonNode newest = summary.path("days").get(summary.path("days").size() - 1);
        assertThat(chart.locator("tbody tr").first()).containsText(text(newest, "window"));
        assertThat(chart.locator("tbody tr").first().locator("td").last())
                .hasText(number(newest.path("total-failure-session-count").asLong()));

        JsonNode readiness = api("/api/v1/domains/" + FilledHouse.EXPIRED + "/readiness");
        assertThat(card(page, "Readiness for enforce"))
                .containsText(
                        switch (text(readiness, "verdict")) {
                            case "ready" -> "Ready for enforce";
                            case "not-ready" -> "Not ready for enforce";
                            default -> "Not enough data yet";
                        });
        for (JsonNode condition : readiness.path("conditions")) {
            assertThat(card(page, "Readiness for enforce")).containsText(text(condition, "words"));
        }
        assertThat(card(page, "What the failures mean, and what to do")).containsText("certificate-expired");
        assertThat(card(page, "What the failures mean, and what to do")
                        .locator("pre")
                        .first())
                .containsText("mx1." + FilledHouse.EXPIRED);
        assertThat(card(page, "One alert fires").or(card(page, "alerts fire")).first())
                .isVisible();
    }

    @Test
    void eachListOfADomainNarrowsAllOthers() {
        String domain = FilledHouse.NOISY;
        Page page = open("/domains/" + domain);
        Predicate<String> likeTheApi = filter -> {
            JsonNode totals =
                    api("/api/v1/domains/" + domain + "/summary?" + filter).path("totals");
            long good = totals.path("total-successful-session-count").asLong();
            long bad = totals.path("total-failure-session-count").asLong();
            Map<String, String> shown = figures(page);
            return number(good + bad).equals(shown.get("Sessions"))
                    && (!filter.contains("result-type")
                            || number(totals.path("failed-session-count").asLong())
                                    .equals(shown.get("Failures that match")));
        };
        String type = "result-type=validation-failure";
        String submitter = "submitter=google.com";

        facetLink(page, "Failures by type", "validation-failure").click();
        assertThat(page).hasURL(Pattern.compile(".*\\?" + type + "$"));
        await().atMost(PATIENCE).until(() -> likeTheApi.test(type));
        facetLink(page, "By reporter", "google.com").click();
        assertThat(page).hasURL(Pattern.compile(".*" + type + "&" + submitter + "$"));
        await().atMost(PATIENCE).until(() -> likeTheApi.test(type + "&" + submitter));
        assertThat(page.locator(".chips .chip")).hasCount(2);

        page.reload();
        await().atMost(PATIENCE).until(() -> likeTheApi.test(type + "&" + submitter));
        page.goBack();
        assertThat(page.locator(".chips .chip")).hasCount(1);
        await().atMost(PATIENCE).until(() -> likeTheApi.test(type));
        page.goForward();
        assertThat(page.locator(".chips .chip")).hasCount(2);
        await().atMost(PATIENCE).until(() -> likeTheApi.test(type + "&" + submitter));

        page.getByRole(AriaRole.LINK, containing("Remove filter Failure type")).click();
        assertThat(page).hasURL(Pattern.compile(".*\\?" + submitter + "$"));
        await().atMost(PATIENCE).until(() -> likeTheApi.test(submitter));
        page.locator(".segmented a", new Page.LocatorOptions().setHasText("7 days"))
                .click();
        assertThat(page).hasURL(Pattern.compile(".*days=7.*"));
        await().atMost(PATIENCE)
                .until(() -> likeTheApi.test(
                        submitter + "&from=" + filled.yesterday().minusDays(5)));
    }

    @Test
    void policyTypesAreSeenOneAtATime() {
        Page page = open("/domains/northwind.example");
        JsonNode sts =
                api("/api/v1/domains/northwind.example/summary?policy-type=sts").path("totals");

        assertThat(page.locator(".segmented a[aria-current=true]", new Page.LocatorOptions().setHasText("MTA-STS"))
                        .or(page.locator(
                                ".segmented a[aria-current=true]", new Page.LocatorOptions().setHasText("DANE"))))
                .hasCount(1);
        page.locator(".segmented a", new Page.LocatorOptions().setHasText("DANE"))
                .click();
        assertThat(page).hasURL(Pattern.compile(".*policy-type=tlsa.*"));
        assertThat(figures(page))
                .containsEntry(
                        "Sessions",
                        number(sts.path("total-successful-session-count").asLong()));
    }

    @Test
    void aReportIsReadDownToItsDocument() {
        Page page = open("/domains/" + FilledHouse.PLAINTEXT);
        JsonNode report = rows(api("/api/v1/domains/" + FilledHouse.PLAINTEXT + "/reports?limit=1"))
                .getFirst();
        String key = text(report, "report-key");

        card(page, "Recent reports").locator("tbody tr a").first().click();
        assertThat(page).hasURL(Pattern.compile(".*/reports/view\\?key=.*"));
        assertThat(page.locator("h1")).isFocused();
        assertThat(page.locator("h1")).containsText(text(report, "organization-name"));
        Map<String, String> entry =
                cells(page, "section:has(h2:text-is('What it says'))").getFirst();
        JsonNode told = report.path("entries").path(0);
        assertThat(entry)
                .containsEntry("domain", FilledHouse.PLAINTEXT)
                .containsEntry(
                        "good",
                        number(told.path("total-successful-session-count").asLong()))
                .containsEntry(
                        "failed",
                        number(told.path("total-failure-session-count").asLong()));
        assertThat(card(page, "Failures, one by one").locator("tbody tr")).hasCount(1);
        assertThat(cells(page, "section:has(h2:text-is('Failures, one by one'))")
                        .getFirst())
                .containsEntry("type", "starttls-not-supported")
                .containsEntry("sending", "192.0.2.25")
                .containsEntry("ip", "198.51.100.7")
                .containsEntry(
                        "count", number(told.path("total-failure-session-count").asLong()));

        page.getByText("Show the JSON as it was sent").click();
        Locator document = page.locator("pre.document");
        assertThat(document).containsText("organization-name");
        assertThat(Json.MAPPER.readTree(document.textContent()))
                .isEqualTo(api("/api/v1/reports/raw?key=" + encoded(key)));
    }

    @Test
    void alertsAreListedWithTheNumbersThatMadeThem() {
        Page page = open("/alerts");
        List<JsonNode> alerts = rows(api("/api/v1/alerts?state=firing"));

        assertThat(page.locator("li.alert-row")).hasCount(alerts.size());
        assertThat(page.locator(".nav .count")).hasText(Pattern.compile("^" + alerts.size() + "\\b.*"));
        page.getByRole(AriaRole.COMBOBOX, named("Severity")).selectOption("critical");
        assertThat(page).hasURL(Pattern.compile(".*severity=critical.*"));
        assertThat(page.locator("li.alert-row")).hasCount((int) alerts.stream()
                .filter(alert -> text(alert, "severity").equals("critical"))
                .count());
        page.reload();
        assertThat(page.getByRole(AriaRole.COMBOBOX, named("Severity"))).hasValue("critical");

        JsonNode alert = firing("certificate");
        page.locator("a[href='/alerts/" + text(alert, "alert-id") + "']").click();
        assertThat(page.locator("h1")).containsText("certificate-expired");
        assertThat(page.locator("h1")).isFocused();
        JsonNode evidence = alert.path("evidence");
        Locator why = card(page, "Why it fires");
        assertThat(why)
                .containsText(number(evidence.path("failed-session-count").asLong())
                        + " of "
                        + number(evidence.path("session-count").asLong()) + " sessions");
        assertThat(why)
                .containsText(number(evidence.path("baseline-failed").asLong())
                        + " of "
                        + number(evidence.path("baseline-sessions").asLong()) + " sessions");
        why.getByText("Every condition that was asked, with its numbers").click();
        assertThat(why.locator(".explain .checks li").first()).isVisible();
        assertThat(card(page, "What to do").locator("pre")).containsText("mx1." + FilledHouse.EXPIRED);
        assertThat(card(page, "History").locator(".timeline li")).not().hasCount(0);
    }

    @Test
    void reportersAndWhatWasRefusedAreAsTheApiSays() {
        Page page = open("/reporters");
        List<JsonNode> reporters = rows(api("/api/v1/reporters"));
        Map<String, Map<String, String>> shown = new LinkedHashMap<>();
        cells(page, "main").forEach(row -> shown.put(firstLine(row.getOrDefault("submitter", "")), row));
        assertThat(shown).hasSize(reporters.size());
        for (JsonNode reporter : reporters) {
            assertThat(shown.get(text(reporter, "submitter")))
                    .as(text(reporter, "submitter"))
                    .containsEntry("reports", number(sum(reporter.path("report-counts"))))
                    .containsEntry(
                            "domains", number(reporter.path("domain-count").asLong()));
        }
        assertThat(shown.get(FilledHouse.STRANGER)).containsEntry("trust", "unverified");

        page.getByRole(AriaRole.LINK, named("google.com")).click();
        assertThat(page.locator("h1")).hasText("google.com");
        JsonNode one = api("/api/v1/reporters/google.com");
        assertThat(figures(page))
                .containsEntry("Reports", number(sum(one.path("report-counts"))))
                .containsEntry("Domains", number(one.path("domain-count").asLong()));
        assertThat(card(page, "Domains it reports about").locator("li"))
                .hasCount(one.path("domains").size());

        go(page, "/rejected");
        assertThat(page.locator("tbody tr"))
                .hasCount(rows(api("/api/v1/rejected")).size());
        page.getByRole(AriaRole.COMBOBOX, named("Reason")).selectOption("foreign-domain");
        assertThat(page).hasURL(Pattern.compile(".*reason=foreign-domain.*"));
        assertThat(page.locator("tbody tr")).hasCount(1);
        page.locator("tbody tr a").first().click();
        assertThat(page).hasURL(Pattern.compile(".*/rejected/record\\?partition=.*"));
        assertThat(card(page, "Why")).containsText("elsewhere.example");
        assertThat(page.locator("pre.document")).containsText("elsewhere.example");
    }

    @Test
    void aDomainWithoutReportsSaysWhyAndUnknownThingsAreSaidToBeUnknown() {
        Page page = open("/domains/" + FilledHouse.SILENT);
        for (JsonNode check : api("/api/v1/domains/" + FilledHouse.SILENT).path("arrival")) {
            assertThat(card(page, "No reports yet: why")).containsText(text(check, "text"));
        }

        follow(page, NOWHERE);
        assertThat(page.locator("h1")).hasText("There is no such page");
        assertThat(page.locator("h1")).isFocused();
        for (Map.Entry<String, String> unknown : Map.of(
                        "/domains/nobody.example", "Nothing is known of this domain",
                        "/alerts/0000", "There is no such alert",
                        "/reports/view?key=none", "There is no report with this key",
                        "/reporters/nobody.example", "Nothing was accepted from this reporter",
                        "/rejected/record?partition=0&offset=99999", "There is no such record")
                .entrySet()) {
            go(page, unknown.getKey());
            assertThat(page.locator("main")).containsText(unknown.getValue());
        }
        assertThat(chromium.forgetComplaints()).allMatch(complaint -> complaint.contains("404 (Not Found)"));
    }

    @Test
    void everyViewIsAccessibleInLightAndDarkAndFitsANarrowScreen() {
        List<String> faults = new ArrayList<>();
        Map<String, Page> pages = Map.of(
                "-wide-light", chromium.page(WIDE, 900, ColorScheme.LIGHT),
                "-narrow-dark", chromium.page(NARROW, 740, ColorScheme.DARK));
        for (View view : views()) {
            pages.forEach((look, page) -> {
                String place = view.name() + look;
                if (view.path().equals(NOWHERE)) {
                    follow(page, NOWHERE);
                } else {
                    go(page, view.path());
                }
                Chromium.screenshot(page, place);
                Object over = page.evaluate(
                        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
                if (!over.equals(0)) {
                    faults.add(place + ": scrolls sideways by " + over + " px");
                }
                Chromium.inaccessible(page).forEach(fault -> faults.add(place + ": " + fault));
            });
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void dialogsAreAccessibleAndLeftByEscape() {
        Page page = open("/alerts/" + text(firing("certificate"), "alert-id"));
        for (String button : List.of("Acknowledge", "Silence …", "Add a note", "Resolve …", "False alarm …")) {
            Locator opener = page.getByRole(AriaRole.BUTTON, named(button));
            opener.focus();
            page.keyboard().press(button.startsWith("S") ? "Space" : "Enter");
            Locator dialog = page.getByRole(AriaRole.DIALOG);
            assertThat(dialog).isVisible();
            assertThat(dialog.locator(":focus")).hasCount(1);
            if (button.startsWith("S")) {
                assertThat(dialog.locator(".preview")).containsText("Mutes");
                dialog.locator("summary").click();
                Chromium.screenshot(page, "silence-dialog");
            }
            assertThat(Chromium.inaccessible(page)).as(button).isEmpty();
            page.keyboard().press("Escape");
            assertThat(dialog).hasCount(0);
            assertThat(opener).isFocused();
        }
    }

    @Test
    void theKeyboardReachesEverythingAndShowsWhereItIs() {
        Page page = chromium.page(WIDE, 900, ColorScheme.LIGHT);
        List<String> faults = new ArrayList<>();
        for (View view : views()) {
            if (!view.path().equals(NOWHERE)) {
                go(page, view.path());
                tabThrough(page).forEach(fault -> faults.add(view.name() + ": " + fault));
            }
        }
        assertThat(faults).isEmpty();
    }

    @Test
    void theKeyboardOperatesWhatItReaches() {
        Page page = open("/");
        page.keyboard().press("Tab");
        assertThat(page.locator(".skip")).isFocused();
        page.keyboard().press("Enter");
        assertThat(page.locator("main")).isFocused();

        Locator alerts = page.locator(".nav a[href='/alerts']");
        alerts.focus();
        page.keyboard().press("Enter");
        assertThat(page).hasURL(Pattern.compile(".*/alerts$"));
        assertThat(page.locator("h1")).isFocused();
        assertThat(page).hasTitle(Pattern.compile("Alerts.*"));
        page.goBack();
        assertThat(page.locator("h1")).isFocused();

        Locator failed = page.locator("th[data-column=failed]");
        failed.locator("button").focus();
        page.keyboard().press("Enter");
        assertThat(failed).hasAttribute("aria-sort", "descending");
        assertThat(failed.locator("button")).isFocused();
        page.keyboard().press("Space");
        assertThat(failed).hasAttribute("aria-sort", "ascending");

        page.getByRole(AriaRole.BUTTON, containing("Theme:")).focus();
        page.keyboard().press("Space");
        assertThat(page.locator("html")).hasAttribute("data-theme", "light");
        page.keyboard().press("Space");
        assertThat(page.locator("html")).hasAttribute("data-theme", "dark");
        page.reload();
        assertThat(page.locator("html")).hasAttribute("data-theme", "dark");

        page.getByRole(AriaRole.BUTTON, containing("show local times")).focus();
        page.keyboard().press("Enter");
        assertThat(page.locator(".time .local").first()).isVisible();
        assertThat(page.locator(".time .local").first()).containsText("local");
    }

    @Test
    void whatPassesIsWaitedForAndSaid() {
        Page page = chromium.page(WIDE, 900, ColorScheme.LIGHT);
        Predicate<String> domains = address -> address.contains("/api/v1/domains");
        page.route(
                domains,
                route -> route.fulfill(new Route.FulfillOptions()
                        .setStatus(503)
                        .setHeaders(Map.of("Retry-After", "1"))
                        .setContentType("application/problem+json")
                        .setBody("{\"status\":503,\"title\":\"Service Unavailable\"}")));
        page.navigate("/");
        assertThat(page.locator(".banner")).containsText("Restoring.");
        Chromium.screenshot(page, "restoring");
        assertThat(Chromium.inaccessible(page)).isEmpty();
        page.unroute(domains);
        assertThat(page.locator("#domains tbody tr").first()).isVisible();
        assertThat(page.locator(".banner")).hasCount(0);

        page.context().setOffline(true);
        page.locator(".nav a[href='/reporters']").click();
        assertThat(page.locator(".banner")).containsText("No connection to the server.");
        Chromium.screenshot(page, "offline");
        page.context().setOffline(false);
        assertThat(page.locator("tbody tr").first()).isVisible();
        assertThat(page.locator(".banner")).hasCount(0);

        page.route(
                address -> address.contains("/api/v1/rejected"),
                route -> route.fulfill(new Route.FulfillOptions()
                        .setStatus(500)
                        .setContentType("application/problem+json")
                        .setBody("{\"status\":500,\"title\":\"Internal Server Error\",\"detail\":\"it broke\"}")));
        page.locator(".nav a[href='/rejected']").click();
        assertThat(page.getByRole(AriaRole.ALERT)).containsText("it broke");
        page.unrouteAll();
        page.getByRole(AriaRole.BUTTON, named("Try again")).click();
        assertThat(page.locator("tbody tr").first()).isVisible();
        assertThat(chromium.forgetComplaints())
                .allMatch(complaint -> complaint.contains("Failed to load resource")
                        || complaint.contains("alerts could not be counted"));
    }

    @Test
    void thePictureOfTheReadmeIsOfThisDashboard() throws IOException {
        if (Boolean.getBoolean("tlsrpt.docs.write")) {
            Page page = chromium.page(WIDE, 850, ColorScheme.LIGHT);
            go(page, "/");
            assertThat(page.locator(".nav .count")).isVisible();
            page.screenshot(new Page.ScreenshotOptions().setPath(PICTURE).setAnimations(ScreenshotAnimations.DISABLED));
        }
        assertThat(PICTURE)
                .as("run with -Dtlsrpt.docs.write=true to take the picture anew")
                .exists();
        BufferedImage picture = ImageIO.read(PICTURE.toFile());
        assertThat(picture.getWidth()).isEqualTo(WIDE);
        assertThat(Files.size(PICTURE)).isLessThan(MOST_PICTURE_BYTES);
    }

    @Test
    @Order(CHANGES_SOMETHING)
    void whatArrivesShowsWithoutAsking() {
        Page page = open("/live");
        assertThat(page.locator(".live-state")).containsText("Live");
        filled.house()
                .post(filled.byStranger("live", filled.yesterday().minusDays(4), FilledHouse.STRANGE)
                        .gzip());
        assertThat(page.locator("ol.live > li")).hasCount(2);
        assertThat(page.locator("ol.live")).containsText("2 × validation-failure at mx1." + FilledHouse.STRANGE);
        assertThat(page.locator("ol.live")).containsText("40 ok, 2 failed by " + FilledHouse.STRANGER);
        Chromium.screenshot(page, "live-with-records");
        page.locator("ol.live > li summary").first().click();
        assertThat(page.locator("ol.live > li pre").first()).containsText("\"event-id\"");
        assertThat(Chromium.inaccessible(page)).isEmpty();

        page.getByRole(AriaRole.BUTTON, named("Pause")).click();
        filled.house()
                .post(filled.byStranger("held", filled.yesterday().minusDays(5), FilledHouse.STRANGE)
                        .gzip());
        assertThat(page.getByRole(AriaRole.BUTTON, containing("Show 2 held back")))
                .isVisible();
        assertThat(page.locator("ol.live > li")).hasCount(2);
        page.getByRole(AriaRole.BUTTON, containing("Show 2 held back")).click();
        assertThat(page.locator("ol.live > li")).hasCount(4);
        page.getByRole(AriaRole.LINK, named("Open the report")).first().click();
        assertThat(page.locator("h1")).containsText("Somebody");
    }

    @Test
    @Order(CHANGES_SOMETHING)
    void whatPeopleDoAboutAnAlertReachesTheApi() {
        JsonNode alert = firing("certificate");
        String id = text(alert, "alert-id");
        Page page = open("/alerts/" + id);

        act(page, "Acknowledge", "Acknowledge", "renewing it", "Alice");
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(text(one(id).path("acknowledged"), "by")).isEqualTo("Alice"));
        assertThat(card(page, "What people said")).containsText("renewing it");
        act(page, "Add a note", "Add a note", "the new one is in place", "Alice");
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(one(id).path("notes").toString()).contains("the new one is in place"));
        assertThat(card(page, "What people said")).containsText("the new one is in place");

        page.getByRole(AriaRole.BUTTON, named("Silence …")).click();
        Locator dialog = page.getByRole(AriaRole.DIALOG);
        assertThat(dialog.locator(".preview")).containsText("Mutes 1 alert that fires now");
        dialog.getByLabel("Why").fill("renewal at work");
        dialog.getByRole(AriaRole.BUTTON, in("Silence it")).click();
        assertThat(dialog).hasCount(0);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(
                                api("/api/v1/silences?state=active").path("rows"))
                        .singleElement()
                        .satisfies(
                                silence -> assertThat(text(silence, "comment")).isEqualTo("renewal at work")));
        go(page, "/silences");
        assertThat(page.locator(".silence")).containsText("renewal at work");
        Chromium.screenshot(page, "silences-with-one");
        assertThat(Chromium.inaccessible(page)).isEmpty();
        page.getByRole(AriaRole.BUTTON, containing("End now")).click();
        page.getByRole(AriaRole.DIALOG).getByRole(AriaRole.BUTTON, in("End it")).click();
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(api("/api/v1/silences?state=active")
                                .path("rows")
                                .isEmpty())
                        .isTrue());

        go(page, "/alerts/" + id);
        Chromium.screenshot(page, "alert-acknowledged");
        act(page, "Resolve …", "Resolve", "", "Alice");
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(text(one(id), "state")).isEqualTo("resolved"));
        assertThat(page.locator(".alert-head")).containsText("resolved");

        String lost = text(firing("starttls-regression"), "alert-id");
        go(page, "/alerts/" + lost);
        act(page, "False alarm …", "False alarm", "it was announced", "Alice");
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(text(one(lost), "state")).isEqualTo("resolved"));
        go(page, "/alerts?state=resolved");
        assertThat(page.locator("li.alert-row")).hasCount(2);
    }

    @Test
    @Order(CHANGES_WHO_MAY_ASK)
    void whoSignsInMayDoWhatTheTokenSaysAndSignsOut() {
        filled.configure(
                """
                api:
                  listen: "127.0.0.1:0"
                  tokens:
                  - {name: reader, sha256: "%s", role: read, labels: {team: mail}}
                  - {name: operator, sha256: "%s", role: operate}
                """.formatted(sha256("token-of-the-reader-1234567890"), sha256("token-of-the-operator-1234567890")));
        await().atMost(PATIENCE).until(() -> status("/api/v1/session") == 401);

        Page page = chromium.page(WIDE, 900, ColorScheme.LIGHT);
        page.navigate("/reporters?q=google");
        assertThat(page).hasURL(Pattern.compile(".*/sign-in\\?back=.*"));
        assertThat(page.locator("h1")).hasText("Sign in");
        Chromium.screenshot(page, "sign-in");
        assertThat(Chromium.inaccessible(page)).isEmpty();
        page.keyboard().type("a-token-of-nobody");
        page.keyboard().press("Enter");
        assertThat(page.getByRole(AriaRole.ALERT)).containsText("This token is not known");
        page.getByLabel("Token").fill("token-of-the-reader-1234567890");
        page.keyboard().press("Enter");
        assertThat(page).hasURL(Pattern.compile(".*/reporters\\?q=google$"));
        assertThat(page.locator(".session")).containsText("reader");
        assertThat(page.locator(".session")).containsText("read only");

        go(page, "/");
        assertThat(page.locator("#domains tbody tr")).hasCount(3);
        go(page, "/silences");
        assertThat(page.locator(".hint")).containsText("Your role is read");
        assertThat(page.getByRole(AriaRole.BUTTON, named("New silence"))).hasCount(0);
        page.getByRole(AriaRole.BUTTON, named("Sign out")).click();
        assertThat(page).hasURL(Pattern.compile(".*/sign-in$"));
        page.navigate("/alerts");
        assertThat(page).hasURL(Pattern.compile(".*/sign-in\\?back=.*"));

        page.getByLabel("Token").fill("token-of-the-operator-1234567890");
        page.getByRole(AriaRole.BUTTON, named("Sign in")).click();
        assertThat(page).hasURL(Pattern.compile(".*/alerts$"));
        assertThat(page.locator(".session")).containsText("operator");
        go(page, "/silences");
        assertThat(page.getByRole(AriaRole.BUTTON, named("New silence"))).isVisible();
        assertThat(page.evaluate("() => document.cookie")).isEqualTo("");
        assertThat(chromium.forgetComplaints())
                .allMatch(
                        complaint -> complaint.contains("401 (Unauthorized)") || complaint.contains("403 (Forbidden)"));
    }

    // ---- the page

    private Page open(String path) {
        Page page = chromium.page(WIDE, 900, ColorScheme.LIGHT);
        go(page, path);
        return page;
    }

    /// Loads a place, and waits until nothing more is on its way.
    private static void go(Page page, String path) {
        page.navigate(path);
        assertThat(page.locator("main[aria-busy=false]")).hasCount(1);
        assertThat(page.locator(".skeleton")).hasCount(0);
        assertThat(page.locator(".session .role")).isVisible();
        assertThat(page.locator(".pulse[data-state=live]")).hasCount(1);
    }

    /// Goes there by a link within the page.
    private static void follow(Page page, String path) {
        page.evaluate("""
                path => {
                  const link = Object.assign(document.createElement('a'), { href: path });
                  document.body.append(link);
                  link.click();
                  link.remove();
                }""", path);
    }

    private static void act(Page page, String button, String confirm, String words, String by) {
        page.getByRole(AriaRole.BUTTON, named(button)).click();
        Locator dialog = page.getByRole(AriaRole.DIALOG);
        dialog.getByLabel("Your name").fill(by);
        dialog.locator("textarea").fill(words);
        dialog.getByRole(AriaRole.BUTTON, in(confirm)).click();
        assertThat(dialog).hasCount(0);
    }

    private static Page.GetByRoleOptions named(String name) {
        return new Page.GetByRoleOptions().setName(name).setExact(true);
    }

    private static Page.GetByRoleOptions containing(String name) {
        return new Page.GetByRoleOptions().setName(name);
    }

    private static Locator.GetByRoleOptions in(String name) {
        return new Locator.GetByRoleOptions().setName(name).setExact(true);
    }

    private static Locator card(Page page, String heading) {
        return page.locator(
                "section.card",
                new Page.LocatorOptions().setHas(page.locator("h2", new Page.LocatorOptions().setHasText(heading))));
    }

    /// The text of each cell by its column.
    @SuppressWarnings("unchecked") // what the script gives
    private static List<Map<String, String>> cells(Page page, String within) {
        return (List<Map<String, String>>) page.locator(within + " tbody tr").evaluateAll("""
                rows => rows.map(row => Object.fromEntries(
                  [...row.cells].map(cell => [cell.dataset.column, cell.innerText.trim()])))""");
    }

    @SuppressWarnings("unchecked") // what the script gives
    private static Map<String, String> figures(Page page) {
        return (Map<String, String>) page.locator(".figures > div").evaluateAll("""
                all => Object.fromEntries(all.map(one =>
                  [one.querySelector('dt').innerText, one.querySelector('.figure').innerText]))""");
    }

    @SuppressWarnings("unchecked") // what the script gives
    private static Map<String, String> facet(Page page, String heading) {
        return (Map<String, String>) card(page, heading).locator(".facet li").evaluateAll("""
                all => Object.fromEntries(all.map(one =>
                  [one.querySelector('bdi').textContent, one.querySelector('.facet-count').innerText.trim()]))""");
    }

    private static Locator facetLink(Page page, String heading, String words) {
        return card(page, heading).locator("a.facet-row", new Locator.LocatorOptions().setHasText(words));
    }

    /// What the Tab key does not reach, and where it cannot be seen that it is there.
    @SuppressWarnings("unchecked") // what the scripts give
    private static List<String> tabThrough(Page page) {
        page.evaluate("() => { window.reached = new Set(); window.unseen = []; document.activeElement.blur(); }");
        for (int tabs = 0; tabs < MOST_TABS; tabs++) {
            page.keyboard().press("Tab");
            Object more = page.evaluate("""
                    () => {
                      const at = document.activeElement;
                      if (at === document.body || window.reached.has(at)) return false;
                      window.reached.add(at);
                      const rings = [at, at.closest('.alert-row'), at.closest('label')].filter(Boolean);
                      const seen = rings.some(one => {
                        const style = getComputedStyle(one);
                        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
                      });
                      if (!seen) window.unseen.push('focus not to be seen at ' + at.outerHTML.slice(0, 120));
                      return true;
                    }""");
            if (Boolean.FALSE.equals(more)) {
                break;
            }
        }
        return (List<String>) page.evaluate("""
                () => [...document.querySelectorAll(
                    'a[href],button,input,select,textarea,summary,[tabindex="0"]')]
                  .filter(one => !one.disabled && one.checkVisibility() && !window.reached.has(one))
                  .map(one => 'not reached: ' + one.outerHTML.slice(0, 120))
                  .concat(window.unseen)""");
    }

    private List<View> views() {
        String report = text(
                rows(api("/api/v1/domains/" + FilledHouse.EXPIRED + "/reports?limit=1"))
                        .getFirst(),
                "report-key");
        JsonNode refused = rows(api("/api/v1/rejected?reason=foreign-domain")).getFirst();
        return List.of(
                new View("overview", "/"),
                new View("domain", "/domains/" + FilledHouse.EXPIRED),
                new View("domain-noisy", "/domains/" + FilledHouse.NOISY + "?result-type=validation-failure"),
                new View("domain-silent", "/domains/" + FilledHouse.SILENT),
                new View("report", "/reports/view?key=" + encoded(report)),
                new View("alerts", "/alerts"),
                new View("alert", "/alerts/" + text(firing("certificate"), "alert-id")),
                new View("silences", "/silences"),
                new View("reporters", "/reporters"),
                new View("reporter", "/reporters/google.com"),
                new View("rejected", "/rejected"),
                new View(
                        "record",
                        "/rejected/record?partition="
                                + refused.path("partition").asInt() + "&offset="
                                + refused.path("offset").asLong()),
                new View("live", "/live"),
                new View("nowhere", NOWHERE));
    }

    // ---- the API

    private JsonNode api(String path) {
        return filled.house().get(path);
    }

    private JsonNode one(String alertId) {
        return api("/api/v1/alerts/" + alertId).path("alert");
    }

    private JsonNode firing(String rule) {
        return rows(api("/api/v1/alerts?state=firing")).stream()
                .filter(alert -> text(alert, "rule").equals(rule))
                .filter(alert -> text(alert, "severity").equals("critical"))
                .findFirst()
                .orElseThrow();
    }

    private int status(String path) {
        HttpRequest request = HttpRequest.newBuilder(
                        House.uri(filled.house().standalone().apiAddress(), path))
                .build();
        try {
            return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        } catch (IOException failed) {
            throw new java.io.UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    private static List<JsonNode> rows(JsonNode answer) {
        return StreamSupport.stream(answer.path("rows").spliterator(), false).toList();
    }

    private static String text(JsonNode node, String member) {
        return node.path(member).asString("");
    }

    private static long sum(JsonNode numbers) {
        return StreamSupport.stream(numbers.spliterator(), false)
                .mapToLong(JsonNode::asLong)
                .sum();
    }

    private static Map<String, String> counted(JsonNode rows, String name, String count) {
        Map<String, String> counted = new LinkedHashMap<>();
        rows.forEach(row -> counted.put(text(row, name), number(row.path(count).asLong())));
        return counted;
    }

    // ---- what the page makes of numbers

    private static String number(long value) {
        return String.format(Locale.ENGLISH, "%,d", value);
    }

    /// As the page writes it: what is not all is never 100 %.
    private static String percent(long part, long whole) {
        if (whole == 0) {
            return "–";
        }
        double share = 100.0 * part / whole;
        if (part == whole || part == 0) {
            return (part == 0 ? "0" : "100") + "\u202f%";
        }
        if (share >= 99.995) {
            return ">\u202f99.99\u202f%";
        }
        return String.format(Locale.ENGLISH, share > 99 || share < 1 ? "%.2f\u202f%%" : "%.1f\u202f%%", share);
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("");
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static String sha256(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}

package io.tlsrpt.console;

import io.tlsrpt.console.ApiRoutes.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The page that people look at: one document for every route, its modules and styles, and the libraries out of their
/// WebJars. Everything comes from the class path; the page loads nothing from elsewhere, and what it shows it asks of
/// the API.
final class Dashboard {

    /// Only our own scripts, styles and answers; nothing inline, nothing evaluated, no frames, and markup only by the
    /// templates of lit.
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
                    + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
                    + " require-trusted-types-for 'script'; trusted-types lit-html";

    /// Routes of the page (`app.js` has the same).
    private static final List<String> ROUTES = List.of(
            "/",
            "/domains/{domain}",
            "/reports/view",
            "/alerts",
            "/alerts/{id}",
            "/silences",
            "/reporters",
            "/reporters/{+submitter}",
            "/rejected",
            "/rejected/record",
            "/live",
            "/sign-in");

    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "svg", "image/svg+xml");

    private static final String LIT = webJar("lit-html");
    private static final String UPLOT = webJar("uplot") + "dist/";

    private final Map<String, byte[]> files = new ConcurrentHashMap<>();

    List<Endpoint> endpoints() {
        List<Endpoint> endpoints = new ArrayList<>();
        ROUTES.forEach(route -> endpoints.add(Endpoint.page(route, () -> file("dashboard/index.html"))));
        endpoints.add(files("/dashboard/{file}", "dashboard/", "file"));
        endpoints.add(files("/lib/lit-html/{file}", LIT, "file"));
        endpoints.add(files("/lib/lit-html/directives/{file}", LIT + "directives/", "file"));
        endpoints.add(files("/lib/uplot/{file}", UPLOT, "file"));
        return endpoints;
    }

    private Endpoint files(String path, String folder, String name) {
        return Endpoint.page(path, parameters -> () -> file(folder + parameters.segment(name)));
    }

    private Answer file(String path) {
        String type = TYPES.get(path.substring(path.lastIndexOf('.') + 1));
        byte[] content = type == null || path.contains("..") ? null : content(path);
        return content == null || type == null
                ? Answer.problem(404, "Not Found", "there is no such file")
                : Answer.page(type, content, POLICY);
    }

    private byte @Nullable [] content(String path) {
        return files.computeIfAbsent(path, Dashboard::read);
    }

    private static byte @Nullable [] read(String path) {
        try (InputStream in = Dashboard.class.getResourceAsStream(path)) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    /// Where a WebJar keeps its files, whatever its version.
    private static String webJar(String name) {
        Properties properties = new Properties();
        try (InputStream in = Objects.requireNonNull(
                Dashboard.class.getResourceAsStream("/META-INF/maven/org.webjars.npm/" + name + "/pom.properties"),
                name + " is not on the class path")) {
            properties.load(in);
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
        return "/META-INF/resources/webjars/" + name + "/" + properties.getProperty("version") + "/";
    }
}

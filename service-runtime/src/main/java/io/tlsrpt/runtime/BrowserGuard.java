package io.tlsrpt.runtime;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.net.URI;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Keeps web pages of others, open in the operator's browser, from reading the API or acting through it.
///
/// A page that makes its own name resolve to 127.0.0.1 (DNS rebinding) is known by that name: on a loopback address
/// only
/// `localhost`, the host of `alerting.public-url` and IP addresses, which no foreign name can stand for, are answered.
/// A
/// page of another site that posts here is known by what its browser says of it.
final class BrowserGuard {

    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");

    private final boolean loopback;
    private final Set<String> allowed = new HashSet<>(Set.of("localhost"));
    private final @Nullable String publicAuthority;

    /// Why a request is refused.
    enum Refusal {
        FOREIGN_NAME(421, "Misdirected Request", "this host name is not served here; set alerting.public-url to it"),
        CROSS_ORIGIN(403, "Forbidden", "pages of other sites may not do this");

        private final int status;
        private final String title;
        private final String detail;

        Refusal(int status, String title, String detail) {
            this.status = status;
            this.title = title;
            this.detail = detail;
        }

        /// Of the answer.
        int status() {
            return status;
        }

        String title() {
            return title;
        }

        /// What happened and what to do.
        String detail() {
            return detail;
        }
    }

    BrowserGuard(HostPort listen, String publicUrl) {
        String host = listen.host();
        loopback = host.equals("localhost") || host.equals("::1") || host.startsWith("127.");
        URI url = URI.create(publicUrl);
        publicAuthority = url.getAuthority();
        if (url.getHost() != null) {
            allowed.add(url.getHost().toLowerCase(Locale.ROOT));
        }
    }

    /// Whether a question must not be answered.
    Optional<Refusal> reading(ServerRequest request) {
        return allows(request.authority()) ? Optional.empty() : Optional.of(Refusal.FOREIGN_NAME);
    }

    /// Whether something must not be done.
    Optional<Refusal> acting(ServerRequest request) {
        if (!allows(request.authority())) {
            return Optional.of(Refusal.FOREIGN_NAME);
        }
        boolean foreign = request.headers()
                        .first(HeaderNames.ORIGIN)
                        .filter(origin -> !ours(origin, request.authority()))
                        .isPresent()
                || request.headers()
                        .first(HeaderNames.create("Sec-Fetch-Site"))
                        .filter(site -> !site.equals("same-origin") && !site.equals("none"))
                        .isPresent();
        return foreign ? Optional.of(Refusal.CROSS_ORIGIN) : Optional.empty();
    }

    private boolean ours(String origin, String authority) {
        try {
            String from = URI.create(origin).getAuthority();
            return authority.equalsIgnoreCase(from) || (from != null && from.equalsIgnoreCase(publicAuthority));
        } catch (IllegalArgumentException opaque) {
            return false;
        }
    }

    /// @param authority the Host header, with or without a port; empty when the client sent none, which no browser does
    private boolean allows(String authority) {
        if (!loopback || authority.isEmpty() || authority.startsWith("[")) {
            return true;
        }
        int colon = authority.indexOf(':');
        String host = (colon < 0 ? authority : authority.substring(0, colon)).toLowerCase(Locale.ROOT);
        return allowed.contains(host) || IPV4.matcher(host).matches();
    }
}

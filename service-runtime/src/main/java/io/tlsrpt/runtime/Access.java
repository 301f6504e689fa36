package io.tlsrpt.runtime;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.runtime.Caller.Authentication;
import io.tlsrpt.runtime.Caller.Role;
import io.tlsrpt.runtime.Settings.Api.Bearer;
import io.tlsrpt.runtime.Settings.Api.TrustedProxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Decides who may ask and who may act, for every door of the API; why so: `docs/decisions/0021-who-may-ask.md`.
///
/// Until `api.tokens` or `api.trusted-proxy` are set, whoever reaches the listener may do everything, and the listener
/// is
/// on a loopback address. From then on everybody says who they are, on this machine too: the proxy does in a header, a
/// program in `Authorization: Bearer`, the page in a cookie, which is the token itself, so that every instance knows
/// it.
///
/// A page of another site cannot use that cookie: browsers keep it to our own pages (`SameSite=Strict`), our doors take
/// only what forms cannot send, and what acts with a cookie must say that it comes from our own page ([BrowserGuard]).
///
/// Metric `tlsrpt.api.refused`: the sum over `why` is the number of answers 401, 403 and 421 of all doors,
/// and of streams that ended because their caller may read no longer.
public final class Access {

    /// The page's cookie.
    public static final String COOKIE = "tlsrpt-token";

    private static final String BEARER = "bearer ";
    private static final int MOST_TOKEN = 512;
    private static final int MOST_HEADER = 8_192;
    private static final String EVERY_USER = "*";
    private static final HeaderName SEC_FETCH_SITE = HeaderNames.create("Sec-Fetch-Site");
    private static final Map<String, String> CHALLENGE = Map.of("WWW-Authenticate", "Bearer realm=\"tlsrpt\"");

    /// What fits into a cookie and a header as it is.
    private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e&&[^\",;\\\\]]{1," + MOST_TOKEN + "}");

    /// No control or direction characters: it is shown and logged.
    private static final Pattern USER = Pattern.compile("[^\\p{Cntrl}\\p{Cf}\\u2028\\u2029]{1,200}");

    private final Supplier<Settings> current;
    private final HostPort listen;
    private final MeterRegistry meters;

    /// @param current the settings as they are now
    /// @param listen where the API really listens
    /// @param meters where refusals are counted
    public Access(Supplier<Settings> current, HostPort listen, MeterRegistry meters) {
        this.current = current;
        this.listen = listen;
        this.meters = meters;
        for (Why why : Why.values()) {
            counter(why);
        }
    }

    /// Whether somebody may: the [Caller], or why not.
    public sealed interface Decision permits Caller, Refusal {}

    /// Why not.
    ///
    /// @param status of the answer
    /// @param detail what happened and what to do
    /// @param headers of the answer
    public record Refusal(int status, String title, Why why, String detail, Map<String, String> headers)
            implements Decision {}

    /// Every reason.
    public enum Why {
        /// A name that is not ours, which a page may have made to lead here.
        FOREIGN_NAME,
        /// A page of another site.
        CROSS_ORIGIN,
        /// Nothing says who asks.
        NO_TOKEN,
        /// A token that is not, or no longer, in the settings.
        WRONG_TOKEN,
        /// The proxy names a user who is in none of the groups.
        NO_GROUP,
        /// Asks, and may not act.
        ROLE,
        /// What is about more domains than somebody is shown.
        LABELS;

        /// `foreign-name`, `no-token`, …
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /// Who asks.
    public Decision reading(ServerRequest request) {
        Optional<BrowserGuard.Refusal> foreign = guard().reading(request);
        return foreign.isPresent() ? refused(foreign.get()) : caller(request, false);
    }

    /// Who acts, with the role for it.
    public Decision acting(ServerRequest request) {
        Optional<Refusal> foreign = fromElsewhere(request);
        Decision decision = foreign.isPresent() ? foreign.get() : caller(request, true);
        return decision instanceof Caller caller && caller.role() != Role.OPERATE
                ? refusal(
                        Why.ROLE,
                        403,
                        "Forbidden",
                        caller.name() + " may ask, and not act: this needs the role operate",
                        Map.of())
                : decision;
    }

    /// Why something that anybody may send, such as a sign-in, is not taken: it comes from a page of another site.
    public Optional<Refusal> fromElsewhere(ServerRequest request) {
        return guard().acting(request).map(this::refused);
    }

    /// Who has this token.
    public Decision byToken(String shown) {
        Settings.Api api = current.get().api();
        return token(api, shown)
                .<Decision>map(Access::caller)
                .orElseGet(() -> refusal(
                        Why.WRONG_TOKEN,
                        401,
                        "Unauthorized",
                        api.tokens().isEmpty()
                                ? "no tokens are configured here"
                                : "this token is not known, or no longer",
                        CHALLENGE));
    }

    /// What is about more domains than somebody is shown.
    public Refusal beyond(Caller caller) {
        return refusal(
                Why.LABELS,
                403,
                "Forbidden",
                "this is about other domains too, and " + caller.name() + " is limited to those with the labels "
                        + new TreeMap<>(caller.labels()),
                Map.of());
    }

    /// Whether somebody is shown what is about a policy domain, by the labels that the settings give it now.
    ///
    /// @param policyDomain in lower case
    public boolean shows(Caller caller, String policyDomain) {
        if (caller.seesAll()) {
            return true;
        }
        Settings.Domain domain = current.get().domain(policyDomain);
        return domain != null && caller.sees(domain.labels());
    }

    private BrowserGuard guard() {
        return new BrowserGuard(listen, current.get().alerting().publicUrl());
    }

    /// What is asked of nobody: while the settings say nothing about who may. Where we listen was decided at the start;
    /// when
    /// the tokens are taken out of the file of a process that listens beyond this machine, nobody may any more.
    private boolean asksNobody(Settings.Api api) {
        return !api.authenticates() && (listen.isLoopback() || api.allowUnauthenticated());
    }

    private Decision caller(ServerRequest request, boolean acts) {
        Settings.Api api = current.get().api();
        if (asksNobody(api)) {
            return Caller.LOCAL;
        }
        TrustedProxy proxy = api.trustedProxy();
        if (proxy != null && isFrom(proxy, request)) {
            List<String> users = values(request, proxy.userHeader());
            if (users.size() == 1 && USER.matcher(users.getFirst()).matches()) {
                return ofProxy(proxy, users.getFirst(), values(request, proxy.groupsHeader()));
            }
        }
        List<String> authorizations = values(request, HeaderNames.AUTHORIZATION.defaultCase());
        if (!authorizations.isEmpty()) {
            String first = authorizations.getFirst();
            return authorizations.size() == 1 && first.toLowerCase(Locale.ROOT).startsWith(BEARER)
                    ? byToken(first.substring(BEARER.length()).strip())
                    : nobody(api);
        }
        Optional<String> cookie = cookie(request);
        if (cookie.isEmpty()) {
            return nobody(api);
        }
        boolean saysWhence = request.headers().contains(HeaderNames.ORIGIN)
                || request.headers().contains(SEC_FETCH_SITE);
        return acts && !saysWhence ? refused(BrowserGuard.Refusal.CROSS_ORIGIN) : byToken(cookie.get());
    }

    private Decision ofProxy(TrustedProxy proxy, String user, List<String> groupHeaders) {
        if (proxy.groups().isEmpty()) {
            return proxied(user, Role.READ, Map.of());
        }
        List<String> groups = groupHeaders.stream()
                .flatMap(value -> Arrays.stream(value.split(",", -1)))
                .map(String::strip)
                .toList();
        return proxy.groups().stream()
                .filter(group -> group.name().equals(EVERY_USER) || groups.contains(group.name()))
                .findFirst()
                .<Decision>map(group -> proxied(user, group.role(), group.labels()))
                .orElseGet(() -> refusal(
                        Why.NO_GROUP,
                        403,
                        "Forbidden",
                        user + " is in none of the groups that may ask: see api.trusted-proxy.groups",
                        Map.of()));
    }

    private static Caller proxied(String user, Role role, Map<String, String> labels) {
        return new Caller(user, role, labels, Authentication.PROXY);
    }

    private static Caller caller(Bearer token) {
        return new Caller(token.name(), token.role(), token.labels(), Authentication.TOKEN);
    }

    /// Compares with every entry whether one fits or not, so that the time tells nothing.
    private static Optional<Bearer> token(Settings.Api api, String shown) {
        if (!TOKEN.matcher(shown).matches()) {
            return Optional.empty();
        }
        byte[] hash = sha256(shown);
        Optional<Bearer> found = Optional.empty();
        for (Bearer token : api.tokens()) {
            if (MessageDigest.isEqual(HexFormat.of().parseHex(token.sha256().reveal()), hash)) {
                found = Optional.of(token);
            }
        }
        return found;
    }

    private Decision nobody(Settings.Api api) {
        String how = api.tokens().isEmpty()
                ? api.authenticates()
                        ? "this goes through the proxy that people sign in at, which says who asks"
                        : "the settings say no more who may ask; restart, so that only this machine may"
                : "show a token: Authorization: Bearer, or sign in on the page";
        return refusal(Why.NO_TOKEN, 401, "Unauthorized", how, CHALLENGE);
    }

    private static boolean isFrom(TrustedProxy proxy, ServerRequest request) {
        SocketAddress remote = request.remotePeer().address();
        if (!(remote instanceof InetSocketAddress peer)) {
            return false;
        }
        InetAddress address = peer.getAddress();
        return address != null && proxy.networks().stream().anyMatch(network -> network.contains(address));
    }

    private static List<String> values(ServerRequest request, String header) {
        HeaderName name = HeaderNames.create(header);
        return request.headers().contains(name)
                ? request.headers().get(name).allValues().stream()
                        .filter(value -> value.length() <= MOST_HEADER)
                        .map(String::strip)
                        .toList()
                : List.of();
    }

    private static Optional<String> cookie(ServerRequest request) {
        return values(request, HeaderNames.COOKIE.defaultCase()).stream()
                .flatMap(value -> Stream.of(value.split(";", -1)))
                .map(String::strip)
                .filter(pair -> pair.startsWith(COOKIE + "="))
                .map(pair -> pair.substring(COOKIE.length() + 1))
                .filter(value -> !value.isEmpty())
                .findFirst();
    }

    private Refusal refused(BrowserGuard.Refusal why) {
        return refusal(
                switch (why) {
                    case FOREIGN_NAME -> Why.FOREIGN_NAME;
                    case CROSS_ORIGIN -> Why.CROSS_ORIGIN;
                },
                why.status(),
                why.title(),
                why.detail(),
                Map.of());
    }

    private Refusal refusal(Why why, int status, String title, String detail, Map<String, String> headers) {
        counter(why).increment();
        return new Refusal(status, title, why, detail, headers);
    }

    private Counter counter(Why why) {
        return Counter.builder("tlsrpt.api.refused")
                .description("Requests of the API answered 401, 403 or 421 because of who asks or whence")
                .tag("why", why.word())
                .register(meters);
    }

    private static byte[] sha256(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}

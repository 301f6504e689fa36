package io.tlsrpt.console;

import io.tlsrpt.console.ApiRoutes.Endpoint;
import io.tlsrpt.runtime.Access;
import io.tlsrpt.runtime.Caller;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/// Who asks, as the server knows them; and the cookie by which a browser shows its token. The cookie is the token, so
/// no
/// instance keeps anything of a session and all of them know it; `docs/decisions/0021-who-may-ask.md`.
final class SessionApi {

    private static final String PATH = "/api/v1/session";
    private static final int MOST_TOKEN = 512;
    private static final Duration KEPT = Duration.ofDays(7);

    private final Access access;
    private final String instance;

    /// @param instance which of several consoles this is, for people
    SessionApi(Access access, String instance) {
        this.access = access;
        this.instance = instance;
    }

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.get(PATH, Set.of(), this::session).filtered(),
                Endpoint.post(PATH, Set.of(), this::signIn).open(),
                Endpoint.delete(PATH, this::signOut).open());
    }

    private Supplier<Answer> session(Parameters parameters) {
        return () -> Answer.json((Object) told(parameters.caller()));
    }

    private Supplier<Answer> signIn(Parameters parameters) {
        JsonBody body = parameters.body(Set.of("token"));
        String token = body.line("token", MOST_TOKEN);
        if (!body.has("token")) {
            body.fault("token", "the token");
        }
        return () -> switch (access.byToken(Objects.requireNonNull(token))) {
            case Access.Refusal why -> Answer.refused(why);
            case Caller caller ->
                Answer.json((Object) told(caller))
                        .with(Map.of("Set-Cookie", cookie(token, KEPT, parameters.overTls())));
        };
    }

    private Supplier<Answer> signOut(Parameters parameters) {
        return () -> Answer.noContent(Map.of("Set-Cookie", cookie("", Duration.ZERO, parameters.overTls())));
    }

    private static String cookie(String token, Duration kept, boolean secure) {
        return Access.COOKIE + "=" + token + "; Path=/; Max-Age=" + kept.toSeconds() + "; HttpOnly; SameSite=Strict"
                + (secure ? "; Secure" : "");
    }

    private Map<String, Object> told(Caller caller) {
        Map<String, Object> session = new LinkedHashMap<>();
        session.put("name", caller.name());
        session.put("role", caller.role().word());
        session.put("labels", caller.labels());
        session.put("authentication", caller.authentication().word());
        session.put("instance", instance);
        return session;
    }
}

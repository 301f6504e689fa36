package io.tlsrpt.runtime;

import io.helidon.webserver.http.ServerRequest;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// Decides who may ask and who may act, for every door of the API.
public final class Access {

    private final Supplier<Settings> current;
    private final HostPort listen;

    /// @param current the settings as they are now
    /// @param listen where the API really listens
    public Access(Supplier<Settings> current, HostPort listen) {
        this.current = current;
        this.listen = listen;
    }

    /// Whether somebody may: the [Caller], or why not.
    public sealed interface Decision permits Caller, Refusal {}

    /// Why not.
    ///
    /// @param status of the answer
    /// @param word of the reason, such as `foreign-name`
    /// @param detail what happened and what to do
    /// @param headers of the answer
    public record Refusal(int status, String title, String word, String detail, Map<String, String> headers)
            implements Decision {}

    /// Who asks.
    public Decision reading(ServerRequest request) {
        return decided(guard().reading(request));
    }

    /// Who acts.
    public Decision acting(ServerRequest request) {
        return decided(guard().acting(request));
    }

    private BrowserGuard guard() {
        return new BrowserGuard(listen, current.get().alerting().publicUrl());
    }

    private static Decision decided(Optional<BrowserGuard.Refusal> refusal) {
        return refusal.<Decision>map(why -> new Refusal(why.status(), why.title(), why.word(), why.detail(), Map.of()))
                .orElse(Caller.LOCAL);
    }
}

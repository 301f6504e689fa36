package io.tlsrpt.runtime;

import java.util.List;
import java.util.Map;

/// One embeddable, closable part of the program. It knows no signals, environment or exit: [ServiceHost] does.
public interface Service extends AutoCloseable {

    /// Its name in logs and health, such as `ingest-service`.
    String name();

    /// What it answers over HTTP; asked once, after [#start()].
    default List<Routes> routes() {
        return List.of();
    }

    /// Where it listens for anything but HTTP, by name, with the ports that it really has; asked once, after
    /// [#start()].
    default Map<String, HostPort> addresses() {
        return Map.of();
    }

    /// Returns when it is on its way; readiness is reported through [Health].
    ///
    /// @throws RuntimeException when it cannot run here
    void start();

    /// Ends the answers that would go on for ever, such as streams, and begins no more of them; called before the
    /// listeners stop, which wait for the answers under way.
    default void quiesce() {}

    /// Finishes what it holds and returns; called once, in reverse order of starting, after the listeners stopped
    /// taking requests.
    @Override
    void close();
}

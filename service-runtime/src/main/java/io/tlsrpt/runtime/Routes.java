package io.tlsrpt.runtime;

import io.helidon.webserver.http.HttpRouting;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What a service answers at one address. Services that name the same address share one listener.
///
/// @param name of the listener in logs: `intake`, `api` or `admin`
public record Routes(
        String name, HostPort address, Settings.@Nullable Tls tls, Consumer<HttpRouting.Builder> routing) {}

package io.tlsrpt.ingest;

import java.util.Collection;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Says whose the domains are that nobody configured.
@FunctionalInterface
interface Discovery {

    Standing.Foreign NOT_CONFIGURED = new Standing.Foreign("not configured", false);

    /// Nothing is discovered: strangers', unless nothing is configured at all.
    Discovery OFF = (domains, anyConfigured, trusted) -> domains.stream()
            .collect(Collectors.toMap(Function.identity(), domain -> anyConfigured ? NOT_CONFIGURED : Standing.OURS));

    /// May block for about two seconds.
    ///
    /// @param domains distinct, none of them configured
    /// @param anyConfigured whether other domains are
    /// @param trusted whether the reporter is known; strangers have an allowance of their own and cannot spend his
    Map<String, Standing> standings(Collection<String> domains, boolean anyConfigured, boolean trusted);
}

package io.tlsrpt.runtime;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/// What `/live` and `/ready` say. Each part reports by its own name; a part that never reported does not count.
/// The same as gauges, 1 or 0 by part: `tlsrpt.health.live`, `tlsrpt.health.ready`.
public final class Health {

    private final Map<String, String> notReady = new ConcurrentHashMap<>();
    private final Map<String, String> dead = new ConcurrentHashMap<>();
    private final Set<String> parts = ConcurrentHashMap.newKeySet();
    private final MeterRegistry meters;

    public Health() {
        this(new SimpleMeterRegistry());
    }

    /// @param meters where each part appears with its first report
    public Health(MeterRegistry meters) {
        this.meters = meters;
    }

    /// The part works.
    public void ready(String part) {
        reported(part);
        notReady.remove(part);
    }

    /// The part works not yet or not now.
    ///
    /// @param why for people
    public void notReady(String part, String why) {
        reported(part);
        notReady.put(part, why);
    }

    /// The part will not work again in this process: a restart is needed.
    public void dead(String part, String why) {
        reported(part);
        dead.put(part, why);
        notReady.put(part, why);
    }

    /// Parts that are not ready, with the reason; empty when all are.
    public Map<String, String> notReady() {
        return new TreeMap<>(notReady);
    }

    /// Parts that need a restart; empty when none does.
    public Map<String, String> dead() {
        return new TreeMap<>(dead);
    }

    public boolean isReady() {
        return notReady.isEmpty();
    }

    public Optional<String> whyNotReady(String part) {
        return Optional.ofNullable(notReady.get(part));
    }

    private void reported(String part) {
        if (parts.add(part)) {
            gauge("tlsrpt.health.live", "1 while the part needs no restart", part, dead);
            gauge("tlsrpt.health.ready", "1 while the part works", part, notReady);
        }
    }

    private void gauge(String name, String description, String part, Map<String, String> faults) {
        Gauge.builder(name, faults, current -> current.containsKey(part) ? 0 : 1)
                .description(description)
                .tag("part", part)
                .register(meters);
    }
}

package io.tlsrpt.runtime;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/// What `/live` and `/ready` say. Each part reports by its own name; a part that never reported does not count.
public final class Health {

    private final Map<String, String> notReady = new ConcurrentHashMap<>();
    private final Map<String, String> dead = new ConcurrentHashMap<>();

    /// The part works.
    public void ready(String part) {
        notReady.remove(part);
    }

    /// The part works not yet or not now.
    ///
    /// @param why for people
    public void notReady(String part, String why) {
        notReady.put(part, why);
    }

    /// The part will not work again in this process: a restart is needed.
    public void dead(String part, String why) {
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
}

package io.tlsrpt.inspection;

import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// A probe whose answers are shared: who asks about the same address of the same host within five minutes gets the same
/// answer, so that 200 domains behind one MX make one connection, and an MX in trouble is not asked again and again.
final class SharedProbe {

    static final Duration HOLDS = Duration.ofMinutes(5);

    private final Probe probe;
    private final Semaphore connections;
    private final Clock clock;
    private final ConcurrentHashMap<Key, Look> looks = new ConcurrentHashMap<>();

    private record Key(InetAddress address, int port, String host) {}

    private record Look(CompletableFuture<Presented> presented, Instant at) {}

    /// @param connections one permit for each connection that may be open
    SharedProbe(Probe probe, Semaphore connections, Clock clock) {
        this.probe = probe;
        this.connections = connections;
        this.clock = clock;
    }

    /// @param deadline of [System#nanoTime]; no connection begins after it
    Presented look(InetAddress address, int port, String host, long deadline) {
        looks.values().removeIf(look -> !fresh(look));
        Key key = new Key(address, port, host);
        CompletableFuture<Presented> mine = new CompletableFuture<>();
        Look known = looks.putIfAbsent(key, new Look(mine, clock.instant()));
        if (known == null) {
            connect(key, mine, deadline);
        }
        CompletableFuture<Presented> shared = known == null ? mine : known.presented();
        try {
            return shared.get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException late) {
            return unknown("no time was left to look");
        } catch (ExecutionException broken) {
            throw new IllegalStateException(broken.getCause());
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return unknown("interrupted");
        }
    }

    private boolean fresh(Look look) {
        return Duration.between(look.at(), clock.instant()).abs().compareTo(HOLDS) < 0;
    }

    private void connect(Key key, CompletableFuture<Presented> result, long deadline) {
        boolean permitted = false;
        try {
            permitted = connections.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (permitted) {
                result.complete(probe.look(key.address(), key.port(), key.host()));
            } else {
                // not the server's fault: the next may try again
                looks.remove(key);
                result.complete(unknown("no time was left to look"));
            }
        } catch (InterruptedException stopped) {
            looks.remove(key);
            result.complete(unknown("interrupted"));
            Thread.currentThread().interrupt();
        } catch (RuntimeException bug) {
            looks.remove(key);
            result.completeExceptionally(bug);
        } finally {
            if (permitted) {
                connections.release();
            }
        }
    }

    private static Presented unknown(String why) {
        return new Presented(Presented.UNKNOWN, why, null, List.of());
    }
}

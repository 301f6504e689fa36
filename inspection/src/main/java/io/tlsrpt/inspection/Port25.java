package io.tlsrpt.inspection;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Whether SMTP reaches the world from here. Many networks drop connections to port 25, and then every MX looks dead;
/// this is told apart without asking anybody who is not looked at anyway: what every connection of this process came to
/// is remembered for an hour.
///
/// - `open`: something took a connection. An MX that does not answer is then its own fault.
/// - `blocked`: in at least two networks (IPv4 /16, IPv6 /32) that nothing else than the way from here has in common
/// the
///   connections timed out, none was refused, and nothing answered.
/// - `unknown`: anything else, such as one silent network, or one that refused: by whom, its packet does not tell.
///
/// Thread-safe.
final class Port25 {

    static final String OPEN = "open";
    static final String BLOCKED = "blocked";
    static final String UNKNOWN = "unknown";

    private static final Duration RECENT = Duration.ofHours(1);
    private static final int SILENT_NETWORKS = 2;
    private static final int MOST_REMEMBERED = 64;

    private final Clock clock;
    private final Map<String, Instant> silent = new LinkedHashMap<>();
    private @Nullable Instant answered;
    private @Nullable Instant refused;

    Port25(Clock clock) {
        this.clock = clock;
    }

    /// A server took a connection.
    synchronized void answered() {
        answered = clock.instant();
        silent.clear();
    }

    /// A connection was refused at once.
    synchronized void refused() {
        refused = clock.instant();
    }

    /// A connection timed out.
    synchronized void timedOut(InetAddress address) {
        String network = network(address);
        silent.remove(network);
        silent.put(network, clock.instant());
        if (silent.size() > MOST_REMEMBERED) {
            silent.remove(silent.keySet().iterator().next());
        }
    }

    /// `open`, `blocked` or `unknown`.
    synchronized String verdict() {
        Instant since = clock.instant().minus(RECENT);
        if (isAfter(answered, since)) {
            return OPEN;
        }
        silent.values().removeIf(at -> at.isBefore(since));
        return silent.size() >= SILENT_NETWORKS && !isAfter(refused, since) ? BLOCKED : UNKNOWN;
    }

    synchronized int remembered() {
        return silent.size();
    }

    private static boolean isAfter(@Nullable Instant time, Instant since) {
        return time != null && !time.isBefore(since);
    }

    private static String network(InetAddress address) {
        byte[] bytes = address.getAddress();
        return HexFormat.of().formatHex(Arrays.copyOf(bytes, address instanceof Inet4Address ? 2 : 4));
    }
}

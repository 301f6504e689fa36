package io.tlsrpt.alerting;

import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;

/// What one reporter saw on one day, over all domains.
///
/// @param trusted by its trusted reports
/// @param untrusted by those that anybody may have sent in its name
/// @param heardAt when something of this day was heard last
record ReporterDay(Side trusted, Side untrusted, Instant heardAt) {

    static final ReporterDay EMPTY = new ReporterDay(Side.EMPTY, Side.EMPTY, Instant.EPOCH);

    /// @param domains it reported
    record Side(int domains, long sessions, Map<String, Count> types) {

        static final Side EMPTY = new Side(0, 0, Map.of());

        Count of(String type) {
            return types.getOrDefault(type, Count.NONE);
        }

        private Side plus(Sighting sighting, int sign) {
            if (!sighting.reporting()) {
                return this;
            }
            Map<String, Count> changed = new TreeMap<>(types);
            sighting.failing().forEach((type, failed) -> {
                Count count = of(type);
                Count next = new Count(
                        count.failing + sign,
                        count.agreed + (sighting.agreed().contains(type) ? sign : 0),
                        count.contradicted + (sighting.contradicted().contains(type) ? sign : 0),
                        count.failedSessions + sign * failed);
                changed.put(type, next);
            });
            changed.values().removeIf(count -> count.failing == 0);
            return new Side(domains + sign, sessions + sign * sighting.sessions(), changed);
        }
    }

    /// Of one result type.
    ///
    /// @param failing domains where it saw the failure
    /// @param agreed those where somebody else saw it too
    /// @param contradicted those where somebody else looked and nobody saw it
    record Count(int failing, int agreed, int contradicted, long failedSessions) {
        static final Count NONE = new Count(0, 0, 0, 0);
    }

    Side side(boolean byTrusted) {
        return byTrusted ? trusted : untrusted;
    }

    ReporterDay plus(Sighting sighting, Instant now) {
        return change(sighting, 1, now);
    }

    ReporterDay minus(Sighting sighting) {
        return change(sighting, -1, heardAt);
    }

    private ReporterDay change(Sighting sighting, int sign, Instant heard) {
        return sighting.trusted()
                ? new ReporterDay(trusted.plus(sighting, sign), untrusted, heard)
                : new ReporterDay(trusted, untrusted.plus(sighting, sign), heard);
    }
}

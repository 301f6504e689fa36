package io.tlsrpt.ingest;

import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.DomainClaim;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/// Takes a domain whose TLSRPT record lists one of our addresses as pending, within the limits of `discovery`, and an
/// accepted one as ours for good. Anybody can publish our address: pending is all that a record brings about.
final class DnsDiscovery implements Discovery {

    /// How long DNS and the first reading of the claims may delay a report together; who posts it gives up after ten
    /// seconds, and the broker may need three.
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /// Names looked up for one report.
    static final int MOST_NAMES = 10;

    private final Supplier<Settings.Discovery> settings;
    private final DomainClaims claims;
    private final RuaRecords records;
    private final IngestMetrics metrics;
    private final Clock clock;

    /// Reports that wait for DNS at a time, half of those that may be judged: known domains must not wait behind
    /// invented ones.
    private final Semaphore waiting = new Semaphore(Runtime.getRuntime().availableProcessors());

    private final Map<String, Integer> reportsToday = new HashMap<>();
    private LocalDate today = LocalDate.EPOCH;

    DnsDiscovery(
            Supplier<Settings.Discovery> settings,
            DomainClaims claims,
            RuaRecords records,
            IngestMetrics metrics,
            Clock clock) {
        this.settings = settings;
        this.claims = claims;
        this.records = records;
        this.metrics = metrics;
        this.clock = clock;
    }

    @Override
    public Map<String, Standing> standings(Collection<String> domains, boolean anyConfigured, boolean trusted) {
        boolean seated = waiting.tryAcquire();
        try {
            return standings(domains, anyConfigured, trusted, seated ? PATIENCE : Duration.ZERO);
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            return all(domains, IngestMetrics.Discovered.NOT_LOOKED_UP, "the service is stopping");
        } finally {
            if (seated) {
                waiting.release();
            }
        }
    }

    private Map<String, Standing> standings(
            Collection<String> domains, boolean anyConfigured, boolean trusted, Duration patience)
            throws InterruptedException {
        Settings.Discovery limits = settings.get();
        if (!limits.enabled() && !anyConfigured) {
            return Discovery.OFF.standings(domains, false, trusted);
        }
        long deadline = System.nanoTime() + patience.toNanos();
        if (!claims.awaitWhole(patience)) {
            if (limits.enabled()) {
                // Which of them were accepted nobody can tell yet, and refusing those would lose their reports. Taken
                // so,
                // none is judged unless it was accepted.
                Map<String, Standing> unknown = new HashMap<>();
                domains.forEach(domain -> unknown.put(domain, pending(domain, limits, trusted)));
                return unknown;
            }
            return all(
                    domains,
                    IngestMetrics.Discovered.NOT_LOOKED_UP,
                    "the discovered domains are not known: the broker was not reached since the start");
        }
        Map<String, Standing> standings = new HashMap<>();
        List<String> unknown = new ArrayList<>();
        List<String> pending = new ArrayList<>();
        for (String domain : domains) {
            DomainClaim claim = claims.of(domain);
            if (claim != null && claim.accepted()) {
                metrics.discovered(IngestMetrics.Discovered.ACCEPTED);
                standings.put(domain, Standing.OURS);
            } else if (!limits.enabled()) {
                standings.put(domain, NOT_CONFIGURED);
            } else if (claim != null) {
                standings.put(domain, pending(domain, limits, trusted));
                pending.add(domain);
            } else if (unknown.size() < MOST_NAMES) {
                unknown.add(domain);
            } else {
                standings.put(
                        domain,
                        foreign(
                                IngestMetrics.Discovered.NOT_LOOKED_UP,
                                notLookedUp("the report names over " + MOST_NAMES + " unknown domains")));
            }
        }
        // Once a day each; a record that lists us no more takes the claim back, and nobody waits for that.
        records.lookUp(pending, Duration.ZERO);
        records.lookUp(unknown, Duration.ofNanos(Math.max(0, deadline - System.nanoTime())))
                .forEach((domain, found) -> standings.put(domain, standing(domain, found, limits, trusted)));
        return standings;
    }

    private Standing standing(String domain, RuaRecords.Found found, Settings.Discovery limits, boolean trusted) {
        return switch (found) {
            case RuaRecords.Found.Listed listed -> {
                Instant now = clock.instant();
                yield claims.discover(DomainClaim.pending(domain, listed.rua(), now), limits.maxDomains())
                        ? pending(domain, limits, trusted)
                        : foreign(
                                IngestMetrics.Discovered.TOO_MANY_DOMAINS,
                                limits.maxDomains()
                                        + " domains are pending already (discovery.max-domains): accept or forget some");
            }
            case RuaRecords.Found.NotListed absent ->
                foreign(
                        IngestMetrics.Discovered.NOT_LISTED,
                        "not configured, and its TLSRPT record lists none of our addresses");
            case RuaRecords.Found.Unknown unknown -> undecided(notLookedUp(unknown.why()));
        };
    }

    private synchronized Standing pending(String domain, Settings.Discovery limits, boolean trusted) {
        String whose = (trusted ? "known " : "unknown ") + domain;
        LocalDate day = LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
        if (!day.equals(today)) {
            today = day;
            reportsToday.clear();
        }
        int before = reportsToday.getOrDefault(whose, 0);
        if (before >= limits.maxReportsPerDay()) {
            return foreign(
                    IngestMetrics.Discovered.TOO_MANY_REPORTS,
                    "pending, and " + limits.maxReportsPerDay()
                            + " reports about it were taken today (discovery.max-reports-per-day)");
        }
        reportsToday.put(whose, before + 1);
        metrics.discovered(IngestMetrics.Discovered.PENDING);
        return Standing.PENDING;
    }

    private Map<String, Standing> all(Collection<String> domains, IngestMetrics.Discovered outcome, String why) {
        Map<String, Standing> standings = new HashMap<>();
        domains.forEach(domain -> standings.put(domain, foreign(outcome, why)));
        return standings;
    }

    private Standing foreign(IngestMetrics.Discovered outcome, String why) {
        metrics.discovered(outcome);
        return new Standing.Foreign(why, false);
    }

    private Standing undecided(String why) {
        metrics.discovered(IngestMetrics.Discovered.NOT_LOOKED_UP);
        return new Standing.Foreign(why, true);
    }

    private static String notLookedUp(String why) {
        return "not configured, and its record could not be looked up: " + why;
    }
}

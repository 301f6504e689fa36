package io.tlsrpt.ingest;

import io.tlsrpt.dns.Rua;
import io.tlsrpt.dns.TlsRptRecord;
import io.tlsrpt.dns.TxtAnswer;
import io.tlsrpt.dns.TxtLookup;
import io.tlsrpt.report.DomainName;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which of our addresses the TLSRPT record of a domain lists, asked for within bounds: reports come from strangers,
/// and
/// they choose the names.
final class RuaRecords {

    private static final Logger LOG = LoggerFactory.getLogger(RuaRecords.class);

    /// Lookups begun in a second.
    static final int PER_SECOND = 20;

    private static final int MOST_UNDER_WAY = 100;
    private static final int MOST_REMEMBERED = 10_000;
    private static final Duration LISTED_HOLDS = Duration.ofDays(1);
    private static final Duration NOT_LISTED_HOLDS = Duration.ofMinutes(10);
    private static final Duration UNKNOWN_HOLDS = Duration.ofSeconds(10);

    /// Room for `_smtp._tls.` before it.
    private static final int LONGEST_NAME = 242;

    private final TxtLookup dns;
    private final Supplier<List<String>> rua;
    private final Consumer<String> notListed;
    private final Clock clock;

    private final Map<String, Answer> answers = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Answer> eldest) {
            return size() > MOST_REMEMBERED;
        }
    };
    private final Map<String, CompletableFuture<Found>> underWay = new HashMap<>();
    private List<String> asked = List.of();
    private List<Rua> ours = List.of();
    private Instant second = Instant.EPOCH;
    private int begun;

    /// What there is to know of a record.
    sealed interface Found {

        /// @param rua the address of ours, as configured
        record Listed(String rua) implements Found {}

        /// There is no such record, or another one.
        record NotListed() implements Found {}

        /// @param why for people
        record Unknown(String why) implements Found {}
    }

    private record Answer(Found found, Instant until) {}

    /// @param rua our addresses as they are now
    /// @param notListed hears of each domain whose record was found not to list us
    RuaRecords(TxtLookup dns, Supplier<List<String>> rua, Consumer<String> notListed, Clock clock) {
        this.dns = dns;
        this.rua = rua;
        this.notListed = notListed;
        this.clock = clock;
    }

    /// @param patience for all of them together; what comes later is remembered for the next time
    Map<String, Found> lookUp(Collection<String> domains, Duration patience) throws InterruptedException {
        Map<String, CompletableFuture<Found>> lookups = new LinkedHashMap<>();
        domains.forEach(domain -> lookups.put(domain, begin(domain)));
        CompletableFuture<?> all = CompletableFuture.allOf(lookups.values().toArray(new CompletableFuture<?>[0]));
        if (!patience.isZero()) {
            all.completeOnTimeout(null, patience.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
        }
        Map<String, Found> found = new HashMap<>();
        lookups.forEach(
                (domain, lookup) -> found.put(domain, lookup.getNow(new Found.Unknown("DNS did not answer in time"))));
        return found;
    }

    private synchronized CompletableFuture<Found> begin(String domain) {
        Instant now = clock.instant();
        follow(rua.get());
        Answer known = answers.get(domain);
        if (known != null && now.isBefore(known.until())) {
            return CompletableFuture.completedFuture(known.found());
        }
        CompletableFuture<Found> running = underWay.get(domain);
        if (running != null) {
            return running;
        }
        if (!DomainName.isName(domain) || domain.indexOf('.') < 0 || domain.length() > LONGEST_NAME) {
            return CompletableFuture.completedFuture(new Found.NotListed());
        }
        if (underWay.size() >= MOST_UNDER_WAY || !mayBegin(now)) {
            return CompletableFuture.completedFuture(new Found.Unknown("too many names are looked up"));
        }
        CompletableFuture<Found> lookup = new CompletableFuture<>();
        underWay.put(domain, lookup);
        List<Rua> addresses = ours;
        Thread.ofVirtual().name("discovery").start(() -> run(domain, addresses, lookup));
        return lookup;
    }

    /// Forgets what was found out about other addresses.
    private void follow(List<String> current) {
        if (current.equals(asked)) {
            return;
        }
        List<Rua> usable = new ArrayList<>();
        for (String address : current) {
            try {
                usable.add(Rua.of(address));
            } catch (IllegalArgumentException unusable) {
                LOG.atWarn().addKeyValue("rua", address).setCause(unusable).log("no domain is discovered by this rua");
            }
        }
        asked = List.copyOf(current);
        ours = List.copyOf(usable);
        answers.clear();
        underWay.clear();
    }

    private boolean mayBegin(Instant now) {
        if (Duration.between(second, now).abs().compareTo(Duration.ofSeconds(1)) >= 0) {
            second = now;
            begun = 0;
        }
        return begun++ < PER_SECOND;
    }

    private void run(String domain, List<Rua> addresses, CompletableFuture<Found> lookup) {
        Found found = new Found.Unknown("the lookup failed");
        try {
            found = found(dns.txt(TlsRptRecord.name(domain)), addresses);
            if (found instanceof Found.NotListed) {
                notListed.accept(domain);
            }
        } finally {
            ended(domain, found, lookup);
        }
    }

    private void ended(String domain, Found found, CompletableFuture<Found> lookup) {
        synchronized (this) {
            if (underWay.remove(domain, lookup)) {
                Duration holds = switch (found) {
                    case Found.Listed listed -> LISTED_HOLDS;
                    case Found.NotListed absent -> NOT_LISTED_HOLDS;
                    case Found.Unknown unknown -> UNKNOWN_HOLDS;
                };
                answers.put(domain, new Answer(found, clock.instant().plus(holds)));
            }
        }
        lookup.complete(found);
    }

    private static Found found(TxtAnswer answer, List<Rua> addresses) {
        return switch (answer) {
            case TxtAnswer.Failed failed -> new Found.Unknown(failed.why());
            case TxtAnswer.None none -> new Found.NotListed();
            case TxtAnswer.Found records ->
                switch (TlsRptRecord.of(records.records())) {
                    case TlsRptRecord.Published.Valid valid -> listed(valid.record(), addresses);
                    case TlsRptRecord.Published.None none -> new Found.NotListed();
                    case TlsRptRecord.Published.Invalid invalid -> new Found.NotListed();
                };
        };
    }

    private static Found listed(TlsRptRecord record, List<Rua> addresses) {
        for (Rua address : addresses) {
            if (record.rua().stream().anyMatch(address::sameAs)) {
                return new Found.Listed(address.text());
            }
        }
        return new Found.NotListed();
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.AlertAction;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/// The watches: turns live looks into alerts of their own, see [Watches]. A fault opens one, a look that finds it
/// mended
/// ends it; where nobody has looked for a week it ends as stale.
@SuppressWarnings("NullAway.Init") // Streams calls init before anything else
final class JudgeLooks implements Processor<String, Clue, String, AlertChange> {

    static final String LOOKS = "last-looks";
    static final String ALERTS = "look-alerts";

    private static final Duration TICK = Duration.ofSeconds(30);
    private static final Duration STALE = Duration.ofDays(7);

    /// A look of long ago, read again, tells what was but not what is.
    private static final Duration NEWS = Duration.ofDays(1);

    private final Supplier<Settings> settings;
    private final DetectionMetrics metrics;
    private final Duration kept;
    private final Supplier<Instant> judgedUntil;
    private ProcessorContext<String, AlertChange> context;
    private KeyValueStore<String, Looked> looks;
    private Standings standings;

    private JudgeLooks(
            Supplier<Settings> settings, DetectionMetrics metrics, Duration kept, Supplier<Instant> judgedUntil) {
        this.settings = settings;
        this.metrics = metrics;
        this.kept = kept;
        this.judgedUntil = judgedUntil;
    }

    @Override
    public void init(ProcessorContext<String, AlertChange> given) {
        context = given;
        looks = context.getStateStore(LOOKS);
        standings = new Standings(Rule.Bench.LOOK, ALERTS, context, settings, metrics, kept, judgedUntil);
        context.schedule(TICK, PunctuationType.WALL_CLOCK_TIME, wallClock -> tick(Instant.ofEpochMilli(wallClock)));
    }

    @Override
    public void process(Record<String, Clue> record) {
        Instant now = Instant.ofEpochMilli(record.timestamp());
        Look look = record.value().look();
        AlertAction action = record.value().action();
        String remembered = record.value().remembered();
        if (record.value().departed() != null) {
            forget(record.value().departed().domain(), now);
        } else if (remembered != null) {
            if (standings.remember(remembered) && looks.get(record.key()) == null) {
                // from now on it is missed when nobody looks
                looks.put(record.key(), Looked.NEVER.at(Instant.ofEpochMilli(context.currentSystemTimeMs())));
            }
        } else if (look != null) {
            looked(record.key(), look, now);
        } else if (action != null) {
            acted(record.key(), action, now);
        }
    }

    private void looked(String subject, Look look, Instant now) {
        Looked stored = looks.get(subject);
        Looked before = stored == null ? Looked.NEVER : stored;
        Settings current = settings.get();
        Duration warning = current.alerting().inspection().expiryWarning();
        Instant at = look.inspection().inspectedAt();
        List<Watches.Said> said;
        Looked after;
        if (look.mx() != null) {
            String domain = look.inspection().policyDomain();
            Set<String> domains = new TreeSet<>(before.domains().keySet());
            domains.add(domain);
            List<Watches.Said> ofDomain = Watches.ofMx(look, before, List.copyOf(domains), warning);
            after = before.at(at, domain, faults(before, domain, ofDomain), Watches.reached(look), now.minus(STALE));
            said = ofDomain.stream()
                    .filter(each -> !worseElsewhere(after, domain, each))
                    .toList();
        } else {
            after = Watches.remember(look, before, current.rua());
            said = Watches.ofDomain(look, before, current.rua(), warning);
        }
        looks.put(subject, after);
        if (now.isBefore(Instant.ofEpochMilli(context.currentSystemTimeMs()).minus(NEWS))) {
            return;
        }
        for (Watches.Said each : said) {
            if (each.claim() == null) {
                standings.ended(each.alertId(), Resolution.PROBE, "a live look found it mended", now);
            } else {
                standings.holds(each.claim(), now);
            }
        }
    }

    /// What is wrong with an MX in the eyes of one domain. What this look could not find out stays as it was.
    private static Map<String, Severity> faults(Looked before, String domain, List<Watches.Said> said) {
        Map<String, Severity> faults = new TreeMap<>(before.faults().getOrDefault(domain, Map.of()));
        for (Watches.Said each : said) {
            if (each.claim() == null) {
                faults.remove(each.rule().word());
            } else {
                faults.put(each.rule().word(), each.claim().severity());
            }
        }
        return faults;
    }

    /// Whether another domain behind the MX has that fault, and this one has it not, or not so badly: the same finding
    /// may be an error where a policy is enforced and a note where none is.
    private static boolean worseElsewhere(Looked known, String domain, Watches.Said said) {
        Severity here = said.claim() == null ? null : said.claim().severity();
        return known.faults().entrySet().stream()
                .filter(entry -> !entry.getKey().equals(domain))
                .map(entry -> entry.getValue().get(said.rule().word()))
                .anyMatch(there -> there != null && (here == null || there.compareTo(here) > 0));
    }

    /// Who ends an alert about changed addresses means them.
    private void acted(String subject, AlertAction action, Instant now) {
        standings.act(action, now);
        boolean ends =
                action.action().equals(AlertAction.RESOLVE) || action.action().equals(AlertAction.FALSE_ALARM);
        Looked known = looks.get(subject);
        if (ends && known != null && action.rule().equals(Rule.TLSRPT_RECORD.word())) {
            looks.put(subject, known.withRua(null));
        } else if (ends && known != null && action.rule().equals(Rule.MTA_STS.word())) {
            looks.put(subject, known.withPolicy(known.at(), null, null, null));
        }
    }

    private void forget(String domain, Instant now) {
        looks.delete(Subject.domain(domain));
        Map<String, Looked> shared = new TreeMap<>();
        try (KeyValueIterator<String, Looked> all = looks.all()) {
            while (all.hasNext()) {
                KeyValue<String, Looked> entry = all.next();
                if (entry.value.knows(domain)) {
                    shared.put(entry.key, entry.value.without(domain));
                }
            }
        }
        shared.forEach((mx, rest) -> {
            if (rest.domains().isEmpty()) {
                looks.delete(mx);
            } else {
                looks.put(mx, rest);
            }
        });
        standings.forget(domain, now);
    }

    private void tick(Instant now) {
        standings.lookAgain(now);
        List<String> forgotten = new ArrayList<>();
        try (KeyValueIterator<String, Looked> all = looks.all()) {
            while (all.hasNext()) {
                KeyValue<String, Looked> entry = all.next();
                if (entry.value.at().plus(STALE).isBefore(now)) {
                    forgotten.add(entry.key);
                }
            }
        }
        if (forgotten.isEmpty()) {
            return;
        }
        forgotten.forEach(looks::delete);
        for (Standing standing : standings.firing()) {
            String mx = standing.receivingMxHostname;
            String subject = mx != null ? mx : Subject.domain(String.valueOf(standing.policyDomain));
            if (forgotten.contains(subject)) {
                standings.ended(
                        standing.alertId, Resolution.STALE, "nobody has looked for 7 days, not a recovery", now);
            }
        }
    }

    /// Whether this clue is for the watches.
    static boolean takes(String subject, Clue clue) {
        AlertAction action = clue.action();
        Rule rule = action == null ? null : Rule.ofWord(action.rule());
        Look look = clue.look();
        return clue.remembered() != null
                || clue.departed() != null
                || (look != null && (look.mx() != null || Subject.isDomain(subject)))
                || (rule != null && rule.bench() == Rule.Bench.LOOK);
    }

    /// @param kept how long a resolved alert stays in its topic
    /// @param judgedUntil what arrived until then was judged in another house, see [MovedIn]
    static ProcessorSupplier<String, Clue, String, AlertChange> supplier(
            Supplier<Settings> settings, DetectionMetrics metrics, Duration kept, Supplier<Instant> judgedUntil) {
        return new WithStores<>(
                () -> new JudgeLooks(settings, metrics, kept, judgedUntil),
                Set.of(WithStores.store(LOOKS, Looked.class), WithStores.store(ALERTS, Standing.class)));
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.runtime.Settings;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/// Keeps who writes regularly about what, all in one place, and looks every few minutes who has fallen silent
/// ([Silence]). The wall clock decides: when intake dies no record arrives.
///
/// Nothing is judged while records of earlier hours still come in, nor for `alerting.rules.settle` after a start. Times
/// in which nothing ran here are remembered: days whose reports would have come then do not count as missing.
@SuppressWarnings("NullAway.Init") // Streams calls init before anything else
final class JudgeSilence implements Processor<String, Clue, String, AlertChange> {

    static final String PRESENCES = "known-presences";
    static final String LISTENING = "listening";
    static final String ALERTS = "silence-alerts";

    private static final Duration TICK = Duration.ofSeconds(15);

    /// Between two looks at everything.
    static final Duration LOOK = Duration.ofMinutes(5);

    private static final Duration BEHIND = Duration.ofHours(1);
    private static final Duration CAUGHT_UP = Duration.ofSeconds(30);

    /// The grace of every due date has as much room.
    private static final Duration NAP = Duration.ofHours(12);

    private static final int MOST_NAPS = 20;
    private static final int DAYS_KEPT = 45;
    private static final int MOST_TRUSTED = 200_000;
    private static final int MOST_UNTRUSTED = 20_000;

    private final Supplier<Settings> settings;
    private final DetectionMetrics metrics;
    private final Duration kept;
    private final Supplier<Instant> judgedUntil;
    private ProcessorContext<String, AlertChange> context;
    private OurDomains ourDomains;
    private KeyValueStore<String, Silence.Known> presences;
    private KeyValueStore<String, Listening> listening;
    private Standings standings;
    private Instant startedAt = Instant.EPOCH;
    private Instant behindUntil = Instant.EPOCH;
    private Instant lookAgainAt = Instant.EPOCH;

    /// How many presences are kept by trust; counted at the first look at the store.
    private int @Nullable [] counts;

    /// What is known beside the presences.
    ///
    /// @param awakeAt when somebody listened last; absent before the first time
    record Listening(@Nullable Instant awakeAt, List<Silence.Nap> naps, Silence.Heard heard) {

        static final Listening NEW = new Listening(null, List.of(), Silence.Heard.NOTHING);

        Listening awake(Instant now) {
            List<Silence.Nap> all = new ArrayList<>(naps);
            if (awakeAt != null && awakeAt.plus(NAP).isBefore(now)) {
                all.add(new Silence.Nap(awakeAt, now));
            }
            all.removeIf(nap -> nap.to().plus(Duration.ofDays(DAYS_KEPT)).isBefore(now));
            return new Listening(now, all.subList(Math.max(0, all.size() - MOST_NAPS), all.size()), heard);
        }

        Listening heard(Presence presence) {
            return presence.days() == 0 ? this : new Listening(awakeAt, naps, heard.and(presence));
        }
    }

    private JudgeSilence(
            Supplier<Settings> settings, DetectionMetrics metrics, Duration kept, Supplier<Instant> judgedUntil) {
        this.settings = settings;
        this.metrics = metrics;
        this.kept = kept;
        this.judgedUntil = judgedUntil;
    }

    @Override
    public void init(ProcessorContext<String, AlertChange> given) {
        context = given;
        ourDomains = new OurDomains(settings, context);
        presences = context.getStateStore(PRESENCES);
        listening = context.getStateStore(LISTENING);
        standings = new Standings(Rule.Bench.SILENCE, ALERTS, context, settings, metrics, kept, judgedUntil);
        startedAt = Instant.ofEpochMilli(context.currentSystemTimeMs());
        behindUntil = Instant.EPOCH;
        lookAgainAt = Instant.EPOCH;
        counts = null;
        context.schedule(TICK, PunctuationType.WALL_CLOCK_TIME, wallClock -> tick(Instant.ofEpochMilli(wallClock)));
    }

    @Override
    public void process(Record<String, Clue> record) {
        Instant now = Instant.ofEpochMilli(record.timestamp());
        if (record.value().departed() != null) {
            forget(record.value().departed().domain(), now);
            return;
        }
        if (!record.key().equals(Subject.SILENCE)) {
            return;
        }
        Instant wallClock = Instant.ofEpochMilli(context.currentSystemTimeMs());
        if (now.isBefore(wallClock.minus(BEHIND))) {
            behindUntil = wallClock.plus(CAUGHT_UP);
        }
        Clue clue = record.value();
        if (clue.action() != null) {
            standings.act(clue.action(), now);
        } else if (clue.remembered() != null) {
            standings.remember(clue.remembered());
            if (listening.get(Subject.SILENCE) == null) {
                listening.put(Subject.SILENCE, Listening.NEW);
            }
        } else if (clue.presence() != null) {
            present(clue.presence());
        } else if (clue.refusal() != null) {
            refused(clue.refusal(), now);
        }
    }

    private void present(Presence presence) {
        Listening before = listening.get(Subject.SILENCE);
        Listening after = (before == null ? Listening.NEW : before).heard(presence);
        if (!after.equals(before)) {
            listening.put(Subject.SILENCE, after);
        }
        keep(presence);
    }

    /// Of those that are not regular there may be many, and nobody misses them.
    private void keep(Presence presence) {
        String key = key(presence.policyDomain(), presence.submitter(), presence.trusted());
        Silence.Known before = presences.get(key);
        int[] counted = counts();
        int trust = presence.trusted() ? 1 : 0;
        if (presence.days() == 0) {
            if (before != null) {
                presences.delete(key);
                counted[trust]--;
            }
        } else if (before != null) {
            boolean newer = presence.newest().isAfter(before.presence().newest());
            presences.put(
                    key,
                    newer
                            ? new Silence.Known(presence)
                            : new Silence.Known(presence, before.refused(), before.reason()));
        } else if (presence.regularity() >= Silence.REGULAR
                && counted[trust] < (presence.trusted() ? MOST_TRUSTED : MOST_UNTRUSTED)) {
            presences.put(key, new Silence.Known(presence));
            counted[trust]++;
        }
    }

    /// Only of those who are expected: anybody can have anything refused.
    private void refused(Refusal refusal, Instant now) {
        if (refusal.submitter() == null) {
            return;
        }
        for (String domain : refusal.domains()) {
            for (boolean trusted : new boolean[] {true, false}) {
                String key = key(domain, refusal.submitter(), trusted);
                Silence.Known known = presences.get(key);
                if (known != null
                        && !now.isBefore(Incident.end(known.presence().newest().plusDays(1)))) {
                    presences.put(key, new Silence.Known(known.presence(), known.refused() + 1, refusal.reason()));
                }
            }
        }
    }

    /// A reporter whose silence was only seen in what it no longer writes about this domain is let go without a word.
    private void forget(String domain, Instant now) {
        Listening heard = listening.get(Subject.SILENCE);
        if (heard == null) {
            return;
        }
        Map<String, Claim> before = silence(heard, now).claims();
        if (!WatchDepartures.take(domain, presences).isEmpty()) {
            counts = null;
        }
        standings.forget(domain, now);
        Map<String, Claim> after = silence(heard, now).claims();
        for (Standing standing : standings.firing()) {
            if (before.containsKey(standing.alertId) && !after.containsKey(standing.alertId)) {
                standings.drop(standing, now);
            }
        }
    }

    private void tick(Instant now) {
        if (now.isBefore(lookAgainAt)) {
            return;
        }
        Listening known = listening.get(Subject.SILENCE);
        if (known == null) {
            return; // another task is the one that hears of reporters, or nobody writes yet
        }
        Listening awake = known.awake(now);
        listening.put(Subject.SILENCE, awake);
        if (now.isBefore(behindUntil)
                || now.isBefore(startedAt.plus(settings.get().alerting().rules().settle()))) {
            return;
        }
        lookAgainAt = now.plus(LOOK);
        look(awake, now);
    }

    private void look(Listening awake, Instant now) {
        Silence silence = silence(awake, now);
        Map<String, Claim> claims = silence.claims();
        for (Standing standing : standings.firing()) {
            if (!claims.containsKey(standing.alertId)) {
                Silence.Ending ending = silence.ending(standing);
                // of what was just taken over the reports may still have to be read again
                boolean wait = ending.why() == Resolution.STALE && standing.takenOver(now.minus(Incident.STALE));
                if (!wait) {
                    standings.ended(standing.alertId, ending.why(), ending.words(), now);
                }
            }
        }
        claims.values().forEach(claim -> standings.holds(claim, now));
        standings.lookAgain(now);
    }

    /// What is known now; presences that are too old go.
    private Silence silence(Listening awake, Instant now) {
        List<Silence.Known> ours = new ArrayList<>();
        List<String> tooOld = new ArrayList<>();
        LocalDate horizon = Silence.lastDue(now, 0).minusDays(DAYS_KEPT);
        try (KeyValueIterator<String, Silence.Known> all = presences.all()) {
            while (all.hasNext()) {
                KeyValue<String, Silence.Known> entry = all.next();
                Presence presence = entry.value.presence();
                if (presence.newest().isBefore(horizon)) {
                    tooOld.add(entry.key);
                } else if (ourDomains.has(presence.policyDomain(), now)) {
                    ours.add(entry.value);
                }
            }
        }
        if (!tooOld.isEmpty()) {
            tooOld.forEach(presences::delete);
            counts = null;
        }
        return new Silence(ours, awake.heard(), awake.naps(), ourDomains::judges, now);
    }

    private int[] counts() {
        if (counts == null) {
            counts = new int[2];
            try (KeyValueIterator<String, Silence.Known> all = presences.all()) {
                while (all.hasNext()) {
                    counts[all.next().value.presence().trusted() ? 1 : 0]++;
                }
            }
        }
        return counts;
    }

    private static String key(String domain, String submitter, boolean trusted) {
        return StoreKey.of(domain, submitter, Boolean.toString(trusted));
    }

    /// @param kept how long a resolved alert stays in its topic
    /// @param judgedUntil what arrived until then was judged in another house, see [MovedIn]
    static ProcessorSupplier<String, Clue, String, AlertChange> supplier(
            Supplier<Settings> settings, DetectionMetrics metrics, Duration kept, Supplier<Instant> judgedUntil) {
        return new WithStores<>(
                () -> new JudgeSilence(settings, metrics, kept, judgedUntil),
                Set.of(
                        WithStores.store(PRESENCES, Silence.Known.class),
                        WithStores.store(LISTENING, Listening.class),
                        WithStores.store(ALERTS, Standing.class)));
    }
}

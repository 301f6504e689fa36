package io.tlsrpt.alerting;

import io.tlsrpt.report.RefusalHelp;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Alert.Evidence;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/// Judges each reporter by what it saw over all domains (rule `reporter-fault`), and what arrives of a reporter, or
/// about a domain, by how much of it is refused (rule `rejections`).
///
/// Refused mails are a stranger's word: they are counted only for reporters that are known by accepted trusted reports,
/// and for domains of ours.
@SuppressWarnings("NullAway.Init") // Streams calls init before anything else
final class JudgeReporters implements Processor<String, Clue, String, AlertChange> {

    static final String SIGHTINGS = "reporter-sightings";
    static final String DAYS = "reporter-days";
    static final String ARRIVALS = "arrivals";
    static final String ALERTS = "reporter-alerts";

    /// Sightings are of reports that came in time, at most three days after a day of at most eight.
    private static final int DAYS_JUDGED = 11;

    private static final int MOST_DOMAINS = 100;
    private static final Duration TICK = Duration.ofSeconds(30);
    private static final Duration QUIET = Duration.ofDays(1);
    private static final Duration BEHIND = Duration.ofHours(1);
    private static final Duration CAUGHT_UP = Duration.ofSeconds(30);

    private final Supplier<Settings> settings;
    private final DetectionMetrics metrics;
    private final Duration kept;
    private final Supplier<Instant> judgedUntil;
    private ProcessorContext<String, AlertChange> context;
    private OurDomains ourDomains;
    private KeyValueStore<String, Sighting> sightings;
    private KeyValueStore<String, ReporterDay> days;
    private KeyValueStore<String, Arrivals> arrivals;
    private Standings standings;
    private Sweep<Sighting> sightingSweep;
    private Sweep<ReporterDay> daySweep;
    private Sweep<Arrivals> arrivalSweep;
    private Instant behindUntil = Instant.EPOCH;

    private JudgeReporters(
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
        sightings = context.getStateStore(SIGHTINGS);
        days = context.getStateStore(DAYS);
        arrivals = context.getStateStore(ARRIVALS);
        standings = new Standings(Rule.Bench.REPORTER, ALERTS, context, settings, metrics, kept, judgedUntil);
        sightingSweep = new Sweep<>(sightings);
        daySweep = new Sweep<>(days);
        arrivalSweep = new Sweep<>(arrivals);
        behindUntil = Instant.EPOCH;
        context.schedule(TICK, PunctuationType.WALL_CLOCK_TIME, wallClock -> tick(Instant.ofEpochMilli(wallClock)));
    }

    @Override
    public void process(Record<String, Clue> record) {
        Instant now = Instant.ofEpochMilli(record.timestamp());
        Instant wallClock = Instant.ofEpochMilli(context.currentSystemTimeMs());
        if (now.isBefore(wallClock.minus(BEHIND))) {
            behindUntil = wallClock.plus(CAUGHT_UP);
        }
        Clue clue = record.value();
        String subject = record.key();
        if (clue.departed() != null) {
            forget(clue.departed(), now);
            return;
        }
        boolean intake = Subject.isIntake(subject);
        if (!intake && !Subject.isReporter(subject)) {
            return;
        }
        if (clue.action() != null) {
            standings.act(clue.action(), now);
        } else if (clue.remembered() != null) {
            standings.remember(clue.remembered());
        } else if (clue.sighting() != null && intake) {
            accepted(subject, clue.sighting(), now);
        } else if (clue.sighting() != null) {
            saw(subject, clue.sighting(), now, wallClock);
        } else if (clue.refusal() != null) {
            refused(subject, clue.refusal(), now, wallClock);
        }
    }

    private void saw(String subject, Sighting sighting, Instant now, Instant wallClock) {
        String submitter = sighting.submitter();
        String key = StoreKey.of(
                submitter, sighting.day().toString(), sighting.policyDomain(), Boolean.toString(sighting.trusted()));
        Sighting before = sightings.get(key);
        if (before == null ? !sighting.reporting() : sighting.equals(before)) {
            return;
        }
        String dayKey = StoreKey.of(submitter, sighting.day().toString());
        ReporterDay day = Objects.requireNonNullElse(days.get(dayKey), ReporterDay.EMPTY);
        day = (before == null ? day : day.minus(before)).plus(sighting, now);
        days.put(dayKey, day);
        if (sighting.reporting()) {
            sightings.put(key, sighting);
        } else {
            sightings.delete(key);
        }
        if (before == null && sighting.trusted()) {
            accepted(subject, sighting, now);
        }
        if (now.plus(Incident.STALE).isAfter(wallClock)) {
            judge(submitter, before, now);
        }
    }

    /// Takes a domain out of what its reporters saw. A fault that nothing bears without it is let go without a word.
    private void forget(Departed departed, Instant now) {
        LocalDate today = day(now);
        for (String submitter : departed.submitters()) {
            for (int back = -WatchMx.DAYS_AHEAD; back <= 2 * DAYS_JUDGED; back++) {
                String day = today.minusDays(back).toString();
                for (boolean trusted : new boolean[] {true, false}) {
                    Sighting sighting =
                            sightings.delete(StoreKey.of(submitter, day, departed.domain(), Boolean.toString(trusted)));
                    ReporterDay seen = sighting == null ? null : days.get(StoreKey.of(submitter, day));
                    if (sighting != null && seen != null) {
                        days.put(StoreKey.of(submitter, day), seen.minus(sighting));
                    }
                }
            }
        }
        arrivals.delete(Subject.intake(departed.domain()));
        standings.forget(departed.domain(), now);
        for (Standing standing : standings.firing(Rule.REPORTER_FAULT)) {
            String submitter = Objects.requireNonNull(standing.submitter);
            String type = Objects.requireNonNull(standing.resultType);
            boolean borne = known(submitter, now).values().stream()
                    .anyMatch(day -> ReporterFaultRule.holds(day.trusted(), type)
                            || ReporterFaultRule.holds(day.untrusted(), type));
            if (departed.submitters().contains(submitter) && !borne) {
                standings.drop(standing, now);
            }
        }
    }

    private NavigableMap<LocalDate, ReporterDay> known(String submitter, Instant now) {
        NavigableMap<LocalDate, ReporterDay> known = new TreeMap<>();
        LocalDate today = day(now);
        for (int back = 0; back <= DAYS_JUDGED; back++) {
            ReporterDay day =
                    days.get(StoreKey.of(submitter, today.minusDays(back).toString()));
            if (day != null) {
                known.put(today.minusDays(back), day);
            }
        }
        return known;
    }

    private void judge(String submitter, @Nullable Sighting before, Instant now) {
        NavigableMap<LocalDate, ReporterDay> known = known(submitter, now);
        Set<String> types = new TreeSet<>();
        known.values().forEach(day -> {
            types.addAll(day.trusted().types().keySet());
            types.addAll(day.untrusted().types().keySet());
        });
        if (before != null) {
            types.addAll(before.failing().keySet());
        }
        types.forEach(type -> judge(submitter, type, known, now));
    }

    private void judge(String submitter, String type, NavigableMap<LocalDate, ReporterDay> known, Instant now) {
        String alertId = Life.alertId(Rule.REPORTER_FAULT, type, null, null, submitter);
        boolean trusted = known.values().stream().anyMatch(day -> ReporterFaultRule.holds(day.trusted(), type));
        LocalDate bad = known.descendingMap().entrySet().stream()
                .filter(entry -> ReporterFaultRule.holds(entry.getValue().side(trusted), type))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(null);
        if (bad == null) {
            standings.ended(alertId, Resolution.RETRACTED, "others report it too, or its reports were taken back", now);
            return;
        }
        ReporterDay day = Objects.requireNonNull(known.get(bad));
        ReporterDay.Side side = day.side(trusted);
        boolean over = known.tailMap(bad, false).values().stream()
                .anyMatch(later -> ReporterFaultRule.clean(later.side(trusted), type, side));
        if (over) {
            standings.ended(alertId, Resolution.RECOVERED, "its later reports are free of it", now);
        } else if (day.heardAt().plus(Incident.STALE).isAfter(now)) {
            standings.holds(fault(submitter, type, bad, side, trusted, now), now);
        }
    }

    private Claim fault(
            String submitter, String type, LocalDate day, ReporterDay.Side side, boolean trusted, Instant now) {
        ReporterDay.Count count = side.of(type);
        Standing known = standings.get(Life.alertId(Rule.REPORTER_FAULT, type, null, null, submitter));
        List<String> listed = known == null
                        || !known.firing
                        || known.updateAt().isBefore(now)
                        || !known.claim.evidence().window().equals(day)
                ? null
                : known.claim.evidence().affectedDomains();
        List<String> domains = listed != null ? listed : domains(submitter, type, day, trusted);
        String trouble = (trusted ? "" : "unverified ") + shown(submitter) + " reports " + type + " on "
                + count.failing() + " of " + side.domains() + " domains on " + day
                + " and nobody else does: its own clock or resolver?";
        return new Claim(
                Rule.REPORTER_FAULT,
                type,
                null,
                null,
                submitter,
                Severity.WARNING,
                trouble,
                new Evidence(
                        day,
                        trusted ? null : Inhibition.UNVERIFIED,
                        count.failedSessions(),
                        side.sessions(),
                        0,
                        0,
                        null,
                        List.of(submitter),
                        null,
                        null,
                        domains,
                        count.failing()));
    }

    private List<String> domains(String submitter, String type, LocalDate day, boolean trusted) {
        List<String> domains = new ArrayList<>();
        try (KeyValueIterator<String, Sighting> all =
                sightings.prefixScan(StoreKey.prefix(submitter, day.toString()), new StringSerializer())) {
            while (all.hasNext() && domains.size() < MOST_DOMAINS) {
                Sighting sighting = all.next().value;
                if (sighting.trusted() == trusted && sighting.failing().containsKey(type)) {
                    domains.add(sighting.policyDomain());
                }
            }
        }
        return domains;
    }

    private void accepted(String subject, Sighting sighting, Instant now) {
        Arrivals before = Objects.requireNonNullElse(arrivals.get(subject), Arrivals.NONE);
        arrivals.put(subject, before.accepted(day(now), sighting.trusted(), now));
    }

    private void refused(String subject, Refusal refusal, Instant now, Instant wallClock) {
        RefusalReason reason = RefusalReason.of(refusal.reason()).orElse(null);
        Arrivals before = arrivals.get(subject);
        boolean known = Subject.isIntake(subject) || (before != null && before.known(now));
        if (reason == null || !known) {
            return;
        }
        Arrivals after = Objects.requireNonNullElse(before, Arrivals.NONE).refused(day(now), reason, refusal, now);
        arrivals.put(subject, after);
        if (now.plus(Incident.STALE).isAfter(wallClock) && judges(subject)) {
            after.excess().ifPresent(excess -> standings.holds(rejections(subject, after, excess), now));
        }
    }

    private boolean judges(String subject) {
        return !Subject.isIntake(subject) || ourDomains.judges(Rule.REJECTIONS, Subject.name(subject));
    }

    private static Claim rejections(String subject, Arrivals arrived, Arrivals.Excess excess) {
        boolean intake = Subject.isIntake(subject);
        String name = Subject.name(subject);
        RefusalHelp help = RefusalHelp.of(excess.reason());
        String detail = arrived.detail().get(excess.reason());
        boolean bodyChanged =
                excess.reason() == RefusalReason.DKIM_FAILED && detail != null && detail.contains("body-hash");
        String trouble = excess.refusedInAll() + " of " + excess.arrived() + " " + things(arrived.source())
                + (intake ? " about " : " that name ") + shown(name) + (intake ? "" : " as their reporter")
                + " were refused on " + arrived.day() + ", "
                + (excess.refused() == excess.refusedInAll() ? "" : excess.refused() + " of them as ")
                + excess.reason().word() + ": "
                + (bodyChanged
                        ? "DKIM body hash failed; does a gateway add a banner to this mailbox?"
                        : help.meaning());
        boolean strangers = help.fault() == RefusalHelp.Fault.STRANGER
                || excess.reason() == RefusalReason.NOT_DKIM_SIGNED
                || excess.reason() == RefusalReason.FOREIGN_DOMAIN;
        return new Claim(
                Rule.REJECTIONS,
                null,
                intake ? name : null,
                null,
                intake ? null : name,
                strangers ? Severity.INFO : Severity.WARNING,
                trouble,
                new Evidence(
                        arrived.day(),
                        null,
                        0,
                        0,
                        0,
                        0,
                        null,
                        intake ? null : List.of(name),
                        null,
                        List.of(excess.reason().word()),
                        null,
                        null));
    }

    private static String things(@Nullable String source) {
        return switch (source == null ? "" : source) {
            case "smtp", "lmtp", "imap" -> "mails";
            default -> "reports";
        };
    }

    private void tick(Instant now) {
        sweep();
        if (now.isBefore(behindUntil)) {
            return;
        }
        for (Standing standing : standings.firing()) {
            if (standing.rule == Rule.REPORTER_FAULT) {
                endFault(standing, now);
            } else {
                endRejections(standing, now);
            }
        }
        standings.lookAgain(now);
    }

    private void endFault(Standing standing, Instant now) {
        String key = StoreKey.of(
                Objects.requireNonNull(standing.submitter),
                standing.claim.evidence().window().toString());
        ReporterDay day = days.get(key);
        Instant heardAt = day == null ? knownAt(standing) : day.heardAt();
        if (!heardAt.plus(Incident.STALE).isAfter(now)) {
            standings.ended(standing.alertId, Resolution.STALE, "no data for 7 days, not a recovery", now);
        }
    }

    /// When there was evidence at the latest, of an alert that was taken over and of which none is left.
    private static Instant knownAt(Standing standing) {
        return standing.takenOverUntil == null ? Instant.EPOCH : standing.takenOverUntil;
    }

    private void endRejections(Standing standing, Instant now) {
        String subject = standing.submitter != null
                ? Subject.reporter(standing.submitter)
                : Subject.intake(Objects.requireNonNull(standing.policyDomain));
        Arrivals arrived = arrivals.get(subject);
        Instant refusedAt = arrived == null ? null : arrived.refusedAt();
        if (arrived == null || refusedAt == null) {
            if (!knownAt(standing).plus(Incident.STALE).isAfter(now)) {
                standings.ended(standing.alertId, Resolution.STALE, "nothing arrived for 7 days, not a recovery", now);
            }
        } else if (!refusedAt.plus(Incident.STALE).isAfter(now)) {
            standings.ended(standing.alertId, Resolution.STALE, "nothing arrived for 7 days, not a recovery", now);
        } else if (arrived.acceptedAt() != null
                && arrived.acceptedAt().isAfter(refusedAt)
                && !refusedAt.plus(QUIET).isAfter(now)) {
            standings.ended(standing.alertId, Resolution.RECOVERED, "reports are accepted again", now);
        } else if (!judges(subject)) {
            standings.ended(standing.alertId, Resolution.MANUAL, "the rule was turned off", now);
        }
    }

    private void sweep() {
        LocalDate today = day(Instant.ofEpochMilli(context.currentStreamTimeMs()));
        LocalDate horizon = today.minusDays(2L * DAYS_JUDGED);
        sightingSweep.slice(entry -> StoreKey.day(entry.key).isBefore(horizon));
        daySweep.slice(entry -> StoreKey.day(entry.key).isBefore(horizon));
        LocalDate unknown = today.minusDays(WatchMx.DAYS_KEPT);
        arrivalSweep.slice(
                (KeyValue<String, Arrivals> entry) -> entry.value.day().isBefore(unknown));
    }

    private static String shown(String name) {
        return CleanText.of(name, 100);
    }

    private static LocalDate day(Instant instant) {
        return LocalDate.ofInstant(instant, ZoneOffset.UTC);
    }

    /// @param kept how long a resolved alert stays in its topic
    /// @param judgedUntil what arrived until then was judged in another house, see [MovedIn]
    static ProcessorSupplier<String, Clue, String, AlertChange> supplier(
            Supplier<Settings> settings, DetectionMetrics metrics, Duration kept, Supplier<Instant> judgedUntil) {
        return new WithStores<>(
                () -> new JudgeReporters(settings, metrics, kept, judgedUntil),
                Set.of(
                        WithStores.store(SIGHTINGS, Sighting.class),
                        WithStores.store(DAYS, ReporterDay.class),
                        WithStores.store(ARRIVALS, Arrivals.class),
                        WithStores.store(ALERTS, Standing.class)));
    }
}

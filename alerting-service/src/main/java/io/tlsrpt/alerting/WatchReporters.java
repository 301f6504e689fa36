package io.tlsrpt.alerting;

import io.tlsrpt.report.ResultType;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Departure;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

/// Sends what each aggregate says of its reporter: to the reporter, what it saw beside what the others saw
/// ([Sighting]); to where silence is judged, on which days it wrote ([Presence]).
///
/// Only reports that came in time count, so that an import of history makes nobody regular, and then silent.
@SuppressWarnings("NullAway.Init") // Streams calls init before anything else
final class WatchReporters implements Processor<AggregateKey, @Nullable Aggregate, String, Clue> {

    static final String DAYS = "domain-days";
    static final String ATTENDANCE = "attendance";

    private static final Duration TICK = Duration.ofSeconds(30);
    private static final int MOST_TRUSTED = 200;
    private static final int MOST_UNTRUSTED = 50;

    private final Supplier<Settings> settings;
    private ProcessorContext<String, Clue> context;
    private OurDomains ourDomains;
    private KeyValueStore<String, DomainDay> days;
    private KeyValueStore<String, Attendance> attendance;
    private Sweep<DomainDay> daySweep;
    private Sweep<Attendance> attendanceSweep;

    private WatchReporters(Supplier<Settings> settings) {
        this.settings = settings;
    }

    @Override
    public void init(ProcessorContext<String, Clue> given) {
        context = given;
        ourDomains = new OurDomains(settings, context);
        days = context.getStateStore(DAYS);
        attendance = context.getStateStore(ATTENDANCE);
        daySweep = new Sweep<>(days);
        attendanceSweep = new Sweep<>(attendance);
        context.schedule(TICK, PunctuationType.WALL_CLOCK_TIME, wallClock -> sweep());
    }

    @Override
    public void process(Record<AggregateKey, @Nullable Aggregate> record) {
        AggregateKey key = record.key();
        Aggregate aggregate = record.value();
        if (aggregate == null && record.headers().lastHeader(Departure.HEADER) != null) {
            if (days.get(StoreKey.of(key.policyDomain(), key.window().toString())) != null) {
                List<String> submitters = forget(key.policyDomain(), days, attendance);
                send(record, Subject.DEPARTED, Clue.of(new Departed(key.policyDomain(), List.of(), submitters)));
            }
            return;
        }
        LocalDate today = today(Math.max(record.timestamp(), context.currentStreamTimeMs()));
        if (!WatchMx.POLICY_TYPES.contains(key.policyType())
                || key.window().isBefore(today.minusDays(WatchMx.DAYS))
                || key.window().isAfter(today.plusDays(WatchMx.DAYS_AHEAD))
                || (aggregate != null
                        && !ourDomains.has(key.policyDomain(), Instant.ofEpochMilli(record.timestamp())))) {
            return;
        }
        String dayKey = StoreKey.of(key.policyDomain(), key.window().toString());
        DomainDay known = days.get(dayKey);
        DomainDay before = known == null ? DomainDay.EMPTY : known;
        String submitter = CleanText.of(key.submitter(), 255);
        DomainDay after = aggregate != null && MxCell.fresh(aggregate)
                ? before.with(seen(LeftOut.of(aggregate, settings.get(), why -> {}), submitter))
                : before.without(submitter, key.authentication(), key.policyType());
        if (after.equals(before)) {
            return;
        }
        if (after.cells().isEmpty()) {
            days.delete(dayKey);
        } else {
            days.put(dayKey, after);
        }
        sendSightings(record, before, after);
        attend(record, new DomainDay.Who(submitter, MxCell.trusted(key.authentication())), after);
    }

    /// Deletes what is known of a domain.
    ///
    /// @return who reported about it
    static List<String> forget(
            String domain, KeyValueStore<String, DomainDay> days, KeyValueStore<String, Attendance> attendance) {
        List<String> submitters = new ArrayList<>();
        WatchDepartures.take(domain, days)
                .forEach(day -> day.value.cells().forEach(seen -> submitters.add(seen.submitter())));
        WatchDepartures.take(domain, attendance);
        return WatchDepartures.names(submitters);
    }

    private void sendSightings(Record<AggregateKey, @Nullable Aggregate> record, DomainDay before, DomainDay after) {
        String domain = record.key().policyDomain();
        Map<DomainDay.Who, Sighting> old = before.sightings(domain, record.key().window());
        Map<DomainDay.Who, Sighting> now = after.sightings(domain, record.key().window());
        Set<DomainDay.Who> all = new TreeSet<>(old.keySet());
        all.addAll(now.keySet());
        for (DomainDay.Who who : all) {
            Sighting was = old.get(who);
            Sighting is = now.get(who);
            if (is == null && was != null) {
                send(record, Subject.reporter(who.submitter()), Clue.of(was.takenBack()));
            } else if (is != null && !is.equals(was)) {
                send(record, Subject.reporter(who.submitter()), Clue.of(is));
                if (was == null) {
                    send(record, Subject.intake(domain), Clue.of(is));
                }
            }
        }
    }

    private void attend(Record<AggregateKey, @Nullable Aggregate> record, DomainDay.Who who, DomainDay day) {
        String domain = record.key().policyDomain();
        LocalDate window = record.key().window();
        String key = StoreKey.of(domain, who.submitter(), Boolean.toString(who.trusted()));
        Attendance stored = attendance.get(key);
        if (stored == null && full(domain, who.trusted())) {
            return;
        }
        Attendance before = stored == null ? Attendance.NONE : stored;
        Attendance after = day.arrival(who)
                .map(arrival -> before.with(window, hoursAfter(window, arrival)))
                .orElseGet(() -> before.without(window));
        if (after.equals(before)) {
            return;
        }
        if (after.delays().isEmpty()) {
            attendance.delete(key);
        } else {
            attendance.put(key, after);
        }
        Presence was = before.presence(domain, who, window);
        Presence is = after.presence(domain, who, window);
        if (!is.equals(was)) {
            send(record, Subject.SILENCE, Clue.of(is));
        }
    }

    /// Whether the domain has as many reporters of this trust as are kept.
    private boolean full(String domain, boolean trusted) {
        int most = trusted ? MOST_TRUSTED : MOST_UNTRUSTED;
        int count = 0;
        String suffix = StoreKey.prefix("") + trusted;
        try (KeyValueIterator<String, Attendance> all =
                attendance.prefixScan(StoreKey.prefix(domain), new StringSerializer())) {
            while (all.hasNext() && count < most) {
                KeyValue<String, Attendance> entry = all.next();
                count += entry.key.endsWith(suffix) ? 1 : 0;
            }
        }
        return count >= most;
    }

    private static DomainDay.Seen seen(Aggregate aggregate, String submitter) {
        Map<String, Long> failing = new HashMap<>();
        for (Aggregate.Failure failure : aggregate.failures()) {
            if (failure.failedSessionCount() > 0
                    && ResultType.of(failure.resultType()).registered()) {
                failing.merge(
                        failure.resultType(), Math.min(failure.failedSessionCount(), MxCell.MOST_SESSIONS), Long::sum);
            }
        }
        long sessions = Math.clamp(aggregate.totalSuccessfulSessionCount(), 0, MxCell.MOST_SESSIONS)
                + Math.clamp(aggregate.totalFailureSessionCount(), 0, MxCell.MOST_SESSIONS);
        return new DomainDay.Seen(
                submitter,
                aggregate.authentication(),
                aggregate.policyType(),
                sessions,
                Map.copyOf(failing),
                aggregate.firstReceivedAt());
    }

    private static int hoursAfter(LocalDate day, Instant arrival) {
        long minutes = Duration.between(Incident.end(day), arrival).toMinutes();
        return (int) Math.ceilDiv(Math.max(0, minutes), 60);
    }

    private void send(Record<AggregateKey, @Nullable Aggregate> record, String subject, Clue clue) {
        context.forward(new Record<>(subject, clue, record.timestamp()));
    }

    private void sweep() {
        LocalDate horizon = today(context.currentStreamTimeMs()).minusDays(WatchMx.DAYS_KEPT);
        daySweep.slice(entry -> StoreKey.day(entry.key).isBefore(horizon));
        attendanceSweep.slice(entry -> entry.value.isBefore(horizon));
    }

    private static LocalDate today(long millis) {
        return LocalDate.ofInstant(Instant.ofEpochMilli(millis), ZoneOffset.UTC);
    }

    static ProcessorSupplier<AggregateKey, @Nullable Aggregate, String, Clue> supplier(Supplier<Settings> settings) {
        return new WithStores<>(
                () -> new WatchReporters(settings),
                Set.of(WithStores.store(DAYS, DomainDay.class), WithStores.store(ATTENDANCE, Attendance.class)));
    }
}

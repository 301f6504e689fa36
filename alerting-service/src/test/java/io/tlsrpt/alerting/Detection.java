package io.tlsrpt.alerting;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.runtime.KafkaSettings;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertAction;
import io.tlsrpt.topics.Departure;
import io.tlsrpt.topics.DomainClaim;
import io.tlsrpt.topics.Inspection;
import io.tlsrpt.topics.Json;
import io.tlsrpt.topics.JsonSerde;
import io.tlsrpt.topics.ReportHeaders;
import io.tlsrpt.topics.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;

/// Drives the detection topology with aggregates: the clock stands where a test puts it, records arrive at that time.
final class Detection implements AutoCloseable {

    static final LocalDate DAY_0 = LocalDate.parse("2026-11-20");
    static final String EXPIRED = "certificate-expired";
    static final String STARTTLS = "starttls-not-supported";
    static final String MX = "mx1.example.com";

    private static final Topics TOPICS = new Topics("tlsrpt.", Duration.ofDays(400));

    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final TopologyTestDriver driver;
    private final TestInputTopic<AggregateKey, Aggregate> aggregates;
    private final TestInputTopic<String, DomainClaim> claims;
    private final TestInputTopic<String, AlertAction> actions;
    private final TestInputTopic<String, Inspection> inspections;
    private final TestInputTopic<String, Departure> departures;
    private final TestInputTopic<String, byte[]> rejected;
    private final TestOutputTopic<String, Alert> alerts;
    private final TestOutputTopic<String, Alert> history;

    /// Latest state by alert-id, as a reader of the compacted topic sees it.
    final Map<String, Alert> state = new LinkedHashMap<>();

    /// Every transition.
    final List<Alert> transitions = new ArrayList<>();

    /// Every record of the alerts topic, tombstones as null.
    final List<@Nullable Alert> records = new ArrayList<>();

    private final List<Sent> sent = new ArrayList<>();
    private final Path directory;
    private Instant now;
    private int acted;
    private Settings settings;

    /// What arrived until then was judged in another house.
    Instant judgedUntil = Instant.EPOCH;

    /// Of the rules about silence: off, since most tests let weeks pass without a report.
    private String silence = "reporter-silent: false, domain-silent: false, intake-broken: false";

    Detection(Path directory) {
        this(directory, DAY_0.minusDays(30));
    }

    /// @param today the clock starts at its beginning
    Detection(Path directory, LocalDate today) {
        this.now = Incident.end(today.minusDays(1));
        this.directory = directory;
        this.settings = settings(directory, silence, "");
        this.driver = new TopologyTestDriver(topology(), properties(), now);
        this.aggregates = driver.createInputTopic(
                TOPICS.aggregates().name(),
                new JsonSerde<>(AggregateKey.class).serializer(),
                new JsonSerde<>(Aggregate.class).serializer());
        this.claims = driver.createInputTopic(
                TOPICS.domains().name(), new StringSerializer(), new JsonSerde<>(DomainClaim.class).serializer());
        this.actions = driver.createInputTopic(
                TOPICS.alertActions().name(), new StringSerializer(), new JsonSerde<>(AlertAction.class).serializer());
        this.inspections = driver.createInputTopic(
                TOPICS.inspections().name(), new StringSerializer(), new JsonSerde<>(Inspection.class).serializer());
        this.departures = driver.createInputTopic(
                TOPICS.departures().name(), new StringSerializer(), new JsonSerde<>(Departure.class).serializer());
        this.rejected =
                driver.createInputTopic(TOPICS.rejected().name(), new StringSerializer(), new ByteArraySerializer());
        this.alerts = driver.createOutputTopic(
                TOPICS.alerts().name(), new StringDeserializer(), new JsonSerde<>(Alert.class).deserializer());
        this.history = driver.createOutputTopic(
                TOPICS.alertHistory().name(), new StringDeserializer(), new JsonSerde<>(Alert.class).deserializer());
    }

    Topology topology() {
        return DetectionTopology.build(
                TOPICS, () -> settings, new DetectionMetrics(meters), properties(), () -> judgedUntil);
    }

    private Properties properties() {
        return new KafkaSettings(settings).streams("tlsrpt.alerting-service", Map.of());
    }

    /// @param rules as in the settings file, `certificate: false`
    void rules(String rules) {
        settings = settings(directory, silence, rules);
    }

    /// @param yaml the whole of `domains` and `alerting`
    void configured(String yaml) {
        settings = SettingsFile.parse("test", """
                data: %s
                kafka: {bootstrap-servers: "127.0.0.1:9092"}
                """.formatted(directory) + yaml, name -> null);
    }

    /// With the rules about silence on, half an hour after each start.
    Detection listening() {
        silence = "settle: 30m";
        settings = settings(directory, silence, "");
        return this;
    }

    private static Settings settings(Path data, String silence, String rules) {
        return SettingsFile.parse(
                "test", """
                data: %s
                domains:
                  - {name: example.com, labels: {team: mail, tier: gold}}
                  - {name: "*.example.net", labels: {team: mail, tier: lead}}
                kafka: {bootstrap-servers: "127.0.0.1:9092"}
                alerting:
                  public-url: https://tls.example.com
                  rules: {%s}
                """.formatted(data, rules.isEmpty() ? silence : silence + ", " + rules), name -> null);
    }

    /// From now on only configured and accepted domains are ours.
    void discover() {
        settings = SettingsFile.parse("test", """
                data: %s
                domains: [{name: example.com}]
                rua: ["mailto:tlsrpt@reports.example"]
                discovery: {enabled: true}
                kafka: {bootstrap-servers: "127.0.0.1:9092"}
                """.formatted(directory), name -> null);
    }

    /// What intake writes when it discovers a domain.
    Detection pending(String domain) {
        claims.pipeInput(domain, DomainClaim.pending(domain, "mailto:tlsrpt@reports.example", now), now);
        return this;
    }

    /// What intake writes when the operator accepts one.
    Detection accepted(String domain) {
        DomainClaim claim = DomainClaim.pending(domain, "mailto:tlsrpt@reports.example", now);
        claims.pipeInput(domain, claim.accept(now), now);
        return this;
    }

    /// What intake writes when a domain is forgotten.
    Detection forgotten(String domain) {
        claims.pipeInput(new TestRecord<>(domain, null, now));
        return this;
    }

    /// What the console writes when a domain is to be forgotten.
    Detection departs(String domain) {
        return departed(domain, now);
    }

    /// The same, read later.
    Detection departed(String domain, Instant at) {
        departures.pipeInput(domain, new Departure(domain, at, "alice"), at);
        drain();
        return this;
    }

    /// What the processor writes of each cell of a domain that departed.
    Detection cellsLeave(String domain) {
        for (AggregateKey key : sent.stream()
                .map(each -> each.aggregate().key())
                .filter(key -> key.policyDomain().equals(domain))
                .distinct()
                .toList()) {
            Headers headers = TOPICS.aggregates().newHeaders();
            ReportHeaders.put(headers, Departure.HEADER, now.toString());
            aggregates.pipeInput(new TestRecord<>(key, null, headers, now));
        }
        drain();
        return this;
    }

    /// How many entries of the state stores tell of something, by key or by value.
    Map<String, Integer> storesThatTellOf(String text) {
        Map<String, Integer> telling = new TreeMap<>();
        stores().forEach((name, entries) -> entries.forEach((key, value) -> {
            if (key.toString().contains(text)
                    || Json.MAPPER.writeValueAsString(value).contains(text)) {
                telling.merge(name, 1, Integer::sum);
            }
        }));
        return telling;
    }

    /// A cell and when it arrived.
    record Sent(Aggregate aggregate, Instant arrived) {}

    /// Every cell that arrived, in order.
    List<Sent> sent() {
        return sent;
    }

    Settings settings() {
        return settings;
    }

    Instant now() {
        return now;
    }

    /// What an application that begins anew finds in the topic of alerts.
    Detection remembers(Map<String, Alert> state) {
        TestInputTopic<String, Alert> topic = driver.createInputTopic(
                TOPICS.alerts().name(), new StringSerializer(), new JsonSerde<>(Alert.class).serializer());
        state.forEach((alertId, alert) -> topic.pipeInput(alertId, alert, alert.updatedAt()));
        return this;
    }

    /// The same action as the one before.
    Detection actAgain(Alert alert, String action, @Nullable String text) {
        acted--;
        return act(alert, action, text);
    }

    /// What the console writes when somebody acts on an alert.
    Detection act(Alert alert, String action, @Nullable String text) {
        return actAt(now, alert, action, text);
    }

    Detection actAt(Instant at, Alert alert, String action, @Nullable String text) {
        actions.pipeInput(alert.alertId(), AlertAction.on(alert, "a" + ++acted, action, "alice", at, text), at);
        drain();
        return this;
    }

    /// What a live look writes.
    Detection looked(Inspection inspection) {
        inspections.pipeInput(inspection.policyDomain(), inspection, now);
        drain();
        return this;
    }

    /// A live look that was written earlier.
    Detection lookedAt(Instant at, Inspection inspection) {
        inspections.pipeInput(inspection.policyDomain(), inspection, at);
        drain();
        return this;
    }

    /// What intake writes when it refuses a mail of this reporter about this domain.
    Detection refused(@Nullable String submitter, @Nullable String domain, RefusalReason reason, String detail) {
        return refused(submitter, domain, reason, detail, false);
    }

    Detection refused(
            @Nullable String submitter,
            @Nullable String domain,
            RefusalReason reason,
            String detail,
            boolean backfill) {
        Headers headers = new ReportHeaders(
                        "smtp",
                        now,
                        "192.0.2.7",
                        Authentication.NONE,
                        null,
                        submitter,
                        null,
                        null,
                        List.of(),
                        backfill,
                        null,
                        null)
                .write(TOPICS.rejected().schema());
        ReportHeaders.put(headers, ReportHeaders.REASON, reason.word());
        ReportHeaders.put(headers, ReportHeaders.DETAIL, detail);
        String key = domain == null ? null : submitter + "|id" + ++acted + "|2026-11-20T00:00:00Z|" + domain;
        rejected.pipeInput(new TestRecord<>(key, new byte[100], headers, now));
        drain();
        return this;
    }

    /// Moves the clock; what falls due on the way happens.
    Detection at(Instant instant) {
        while (now.isBefore(instant)) {
            Duration step = Duration.between(now, instant);
            Duration most = Duration.ofHours(6);
            Duration taken = step.compareTo(most) > 0 ? most : step;
            driver.advanceWallClockTime(taken);
            now = now.plus(taken);
        }
        drain();
        return this;
    }

    /// Moves the clock to so many hours after the end of that day.
    Detection hoursAfter(LocalDate day, long hours) {
        return at(Incident.end(day).plus(Duration.ofHours(hours)));
    }

    Detection pass(Duration duration) {
        return at(now.plus(duration));
    }

    Cell cell(LocalDate day, String submitter) {
        return new Cell(day, submitter);
    }

    /// `days` days of clean reports up to the day before `until`, each ten hours after its end.
    Detection history(LocalDate until, int days, String submitter, long sessionsPerDay) {
        for (int back = days; back >= 1; back--) {
            hoursAfter(until.minusDays(back), 1);
            cell(until.minusDays(back), submitter).sessions(sessionsPerDay).arrives();
        }
        return this;
    }

    /// Every state store as it stands, for [#restore].
    Map<String, Map<Object, Object>> stores() {
        Map<String, Map<Object, Object>> stores = new LinkedHashMap<>();
        driver.getAllStateStores().keySet().forEach(name -> {
            Map<Object, Object> entries = new LinkedHashMap<>();
            try (KeyValueIterator<Object, Object> all =
                    driver.getKeyValueStore(name).all()) {
                all.forEachRemaining(entry -> entries.put(entry.key, entry.value));
            }
            stores.put(name, entries);
        });
        return stores;
    }

    /// Fills the state stores as a restart does from their changelogs.
    Detection restore(Map<String, Map<Object, Object>> stores) {
        stores.forEach((name, entries) -> entries.forEach(driver.getKeyValueStore(name)::put));
        return this;
    }

    /// An aggregate that arrived earlier.
    void replay(Aggregate aggregate, Instant arrived) {
        aggregates.pipeInput(aggregate.key(), aggregate, arrived);
        drain();
    }

    private void drain() {
        for (TestRecord<String, Alert> alert : alerts.readRecordsToList()) {
            Alert value = alert.value();
            records.add(value);
            if (value == null) {
                state.remove(alert.key());
            } else {
                state.put(alert.key(), value);
            }
        }
        transitions.addAll(history.readValuesToList());
    }

    Alert only() {
        if (state.size() != 1) {
            throw new AssertionError("expected one alert, but there are " + state.values());
        }
        return state.values().iterator().next();
    }

    /// `<state> <severity>` of each transition.
    List<String> told() {
        return transitions.stream()
                .map(alert -> alert.state() + " " + (alert.firing() ? alert.severity() : alert.resolveReason()))
                .toList();
    }

    /// What is firing now: alert-id and severity.
    Map<String, String> firing() {
        Map<String, String> firing = new TreeMap<>();
        state.values().stream().filter(Alert::firing).forEach(alert -> firing.put(alert.alertId(), alert.severity()));
        return firing;
    }

    /// Sum of the counter of this name over all tags.
    double counted(String name) {
        return meters.find(name).counters().stream()
                .mapToDouble(counter -> counter.count())
                .sum();
    }

    double counted(String name, String tag, String value) {
        return meters.find(name).tag(tag, value).counters().stream()
                .mapToDouble(counter -> counter.count())
                .sum();
    }

    @Override
    public void close() {
        driver.close();
    }

    /// An aggregate in the making: example.com, sts, enforce, dkim, in time.
    final class Cell {

        private final LocalDate day;
        private final String submitter;
        private String domain = "example.com";
        private String policyType = "sts";
        private String authentication = "dkim";
        private @Nullable String mode = "enforce";
        private long successful;
        private long failed;
        private boolean backfill;
        private final List<Aggregate.Failure> failures = new ArrayList<>();

        private Cell(LocalDate day, String submitter) {
            this.day = day;
            this.submitter = submitter;
        }

        Cell domain(String name) {
            domain = name;
            return this;
        }

        Cell policyType(String word) {
            policyType = word;
            return this;
        }

        Cell authentication(String word) {
            authentication = word;
            return this;
        }

        Cell mode(@Nullable String word) {
            mode = word;
            return this;
        }

        Cell backfill() {
            backfill = true;
            return this;
        }

        /// Clean sessions only.
        Cell sessions(long count) {
            successful = count;
            return this;
        }

        /// So many of all sessions failed at [#MX].
        Cell failed(String resultType, long count, long of) {
            return failed(resultType, MX, count, of);
        }

        /// So many of as many sessions failed at an MX that the report does not name.
        Cell failedSomewhere(String resultType, long count, long of) {
            return failed(resultType, null, count, of);
        }

        Cell failed(String resultType, @Nullable String mx, long count, long of) {
            failed = count;
            successful = Math.max(0, of - count);
            failures.add(new Aggregate.Failure(
                    resultType, mx, count, 1, List.of("192.0.2.1"), List.of("X509_V_ERR_CERT_HAS_EXPIRED")));
            return this;
        }

        /// The summary's own numbers.
        Cell totals(long successfulSessions, long failedSessions) {
            successful = successfulSessions;
            failed = failedSessions;
            return this;
        }

        Aggregate aggregate() {
            return new Aggregate(
                    day,
                    domain,
                    policyType,
                    submitter,
                    authentication,
                    successful,
                    failed,
                    1,
                    mode,
                    List.copyOf(failures),
                    now,
                    now,
                    Incident.end(day).minusSeconds(1),
                    backfill);
        }

        void arrives() {
            Aggregate aggregate = aggregate();
            sent.add(new Sent(aggregate, now));
            aggregates.pipeInput(aggregate.key(), aggregate, now);
            drain();
        }

        /// The cell is gone: its key gets a tombstone.
        void vanishes() {
            aggregates.pipeInput(new TestRecord<>(aggregate().key(), null, now));
            drain();
        }
    }
}

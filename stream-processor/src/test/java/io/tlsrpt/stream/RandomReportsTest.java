package io.tlsrpt.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.report.Authentication;
import io.tlsrpt.report.SampleReports;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Verdict;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Hundreds of generated reports in random order, with duplicates, conflicts and replacements, against a plain model of
/// the rules that shares no code with the processor.
class RandomReportsTest {

    private static final String[] SUBMITTERS = {"google.com", "microsoft.com", "example.org"};
    private static final String[] DOMAINS = {"example.com", "example.net", "mail.example.com"};
    private static final String[] TYPES = {"sts", "tlsa", "no-policy-found"};
    private static final String[] FAILURES = {
        "certificate-expired", "starttls-not-supported", "dnssec-invalid", "a-word-of-their-own"
    };
    private static final List<Authentication> TRUST = List.of(Authentication.values());
    private static final String[] HOSTS = {"mx1.example.com", "mx2.example.com"};

    /// What was generated, and what the documents say, by the generator's own account.
    private record Entry(String domain, String type, long successful, long failed, List<Failure> failures) {}

    private record Failure(String type, String mx, long sessions) {}

    private record Copy(
            String identity,
            LocalDate day,
            String submitter,
            List<Entry> entries,
            boolean pretty,
            Authentication authentication) {
        SampleReports document() {
            SampleReports report = SampleReports.report()
                    .id(identity)
                    .contact("tls@" + submitter)
                    .day(day);
            for (Entry entry : entries) {
                report.policy(entry.type(), entry.domain(), entry.successful(), entry.failed());
                for (Failure failure : entry.failures()) {
                    report.failure(failure.type(), failure.mx(), failure.sessions());
                }
            }
            return report;
        }
    }

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(longs = {1, 8460, 20261122})
    void sumsAndVerdictsAreThoseOfTheRules(long seed) {
        Random random = new Random(seed);
        List<Copy> copies = generate(random, 250);
        Map<String, Copy> counted = new LinkedHashMap<>();
        List<String> expectedVerdicts = new ArrayList<>();
        List<TestRecord<byte[], byte[]>> raw = new ArrayList<>();
        try (Stream stream = new Stream(directory.resolve("first"))) {
            for (Copy copy : copies) {
                expectedVerdicts.add(judge(counted, copy));
                String json = copy.pretty()
                        ? copy.document().prettyJson()
                        : copy.document().json();
                TestRecord<byte[], byte[]> record =
                        Stream.taken(json.getBytes(StandardCharsets.UTF_8), copy.authentication(), Stream.NOW);
                raw.add(record);
                stream.put(record);
            }
            assertThat(stream.verdictWords()).as("seed %s", seed).isEqualTo(expectedVerdicts);
            assertThat(new HashSet<>(expectedVerdicts))
                    .contains(Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.CONFLICT, Verdict.REPLACED);
            stream.assertEveryRawRecordHasOneVerdict();

            Map<String, Long> model = sums(counted.values());
            assertThat(ofCells(stream.cells.values())).isEqualTo(model);
            assertThat(ofEvents(stream.events)).as("append").isEqualTo(model);
            assertThat(ofEvents(latestPerId(stream.events))).as("upsert").isEqualTo(model);
            assertThat(ofEvents(firstPerId(stream.events))).as("first seen").isEqualTo(model);
            assertThat(stream.meters.get("tlsrpt.processor.events").counters().stream()
                            .mapToDouble(counter -> counter.count())
                            .sum())
                    .isEqualTo(stream.events.size());
            assertNothingWaits(stream);

            replayGivesTheSame(raw, stream);
        }
    }

    private void replayGivesTheSame(List<TestRecord<byte[], byte[]>> raw, Stream before) {
        try (Stream again = new Stream(directory.resolve("again"))) {
            raw.forEach(again::put);
            assertThat(again.verdicts).isEqualTo(before.verdicts);
            assertThat(again.events).isEqualTo(before.events);
            assertThat(again.cells).isEqualTo(before.cells);
        }
    }

    private static void assertNothingWaits(Stream stream) {
        try (var pending =
                stream.driver.getKeyValueStore(ReportTopology.PENDING_ENTRIES).all()) {
            assertThat(pending.hasNext()).isFalse();
        }
    }

    /// First sighting wins, a trusted copy replaces an untrusted one.
    private static String judge(Map<String, Copy> counted, Copy copy) {
        String key = copy.submitter() + copy.identity();
        Copy seen = counted.get(key);
        if (seen == null) {
            counted.put(key, copy);
            return Verdict.ACCEPTED;
        }
        if (seen.authentication() == Authentication.NONE && copy.authentication() != Authentication.NONE) {
            counted.put(key, copy);
            return Verdict.REPLACED;
        }
        return seen.entries().equals(copy.entries()) ? Verdict.DUPLICATE : Verdict.CONFLICT;
    }

    private static List<Copy> generate(Random random, int reports) {
        List<Copy> copies = new ArrayList<>();
        for (int i = 0; i < reports; i++) {
            LocalDate day = LocalDate.ofInstant(Stream.NOW, ZoneOffset.UTC)
                    .minusDays(random.nextInt(8) == 0 ? 300 : random.nextInt(3));
            String submitter = SUBMITTERS[random.nextInt(SUBMITTERS.length)];
            // The domains are part of the key: all copies of a report name the same.
            List<String> domains = new ArrayList<>();
            List<String> types = new ArrayList<>();
            for (int e = 1 + random.nextInt(3); e > 0; e--) {
                domains.add(DOMAINS[random.nextInt(DOMAINS.length)]);
                types.add(TYPES[random.nextInt(TYPES.length)]);
            }
            List<Entry> entries = entries(random, domains, types);
            for (int c = 1 + random.nextInt(4); c > 0; c--) {
                List<Entry> said = random.nextInt(4) == 0 ? entries(random, domains, types) : entries;
                copies.add(new Copy(
                        "r" + i, day, submitter, said, random.nextBoolean(), TRUST.get(random.nextInt(TRUST.size()))));
            }
        }
        Collections.shuffle(copies, random);
        return copies;
    }

    private static List<Entry> entries(Random random, List<String> domains, List<String> types) {
        List<Entry> entries = new ArrayList<>();
        for (int e = 0; e < domains.size(); e++) {
            List<Failure> failures = new ArrayList<>();
            for (int f = random.nextInt(5); f > 0; f--) {
                failures.add(new Failure(
                        FAILURES[random.nextInt(FAILURES.length)],
                        HOSTS[random.nextInt(HOSTS.length)],
                        random.nextInt(20)));
            }
            entries.add(new Entry(
                    domains.get(e), types.get(e), random.nextInt(1_000), random.nextInt(50), List.copyOf(failures)));
        }
        return entries;
    }

    /// Sums by cell and counter; what is zero is left out.
    private static Map<String, Long> sums(Iterable<Copy> copies) {
        Map<String, Long> sums = new TreeMap<>();
        for (Copy copy : copies) {
            for (Entry entry : copy.entries()) {
                String cell = String.join(
                        " ",
                        copy.day().toString(),
                        entry.domain(),
                        entry.type(),
                        copy.submitter(),
                        copy.authentication().word());
                add(sums, cell + " successful", entry.successful());
                add(sums, cell + " failed", entry.failed());
                add(sums, cell + " entries", 1);
                for (Failure failure : entry.failures()) {
                    add(sums, cell + " " + failure.type() + " " + failure.mx(), failure.sessions());
                }
            }
        }
        return sums;
    }

    private static Map<String, Long> ofCells(Iterable<Aggregate> cells) {
        Map<String, Long> sums = new TreeMap<>();
        for (Aggregate cell : cells) {
            String name = String.join(
                    " ",
                    cell.window().toString(),
                    cell.policyDomain(),
                    cell.policyType(),
                    cell.submitter(),
                    cell.authentication());
            add(sums, name + " successful", cell.totalSuccessfulSessionCount());
            add(sums, name + " failed", cell.totalFailureSessionCount());
            add(sums, name + " entries", cell.reportCount());
            for (Aggregate.Failure failure : cell.failures()) {
                add(
                        sums,
                        name + " " + failure.resultType() + " " + failure.receivingMxHostname(),
                        failure.failedSessionCount());
            }
        }
        return sums;
    }

    private static Map<String, Long> ofEvents(Iterable<Event> events) {
        Map<String, Long> sums = new TreeMap<>();
        for (Event event : events) {
            String name = String.join(
                    " ",
                    LocalDate.ofInstant(event.startDatetime(), ZoneOffset.UTC).toString(),
                    event.policyDomain(),
                    event.policyType(),
                    event.submitter(),
                    event.authentication());
            if (event.isSummary()) {
                add(sums, name + " successful", count(event, Event::totalSuccessfulSessionCount));
                add(sums, name + " failed", count(event, Event::totalFailureSessionCount));
                add(sums, name + " entries", event.isRetraction() ? -1 : 1);
            } else {
                add(
                        sums,
                        name + " " + event.resultType() + " " + event.receivingMxHostname(),
                        count(event, Event::failedSessionCount));
            }
        }
        return sums;
    }

    private static long count(Event event, ToLongFunction<Event> counter) {
        return counter.applyAsLong(event);
    }

    private static void add(Map<String, Long> sums, String name, long more) {
        sums.merge(name, more, (had, plus) -> had + plus == 0 ? null : had + plus);
        sums.remove(name, 0L);
    }

    private static List<Event> latestPerId(List<Event> events) {
        Map<String, Event> latest = new HashMap<>();
        events.forEach(event -> latest.put(event.eventId(), event));
        return List.copyOf(latest.values());
    }

    private static List<Event> firstPerId(List<Event> events) {
        Set<String> seen = new HashSet<>();
        return events.stream()
                .filter(event -> seen.add(Objects.requireNonNull(event.eventId())))
                .toList();
    }
}

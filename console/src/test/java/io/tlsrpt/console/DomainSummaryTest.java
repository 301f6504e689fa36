package io.tlsrpt.console;

import static io.tlsrpt.console.FilledViews.DAY;
import static io.tlsrpt.console.FilledViews.NOW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.tlsrpt.console.DomainSummary.Cell;
import io.tlsrpt.console.DomainSummary.Counts;
import io.tlsrpt.console.DomainSummary.Summary;
import io.tlsrpt.console.DomainSummary.Wanted;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.AggregateKey;
import io.tlsrpt.topics.JsonSerde;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DomainSummaryTest {

    private static final JsonSerde<Aggregate> AGGREGATE = new JsonSerde<>(Aggregate.class);
    private static final JsonSerde<Cell> CELL = new JsonSerde<>(Cell.class);

    private static final List<String> POLICY_TYPES = List.of("sts", "tlsa", "no-policy-found", "invented");
    private static final List<String> AUTHENTICATIONS = List.of("dkim", "operator", "none");
    private static final List<String> SUBMITTERS = List.of("google.com", "microsoft.com", "mail.ru");
    private static final List<String> RESULT_TYPES =
            List.of("certificate-expired", "starttls-not-supported", "sts-policy-fetch-error", "of-tomorrow");
    private static final List<String> MODES = List.of("testing", "enforce", "none");

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void everyNumberEqualsTheNaiveSum(long seed) {
        Random random = new Random(seed);
        List<Aggregate> cells = cells(random);
        Wanted wanted = new Wanted(
                DAY.minusDays(20),
                DAY,
                any(random, POLICY_TYPES),
                any(random, List.of(Trust.values())),
                random.nextBoolean() ? any(random, SUBMITTERS) : null,
                random.nextBoolean() ? any(random, RESULT_TYPES) : null,
                random.nextBoolean() ? "mx1.example.com" : null);

        Summary summary = summary(cells, wanted);

        Predicate<Aggregate> policyType = cell -> cell.policyType().equals(wanted.policyType());
        Predicate<Aggregate> trust = cell -> Trust.of(cell.authentication()) == wanted.trust();
        Predicate<Aggregate> submitter =
                cell -> wanted.submitter() == null || cell.submitter().equals(wanted.submitter());
        Predicate<Aggregate.Failure> resultType =
                failure -> wanted.resultType() == null || failure.resultType().equals(wanted.resultType());
        Predicate<Aggregate.Failure> mx =
                failure -> wanted.mx() == null || wanted.mx().equals(failure.receivingMxHostname());
        ToLongFunction<Aggregate> failed = cell -> failed(cell, resultType.and(mx));
        List<Aggregate> chosen =
                cells.stream().filter(policyType.and(trust).and(submitter)).toList();

        assertThat(numbers(summary.totals())).isEqualTo(numbers(chosen, failed));
        assertThat(byName(summary.days(), day -> String.valueOf(day.window())))
                .isEqualTo(naive(chosen, cell -> cell.window().toString(), failed));
        assertThat(summary.days()).extracting(Counts::window).isSorted();
        assertThat(byName(summary.bySubmitter(), Counts::submitter))
                .isEqualTo(naive(cells.stream().filter(policyType.and(trust)).toList(), Aggregate::submitter, failed));
        assertThat(byName(summary.byPolicyType(), Counts::policyType))
                .isEqualTo(naive(cells.stream().filter(trust.and(submitter)).toList(), Aggregate::policyType, failed));
        assertThat(byName(summary.byTrust(), Counts::trust))
                .isEqualTo(naive(
                        cells.stream().filter(policyType.and(submitter)).toList(),
                        cell -> Trust.of(cell.authentication()).word(),
                        failed));
        assertThat(failures(summary.byResultType(), Counts::resultType))
                .isEqualTo(naiveFailures(chosen, mx, Aggregate.Failure::resultType));
        assertThat(failures(summary.byMx(), counts -> String.valueOf(counts.receivingMxHostname())))
                .isEqualTo(naiveFailures(chosen, resultType, failure -> String.valueOf(failure.receivingMxHostname())));
        assertThat(summary.byResultTypeOmitted()).isNull();
        assertThat(summary.byMxOmitted()).isNull();
    }

    @Test
    void theOrderOfTheCellsDoesNotMatter() {
        List<Aggregate> cells = cells(new Random(7));
        Wanted wanted = new Wanted(DAY.minusDays(20), DAY, "sts", Trust.VERIFIED, null, null, null);

        assertThat(summary(cells.reversed(), wanted)).isEqualTo(summary(cells, wanted));
    }

    @Test
    void policyTypesAndTrustAreNeverAdded() {
        List<Aggregate> cells = new ArrayList<>();
        for (String policyType : List.of("sts", "tlsa")) {
            for (String authentication : AUTHENTICATIONS) {
                cells.add(cell(DAY, policyType, "google.com", authentication, 100, 0, null, List.of()));
            }
        }

        Summary summary = summary(cells, new Wanted(DAY, DAY, "sts", Trust.VERIFIED, null, null, null));

        assertThat(summary.totals().totalSuccessfulSessionCount()).isEqualTo(200);
        assertThat(summary.byPolicyType())
                .extracting(Counts::policyType, Counts::totalSuccessfulSessionCount)
                .containsExactly(tuple("sts", 200L), tuple("tlsa", 200L));
        assertThat(summary.byTrust())
                .extracting(Counts::trust, Counts::totalSuccessfulSessionCount)
                .containsExactly(tuple("verified", 200L), tuple("unverified", 100L));
    }

    @Test
    void whatWasTakenBackIsNotListed() {
        Aggregate emptied = new Aggregate(
                DAY,
                "example.com",
                "sts",
                "forger.example",
                "dkim",
                0,
                0,
                0,
                null,
                List.of(new Aggregate.Failure("certificate-expired", "mx1.example.com", 0, 0, null, null)),
                NOW,
                NOW,
                NOW,
                false);

        Summary summary = summary(List.of(emptied), new Wanted(DAY, DAY, "sts", Trust.VERIFIED, null, null, null));

        assertThat(summary.days()).isEmpty();
        assertThat(summary.byResultType()).isEmpty();
        assertThat(summary.byMx()).isEmpty();
        assertThat(summary.bySubmitter()).isEmpty();
        assertThat(summary.byPolicyType()).isEmpty();
        assertThat(summary.byTrust()).isEmpty();
    }

    @Test
    void theModeIsToldOnTheFirstDayAndWhenItChanges() {
        List<Aggregate> cells = List.of(
                cell(DAY.minusDays(5), "sts", "google.com", "dkim", 1, 0, null, List.of()),
                cell(DAY.minusDays(4), "sts", "google.com", "dkim", 1, 0, "testing", List.of()),
                cell(DAY.minusDays(3), "sts", "google.com", "dkim", 1, 0, "testing", List.of()),
                received(cell(DAY.minusDays(2), "sts", "google.com", "dkim", 1, 0, "enforce", List.of()), 2),
                received(cell(DAY.minusDays(2), "sts", "mail.ru", "dkim", 1, 0, "testing", List.of()), 1),
                cell(DAY.minusDays(1), "sts", "google.com", "dkim", 1, 0, null, List.of()),
                cell(DAY, "sts", "google.com", "dkim", 1, 0, "enforce", List.of()),
                cell(DAY, "sts", "google.com", "none", 1, 0, "none", List.of()));

        Summary summary = summary(cells, new Wanted(DAY.minusDays(9), DAY, "sts", Trust.VERIFIED, null, null, null));

        assertThat(summary.policyModes())
                .containsExactly(
                        new DomainSummary.ModeSince(DAY.minusDays(4), "testing"),
                        new DomainSummary.ModeSince(DAY.minusDays(2), "enforce"));
    }

    @Test
    void ofTenThousandMxHostsTheLargestAreListedAndTheRestCounted() {
        List<Aggregate> cells = IntStream.range(0, 10)
                .mapToObj(cell -> cell(
                        DAY.minusDays(cell),
                        "sts",
                        "google.com",
                        "dkim",
                        10,
                        10,
                        "enforce",
                        IntStream.range(cell * 1_000, cell * 1_000 + 1_000)
                                .mapToObj(mx -> failure("certificate-expired", "mx" + mx + ".example.com", mx + 1))
                                .toList()))
                .toList();

        Summary summary = summary(cells, new Wanted(DAY.minusDays(9), DAY, "sts", Trust.VERIFIED, null, null, null));

        assertThat(summary.byMx()).hasSize(1_000);
        assertThat(summary.byMx().getFirst().receivingMxHostname()).isEqualTo("mx9999.example.com");
        assertThat(summary.byMx().getLast().receivingMxHostname()).isEqualTo("mx9000.example.com");
        assertThat(summary.byMxOmitted()).isEqualTo(9_000);
        assertThat(summary.byResultType().getFirst().failedSessionCount()).isEqualTo(10_000L * 10_001 / 2);
    }

    @Test
    void namesWithoutEndDoNotFillTheMemoryAndTheLargestStay() {
        DomainSummary summary =
                new DomainSummary("example.com", new Wanted(DAY, DAY, "sts", Trust.VERIFIED, null, null, null), 100);
        for (int i = 0; i < 10_000; i++) {
            add(
                    summary,
                    cell(
                            DAY,
                            "sts",
                            "google.com",
                            "dkim",
                            1,
                            1,
                            null,
                            List.of(failure("certificate-expired", "mx" + i + ".example.com", 1))));
            add(
                    summary,
                    cell(
                            DAY,
                            "sts",
                            "google.com",
                            "dkim",
                            1,
                            1,
                            null,
                            List.of(failure("certificate-expired", "real.example.com", 3))));
        }

        Summary result = summary.summary();

        assertThat(result.byMx()).hasSizeLessThanOrEqualTo(100);
        assertThat(result.byMx().getFirst().receivingMxHostname()).isEqualTo("real.example.com");
        assertThat(result.byMx().getFirst().failedSessionCount()).isEqualTo(30_000);
        assertThat(result.byMxOmitted()).isEqualTo(10_001 - result.byMx().size());
        assertThat(result.totals().failedSessionCount()).isEqualTo(40_000);
    }

    private static List<Aggregate> cells(Random random) {
        List<Aggregate> cells = new ArrayList<>();
        for (int day = 0; day < 20; day++) {
            for (String policyType : POLICY_TYPES) {
                for (String submitter : SUBMITTERS) {
                    for (String authentication : AUTHENTICATIONS) {
                        if (random.nextInt(3) > 0) {
                            cells.add(cell(
                                    DAY.minusDays(20 - day),
                                    policyType,
                                    submitter,
                                    authentication,
                                    random.nextInt(1_000),
                                    random.nextInt(50),
                                    random.nextBoolean() ? any(random, MODES) : null,
                                    failures(random)));
                        }
                    }
                }
            }
        }
        return cells;
    }

    private static List<Aggregate.Failure> failures(Random random) {
        List<Aggregate.Failure> failures = new ArrayList<>();
        for (String resultType : RESULT_TYPES) {
            for (int mx = 0; mx < 3; mx++) {
                if (random.nextInt(4) == 0) {
                    failures.add(
                            failure(resultType, mx == 0 ? null : "mx" + mx + ".example.com", 1 + random.nextInt(9)));
                }
            }
        }
        return failures;
    }

    private static Aggregate.Failure failure(String resultType, @Nullable String mx, long sessions) {
        return new Aggregate.Failure(resultType, mx, sessions, 1, List.of("192.0.2.1"), List.of("reason"));
    }

    private static Aggregate cell(
            LocalDate day,
            String policyType,
            String submitter,
            String authentication,
            long successful,
            long failed,
            @Nullable String mode,
            List<Aggregate.Failure> failures) {
        return new Aggregate(
                day,
                "example.com",
                policyType,
                submitter,
                authentication,
                successful,
                failed,
                1,
                mode,
                failures,
                NOW,
                NOW,
                NOW,
                false);
    }

    private static Aggregate received(Aggregate cell, long hours) {
        return new Aggregate(
                cell.window(),
                cell.policyDomain(),
                cell.policyType(),
                cell.submitter(),
                cell.authentication(),
                cell.totalSuccessfulSessionCount(),
                cell.totalFailureSessionCount(),
                cell.reportCount(),
                cell.policyMode(),
                cell.failures(),
                NOW,
                NOW.plus(Duration.ofHours(hours)),
                NOW,
                false);
    }

    private static Summary summary(List<Aggregate> cells, Wanted wanted) {
        DomainSummary summary = new DomainSummary("example.com", wanted);
        cells.forEach(cell -> add(summary, cell));
        return summary.summary();
    }

    /// As from the store: its key first, and its bytes only when they are needed.
    private static void add(DomainSummary summary, Aggregate cell) {
        AggregateKey key = cell.key();
        if (summary.needs(key)) {
            summary.add(key, CELL.read(AGGREGATE.write(cell)));
        }
    }

    private static <T> T any(Random random, List<T> among) {
        return among.get(random.nextInt(among.size()));
    }

    private static long failed(Aggregate cell, Predicate<Aggregate.Failure> counted) {
        return cell.failures().stream()
                .filter(counted)
                .mapToLong(Aggregate.Failure::failedSessionCount)
                .sum();
    }

    private static List<Long> numbers(Counts counts) {
        return List.of(
                Objects.requireNonNull(counts.totalSuccessfulSessionCount()),
                Objects.requireNonNull(counts.totalFailureSessionCount()),
                Objects.requireNonNull(counts.reportCount()),
                counts.failedSessionCount());
    }

    private static List<Long> numbers(List<Aggregate> cells, ToLongFunction<Aggregate> failed) {
        return List.of(
                cells.stream().mapToLong(Aggregate::totalSuccessfulSessionCount).sum(),
                cells.stream().mapToLong(Aggregate::totalFailureSessionCount).sum(),
                cells.stream().mapToLong(Aggregate::reportCount).sum(),
                cells.stream().mapToLong(failed).sum());
    }

    private static Map<String, List<Long>> naive(
            List<Aggregate> cells, Function<Aggregate, String> name, ToLongFunction<Aggregate> failed) {
        Map<String, List<Long>> sums = new TreeMap<>();
        cells.stream()
                .collect(Collectors.groupingBy(name))
                .forEach((key, group) -> sums.put(key, numbers(group, failed)));
        return sums;
    }

    private static Map<String, List<Long>> byName(List<Counts> counts, Function<Counts, @Nullable String> name) {
        Map<String, List<Long>> byName = new TreeMap<>();
        counts.forEach(each -> byName.put(String.valueOf(name.apply(each)), numbers(each)));
        return byName;
    }

    private static Map<String, Long> naiveFailures(
            List<Aggregate> cells, Predicate<Aggregate.Failure> counted, Function<Aggregate.Failure, String> name) {
        Map<String, Long> sums = new TreeMap<>();
        cells.forEach(cell -> cell.failures().stream()
                .filter(counted)
                .forEach(failure -> sums.merge(name.apply(failure), failure.failedSessionCount(), Long::sum)));
        return sums;
    }

    private static Map<String, Long> failures(List<Counts> counts, Function<Counts, @Nullable String> name) {
        Map<String, Long> byName = new TreeMap<>();
        counts.forEach(each -> byName.put(String.valueOf(name.apply(each)), each.failedSessionCount()));
        return byName;
    }
}

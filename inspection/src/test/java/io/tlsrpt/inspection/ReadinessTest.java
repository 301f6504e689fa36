package io.tlsrpt.inspection;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.inspection.Readiness.State;
import io.tlsrpt.inspection.Readiness.Verdict;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Inspection;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReadinessTest {

    private static final LocalDate TODAY = LocalDate.parse("2026-11-22");

    private static Aggregate cell(int daysAgo, String submitter, long successful, long failed, String... more) {
        String type = more.length > 0 ? more[0] : "sts";
        String authentication = more.length > 1 ? more[1] : "dkim";
        Instant at = Instant.parse("2026-11-22T00:00:00Z");
        return new Aggregate(
                TODAY.minusDays(daysAgo),
                "example.com",
                type,
                submitter,
                authentication,
                successful,
                failed,
                1,
                "testing",
                failed == 0
                        ? List.of()
                        : List.of(
                                new Aggregate.Failure("certificate-expired", "mx1.example.com", failed, 1, null, null)),
                at,
                at,
                at,
                false);
    }

    /// So many days up to yesterday with so many sessions each, from so many reporters in turn.
    private static List<Aggregate> days(int days, int reporters, long sessions) {
        List<Aggregate> cells = new ArrayList<>();
        for (int day = 1; day <= days; day++) {
            cells.add(cell(day, "reporter" + day % reporters + ".example", sessions, 0));
        }
        return cells;
    }

    private static Inspection live(
            String record,
            @Nullable String policy,
            @Nullable String mode,
            @Nullable Boolean covered,
            String starttls,
            @Nullable String pkix) {
        return new Inspection(
                "example.com",
                Instant.parse("2026-11-22T12:00:00Z"),
                Inspection.REQUEST,
                "open",
                "mx",
                null,
                new Inspection.MtaSts(record, "1", policy, mode, 604_800L, List.of("mx1.example.com"), null, null),
                List.of(new Inspection.Mx(
                        "mx1.example.com",
                        10,
                        "insecure",
                        covered,
                        null,
                        List.of(new Inspection.Address("192.0.2.1", starttls, null, null, pkix, null, null)))),
                List.of());
    }

    private static Inspection good() {
        return live("published", "valid", "testing", true, "offered", "valid");
    }

    @ParameterizedTest
    @CsvSource({
        "14, 2, 8, READY",
        "30, 5, 1000, READY",
        "13, 2, 100, NOT_ENOUGH_DATA",
        "14, 1, 100, NOT_ENOUGH_DATA",
        "14, 2, 7, NOT_ENOUGH_DATA",
        "1, 1, 1000000, NOT_ENOUGH_DATA",
    })
    void itNeedsDaysReportersAndSessions(int days, int reporters, long sessions, Verdict verdict) {
        assertThat(Readiness.of(days(days, reporters, sessions), good(), TODAY).verdict())
                .isEqualTo(verdict);
    }

    @Test
    void withoutAnyReportThereIsNotEnoughData() {
        assertThat(Readiness.of(List.of(), good(), TODAY).verdict()).isEqualTo(Verdict.NOT_ENOUGH_DATA);
    }

    @Test
    void whatNobodyVouchesForAndOtherPolicyTypesDoNotCount() {
        List<Aggregate> cells = new ArrayList<>();
        for (int day = 1; day <= 20; day++) {
            cells.add(cell(day, "a.example", 100, 0, "sts", "none"));
            cells.add(cell(day, "b.example", 100, 0, "tlsa", "dkim"));
        }
        assertThat(Readiness.of(cells, good(), TODAY).verdict()).isEqualTo(Verdict.NOT_ENOUGH_DATA);

        List<Aggregate> enough = days(20, 2, 100);
        enough.add(cell(1, "forger.example", 0, 1_000_000, "sts", "none"));
        enough.add(cell(1, "a.example", 0, 1_000_000, "no-policy-found", "dkim"));
        Readiness ready = Readiness.of(enough, good(), TODAY);
        assertThat(ready.verdict()).isEqualTo(Verdict.READY);
        assertThat(ready.failures()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        // 7 days of 1,000 sessions make 7,000; the failure adds itself
        "1, 6, READY",
        "1, 7, READY",
        "1, 8, NOT_READY",
        "7, 8, NOT_READY",
        "8, 1000, READY",
    })
    void failuresOfTheLastSevenDaysCountUnlessTheyAreNoise(int daysAgo, long failed, Verdict verdict) {
        List<Aggregate> cells = days(20, 2, 1_000);
        cells.add(cell(daysAgo, "reporter1.example", 0, failed));
        assertThat(Readiness.of(cells, good(), TODAY).verdict()).isEqualTo(verdict);
    }

    @Test
    void silenceOfAWeekIsNoGoodSign() {
        List<Aggregate> cells = days(28, 2, 1_000);
        cells.removeIf(cell -> cell.window().isAfter(TODAY.minusDays(8)));
        Readiness readiness = Readiness.of(cells, good(), TODAY);
        assertThat(readiness.verdict()).isEqualTo(Verdict.NOT_ENOUGH_DATA);
        assertThat(readiness.conditions())
                .filteredOn(condition -> condition.state() == State.UNKNOWN)
                .extracting(Readiness.Condition::words)
                .containsExactly("no session was reported in the last 7 days");
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "published, valid, testing, true, offered, valid, READY, -",
                "published, valid, enforce, true, offered, valid, NOT_READY, policy",
                "published, valid, none, true, offered, valid, NOT_READY, policy",
                "missing, -, -, -, offered, valid, NOT_READY, policy",
                "invalid, -, -, -, offered, valid, NOT_READY, policy",
                "published, invalid, -, -, offered, valid, NOT_READY, policy",
                "published, untrusted, -, -, offered, valid, NOT_READY, policy",
                "published, unfetchable, -, -, offered, valid, NOT_READY, policy",
                "unknown, -, -, -, offered, valid, NOT_ENOUGH_DATA, -",
                "published, unknown, -, -, offered, valid, NOT_ENOUGH_DATA, -",
                "published, valid, testing, false, offered, valid, NOT_READY, mx",
                "published, valid, testing, true, offered, expired, NOT_READY, tls",
                "published, valid, testing, true, offered, host-mismatch, NOT_READY, tls",
                "published, valid, testing, true, missing, -, NOT_READY, tls",
                "published, valid, testing, true, failed, -, NOT_READY, tls",
                "published, valid, testing, true, unknown, -, NOT_ENOUGH_DATA, -",
            })
    void theDomainMustBeInOrderNow(
            String record,
            @Nullable String policy,
            @Nullable String mode,
            @Nullable Boolean covered,
            String starttls,
            @Nullable String pkix,
            Verdict verdict,
            @Nullable String unmet) {
        Readiness readiness =
                Readiness.of(days(20, 2, 1_000), live(record, policy, mode, covered, starttls, pkix), TODAY);
        assertThat(readiness.verdict()).isEqualTo(verdict);
        assertThat(readiness.conditions())
                .filteredOn(condition -> condition.state() == State.UNMET)
                .extracting(Readiness.Condition::name)
                .isEqualTo(unmet == null ? List.of() : List.of(unmet));
    }

    @Test
    void everyConditionSaysItsNumbers() {
        List<Aggregate> cells = days(3, 2, 10);
        cells.add(cell(2, "reporter1.example", 0, 5));
        cells.add(cell(20, "reporter1.example", 0, 40));
        Readiness readiness = Readiness.of(cells, good(), TODAY);
        assertThat(readiness.verdict()).isEqualTo(Verdict.NOT_READY);
        assertThat(readiness.conditions())
                .extracting(Readiness.Condition::words)
                .containsExactly(
                        "4 days with reports that are vouched for; at least 14 are needed",
                        "2 reporters (reporter0.example, reporter1.example); at least 2 are needed",
                        "75 sessions with MTA-STS; at least 100 are needed",
                        "5 of 35 sessions failed in the last 7 days, last on 2026-11-20; less than one in 1,000 is noise",
                        "valid, mode testing",
                        "the policy covers all MX hosts (1)",
                        "STARTTLS with a valid certificate on all addresses (1)");
        assertThat(readiness.failures())
                .containsExactly(new Readiness.Failing(
                        "certificate-expired", "mx1.example.com", 45, LocalDate.parse("2026-11-20")));
    }

    @Test
    void withoutALookItIsNotKnownWhetherTheDomainIsInOrder() {
        Readiness readiness = Readiness.of(days(20, 2, 1_000), null, TODAY);

        assertThat(readiness.verdict()).isEqualTo(Verdict.NOT_ENOUGH_DATA);
        assertThat(readiness.conditions())
                .filteredOn(condition -> condition.state() == State.UNKNOWN)
                .extracting(Readiness.Condition::name)
                .containsExactly("policy", "mx", "tls");
    }

    @Test
    void anotherLookTakesThePlaceOfTheFirst() {
        Readiness enforced = Readiness.of(
                days(20, 2, 1_000), live("published", "valid", "enforce", true, "offered", "valid"), TODAY);

        Readiness ready = enforced.with(good());

        assertThat(enforced.verdict()).isEqualTo(Verdict.NOT_READY);
        assertThat(ready).isEqualTo(Readiness.of(days(20, 2, 1_000), good(), TODAY));
    }
}

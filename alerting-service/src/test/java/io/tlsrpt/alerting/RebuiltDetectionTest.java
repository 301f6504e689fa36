package io.tlsrpt.alerting;

import static io.tlsrpt.alerting.Detection.DAY_0;
import static io.tlsrpt.alerting.Detection.EXPIRED;
import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.topics.Aggregate;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertAction;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An application that begins anew, with another id and without any state, over the topics of the one before: it
/// repeats
/// nothing, swallows no resolution, and opens nothing for days that are over.
class RebuiltDetectionTest {

    private static final LocalDate DAY_1 = DAY_0.plusDays(1);

    private record Arrival(Aggregate aggregate, Instant at) {}

    @TempDir
    private Path directory;

    private final List<Arrival> arrivals = new ArrayList<>();
    private Detection before;

    @BeforeEach
    void start() {
        before = new Detection(directory.resolve("before"));
        for (int back = 28; back >= 1; back--) {
            before.hoursAfter(DAY_0.minusDays(back), 4);
            arrives(before.cell(DAY_0.minusDays(back), "google.com").sessions(40));
        }
        before.hoursAfter(DAY_0, 4);
        arrives(before.cell(DAY_0, "google.com").failed(EXPIRED, 31, 40));
    }

    @AfterEach
    void stop() {
        before.close();
    }

    @Test
    void itRepeatsNothingAndGoesOnWhereTheAlertStood() {
        before.act(before.only(), AlertAction.ACKNOWLEDGE, "mine");
        try (Detection rebuilt = rebuilt(before.state)) {
            readAgain(rebuilt);
            assertThat(rebuilt.transitions).isEmpty();
            rebuilt.hoursAfter(DAY_1, 4);
            rebuilt.cell(DAY_1, "google.com").failed(EXPIRED, 35, 40).arrives();
            rebuilt.pass(Duration.ofMinutes(2));
            assertThat(rebuilt.transitions).isEmpty();
            assertThat(rebuilt.only().incidentId()).endsWith("-1");
            assertThat(rebuilt.only().transition()).isEqualTo(2);
            assertThat(rebuilt.only().evidence().window()).isEqualTo(DAY_1);
            assertThat(rebuilt.only().acknowledged()).isNotNull();

            rebuilt.hoursAfter(DAY_1.plusDays(1), 4);
            rebuilt.cell(DAY_1.plusDays(1), "google.com").sessions(40).arrives();
            assertThat(rebuilt.told()).containsExactly("resolved recovered");
            assertThat(rebuilt.only().transition()).isEqualTo(3);
        }
    }

    @Test
    void itResolvesWhatRecoveredWhileNothingRan() {
        Map<String, Alert> left = new HashMap<>(before.state);
        before.hoursAfter(DAY_1, 4);
        arrives(before.cell(DAY_1, "google.com").sessions(40));
        try (Detection rebuilt = rebuilt(left)) {
            readAgain(rebuilt);
            assertThat(rebuilt.told()).containsExactly("resolved recovered");
        }
    }

    @Test
    void itOpensNothingForDaysThatAreOver() {
        before.hoursAfter(DAY_1, 4);
        arrives(before.cell(DAY_1, "google.com").sessions(40));
        assertThat(before.told()).containsExactly("firing critical", "resolved recovered");
        try (Detection rebuilt = rebuilt(before.state)) {
            readAgain(rebuilt);
            assertThat(rebuilt.records).isEmpty();

            LocalDate day2 = DAY_1.plusDays(1);
            rebuilt.hoursAfter(day2, 4);
            rebuilt.cell(day2, "google.com").failed(EXPIRED, 31, 40).arrives();
            assertThat(rebuilt.told()).containsExactly("firing critical");
            assertThat(rebuilt.only().incidentId()).endsWith("-2");
            assertThat(rebuilt.only().reopened()).isTrue();
        }
    }

    /// In another order than they came: the failures first, then the clean history that made them a stray.
    @Test
    void aHouseThatMovedInOpensNothingForWhatTheOldOneHasJudged() {
        try (Detection moved = new Detection(directory.resolve("moved"), DAY_1.plusDays(1))) {
            moved.judgedUntil = before.now();
            arrivals.reversed().forEach(each -> moved.replay(each.aggregate(), each.at()));
            moved.pass(Duration.ofMinutes(2));
            assertThat(moved.records).isEmpty();

            moved.hoursAfter(DAY_1.plusDays(1), 4);
            moved.cell(DAY_1.plusDays(1), "google.com").failed(EXPIRED, 31, 40).arrives();
            assertThat(moved.told()).containsExactly("firing critical");
        }
    }

    @Test
    void aHouseThatMovedInEndsNothingAsStaleForWhatItHasNotHeardItself() {
        try (Detection moved = new Detection(directory.resolve("moved"), DAY_0.plusDays(12))) {
            moved.judgedUntil = Incident.end(DAY_0.plusDays(10));
            moved.remembers(before.state);
            moved.pass(Duration.ofMinutes(2));
            assertThat(moved.transitions).isEmpty();
            moved.pass(Duration.ofDays(7));
            assertThat(moved.told()).containsExactly("resolved stale");
        }
    }

    @Test
    void whatFiresWithoutAnyEvidenceLeftBecomesStale() {
        try (Detection rebuilt = new Detection(directory.resolve("rebuilt"), DAY_0.plusDays(20))) {
            rebuilt.remembers(before.state).pass(Duration.ofMinutes(1)).pass(Duration.ofMinutes(1));
            assertThat(rebuilt.told()).containsExactly("resolved stale");
        }
    }

    @Test
    void whatStandsWithoutAnyClaimLeftBecomesStaleOnEveryBench() {
        standing();
        try (Detection rebuilt = listening(before.state)) {
            assertThat(rebuilt.transitions).isEmpty();
            rebuilt.pass(Duration.ofDays(8));
            assertThat(rebuilt.firing()).isEmpty();
            assertThat(rebuilt.transitions)
                    .hasSize(before.state.size())
                    .allSatisfy(alert -> assertThat(alert.resolveReason()).isEqualTo("stale"));
        }
    }

    @Test
    void whatAStandingAlertShowsAlreadyChangesNothingWhenItIsReadAgain() {
        Instant earlier = before.now();
        standing();
        Alert rejections = one("rejections");
        Alert starttls = one("starttls-missing");
        try (Detection rebuilt = listening(before.state)) {
            rebuilt.lookedAt(
                    starttls.updatedAt().minusSeconds(1),
                    SampleLooks.at(starttls.updatedAt().minusSeconds(1)).inspection());
            rebuilt.actAt(earlier, rejections, AlertAction.RESOLVE, "done");
            rebuilt.actAt(rejections.updatedAt(), rejections, AlertAction.NOTE, "known");
            assertThat(rebuilt.records).isEmpty();

            rebuilt.looked(SampleLooks.at(rebuilt.now()).inspection());
            assertThat(rebuilt.told()).containsExactly("resolved probe", "resolved probe");
            assertThat(Objects.requireNonNull(rebuilt.state.get(starttls.alertId()))
                            .transition())
                    .isEqualTo(starttls.transition() + 1);
            rebuilt.act(rejections, AlertAction.RESOLVE, "done");
            assertThat(rebuilt.told()).endsWith("resolved manual");
            assertThat(rebuilt.transitions).hasSize(3);
        }
    }

    /// Beside the one about an MX, one alert at least of each other bench fires.
    private void standing() {
        before.listening().at(Silence.due(DAY_0.plusDays(2), 0).plus(Duration.ofHours(1)));
        for (int i = 0; i < 3; i++) {
            before.refused("google.com", null, RefusalReason.DKIM_FAILED, "key gone");
        }
        before.looked(SampleLooks.at(before.now())
                .without("192.0.2.1")
                .finds("starttls-missing", "starttls-missing", "error", SampleLooks.MX)
                .inspection());
        assertThat(before.state.values())
                .filteredOn(Alert::firing)
                .hasSameSizeAs(before.state.values())
                .extracting(Alert::rule)
                .contains("certificate", "rejections", "starttls-missing", "domain-silent");
    }

    private Alert one(String rule) {
        return before.state.values().stream()
                .filter(alert -> alert.rule().equals(rule))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void actionsThatTheAlertShowsAlreadyAreNotTakenTwice() {
        Alert seen = before.only();
        before.act(seen, AlertAction.NOTE, "ordered");
        Instant acted = before.now();
        try (Detection rebuilt = rebuilt(before.state)) {
            readAgain(rebuilt);
            rebuilt.actAt(acted, seen, AlertAction.NOTE, "ordered");
            assertThat(rebuilt.records).isEmpty();
            rebuilt.act(seen, AlertAction.NOTE, "installed");
            assertThat(rebuilt.only().notes()).extracting(Alert.Word::text).containsExactly("ordered", "installed");
        }
    }

    @Test
    void aDomainIsForgottenWithTheAlertsThatHadEndedBeforeItBeganAnew() {
        standing();
        for (Alert alert : List.copyOf(before.state.values())) {
            before.act(alert, AlertAction.RESOLVE, "done");
        }
        String domain = "example.com";
        assertThat(before.firing()).isEmpty();
        assertThat(before.state.values())
                .extracting(Alert::rule)
                .contains("certificate", "starttls-missing", "domain-silent");
        try (Detection rebuilt = listening(before.state)) {
            rebuilt.state.putAll(before.state);
            rebuilt.departs(domain).pass(Duration.ofMinutes(5));
            assertThat(rebuilt.state.values()).extracting(Alert::rule).containsExactly("rejections");
            assertThat(rebuilt.transitions).isEmpty();
        }
    }

    @Test
    void aDepartureOfOldTakesNoAlertFromADomainThatCameBack() {
        Instant departed = before.only().openedAt().minus(Duration.ofDays(2));
        try (Detection rebuilt = rebuilt(before.state)) {
            rebuilt.departed("example.com", departed).pass(Duration.ofMinutes(2));
            assertThat(rebuilt.records).isEmpty();
        }
    }

    @Test
    void whatHadEndedBeforeItBeganAnewExpiresInTime() {
        standing();
        for (Alert alert : List.copyOf(before.state.values())) {
            before.act(alert, AlertAction.RESOLVE, "done");
        }
        try (Detection rebuilt = listening(before.state)) {
            rebuilt.state.putAll(before.state);
            rebuilt.pass(Duration.ofDays(399));
            assertThat(rebuilt.state).containsOnlyKeys(before.state.keySet());
            rebuilt.pass(Duration.ofDays(2)).pass(Duration.ofMinutes(2));
            assertThat(rebuilt.state).doesNotContainKeys(before.state.keySet().toArray(String[]::new));
        }
    }

    private void arrives(Detection.Cell cell) {
        arrivals.add(new Arrival(cell.aggregate(), before.now()));
        cell.arrives();
    }

    private Detection rebuilt(Map<String, Alert> topic) {
        return goesOn(anew(), topic);
    }

    /// With the rules about silence on.
    private Detection listening(Map<String, Alert> topic) {
        return goesOn(anew().listening(), topic);
    }

    private Detection anew() {
        return new Detection(directory.resolve("rebuilt"), LocalDate.ofInstant(before.now(), ZoneOffset.UTC));
    }

    private Detection goesOn(Detection rebuilt, Map<String, Alert> topic) {
        return rebuilt.remembers(topic).at(before.now().plus(Duration.ofHours(1)));
    }

    private void readAgain(Detection rebuilt) {
        arrivals.forEach(arrival -> rebuilt.replay(arrival.aggregate(), arrival.at()));
        rebuilt.pass(Duration.ofMinutes(2));
    }
}

package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Health;
import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.SettingsFile;
import io.tlsrpt.runtime.Surroundings;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertMatch;
import io.tlsrpt.topics.Notification;
import io.tlsrpt.topics.Silence;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// The pipeline without a broker and without threads: time, receivers and the log are the test's.
class NotificationPipelineTest {

    private static final Instant OPENED = SampleAlerts.OPENED;
    private static final String MAIL = """
                - name: mail
                  kind: email
                  to: [oncall@example.com]
            """;

    private final World world = new World();

    @AfterEach
    void theEquationsHold() {
        assertThat(world.told())
                .as("decided to tell")
                .isEqualTo(world.counted("tlsrpt.notifications.finished") + world.pending());
        assertThat(world.counted("tlsrpt.notifications.decisions"))
                .as("decided")
                .isEqualTo(world.told() + world.withheld());
    }

    @Test
    void aCriticalAlertIsToldAtOnce() {
        world.start("ops");
        world.sees(critical());

        assertThat(world.sent("ops")).containsExactly("a1-1-1");
        assertThat(world.remembered("a1/ops").result()).isEqualTo(Notification.DELIVERED);
        assertThat(world.remembered("a1/ops").attempts()).isEqualTo(1);
        assertThat(world.decisions()).containsExactly(Map.entry("first-notification", 1.0));
    }

    @Test
    void aWarningWaitsAndIsToldWhenItStillFires() {
        world.start("ops");
        world.sees(SampleAlerts.warning());
        assertThat(world.sent("ops")).isEmpty();

        world.passes(Duration.ofMinutes(4));
        assertThat(world.sent("ops")).isEmpty();

        world.passes(Duration.ofMinutes(1));
        assertThat(world.sent("ops")).containsExactly("a1-1-1");
        assertThat(world.decisions()).containsOnlyKeys("waiting", "first-notification");
    }

    @Test
    void aWarningThatResolvesInsideItsWaitIsNeverTold() {
        world.start("ops");
        world.sees(SampleAlerts.warning());
        world.passes(Duration.ofMinutes(3));
        world.sees(SampleAlerts.warning().resolved(world.now()));
        world.passes(Duration.ofHours(1));

        assertThat(world.sent("ops")).isEmpty();
        assertThat(world.decisions()).containsOnlyKeys("waiting", "resolved-untold");
    }

    @Test
    void aWaitOfZeroTellsWarningsAtOnce() {
        world.settings("warning-wait: 0s", receiver("ops", ""));
        world.restart();
        world.sees(SampleAlerts.warning());

        assertThat(world.sent("ops")).containsExactly("a1-1-1");
    }

    @Test
    void aWarningThatTurnsCriticalInsideItsWaitIsToldAtOnce() {
        world.start("ops");
        world.sees(SampleAlerts.warning());
        world.sees(critical().updated(world.now()));

        assertThat(world.sent("ops")).containsExactly("a1-1-2");
    }

    @Test
    void theResolutionIsToldToWhomTheFiringWasTold() {
        world.start("ops");
        world.sees(critical());
        world.sees(critical().resolved(world.now()));

        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-2");
        assertThat(world.remembered("a1/ops").state()).isEqualTo("resolved");
    }

    @Test
    void aResolutionWithoutAFiringToldBeforeIsNotTold() {
        world.start("ops");
        world.sees(critical().resolved(OPENED));

        assertThat(world.sent("ops")).isEmpty();
        assertThat(world.decisions()).containsOnlyKeys("resolved-untold");
    }

    @Test
    void escalationIsToldAtOnceButAMaterialUpdateIsNot() {
        world.settings("warning-wait: 0s", receiver("ops", ""));
        world.restart();
        SampleAlerts warning = SampleAlerts.warning();
        world.sees(warning);
        world.sees(warning.updated(world.now()));
        assertThat(world.sent("ops")).containsExactly("a1-1-1");

        world.sees(warning.updated(world.now()).updated(world.now()).severity("critical"));
        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-3");

        world.sees(warning.updated(world.now()).updated(world.now()).updated(world.now()));
        assertThat(world.sent("ops")).as("de-escalation").hasSize(2);
        assertThat(world.decisions())
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of("first-notification", 1.0, "escalated", 1.0, "already-told", 2.0));
    }

    @Test
    void anAlertThatStillFiresIsToldAgainAfterADayInItsNewestState() {
        world.start("ops");
        SampleAlerts alert = critical();
        world.sees(alert);
        world.sees(alert.updated(world.now()));
        world.passes(Duration.ofHours(23).plusMinutes(59));
        assertThat(world.sent("ops")).hasSize(1);

        world.passes(Duration.ofMinutes(1));
        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-2-" + OPENED.getEpochSecond());

        world.passes(Duration.ofHours(24));
        assertThat(world.sent("ops"))
                .as("each repetition is a message of its own")
                .hasSize(3)
                .doesNotHaveDuplicates();
    }

    @Test
    void anAlertThatComesBackIsToldWithoutAnotherWait() {
        world.settings("warning-wait: 5m\n  group-interval: 1s", receiver("ops", ""));
        world.restart();
        SampleAlerts alert = SampleAlerts.warning();
        world.sees(alert);
        world.passes(Duration.ofMinutes(5));
        world.sees(alert.resolved(world.now()));
        world.passes(Duration.ofSeconds(1));
        world.sees(alert.reopened(world.now()));
        world.passes(Duration.ofSeconds(1));

        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-2", "a1-2-1");
        assertThat(world.decisions())
                .containsOnlyKeys("waiting", "first-notification", "gathering", "resolved", "reopened");
    }

    @Test
    void aReceiverHearsOnlyOfTheSeverityItAskedForButAlwaysOfTheResolution() {
        world.settings("warning-wait: 0s", receiver("pager", "min-severity: critical"), receiver("chat", ""));
        world.restart();
        SampleAlerts alert = SampleAlerts.warning();
        world.sees(alert);
        assertThat(world.sent("pager")).isEmpty();
        assertThat(world.sent("chat")).hasSize(1);

        world.sees(alert.updated(world.now()).severity("critical"));
        world.sees(alert.updated(world.now()).severity("warning").resolved(world.now()));
        assertThat(world.sent("pager")).containsExactly("a1-1-2", "a1-1-3");
        assertThat(world.decisions()).containsKey("below-min-severity");
    }

    @Test
    void aDeadReceiverIsTriedLessAndLessOftenForADayAndThenGivenUp() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.UNREACHABLE, "no connection"));
        world.sees(critical());
        List<Duration> pauses = new ArrayList<>();
        Instant last = world.now();
        while (!world.memory.containsKey("a1/ops")) {
            int before = world.sent("ops").size();
            world.passes(Duration.ofSeconds(1));
            if (world.sent("ops").size() > before) {
                pauses.add(Duration.between(last, world.now()));
                last = world.now();
            }
        }

        assertThat(pauses).hasSizeBetween(25, 35);
        List<Duration> plan = List.of(
                Duration.ofSeconds(5),
                Duration.ofSeconds(30),
                Duration.ofMinutes(2),
                Duration.ofMinutes(10),
                Duration.ofMinutes(30),
                Duration.ofHours(1));
        for (int i = 0; i < pauses.size(); i++) {
            double planned = plan.get(Math.min(i, 5)).toSeconds();
            assertThat((double) pauses.get(i).toSeconds()).isBetween(planned * 0.8 - 1, planned * 1.2 + 1);
        }
        assertThat(world.remembered("a1/ops").result()).isEqualTo(Notification.FAILED);
        assertThat(Duration.between(OPENED, world.now())).isBetween(Duration.ofHours(22), Duration.ofHours(24));
        assertThat(world.sent("ops")).as("always the same message").containsOnly("a1-1-1");
    }

    @Test
    void aDeadReceiverDelaysNoOther() {
        world.settings("warning-wait: 0s", receiver("hanging", ""), receiver("ops", ""));
        world.restart();
        world.hangs("hanging");
        world.sees(critical());
        world.sees(critical().id("a2"));
        world.sees(critical().id("a2").resolved(world.now()));

        assertThat(world.sent("ops")).containsExactlyInAnyOrder("a1-1-1", "a2-1-1", "a2-1-2");
        assertThat(world.memory).containsOnlyKeys("a1/ops", "a2/ops");
    }

    @Test
    void aNewerStateTakesThePlaceOfTheOneBeingRetried() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.UNREACHABLE, "no connection"));
        SampleAlerts alert = critical();
        world.sees(alert);
        world.sees(alert.updated(world.now()));
        world.answers("ops", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.passes(Duration.ofSeconds(10));

        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-2");
        assertThat(world.remembered("a1/ops").transition()).isEqualTo(2);
        assertThat(world.counted("tlsrpt.notifications.finished", "superseded")).isEqualTo(1);
    }

    @Test
    void aResolutionSilencesAFiringThatNeverReachedTheReceiver() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.UNREACHABLE, "no connection"));
        world.sees(critical());
        world.sees(critical().resolved(world.now()));
        world.answers("ops", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.passes(Duration.ofHours(2));

        assertThat(world.sent("ops")).containsExactly("a1-1-1");
        assertThat(world.counted("tlsrpt.notifications.finished", "withdrawn")).isEqualTo(1);
    }

    @Test
    void aResolutionFollowsAFiringThatMayHaveArrived() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.TIMEOUT, "no answer within 15 s"));
        world.sees(critical());
        world.sees(critical().resolved(world.now()));
        world.answers("ops", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.passes(Duration.ofSeconds(10));

        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-2");
    }

    @Test
    void aStateThatComesWhileAnAttemptIsUnderWayIsJudgedWhenThatHasEnded() {
        world.start("ops");
        world.hangs("ops");
        world.sees(critical());
        world.sees(critical().resolved(world.now()));
        assertThat(world.sent("ops")).isEmpty();

        world.goesOn("ops");

        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-2");
    }

    @Test
    void aRefusedMessageIsTriedOnceMoreAndThenGivenUp() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.REFUSED, "status 400"));
        world.sees(critical());
        world.passes(Duration.ofMinutes(3));
        world.passes(Duration.ofHours(5));

        assertThat(world.sent("ops")).hasSize(2);
        assertThat(world.remembered("a1/ops").result()).isEqualTo(Notification.FAILED);
        assertThat(world.remembered("a1/ops").detail()).isEqualTo("status 400");
    }

    @Test
    void aReceiverThatIsGoneIsLeftAloneUntilItsConfigurationChanges() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.GONE, "status 410"));
        world.sees(critical());
        world.sees(critical().id("a2"));
        world.passes(Duration.ofHours(30));
        assertThat(world.sent("ops")).hasSize(1);
        assertThat(world.decisions()).containsKey("receiver-disabled");

        world.answers("ops", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.settings("warning-wait: 5m", receiver("ops", "timeout: 10s"));
        world.passes(Duration.ofSeconds(1));

        assertThat(world.sent("ops")).hasSize(3).contains("a2-1-1");
    }

    @Test
    void retryAfterIsObeyedForAllThatWaits() {
        world.start("ops");
        world.answers("ops", message -> new Attempt(Result.THROTTLED, "status 429", Duration.ofMinutes(20)));
        world.sees(critical());
        world.sees(critical().id("a2"));
        world.answers("ops", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.passes(Duration.ofMinutes(19));
        assertThat(world.sent("ops")).containsExactly("a1-1-1");

        world.passes(Duration.ofMinutes(1));
        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a2-1-1", "a1-1-1");
    }

    @Test
    void aThrottledParcelThatFailedOftenDelaysNoOther() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.UNREACHABLE, "no connection"));
        world.sees(critical());
        world.passes(Duration.ofHours(3));
        world.answers("ops", message -> Attempt.of(Result.THROTTLED, "status 429"));
        while (world.counted("tlsrpt.notifications.attempts", "throttled") == 0) {
            world.passes(Duration.ofMinutes(1));
        }
        world.answers("ops", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.sees(critical().id("a2"));
        assertThat(world.sent("ops")).doesNotContain("a2-1-1");

        world.passes(Outbox.BREATHER);
        assertThat(world.sent("ops")).contains("a2-1-1");
    }

    @Test
    void anAttemptThatDiesOfAnErrorIsRepeatedLikeAnyOther() {
        world.start("ops");
        world.answers("ops", message -> {
            throw new NoClassDefFoundError("gone");
        });
        world.sees(critical());
        world.answers("ops", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.passes(Duration.ofSeconds(10));

        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-1");
        assertThat(world.counted("tlsrpt.notifications.attempts", "broken")).isEqualTo(1);
    }

    @Test
    void anAttemptForWhichThereIsNoThreadIsRepeatedLikeAnyOther() {
        world.start("ops");
        world.noThread = true;
        world.sees(critical());
        assertThat(world.sent("ops")).isEmpty();

        world.noThread = false;
        world.passes(Duration.ofSeconds(10));
        assertThat(world.sent("ops")).containsExactly("a1-1-1");
    }

    @Test
    void anErrorInThePipelineIsSeenInHealthAndItStartsAnew() {
        AtomicInteger starts = new AtomicInteger();
        SimpleMeterRegistry failing = new SimpleMeterRegistry() {
            @Override
            protected Counter newCounter(Meter.Id id) {
                if (id.getName().equals("tlsrpt.notifications.unreadable")) {
                    starts.incrementAndGet();
                    throw new NoClassDefFoundError("gone");
                }
                return super.newCounter(id);
            }
        };
        Settings settings = SettingsFile.defaults();
        Surroundings surroundings =
                new Surroundings(settings, () -> settings, failing, world.health, Clock.systemUTC());
        try (NotificationPipeline pipeline = new NotificationPipeline(surroundings)) {
            pipeline.start();
            await().atMost(Duration.ofSeconds(20)).until(() -> starts.get() == 2);

            assertThat(world.health.whyNotReady(NotificationPipeline.PART))
                    .hasValueSatisfying(why -> assertThat(why).contains("NoClassDefFoundError"));
        }
    }

    @Test
    void anAcknowledgedAlertIsNotRepeatedButWhatIsNewOfItIsTold() {
        world.start("ops");
        Alert told = alert("a1", "certificate", "example.com", "mx1.example.com", null, "warning", List.of());
        world.pipeline().alert(0, "a1", told);
        world.passes(Duration.ofMinutes(5));
        assertThat(world.sent("ops")).containsExactly("a1-1-1");

        world.pipeline().alert(0, "a1", acknowledged(told, 2, "warning"));
        world.passes(Duration.ofDays(3));
        assertThat(world.sent("ops")).containsExactly("a1-1-1");

        world.pipeline().alert(0, "a1", acknowledged(told, 3, "critical"));
        world.passes(Duration.ofDays(3));
        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-3");

        world.pipeline().alert(0, "a1", resolved(told));
        world.rounds();
        assertThat(world.sent("ops")).hasSize(3);
    }

    @Test
    void anAcknowledgedAlertThatReachedNobodyIsTold() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.REFUSED, "status 400"));
        Alert alert = alert("a1", "certificate", "example.com", "mx1.example.com", null, "critical", List.of());
        world.pipeline().alert(0, "a1", acknowledged(alert, 1, "critical"));
        world.passes(Duration.ofHours(1));
        assertThat(world.remembered("a1/ops").result()).isEqualTo(Notification.FAILED);

        world.answers("ops", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.passes(Duration.ofHours(24));
        assertThat(world.remembered("a1/ops").result()).isEqualTo(Notification.DELIVERED);
    }

    @Test
    void anotherMailServerIsTriedAtOnce() {
        world.settings("mail-server: {host: old.example, from: t@example.com}", MAIL);
        world.restart();
        world.answers("mail", message -> Attempt.of(Result.UNREACHABLE, "no connection"));
        world.sees(critical().submitters("google.com", "gmx.net"));
        world.passes(Duration.ofHours(5));
        int before = world.sent("mail").size();

        world.answers("mail", message -> Attempt.of(Result.DELIVERED, "status 250"));
        world.settings("mail-server: {host: new.example, from: t@example.com}", MAIL);
        world.passes(Duration.ofSeconds(1));

        assertThat(world.sent("mail")).hasSize(before + 1);
        assertThat(world.remembered("a1/mail").result()).isEqualTo(Notification.DELIVERED);
    }

    @Test
    void anAnswerToAnEarlierConfigurationSaysNothingAboutThePresentOne() {
        world.start("ops");
        world.hangs("ops");
        world.answers("ops", message -> Attempt.of(Result.GONE, "status 410"));
        world.sees(critical());
        world.settings("warning-wait: 5m", receiver("ops", "timeout: 10s"));
        world.rounds();
        world.goesOnOnce("ops");
        world.answers("ops", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.goesOn("ops");

        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-1");
        assertThat(world.remembered("a1/ops").result()).isEqualTo(Notification.DELIVERED);
    }

    @Test
    void whatFailedWhileAReceiverWasDownGoesOutAsSoonAsItAnswersAgain() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.UNREACHABLE, "no connection"));
        world.sees(critical());
        world.passes(Duration.ofHours(3));
        world.answers("ops", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.sees(critical().id("a2"));

        assertThat(world.memory).containsOnlyKeys("a1/ops", "a2/ops", "receiver-dead/ops");
    }

    @Test
    void criticalAlertsGoFirst() {
        world.settings("warning-wait: 0s", receiver("ops", ""));
        world.restart();
        world.hangs("ops");
        world.sees(SampleAlerts.warning().id("w0"));
        world.sees(SampleAlerts.warning().id("w1"));
        world.sees(critical().id("c1"));
        world.goesOn("ops");

        assertThat(world.sent("ops")).containsExactly("w0-1-1", "c1-1-1", "w1-1-1");
    }

    @Test
    void aRestartRepeatsNothingThatIsInTheLog() {
        world.start("ops");
        world.sees(critical());
        world.sees(critical().id("a2"));
        world.sees(critical().id("a2").resolved(world.now()));
        int before = world.sent("ops").size();

        world.restart();
        world.passes(Duration.ofHours(1));

        assertThat(world.sent("ops")).hasSize(before);
    }

    @Test
    void aDeliveryThatWasNotLoggedGoesOutAgainUnderTheSameId() {
        world.start("ops");
        world.logIsLost = true;
        world.sees(critical());
        assertThat(world.sent("ops")).containsExactly("a1-1-1");

        world.logIsLost = false;
        world.restart();

        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-1");
        assertThat(world.memory).containsOnlyKeys("a1/ops");
    }

    @Test
    void aLogThatCannotBeWrittenIsTriedAgainWithoutTellingAgain() {
        world.start("ops");
        world.logRefuses = true;
        world.sees(critical());
        world.passes(Duration.ofMinutes(1));
        assertThat(world.memory).isEmpty();
        assertThat(world.pending()).isEqualTo(1);

        world.logRefuses = false;
        world.passes(Duration.ofSeconds(5));

        assertThat(world.memory).containsOnlyKeys("a1/ops");
        assertThat(world.sent("ops")).containsExactly("a1-1-1");
    }

    @Test
    void whatHappenedDuringADowntimeIsToldAfterIt() {
        world.start("ops");
        world.sees(critical());
        world.alerts.put("a1", critical().resolved(OPENED.plusSeconds(60)));
        world.alerts.put("a2", critical().id("a2"));
        world.clock.now = OPENED.plus(Duration.ofDays(5));
        world.restart();

        assertThat(world.sent("ops")).containsExactlyInAnyOrder("a1-1-1", "a1-1-2", "a2-1-1");
    }

    @Test
    void nothingIsJudgedBeforeTheLogIsRestored() {
        world.build("ops");
        world.pipeline().restoring(Set.of(0));
        world.pipeline().alert(0, "a1", critical().alert());
        world.rounds();
        assertThat(world.sent("ops")).isEmpty();
        assertThat(world.health.isReady()).isFalse();

        world.pipeline().restored(false);
        world.rounds();
        assertThat(world.sent("ops")).containsExactly("a1-1-1");
        assertThat(world.health.isReady()).isTrue();
    }

    @Test
    void anApplicationWithoutAnyMemoryTellsOfTheLastThreeDaysAndMutesWhatIsOlder() {
        world.clock.now = OPENED.plus(Duration.ofDays(4));
        world.alerts.put("a1", critical());
        world.alerts.put("a2", critical().id("a2").updated(world.now().minus(Duration.ofHours(71))));
        world.start("ops");

        assertThat(world.sent("ops")).containsExactly("a2-1-2");
        assertThat(world.remembered("a1/ops").result()).isEqualTo(Notification.MUTED);
        assertThat(world.remembered("a1/ops").detail()).startsWith("too-old");

        world.restart();
        world.passes(Duration.ofHours(1));
        assertThat(world.sent("ops")).as("muted stays muted").containsExactly("a2-1-2");

        world.sees(critical().updated(world.now()));
        assertThat(world.sent("ops")).as("news are news").containsExactly("a2-1-2", "a1-1-2");
    }

    @Test
    void aReceiverThatIsAddedHearsOfWhatFires() {
        world.start("ops");
        world.sees(critical());
        world.sees(critical().id("a2"));
        world.sees(critical().id("a2").resolved(world.now()));
        world.settings("warning-wait: 5m", receiver("ops", ""), receiver("new", ""));
        world.passes(Duration.ofSeconds(1));

        assertThat(world.sent("new")).containsExactly("a1-1-1");
        assertThat(world.sent("ops")).hasSize(3);
    }

    @Test
    void aReceiverThatIsRemovedHearsNoMore() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.UNREACHABLE, "no connection"));
        world.sees(critical());
        world.settings("warning-wait: 5m");
        world.passes(Duration.ofHours(2));

        assertThat(world.sent("ops")).hasSize(1);
        assertThat(world.pending()).isZero();
    }

    @Test
    void partitionsThatGoElsewhereTakeTheirParcelsAlong() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.UNREACHABLE, "no connection"));
        world.sees(critical());
        world.pipeline().released();
        world.passes(Duration.ofHours(2));

        assertThat(world.sent("ops")).hasSize(1);
        assertThat(world.pending()).isZero();
    }

    @Test
    void aRemovedAlertTakesItsMemoryAlong() {
        world.start("ops");
        world.sees(critical());
        world.alerts.remove("a1");
        world.pipeline().alert(0, "a1", null);
        world.rounds();

        assertThat(world.memory).isEmpty();
    }

    @Test
    void theOldestPendingNotificationHasAnAge() {
        world.start("ops");
        world.answers("ops", message -> Attempt.of(Result.UNREACHABLE, "no connection"));
        world.sees(critical());
        world.passes(Duration.ofMinutes(7));

        assertThat(world.meters
                        .get("tlsrpt.notifications.oldest.pending.seconds")
                        .gauge()
                        .value())
                .isEqualTo(420);
    }

    @Test
    void theFirstRouteThatMatchesDecidesWhoHearsOfAnAlert() {
        world.settings("""
                routes:
                    - labels: {team: mail}
                      receivers: [mail]
                      proceed: true
                    - severities: [critical]
                      receivers: [pager]
                    - receivers: [chat]""", receiver("mail", ""), receiver("pager", ""), receiver("chat", ""));
        world.restart();
        world.sees(critical());

        assertThat(world.sent("mail")).containsExactly("a1-1-1");
        assertThat(world.sent("pager")).containsExactly("a1-1-1");
        assertThat(world.sent("chat")).isEmpty();
        assertThat(world.decisions()).containsEntry("not-routed", 1.0);
    }

    @Test
    void aResolutionGoesWhereTheFiringWentWhateverTheRoutesAreByNow() {
        world.start("ops");
        world.sees(critical());
        world.settings("routes:\n    - domains: [other.example]\n      receivers: [ops]", receiver("ops", ""));
        world.sees(critical().resolved(world.now()));

        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-2");
    }

    @Test
    void whoDoesNotWantResolutionsHearsNoneAndTheLogSaysSo() {
        world.settings("warning-wait: 5m", receiver("ops", "send-resolved: false"));
        world.restart();
        world.sees(critical());
        world.sees(critical().resolved(world.now()));

        assertThat(world.sent("ops")).containsExactly("a1-1-1");
        assertThat(world.remembered("a1/ops").state()).isEqualTo("resolved");
        assertThat(world.remembered("a1/ops").result()).isEqualTo(Notification.MUTED);

        world.sees(critical().resolved(world.now()).reopened(world.now()));
        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-2-1");
    }

    @Test
    void aCriticalAlertOfASingleReporterWaitsForTheFaultToBeThatReportersOwn() {
        world.start("ops");
        world.sees(SampleAlerts.critical());
        assertThat(world.sent("ops")).isEmpty();

        world.passes(Duration.ofMinutes(5));
        assertThat(world.sent("ops")).containsExactly("a1-1-1");
    }

    @Test
    void aSecondReporterEndsTheWait() {
        world.start("ops");
        world.sees(SampleAlerts.critical());
        world.sees(critical().updated(world.now()));

        assertThat(world.sent("ops")).containsExactly("a1-1-2");
    }

    @Test
    void theIntervalBetweenRepetitionsIsASetting() {
        world.settings("repeat-interval: 2h", receiver("ops", ""));
        world.restart();
        world.sees(critical());
        world.passes(Duration.ofHours(2));

        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-1-" + OPENED.getEpochSecond());
    }

    @Test
    void warningsThatGatherGoAsOneMessage() {
        world.settings("warning-wait: 0s\n  group-interval: 30m", receiver("ops", ""));
        world.restart();
        world.sees(SampleAlerts.warning().id("w0"));
        for (int i = 1; i <= 5; i++) {
            world.sees(SampleAlerts.warning().id("w" + i));
        }
        world.sees(critical().id("c1"));
        assertThat(world.alertsTold("ops")).containsExactly(List.of("w0"), List.of("c1"));

        world.passes(Duration.ofMinutes(29));
        assertThat(world.alertsTold("ops")).hasSize(2);

        world.passes(Duration.ofMinutes(1));
        assertThat(world.alertsTold("ops"))
                .containsExactly(List.of("w0"), List.of("c1"), List.of("w1", "w2", "w3", "w4", "w5"));
        assertThat(world.memory).containsKeys("w1/ops", "w5/ops");
        assertThat(world.decisions()).containsEntry("gathering", 5.0);

        world.sees(SampleAlerts.warning().id("w1").resolved(world.now()));
        world.restart();
        assertThat(world.alertsTold("ops"))
                .as("the interval survives a restart")
                .hasSize(3);
        world.passes(Duration.ofMinutes(30));
        assertThat(world.alertsTold("ops")).endsWith(List.of("w1"));
    }

    @Test
    void whatComesAndGoesWhileItGathersIsNeverTold() {
        world.settings("warning-wait: 0s\n  group-interval: 30m", receiver("ops", ""));
        world.restart();
        world.sees(SampleAlerts.warning().id("w0"));
        world.sees(SampleAlerts.warning().id("w1"));
        world.sees(SampleAlerts.warning().id("w1").resolved(world.now()));
        world.passes(Duration.ofHours(1));

        assertThat(world.alertsTold("ops")).containsExactly(List.of("w0"));
    }

    @Test
    void aFloodOfCriticalAlertsGoesAsOneMessageAndAFewOneByOne() {
        world.start("ops");
        world.hangs("ops");
        world.sees(critical().id("first"));
        for (int i = 0; i < 30; i++) {
            world.sees(critical().id("c" + (10 + i)));
        }
        world.goesOn("ops");
        assertThat(world.alertsTold("ops")).hasSize(2);
        assertThat(world.alertsTold("ops").getLast()).hasSize(30);

        world.hangs("ops");
        world.sees(critical().id("d0"));
        for (int i = 1; i <= 10; i++) {
            world.sees(critical().id("d" + i));
        }
        world.goesOn("ops");
        assertThat(world.alertsTold("ops")).hasSize(2 + 11);
    }

    @Test
    void aMessageOfSeveralThatMayHaveArrivedComesAgainAsItWas() {
        world.settings("warning-wait: 5m", receiver("ops", ""));
        world.restart();
        world.answers("ops", message -> Attempt.of(Result.TIMEOUT, "no answer"));
        world.sees(SampleAlerts.warning().id("w0"));
        world.sees(SampleAlerts.warning().id("w1"));
        world.passes(Duration.ofMinutes(5));
        assertThat(world.alertsTold("ops")).containsExactly(List.of("w0", "w1"));
        world.sees(SampleAlerts.warning().id("w2"));
        world.answers("ops", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.passes(Duration.ofMinutes(1));

        assertThat(world.alertsTold("ops")).contains(List.of("w0", "w1"));
        assertThat(world.sent("ops").stream()
                        .filter(id -> id.startsWith("group-"))
                        .distinct())
                .hasSize(1);
    }

    @Test
    void aMessageOfSeveralThatWasNotLoggedComesAgainUnderTheSameId() {
        world.settings("warning-wait: 5m", receiver("ops", ""));
        world.restart();
        world.logIsLost = true;
        world.sees(SampleAlerts.warning().id("w0"));
        world.sees(SampleAlerts.warning().id("w1"));
        world.passes(Duration.ofMinutes(5));
        world.logIsLost = false;
        world.restart();

        assertThat(world.sent("ops")).hasSize(2);
        assertThat(world.sent("ops").stream().distinct()).hasSize(1);
        assertThat(world.memory).containsOnlyKeys("w0/ops", "w1/ops");
    }

    @Test
    void oneAlertThatAReceiverRefusesTakesNoOtherDown() {
        world.settings("warning-wait: 5m", receiver("ops", ""));
        world.restart();
        world.answers(
                "ops",
                message -> message instanceof Message.Alerts about
                                && about.alerts().stream()
                                        .anyMatch(each -> each.alertId().equals("w1"))
                        ? Attempt.of(Result.REFUSED, "status 400")
                        : Attempt.of(Result.DELIVERED, "status 204"));
        for (int i = 0; i < 3; i++) {
            world.sees(SampleAlerts.warning().id("w" + i));
        }
        world.passes(Duration.ofMinutes(10));

        assertThat(world.remembered("w0/ops").result()).isEqualTo(Notification.DELIVERED);
        assertThat(world.remembered("w1/ops").result()).isEqualTo(Notification.FAILED);
        assertThat(world.remembered("w2/ops").result()).isEqualTo(Notification.DELIVERED);
    }

    @Test
    void noReceiverGetsMoreMessagesAMinuteThanItWantsAndCriticalOnesGoFirst() {
        world.settings("warning-wait: 0s", receiver("ops", "messages-per-minute: 3"));
        world.restart();
        for (int i = 0; i < 6; i++) {
            world.sees(critical().id("c" + i));
        }
        assertThat(world.sent("ops")).hasSize(3);
        world.sees(SampleAlerts.warning().id("w0"));
        world.sees(critical().id("c6"));

        world.passes(Duration.ofMinutes(1));
        assertThat(world.alertsTold("ops")).hasSize(6).endsWith(List.of("c5"));
        world.passes(Duration.ofMinutes(5));
        assertThat(world.alertsTold("ops")).hasSize(8).endsWith(List.of("w0"));
    }

    @Test
    void anInhibitedAlertIsToldWhenItsInhibitorEndsAndItStillFires() {
        world.start("ops");
        Alert fault = alert("f1", "reporter-fault", null, null, "google.com", "warning", List.of());
        Alert one =
                alert("a1", "certificate", "example.com", "mx1.example.com", null, "critical", List.of("google.com"));
        world.pipeline().alert(1, "f1", fault);
        world.pipeline().alert(0, "a1", one);
        world.rounds();
        world.passes(Duration.ofHours(2));
        assertThat(world.sent("ops")).isEmpty();
        assertThat(world.decisions()).containsExactly(Map.entry("inhibited", 1.0));

        world.pipeline().alert(1, "f1", resolved(fault));
        world.rounds();
        assertThat(world.sent("ops")).as("f1 belongs to another instance").containsExactly("a1-1-1");
    }

    @Test
    void aSilencedAlertIsToldWhenTheSilenceEndsAndItStillFires() {
        world.start("ops");
        world.pipeline().silence(3, "s1", silence(OPENED.minusSeconds(60), OPENED.plus(Duration.ofHours(2))));
        world.sees(critical());
        world.passes(Duration.ofMinutes(119));
        assertThat(world.sent("ops")).isEmpty();
        assertThat(world.decisions()).containsExactly(Map.entry("silenced", 1.0));

        world.passes(Duration.ofMinutes(1));
        assertThat(world.sent("ops")).containsExactly("a1-1-1");
    }

    @Test
    void aSilenceThatMeansAllAlertsMutesNone() {
        world.start("ops");
        AlertMatch all =
                new AlertMatch(null, null, null, null, null, null, List.of("critical", "warning", "info"), null);
        Instant end = OPENED.plus(Duration.ofHours(2));
        world.pipeline().silence(3, "s1", new Silence("s1", all, OPENED.minusSeconds(60), end, "anna", "x", OPENED));
        world.sees(critical());

        assertThat(world.sent("ops")).containsExactly("a1-1-1");
    }

    @Test
    void aSilenceStopsRepetitionsAndRetriesButNoResolutionOfWhatWasTold() {
        world.start("ops");
        world.sees(critical());
        world.pipeline().silence(0, "s1", silence(OPENED.plus(Duration.ofHours(1)), OPENED.plus(Duration.ofDays(3))));
        world.passes(Duration.ofDays(2));
        assertThat(world.sent("ops")).containsExactly("a1-1-1");

        world.sees(critical().resolved(world.now()));
        assertThat(world.sent("ops")).containsExactly("a1-1-1", "a1-1-2");
    }

    @Test
    void aSilenceIsForgottenFiveDaysAfterItsEndByWhoOwnsItsPartition() {
        world.start("ops");
        Silence over = silence(OPENED.minusSeconds(60), OPENED);
        world.pipeline().silence(0, "mine", over);
        world.pipeline().silence(1, "another's", over);
        world.sees(critical());
        world.passes(Duration.ofDays(6));

        assertThat(world.silencesForgotten).containsExactly("mine");
    }

    @Test
    void warningsWaitForTheEndOfQuietHoursAndCriticalAlertsDoNot() {
        // 04:00 UTC is 05:00 in Berlin
        world.settings("""
                warning-wait: 0s
                  quiet-hours: {from: "22:00", to: "07:00", zone: Europe/Berlin}""", receiver("ops", ""));
        world.restart();
        world.sees(SampleAlerts.warning().id("w1"));
        world.sees(critical().id("c1"));
        assertThat(world.alertsTold("ops")).containsExactly(List.of("c1"));

        world.passes(Duration.ofMinutes(119));
        assertThat(world.alertsTold("ops")).hasSize(1);
        world.passes(Duration.ofMinutes(1));
        assertThat(world.alertsTold("ops")).containsExactly(List.of("c1"), List.of("w1"));
        assertThat(world.decisions()).containsEntry("quiet-hours", 1.0);
    }

    @Test
    void othersHearOnceThatAReceiverIsDeadAndThatItWorksAgain() {
        world.settings("warning-wait: 0s", receiver("pager", ""), receiver("chat", ""));
        world.restart();
        world.answers("pager", message -> Attempt.of(Result.UNREACHABLE, "no connection"));
        world.sees(critical());
        world.passes(Duration.ofMinutes(14));
        assertThat(world.notices("chat")).isEmpty();

        world.passes(Duration.ofHours(3));
        assertThat(world.notices("chat")).hasSize(1);
        assertThat(world.notices("chat").getFirst().title()).contains("pager").contains("dead");
        assertThat(world.gauge("tlsrpt.notifications.receivers.dead")).isEqualTo(1);
        world.restart();
        world.passes(Duration.ofHours(3));
        assertThat(world.notices("chat")).as("once").hasSize(1);

        world.answers("pager", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.passes(Duration.ofHours(2));
        assertThat(world.notices("chat")).hasSize(2);
        assertThat(world.notices("chat").getLast().title()).contains("works again");
        assertThat(world.notices("pager")).as("never itself").isEmpty();
        assertThat(world.gauge("tlsrpt.notifications.receivers.dead")).isZero();
    }

    @Test
    void aReceiverThatIsOnlyConfiguredAnewDoesNotWorkAgainYet() {
        world.settings("warning-wait: 0s", receiver("pager", ""), receiver("chat", ""));
        world.restart();
        world.sees(critical());
        world.answers("pager", message -> Attempt.of(Result.GONE, "status 410"));
        world.sees(critical().id("a2"));
        assertThat(world.notices("chat")).hasSize(1);

        world.answers("pager", message -> Attempt.of(Result.UNREACHABLE, "no connection"));
        world.settings("warning-wait: 0s", receiver("pager", "timeout: 10s"), receiver("chat", ""));
        world.passes(Duration.ofHours(1));
        assertThat(world.notices("chat")).as("no false word").hasSize(1);

        world.answers("pager", message -> Attempt.of(Result.DELIVERED, "status 204"));
        world.passes(Duration.ofHours(2));
        assertThat(world.notices("chat")).hasSize(2);
        assertThat(world.notices("chat").getLast().title()).contains("works again");
    }

    @Test
    void whoWantsNoMoreIsReportedToTheOthersAtOnce() {
        world.settings("warning-wait: 0s", receiver("pager", ""), receiver("chat", ""));
        world.restart();
        world.answers("pager", message -> Attempt.of(Result.GONE, "status 410"));
        world.sees(critical());

        assertThat(world.notices("chat")).hasSize(1);
    }

    @Test
    void theDigestComesOnceAWeekAlsoWhenAllIsWell() {
        // OPENED is a Saturday
        world.settings(
                "digest: {receivers: [chat], day: monday, at: \"08:00\", zone: Europe/Berlin}", receiver("chat", ""));
        world.restart();
        world.passes(Duration.ofDays(1));
        assertThat(world.notices("chat")).isEmpty();

        world.passes(Duration.ofDays(2));
        assertThat(world.notices("chat")).extracting(Message.Notice::id).containsExactly("digest-2026-W48");
        assertThat(world.notices("chat").getFirst().text()).contains("sessions: 1,400");
        assertThat(world.remembered("digest/chat").incidentId()).isEqualTo("digest-2026-W48");

        world.restart();
        world.passes(Duration.ofDays(3));
        assertThat(world.notices("chat")).hasSize(1);
        assertThat(world.digests).isEqualTo(1);
        world.passes(Duration.ofDays(4));
        assertThat(world.notices("chat")).extracting(Message.Notice::id).endsWith("digest-2026-W49");
    }

    @Test
    void aDigestThatWasDueWhileNobodyRanIsSentUpToADayLate() {
        String settings = "digest: {receivers: [chat], day: friday, at: \"08:00\"}";
        world.settings(settings, receiver("chat", ""));
        world.restart(); // Saturday 04:00, 20 hours late
        world.rounds();
        assertThat(world.notices("chat")).hasSize(1);

        World late = new World();
        late.clock.now = OPENED.plus(Duration.ofHours(5));
        late.settings(settings, receiver("chat", ""));
        late.restart();
        late.rounds();
        assertThat(late.notices("chat")).isEmpty();
    }

    @Test
    void alertmanagerHearsEachMinuteOfWhatStillFires() {
        world.settings("warning-wait: 0s", receiver("am", "kind: alertmanager"));
        world.restart();
        world.sees(critical());
        world.sees(critical().id("a2"));
        int before = world.alertsTold("am").size();
        world.passes(Duration.ofMinutes(3));

        assertThat(world.alertsTold("am").subList(before, before + 3))
                .allMatch(each -> each.equals(List.of("a1", "a2")));
        assertThat(world.memory).containsOnlyKeys("a1/am", "a2/am");
    }

    private static Alert alert(
            String id,
            String rule,
            @Nullable String domain,
            @Nullable String mx,
            @Nullable String submitter,
            String severity,
            List<String> submitters) {
        return new Alert(
                id,
                id + "-1",
                rule,
                "certificate-expired",
                domain,
                mx,
                submitter,
                null,
                null,
                Alert.FIRING,
                severity,
                1,
                null,
                OPENED,
                OPENED,
                null,
                null,
                null,
                null,
                rule,
                new Alert.Evidence(
                        LocalDate.parse("2026-11-20"), null, 5, 5, 0, 0, null, submitters, null, null, null, null),
                null,
                null,
                null);
    }

    private static Alert resolved(Alert alert) {
        return new Alert(
                alert.alertId(),
                alert.incidentId(),
                alert.rule(),
                alert.resultType(),
                alert.policyDomain(),
                alert.receivingMxHostname(),
                alert.submitter(),
                null,
                null,
                Alert.RESOLVED,
                alert.severity(),
                2,
                null,
                OPENED,
                OPENED,
                OPENED,
                "recovered",
                null,
                null,
                alert.summary(),
                alert.evidence(),
                null,
                null,
                null);
    }

    private static Alert acknowledged(Alert alert, int transition, String severity) {
        return new Alert(
                alert.alertId(),
                alert.incidentId(),
                alert.rule(),
                alert.resultType(),
                alert.policyDomain(),
                alert.receivingMxHostname(),
                alert.submitter(),
                null,
                null,
                Alert.FIRING,
                severity,
                transition,
                null,
                OPENED,
                OPENED,
                null,
                null,
                new Alert.Word("anna", OPENED, null),
                null,
                alert.summary(),
                alert.evidence(),
                null,
                null,
                null);
    }

    private static Silence silence(Instant from, Instant to) {
        return new Silence(
                "s1",
                new AlertMatch(null, List.of("example.com"), null, null, null, null, null, null),
                from,
                to,
                "anna",
                "maintenance",
                from);
    }

    /// Whatever the receivers do and however often it is restarted: after all receivers work again, each has heard last
    /// what is true, and no alert that it heard of is still open there though resolved.
    @Test
    void afterAnyHistoryEachReceiverHasHeardLastWhatIsTrue() {
        for (long seed = 1; seed <= 100; seed++) {
            World each = new World();
            Random random = new Random(seed);
            each.settings("warning-wait: 5m", receiver("one", ""), receiver("two", "min-severity: critical"));
            each.restart();
            for (int i = 0; i < 60; i++) {
                String id = "a" + random.nextInt(4);
                SampleAlerts now = each.alerts.get(id);
                switch (random.nextInt(8)) {
                    case 0, 1 ->
                        each.sees(
                                now == null || now.state().equals("resolved")
                                        ? (now == null ? SampleAlerts.warning().id(id) : now).reopened(each.now())
                                        : now.updated(each.now()).severity("critical"));
                    case 2 -> {
                        if (now != null && now.state().equals("firing")) {
                            each.sees(now.resolved(each.now()));
                        }
                    }
                    case 3 -> each.restart();
                    case 4 ->
                        each.answers(
                                random.nextBoolean() ? "one" : "two",
                                message -> Attempt.of(Result.UNREACHABLE, "no connection"));
                    case 5 ->
                        each.answers(
                                random.nextBoolean() ? "one" : "two",
                                message -> Attempt.of(Result.DELIVERED, "status 200"));
                    default -> each.passes(Duration.ofMinutes(random.nextInt(60)));
                }
            }
            each.answers("one", message -> Attempt.of(Result.DELIVERED, "status 200"));
            each.answers("two", message -> Attempt.of(Result.DELIVERED, "status 200"));
            each.passes(Duration.ofHours(2));
            for (SampleAlerts alert : each.alerts.values()) {
                for (String receiver : List.of("one", "two")) {
                    String last = each.delivered.getOrDefault(receiver + "/" + alert.alertId(), "nothing");
                    boolean wanted = receiver.equals("one") || alert.severity().equals("critical");
                    assertThat(last)
                            .as("seed %d: %s about %s, %s", seed, receiver, alert.alertId(), alert.state())
                            .isIn(
                                    alert.state().equals("resolved")
                                            ? List.of("nothing", "resolved")
                                            : wanted ? List.of("firing") : List.of("firing", "resolved", "nothing"));
                }
            }
            assertThat(each.pending()).isZero();
            assertThat(each.told()).isGreaterThan(0);
        }
    }

    /// Seen by two reporters, so that nobody waits for more evidence.
    private static SampleAlerts critical() {
        return SampleAlerts.critical().submitters("google.com", "microsoft.com");
    }

    private static String receiver(String name, String more) {
        return "    - name: %s%n      url: https://%s.example/secret-path%n%s"
                .formatted(name, name, more.isEmpty() ? "" : "      " + more + "\n");
    }

    /// Everything around the pipeline.
    private static final class World implements NotificationPipeline.Memory {

        final TestClock clock = new TestClock();
        final Map<String, SampleAlerts> alerts = new LinkedHashMap<>();
        final Map<String, Notification> memory = new LinkedHashMap<>();
        final Map<String, String> delivered = new HashMap<>();
        final Health health = new Health();
        final SimpleMeterRegistry meters = new SimpleMeterRegistry();
        final List<String> silencesForgotten = new ArrayList<>();
        int digests;
        boolean logIsLost;
        boolean logRefuses;
        boolean noThread;

        private final List<String> messages = new ArrayList<>();
        private final Map<String, List<Message>> told = new HashMap<>();
        private final Map<String, Function<Message, Attempt>> answers = new HashMap<>();
        private final Map<String, List<Runnable>> hanging = new HashMap<>();
        private Settings settings = SettingsFile.defaults();
        private NotificationPipeline pipeline = build();

        void start(String receiver) {
            settings("warning-wait: 5m", receiver(receiver, ""));
            restart();
        }

        NotificationPipeline pipeline() {
            return pipeline;
        }

        void build(String receiver) {
            settings("warning-wait: 5m", receiver(receiver, ""));
            pipeline = build();
        }

        private NotificationPipeline build() {
            // A gauge stays with the object that it was registered for first.
            meters.getMeters().stream()
                    .filter(meter -> meter instanceof Gauge)
                    .toList()
                    .forEach(meters::remove);
            return new NotificationPipeline(
                    new Surroundings(settings, () -> settings, meters, health, clock),
                    this::attempt,
                    this::thread,
                    new Random(7),
                    this::gather,
                    this);
        }

        private WeeklyDigest gather(ZonedDateTime due, List<Alert> known) {
            digests++;
            return new WeeklyDigest(
                    due, new WeeklyDigest.Reports(1, 2, 14, 1400, 0, due.toInstant()), new TreeMap<>(), known);
        }

        private void thread(String receiver, Runnable work) {
            if (noThread) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            List<Runnable> held = hanging.get(receiver);
            if (held == null) {
                work.run();
            } else {
                held.add(work);
            }
        }

        private Attempt attempt(AlertingSettings.Receiver to, Message message) {
            messages.add(to.name() + " " + message.id());
            told.computeIfAbsent(to.name(), name -> new ArrayList<>()).add(message);
            Attempt attempt = answers.getOrDefault(to.name(), any -> Attempt.of(Result.DELIVERED, "status 200"))
                    .apply(message);
            if (attempt.result() != Result.UNREACHABLE) {
                if (message instanceof Message.Alerts about) {
                    about.alerts().forEach(alert -> delivered.put(to.name() + "/" + alert.alertId(), alert.state()));
                }
            }
            return attempt;
        }

        void settings(String wait, String... receivers) {
            String list = receivers.length == 0 ? " []" : "\n" + String.join("", receivers);
            settings = SettingsFile.parse(
                    "test.yaml", "alerting:\n  %s\n  receivers:%s\n".formatted(wait, list), name -> null);
        }

        void restart() {
            pipeline.lost();
            pipeline.step();
            pipeline = build();
            pipeline.restoring(Set.of(0));
            boolean noMemory = memory.isEmpty();
            alerts.forEach((id, alert) -> pipeline.alert(0, id, alert.alert()));
            List.copyOf(memory.values()).forEach(told -> pipeline.told(0, told));
            pipeline.restored(noMemory);
            rounds();
        }

        void sees(SampleAlerts alert) {
            alerts.put(alert.alertId(), alert);
            pipeline.alert(0, alert.alertId(), alert.alert());
            rounds();
        }

        void passes(Duration time) {
            Instant end = clock.now.plus(time);
            while (clock.now.isBefore(end)) {
                Instant next = clock.now.plus(Duration.ofMinutes(1));
                clock.now = next.isBefore(end) ? next : end;
                rounds();
            }
        }

        /// Until nothing moves any more.
        void rounds() {
            int before;
            do {
                before = messages.size() + memory.hashCode();
                for (int i = 0; i < 4; i++) {
                    pipeline.step();
                }
            } while (before != messages.size() + memory.hashCode());
        }

        void answers(String receiver, Function<Message, Attempt> answer) {
            answers.put(receiver, answer);
        }

        void hangs(String receiver) {
            hanging.put(receiver, new ArrayList<>());
        }

        /// What hangs goes on, what comes now hangs.
        void goesOnOnce(String receiver) {
            List<Runnable> held = List.copyOf(Objects.requireNonNull(hanging.get(receiver)));
            hangs(receiver);
            held.forEach(Runnable::run);
            rounds();
        }

        void goesOn(String receiver) {
            List<Runnable> held = List.copyOf(Objects.requireNonNull(hanging.remove(receiver)));
            held.forEach(Runnable::run);
            rounds();
        }

        Notification remembered(String key) {
            return Objects.requireNonNull(memory.get(key), key);
        }

        Instant now() {
            return clock.now;
        }

        List<String> sent(String receiver) {
            return messages.stream()
                    .filter(each -> each.startsWith(receiver + " "))
                    .map(each -> each.substring(receiver.length() + 1))
                    .toList();
        }

        /// The alerts of each message about alerts.
        List<List<String>> alertsTold(String receiver) {
            return told.getOrDefault(receiver, List.of()).stream()
                    .filter(Message.Alerts.class::isInstance)
                    .map(Message.Alerts.class::cast)
                    .map(message ->
                            message.alerts().stream().map(Alert::alertId).toList())
                    .toList();
        }

        List<Message.Notice> notices(String receiver) {
            return told.getOrDefault(receiver, List.of()).stream()
                    .filter(Message.Notice.class::isInstance)
                    .map(Message.Notice.class::cast)
                    .toList();
        }

        Map<String, Double> decisions() {
            Map<String, Double> counts = new HashMap<>();
            for (Decision each : Decision.values()) {
                double count = counted("tlsrpt.notifications.decisions", each.word());
                if (count > 0) {
                    counts.put(each.word(), count);
                }
            }
            return counts;
        }

        double told() {
            return decisions(Decision::tells);
        }

        double withheld() {
            return decisions(each -> !each.tells());
        }

        private double decisions(Function<Decision, Boolean> which) {
            return Arrays.stream(Decision.values())
                    .filter(which::apply)
                    .mapToDouble(each -> counted("tlsrpt.notifications.decisions", each.word()))
                    .sum();
        }

        double pending() {
            return meters.get("tlsrpt.notifications.pending").gauge().value();
        }

        double gauge(String name) {
            return meters.get(name).gauge().value();
        }

        double counted(String name) {
            return series(name).mapToDouble(World::value).sum();
        }

        double counted(String name, String label) {
            return series(name)
                    .filter(each -> each.getId().getTags().getFirst().getValue().equals(label))
                    .mapToDouble(World::value)
                    .sum();
        }

        private Stream<Meter> series(String name) {
            return meters.getMeters().stream()
                    .filter(each -> each.getId().getName().equals(name));
        }

        private static double value(Meter meter) {
            return meter.measure().iterator().next().getValue();
        }

        @Override
        public void remember(int partition, Notification notification, Consumer<Boolean> written) {
            if (logRefuses) {
                written.accept(false);
            } else if (!logIsLost) {
                memory.put(notification.key(), notification);
                written.accept(true);
            }
        }

        @Override
        public void forget(int partition, String key) {
            memory.remove(key);
        }

        @Override
        public void forgetSilence(int partition, String silenceId) {
            silencesForgotten.add(silenceId);
            pipeline.silence(partition, silenceId, null);
        }
    }

    private static final class TestClock extends Clock {

        Instant now = OPENED;

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}

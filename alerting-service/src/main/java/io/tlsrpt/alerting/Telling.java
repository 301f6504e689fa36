package io.tlsrpt.alerting;

import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Notification;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Whether one receiver is told of the latest state of one alert: a pure function of what is known now.
///
/// @param again when the answer may be another one without anything having happened; absent: never
record Telling(Decision decision, @Nullable Instant again) {

    /// Rules whose alerts rest on what reporters saw, of which one alone may be mistaken.
    private static final Set<String> REPORTED = Set.of("certificate", "starttls-regression", "dane", "sts-policy");

    /// The stages in their order; the first one with an answer decides. Where none has one the receiver is told.
    private static final List<Function<Question, Optional<Telling>>> STAGES =
            List.of(Telling::route, Telling::mute, Telling::dedupe, Telling::hold, Telling::quiet, Telling::group);

    /// All that the decision rests on.
    ///
    /// @param told the latest word to this receiver about this alert, by the notification log
    /// @param mayHaveHeard whether an attempt to tell it that the alert fires ended with no answer that says otherwise
    /// @param pending whether this very state is on its way to the receiver
    /// @param disabled whether the receiver is left alone
    /// @param since when this process first saw the receiver's present configuration
    /// @param mutedBefore alerts that last changed before it are history; absent: none are
    /// @param inhibited whether another alert makes this one not worth telling
    /// @param silenced whether somebody does not want to hear of it now
    /// @param groupTold when the receiver was last told of a group of alerts to which this one belongs
    record Question(
            Alert alert,
            @Nullable Notification told,
            boolean mayHaveHeard,
            boolean pending,
            AlertingSettings.Receiver receiver,
            boolean disabled,
            Instant since,
            @Nullable Instant mutedBefore,
            boolean inhibited,
            boolean silenced,
            @Nullable Instant groupTold,
            AlertingSettings settings,
            Routing routing,
            Instant now) {

        boolean sameIncident() {
            return told != null && told.incidentId().equals(alert.incidentId());
        }

        /// The last word that reached the receiver or may have.
        @Nullable
        Notification heard() {
            return told == null || told.result().equals(Notification.MUTED) ? null : told;
        }

        /// Whether this is news of something critical, and be it the end of it.
        boolean critical() {
            Notification heard = heard();
            return Telling.critical(alert.severity())
                    || (heard != null && sameIncident() && Telling.critical(heard.severity()));
        }
    }

    static Telling of(Question question) {
        for (Function<Question, Optional<Telling>> stage : STAGES) {
            Optional<Telling> telling = stage.apply(question);
            if (telling.isPresent()) {
                return telling.get();
            }
        }
        return heard(question);
    }

    /// Who wants to hear of it. A resolution goes wherever the firing went, whatever routes and minimum are by now.
    private static Optional<Telling> route(Question question) {
        Alert alert = question.alert();
        if (!alert.firing()) {
            return Optional.empty();
        }
        if (!question.routing().reaches(alert, question.receiver().name())) {
            return decided(Decision.NOT_ROUTED);
        }
        boolean wanted =
                severity(alert.severity()).compareTo(question.receiver().minSeverity()) >= 0;
        return wanted ? Optional.empty() : decided(Decision.BELOW_MIN_SEVERITY);
    }

    /// Who is not to hear of it now. A resolution is told to whom the firing was told, for otherwise it would stay open
    /// there.
    private static Optional<Telling> mute(Question question) {
        Alert alert = question.alert();
        if (question.disabled()) {
            return decided(Decision.RECEIVER_DISABLED);
        }
        if (!alert.firing()) {
            return Optional.empty();
        }
        Notification told = question.told();
        Instant mutedBefore = question.mutedBefore();
        boolean history = told == null
                ? mutedBefore != null && alert.updatedAt().isBefore(mutedBefore)
                : told.result().equals(Notification.MUTED)
                        && question.sameIncident()
                        && told.transition() == alert.transition();
        if (history) {
            return decided(Decision.TOO_OLD);
        }
        if (question.inhibited()) {
            return decided(Decision.INHIBITED);
        }
        return question.silenced() ? decided(Decision.SILENCED) : Optional.empty();
    }

    /// What it has heard already.
    private static Optional<Telling> dedupe(Question question) {
        Telling heard = heard(question);
        return heard.decision().tells() ? Optional.empty() : Optional.of(heard);
    }

    private static Telling heard(Question question) {
        return question.alert().firing() ? heardFiring(question) : heardResolved(question);
    }

    private static Telling heardFiring(Question question) {
        Alert alert = question.alert();
        Notification heard = question.heard();
        if (heard == null) {
            return telling(Decision.FIRST_NOTIFICATION);
        }
        if (!question.sameIncident()) {
            return telling(Boolean.TRUE.equals(alert.reopened()) ? Decision.REOPENED : Decision.FIRST_NOTIFICATION);
        }
        boolean failed = heard.result().equals(Notification.FAILED);
        if (failed && heard.at().isBefore(question.since())) {
            return telling(Decision.FIRST_NOTIFICATION);
        }
        if (heard.state().equals(Alert.RESOLVED)) {
            return telling(Decision.REOPENED);
        }
        if (severity(alert.severity()).compareTo(severity(heard.severity())) > 0) {
            return telling(Decision.ESCALATED);
        }
        if (alert.acknowledged() != null && !failed) {
            return telling(Decision.ALREADY_TOLD); // somebody is at it
        }
        Instant repeat = heard.at().plus(question.settings().repeatInterval());
        if (!question.now().isBefore(repeat)) {
            return telling(Decision.REPEATED);
        }
        return new Telling(failed ? Decision.GIVEN_UP : Decision.ALREADY_TOLD, repeat);
    }

    private static Telling heardResolved(Question question) {
        Decision resolved = question.receiver().sendResolved() ? Decision.RESOLVED : Decision.RESOLVED_UNSENT;
        Notification heard = question.heard();
        if (question.mayHaveHeard()) {
            return telling(resolved);
        }
        if (heard == null) {
            return telling(Decision.RESOLVED_UNTOLD);
        }
        if (heard.state().equals(Alert.FIRING)) {
            return telling(resolved);
        }
        if (!question.sameIncident()) {
            return telling(Decision.RESOLVED_UNTOLD);
        }
        if (!heard.result().equals(Notification.FAILED)) {
            return telling(Decision.ALREADY_TOLD);
        }
        return telling(heard.at().isBefore(question.since()) ? resolved : Decision.GIVEN_UP);
    }

    /// What may wait, for it may be gone soon, or turn out to be one reporter's own fault. An alert that came back
    /// waits
    /// no second time.
    private static Optional<Telling> hold(Question question) {
        Alert alert = question.alert();
        Instant end = alert.openedAt().plus(question.settings().warningWait());
        boolean holds = heard(question).decision() == Decision.FIRST_NOTIFICATION
                && (!critical(alert.severity()) || restsOnOneReporter(alert))
                && !Boolean.TRUE.equals(alert.reopened())
                && !question.now().isBefore(alert.openedAt())
                && question.now().isBefore(end);
        return holds ? Optional.of(new Telling(Decision.WAITING, end)) : Optional.empty();
    }

    private static boolean restsOnOneReporter(Alert alert) {
        List<String> submitters = alert.evidence().submitters();
        return REPORTED.contains(alert.rule()) && submitters != null && submitters.size() == 1;
    }

    /// What can wait until people are awake.
    private static Optional<Telling> quiet(Question question) {
        AlertingSettings.QuietHours hours = question.settings().quietHours();
        return hours == null || question.critical()
                ? Optional.empty()
                : WallTime.quietUntil(hours, question.now()).map(end -> new Telling(Decision.QUIET_HOURS, end));
    }

    /// What gathers until the receiver is told of such alerts again.
    private static Optional<Telling> group(Question question) {
        Instant groupTold = question.groupTold();
        if (groupTold == null || question.pending() || question.critical()) {
            return Optional.empty();
        }
        Instant next = groupTold.plus(question.settings().groupInterval());
        return question.now().isBefore(next) ? Optional.of(new Telling(Decision.GATHERING, next)) : Optional.empty();
    }

    private static Telling telling(Decision decision) {
        return new Telling(decision, null);
    }

    private static Optional<Telling> decided(Decision decision) {
        return Optional.of(telling(decision));
    }

    static boolean critical(String severity) {
        return severity(severity) == Severity.CRITICAL;
    }

    /// A word that this release does not know counts as `critical`: better one message too many.
    static Severity severity(String word) {
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "info" -> Severity.INFO;
            case "warning" -> Severity.WARNING;
            default -> Severity.CRITICAL;
        };
    }
}

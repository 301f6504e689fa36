package io.tlsrpt.alerting;

import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Notification;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Whether one receiver is told of the latest state of one alert: a pure function of what is known now.
///
/// @param again when the answer may be another one without anything having happened; absent: never
record Telling(Decision decision, @Nullable Instant again) {

    /// How long an alert fires before it is told once more.
    static final Duration REPEAT = Duration.ofDays(1);

    /// The stages in their order; the first one with an answer decides. Silences will stand in `mute`.
    private static final List<Function<Question, Optional<Telling>>> STAGES =
            List.of(Telling::route, Telling::mute, Telling::dedupe, Telling::hold);

    /// All that the decision rests on.
    ///
    /// @param told the latest word to this receiver about this alert, by the notification log
    /// @param mayHaveHeard whether an attempt to tell it that the alert fires ended with no answer that says otherwise
    /// @param disabled whether the receiver is left alone
    /// @param since when this process first saw the receiver's present configuration
    /// @param mutedBefore alerts that last changed before it are history; absent: none are
    record Question(
            Alert alert,
            @Nullable Notification told,
            boolean mayHaveHeard,
            Severity minSeverity,
            boolean disabled,
            Instant since,
            @Nullable Instant mutedBefore,
            Duration warningWait,
            Instant now) {

        boolean sameIncident() {
            return told != null && told.incidentId().equals(alert.incidentId());
        }

        /// The last word that reached the receiver or may have.
        @Nullable
        Notification heard() {
            return told == null || told.result().equals(Notification.MUTED) ? null : told;
        }
    }

    static Telling of(Question question) {
        for (Function<Question, Optional<Telling>> stage : STAGES) {
            Optional<Telling> telling = stage.apply(question);
            if (telling.isPresent()) {
                return telling.get();
            }
        }
        return new Telling(Decision.FIRST_NOTIFICATION, null);
    }

    /// Who wants to hear of it. A resolution goes wherever the firing went, whatever the minimum is by now.
    private static Optional<Telling> route(Question question) {
        boolean wanted = severity(question.alert().severity()).compareTo(question.minSeverity()) >= 0;
        return question.alert().firing() && !wanted ? decided(Decision.BELOW_MIN_SEVERITY) : Optional.empty();
    }

    /// Who is not to hear of it now.
    private static Optional<Telling> mute(Question question) {
        Alert alert = question.alert();
        if (question.disabled()) {
            return decided(Decision.RECEIVER_DISABLED);
        }
        Notification told = question.told();
        if (!alert.firing()) {
            return Optional.empty();
        }
        if (told == null) {
            Instant mutedBefore = question.mutedBefore();
            return mutedBefore != null && alert.updatedAt().isBefore(mutedBefore)
                    ? decided(Decision.TOO_OLD)
                    : Optional.empty();
        }
        boolean mutedThen = told.result().equals(Notification.MUTED)
                && question.sameIncident()
                && told.transition() == alert.transition();
        return mutedThen ? decided(Decision.TOO_OLD) : Optional.empty();
    }

    /// What it has heard already.
    private static Optional<Telling> dedupe(Question question) {
        return question.alert().firing() ? dedupeFiring(question) : dedupeResolved(question);
    }

    private static Optional<Telling> dedupeFiring(Question question) {
        Alert alert = question.alert();
        Notification heard = question.heard();
        if (heard == null) {
            return Optional.empty();
        }
        if (!question.sameIncident()) {
            return Boolean.TRUE.equals(alert.reopened()) ? decided(Decision.REOPENED) : Optional.empty();
        }
        boolean failed = heard.result().equals(Notification.FAILED);
        if (failed && heard.at().isBefore(question.since())) {
            return decided(Decision.FIRST_NOTIFICATION);
        }
        if (heard.state().equals(Alert.RESOLVED)) {
            return decided(Decision.REOPENED);
        }
        if (severity(alert.severity()).compareTo(severity(heard.severity())) > 0) {
            return decided(Decision.ESCALATED);
        }
        Instant repeat = heard.at().plus(REPEAT);
        if (!question.now().isBefore(repeat)) {
            return decided(Decision.REPEATED);
        }
        return Optional.of(new Telling(failed ? Decision.GIVEN_UP : Decision.ALREADY_TOLD, repeat));
    }

    private static Optional<Telling> dedupeResolved(Question question) {
        Notification heard = question.heard();
        if (question.mayHaveHeard()) {
            return decided(Decision.RESOLVED);
        }
        if (heard == null) {
            return decided(Decision.RESOLVED_UNTOLD);
        }
        if (heard.state().equals(Alert.FIRING)) {
            return decided(Decision.RESOLVED);
        }
        if (!question.sameIncident()) {
            return decided(Decision.RESOLVED_UNTOLD);
        }
        if (!heard.result().equals(Notification.FAILED)) {
            return decided(Decision.ALREADY_TOLD);
        }
        return decided(heard.at().isBefore(question.since()) ? Decision.RESOLVED : Decision.GIVEN_UP);
    }

    /// What may wait, for it may be gone soon. An alert that came back waits no second time.
    private static Optional<Telling> hold(Question question) {
        Alert alert = question.alert();
        Instant end = alert.openedAt().plus(question.warningWait());
        boolean holds = severity(alert.severity()) != Severity.CRITICAL
                && !Boolean.TRUE.equals(alert.reopened())
                && !question.now().isBefore(alert.openedAt())
                && question.now().isBefore(end);
        return holds ? Optional.of(new Telling(Decision.WAITING, end)) : Optional.empty();
    }

    private static Optional<Telling> decided(Decision decision) {
        return Optional.of(new Telling(decision, null));
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

package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Notification;
import org.jspecify.annotations.Nullable;

/// What one receiver may be told, in the terms in which the log of notifications keeps it: a state of an alert, or a
/// notice.
///
/// @param about the alert-id, or a word that stands for the series of notices
/// @param alert absent: a notice
/// @param notice absent: an alert
record News(
        String about,
        String incidentId,
        int transition,
        String state,
        String severity,
        @Nullable Alert alert,
        Message.@Nullable Notice notice) {

    static News of(Alert alert) {
        return new News(
                alert.alertId(), alert.incidentId(), alert.transition(), alert.state(), alert.severity(), alert, null);
    }

    /// @param about which notices take one another's place
    /// @param state [Alert#FIRING], or [Alert#RESOLVED] for the end of what was told before
    static News of(String about, String incidentId, String state, Message.Notice notice) {
        return new News(about, incidentId, 1, state, "critical", null, notice);
    }

    boolean firing() {
        return state.equals(Alert.FIRING);
    }

    boolean critical() {
        return Telling.critical(severity);
    }

    /// Whether it says the same as the other.
    boolean same(News other) {
        return incidentId.equals(other.incidentId) && transition == other.transition && state.equals(other.state);
    }

    /// Whether this is what the log says was told.
    boolean isIn(Notification told) {
        return incidentId.equals(told.incidentId()) && transition == told.transition() && state.equals(told.state());
    }
}

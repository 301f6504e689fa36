package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.tlsrpt.topics.AlertAction;
import org.jspecify.annotations.Nullable;

/// Something learned about a [Subject], on its way to where that is judged. One member is there.
///
/// @param cell what one aggregate says of one MX
/// @param sighting what one aggregate says of its reporter's other reports
/// @param presence which days a reporter has written about a domain
/// @param refusal a report that was refused
/// @param look what a live look showed, of one MX or of the domain itself
/// @param action what somebody did about an alert
/// @param remembered nothing new: the alert-id of one that stands in its topic
/// @param departed a domain that is to be forgotten
@JsonInclude(JsonInclude.Include.NON_NULL)
record Clue(
        @Nullable MxCell cell,
        @Nullable Sighting sighting,
        @Nullable Presence presence,
        @Nullable Refusal refusal,
        @Nullable Look look,
        @Nullable AlertAction action,
        @Nullable String remembered,
        @Nullable Departed departed) {

    static Clue reminder(String alertId) {
        return new Clue(null, null, null, null, null, null, alertId, null);
    }

    static Clue of(MxCell cell) {
        return new Clue(cell, null, null, null, null, null, null, null);
    }

    static Clue of(Sighting sighting) {
        return new Clue(null, sighting, null, null, null, null, null, null);
    }

    static Clue of(Presence presence) {
        return new Clue(null, null, presence, null, null, null, null, null);
    }

    static Clue of(Refusal refusal) {
        return new Clue(null, null, null, refusal, null, null, null, null);
    }

    static Clue of(Look look) {
        return new Clue(null, null, null, null, look, null, null, null);
    }

    static Clue of(AlertAction action) {
        return new Clue(null, null, null, null, null, action, null, null);
    }

    static Clue of(Departed departed) {
        return new Clue(null, null, null, null, null, null, null, departed);
    }
}

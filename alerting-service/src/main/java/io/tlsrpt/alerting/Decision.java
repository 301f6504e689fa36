package io.tlsrpt.alerting;

import java.util.Locale;

/// Why a receiver is told of a state of an alert, or why not. The same word stands in the log line and in the label of
/// `tlsrpt.notifications.decisions`.
enum Decision {
    /// It never heard of this opening of the alert.
    FIRST_NOTIFICATION(true),
    /// It heard of it at a lower severity.
    ESCALATED(true),
    /// It heard that the alert was resolved; now it fires again.
    REOPENED(true),
    /// It heard of it, or may have, `alerting.repeat-interval` ago, and the alert fires still.
    REPEATED(true),
    /// It heard that the alert fires, or may have; now it is resolved.
    RESOLVED(true),
    /// No alert: the weekly digest, or that another receiver is dead or works again.
    NOTICE(true),

    /// No route leads this alert to it.
    NOT_ROUTED(false),
    /// The alert is less severe than this receiver wants to hear of.
    BELOW_MIN_SEVERITY(false),
    /// The receiver answered 410 Gone; it is left alone until its configuration changes.
    RECEIVER_DISABLED(false),
    /// Found firing, long unchanged, by an application that has no memory of what it told.
    TOO_OLD(false),
    /// Another alert that fires explains this one; see [Inhibition].
    INHIBITED(false),
    /// Somebody does not want to hear of it for a while.
    SILENCED(false),
    /// Not critical, or seen by a single reporter, and not yet firing for as long as `alerting.warning-wait`.
    WAITING(false),
    /// Not critical, and people sleep.
    QUIET_HOURS(false),
    /// Not critical, and the receiver was told of such alerts less than `alerting.group-interval` ago.
    GATHERING(false),
    /// It heard what matters of this opening.
    ALREADY_TOLD(false),
    /// It could not be reached for a day, or refused the message; it is not tried again with this state for now.
    GIVEN_UP(false),
    /// Resolved before it heard that the alert fired.
    RESOLVED_UNTOLD(false),
    /// Resolved, and the receiver does not want to hear of that.
    RESOLVED_UNSENT(false);

    private final boolean tells;

    Decision(boolean tells) {
        this.tells = tells;
    }

    /// Whether the receiver is told.
    boolean tells() {
        return tells;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}

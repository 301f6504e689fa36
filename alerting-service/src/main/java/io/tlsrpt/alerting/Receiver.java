package io.tlsrpt.alerting;

import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.topics.Alert;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Somebody who is told of alerts. One file per kind.
sealed interface Receiver
        permits WebhookReceiver, SlackReceiver, TeamsReceiver, PagerDutyReceiver, AlertmanagerReceiver, EmailReceiver {

    /// The receiver of these settings. Making one connects to nothing and keeps nothing open.
    ///
    /// @param mailServer through which mails go; receivers of kind `email` need it, as was checked when the settings
    /// were read
    static Receiver of(AlertingSettings.Receiver settings, AlertingSettings.@Nullable MailServer mailServer) {
        return switch (settings.kind()) {
            case WEBHOOK -> new WebhookReceiver(settings);
            case SLACK -> new SlackReceiver(settings);
            case TEAMS -> new TeamsReceiver(settings);
            case PAGERDUTY -> new PagerDutyReceiver(settings);
            case ALERTMANAGER -> new AlertmanagerReceiver(settings);
            case EMAIL -> new EmailReceiver(settings, Objects.requireNonNull(mailServer));
        };
    }

    /// Makes one attempt and returns when its outcome is known: a blocking call of bounded time. Whatever goes wrong at
    /// the other side or on the way is an outcome, never an exception.
    Attempt deliver(Message message, Instant now);

    /// What is told.
    sealed interface Message {

        /// The same in each attempt to tell it, also after a restart: receivers drop repetitions by it.
        String id();

        /// The states of one alert or, where many gathered, of several.
        ///
        /// PagerDuty and Alertmanager keep alerts apart and group for themselves: they get each alert in a message of
        /// its
        /// own. Alertmanager forgets what is not repeated: the pipeline sends it all that still fires once a minute.
        ///
        /// @param alerts at least one, the most severe first, and firing before resolved
        record Alerts(String id, List<Alert> alerts) implements Message {

            public Alerts {
                alerts = List.copyOf(alerts);
                if (alerts.isEmpty()) {
                    throw new IllegalArgumentException("a message about no alert");
                }
            }

            /// About one alert.
            Alerts(String id, Alert alert) {
                this(id, List.of(alert));
            }

            Alert first() {
                return alerts.getFirst();
            }
        }

        /// Something to know that is no alert: the weekly digest, or that another receiver is dead.
        ///
        /// @param at when it was written
        /// @param title one line
        /// @param text lines of plain text
        record Notice(String id, Instant at, String title, String text) implements Message {}
    }

    /// How one attempt ended.
    ///
    /// @param detail for people, such as the status; holds nothing of the receiver's address or answer
    /// @param retryAfter what the receiver asked for, at most [#MAX_RETRY_AFTER]
    record Attempt(Result result, String detail, @Nullable Duration retryAfter) {

        static final Duration MAX_RETRY_AFTER = Duration.ofHours(1);

        static Attempt of(Result result, String detail) {
            return new Attempt(result, detail, null);
        }
    }

    /// The ways an attempt ends. The same word stands in the log line and in the label of
    /// `tlsrpt.notifications.attempts`.
    enum Result {
        /// 2xx.
        DELIVERED(false, false),
        /// 410: the receiver wants no more.
        GONE(true, false),
        /// Any other 4xx but 408, 425 and 429: the same again will hardly be taken.
        REFUSED(true, false),
        /// 3xx: never followed.
        REDIRECTED(true, false),
        /// Its address is not usable, or not one that we may call.
        FORBIDDEN(true, false),
        /// 408, 425, 429, or 503 with Retry-After.
        THROTTLED(false, false),
        /// Any other 5xx, or no HTTP at all.
        SERVER_ERROR(false, true),
        /// No answer in time.
        TIMEOUT(false, true),
        /// The connection broke after it stood.
        BROKEN(false, true),
        /// No connection: unknown host, refused, TLS refused.
        UNREACHABLE(false, false);

        private final boolean permanent;
        private final boolean mayHaveArrived;

        Result(boolean permanent, boolean mayHaveArrived) {
            this.permanent = permanent;
            this.mayHaveArrived = mayHaveArrived;
        }

        /// Whether trying on for long is in vain.
        boolean permanent() {
            return permanent;
        }

        /// Whether the receiver may have acted on the message though it did not say so.
        boolean mayHaveArrived() {
            return mayHaveArrived;
        }

        String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}

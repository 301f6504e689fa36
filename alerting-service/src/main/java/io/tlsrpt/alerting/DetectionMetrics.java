package io.tlsrpt.alerting;

import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.runtime.Settings.Severity;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What detection counts.
///
/// - `tlsrpt.detection.aggregates{outcome}`: read = watched + not-ours + removed + out-of-range + over-limit +
///   unknown-policy-type
/// - `tlsrpt.detection.rejected{outcome}`: read = watched + backfill + nameless + unknown-reason
/// - `tlsrpt.detection.judgements{rule,verdict}`: made = record + info + warning + critical
/// - `tlsrpt.detection.transitions{rule,change}`: alerts firing now = opened + reopened − recovered − stale − manual −
///   retracted − probe; the others change a firing one
/// - `tlsrpt.detection.left-out{why}`: failures of aggregates that the settings keep from being judged, once for each
/// time that such an aggregate is read
/// - `tlsrpt.detection.past-incidents{rule}`: findings that opened nothing because the trouble was over when its report
///   arrived
final class DetectionMetrics {

    /// What became of an aggregate.
    enum Outcome {
        WATCHED,
        /// its domain is pending, or was when the report came
        NOT_OURS,
        REMOVED,
        /// its day is over a month old or still far away
        OUT_OF_RANGE,
        /// its domain has too many submitters on that day
        OVER_LIMIT,
        /// its policy type is none that RFC 8460 §4.4 knows
        UNKNOWN_POLICY_TYPE
    }

    /// What became of a rejected report.
    enum Rejected {
        WATCHED,
        /// imported: it tells nobody anything
        BACKFILL,
        /// neither its submitter nor a domain of ours could be read
        NAMELESS,
        /// refused by a later release, or not one of ours
        UNKNOWN_REASON
    }

    /// What changed at an alert.
    enum Change {
        OPENED,
        REOPENED,
        RAISED,
        LOWERED,
        SPREAD,
        RECOVERED,
        STALE,
        MANUAL,
        RETRACTED,
        PROBE,
        ACKNOWLEDGED;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final MeterRegistry meters;

    DetectionMetrics(MeterRegistry meters) {
        this.meters = meters;
    }

    void aggregate(Outcome outcome) {
        meters.counter(
                        "tlsrpt.detection.aggregates",
                        "outcome",
                        outcome.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .increment();
    }

    void rejected(Rejected outcome) {
        meters.counter(
                        "tlsrpt.detection.rejected",
                        "outcome",
                        outcome.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .increment();
    }

    /// @param severity null: recorded and nothing more
    void judgement(Rule rule, @Nullable Severity severity) {
        meters.counter(
                        "tlsrpt.detection.judgements",
                        "rule",
                        rule.word(),
                        "verdict",
                        severity == null ? "record" : severity.name().toLowerCase(Locale.ROOT))
                .increment();
    }

    void transition(Rule rule, Change change) {
        meters.counter("tlsrpt.detection.transitions", "rule", rule.word(), "change", change.word())
                .increment();
    }

    void leftOut(LeftOut.Why why) {
        meters.counter("tlsrpt.detection.left-out", "why", why.word()).increment();
    }

    void pastIncident(Rule rule) {
        meters.counter("tlsrpt.detection.past-incidents", "rule", rule.word()).increment();
    }
}

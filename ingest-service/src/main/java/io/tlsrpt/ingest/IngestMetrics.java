package io.tlsrpt.ingest;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.tlsrpt.dkim.DkimResult;
import io.tlsrpt.report.Leniency;
import io.tlsrpt.topics.DomainClaim;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// What intake counts. For every source, at rest:
///
///     received = accepted + spooled + canaries + refused + busy      (each `tlsrpt.intake.…`)
///
/// where `canaries` are our own reports that were taken, which count as nobody's, and a mail is one submission for each
/// document in it, or one when it is refused whole. For mails:
///
///     tlsrpt.mail.received = tlsrpt.mail.kept + tlsrpt.mail.try.again
///
/// and for the spool, over the life of the process and without what lay in it at the start:
///
///     tlsrpt.spool.kept = tlsrpt.spool.drained + tlsrpt.spool.set.aside + the growth of tlsrpt.spool.entries
///
/// Requests whose document was never complete here are no submissions; `tlsrpt.intake.turned.away` counts them.
final class IngestMetrics {

    /// Why a request was answered, or cut, before it became a submission.
    enum TurnedAway {
        UNKNOWN_PATH,
        METHOD,
        SLOW,
        MALFORMED,
        GONE,
        NO_ROOM,
        FOREIGN_NAME,
        CROSS_ORIGIN,
        NOT_AUTHENTICATED,
        NOT_ALLOWED
    }

    /// What became of a policy-domain that nobody configured.
    enum Discovered {
        ACCEPTED,
        PENDING,
        /// as many domains are pending as may be
        TOO_MANY_DOMAINS,
        /// as many reports about it came today as are taken
        TOO_MANY_REPORTS,
        /// its record does not list us
        NOT_LISTED,
        /// DNS did not answer, or was not asked
        NOT_LOOKED_UP
    }

    /// What in an imported file is handed on to nobody.
    enum NotRead {
        SKIPPED,
        BROKEN_ARCHIVE
    }

    private final MeterRegistry meters;
    private final Counter spoolKept;
    private final Counter spoolDrained;
    private final Counter spoolSetAside;

    IngestMetrics(MeterRegistry meters) {
        this.meters = meters;
        for (Source source : Source.values()) {
            of("tlsrpt.intake.received", source);
            of("tlsrpt.intake.accepted", source);
            of("tlsrpt.intake.spooled", source);
            of("tlsrpt.intake.canaries", source);
            of("tlsrpt.intake.busy", source);
        }
        this.spoolKept = spool("tlsrpt.spool.kept", "Records written to the spool");
        this.spoolDrained = spool("tlsrpt.spool.drained", "Records that left the spool for the broker");
        this.spoolSetAside =
                spool("tlsrpt.spool.set.aside", "Spool files that cannot be delivered, kept beside it for people");
    }

    void received(Source source) {
        of("tlsrpt.intake.received", source).increment();
    }

    void decided(Source source, Outcome outcome, Duration took) {
        switch (outcome) {
            case Outcome.Accepted accepted ->
                of(accepted.canary() ? "tlsrpt.intake.canaries" : "tlsrpt.intake.accepted", source)
                        .increment();
            case Outcome.Spooled spooled ->
                of(spooled.canary() ? "tlsrpt.intake.canaries" : "tlsrpt.intake.spooled", source)
                        .increment();
            case Outcome.Busy busy -> of("tlsrpt.intake.busy", source).increment();
            case Outcome.Refused refused ->
                Counter.builder("tlsrpt.intake.refused")
                        .description("Submissions kept in the rejected topic")
                        .tag("source", source.word())
                        .tag("reason", refused.reason().word())
                        .register(meters)
                        .increment();
        }
        Timer.builder("tlsrpt.intake.seconds")
                .description("From the last byte of a submission to its outcome")
                .tag("source", source.word())
                .register(meters)
                .record(took);
    }

    void mailReceived(Source source) {
        mail("tlsrpt.mail.received", source).increment();
    }

    void mailDecided(Source source, MailOutcome outcome) {
        switch (outcome) {
            case MailOutcome.Kept kept -> mail("tlsrpt.mail.kept", source).increment();
            case MailOutcome.TryAgain again ->
                mail("tlsrpt.mail.try.again", source).increment();
        }
    }

    /// Each signature by what became of it; a mail without any counts once as `unsigned`.
    void dkim(DkimResult result) {
        if (result.unsigned()) {
            dkim("unsigned");
        }
        for (DkimResult.Signature signature : result.signatures()) {
            dkim(signature.verdict().word());
        }
    }

    private void dkim(String verdict) {
        Counter.builder("tlsrpt.mail.dkim")
                .description("DKIM signatures of report mails by what became of them")
                .tag("verdict", verdict)
                .register(meters)
                .increment();
    }

    void quota(RejectedQuota.Keep keep) {
        if (keep != RejectedQuota.Keep.WHOLE) {
            Counter.builder("tlsrpt.intake.over.quota")
                    .description("Refused documents of which only the head or nothing is kept, by sender's quota")
                    .tag("kept", word(keep))
                    .register(meters)
                    .increment();
        }
    }

    private Counter mail(String name, Source source) {
        return Counter.builder(name)
                .description("Mails by what became of them")
                .tag("source", source.word())
                .register(meters);
    }

    void leniencies(Set<Leniency> leniencies) {
        for (Leniency leniency : leniencies) {
            Counter.builder("tlsrpt.intake.leniencies")
                    .description("Deviations from RFC 8460 that were tolerated")
                    .tag("leniency", leniency.word())
                    .register(meters)
                    .increment();
        }
    }

    void turnedAway(TurnedAway why) {
        Counter.builder("tlsrpt.intake.turned.away")
                .description("Requests that never became a submission")
                .tag("why", word(why))
                .register(meters)
                .increment();
    }

    /// Once for each policy-domain of a report that nobody configured, while `discovery` is on or the domain is
    /// accepted:
    /// asked = the sum over all standings.
    void discovered(Discovered standing) {
        Counter.builder("tlsrpt.discovery.standings")
                .description("Policy-domains that nobody configured, by what they are")
                .tag("standing", word(standing))
                .register(meters)
                .increment();
    }

    void watch(DomainClaims claims) {
        for (String state : List.of(DomainClaim.PENDING, DomainClaim.ACCEPTED)) {
            Gauge.builder("tlsrpt.discovery.domains", claims, known -> known.count(state))
                    .description("Discovered domains")
                    .tag("state", state)
                    .register(meters);
        }
    }

    void notRead(NotRead why) {
        Counter.builder("tlsrpt.import.not.read")
                .description("Parts of imported files that are no documents")
                .tag("why", word(why))
                .register(meters)
                .increment();
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    void watch(Spool spool, Delivery delivery) {
        Gauge.builder("tlsrpt.spool.entries", spool, Spool::entries)
                .description("Records on this machine's disk that wait for the broker")
                .register(meters);
        Gauge.builder("tlsrpt.spool.bytes", spool, Spool::bytes)
                .baseUnit("bytes")
                .description("Their size")
                .register(meters);
        Gauge.builder("tlsrpt.spool.limit.bytes", spool, Spool::maxBytes)
                .description("How many bytes the spool may hold")
                .register(meters);
        Gauge.builder("tlsrpt.intake.unacknowledged.bytes", delivery, Delivery::unacknowledgedBytes)
                .baseUnit("bytes")
                .description("Documents handed to the producer without an answer from the broker")
                .register(meters);
    }

    void spoolKept() {
        spoolKept.increment();
    }

    void spoolDrained() {
        spoolDrained.increment();
    }

    void spoolSetAside() {
        spoolSetAside.increment();
    }

    private Counter spool(String name, String description) {
        return Counter.builder(name).description(description).register(meters);
    }

    private Counter of(String name, Source source) {
        return Counter.builder(name)
                .description("Submissions by what became of them")
                .tag("source", source.word())
                .register(meters);
    }
}

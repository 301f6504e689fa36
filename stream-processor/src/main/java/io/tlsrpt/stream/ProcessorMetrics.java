package io.tlsrpt.stream;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Verdict;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What the processor counts. Each counter counts attempts: a transaction that is aborted and done again counts twice,
/// while the topics hold its records once.
///
/// - `tlsrpt.processor.raw` = `tlsrpt.processor.verdicts` over all verdicts
///   (raw = accepted + duplicate + conflict + replaced + rejected)
/// - `tlsrpt.processor.canaries` = our own reports judged; no other counter has them
/// - `tlsrpt.processor.events` = failures + summaries + retractions, the records written to the events topic
/// - `tlsrpt.processor.sessions` = the sessions of the summaries of accepted reports, and
///   `tlsrpt.processor.failed.sessions` = those of their failure details; a report that replaces another adds nothing
/// - `tlsrpt.processor.entries.refused` = records of single entries in the rejected topic
/// - `tlsrpt.processor.expired` = records taken out of the stores because their time was over
/// - `tlsrpt.processor.forgotten` = records taken out of the stores, or changed there, because their domain departed
final class ProcessorMetrics {

    /// What became of a raw record.
    enum Outcome {
        ACCEPTED(Verdict.ACCEPTED),
        DUPLICATE(Verdict.DUPLICATE),
        CONFLICT(Verdict.CONFLICT),
        REPLACED(Verdict.REPLACED),
        REJECTED(Verdict.REJECTED);

        private final String word;

        Outcome(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }

    private enum EventKind {
        FAILURE,
        SUMMARY,
        RETRACTION
    }

    private static final String OTHER = "other";
    private static final List<String> POLICY_TYPES = List.of("sts", "tlsa", "no-policy-found", OTHER);

    private final MeterRegistry meters;
    private final Counter raw;
    private final Counter canaries;
    private final Counter poison;
    private final Map<Outcome, Counter> verdicts = new EnumMap<>(Outcome.class);
    private final Map<RefusalReason, Counter> rejected = new EnumMap<>(RefusalReason.class);
    private final Map<RefusalReason, Counter> refusedEntries = new EnumMap<>(RefusalReason.class);
    private final Map<EventKind, Counter> events = new EnumMap<>(EventKind.class);
    private final Map<String, Counter> successful = new HashMap<>();
    private final Map<String, Counter> failed = new HashMap<>();
    private final Map<String, Counter> failures = new HashMap<>();

    ProcessorMetrics(MeterRegistry meters) {
        this.meters = meters;
        this.raw = Counter.builder("tlsrpt.processor.raw")
                .description("raw records judged")
                .register(meters);
        this.canaries = Counter.builder("tlsrpt.processor.canaries")
                .description("our own reports judged")
                .register(meters);
        this.poison = Counter.builder("tlsrpt.processor.poison")
                .description("records that only the safety net stopped")
                .register(meters);
        for (Outcome outcome : Outcome.values()) {
            if (outcome != Outcome.REJECTED) {
                verdicts.put(outcome, verdict(outcome, ""));
            }
        }
        for (RefusalReason reason : RefusalReason.values()) {
            rejected.put(reason, verdict(Outcome.REJECTED, reason.word()));
        }
        for (RefusalReason reason : List.of(RefusalReason.FOREIGN_DOMAIN, RefusalReason.NO_POLICY_DOMAIN)) {
            refusedEntries.put(
                    reason,
                    Counter.builder("tlsrpt.processor.entries.refused")
                            .description("policy entries refused while their report was accepted")
                            .tag("reason", reason.word())
                            .register(meters));
        }
        for (EventKind kind : EventKind.values()) {
            events.put(
                    kind,
                    Counter.builder("tlsrpt.processor.events")
                            .description("events written")
                            .tag("kind", kind.name().toLowerCase(Locale.ROOT))
                            .register(meters));
        }
        for (String policyType : POLICY_TYPES) {
            successful.put(policyType, sessions(policyType, "successful"));
            failed.put(policyType, sessions(policyType, "failed"));
        }
        Stream.concat(ResultType.registeredWords(), Stream.of(OTHER))
                .forEach(resultType -> failures.put(
                        resultType,
                        Counter.builder("tlsrpt.processor.failed.sessions")
                                .description("failed sessions of accepted reports by result type")
                                .tag("result-type", resultType)
                                .register(meters)));
    }

    private Counter sessions(String policyType, String outcome) {
        return Counter.builder("tlsrpt.processor.sessions")
                .description("sessions of accepted reports")
                .tag("policy-type", policyType)
                .tag("outcome", outcome)
                .register(meters);
    }

    private Counter verdict(Outcome outcome, String reason) {
        return Counter.builder("tlsrpt.processor.verdicts")
                .description("what became of raw records")
                .tag("verdict", outcome.word())
                .tag("reason", reason)
                .register(meters);
    }

    void rawRecord() {
        raw.increment();
    }

    void canary() {
        canaries.increment();
    }

    /// @param reason given with a rejection
    void verdict(Outcome outcome, @Nullable RefusalReason reason) {
        counter(outcome == Outcome.REJECTED && reason != null ? rejected.get(reason) : verdicts.get(outcome))
                .increment();
    }

    void refusedEntry(RefusalReason reason) {
        counter(refusedEntries.get(reason)).increment();
    }

    void event(Event event) {
        EventKind kind =
                event.isRetraction() ? EventKind.RETRACTION : event.isSummary() ? EventKind.SUMMARY : EventKind.FAILURE;
        counter(events.get(kind)).increment();
    }

    /// Counts the sessions of an event of a report that is seen for the first time.
    void sessions(Event event) {
        if (event.isSummary()) {
            String policyType = successful.containsKey(event.policyType()) ? event.policyType() : OTHER;
            counter(successful.get(policyType)).increment(count(event.totalSuccessfulSessionCount()));
            counter(failed.get(policyType)).increment(count(event.totalFailureSessionCount()));
        } else {
            counter(failures.getOrDefault(event.resultType(), failures.get(OTHER)))
                    .increment(count(event.failedSessionCount()));
        }
    }

    private static double count(@Nullable Long sessions) {
        return sessions == null ? 0 : (double) sessions;
    }

    void poison() {
        poison.increment();
    }

    void expired(String store, long records) {
        meters.counter("tlsrpt.processor.expired", "store", store).increment((double) records);
    }

    void forgotten(String store, long records) {
        meters.counter("tlsrpt.processor.forgotten", "store", store).increment((double) records);
    }

    private static Counter counter(@Nullable Counter counter) {
        return Objects.requireNonNull(counter);
    }
}

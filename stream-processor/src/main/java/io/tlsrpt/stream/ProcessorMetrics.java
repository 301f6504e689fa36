package io.tlsrpt.stream;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.topics.Event;
import io.tlsrpt.topics.Verdict;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What the processor counts. Each counter counts attempts: a transaction that is aborted and done again counts twice,
/// while the topics hold its records once.
///
/// - `tlsrpt.processor.raw` = `tlsrpt.processor.verdicts` over all verdicts
///   (raw = accepted + duplicate + conflict + replaced + rejected)
/// - `tlsrpt.processor.canaries` = our own reports judged; no other counter has them
/// - `tlsrpt.processor.events` = failures + summaries + retractions, the records written to the events topic
/// - `tlsrpt.processor.entries.refused` = records of single entries in the rejected topic
/// - `tlsrpt.processor.expired` = records taken out of the stores because their time was over
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

    private final MeterRegistry meters;
    private final Counter raw;
    private final Counter canaries;
    private final Counter poison;
    private final Map<Outcome, Counter> verdicts = new EnumMap<>(Outcome.class);
    private final Map<RefusalReason, Counter> rejected = new EnumMap<>(RefusalReason.class);
    private final Map<RefusalReason, Counter> refusedEntries = new EnumMap<>(RefusalReason.class);
    private final Map<EventKind, Counter> events = new EnumMap<>(EventKind.class);

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

    void poison() {
        poison.increment();
    }

    void expired(String store, long records) {
        meters.counter("tlsrpt.processor.expired", "store", store).increment((double) records);
    }

    private static Counter counter(@Nullable Counter counter) {
        return Objects.requireNonNull(counter);
    }
}

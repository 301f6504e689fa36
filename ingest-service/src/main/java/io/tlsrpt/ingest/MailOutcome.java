package io.tlsrpt.ingest;

import io.tlsrpt.report.RefusalReason;
import java.util.List;

/// What became of a mail.
sealed interface MailOutcome {

    /// Everything in it is kept: the channel may let go of it. The outcomes are those of its documents in the mail's
    /// order, or the only one is the refusal of the mail as a whole.
    record Kept(List<Outcome> outcomes) implements MailOutcome {
        public Kept {
            outcomes = List.copyOf(outcomes);
        }

        /// Whether it held no report at all and is somebody's mail.
        boolean noReport() {
            return outcomes.stream()
                    .allMatch(outcome ->
                            outcome instanceof Outcome.Refused refused && refused.reason() == RefusalReason.NO_REPORT);
        }
    }

    /// The broker is away, or DNS cannot tell whose key it is: the channel must bring the same mail again. What was
    /// kept
    /// of it already becomes a duplicate.
    ///
    /// @param ofThisMail whether others may well pass, because only this mail's sender cannot be looked up
    record TryAgain(String why, boolean ofThisMail) implements MailOutcome {}
}

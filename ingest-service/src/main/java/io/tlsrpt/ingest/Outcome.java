package io.tlsrpt.ingest;

import io.tlsrpt.report.RefusalReason;
import io.tlsrpt.topics.RawPosition;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// What became of a submission. Each submission has exactly one.
sealed interface Outcome {

    /// The broker has it.
    ///
    /// @param canary whether it is a [io.tlsrpt.report.CanaryReport]
    record Accepted(String reportKey, RawPosition position, boolean canary) implements Outcome {

        /// Somebody's report.
        Accepted(String reportKey, RawPosition position) {
            this(reportKey, position, false);
        }
    }

    /// The broker is away; the disk of this machine has it.
    ///
    /// @param canary whether it is a [io.tlsrpt.report.CanaryReport]
    record Spooled(String reportKey, boolean canary) implements Outcome {}

    /// It is kept in the rejected topic, or in the spool on its way there.
    ///
    /// @param reportKey absent while the document could not be read
    record Refused(
            RefusalReason reason, String detail, @Nullable String reportKey) implements Outcome {}

    /// It is kept nowhere: the sender must try again.
    record Busy(String why, Duration retryAfter) implements Outcome {}
}

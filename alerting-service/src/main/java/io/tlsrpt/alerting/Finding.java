package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Call.Picture;
import io.tlsrpt.runtime.Settings.Severity;
import java.time.LocalDate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A call of a rule with the numbers it rests on.
///
/// @param day last day of the window
/// @param days the length of the window
/// @param trusted whether trusted reports alone bear it
/// @param reporters that saw failures, most failed sessions first, at most 20
/// @param reporterCount how many there are in all
/// @param probability chance of so many failures if nothing had changed; absent where their number tells nothing
/// @param alongside certificate faults of the same day that may be the cause
record Finding(
        Severity severity,
        String branch,
        @Nullable Picture picture,
        String policyType,
        LocalDate day,
        int days,
        boolean trusted,
        long failed,
        long sessions,
        List<String> reporters,
        int reporterCount,
        long baselineFailed,
        long baselineSessions,
        @Nullable Double probability,
        List<String> alongside) {

    LocalDate firstDay() {
        return day.minusDays(days - 1L);
    }

    boolean worseThan(Finding other) {
        return severity.compareTo(other.severity) > 0;
    }
}

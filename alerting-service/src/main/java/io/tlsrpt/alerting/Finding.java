package io.tlsrpt.alerting;

import io.tlsrpt.alerting.Call.Locality;
import io.tlsrpt.runtime.Settings.Severity;
import java.time.LocalDate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A call of a rule with the numbers it rests on.
///
/// @param day last day of the window
/// @param days 1 or 3, the length of the window
/// @param trusted whether trusted reports alone bear it
/// @param reporters that saw failures, most failed sessions first, at most 20
/// @param reporterCount how many there are in all
/// @param probability chance of so many failures if nothing had changed
record Finding(
        Severity severity,
        String branch,
        @Nullable Locality locality,
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
        double probability) {

    LocalDate firstDay() {
        return day.minusDays(days - 1L);
    }

    boolean worseThan(Finding other) {
        return severity.compareTo(other.severity) > 0;
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.runtime.Settings;
import io.tlsrpt.runtime.Settings.Sensitivity;
import org.jspecify.annotations.Nullable;

/// How soon the rules speak at one MX: as the one domain behind it has it, or as all have it.
record Terms(Sensitivity sensitivity, long minSessions) {

    /// @param onlyDomain the one domain behind the MX; null when there are several
    static Terms of(Settings settings, @Nullable String onlyDomain) {
        Settings.Domain entry = onlyDomain == null ? null : settings.domain(onlyDomain);
        Sensitivity own = entry == null ? null : entry.sensitivity();
        return new Terms(
                own == null ? settings.alerting().rules().sensitivity() : own,
                entry == null || entry.minSessions() == 0
                        ? settings.alerting().rules().minSessions()
                        : entry.minSessions());
    }
}

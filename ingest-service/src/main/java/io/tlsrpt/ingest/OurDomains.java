package io.tlsrpt.ingest;

import io.tlsrpt.runtime.Settings;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/// Whose reports we take: those about configured domains, exact names and `*.suffix` for every domain below one; what
/// others are is up to [Discovery].
final class OurDomains {

    private final Supplier<List<Settings.Domain>> settings;
    private final Discovery discovery;
    private volatile Configured latest;

    /// @param settings the configured domains as they are now, lower-case A-labels; asked for each report
    OurDomains(Supplier<List<Settings.Domain>> settings, Discovery discovery) {
        this.settings = settings;
        this.discovery = discovery;
        this.latest = new Configured(settings.get());
    }

    /// May block for about two seconds when there are domains that nobody configured.
    ///
    /// @param policyDomains lower-case, without a trailing dot
    /// @param trusted whether the reporter is known
    /// @return the standing of each
    Map<String, Standing> standings(List<String> policyDomains, boolean trusted) {
        Configured configured = configured();
        Map<String, Standing> standings = new HashMap<>();
        Set<String> others = new LinkedHashSet<>();
        for (String domain : policyDomains) {
            if (configured.contains(domain)) {
                standings.put(domain, Standing.OURS);
            } else {
                others.add(domain);
            }
        }
        if (!others.isEmpty()) {
            standings.putAll(discovery.standings(others, !configured.domains.isEmpty(), trusted));
        }
        return standings;
    }

    private Configured configured() {
        List<Settings.Domain> now = settings.get();
        Configured known = latest;
        if (!known.domains.equals(now)) {
            known = new Configured(now);
            latest = known;
        }
        return known;
    }

    private static final class Configured {

        private final List<Settings.Domain> domains;
        private final Set<String> names = new HashSet<>();
        private final Set<String> suffixes = new HashSet<>();

        Configured(List<Settings.Domain> domains) {
            this.domains = domains;
            for (Settings.Domain domain : domains) {
                String name = domain.name();
                if (name.startsWith("*.")) {
                    suffixes.add(name.substring(2));
                } else {
                    names.add(name);
                }
            }
        }

        boolean contains(String domain) {
            if (names.contains(domain)) {
                return true;
            }
            for (int dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
                if (suffixes.contains(domain.substring(dot + 1))) {
                    return true;
                }
            }
            return false;
        }
    }
}

package io.tlsrpt.ingest;

import io.tlsrpt.runtime.Settings;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// The domains whose reports we take: exact names and `*.suffix` for every domain below one; none configured means all.
final class OurDomains {

    private final List<Settings.Domain> configured;
    private final Set<String> names = new HashSet<>();
    private final Set<String> suffixes = new HashSet<>();

    /// @param configured lower-case A-labels, as the settings demand
    OurDomains(List<Settings.Domain> configured) {
        this.configured = configured;
        for (Settings.Domain domain : configured) {
            String name = domain.name();
            if (name.startsWith("*.")) {
                suffixes.add(name.substring(2));
            } else {
                names.add(name);
            }
        }
    }

    /// Whether this was made from exactly that list, so that it need not be made again.
    boolean isOf(List<Settings.Domain> domains) {
        return configured.equals(domains);
    }

    /// @param domain lower-case, without a trailing dot
    boolean contains(String domain) {
        if (configured.isEmpty() || names.contains(domain)) {
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

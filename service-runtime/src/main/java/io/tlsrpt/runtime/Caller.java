package io.tlsrpt.runtime;

import java.util.Locale;
import java.util.Map;

/// Who asks over HTTP, and what they may.
///
/// @param name for people: what is written beside an acknowledgement; empty for [#NOBODY]
/// @param labels only domains that have all of these are shown; empty: every domain
/// @param authentication how the name is known
public record Caller(String name, Role role, Map<String, String> labels, Authentication authentication)
        implements Access.Decision {

    /// Whoever is on this machine, while nothing says who may ask.
    public static final Caller LOCAL = new Caller("local", Role.OPERATE, Map.of(), Authentication.NONE);

    /// Anybody, where it does not matter who asks.
    public static final Caller NOBODY = new Caller("", Role.READ, Map.of(), Authentication.NONE);

    public Caller {
        labels = Map.copyOf(labels);
    }

    /// What somebody may do.
    public enum Role {
        /// Asks.
        READ,
        /// Asks, imports, and acts on alerts, silences and domains.
        OPERATE;

        /// `read`, `operate`.
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// How a name is known.
    public enum Authentication {
        /// It is not.
        NONE,
        /// By a token of `api.tokens`.
        TOKEN,
        /// By the proxy in front.
        PROXY;

        /// `none`, `token`, `proxy`.
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// Whether every domain is shown.
    public boolean seesAll() {
        return labels.isEmpty();
    }

    /// Whether a domain with these labels is shown.
    public boolean sees(Map<String, String> domainLabels) {
        return domainLabels.entrySet().containsAll(labels.entrySet());
    }
}

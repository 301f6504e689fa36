package io.tlsrpt.alerting;

import io.tlsrpt.runtime.Settings;
import io.tlsrpt.topics.DomainClaim;
import java.time.Instant;
import java.util.function.Supplier;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/// Which domains are ours, and which rules judge them.
final class OurDomains {

    /// Global: the topic `tlsrpt.domains`.
    static final String CLAIMS = "domain-claims";

    private final Supplier<Settings> settings;
    private final ReadOnlyKeyValueStore<String, ValueAndTimestamp<DomainClaim>> claims;

    OurDomains(Supplier<Settings> settings, ProcessingContext context) {
        this.settings = settings;
        this.claims = context.getStateStore(CLAIMS);
    }

    /// Configured, or accepted before `arrived`. With discovery off every other domain is ours as well, since its
    /// reports passed intake; with discovery on it is at best pending, whether or not its claim is here already.
    boolean has(String domain, Instant arrived) {
        ValueAndTimestamp<DomainClaim> known = claims.get(domain);
        DomainClaim claim = known == null ? null : known.value();
        Settings current = settings.get();
        if (!current.discovery().enabled()
                && (claim == null || current.domains().isEmpty())) {
            return true;
        }
        return (claim != null
                        && claim.acceptedAt() != null
                        && !claim.acceptedAt().isAfter(arrived))
                || current.domains().stream().anyMatch(configured -> configured.matches(domain));
    }

    /// Whether this rule is on, for everything and for this domain.
    boolean judges(Rule rule, String domain) {
        Settings current = settings.get();
        Settings.Domain entry = current.domain(domain);
        return rule.on(current.alerting().rules())
                && (entry == null || !entry.rulesOff().contains(rule.word()));
    }
}

package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.tlsrpt.runtime.Settings.Severity;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What is remembered of the last look at a subject, to see what changes.
///
/// @param at when it was
/// @param domains of an MX: which of ours it serves, and when that was last seen; at most 100
/// @param faults of an MX: what the last look of each of these domains found, by domain and word of the rule
/// @param families of an MX: when an address of this family (`4` or `6`) was last reached
/// @param rua of a domain: the addresses that its TLSRPT record is meant to list
/// @param policyId of a domain: the id of its MTA-STS record
/// @param policySha256 of the policy under that id, as first seen
/// @param enforcedUntil how long senders hold a policy with mode enforce; absent when they hold none
@JsonInclude(JsonInclude.Include.NON_NULL)
record Looked(
        Instant at,
        Map<String, Instant> domains,
        Map<String, Map<String, Severity>> faults,
        Map<String, Instant> families,
        @Nullable List<String> rua,
        @Nullable String policyId,
        @Nullable String policySha256,
        @Nullable Instant enforcedUntil) {

    private static final int MOST_DOMAINS = 100;

    static final Looked NEVER = new Looked(Instant.EPOCH, Map.of(), Map.of(), Map.of(), null, null, null, null);

    Looked {
        // absent where an earlier version wrote it
        faults = Objects.requireNonNullElse(faults, Map.of());
        families = Objects.requireNonNullElse(families, Map.of());
    }

    /// At an MX, on behalf of one of our domains; what has not been seen there since `horizon` is forgotten. A domain
    /// with a fault takes the place of one without.
    ///
    /// @param found its faults, by word of the rule
    /// @param reached families of which an address was reached
    Looked at(Instant now, String domain, Map<String, Severity> found, List<String> reached, Instant horizon) {
        Map<String, Instant> seen = new TreeMap<>(domains);
        seen.values().removeIf(last -> last.isBefore(horizon));
        if (seen.size() >= MOST_DOMAINS && !seen.containsKey(domain) && !found.isEmpty()) {
            seen.keySet().stream()
                    .filter(other -> !faults.containsKey(other))
                    .findFirst()
                    .ifPresent(seen::remove);
        }
        if (seen.size() < MOST_DOMAINS || seen.containsKey(domain)) {
            seen.put(domain, now);
        }
        Map<String, Map<String, Severity>> known = new TreeMap<>(faults);
        known.put(domain, found);
        known.entrySet().removeIf(entry -> entry.getValue().isEmpty() || !seen.containsKey(entry.getKey()));
        Map<String, Instant> ways = new TreeMap<>(families);
        ways.values().removeIf(last -> last.isBefore(horizon));
        reached.forEach(family -> ways.put(family, now));
        return new Looked(now, seen, known, ways, rua, policyId, policySha256, enforcedUntil);
    }

    /// Whether this domain has been seen at the MX.
    boolean knows(String domain) {
        return domains.containsKey(domain) || faults.containsKey(domain);
    }

    Looked without(String domain) {
        Map<String, Instant> seen = new TreeMap<>(domains);
        seen.remove(domain);
        Map<String, Map<String, Severity>> known = new TreeMap<>(faults);
        known.remove(domain);
        return new Looked(at, seen, known, families, rua, policyId, policySha256, enforcedUntil);
    }

    Looked at(Instant now) {
        return new Looked(now, domains, faults, families, rua, policyId, policySha256, enforcedUntil);
    }

    Looked withRua(@Nullable List<String> meant) {
        return new Looked(at, domains, faults, families, meant, policyId, policySha256, enforcedUntil);
    }

    Looked withPolicy(Instant now, @Nullable String id, @Nullable String sha256, @Nullable Instant heldUntil) {
        return new Looked(now, domains, faults, families, rua, id, sha256, heldUntil);
    }
}

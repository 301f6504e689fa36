package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What is remembered of the last look at a subject, to see what changes.
///
/// @param at when it was
/// @param domains of an MX: which of ours it serves, and when that was last seen; at most 100
/// @param rua of a domain: the addresses that its TLSRPT record is meant to list
/// @param policyId of a domain: the id of its MTA-STS record
/// @param policySha256 of the policy under that id, as first seen
/// @param enforced whether senders hold a policy with mode enforce
@JsonInclude(JsonInclude.Include.NON_NULL)
record Looked(
        Instant at,
        Map<String, Instant> domains,
        @Nullable List<String> rua,
        @Nullable String policyId,
        @Nullable String policySha256,
        boolean enforced) {

    private static final int MOST_DOMAINS = 100;

    static final Looked NEVER = new Looked(Instant.EPOCH, Map.of(), null, null, null, false);

    /// At an MX, on behalf of one of our domains; those that have not been seen there since `horizon` are forgotten.
    Looked at(Instant now, String domain, Instant horizon) {
        Map<String, Instant> seen = new TreeMap<>(domains);
        seen.values().removeIf(last -> last.isBefore(horizon));
        if (seen.size() < MOST_DOMAINS || seen.containsKey(domain)) {
            seen.put(domain, now);
        }
        return new Looked(now, seen, rua, policyId, policySha256, enforced);
    }

    Looked withRua(@Nullable List<String> meant) {
        return new Looked(at, domains, meant, policyId, policySha256, enforced);
    }

    Looked withPolicy(Instant now, @Nullable String id, @Nullable String sha256, boolean enforce) {
        return new Looked(now, domains, rua, id, sha256, enforce);
    }
}

package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// What is known of a domain that was discovered by its DNS record (`tlsrpt.domains`, key policy-domain). Anybody can
/// publish our address, so a domain is `pending`, counted but never alerted on, until the operator accepts it.
///
/// @param state `pending` or `accepted`
/// @param since when its record was first seen to list one of our addresses
/// @param acceptedAt when the operator took it as ours; absent while pending
/// @param rua the address of ours that its record listed
@JsonPropertyOrder({"policy-domain", "state", "since", "accepted-at", "rua"})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record DomainClaim(
        String policyDomain,
        String state,
        Instant since,
        @Nullable Instant acceptedAt,
        String rua) {

    public static final String PENDING = "pending";
    public static final String ACCEPTED = "accepted";

    public static DomainClaim pending(String policyDomain, String rua, Instant since) {
        return new DomainClaim(policyDomain, PENDING, since, null, rua);
    }

    /// The same claim, accepted; unchanged when it was already.
    public DomainClaim accept(Instant now) {
        return accepted() ? this : new DomainClaim(policyDomain, ACCEPTED, since, now, rua);
    }

    public boolean accepted() {
        return state.equals(ACCEPTED);
    }
}

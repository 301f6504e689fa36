package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.Instant;

/// A domain that is to be forgotten (`tlsrpt.departures`, key policy-domain): whatever arrived about it until then.
/// Reports that arrive later are judged like any others.
///
/// @param departedAt what arrived until this instant is to go
/// @param by who wanted it
@JsonPropertyOrder({"policy-domain", "departed-at", "by"})
public record Departure(String policyDomain, Instant departedAt, String by) {

    /// Header of an aggregate's tombstone that a departure brought about: its `departed-at`.
    public static final String HEADER = "departed-at";

    /// Whether what arrived then is to be forgotten.
    public boolean covers(Instant arrivedAt) {
        return !arrivedAt.isAfter(departedAt);
    }
}

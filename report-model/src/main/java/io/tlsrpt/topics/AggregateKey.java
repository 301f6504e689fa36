package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.time.LocalDate;

/// Key of `tlsrpt.aggregates`: one cell per UTC day, domain, policy type, submitter and trust.
@JsonPropertyOrder({"window", "policy-domain", "policy-type", "submitter", "authentication"})
public record AggregateKey(
        LocalDate window, String policyDomain, String policyType, String submitter, String authentication) {}

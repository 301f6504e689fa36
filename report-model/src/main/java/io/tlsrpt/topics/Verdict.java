package io.tlsrpt.topics;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import org.jspecify.annotations.Nullable;

/// One record of `tlsrpt.verdicts`: what became of one raw record. There is exactly one per raw record, so
/// raw = accepted + duplicate + conflict + replaced + rejected.
///
/// @param verdict `accepted`, `duplicate`, `conflict`, `replaced` (this copy replaced an untrusted one) or `rejected`
/// @param reason why it was rejected; absent otherwise
/// @param detail for people; absent when there is nothing to say
@JsonPropertyOrder({"verdict", "report-key", "revision", "reason", "detail", "raw"})
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Verdict(
        String verdict,
        String reportKey,
        @Nullable Integer revision,
        @Nullable String reason,
        @Nullable String detail,
        RawPosition raw) {

    public static final String ACCEPTED = "accepted";
    public static final String DUPLICATE = "duplicate";
    public static final String CONFLICT = "conflict";
    public static final String REPLACED = "replaced";
    public static final String REJECTED = "rejected";
}

package io.tlsrpt.stream;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import org.jspecify.annotations.Nullable;

/// Failures of a policy entry whose summary has not come yet, by result type and MX. Those of one entry are chained,
/// the
/// entry's own record being the head: found one by one, without a range scan, which would crawl over all that was
/// deleted
/// before.
///
/// @param version of this form; 1
/// @param since milliseconds of the wall clock when the first of them came
/// @param tally absent in the head
/// @param previous key of the one before in the entry; absent in the first
@JsonPropertyOrder({"version", "since", "tally", "previous"})
@JsonInclude(JsonInclude.Include.NON_NULL)
record PendingTally(
        int version,
        long since,
        @Nullable Tally tally,
        @Nullable String previous) {

    static final int VERSION = 1;
}

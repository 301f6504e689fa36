package io.tlsrpt.stream;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/// Failures of a policy entry whose summary has not come yet, by result type and MX.
///
/// @param version of this form; 1
/// @param since milliseconds of the wall clock when the first of them came
@JsonPropertyOrder({"version", "since", "tally"})
record PendingTally(int version, long since, Tally tally) {

    static final int VERSION = 1;
}

package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.time.LocalDate;

/// On which days a reporter has written about one domain, and how long its reports take.
///
/// @param trusted whether this is about its trusted reports, or about those of which nobody knows who sent them
/// @param newest the last day it wrote about
/// @param days one bit for each day up to the newest, which is the lowest bit: 1 when it wrote. None: forget it
/// @param delayHours how long its reports take after the end of their day, the 95th percentile
record Presence(String policyDomain, String submitter, boolean trusted, LocalDate newest, long days, int delayHours) {

    private static final long BASELINE = (1L << 28) - 1;

    /// Days with a report, of the 28 up to the newest.
    @JsonIgnore
    int regularity() {
        return Long.bitCount(days & BASELINE);
    }
}

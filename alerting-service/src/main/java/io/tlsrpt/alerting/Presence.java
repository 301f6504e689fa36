package io.tlsrpt.alerting;

import java.time.LocalDate;

/// That a reporter has written about one domain, and how long its reports take.
///
/// @param trusted whether any of it is trusted
/// @param newest the last day it wrote about
/// @param days one bit for each of the days up to the newest, which is the lowest bit: 1 when it wrote
/// @param delayHours how long its reports take after the end of their day, the 95th percentile
record Presence(String policyDomain, String submitter, boolean trusted, LocalDate newest, long days, int delayHours) {}

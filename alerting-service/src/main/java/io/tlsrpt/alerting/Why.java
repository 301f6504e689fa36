package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Why a result type at one MX did or did not become an alert on one day.
///
/// @param alertId of what the reports alone make of it; absent when they make no alert
/// @param notes what stands in the way or went before, in words
/// @param windows every condition asked, for each policy type, for trusted and for all reports, for the day and for the
/// three days up to it
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Why(
        String rule, String resultType, @Nullable String alertId, List<String> notes, List<Explanation> windows) {}

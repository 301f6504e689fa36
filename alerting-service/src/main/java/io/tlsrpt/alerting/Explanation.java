package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.LocalDate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Why a rule said what it said of one result type at one MX in one window, or why it said nothing.
///
/// @param window last day of the window
/// @param days its length
/// @param trusted whether trusted reports alone were looked at
/// @param failed k
/// @param sessions n
/// @param share s = k / n
/// @param reporters r, those that saw failures
/// @param baselineFailed K, in the 28 days before
/// @param baselineSessions N
/// @param usualShare p
/// @param surprise P
/// @param effect W
/// @param checks every condition of the rule, in its order
/// @param severity of the verdict; absent: recorded, and nothing more
/// @param branch that spoke
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Explanation(
        String rule,
        String resultType,
        String policyType,
        LocalDate window,
        int days,
        boolean trusted,
        long failed,
        long sessions,
        double share,
        int reporters,
        long baselineFailed,
        long baselineSessions,
        double usualShare,
        double surprise,
        double effect,
        List<Check> checks,
        @Nullable String severity,
        @Nullable String branch) {

    /// One condition.
    ///
    /// @param name of the branch that it belongs to
    /// @param text with the numbers, such as `k = 5 ≥ 5`
    public record Check(String name, String text, boolean held) {}
}

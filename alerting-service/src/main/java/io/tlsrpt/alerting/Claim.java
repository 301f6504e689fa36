package io.tlsrpt.alerting;

import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Alert.Evidence;
import org.jspecify.annotations.Nullable;

/// That something is wrong now, by a rule that needs no memory of its own: it holds or it does not.
///
/// @param resultType absent where the rule is about none
/// @param trouble what is wrong, one line for people, of cleaned text
record Claim(
        Rule rule,
        @Nullable String resultType,
        @Nullable String policyDomain,
        @Nullable String receivingMxHostname,
        @Nullable String submitter,
        Severity severity,
        String trouble,
        Evidence evidence) {

    Claim with(Evidence other) {
        return new Claim(rule, resultType, policyDomain, receivingMxHostname, submitter, severity, trouble, other);
    }

    String alertId() {
        return Life.alertId(rule, resultType, policyDomain, receivingMxHostname, submitter);
    }
}

package io.tlsrpt.alerting;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Alert;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/// The life of an alert that rests on a [Claim].
@JsonAutoDetect(
        fieldVisibility = JsonAutoDetect.Visibility.ANY,
        getterVisibility = JsonAutoDetect.Visibility.NONE,
        isGetterVisibility = JsonAutoDetect.Visibility.NONE)
final class Standing extends Life {

    /// What was claimed last.
    Claim claim;

    /// Only rises within an incident.
    Severity worst;

    @JsonCreator
    Standing(@JsonProperty("claim") Claim claim) {
        super(claim.rule(), claim.resultType(), claim.policyDomain(), claim.receivingMxHostname(), claim.submitter());
        this.claim = claim;
        this.worst = claim.severity();
    }

    /// As an application that begins anew finds it in the topic of alerts.
    ///
    /// @param judgedUntil what arrived until then was judged in another house
    static Standing takenOver(Alert alert, Instant judgedUntil) {
        Rule rule = Rule.ofWord(alert.rule());
        if (rule == null) {
            throw new IllegalArgumentException("no rule " + alert.rule());
        }
        Standing standing = new Standing(new Claim(
                rule,
                alert.resultType(),
                alert.policyDomain(),
                alert.receivingMxHostname(),
                alert.submitter(),
                Severity.valueOf(alert.severity().toUpperCase(Locale.ROOT)),
                alert.summary(),
                alert.evidence()));
        standing.goOnFrom(alert, judgedUntil);
        return standing;
    }

    @Override
    Severity severity() {
        return worst;
    }

    void open(Claim given, boolean again, Instant now) {
        begin(again, now);
        claim = given;
        worst = given.severity();
    }

    /// @return whether it is worse than before
    boolean extend(Claim given) {
        changed |= !given.equals(claim);
        claim = given;
        if (given.severity().compareTo(worst) > 0) {
            worst = given.severity();
            return true;
        }
        return false;
    }

    /// When to look at it next although nothing is claimed.
    Instant dueAt(Duration kept) {
        if (!firing) {
            return (resolvedAt == null ? openedAt : resolvedAt).plus(kept);
        }
        return changed ? updateAt() : Instant.MAX;
    }
}

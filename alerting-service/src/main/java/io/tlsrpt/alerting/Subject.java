package io.tlsrpt.alerting;

import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.AlertAction;
import org.jspecify.annotations.Nullable;

/// What can be at fault: the keys under which clues meet. An MX host is its own key (as [MxName] writes it), the others
/// have a prefix that no host name has.
final class Subject {

    /// How all begin that are no MX host and no domain whose reports name none.
    static final String PREFIX = "?";

    /// All reporters and domains: silence is only seen when they are looked at together.
    static final String SILENCE = "?silence";

    /// What every task is told of: a domain that is to be forgotten.
    static final String DEPARTED = "?departed";

    private static final String REPORTER = "?reporter ";
    private static final String DOMAIN = "?domain ";
    private static final String INTAKE = "?intake ";

    private Subject() {}

    static String reporter(String submitter) {
        return REPORTER + submitter;
    }

    static boolean isReporter(String subject) {
        return subject.startsWith(REPORTER);
    }

    /// A domain as the reports about it arrive.
    static String intake(String policyDomain) {
        return INTAKE + policyDomain;
    }

    static boolean isIntake(String subject) {
        return subject.startsWith(INTAKE);
    }

    /// What stands after the prefix of a reporter or of an intake.
    static String name(String subject) {
        return subject.substring(subject.indexOf(' ') + 1);
    }

    /// A domain as a live look shows it.
    static String domain(String policyDomain) {
        return DOMAIN + policyDomain;
    }

    /// Whether it is a domain as a live look shows it.
    static boolean isDomain(String subject) {
        return subject.startsWith(DOMAIN);
    }

    /// Where the alert is judged that somebody did something about; null when no rule of ours made it.
    static @Nullable String of(AlertAction action) {
        return of(action.rule(), action.policyDomain(), action.receivingMxHostname(), action.submitter());
    }

    /// Where the alert is judged; null when no rule of ours made it.
    static @Nullable String of(Alert alert) {
        return of(alert.rule(), alert.policyDomain(), alert.receivingMxHostname(), alert.submitter());
    }

    private static @Nullable String of(
            String word, @Nullable String domain, @Nullable String mx, @Nullable String submitter) {
        Rule rule = Rule.ofWord(word);
        if (rule == null) {
            return null;
        }
        return switch (rule.bench()) {
            case MX -> mx != null ? mx : domain == null ? null : MxName.nameless(domain);
            case REPORTER -> submitter != null ? reporter(submitter) : domain == null ? null : intake(domain);
            case SILENCE -> SILENCE;
            case LOOK -> mx != null ? mx : domain == null ? null : domain(domain);
        };
    }
}

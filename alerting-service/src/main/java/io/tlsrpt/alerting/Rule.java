package io.tlsrpt.alerting;

import io.tlsrpt.report.ResultType;
import io.tlsrpt.runtime.AlertingSettings.Rules;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The rules of detection; each judges some result types, each result type is judged by one rule at most.
enum Rule {
    CERTIFICATE("certificate"),
    STARTTLS_REGRESSION("starttls-regression");

    private static final Map<String, Rule> BY_RESULT_TYPE = Map.of(
            ResultType.CERTIFICATE_EXPIRED.word(), CERTIFICATE,
            ResultType.CERTIFICATE_HOST_MISMATCH.word(), CERTIFICATE,
            ResultType.CERTIFICATE_NOT_TRUSTED.word(), CERTIFICATE,
            ResultType.VALIDATION_FAILURE.word(), CERTIFICATE,
            ResultType.STARTTLS_NOT_SUPPORTED.word(), STARTTLS_REGRESSION);

    private final String word;

    Rule(String word) {
        this.word = word;
    }

    /// As alerts and metric labels say it.
    String word() {
        return word;
    }

    boolean on(Rules settings) {
        return switch (this) {
            case CERTIFICATE -> settings.certificate();
            case STARTTLS_REGRESSION -> settings.starttlsRegression();
        };
    }

    /// The rule that judges this result type; null when none does.
    static @Nullable Rule of(String resultType) {
        return BY_RESULT_TYPE.get(resultType);
    }
}

package io.tlsrpt.alerting;

import io.tlsrpt.report.FailureClass;
import io.tlsrpt.report.ResultType;
import io.tlsrpt.runtime.AlertingSettings.Rules;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The rules of detection. Each result type of a report is judged by one of them at most.
enum Rule {
    CERTIFICATE("certificate", Bench.MX),
    STARTTLS_REGRESSION("starttls-regression", Bench.MX),
    DANE("dane", Bench.MX),
    STS_POLICY("sts-policy", Bench.MX),
    REPORTER_FAULT("reporter-fault", Bench.REPORTER),
    REJECTIONS("rejections", Bench.REPORTER),
    REPORTER_SILENT("reporter-silent", Bench.SILENCE),
    DOMAIN_SILENT("domain-silent", Bench.SILENCE),
    INTAKE_BROKEN("intake-broken", Bench.SILENCE),
    CERTIFICATE_EXPIRY("certificate-expiry", Bench.LOOK),
    STARTTLS_MISSING("starttls-missing", Bench.LOOK),
    TLSRPT_RECORD("tlsrpt-record", Bench.LOOK),
    MTA_STS("mta-sts", Bench.LOOK),
    TLSA("tlsa", Bench.LOOK);

    /// Where a rule is judged, and by what: see [DetectionTopology].
    enum Bench {
        /// what reports say of an MX, or of a domain that names none
        MX,
        /// what one reporter does
        REPORTER,
        /// who stays silent
        SILENCE,
        /// what a live look shows
        LOOK
    }

    private static final Map<String, Rule> BY_WORD =
            Arrays.stream(values()).collect(Collectors.toMap(Rule::word, Function.identity()));

    private final String word;
    private final Bench bench;

    Rule(String word, Bench bench) {
        this.word = word;
        this.bench = bench;
    }

    /// As alerts and metric labels say it.
    String word() {
        return word;
    }

    Bench bench() {
        return bench;
    }

    /// Whether sessions of this policy type count: not all do for a fault of DANE.
    boolean judges(String policyType) {
        return this != DANE || policyType.equals(DaneRule.POLICY_TYPE);
    }

    boolean on(Rules settings) {
        return settings.on(word);
    }

    /// The rule of this word; null when there is none.
    static @Nullable Rule ofWord(String word) {
        return BY_WORD.get(word);
    }

    /// The rule that judges this result type; null when none does.
    static @Nullable Rule of(String resultType) {
        ResultType type = ResultType.of(resultType);
        if (!type.registered()) {
            return null;
        }
        FailureClass failureClass = type.failureClass();
        return switch (failureClass) {
            case CERTIFICATE -> CERTIFICATE;
            case STARTTLS -> STARTTLS_REGRESSION;
            case DANE -> DANE;
            case STS_POLICY -> STS_POLICY;
            case OTHER -> null;
        };
    }
}

package io.tlsrpt.report;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Why a session failed (RFC 8460 §4.3): one of the eleven registered words, or an unknown one, kept as sent.
public record ResultType(String word) {

    public static final ResultType STARTTLS_NOT_SUPPORTED = new ResultType("starttls-not-supported");
    public static final ResultType CERTIFICATE_HOST_MISMATCH = new ResultType("certificate-host-mismatch");
    public static final ResultType CERTIFICATE_EXPIRED = new ResultType("certificate-expired");
    public static final ResultType CERTIFICATE_NOT_TRUSTED = new ResultType("certificate-not-trusted");
    public static final ResultType VALIDATION_FAILURE = new ResultType("validation-failure");
    public static final ResultType TLSA_INVALID = new ResultType("tlsa-invalid");
    public static final ResultType DNSSEC_INVALID = new ResultType("dnssec-invalid");
    public static final ResultType DANE_REQUIRED = new ResultType("dane-required");
    public static final ResultType STS_POLICY_FETCH_ERROR = new ResultType("sts-policy-fetch-error");
    public static final ResultType STS_POLICY_INVALID = new ResultType("sts-policy-invalid");
    public static final ResultType STS_WEBPKI_INVALID = new ResultType("sts-webpki-invalid");

    /// Ours, for a detail that names no result type.
    public static final ResultType UNSPECIFIED = new ResultType("unspecified");

    private static final Map<ResultType, FailureClass> CLASSES = Map.ofEntries(
            Map.entry(STARTTLS_NOT_SUPPORTED, FailureClass.STARTTLS),
            Map.entry(CERTIFICATE_HOST_MISMATCH, FailureClass.CERTIFICATE),
            Map.entry(CERTIFICATE_EXPIRED, FailureClass.CERTIFICATE),
            Map.entry(CERTIFICATE_NOT_TRUSTED, FailureClass.CERTIFICATE),
            Map.entry(VALIDATION_FAILURE, FailureClass.CERTIFICATE),
            Map.entry(TLSA_INVALID, FailureClass.DANE),
            Map.entry(DNSSEC_INVALID, FailureClass.DANE),
            Map.entry(DANE_REQUIRED, FailureClass.DANE),
            Map.entry(STS_POLICY_FETCH_ERROR, FailureClass.STS_POLICY),
            Map.entry(STS_POLICY_INVALID, FailureClass.STS_POLICY),
            Map.entry(STS_WEBPKI_INVALID, FailureClass.STS_POLICY));

    private static final Map<String, ResultType> REGISTERED =
            CLASSES.keySet().stream().collect(Collectors.toMap(ResultType::word, Function.identity()));

    /// One object per registered word, however many details carry it.
    public static ResultType of(String word) {
        ResultType registered = REGISTERED.get(word);
        return registered == null ? new ResultType(word) : registered;
    }

    /// The words of the registry.
    public static Stream<String> registeredWords() {
        return REGISTERED.keySet().stream();
    }

    public FailureClass failureClass() {
        return CLASSES.getOrDefault(this, FailureClass.OTHER);
    }

    /// Whether the word stands in the registry of RFC 8460 §6.6.
    public boolean registered() {
        return CLASSES.containsKey(this);
    }
}

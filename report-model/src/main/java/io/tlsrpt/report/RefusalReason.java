package io.tlsrpt.report;

import java.util.Arrays;
import java.util.Optional;

/// Why a report, or one entry of it, is kept in the rejected topic instead of being counted.
/// The same word stands in the record header, the log line, the metric label and the HTTP problem.
public enum RefusalReason {
    EMPTY("empty", 400),
    NO_REPORT("no-report", 400),
    NOT_JSON("not-json", 400),
    TRUNCATED("truncated", 400),
    TRAILING_CONTENT("trailing-content", 400),
    DUPLICATE_MEMBER("duplicate-member", 400),
    TOO_DEEP("too-deep", 400),
    MISSING_DATE_RANGE("missing-date-range", 400),
    MISSING_POLICIES("missing-policies", 400),
    MISSING_POLICY_TYPE("missing-policy-type", 400),
    MISSING_COUNT("missing-count", 400),
    NO_SUBMITTER("no-submitter", 400),
    INVALID_COUNT("invalid-count", 400),
    IMPLAUSIBLE_DATE_RANGE("implausible-date-range", 400),
    TOO_OLD("too-old", 400),
    TOO_LARGE("too-large", 413),
    TOO_MANY_DETAILS("too-many-details", 413),
    NOT_DKIM_SIGNED("not-dkim-signed", 201),
    DKIM_FAILED("dkim-failed", 201),
    FOREIGN_DOMAIN("foreign-domain", 201),
    NO_POLICY_DOMAIN("no-policy-domain", 201),
    CONFLICTING_DUPLICATE("conflicting-duplicate", 201),
    INTERNAL("internal", 201);

    private final String word;
    private final int httpStatus;

    RefusalReason(String word, int httpStatus) {
        this.word = word;
        this.httpStatus = httpStatus;
    }

    /// @return absent for a word of a later release
    public static Optional<RefusalReason> of(String word) {
        return Arrays.stream(values())
                .filter(reason -> reason.word.equals(word))
                .findFirst();
    }

    public String word() {
        return word;
    }

    /// What a sender by HTTPS hears: 400 or 413 when no retry can mend it, 201 when the bytes are taken and judged
    /// later.
    public int httpStatus() {
        return httpStatus;
    }
}

package io.tlsrpt.report;

/// A deviation from RFC 8460 that we read all the same. Counted by name, and kept with the report.
/// Each constant names the section it bends and the witness file under `src/test/resources/reports` that shows it.
public enum Leniency {
    /// RFC 7493 §2.1 asks for UTF-8 and nothing before it; a byte order mark is skipped. Witness: q24-bom.json
    BYTE_ORDER_MARK("byte-order-mark"),
    /// RFC 7493 §2.1: bytes that are no UTF-8 are read as Latin-1, one by one. Witness: q27-latin1-bytes.json
    LATIN1_BYTES("latin1-bytes"),
    /// RFC 8259 §2 allows only white space after the document; NUL bytes are dropped. Witness: q25-trailing-nul.json
    TRAILING_NUL("trailing-nul"),
    /// RFC 7493 §2.1 forbids unpaired surrogates and noncharacters; each becomes U+FFFD. Witness:
    /// text-invalid-character.json
    INVALID_CHARACTER("invalid-character"),
    /// RFC 1952 §2.2: bytes after the last gzip member are ignored. Witness: made in `InflationTest`
    GZIP_TRAILING_BYTES("gzip-trailing-bytes"),
    /// RFC 8460 §5.2: gzip around gzip, as `Content-Encoding` makes it. Witness: made in `InflationTest`
    GZIP_TWICE("gzip-twice"),

    /// RFC 8460 §4.4 and RFC 3339 §5.6 ask for a zone; without one the time is UTC. Witness: q01-date-no-zone.json
    DATE_WITHOUT_ZONE("date-without-zone"),
    /// RFC 3339 §5.6: a blank for the `T`, no seconds, no time, `24:00`, `+0200`, `UTC`. Witness:
    /// q23-date-spelling.json
    DATE_SPELLING("date-spelling"),
    /// RFC 8460 §4.4: seconds (or, from 10^11 on, milliseconds) since 1970 for a date-time. Witness:
    /// q22-date-epoch.json
    DATE_AS_EPOCH("date-as-epoch"),

    /// RFC 8460 §4.4: no `contact-info`; the organization is the submitter. Witness: q04-contact-info-missing.json
    CONTACT_INFO_MISSING("contact-info-missing"),
    /// RFC 8460 §4.4 and RFC 5322 §3.4.1: `contact-info` holds no address. Witness: contact-info-no-address.json
    CONTACT_INFO_NO_ADDRESS("contact-info-no-address"),
    /// RFC 8460 §4.4: no `organization-name`. Witness: q36-organization-name-missing.json
    ORGANIZATION_NAME_MISSING("organization-name-missing"),
    /// RFC 8460 §4.4: no `report-id`; the hash of the content stands in. Witness: q35-report-id-missing.json
    REPORT_ID_MISSING("report-id-missing"),

    /// RFC 8460 §4: `policies` without an element; nothing is counted. Witness: q20-policies-empty.json
    POLICIES_EMPTY("policies-empty"),
    /// RFC 8460 §4 asks for an array of policies; an object is its only element. Witness: policies-object.json
    POLICIES_AS_OBJECT("policies-as-object"),
    /// RFC 8460 §4.4: no `policy-domain`; the channel's stands in. Witness: q05-policy-domain-missing.json
    POLICY_DOMAIN_MISSING("policy-domain-missing"),
    /// RFC 8460 §4.4: a `policy-domain` with a final dot. Witness: policy-domain-spelling.json
    POLICY_DOMAIN_TRAILING_DOT("policy-domain-trailing-dot"),
    /// RFC 8460 §4.4 asks for A-labels (RFC 5890 §2.3.2.1); U-labels are converted. Witness: policy-domain-unicode.json
    POLICY_DOMAIN_UNICODE("policy-domain-unicode"),
    /// RFC 8460 §4.4: `policy-domain` is no domain name; kept as text of at most 255 characters. Witness:
    /// policy-domain-malformed.json
    POLICY_DOMAIN_MALFORMED("policy-domain-malformed"),
    /// RFC 8460 §4.4: `policy-type` in capitals or with blanks around. Witness: q16-policy-type-case.json
    POLICY_TYPE_SPELLING("policy-type-spelling"),
    /// RFC 8460 §4.4 knows `tlsa`, `sts`, `no-policy-found`; another word is kept. Witness:
    /// q15-policy-type-unknown.json
    POLICY_TYPE_UNKNOWN("policy-type-unknown"),
    /// RFC 8460 §4.4 shows an array; a string is split into its lines or records. Witness: q12-policy-string-text.json
    POLICY_STRING_AS_TEXT("policy-string-as-text"),
    /// RFC 8460 §4.5: the array of records is encoded again inside a string. Witness: q13-tlsa-double-encoded.json
    POLICY_STRING_DOUBLE_ENCODED("policy-string-double-encoded"),
    /// RFC 8460 Appendix B as printed (erratum 6241): `mx-host` is a string. Witness: q02-mx-host-text.json
    MX_HOST_AS_TEXT("mx-host-as-text"),
    /// RFC 8460 §4.4: `mx-host` holds whole policy lines, `mx: …`. Witness: mx-host-policy-line.json
    MX_HOST_AS_POLICY_LINE("mx-host-as-policy-line"),

    /// RFC 8460 §4.4 asks for a number; a string of decimal digits is one. Witness: q17-count-text.json
    COUNT_AS_TEXT("count-as-text"),
    /// RFC 8460 §4.4 asks for an integer; `3.0` is one. Witness: q18-count-float.json
    COUNT_AS_FLOAT("count-as-float"),
    /// RFC 8460 §4.4: one of the two totals is missing; it is 0. Witness: q07-summary-only-success.json
    SUMMARY_COUNT_MISSING("summary-count-missing"),
    /// RFC 8460 §4.4: `failed-session-count` is missing; the only detail has the entry's total, others 0. Witness:
    /// q39-failed-count-missing.json
    FAILED_SESSION_COUNT_MISSING("failed-session-count-missing"),

    /// RFC 8460 §4.4 asks for an array; an object is its only element. Witness: q32-failure-details-object.json
    FAILURE_DETAILS_AS_OBJECT("failure-details-as-object"),
    /// RFC 8460 §4.2.2: failures are counted and none is explained. Witness: q34-failure-details-missing.json
    FAILURES_UNEXPLAINED("failures-unexplained"),
    /// RFC 8460 §4: more failed sessions in the details than in the total, which counts. Witness:
    /// q37-details-over-total.json
    DETAILS_OVER_TOTAL("details-over-total"),
    /// RFC 8460 §4.4: a detail names no `sending-mta-ip` or no `receiving-mx-hostname`. Witness:
    /// q06-failure-without-hosts.json
    FAILURE_WITHOUT_HOSTS("failure-without-hosts"),
    /// RFC 8460 §4.3: a detail says no `result-type`; it reads `unspecified`. Witness: result-type-missing.json
    RESULT_TYPE_MISSING("result-type-missing"),
    /// RFC 8460 §4.3: a registered word in capitals or with blanks around. Witness: result-type-case.json
    RESULT_TYPE_SPELLING("result-type-spelling"),
    /// RFC 8460 §4.3 expects the list to grow; an unknown word is kept. Witness: q14-result-type-unknown.json
    RESULT_TYPE_UNKNOWN("result-type-unknown"),
    /// RFC 8460 §4.4: an IP member holds other text, which is kept. Witness: q28-ip-not-an-ip.json
    IP_NOT_AN_ADDRESS("ip-not-an-address"),
    /// RFC 8460 §4.4: an address in brackets, as RFC 5321 §4.1.3 writes it in mail. Witness: q29-ip-bracketed.json
    IP_BRACKETED("ip-bracketed"),

    /// RFC 8460 §4.4: a member is `null`; it is absent. Witness: q09-null-members.json
    NULL_MEMBER("null-member"),
    /// RFC 8460 §4.4: a member is `""` or blank; it is absent. Witness: q10-empty-strings.json
    EMPTY_STRING("empty-string"),
    /// RFC 8460 §4.4 asks for a string; a number or boolean is read as its text. Witness: q31-report-id-number.json
    TEXT_AS_NUMBER("text-as-number"),
    /// RFC 8460 §4.4 asks for a string; of a list the first is taken. Witness: q40-contact-info-list.json
    TEXT_AS_LIST("text-as-list"),
    /// RFC 8460 §4.4: an optional member is of a type that makes no sense; it is ignored. Witness: wrong-types.json
    TYPE_IGNORED("type-ignored"),
    /// RFC 8460 §4.4: the RFC's prose word or a draft's instead of the member's name. Witness: placeholder-names.json
    PLACEHOLDER_NAME("placeholder-name"),
    /// RFC 8460 §4.4 (and RFC 7493 §4.2): members that nobody knows are ignored. Witness: q33-extra-fields.json
    UNKNOWN_MEMBER("unknown-member"),

    /// RFC 8460 §5.3: the report is no part of a `multipart/report`. Witness: m01 in `MailWitnessTest`
    MAIL_NOT_MULTIPART_REPORT("mail-not-multipart-report"),
    /// RFC 8460 §5.3, RFC 6522 §3: the `report-type` is missing or another than `tlsrpt`. Witness: m02 in
    /// `MailWitnessTest`
    MAIL_REPORT_TYPE("mail-report-type"),
    /// RFC 8460 §5.3: another media type than `application/tlsrpt+gzip` or `+json`. Witness: m03 in `MailWitnessTest`
    MAIL_MEDIA_TYPE("mail-media-type"),
    /// RFC 8460 §6.4, §6.5: `+gzip` says the type of what is no gzip, or `+json` of what is. Witness: m10 in
    /// `MailWitnessTest`
    MAIL_GZIP_LABEL("mail-gzip-label"),
    /// RFC 8460 §5.2 knows gzip; the report is in a zip. Witness: m09 in `MailWitnessTest`
    MAIL_ZIP("mail-zip"),
    /// RFC 8460 §5.3: the report mail is attached to another. Witness: m19 in `MailWitnessTest`
    MAIL_FORWARDED("mail-forwarded"),
    /// RFC 3464 and RFC 3834: a bounce or an automatic reply brings the report back; who signed it has not written the
    /// report. Witness: m19-returned in `MailWitnessTest`
    MAIL_RETURNED("mail-returned"),
    /// RFC 8460 §5.3: the `multipart/report` is a part of another multipart. Witness: m20 in `MailWitnessTest`
    MAIL_NESTED("mail-nested"),
    /// RFC 8460 §5.3 speaks of one report; several in a mail are read one by one. Witness: m22 in `MailWitnessTest`
    MAIL_SEVERAL_REPORTS("mail-several-reports"),
    /// RFC 8460 §5.3: no `TLS-Report-Domain` or no `TLS-Report-Submitter`. Witness: m29 in `MailWitnessTest`
    MAIL_HEADERS_MISSING("mail-headers-missing"),
    /// RFC 8460 §5.3: the JSON stands in a part of type text. Witness: m30 in `MailWitnessTest`
    MAIL_IN_TEXT("mail-in-text"),
    /// RFC 5322 §2.1 ends lines in CRLF; LF alone does, too. Witness: m31 in `MailWitnessTest`
    MAIL_BARE_LF("mail-bare-lf"),
    /// RFC 2045 §6.8: characters in base64 that are none, or no padding. Witness: m33 in `MailWitnessTest`
    MAIL_BASE64("mail-base64");

    private final String word;

    Leniency(String word) {
        this.word = word;
    }

    public String word() {
        return word;
    }
}

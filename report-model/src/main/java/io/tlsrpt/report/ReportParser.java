package io.tlsrpt.report;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamContext;
import tools.jackson.core.json.JsonFactory;

/// One walk over one document, top down: each method of an object reads its members in any order and judges them at its
/// end. Members that nobody knows are skipped without being kept.
final class ReportParser {

    private static final long MAX_COUNT = (1L << 53) - 1;
    private static final int MAX_MEMBERS = 1_000;
    private static final int MAX_LIST_ELEMENTS = 500_000;
    private static final int MAX_SHOWN_NAME = 60;
    private static final int MAX_NUMBER_LENGTH = 64;

    private static final Set<String> POLICY_TYPES = Set.of("sts", "tlsa", "no-policy-found");
    private static final Pattern DIGITS = Pattern.compile("\\d{1,16}");
    private static final Pattern SEPARATORS = Pattern.compile("[,;\\s]+");

    private final JsonParser parser;
    private final JsonFactory factory;
    private final ReportReader.Limits limits;
    private final Set<Leniency> leniencies;
    private final List<Set<String>> membersByDepth = new ArrayList<>();
    private int details;
    private int listElements;

    ReportParser(JsonParser parser, JsonFactory factory, ReportReader.Limits limits, Set<Leniency> leniencies) {
        this.parser = parser;
        this.factory = factory;
        this.limits = limits;
        this.leniencies = leniencies;
    }

    /// Ends the walk from any depth; becomes a [Reading.Unreadable] before it leaves the reader.
    static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final RefusalReason reason;
        private final String detail;

        private Refusal(RefusalReason reason, String detail) {
            super(detail, null, false, false);
            this.reason = reason;
            this.detail = detail;
        }

        RefusalReason reason() {
            return reason;
        }

        String detail() {
            return detail;
        }
    }

    // ---------------------------------------------------------------- the report, from the outside in

    /// The whole document.
    ///
    /// @throws Refusal when it is no report that can be counted
    TlsReport report() {
        JsonToken first = advance();
        if (first != JsonToken.START_OBJECT) {
            skip();
            refuseTrailingContent();
            throw new Refusal(RefusalReason.NO_REPORT, "the document is " + kind(first) + ", not an object");
        }
        String organizationName = null;
        String contactInfo = null;
        String emailAddress = null;
        String reportId = null;
        DateRange dateRange = null;
        List<PolicyResult> policies = null;
        boolean anyKnown = false;
        for (String name = member(); name != null; name = member()) {
            boolean known = true;
            switch (name) {
                case "organization-name" -> organizationName = text();
                case "contact-info" -> contactInfo = text();
                case "email-address" -> emailAddress = placeholderText();
                case "report-id" -> reportId = text();
                case "date-range" -> dateRange = dateRange();
                case "policies" -> policies = policies();
                default -> {
                    known = false;
                    unknown();
                }
            }
            anyKnown |= known;
        }
        refuseTrailingContent();
        if (!anyKnown) {
            throw new Refusal(RefusalReason.NO_REPORT, "the document has no member of a TLS report");
        }
        if (dateRange == null) {
            throw new Refusal(RefusalReason.MISSING_DATE_RANGE, "date-range is missing");
        }
        if (policies == null) {
            throw new Refusal(RefusalReason.MISSING_POLICIES, "policies is missing");
        }
        if (policies.isEmpty()) {
            leniencies.add(Leniency.POLICIES_EMPTY);
        }
        contactInfo = contactInfo == null ? emailAddress : contactInfo;
        TlsReport report = new TlsReport(
                organizationName,
                contactInfo,
                reportId == null ? "" : reportId,
                dateRange,
                submitter(contactInfo, organizationName),
                policies);
        return reportId == null ? identifiedByContent(report) : report;
    }

    private TlsReport identifiedByContent(TlsReport report) {
        leniencies.add(Leniency.REPORT_ID_MISSING);
        return new TlsReport(
                report.organizationName(),
                report.contactInfo(),
                "sha256:" + ContentDigest.sha256(report),
                report.dateRange(),
                report.submitter(),
                report.policies());
    }

    /// The domain of the address, else the organization's name.
    private String submitter(@Nullable String contactInfo, @Nullable String organizationName) {
        if (organizationName == null) {
            leniencies.add(Leniency.ORGANIZATION_NAME_MISSING);
        }
        if (contactInfo == null) {
            leniencies.add(Leniency.CONTACT_INFO_MISSING);
        } else {
            String domain = addressDomain(contactInfo);
            if (domain != null) {
                return domain;
            }
            leniencies.add(Leniency.CONTACT_INFO_NO_ADDRESS);
        }
        if (organizationName == null) {
            throw new Refusal(
                    RefusalReason.NO_SUBMITTER, "neither contact-info nor organization-name says who reports");
        }
        return organizationName.strip().toLowerCase(Locale.ROOT);
    }

    /// The domain of `local@domain`, also in `Name <local@domain>`, `mailto:local@domain` and the first of several.
    private static @Nullable String addressDomain(String contactInfo) {
        int at = contactInfo.indexOf('@');
        if (at < 1) {
            return null;
        }
        int end = at + 1;
        while (end < contactInfo.length() && " \t\r\n,;>()?".indexOf(contactInfo.charAt(end)) < 0) {
            end++;
        }
        String domain = DomainName.canonical(contactInfo.substring(at + 1, end));
        return DomainName.isName(domain) ? domain : null;
    }

    private @Nullable DateRange dateRange() {
        if (!enterObject()) {
            return null;
        }
        Instant start = null;
        Instant end = null;
        for (String name = member(); name != null; name = member()) {
            switch (name) {
                case "start-datetime" -> start = date();
                case "end-datetime" -> end = date();
                default -> unknown();
            }
        }
        if (start == null || end == null) {
            String missing = start == null ? "start-datetime" : "end-datetime";
            throw new Refusal(RefusalReason.MISSING_DATE_RANGE, "date-range." + missing + " is missing");
        }
        return new DateRange(start, end);
    }

    private @Nullable Instant date() {
        boolean asNumber = parser.currentToken().isNumeric();
        String text = asNumber ? limited(parser.getString()) : text();
        if (text == null) {
            return null;
        }
        Instant instant = ReportDate.read(text, leniencies);
        if (instant == null) {
            throw new Refusal(RefusalReason.MISSING_DATE_RANGE, path() + " is no date-time (RFC 3339)");
        }
        return instant;
    }

    private @Nullable List<PolicyResult> policies() {
        List<PolicyResult> entries = new ArrayList<>();
        switch (parser.currentToken()) {
            case START_ARRAY -> {
                while (advance() != JsonToken.END_ARRAY) {
                    if (entries.size() == limits.maxPolicies()) {
                        throw new Refusal(RefusalReason.TOO_MANY_DETAILS, "over " + limits.maxPolicies() + " policies");
                    }
                    if (parser.currentToken() == JsonToken.VALUE_NULL) {
                        leniencies.add(Leniency.NULL_MEMBER);
                    } else {
                        entries.add(entry());
                    }
                }
            }
            case START_OBJECT -> {
                leniencies.add(Leniency.POLICIES_AS_OBJECT);
                entries.add(entry());
            }
            case VALUE_NULL -> {
                leniencies.add(Leniency.NULL_MEMBER);
                return null;
            }
            default ->
                throw new Refusal(
                        RefusalReason.MISSING_POLICIES,
                        "policies is " + kind(parser.currentToken()) + ", not an array");
        }
        return entries;
    }

    // ---------------------------------------------------------------- one element of policies

    private PolicyResult entry() {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw new Refusal(
                    RefusalReason.MISSING_POLICY_TYPE,
                    path() + " is " + kind(parser.currentToken()) + ", not an object");
        }
        TokenStreamContext place = parser.streamReadContext().getParent();
        Policy policy = null;
        Summary summary = null;
        List<Detail> raw = new ArrayList<>();
        for (String name = member(); name != null; name = member()) {
            switch (name) {
                case "policy" -> policy = policy();
                case "summary" -> summary = summary();
                case "failure-details" -> raw = failureDetails();
                default -> unknown();
            }
        }
        if (policy == null) {
            throw new Refusal(RefusalReason.MISSING_POLICY_TYPE, path(place) + ".policy is missing");
        }
        if (summary == null) {
            throw new Refusal(RefusalReason.MISSING_COUNT, path(place) + ".summary is missing");
        }
        return new PolicyResult(policy, summary.successful, summary.failed, judged(raw, summary.failed));
    }

    private List<FailureDetail> judged(List<Detail> raw, long failed) {
        if (raw.isEmpty()) {
            if (failed > 0) {
                leniencies.add(Leniency.FAILURES_UNEXPLAINED);
            }
            return List.of();
        }
        List<FailureDetail> judged = new ArrayList<>(raw.size());
        long sum = 0;
        for (Detail detail : raw) {
            judged.add(detail.withCount(raw.size() == 1 ? failed : 0));
            // Enough to know that it is over the total; a sum of many could overflow.
            sum = Math.min(sum + judged.getLast().failedSessionCount(), MAX_COUNT + 1);
        }
        if (sum > failed) {
            leniencies.add(Leniency.DETAILS_OVER_TOTAL);
        }
        return judged;
    }

    private @Nullable Policy policy() {
        if (!enterObject()) {
            return null;
        }
        TokenStreamContext place = parser.streamReadContext().getParent();
        String type = null;
        String domain = null;
        String placeholderDomain = null;
        Texts string = Texts.ABSENT;
        Texts mxHost = Texts.ABSENT;
        Texts placeholderMxHost = Texts.ABSENT;
        for (String name = member(); name != null; name = member()) {
            switch (name) {
                case "policy-type" -> type = text();
                case "policy-string" -> string = texts();
                case "policy-domain" -> domain = text();
                case "domain" -> placeholderDomain = placeholderText();
                case "mx-host" -> mxHost = texts();
                case "mx-host-pattern" -> placeholderMxHost = placeholderTexts();
                default -> unknown();
            }
        }
        if (type == null) {
            throw new Refusal(RefusalReason.MISSING_POLICY_TYPE, path(place) + ".policy-type is missing");
        }
        String policyType = policyType(type);
        return new Policy(
                policyType,
                policyString(policyType, string),
                policyDomain(domain == null ? placeholderDomain : domain),
                mxHosts(mxHost.elements.isEmpty() ? placeholderMxHost : mxHost));
    }

    private String policyType(String sent) {
        String type = sent.strip().toLowerCase(Locale.ROOT);
        if (!type.equals(sent)) {
            leniencies.add(Leniency.POLICY_TYPE_SPELLING);
        }
        if (!POLICY_TYPES.contains(type)) {
            leniencies.add(Leniency.POLICY_TYPE_UNKNOWN);
        }
        return type;
    }

    private @Nullable String policyDomain(@Nullable String sent) {
        if (sent == null) {
            leniencies.add(Leniency.POLICY_DOMAIN_MISSING);
            return null;
        }
        String domain = DomainName.canonical(sent);
        if (!DomainName.isName(domain)) {
            leniencies.add(Leniency.POLICY_DOMAIN_MALFORMED);
        } else if (!DomainName.isAscii(sent)) {
            leniencies.add(Leniency.POLICY_DOMAIN_UNICODE);
        }
        if (sent.strip().endsWith(".")) {
            leniencies.add(Leniency.POLICY_DOMAIN_TRAILING_DOT);
        }
        return domain;
    }

    private List<String> policyString(String policyType, Texts sent) {
        List<String> lines = new ArrayList<>();
        for (String text : sent.elements) {
            List<String> inner = encodedAgain(text);
            if (inner != null) {
                leniencies.add(Leniency.POLICY_STRING_DOUBLE_ENCODED);
                spend(inner.size());
                inner.forEach(line -> lines.add(DocumentText.wellFormed(line, leniencies)));
            } else if (sent.single) {
                leniencies.add(Leniency.POLICY_STRING_AS_TEXT);
                List<String> split = PolicyLines.split(policyType, text);
                spend(split.size());
                lines.addAll(split);
            } else {
                lines.add(text);
            }
        }
        return policyType.equals("tlsa") ? PolicyLines.tlsa(lines) : lines;
    }

    /// The strings of a JSON array that was encoded once more into a string; null when the text is none.
    private @Nullable List<String> encodedAgain(String text) {
        return text.stripLeading().startsWith("[") ? PolicyLines.decode(factory, text) : null;
    }

    private List<String> mxHosts(Texts sent) {
        List<String> patterns = new ArrayList<>();
        for (String text : sent.elements) {
            String pattern = text.strip();
            if (pattern.regionMatches(true, 0, "mx:", 0, 3)) {
                leniencies.add(Leniency.MX_HOST_AS_POLICY_LINE);
                pattern = pattern.substring(3).strip();
            }
            if (sent.single) {
                leniencies.add(Leniency.MX_HOST_AS_TEXT);
                for (String part : SEPARATORS.splitAsStream(pattern).toList()) {
                    spend(1);
                    patterns.add(DomainName.canonical(part));
                }
            } else {
                patterns.add(DomainName.canonical(pattern));
            }
        }
        patterns.removeIf(String::isEmpty);
        return patterns;
    }

    private record Summary(long successful, long failed) {}

    private @Nullable Summary summary() {
        if (!enterObject()) {
            return null;
        }
        TokenStreamContext place = parser.streamReadContext().getParent();
        long successful = -1;
        long failed = -1;
        for (String name = member(); name != null; name = member()) {
            switch (name) {
                case "total-successful-session-count" -> successful = count();
                case "total-failure-session-count" -> failed = count();
                default -> unknown();
            }
        }
        if (successful < 0 && failed < 0) {
            throw new Refusal(RefusalReason.MISSING_COUNT, path(place) + " has neither of its two counts");
        }
        if (successful < 0 || failed < 0) {
            leniencies.add(Leniency.SUMMARY_COUNT_MISSING);
        }
        return new Summary(Math.max(successful, 0), Math.max(failed, 0));
    }

    // ---------------------------------------------------------------- failure-details

    /// A detail whose count may still depend on the entry's total.
    private record Detail(FailureDetail read, boolean counted) {
        FailureDetail withCount(long stand) {
            return counted
                    ? read
                    : new FailureDetail(
                            read.resultType(),
                            read.sendingMtaIp(),
                            read.receivingMxHostname(),
                            read.receivingMxHelo(),
                            read.receivingIp(),
                            stand,
                            read.additionalInformation(),
                            read.failureReasonCode());
        }
    }

    private List<Detail> failureDetails() {
        List<Detail> read = new ArrayList<>();
        switch (parser.currentToken()) {
            case START_ARRAY -> {
                while (advance() != JsonToken.END_ARRAY) {
                    addDetail(read);
                }
            }
            case START_OBJECT -> {
                leniencies.add(Leniency.FAILURE_DETAILS_AS_OBJECT);
                addDetail(read);
            }
            default -> ignored();
        }
        return read;
    }

    private void addDetail(List<Detail> read) {
        if (++details > limits.maxDetails()) {
            throw new Refusal(
                    RefusalReason.TOO_MANY_DETAILS, "over " + limits.maxDetails() + " failure-details, at " + path());
        }
        if (enterObject()) {
            read.add(detail());
        }
    }

    private Detail detail() {
        String resultType = null;
        String sendingMtaIp = null;
        String mxHostname = null;
        String mxHelo = null;
        String receivingIp = null;
        long count = -1;
        String information = null;
        String placeholderInformation = null;
        String reasonCode = null;
        String draftReasonCode = null;
        for (String name = member(); name != null; name = member()) {
            switch (name) {
                case "result-type" -> resultType = text();
                case "sending-mta-ip" -> sendingMtaIp = ip();
                case "receiving-mx-hostname" -> mxHostname = text();
                case "receiving-mx-helo" -> mxHelo = text();
                case "receiving-ip" -> receivingIp = ip();
                case "failed-session-count" -> count = count();
                case "additional-information" -> information = text();
                case "additional-info-uri" -> placeholderInformation = placeholderText();
                case "failure-reason-code" -> reasonCode = text();
                case "failure-error-code" -> draftReasonCode = placeholderText();
                default -> unknown();
            }
        }
        if (sendingMtaIp == null || mxHostname == null) {
            leniencies.add(Leniency.FAILURE_WITHOUT_HOSTS);
        }
        if (count < 0) {
            leniencies.add(Leniency.FAILED_SESSION_COUNT_MISSING);
        }
        FailureDetail read = new FailureDetail(
                resultType(resultType),
                sendingMtaIp,
                mxHostname == null ? null : DomainName.canonical(mxHostname),
                mxHelo,
                receivingIp,
                Math.max(count, 0),
                information == null ? placeholderInformation : information,
                reasonCode == null ? draftReasonCode : reasonCode);
        return new Detail(read, count >= 0);
    }

    private ResultType resultType(@Nullable String sent) {
        if (sent == null) {
            leniencies.add(Leniency.RESULT_TYPE_MISSING);
            return ResultType.UNSPECIFIED;
        }
        ResultType exact = ResultType.of(sent);
        if (exact.registered()) {
            return exact;
        }
        ResultType folded = ResultType.of(sent.strip().toLowerCase(Locale.ROOT));
        leniencies.add(folded.registered() ? Leniency.RESULT_TYPE_SPELLING : Leniency.RESULT_TYPE_UNKNOWN);
        return folded.registered() ? folded : exact;
    }

    private @Nullable String ip() {
        String sent = text();
        if (sent == null) {
            return null;
        }
        String text = sent.strip();
        if (text.startsWith("[") && text.endsWith("]")) {
            leniencies.add(Leniency.IP_BRACKETED);
            text = text.substring(1, text.length() - 1).strip();
            text = text.regionMatches(true, 0, "ipv6:", 0, 5) ? text.substring(5) : text;
        }
        String address = IpAddress.canonical(text);
        if (address == null) {
            leniencies.add(Leniency.IP_NOT_AN_ADDRESS);
            return text.isEmpty() ? null : text;
        }
        return address;
    }

    // ---------------------------------------------------------------- values

    /// A string member; null when it is absent, `null`, blank or of a type that cannot be text.
    private @Nullable String text() {
        JsonToken token = parser.currentToken();
        if (token == JsonToken.VALUE_STRING) {
            String text = DocumentText.wellFormed(limited(parser.getString()), leniencies);
            if (text.isBlank()) {
                leniencies.add(Leniency.EMPTY_STRING);
                return null;
            }
            return text;
        }
        if (token == JsonToken.START_ARRAY) {
            return firstText();
        }
        if (token.isScalarValue() && token != JsonToken.VALUE_NULL) {
            leniencies.add(Leniency.TEXT_AS_NUMBER);
            return limited(parser.getString());
        }
        ignored();
        return null;
    }

    private @Nullable String firstText() {
        leniencies.add(Leniency.TEXT_AS_LIST);
        String first = null;
        while (advance() != JsonToken.END_ARRAY) {
            if (first == null && parser.currentToken() == JsonToken.VALUE_STRING) {
                first = text();
            } else {
                skip();
            }
        }
        return first;
    }

    /// A list of strings.
    ///
    /// @param single whether it was a bare string
    private record Texts(List<String> elements, boolean single) {
        static final Texts ABSENT = new Texts(List.of(), false);
    }

    private Texts texts() {
        return switch (parser.currentToken()) {
            case START_ARRAY -> new Texts(elements(), false);
            case VALUE_STRING -> {
                String text = text();
                yield text == null ? Texts.ABSENT : new Texts(List.of(text), true);
            }
            default -> {
                ignored();
                yield Texts.ABSENT;
            }
        };
    }

    private List<String> elements() {
        List<String> elements = new ArrayList<>();
        while (advance() != JsonToken.END_ARRAY) {
            spend(1);
            if (parser.currentToken().isStructStart()) {
                ignored();
            } else {
                String text = text();
                if (text != null) {
                    elements.add(text);
                }
            }
        }
        return elements;
    }

    private void spend(int elements) {
        listElements += elements;
        if (listElements > MAX_LIST_ELEMENTS) {
            throw new Refusal(RefusalReason.TOO_LARGE, "over " + MAX_LIST_ELEMENTS + " strings in lists, at " + path());
        }
    }

    private String limited(String text) {
        int limit = limits.maxStringBytes();
        if (text.length() * 3L > limit && text.getBytes(StandardCharsets.UTF_8).length > limit) {
            throw new Refusal(RefusalReason.TOO_LARGE, path() + " is over " + limit + " bytes");
        }
        return text;
    }

    /// A count of sessions; -1 when it is absent.
    private long count() {
        return switch (parser.currentToken()) {
            case VALUE_NUMBER_INT -> integer(parser.getString());
            case VALUE_NUMBER_FLOAT -> {
                leniencies.add(Leniency.COUNT_AS_FLOAT);
                yield integer(parser.getString());
            }
            case VALUE_STRING -> {
                String text = text();
                if (text == null) {
                    yield -1;
                }
                if (!DIGITS.matcher(text).matches()) {
                    throw invalidCount("a string that is no decimal integer");
                }
                leniencies.add(Leniency.COUNT_AS_TEXT);
                yield integer(text);
            }
            case VALUE_NULL -> {
                leniencies.add(Leniency.NULL_MEMBER);
                yield -1;
            }
            default -> throw invalidCount(kind(parser.currentToken()));
        };
    }

    /// @param number by the grammar of JSON, or digits
    private long integer(String number) {
        if (number.length() > MAX_NUMBER_LENGTH) {
            throw invalidCount("a number of " + number.length() + " digits");
        }
        long value;
        try {
            value = number.length() <= 18 && isDigits(number)
                    ? Long.parseLong(number)
                    : new BigDecimal(number).longValueExact();
        } catch (ArithmeticException | NumberFormatException fractionOrOverflow) {
            throw invalidCount(number);
        }
        if (value < 0 || value > MAX_COUNT) {
            throw invalidCount(number);
        }
        return value;
    }

    private static boolean isDigits(String number) {
        for (int at = 0; at < number.length(); at++) {
            if (number.charAt(at) < '0' || number.charAt(at) > '9') {
                return false;
            }
        }
        return true;
    }

    private Refusal invalidCount(String found) {
        return new Refusal(
                RefusalReason.INVALID_COUNT, path() + " is " + found + ", not an integer from 0 to " + MAX_COUNT);
    }

    private @Nullable String placeholderText() {
        leniencies.add(Leniency.PLACEHOLDER_NAME);
        return text();
    }

    private Texts placeholderTexts() {
        leniencies.add(Leniency.PLACEHOLDER_NAME);
        return texts();
    }

    // ---------------------------------------------------------------- tokens

    /// The next token, its depth within the limit.
    private JsonToken advance() {
        JsonToken token = parser.nextToken();
        if (token == null) {
            throw new Refusal(RefusalReason.TRUNCATED, "the JSON ends in the middle");
        }
        if (token.isStructStart()) {
            int depth = parser.streamReadContext().getNestingDepth();
            if (depth > limits.maxDepth()) {
                throw new Refusal(RefusalReason.TOO_DEEP, "nested over " + limits.maxDepth() + " deep, at " + path());
            }
            while (membersByDepth.size() <= depth) {
                membersByDepth.add(new HashSet<>());
            }
            membersByDepth.get(depth).clear();
        }
        return token;
    }

    /// Goes to the value of the object's next member.
    ///
    /// @return its name; null at the object's end
    private @Nullable String member() {
        String name = parser.nextName();
        if (name != null) {
            checkName(name);
            advance();
        }
        return name;
    }

    private void checkName(String name) {
        Set<String> members = membersByDepth.get(parser.streamReadContext().getNestingDepth());
        if (!members.add(name)) {
            throw new Refusal(RefusalReason.DUPLICATE_MEMBER, path() + " stands there twice");
        }
        if (members.size() > MAX_MEMBERS) {
            throw new Refusal(RefusalReason.TOO_LARGE, "over " + MAX_MEMBERS + " members in one object, at " + path());
        }
    }

    /// Whether the value is an object; if not, it is ignored.
    private boolean enterObject() {
        if (parser.currentToken() == JsonToken.START_OBJECT) {
            return true;
        }
        ignored();
        return false;
    }

    private void ignored() {
        leniencies.add(parser.currentToken() == JsonToken.VALUE_NULL ? Leniency.NULL_MEMBER : Leniency.TYPE_IGNORED);
        skip();
    }

    private void unknown() {
        leniencies.add(Leniency.UNKNOWN_MEMBER);
        skip();
    }

    /// Goes to the end of the value that stands here, checking names and depth on the way.
    private void skip() {
        int open = parser.currentToken().isStructStart() ? 1 : 0;
        while (open > 0) {
            JsonToken token = advance();
            if (token.isStructStart()) {
                open++;
            } else if (token.isStructEnd()) {
                open--;
            } else if (token == JsonToken.PROPERTY_NAME) {
                checkName(parser.currentName());
            }
        }
    }

    private void refuseTrailingContent() {
        JsonToken next;
        try {
            next = parser.nextToken();
        } catch (JacksonException malformed) {
            next = JsonToken.NOT_AVAILABLE;
        }
        if (next != null) {
            throw new Refusal(
                    RefusalReason.TRAILING_CONTENT,
                    "more follows the document at line "
                            + parser.currentLocation().getLineNr() + ", column "
                            + parser.currentLocation().getColumnNr());
        }
    }

    private String path() {
        return path(parser.streamReadContext());
    }

    /// Such as `policies[3].summary.total-failure-session-count`; `the document` at its root.
    static String path(TokenStreamContext place) {
        StringBuilder out = new StringBuilder();
        appendPath(out, place);
        return out.isEmpty() ? "the document" : out.toString();
    }

    private static void appendPath(StringBuilder out, TokenStreamContext place) {
        TokenStreamContext parent = place.getParent();
        if (parent != null) {
            appendPath(out, parent);
        }
        if (place.inArray() && place.hasCurrentIndex()) {
            out.append('[').append(place.getCurrentIndex()).append(']');
        } else if (place.inObject() && place.currentName() != null) {
            String name = place.currentName();
            out.append(out.isEmpty() ? "" : ".").append(name, 0, Math.min(name.length(), MAX_SHOWN_NAME));
        }
    }

    private static String kind(JsonToken token) {
        return switch (token) {
            case START_ARRAY -> "an array";
            case START_OBJECT -> "an object";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
            case VALUE_NULL -> "null";
            default -> "true or false";
        };
    }
}

package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReportReaderTest {

    private final ReportReader reader = new ReportReader(ReportReader.Limits.DEFAULT);

    @Test
    void aReportIsReadWhole() {
        TlsReport report = report(SampleReports.report()
                .policy("sts", "example.com", 50, 5)
                .mode("testing")
                .mxHost("*.example.com")
                .failure("certificate-expired", "MX1.Example.com.", 5)
                .policy("tlsa", "mx1.example.com", 7, 0)
                .json());

        assertThat(report.organizationName()).isEqualTo("Google Inc.");
        assertThat(report.contactInfo()).isEqualTo("smtp-tls-reporting@google.com");
        assertThat(report.submitter()).isEqualTo("google.com");
        assertThat(report.reportId()).isEqualTo("2026-11-20T00:00:00Z_example.com");
        assertThat(report.dateRange())
                .isEqualTo(new DateRange(Instant.parse("2026-11-20T00:00:00Z"), Instant.parse("2026-11-20T23:59:59Z")));
        assertThat(report.policyDomains()).containsExactly("example.com", "mx1.example.com");
        PolicyResult sts = report.policies().getFirst();
        assertThat(sts.policy().policyMode()).isEqualTo("testing");
        assertThat(sts.policy().mxHost()).containsExactly("*.example.com");
        assertThat(sts.totalSuccessfulSessionCount()).isEqualTo(50);
        assertThat(sts.totalFailureSessionCount()).isEqualTo(5);
        assertThat(sts.failureDetails())
                .containsExactly(new FailureDetail(
                        ResultType.CERTIFICATE_EXPIRED,
                        "192.0.2.25",
                        "mx1.example.com",
                        null,
                        "198.51.100.7",
                        5,
                        null,
                        null));
    }

    @Test
    void aCountWithAnExponentNoNumberHasIsRefused() {
        String json =
                SampleReports.report().policy("sts", "example.com", 12_345, 0).json();
        for (String count : List.of("901e4007199254740992", "\"9e99999999999\"", "1e400", "-1e2147483648")) {
            Reading reading = reader.read(json.replace("12345", count).getBytes(StandardCharsets.UTF_8));
            assertThat(reading)
                    .isInstanceOfSatisfying(
                            Reading.Unreadable.class,
                            unreadable -> assertThat(unreadable.reason()).isEqualTo(RefusalReason.INVALID_COUNT));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            tls@Mail.Example.ORG             | mail.example.org
            mailto:tls@example.org           | example.org
            TLS Team <tls@example.org>       | example.org
            tls@example.org, b@other.example | example.org
            "a b"@example.org.               | example.org
            tls@Häfen.example                | xn--hfen-loa.example
            tls@straße.example               | google inc.
            tls@[192.0.2.1]                  | google inc.
            tls@                             | google inc.
            @example.org                     | google inc.
            https://example.org/contact      | google inc.
            nobody                           | google inc.
            """)
    void theSubmitterIsTheDomainOfTheAddressOrElseTheOrganization(String contact, String submitter) {
        TlsReport report = report(SampleReports.report()
                .organization(" Google Inc. ")
                .contact(contact)
                .json());

        assertThat(report.submitter()).isEqualTo(submitter);
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "\"5\"", "5.0", "5e0", "0.5e1", "50E-1", "5.000000000000000000000"})
    void aCountOfFiveIsFiveHoweverItIsWritten(String count) {
        assertThat(report(withCount(count)).policies().getFirst().totalSuccessfulSessionCount())
                .isEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-1",
                "\"-1\"",
                "5.5",
                "\"5.0\"",
                "\"five\"",
                "\" 5\"",
                "\"0x5\"",
                "\"٥\"",
                "true",
                "{}",
                "[5]",
                "9007199254740992",
                "1e16",
                "1e999999999",
                "1e-999999999",
                "99999999999999999999999",
                "\"9007199254740993\""
            })
    void aCountThatIsNoExactIntegerIsRefused(String count) {
        Reading.Unreadable refused = refused(withCount(count));

        assertThat(refused.reason()).isEqualTo(RefusalReason.INVALID_COUNT);
        assertThat(refused.detail()).startsWith("policies[0].summary.total-successful-session-count is ");
    }

    @Test
    void aCountOfThousandsOfDigitsIsRefused() {
        assertThat(refused(withCount("9".repeat(5_000))).reason()).isEqualTo(RefusalReason.INVALID_COUNT);
        assertThat(refused(withCount("1." + "0".repeat(5_000))).reason()).isEqualTo(RefusalReason.INVALID_COUNT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "\"\"", "\"  \""})
    void nullAndBlankCountsAreAbsent(String count) {
        assertThat(report(withCount(count)).policies().getFirst().totalSuccessfulSessionCount())
                .isZero();
    }

    @Test
    void aPolicyAsOneStringGivesTheSameListAsTheArray() {
        List<String> lines = List.of("version: STSv1", "mode: enforce", "mx: mx1.example.com", "max_age: 86400");

        assertThat(policyString("sts", String.join("\\n", lines))).isEqualTo(lines);
        assertThat(policyString("sts", String.join("\\r\\n", lines) + "\\r\\n")).isEqualTo(lines);
        assertThat(policyString("sts", String.join("; ", lines))).isEqualTo(lines);
        assertThat(policyString("sts", "[\\\"" + String.join("\\\", \\\"", lines) + "\\\"]"))
                .isEqualTo(lines);
        assertThat(policyString("tlsa", "3 1 1 AB CD;3 1  2 EF\\n01;")).containsExactly("3 1 1 ABCD", "3 1 2 EF01");
        assertThat(policyString("tlsa", "[\\\"3 1 1 AB\\\"")).containsExactly("[\"3 1 1 AB\"");
    }

    @Test
    void anAliasDoesNotOverrideTheRealName() {
        String json = SampleReports.report()
                .json()
                .replace("\"policy-domain\":", "\"domain\":\"other.example\",\"policy-domain\":");

        assertThat(report(json).policyDomains()).containsExactly("example.com");
    }

    @Test
    void theSameNameIsRefusedTwiceInOneObjectAndReadInTwo() {
        assertThat(refused("{\"policies\":[],\"polici\\u0065s\":[]}").reason())
                .isEqualTo(RefusalReason.DUPLICATE_MEMBER);
        report(SampleReports.report()
                .policy("sts", "a.example", 1, 0)
                .policy("sts", "a.example", 1, 0)
                .json());
    }

    @Test
    void whatFollowsTheDocumentIsRefused() {
        String json = SampleReports.report().json();

        for (String tail : List.of("{}", "x", "]", "}", ",", "\0x", "\u00a0", "null")) {
            assertThat(refused(json + tail).reason()).isEqualTo(RefusalReason.TRAILING_CONTENT);
        }
    }

    @Test
    void everyPrefixOfAReportIsTruncated() {
        byte[] whole =
                SampleReports.report().policy("sts", "häfen.example", 1, 0).bytes();

        for (int length = 1; length < whole.length; length++) {
            Reading reading = reader.read(Arrays.copyOf(whole, length));
            assertThat(reading)
                    .isInstanceOfSatisfying(
                            Reading.Unreadable.class,
                            unreadable -> assertThat(unreadable.reason()).isEqualTo(RefusalReason.TRUNCATED));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-16LE", "UTF-16BE", "UTF-16", "UTF-32LE", "UTF-32BE"})
    void wideEncodingsAreRefused(String charset) {
        byte[] bytes = SampleReports.report().json().getBytes(Charset.forName(charset));

        assertThat(reader.read(bytes)).isInstanceOfSatisfying(Reading.Unreadable.class, unreadable -> {
            assertThat(unreadable.reason()).isEqualTo(RefusalReason.NOT_JSON);
            assertThat(unreadable.detail()).contains("UTF-16");
        });
    }

    @Test
    void bytesThatAreNoUtf8AreLatin1AndTheOthersStayWhatTheyAre() {
        byte[] bytes = SampleReports.report().organization("AXB häfen €").bytes();
        bytes[indexOf(bytes, 'X')] = (byte) 0xfc;

        assertThat(reader.read(bytes))
                .isInstanceOfSatisfying(
                        Reading.Read.class,
                        read -> assertThat(read.report().organizationName()).isEqualTo("AüB häfen €"));
    }

    @Test
    void lonelySurrogatesAndNoncharactersAreReplacedAndPairsKept() {
        String json =
                SampleReports.report().organization("A").json().replace("\"A\"", "\"\\ud83d\\ude00\\ude00\\uffff\"");

        assertThat(report(json).organizationName()).isEqualTo("😀��");
    }

    // ---------------------------------------------------------------- limits

    @Test
    void depthIsLimited() {
        String start = "{\"x\":";
        assertThat(refused(start + "[".repeat(31) + "]".repeat(31) + "}").reason())
                .isEqualTo(RefusalReason.NO_REPORT);
        assertThat(refused(start + "[".repeat(32) + "]".repeat(32) + "}").reason())
                .isEqualTo(RefusalReason.TOO_DEEP);
        assertThat(refused("[".repeat(10_000) + "]".repeat(10_000)).reason()).isEqualTo(RefusalReason.TOO_DEEP);
        assertThat(refused("{\"policies\":".repeat(10_000)).reason()).isEqualTo(RefusalReason.TOO_DEEP);
    }

    @Test
    void policiesAndDetailsAreLimited() {
        ReportReader small = new ReportReader(new ReportReader.Limits(32, 2, 3, 100));
        SampleReports two = SampleReports.report()
                .policy("sts", "a.example", 1, 1)
                .failure("certificate-expired", null, 1)
                .failure("certificate-expired", null, 1)
                .policy("sts", "b.example", 1, 1)
                .failure("certificate-expired", null, 1);

        assertThat(small.read(two.bytes())).isInstanceOf(Reading.Read.class);
        assertThat(reason(small.read(two.failure("certificate-expired", null, 1).bytes())))
                .isEqualTo(RefusalReason.TOO_MANY_DETAILS);
        assertThat(reason(small.read(SampleReports.report()
                        .policy("sts", "a.example", 1, 1)
                        .policy("sts", "a.example", 1, 1)
                        .policy("sts", "a.example", 1, 1)
                        .bytes())))
                .isEqualTo(RefusalReason.TOO_MANY_DETAILS);
    }

    @Test
    void aMillionDetailsAreRefused() {
        StringBuilder json = new StringBuilder("{\"policies\":[{\"failure-details\":[{}");
        json.append(",{}".repeat(999_999)).append("]}]}");

        assertThat(refused(json.toString()).reason()).isEqualTo(RefusalReason.TOO_MANY_DETAILS);
    }

    @Test
    void stringsAreLimitedInBytes() {
        int limit = ReportReader.Limits.DEFAULT.maxStringBytes();

        report(SampleReports.report().id("x".repeat(limit)).json());
        assertThat(refused(SampleReports.report().id("x".repeat(limit + 1)).json())
                        .reason())
                .isEqualTo(RefusalReason.TOO_LARGE);
        Reading.Unreadable umlauts =
                refused(SampleReports.report().id("ü".repeat(limit / 2 + 1)).json());
        assertThat(umlauts.reason()).isEqualTo(RefusalReason.TOO_LARGE);
        assertThat(umlauts.detail()).contains("report-id");
        assertThat(refused("{\"" + "n".repeat(limit + 1) + "\":1}").reason()).isEqualTo(RefusalReason.TOO_LARGE);
    }

    @Test
    void membersOfOneObjectAreLimited() {
        StringBuilder json = new StringBuilder("{\"x\":{\"m0\":0");
        for (int member = 1; member <= 1_000; member++) {
            json.append(",\"m").append(member).append("\":0");
        }

        assertThat(refused(json.append("}}").toString()).reason()).isEqualTo(RefusalReason.TOO_LARGE);
    }

    @Test
    void stringsInListsAreLimited() {
        String patterns = "\"a\",".repeat(500_000) + "\"a\"";
        String json = SampleReports.report().json().replace("[\"mx1.example.com\"]", "[" + patterns + "]");

        assertThat(refused(json).reason()).isEqualTo(RefusalReason.TOO_LARGE);
    }

    @Test
    void theDetailOfARefusalIsShortAndPrintable() {
        Reading.Unreadable refused =
                refused("{\"" + "\\u202e\\n\\u001b".repeat(200) + "\":{\"a\":1,\"" + "a" + "\":2}}");

        assertThat(refused.reason()).isEqualTo(RefusalReason.DUPLICATE_MEMBER);
        assertThat(refused.detail()).hasSizeLessThanOrEqualTo(500).matches("[ -~]*");
    }

    private static String withCount(String count) {
        return SampleReports.report().json().replace("session-count\":100", "session-count\":" + count);
    }

    private List<String> policyString(String type, String escaped) {
        String json = "{\"organization-name\":\"a\",\"report-id\":\"1\",\"date-range\":{\"start-datetime\":"
                + "\"2026-11-20T00:00:00Z\",\"end-datetime\":\"2026-11-20T23:59:59Z\"},\"policies\":[{\"policy\":"
                + "{\"policy-string\":\"" + escaped + "\",\"policy-type\":\"" + type + "\"},"
                + "\"summary\":{\"total-successful-session-count\":1,\"total-failure-session-count\":0}}]}";
        return report(json).policies().getFirst().policy().policyString();
    }

    private TlsReport report(String json) {
        Reading reading = reader.read(json.getBytes(StandardCharsets.UTF_8));
        assertThat(reading).isInstanceOf(Reading.Read.class);
        return ((Reading.Read) reading).report();
    }

    private Reading.Unreadable refused(String json) {
        Reading reading = reader.read(json.getBytes(StandardCharsets.UTF_8));
        assertThat(reading).isInstanceOf(Reading.Unreadable.class);
        return (Reading.Unreadable) Objects.requireNonNull(reading);
    }

    private static RefusalReason reason(Reading reading) {
        assertThat(reading).isInstanceOf(Reading.Unreadable.class);
        return ((Reading.Unreadable) reading).reason();
    }

    private static int indexOf(byte[] bytes, char wanted) {
        for (int at = 0; at < bytes.length; at++) {
            if (bytes[at] == wanted) {
                return at;
            }
        }
        throw new AssertionError("no " + wanted);
    }
}

package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How each known deviation is judged: one witness file, one row. Counts are `successful/failed[each detail]` per
/// entry.
class WitnessTest {

    private static final String ROWS = """
            q00-baseline.json                    | read                                             | 420/7[4,3]
            q01-date-no-zone.json                | date-without-zone                                | 420/7[4,3]
            q02-mx-host-text.json                | mx-host-as-text                                  | 420/7[4,3]
            q03-contact-info-null.json           | contact-info-missing null-member                 | 420/7[4,3]
            q04-contact-info-missing.json        | contact-info-missing                             | 420/7[4,3]
            q05-policy-domain-missing.json       | policy-domain-missing                            | 420/7[4,3]
            q06-failure-without-hosts.json       | failure-without-hosts                            | 0/3[3]
            q07-summary-only-success.json        | summary-count-missing                            | 420/0[]
            q07-summary-without-counts.json      | refused missing-count policies[0].summary        |
            q08-summary-only-failure.json        | summary-count-missing                            | 0/7[4,3]
            q09-null-members.json                | failure-without-hosts null-member                | 420/7[7]
            q10-empty-strings.json               | empty-string failure-without-hosts               | 420/7[7]
            q11-policy-string-empty.json         | empty-string                                     | 420/7[4,3]
            q12-policy-string-text.json          | policy-string-as-text                            | 420/7[4,3]
            q12-tlsa-text.json                   | policy-string-as-text                            | 420/7[4,3]
            q13-tlsa-double-encoded.json         | policy-string-double-encoded                     | 420/7[4,3]
            q14-result-type-unknown.json         | result-type-unknown                              | 420/7[4,3]
            q15-policy-type-unknown.json         | policy-type-unknown                              | 420/7[4,3]
            q16-policy-type-case.json            | policy-type-spelling                             | 420/7[4,3]
            q17-count-text.json                  | count-as-text                                    | 420/7[4,3]
            q18-count-float.json                 | count-as-float                                   | 420/7[4,3]
            q18-count-fraction.json              | refused invalid-count policies[0].summary.total-successful-session-count |
            q19-failure-details-null.json        | null-member                                      | 420/0[]
            q20-policies-empty.json              | policies-empty                                   |
            q21-date-range-missing.json          | refused missing-date-range date-range            |
            q22-date-epoch.json                  | date-as-epoch                                    | 420/7[4,3]
            q23-date-spelling.json               | date-spelling                                    | 420/7[4,3]
            q24-bom.json                         | byte-order-mark                                  | 420/7[4,3]
            q25-trailing-nul.json                | trailing-nul                                     | 420/7[4,3]
            q26-trailing-object.json             | refused trailing-content at line                 |
            q27-latin1-bytes.json                | latin1-bytes                                     | 420/7[4,3]
            q28-ip-not-an-ip.json                | ip-not-an-address                                | 420/7[4,3]
            q29-ip-bracketed.json                | ip-bracketed                                     | 420/7[4,3]
            q30-count-over-u32.json              | read                                             | 9007199254740991/7[4,3]
            q30-count-not-exact.json             | refused invalid-count 9007199254740992           |
            q31-report-id-number.json            | text-as-number                                   | 420/7[4,3]
            q32-failure-details-object.json      | failure-details-as-object                        | 420/7[4]
            q33-extra-fields.json                | unknown-member                                   | 420/7[4,3]
            q34-failure-details-missing.json     | failures-unexplained                             | 420/7[]
            q35-report-id-missing.json           | report-id-missing                                | 420/7[4,3]
            q36-organization-name-missing.json   | organization-name-missing                        | 420/7[4,3]
            q36-no-submitter.json                | refused no-submitter contact-info                |
            q37-details-over-total.json          | details-over-total                               | 420/4[4,3]
            q38-negative-count.json              | refused invalid-count policies[0].summary.total-failure-session-count is -7 |
            q39-failed-count-missing.json        | failed-session-count-missing                     | 420/7[0,3]
            q39-only-failed-count-missing.json   | failed-session-count-missing                     | 420/7[7]
            q40-contact-info-list.json           | text-as-list                                     | 420/7[4,3]
            contact-info-no-address.json         | contact-info-no-address                          | 420/7[4,3]
            mx-host-policy-line.json             | mx-host-as-policy-line                           | 420/7[4,3]
            placeholder-names.json               | placeholder-name                                 | 420/7[4,3]
            policies-object.json                 | policies-as-object                               | 420/7[4,3]
            policy-domain-malformed.json         | policy-domain-malformed                          | 420/7[4,3]
            policy-domain-spelling.json          | policy-domain-trailing-dot                       | 420/7[4,3]
            policy-domain-unicode.json           | policy-domain-unicode                            | 420/7[4,3]
            result-type-case.json                | result-type-spelling                             | 420/7[4,3]
            result-type-missing.json             | result-type-missing                              | 420/7[4,3]
            text-invalid-character.json          | invalid-character                                | 420/7[4,3]
            three-policies-two-domains.json      | read                                             | 2/0[] 2/1[1] 9/0[]
            wrong-types.json                     | organization-name-missing type-ignored           | 420/7[4]
            refused-array.json                   | refused no-report an array                       |
            refused-count-text.json              | refused invalid-count policies[0].summary.total-failure-session-count |
            refused-count-type.json              | refused invalid-count an array                   |
            refused-date-unreadable.json         | refused missing-date-range date-range.end-datetime |
            refused-duplicate-inside-unknown.json | refused duplicate-member x[0].deep.a            |
            refused-duplicate-member.json        | refused duplicate-member report-id               |
            refused-empty.json                   | refused empty the document is empty              |
            refused-end-missing.json             | refused missing-date-range date-range.end-datetime |
            refused-not-json.json                | refused not-json line 1, column                  |
            refused-other-json.json              | refused no-report no member of a TLS report      |
            refused-policies-missing.json        | refused missing-policies policies                |
            refused-policy-type-missing.json     | refused missing-policy-type policies[0].policy.policy-type |
            refused-summary-missing.json         | refused missing-count policies[0].summary        |
            refused-too-deep.json                | refused too-deep over 32 deep                    |
            refused-truncated.json               | refused truncated policies[0].failure-details[0] |
            refused-utf16.json                   | refused not-json UTF-16                          |
            """;

    private final ReportReader reader = new ReportReader(ReportReader.Limits.DEFAULT);

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(textBlock = ROWS, delimiter = '|', nullValues = "", emptyValue = "")
    void everyDeviationIsJudgedAsItsRowSays(String file, String verdict, String counts) {
        Reading reading = reader.read(WitnessFiles.bytes(file));

        String[] refusal = verdict.split(" ", 3);
        if (refusal[0].equals("refused")) {
            assertThat(reading).isInstanceOfSatisfying(Reading.Unreadable.class, unreadable -> {
                assertThat(unreadable.reason().word()).isEqualTo(refusal[1]);
                assertThat(unreadable.detail()).contains(refusal[2]);
            });
        } else {
            assertThat(reading).isInstanceOfSatisfying(Reading.Read.class, read -> {
                assertThat(names(read.leniencies())).isEqualTo(verdict);
                assertThat(counts(read.report())).isEqualTo(counts == null ? "" : counts);
            });
        }
    }

    @Test
    void everyWitnessFileHasARowAndEveryRowAFile() {
        assertThat(ROWS.lines().map(row -> row.substring(0, row.indexOf(' '))))
                .containsExactlyInAnyOrderElementsOf(WitnessFiles.names());
    }

    @Test
    void everyLeniencyOfADocumentHasAWitness() {
        Set<Leniency> witnessed = WitnessFiles.names().stream()
                .map(name -> reader.read(WitnessFiles.bytes(name)))
                .filter(Reading.Read.class::isInstance)
                .flatMap(reading -> ((Reading.Read) reading).leniencies().stream())
                .collect(Collectors.toSet());

        assertThat(Arrays.stream(Leniency.values())
                        .filter(leniency -> !leniency.word().startsWith("gzip")
                                && !leniency.word().startsWith("mail-")))
                .containsExactlyInAnyOrderElementsOf(witnessed);
    }

    private static String names(Set<Leniency> leniencies) {
        return leniencies.isEmpty()
                ? "read"
                : String.join(
                        " ", leniencies.stream().map(Leniency::word).collect(Collectors.toCollection(TreeSet::new)));
    }

    private static String counts(TlsReport report) {
        return report.policies().stream()
                .map(entry -> entry.totalSuccessfulSessionCount() + "/" + entry.totalFailureSessionCount()
                        + entry.failureDetails().stream()
                                .map(detail -> String.valueOf(detail.failedSessionCount()))
                                .collect(Collectors.joining(",", "[", "]")))
                .collect(Collectors.joining(" "));
    }
}

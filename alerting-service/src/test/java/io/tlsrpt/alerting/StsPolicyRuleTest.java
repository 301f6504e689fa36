package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StsPolicyRuleTest {

    /// The whole truth table. Days stand newest first, divided by `;`; each reporter as `name=failed/sessions`.
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "google one fetch error, fetch-error, google=1/40, record",
        "google on two days, fetch-error, google=1/40;google=3/30, WARNING again",
        "google and microsoft on the same day, fetch-error, google=1/40 microsoft=3/3, WARNING reporters",
        "three reporters on two days, fetch-error, a=1/4 b=1/4 c=1/4;a=1/4 b=2/4 c=4/4, CRITICAL reporters",
        "three reporters on two days that are not the same, fetch-error, a=1/4 b=1/4 c=1/4;d=1/4 e=2/4 f=4/4,"
                + " CRITICAL reporters",
        "three reporters on one day, fetch-error, a=1/4 b=1/4 c=1/4, WARNING reporters",
        "three reporters and two the day before, fetch-error, a=1/4 b=1/4 c=1/4;a=1/4 b=1/4 c=0/4, WARNING reporters",
        "three reporters with a day between, fetch-error, a=1/4 b=1/4 c=1/4;a=0/4;a=1/4 b=1/4 c=1/4, WARNING reporters",
        "google with a clean day between, fetch-error, google=1/40;google=0/40;google=1/40, record",
        "google with a day between of which it did not write, fetch-error, google=1/40;microsoft=0/9;google=1/40,"
                + " WARNING again",
        "another reporter on the second day, fetch-error, google=1/40 microsoft=0/9;google=0/40 microsoft=1/9, record",
        "an invalid policy on one day, invalid, google=1/40, record",
        "an invalid policy seen by another on the second day, invalid, google=1/40 microsoft=0/9;microsoft=1/9,"
                + " WARNING days",
        "an invalid policy two days ago, invalid, google=1/40;google=0/40;google=1/40, WARNING days",
        "an invalid policy three days ago, invalid, google=1/40;google=0/40;google=0/40;google=1/40, record",
        "an invalid policy at two reporters, invalid, google=1/40 microsoft=1/9, WARNING reporters",
        "an untrusted policy host at two reporters, webpki, google=1/40 microsoft=1/9, CRITICAL reporters",
        "an untrusted policy host at one reporter, webpki, google=9/40, record",
        "an untrusted policy host at one reporter on two days, webpki, google=9/40;google=9/40, WARNING again",
        "nothing, fetch-error, google=0/40, record",
        "nothing today, fetch-error, google=0/40;google=1/40 microsoft=1/3, record",
    })
    void theTruthTable(String scenario, String type, String days, String expected) {
        String word = switch (type) {
            case "invalid" -> "sts-policy-invalid";
            case "webpki" -> "sts-webpki-invalid";
            default -> "sts-policy-fetch-error";
        };
        List<Tally> tallies = new ArrayList<>();
        for (String day : days.split(";", -1)) {
            tallies.add(tally(day));
        }
        assertThat(CertificateRuleTest.verdict(StsPolicyRule.judge(word, tallies, Checks.silent())))
                .as(scenario)
                .isEqualTo(expected);
    }

    private static Tally tally(String text) {
        List<Tally.Reporter> reporters = new ArrayList<>();
        for (String part : text.split(" ", -1)) {
            List<String> words = List.of(part.split("[=/]", -1));
            reporters.add(new Tally.Reporter(
                    words.getFirst(), true, Long.parseLong(words.get(1)), Long.parseLong(words.getLast())));
        }
        long failed = reporters.stream().mapToLong(Tally.Reporter::failed).sum();
        return new Tally(
                failed,
                reporters.stream().mapToLong(Tally.Reporter::sessions).sum(),
                failed > 0 ? 1 : 0,
                false,
                reporters);
    }
}

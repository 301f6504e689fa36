package io.tlsrpt.inspection;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Rows Q06 and Q12 to Q16 of the rules for policies (RFC 8461 §3.2).
class MtaStsPolicyTest {

    private static final String HEAD = "version: STSv1\nmode: enforce\n";
    private static final String GOOD = HEAD + "mx: mx.example.com\nmax_age: 604800\n";

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void aPolicyIsJudgedAsItsRowSays(String row, String text, String expected) {
        String judged = switch (MtaStsPolicy.of(text.getBytes(UTF_8))) {
            case MtaStsPolicy.Reading.Valid valid ->
                "valid " + valid.policy().mode() + " " + valid.policy().maxAge() + " "
                        + valid.policy().mx() + " " + valid.policy().warnings();
            case MtaStsPolicy.Reading.Invalid invalid -> "invalid " + invalid.why();
        };
        assertThat(judged).startsWith(expected);
    }

    static Stream<Arguments> rows() {
        String valid = "valid enforce 604800 [mx.example.com] []";
        return Stream.of(
                row("Q12 lines end with LF", GOOD, valid),
                row("Q12 lines end with CRLF", GOOD.replace("\n", "\r\n"), valid),
                row("Q12 mixed", GOOD.replaceFirst("\n", "\r\n"), valid),
                row("Q12 no end of the last line", GOOD.strip(), valid),
                row("Q12 a lone CR ends none", GOOD.replace('\n', '\r'), "invalid not a line"),
                row("Q13 no blank after the colon", GOOD.replace(": ", ":"), valid),
                row("Q13 blanks and tabs after it", GOOD.replace(": ", ": \t "), valid),
                row("Q13 blanks at the end", GOOD.replace("\n", " \t\n"), valid),
                row("Q13 a blank before the colon", GOOD.replace("mode:", "mode :"), "invalid not a line"),
                row("Q13 keys are case-sensitive", GOOD.replace("mode", "Mode"), "invalid mode: is missing"),
                row("Q13 values too", GOOD.replace("enforce", "Enforce"), "invalid mode: must be"),
                row(
                        "Q13 a blank line is against the grammar",
                        GOOD + "\n",
                        "valid enforce 604800 [mx.example.com] [BLANK_LINE]"),
                row("Q13 any order", "max_age: 604800\nmx: mx.example.com\nmode: enforce\nversion: STSv1\n", valid),
                row("Q13 a blank before a key", " " + GOOD, "invalid not a line"),
                row("Q13 another version", GOOD.replace("STSv1", "STSv2"), "invalid version"),
                row("Q13 no version", GOOD.replace("version: STSv1\n", ""), "invalid version: is missing"),
                row("Q13 mode testing", GOOD.replace("enforce", "testing"), "valid testing"),
                row("Q14 the longest", GOOD.replace("604800", "31557600"), "valid enforce 31557600"),
                row("Q14 longer", GOOD.replace("604800", "31557601"), "invalid max_age"),
                row("Q14 ten digits", GOOD.replace("604800", "9999999999"), "invalid max_age"),
                row("Q14 eleven digits", GOOD.replace("604800", "00000604800"), "invalid max_age"),
                row("Q14 zero", GOOD.replace("604800", "0"), "valid enforce 0"),
                row("Q14 negative", GOOD.replace("604800", "-1"), "invalid max_age"),
                row("Q14 a fraction", GOOD.replace("604800", "1.5"), "invalid max_age"),
                row("Q14 empty", GOOD.replace("604800", ""), "invalid max_age"),
                row("Q14 missing", GOOD.replace("max_age: 604800\n", ""), "invalid max_age: is missing"),
                row("Q15 no mx", HEAD + "max_age: 1", "invalid mx: is missing"),
                row("Q15 no mx with mode none", "version: STSv1\nmode: none\nmax_age: 86400", "valid none 86400 []"),
                row("Q15 a U-label", GOOD.replace("mx.example", "mx.exämple"), "invalid mx"),
                row("Q15 two on a line", GOOD.replace("mx.example.com", "a.example, b.example"), "invalid mx"),
                row("Q15 upper case", GOOD.replace("mx.example", "MX.Example"), valid),
                row(
                        "Q15 a final dot",
                        GOOD.replace("example.com", "example.com."),
                        "valid enforce 604800 [mx.example.com] [FINAL_DOT]"),
                row("Q15 an address", GOOD.replace("mx.example.com", "[192.0.2.1]"), "invalid mx"),
                row("Q16 a wildcard inside", GOOD.replace("mx.example", "mx.*.example"), "invalid mx"),
                row("Q16 half a wildcard", GOOD.replace("mx.example", "m*.example"), "invalid mx"),
                row("Q16 a wildcard alone", GOOD.replace("mx.example.com", "*"), "invalid mx"),
                row("Q16 a wildcard", GOOD.replace("mx.example", "*.example"), "valid enforce 604800 [*.example.com]"),
                row("Q06 unknown keys are ignored", GOOD + "future: ünknown value\n", valid),
                row(
                        "Q06 of two modes the first counts",
                        GOOD + "mode: none\n",
                        "valid enforce 604800 [mx.example.com] [REPEATED_FIELD]"),
                row(
                        "several mx keep their order",
                        GOOD + "mx: b.example\nmx: a.example\n",
                        "valid enforce 604800 [mx.example.com, b.example, a.example]"),
                row("an HTML page", "<!DOCTYPE html>\n<html></html>", "invalid not a line"),
                row("nothing", "", "invalid version: is missing"),
                row("a control character", GOOD + "x: a\u0007b\n", "invalid not a line"));
    }

    @Test
    void aBodyThatIsNotUtf8IsInvalid() {
        assertThat(MtaStsPolicy.of((GOOD + "x: ü").getBytes(ISO_8859_1)))
                .isEqualTo(new MtaStsPolicy.Reading.Invalid("not UTF-8"));
    }

    @ParameterizedTest(name = "Q16 {0} {1}: {2}")
    @CsvSource({
        "*.example.com, mail.example.com, true",
        "*.example.com, example.com, false",
        "*.example.com, a.b.example.com, false",
        "mail.example.com, mail.example.com, true",
        "mail.example.com, mail2.example.com, false",
        "*.example.com, .example.com, false",
        "*.com, example.com, true"
    })
    void aPatternCoversOneLabel(String pattern, String host, boolean covered) {
        assertThat(MtaStsPolicy.matches(pattern, host)).isEqualTo(covered);
    }

    private static Arguments row(String name, String text, String expected) {
        return Arguments.arguments(name, text, expected);
    }
}

package io.tlsrpt.inspection;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Rows Q01 to Q06 of the rules for records (RFC 8461 §3.1).
class MtaStsRecordTest {

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void aRecordIsJudgedAsItsRowSays(String row, List<String> texts, String expected) {
        String judged = switch (read(texts)) {
            case MtaStsRecord.Published.Valid valid -> valid.id();
            case MtaStsRecord.Published.Missing missing -> "missing";
            case MtaStsRecord.Published.Invalid invalid -> "invalid: " + invalid.why();
        };
        assertThat(judged).startsWith(expected);
    }

    static Stream<Arguments> rows() {
        return Stream.of(
                row("Q01 a plain record", "20261122", "v=STSv1; id=20261122;"),
                row("Q01 without final semicolon", "a1", "v=STSv1;id=a1"),
                row("Q01 the version is case-sensitive", "missing", "v=stsv1; id=1"),
                row("Q01 the version comes first", "missing", "id=1; v=STSv1"),
                row("Q01 nothing stands before it", "missing", " v=STSv1; id=1"),
                row("Q01 another version", "missing", "v=STSv12; id=1"),
                row("Q01 no record", "missing"),
                row("Q02 two records", "invalid: several", "v=STSv1; id=1", "v=STSv1; id=2"),
                row("Q02 a foreign record beside it", "1", "google-site-verification=x", "v=STSv1; id=1"),
                row("Q02 foreign records only", "missing", "v=spf1 -all", "x"),
                row("Q02 a lone record may have blanks before the semicolon", "1", "v=STSv1 ; id=1"),
                row("Q02 one of several may not", "missing", "v=STSv1 ; id=1", "x"),
                row("Q03 32 characters", "a".repeat(32), "v=STSv1; id=" + "a".repeat(32)),
                row("Q03 33 characters", "invalid: an id is", "v=STSv1; id=" + "a".repeat(33)),
                row("Q03 a hyphen", "invalid: an id is", "v=STSv1; id=2026-11-22"),
                row("Q03 empty", "invalid: an id is", "v=STSv1; id="),
                row("Q03 missing", "invalid: id= is missing", "v=STSv1;"),
                row("Q03 missing, nothing at all", "invalid: id= is missing", "v=STSv1"),
                row("Q03 the key is case-sensitive", "invalid: id= is missing", "v=STSv1; ID=1"),
                row("Q06 unknown fields are ignored", "1", "v=STSv1; foo=bar; id=1; b.a_r-1=x"),
                row("Q06 of two ids the first counts", "1", "v=STSv1; id=1; id=2"),
                row("Q06 an empty field", "invalid: there is nothing", "v=STSv1;; id=1"),
                row("Q06 no field at all", "invalid: not a field", "v=STSv1; id=1; hello"),
                row("Q06 a blank at the equals sign", "invalid: not a field", "v=STSv1; id =1"));
    }

    @Test
    void q05TheNameIsThatOfTheDomainItself() {
        assertThat(MtaStsRecord.name("sub.example.com")).isEqualTo("_mta-sts.sub.example.com");
    }

    private static MtaStsRecord.Published read(List<String> texts) {
        return MtaStsRecord.of(
                texts.stream().map(text -> text.getBytes(ISO_8859_1)).toList());
    }

    private static Arguments row(String name, String expected, String... texts) {
        return arguments(name, Arrays.asList(texts), expected);
    }
}

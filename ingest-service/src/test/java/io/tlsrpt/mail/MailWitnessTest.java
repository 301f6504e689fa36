package io.tlsrpt.mail;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.report.Inflation;
import io.tlsrpt.report.Leniency;
import io.tlsrpt.report.Reading;
import io.tlsrpt.report.ReportReader;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How each known deviation of a mail is judged: one mail of [WitnessMails], one row. The verdict has a word for each
/// document: `read`, or the reason it is refused for; of a mail without any, `none` and the reason.
class MailWitnessTest {

    private static final String ROWS = """
            m00                      | read           |
            m01                      | read           | mail-not-multipart-report
            m02                      | read           | mail-report-type
            m02-other-type           | read           | mail-report-type
            m03                      | read           | mail-media-type
            m04                      | read           | mail-media-type
            m05                      | read           | mail-media-type
            m06                      | read           |
            m07                      | read           |
            m08                      | read           | mail-media-type
            m09                      | read           | mail-zip
            m09-zip-in-zip           | read           | mail-zip
            m10                      | read           | mail-gzip-label
            m11                      | read           | mail-gzip-label
            m12                      | read           | gzip-twice
            m12-octet-stream         | read           | gzip-twice mail-media-type
            m13                      | read           | mail-not-multipart-report
            m14                      | read           |
            m15                      | read           |
            m16                      | read           |
            m17                      | read           |
            m18                      | read           |
            m19                      | read           | mail-forwarded
            m19-base64               | read           | mail-forwarded
            m19-global               | read           | mail-forwarded
            m19-returned             | read           | mail-forwarded mail-returned
            m19-replied              | read           | mail-headers-missing mail-not-multipart-report mail-returned
            m20                      | read           | mail-nested
            m21                      | read           | gzip-trailing-bytes
            m22                      | read read      | mail-several-reports
            m22-other-type           | read read      | mail-media-type mail-several-reports
            m23                      | read           | mail-media-type
            m24                      | read           |
            m25                      | truncated      |
            m25-octet-stream         | truncated      | mail-media-type
            m26                      | too-large      |
            m27                      | read           | mail-media-type
            m28                      | read           |
            m29                      | read           | mail-headers-missing
            m30                      | read           | mail-in-text mail-not-multipart-report
            m31                      | read           | mail-bare-lf
            m32-boundary-missing     | read           |
            m33                      | read           | mail-base64
            m33-no-padding           | read           | mail-base64
            m34-footer-in-base64     | read           | mail-base64 mail-not-multipart-report
            m35-empty-attachment     | empty          | mail-gzip-label
            m36-prose                | none no-report |
            m36-json-prose           | none no-report |
            m37-dmarc                | none no-report |
            m37-dmarc-zip            | none no-report |
            m38-picture              | none no-report |
            m39-empty                | none empty     |
            m39-no-head              | none no-report |
            m40-digest               | read           | mail-forwarded
            m41-damaged-gzip-by-name | not-json       | mail-media-type mail-not-multipart-report
            m42-comment-in-type      | read           |
            """;

    private final ReportReader reader = new ReportReader(ReportReader.Limits.DEFAULT);

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(textBlock = ROWS, delimiter = '|', nullValues = "", emptyValue = "")
    void everyDeviationIsJudgedAsItsRowSays(String name, String verdict, String leniencies) {
        ReportMail mail = read(name);

        Set<Leniency> seen = EnumSet.noneOf(Leniency.class);
        String judged = mail.documents().isEmpty()
                ? "none " + mail.refusal().orElseThrow().reason().word()
                : mail.documents().stream()
                        .map(document -> verdict(document, seen))
                        .collect(Collectors.joining(" "));
        assertThat(judged).isEqualTo(verdict);
        assertThat(words(seen)).isEqualTo(Objects.requireNonNullElse(leniencies, ""));
    }

    @Test
    void everyWitnessHasARowAndEveryRowAWitness() {
        assertThat(ROWS.lines().map(row -> row.substring(0, row.indexOf(' '))))
                .containsExactlyInAnyOrderElementsOf(WitnessMails.ALL.keySet());
    }

    @Test
    void everyLeniencyOfAMailHasAWitness() {
        Set<Leniency> witnessed = WitnessMails.ALL.keySet().stream()
                .flatMap(name -> read(name).documents().stream())
                .flatMap(document -> document.leniencies().stream())
                .collect(Collectors.toSet());

        assertThat(Arrays.stream(Leniency.values())
                        .filter(leniency -> leniency.word().startsWith("mail-")))
                .containsExactlyInAnyOrderElementsOf(witnessed);
    }

    private static ReportMail read(String name) {
        return ReportMail.read(Objects.requireNonNull(WitnessMails.ALL.get(name)), ReportMail.Limits.DEFAULT);
    }

    private String verdict(ReportMail.Document document, Set<Leniency> leniencies) {
        leniencies.addAll(document.leniencies());
        return switch (Inflation.of(document.bytes(), 10 << 20)) {
            case Inflation.Refused refused -> refused.reason().word();
            case Inflation.Inflated inflated -> {
                leniencies.addAll(inflated.leniencies());
                yield switch (reader.read(inflated.document())) {
                    case Reading.Unreadable unreadable -> unreadable.reason().word();
                    case Reading.Read read -> {
                        assertThat(read.leniencies()).isEmpty();
                        assertThat(read.report().submitter()).isEqualTo("reporter.example");
                        yield "read";
                    }
                };
            }
        };
    }

    private static String words(Collection<Leniency> leniencies) {
        List<String> words = leniencies.stream().map(Leniency::word).toList();
        return String.join(" ", new TreeSet<>(words));
    }
}

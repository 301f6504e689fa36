package io.tlsrpt.mail;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Coverage-guided with `JAZZER_FUZZ=1`; otherwise it runs over the witness mails.
class ReportMailFuzzTest {

    static Stream<byte[]> mails() {
        return WitnessMails.ALL.values().stream();
    }

    @MethodSource("mails")
    @FuzzTest(maxDuration = "60s")
    void readingIsTotal(byte[] message) {
        ReportMail.Limits limits = new ReportMail.Limits(50, 5, 5, 64 * 1024, 4 * 1024);

        ReportMail mail = ReportMail.read(message, limits);

        assertThat(mail.documents().isEmpty() && mail.refusal().isEmpty()).isFalse();
        assertThat(mail.documents()).hasSizeLessThanOrEqualTo(limits.maxReports());
        assertThat(mail.documents()).allSatisfy(document -> {
            assertThat(document.bytes()).hasSizeLessThanOrEqualTo(limits.maxDocumentBytes());
            assertThat(document.place()).matches("[^\\p{Cntrl}]{1,600}");
        });
    }
}

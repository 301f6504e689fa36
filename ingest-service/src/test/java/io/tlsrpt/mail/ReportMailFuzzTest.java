package io.tlsrpt.mail;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Coverage-guided in the profile `fuzz`, until it is stopped or a day is over; otherwise it runs over the witness
/// mails.
/// [MailMutationTest] damages them by chance.
class ReportMailFuzzTest {

    static Stream<byte[]> mails() {
        return WitnessMails.ALL.values().stream();
    }

    @MethodSource("mails")
    @FuzzTest(maxDuration = "24h")
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

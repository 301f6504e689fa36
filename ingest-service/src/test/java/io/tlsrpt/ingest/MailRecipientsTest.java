package io.tlsrpt.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.runtime.Settings;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MailRecipientsTest {

    private static final MailRecipients RECIPIENTS = new MailRecipients(
            List.of(
                    new Settings.Mail.Recipient("reports@example.com", "one.example"),
                    new Settings.Mail.Recipient("Reports+Special@Example.com", "two.example"),
                    new Settings.Mail.Recipient("@example.com", "three.example"),
                    new Settings.Mail.Recipient("r@bücher.example", "four.example"),
                    new Settings.Mail.Recipient("reports@example.com", "second.example")),
            List.of("mailto:rua@example.net"));

    @ParameterizedTest
    @CsvSource({
        "reports@example.com, one.example",
        "REPORTS@EXAMPLE.COM., one.example",
        "'\"reports\"@example.com', one.example",
        "reports+tag@example.com, one.example",
        "reports+SPECIAL@example.com, two.example",
        "reports+special+more@example.com, one.example",
        "+tag@example.com, three.example",
        "anybody@example.com, three.example",
        "r@xn--bcher-kva.example, four.example",
        "r@BÜCHER.example, four.example",
        "r+x@bücher.example, four.example",
        "s@bücher.example,",
        "rua@example.net,",
        "reports@sub.example.com,",
        "reports,",
        "@,",
        "'',",
        "reports@example.com@example.net,",
    })
    void theLongestMatchSaysWhatTheAddressStandsFor(String address, String channelDomain) {
        MailRecipients.Taken taken = RECIPIENTS.find(address);
        assertThat(taken == null ? null : taken.channelDomain()).isEqualTo(channelDomain);
    }
}

package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FailureHelpTest {

    private static final List<String> REGISTERED = List.of(
            "starttls-not-supported",
            "certificate-host-mismatch",
            "certificate-expired",
            "certificate-not-trusted",
            "validation-failure",
            "tlsa-invalid",
            "dnssec-invalid",
            "dane-required",
            "sts-policy-fetch-error",
            "sts-policy-invalid",
            "sts-webpki-invalid");

    @Test
    void everyRegisteredWordHasItsOwnEntry() {
        assertThat(REGISTERED.stream().map(FailureHelp::ofResultType).map(FailureHelp::meaning))
                .doesNotHaveDuplicates()
                .doesNotContain(FailureHelp.ofResultType("never-heard-of").meaning());
    }

    @Test
    void anUnknownWordGetsTheGenericEntryAndIsNotQuoted() {
        FailureHelp help = FailureHelp.ofResultType("$(reboot)").at("mx1.example.com", null);

        assertThat(help).isEqualTo(FailureHelp.ofResultType(null).at("mx1.example.com", null));
        assertThat(help.verify()).contains("mx1.example.com:25").doesNotContain("reboot");
    }

    @Test
    void hostAndDomainAreFilledIn() {
        assertThat(FailureHelp.ofResultType("certificate-expired")
                        .at("MX1.example.com", null)
                        .verify())
                .isEqualTo("openssl s_client -starttls smtp -connect mx1.example.com:25 -servername mx1.example.com"
                        + " </dev/null 2>/dev/null | openssl x509 -noout -subject -dates");
        assertThat(FailureHelp.ofResultType("sts-policy-fetch-error")
                        .at(null, "xn--bcher-kva.example")
                        .verify())
                .isEqualTo("curl -sSi --max-time 60 https://mta-sts.xn--bcher-kva.example/.well-known/mta-sts.txt");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "mx1",
                "mx1.example.com; rm -rf /",
                "mx1.example.com\nrm",
                "mx1.example.com\n",
                "$(id).example.com",
                "`id`.example.com",
                "-oProxyCommand=x.example.com",
                "mx1..example.com",
                "mx1-.example.com",
                "*.example.com",
                "192.0.2.1",
                "mx1.exa\u202Emple.com",
                "bücher.example",
                "mx1.example.com.",
                "a/../../b.example.com"
            })
    void aStrangersTextNeverEntersACommand(String name) {
        for (FailureHelp help : FailureHelp.all()) {
            assertThat(help.at(name, name)).isEqualTo(help);
        }
    }

    @Test
    void aNameLongerThanDnsAllowsIsNotFilledIn() {
        assertThat(FailureHelp.ofResultType("certificate-expired")
                        .at("a.".repeat(5_000) + "example", null)
                        .verify())
                .contains("<mx>:25");
    }

    @Test
    void everyWordStandsThereOnceAndSaysHowUrgentItIs() {
        assertThat(FailureHelp.all().stream().map(FailureHelp::word)).doesNotHaveDuplicates();
        for (FailureHelp help : FailureHelp.all()) {
            FailureHelp.Urgency urgency = help.urgency();
            assertThat(List.of(
                            urgency.enforce(),
                            urgency.testing(),
                            urgency.none(),
                            urgency.tlsa(),
                            urgency.noPolicyFound()))
                    .as(help.word())
                    .noneMatch(String::isBlank);
        }
    }

    @Test
    void urgencyFollowsWhatSendersWereAskedToDo() {
        assertThat(FailureHelp.ofResultType("certificate-expired").urgency().enforce())
                .startsWith("Now");
        assertThat(FailureHelp.ofResultType("certificate-expired").urgency().testing())
                .startsWith("Soon");
        assertThat(FailureHelp.ofResultType("starttls-not-supported").urgency().noPolicyFound())
                .contains("plain text");
        assertThat(FailureHelp.ofResultType("tlsa-invalid").urgency().tlsa()).startsWith("Now");
    }
}

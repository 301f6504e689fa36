package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.tlsrpt.topics.Alert.Help;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HelpCatalogueTest {

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
        assertThat(REGISTERED.stream().map(HelpCatalogue::of).map(Help::meaning))
                .doesNotHaveDuplicates()
                .doesNotContain(HelpCatalogue.of("never-heard-of").meaning());
    }

    @Test
    void anUnknownWordGetsTheGenericEntryAndIsNotQuoted() {
        Help help = HelpCatalogue.of("$(reboot)", "mx1.example.com");

        assertThat(help).isEqualTo(HelpCatalogue.of(null, "mx1.example.com"));
        assertThat(help.verify()).contains("mx1.example.com:25").doesNotContain("reboot");
    }

    @Test
    void hostAndDomainAreFilledIn() {
        assertThat(HelpCatalogue.of("certificate-expired", "MX1.example.com").verify())
                .isEqualTo("openssl s_client -starttls smtp -connect mx1.example.com:25 -servername mx1.example.com"
                        + " </dev/null 2>/dev/null | openssl x509 -noout -subject -dates");
        assertThat(HelpCatalogue.of("sts-policy-fetch-error", null, "xn--bcher-kva.example")
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
        for (String word : REGISTERED) {
            assertThat(HelpCatalogue.of(word, name, name)).isEqualTo(HelpCatalogue.of(word));
        }
    }

    @Test
    void aNameLongerThanDnsAllowsIsNotFilledIn() {
        assertThat(HelpCatalogue.of("certificate-expired", "a.".repeat(5_000) + "example")
                        .verify())
                .contains("<mx>:25");
    }
}

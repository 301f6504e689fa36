package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DomainNameTest {

    @ParameterizedTest
    @CsvSource({
        "example.com, example.com, true",
        "Example.COM., example.com, true",
        "' example.com ', example.com, true",
        "_25._tcp.mx.example, _25._tcp.mx.example, true",
        "bücher.example, xn--bcher-kva.example, true",
        "BÜCHER.example, xn--bcher-kva.example, true",
        "bücher。example, xn--bcher-kva.example, true",
        "xn--bcher-kva.example, xn--bcher-kva.example, true",
        "straße.example, straße.example, false",
        "localhost, localhost, true",
        "., ., false",
        "a..b, a..b, false",
        "not a domain, not a domain, false",
        "a/b, a/b, false"
    })
    void aNameHasOneSpelling(String text, String canonical, boolean name) {
        assertThat(DomainName.canonical(text)).isEqualTo(canonical);
        assertThat(DomainName.isName(canonical)).isEqualTo(name);
    }

    @Test
    void longTextIsCutAndIsNoName() {
        assertThat(DomainName.canonical("ü".repeat(60_000))).hasSize(255);
        assertThat(DomainName.canonical("😀".repeat(200))).hasSize(254);
        assertThat(DomainName.isName("a".repeat(64) + ".example")).isFalse();
        assertThat(DomainName.isName("a".repeat(63) + ".example")).isTrue();
        assertThat(DomainName.isName("a.".repeat(127) + "a")).isFalse();
    }
}

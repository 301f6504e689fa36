package io.tlsrpt.inspection;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class Port25Test {

    private Instant now = Instant.parse("2026-11-22T12:00:00Z");
    private final InstantSource source = () -> now;
    private final Port25 port25 = new Port25(source.withZone(ZoneOffset.UTC));

    private void timeout(String address) {
        port25.timedOut(InetAddress.ofLiteral(address));
    }

    @Test
    void withoutAnyConnectionNothingIsKnown() {
        assertThat(port25.verdict()).isEqualTo("unknown");
    }

    @Test
    void silenceOfOneNetworkBlamesNobodyHoweverManyOfItsAddressesAreSilent() {
        timeout("192.0.2.1");
        timeout("192.0.2.2");
        timeout("192.0.99.1");
        assertThat(port25.verdict()).isEqualTo("unknown");
    }

    @Test
    void silenceOfTwoNetworksIsABlockedPort() {
        timeout("192.0.2.1");
        timeout("198.51.100.1");
        assertThat(port25.verdict()).isEqualTo("blocked");
    }

    @Test
    void versionSixCountsByItsProvidersNetwork() {
        timeout("2001:db8:1::1");
        timeout("2001:db8:2::1");
        assertThat(port25.verdict()).isEqualTo("unknown");
        timeout("2a00:1450::1");
        assertThat(port25.verdict()).isEqualTo("blocked");
    }

    @Test
    void oneAnswerOpensItWhateverTimedOutBeforeOrAfter() {
        timeout("192.0.2.1");
        timeout("198.51.100.1");
        port25.answered();
        assertThat(port25.verdict()).isEqualTo("open");
        timeout("203.0.113.1");
        timeout("192.0.2.1");
        assertThat(port25.verdict()).isEqualTo("open");
    }

    @Test
    void anAnswerLongAgoSaysNothingAboutNow() {
        port25.answered();
        now = now.plus(Duration.ofMinutes(61));
        assertThat(port25.verdict()).isEqualTo("unknown");
        timeout("192.0.2.1");
        timeout("198.51.100.1");
        assertThat(port25.verdict()).isEqualTo("blocked");
        now = now.plus(Duration.ofMinutes(61));
        assertThat(port25.verdict()).isEqualTo("unknown");
    }

    @Test
    void aRefusalIsNeitherTheOneNorTheOther() {
        timeout("192.0.2.1");
        timeout("198.51.100.1");
        port25.refused();
        assertThat(port25.verdict()).isEqualTo("unknown");
    }

    @Test
    void whatIsRememberedIsBounded() {
        timeout("192.0.2.1");
        for (int network = 0; network < 10_000; network++) {
            timeout("10." + network % 256 + ".0.1");
        }
        assertThat(port25.verdict()).isEqualTo("blocked");
        assertThat(port25.remembered()).isEqualTo(64);
    }
}

package io.tlsrpt.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressTest {

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1, 192.0.2.1",
        "255.255.255.255, 255.255.255.255",
        "0.0.0.0, 0.0.0.0",
        "2001:db8:abcd:0012::1, 2001:db8:abcd:12::1",
        "2001:DB8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
        "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
        "2001:0:0:1:0:0:0:1, 2001:0:0:1::1",
        "1:2:3:4:5:6:7::, 1:2:3:4:5:6:7:0",
        "::1:2:3:4:5:6:7, 0:1:2:3:4:5:6:7",
        "0:0:0:0:0:0:0:0, ::",
        "::, ::",
        "::1, ::1",
        "1::, 1::",
        "fe80:0:0:0:1:0:0:0, fe80::1:0:0:0",
        "::FFFF:192.0.2.1, ::ffff:192.0.2.1",
        "::ffff:c000:201, ::ffff:192.0.2.1",
        "64:ff9b::192.0.2.33, 64:ff9b::c000:221"
    })
    void anAddressHasOneSpelling(String text, String canonical) {
        assertThat(IpAddress.canonical(text)).isEqualTo(canonical);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x.x.x.x",
                "010.0.0.1",
                "256.1.1.1",
                "1.2.3",
                "1.2.3.4.5",
                "1.2.3.4 ",
                "1..2.3",
                "1234",
                "0x7f.0.0.1",
                "mail.example.com",
                "localhost",
                ":",
                ":::",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "1::2::3",
                "12345::",
                "g::1",
                "1:2:3:4:5:6:7:8::",
                "::1:2:3:4:5:6:7:8",
                "1:2:3:4:5:6:7:1.2.3.4",
                "::1.2.3.4:5",
                "fe80::1%eth0",
                "::1:",
                ":1::",
                "١.2.3.4",
                "[::1]",
                "1.2.3.4:25"
            })
    void otherTextIsNoAddress(String text) {
        assertThat(IpAddress.canonical(text)).isNull();
    }

    @Test
    void randomAddressesMeanTheSameToThePlatform() throws UnknownHostException {
        long seed = System.nanoTime();
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        for (int round = 0; round < 10_000; round++) {
            byte[] address = new byte[16];
            for (int at = 0; at < 16; at += 2) {
                if (random.nextInt(3) > 0) {
                    address[at] = (byte) random.nextInt(2);
                    address[at + 1] = (byte) random.nextInt();
                }
            }
            InetAddress expected = Inet6Address.getByAddress(null, address, -1);
            String canonical = IpAddress.canonical(expected.getHostAddress());

            assertThat(canonical).as("seed %d, %s", seed, expected).isNotNull();
            assertThat(InetAddress.ofLiteral(String.valueOf(canonical)).getAddress())
                    .as("seed %d, %s", seed, canonical)
                    .isEqualTo(InetAddress.getByAddress(address).getAddress());
            assertThat(IpAddress.canonical(String.valueOf(canonical))).isEqualTo(canonical);
        }
    }
}

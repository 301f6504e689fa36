package io.tlsrpt.inspection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class StarttlsProbeTest {

    private static final Duration PATIENT = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(500);
    private static final TestAuthority ROOT = TestAuthority.root("Root");
    private static final TestAuthority.Issued CERTIFICATE =
            ROOT.intermediate("Intermediate").server("mx1.example.com").issue();

    private final Port25 port25 = new Port25(Clock.systemUTC());

    private Presented look(Duration timeout, LoopbackSmtp.Conduct conduct) throws IOException {
        try (LoopbackSmtp server = LoopbackSmtp.start(conduct)) {
            return look(timeout, server);
        }
    }

    private Presented look(Duration timeout, LoopbackSmtp server) {
        return new StarttlsProbe("probe.example.com", timeout, port25)
                .look(InetAddress.getLoopbackAddress(), server.port(), "mx1.example.com");
    }

    /// Says what a decent server says until STARTTLS, and hears that.
    private static void upToStarttls(LoopbackSmtp.Client client) throws IOException {
        client.say("220 mx.example.com ESMTP");
        client.hear();
        client.say("250-mx.example.com", "250 STARTTLS");
        client.hear();
    }

    @Test
    void aServerWithStarttlsShowsItsChainAndHearsItsName() throws IOException {
        try (LoopbackSmtp server = LoopbackSmtp.start(LoopbackSmtp.offering(CERTIFICATE.server()))) {
            Presented presented = look(PATIENT, server);
            assertThat(presented.starttls()).isEqualTo("offered");
            assertThat(presented.detail()).isNull();
            assertThat(presented.tlsVersion()).isEqualTo("TLSv1.3");
            assertThat(presented.chain()).isEqualTo(CERTIFICATE.chain()).hasSize(2);
            await().untilAsserted(() ->
                    assertThat(server.heard).containsExactly("EHLO probe.example.com", "STARTTLS", "QUIT"));
            assertThat(server.sni).containsExactly("mx1.example.com");
            assertThat(port25.verdict()).isEqualTo("open");
        }
    }

    @Test
    void anExpiredCertificateOfNobodyForAnotherNameIsEvidenceLikeAnyOther() throws IOException {
        TestAuthority.Issued bad = TestAuthority.root("Nobody")
                .server("other.example")
                .until(TestAuthority.LONG_AGO.plusSeconds(60))
                .issue();
        Presented presented = look(PATIENT, LoopbackSmtp.offering(bad.server()));
        assertThat(presented.starttls()).isEqualTo("offered");
        assertThat(presented.chain()).containsExactly(bad.leaf());
    }

    @Test
    void aServerWithTls12OnlyIsFine() throws IOException {
        Presented presented = look(PATIENT, client -> {
            upToStarttls(client);
            client.say("220 go");
            client.startTls(CERTIFICATE.server(), "TLSv1.2");
            client.hear();
            // and no goodbye
        });
        assertThat(presented.starttls()).isEqualTo("offered");
        assertThat(presented.tlsVersion()).isEqualTo("TLSv1.2");
    }

    @Test
    void aServerThatDoesNotSayGoodbyeIsNotWaitedForLong() throws IOException {
        long start = System.nanoTime();
        Presented presented = look(PATIENT, client -> {
            upToStarttls(client);
            client.say("220 go");
            client.startTls(CERTIFICATE.server());
            client.waitForTheEnd();
        });
        assertThat(presented.starttls()).isEqualTo("offered");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void aServerWithoutStarttlsMissesIt() throws IOException {
        try (LoopbackSmtp server = LoopbackSmtp.start(LoopbackSmtp.plain())) {
            Presented presented = look(PATIENT, server);
            assertThat(presented.starttls()).isEqualTo("missing");
            assertThat(presented.detail()).isNull();
            await().untilAsserted(() -> assertThat(server.heard).containsExactly("EHLO probe.example.com", "QUIT"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"XXXXXXXA", "XXXXXXXX", "XXXX"})
    void aFirewallThatWritesOverStarttlsIsNamed(String instead) throws IOException {
        Presented presented = look(PATIENT, client -> {
            client.say("220 mx.example.com");
            client.hear();
            client.say("250-mx.example.com", "250-SIZE 10", "250-" + instead, "250 HELP");
        });
        assertThat(presented.starttls()).isEqualTo("missing");
        assertThat(presented.detail())
                .isEqualTo("a firewall on the way writes over it (\"" + instead
                        + "\" stands in its place): switch off its inspection of SMTP");
    }

    @Test
    void aGreetingOfAsterisksIsTheSignOfAFirewallToo() throws IOException {
        Presented presented = look(PATIENT, client -> {
            client.say("220 ******************************0*2******");
            client.hear();
            client.say("250-mx.example.com", "250 8BITMIME");
        });
        assertThat(presented.starttls()).isEqualTo("missing");
        assertThat(presented.detail()).contains("a firewall on the way seems to inspect SMTP");
    }

    @Test
    void aServerThatDoesNotKnowEhloHasNoStarttls() throws IOException {
        Presented presented = look(PATIENT, client -> {
            client.say("220 mx.example.com");
            client.hear();
            client.say("502 5.5.1 not implemented");
        });
        assertThat(presented.starttls()).isEqualTo("missing");
        assertThat(presented.detail()).isEqualTo("it does not know EHLO: 502 5.5.1 not implemented");
    }

    @ParameterizedTest
    @CsvSource({
        "554 5.7.1 no service for you, greeting: 554 5.7.1 no service for you",
        "421 4.3.2 later, greeting: 421 4.3.2 later",
        "220, EHLO refused: 550 5.7.1 go away",
        "250 what, greeting: 250 what",
    })
    void aServerThatDoesNotTalkToUsShowsNothingAboutItsStarttls(String greeting, String detail) throws IOException {
        Presented presented = look(PATIENT, client -> {
            client.say(greeting);
            if (client.hear().startsWith("EHLO")) {
                client.say("550 5.7.1 go away");
            }
        });
        assertThat(presented.starttls()).isEqualTo("unknown");
        assertThat(presented.detail()).isEqualTo(detail);
        assertThat(port25.verdict()).isEqualTo("open");
    }

    @Test
    void anEhloThatIsPutOffIsNothingAboutStarttls() throws IOException {
        Presented presented = look(PATIENT, client -> {
            client.say("220 mx");
            client.hear();
            client.say("421 4.7.0 too many connections");
        });
        assertThat(presented.starttls()).isEqualTo("unknown");
        assertThat(presented.detail()).isEqualTo("EHLO refused: 421 4.7.0 too many connections");
    }

    @Test
    void starttlsThatIsOfferedAndThenRefusedFailed() throws IOException {
        Presented presented = look(PATIENT, client -> {
            upToStarttls(client);
            client.say("454 4.7.0 TLS not available due to local problem");
        });
        assertThat(presented.starttls()).isEqualTo("failed");
        assertThat(presented.detail()).isEqualTo("STARTTLS refused: 454 4.7.0 TLS not available due to local problem");
    }

    @Test
    void aHandshakeThatTheServerEndsTellsItsAlert() throws Exception {
        SSLContext withoutCertificate = SSLContext.getInstance("TLS");
        withoutCertificate.init(null, null, null);
        Presented presented = look(PATIENT, LoopbackSmtp.offering(withoutCertificate));
        assertThat(presented.starttls()).isEqualTo("failed");
        assertThat(presented.detail()).isEqualTo("handshake: the server answers with the alert handshake_failure");
    }

    @Test
    void anAlertAboutTheVersionIsSaidInWords() throws IOException {
        Presented presented = look(PATIENT, client -> {
            upToStarttls(client);
            client.say("220 go");
            client.send(HexFormat.of().parseHex("15030100020246"));
            client.waitForTheEnd();
        });
        assertThat(presented.starttls()).isEqualTo("failed");
        assertThat(presented.detail())
                .isEqualTo("handshake: the server answers with the alert protocol_version:"
                        + " it has neither TLS 1.2 nor TLS 1.3");
    }

    @Test
    void aServerWithTls10OnlyIsToldAsSuch() throws IOException {
        Presented presented = look(PATIENT, client -> {
            upToStarttls(client);
            client.say("220 go");
            byte[] hello = HexFormat.of().parseHex("0301" + "ab".repeat(32) + "00" + "c013" + "00");
            ByteBuffer record = ByteBuffer.allocate(9 + hello.length)
                    .put((byte) 22)
                    .putShort((short) 0x0301)
                    .putShort((short) (4 + hello.length))
                    .putInt(2 << 24 | hello.length)
                    .put(hello);
            client.send(record.array());
            client.waitForTheEnd();
        });
        assertThat(presented.starttls()).isEqualTo("failed");
        assertThat(presented.detail()).isEqualTo("handshake: the server has nothing newer than TLS 1.0");
    }

    @Test
    void nobodyThereIsNoVerdictOnStarttls() throws IOException {
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
        }
        Presented presented = new StarttlsProbe("probe.example.com", PATIENT, port25)
                .look(InetAddress.getLoopbackAddress(), free, "mx1.example.com");
        assertThat(presented.starttls()).isEqualTo("unknown");
        assertThat(presented.detail()).isEqualTo("no connection: refused");
        assertThat(port25.verdict()).isEqualTo("unknown");
    }

    @Test
    void aNameThatTlsCannotSayIsNoCrash() throws IOException {
        try (LoopbackSmtp server = LoopbackSmtp.start(LoopbackSmtp.offering(CERTIFICATE.server()))) {
            Presented presented = new StarttlsProbe("probe.example.com", PATIENT, port25)
                    .look(InetAddress.getLoopbackAddress(), server.port(), "x".repeat(70) + ".example.");
            assertThat(presented.starttls()).isEqualTo("unknown");
            assertThat(presented.detail()).contains("the name of this MX");
        }
    }

    @Test
    void aServerThatHangsUpIsSaid() throws IOException {
        assertThat(look(PATIENT, client -> {})).satisfies(presented -> {
            assertThat(presented.starttls()).isEqualTo("unknown");
            assertThat(presented.detail()).isEqualTo("greeting: the server closed the connection");
        });
        assertThat(look(PATIENT, StarttlsProbeTest::upToStarttls)).satisfies(presented -> {
            assertThat(presented.starttls()).isEqualTo("failed");
            assertThat(presented.detail()).isEqualTo("STARTTLS: the server closed the connection");
        });
        assertThat(look(PATIENT, client -> {
                    upToStarttls(client);
                    client.say("220 go");
                }))
                .satisfies(presented -> {
                    assertThat(presented.starttls()).isEqualTo("failed");
                    assertThat(presented.detail()).isEqualTo("handshake: the server broke the connection off");
                });
    }

    @Test
    void aSilentServerCostsTheTimeoutAndNoMore() throws IOException {
        assertThat(look(SHORT, LoopbackSmtp.Client::waitForTheEnd)).satisfies(presented -> {
            assertThat(presented.starttls()).isEqualTo("unknown");
            assertThat(presented.detail()).isEqualTo("greeting: timed out after 0.5s");
        });
        assertThat(look(SHORT, client -> {
                    upToStarttls(client);
                    client.say("220 go");
                    client.waitForTheEnd();
                }))
                .satisfies(presented -> {
                    assertThat(presented.starttls()).isEqualTo("failed");
                    assertThat(presented.detail()).isEqualTo("handshake: timed out after 0.5s");
                });
    }

    @Test
    void bytesThatDripDoNotProlongTheLook() throws IOException {
        long start = System.nanoTime();
        Presented presented = look(SHORT, client -> {
            while (true) {
                client.send(new byte[] {'2'});
                LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
            }
        });
        assertThat(presented.starttls()).isEqualTo("unknown");
        assertThat(presented.detail()).isEqualTo("greeting: timed out after 0.5s");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void aReplyWithoutEndIsCutOff() throws IOException {
        assertThat(look(PATIENT, client -> {
                            while (true) {
                                client.say("220-welcome");
                            }
                        })
                        .detail())
                .isEqualTo("greeting: a reply of more than 100 lines");
        assertThat(look(PATIENT, client -> {
                            while (true) {
                                client.send("2".repeat(1_000).getBytes(StandardCharsets.US_ASCII));
                            }
                        })
                        .detail())
                .isEqualTo("greeting: a line of more than 1000 bytes");
        assertThat(look(PATIENT, client -> {
                            while (true) {
                                client.say("220-" + "x".repeat(900));
                            }
                        })
                        .detail())
                .isEqualTo("greeting: more than 64 KiB of replies");
    }

    @Test
    void binaryIsNoReplyAndComesOutHarmless() throws IOException {
        byte[] bytes = new byte[300];
        for (int at = 0; at < bytes.length; at++) {
            bytes[at] = (byte) (255 - at);
        }
        Presented presented = look(PATIENT, client -> client.send(bytes));
        assertThat(presented.starttls()).isEqualTo("unknown");
        assertThat(presented.detail()).startsWith("greeting: no SMTP reply: ").matches("\\P{Cntrl}*");

        assertThat(look(PATIENT, client -> client.say("554 \u202eevil\u001b[2J " + "x".repeat(700))))
                .satisfies(hostile -> assertThat(hostile.detail())
                        .startsWith("greeting: 554 \\u{202e}evil\\u{1b}[2J xxx")
                        .hasSizeLessThan(300));
    }

    @Test
    void repliesThatWereSlippedInBeforeTlsAreNotTaken() throws IOException {
        Presented presented = look(PATIENT, client -> {
            upToStarttls(client);
            client.say("220 go", "250 slipped in");
            client.startTls(CERTIFICATE.server());
        });
        assertThat(presented.starttls()).isEqualTo("failed");
        assertThat(presented.detail()).startsWith("handshake: ");
    }

    @Test
    void aGiantCertificateIsNotRead() throws IOException {
        TestAuthority.Issued giant =
                ROOT.server("mx1.example.com").commonName("x".repeat(100_000)).issue();
        Presented presented = look(PATIENT, LoopbackSmtp.offering(giant.server()));
        assertThat(presented.starttls()).isEqualTo("failed");
        assertThat(presented.detail()).startsWith("handshake: ").hasSizeLessThan(300);

        TestAuthority authority = ROOT;
        for (int n = 0; n < 20; n++) {
            authority = authority.intermediate("Authority " + n);
        }
        Presented longChain = look(
                PATIENT,
                LoopbackSmtp.offering(
                        authority.server("mx1.example.com").issue().server()));
        assertThat(longChain.starttls()).isEqualTo("failed");
        assertThat(longChain.detail()).startsWith("handshake: ").contains("chain");
    }
}

package io.tlsrpt.inspection;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.tlsrpt.inspection.PolicyFetch.Fetched;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Rows Q07 to Q11 and Q25 of the rules for fetching a policy (RFC 8461 §3.3).
@Timeout(30)
class PolicyFetchTest {

    private static final String HOST = "mta-sts.example.com";
    private static final String POLICY = "version: STSv1\nmode: none\nmax_age: 1\n";
    private static final Duration PATIENT = Duration.ofSeconds(20);
    private static final TestAuthority ROOT = TestAuthority.root("Root");
    private static final TestAuthority.Issued GOOD = ROOT.server(HOST).issue();

    @TempDir
    static Path directory;

    private static CertificateCheck trust;

    @BeforeAll
    static void trust() throws IOException {
        trust = new CertificateCheck(pem(directory.resolve("ca.pem"), ROOT));
    }

    static Path pem(Path file, TestAuthority authority) throws IOException {
        try {
            return Files.writeString(
                    file,
                    "-----BEGIN CERTIFICATE-----\n"
                            + Base64.getMimeEncoder(64, new byte[] {'\n'})
                                    .encodeToString(authority.certificate().getEncoded())
                            + "\n-----END CERTIFICATE-----\n");
        } catch (CertificateEncodingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("answers")
    void anAnswerIsReadAsItsRowSays(String row, String answer, String expected) throws IOException {
        assertThat(words(fetch(GOOD, LoopbackHttps.raw(answer), PATIENT))).startsWith(expected);
    }

    static Stream<Arguments> answers() {
        String ok = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
        return Stream.of(
                arguments("Q08 200", ok + "\r\n" + POLICY, "text/plain " + POLICY),
                arguments("Q08 200 with a length", ok + "Content-Length: 5\r\n\r\n" + POLICY, "text/plain versi"),
                arguments(
                        "Q08 200 in chunks",
                        ok + "Transfer-Encoding: chunked\r\n\r\n4;x=y\r\nabcd\r\nA\r\n0123456789\r\n0\r\n\r\n",
                        "text/plain abcd0123456789"),
                arguments(
                        "Q08 an interim answer first",
                        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "\r\n" + POLICY,
                        "text/plain " + POLICY),
                arguments(
                        "Q08 interim answers only",
                        "HTTP/1.1 100 Continue\r\n\r\n".repeat(9),
                        "unfetchable the server sends no final answer"),
                arguments(
                        "Q08 301",
                        "HTTP/1.1 301 Moved\r\nLocation: https://example.com/p\u001b[2J\r\n\r\n",
                        "unfetchable the server answers with status 301 (a redirect to \"https://example.com/p\\u{1b}[2J\""),
                arguments(
                        "Q08 204", "HTTP/1.1 204 No Content\r\n\r\n", "unfetchable the server answers with status 204"),
                arguments(
                        "Q08 206",
                        "HTTP/1.1 206 Partial Content\r\n\r\n" + POLICY,
                        "unfetchable the server answers with status 206"),
                arguments(
                        "Q08 404", "HTTP/1.1 404 Not Found\r\n\r\n", "unfetchable the server answers with status 404"),
                arguments(
                        "Q08 garbage",
                        "220 mail.example.com ESMTP\r\n",
                        "unfetchable no HTTP: \"220 mail.example.com ESMTP\""),
                arguments("Q08 nothing", "", "unfetchable the server ends in the middle of its answer"),
                arguments(
                        "Q08 cut off",
                        ok + "Content-Length: 500\r\n\r\n" + POLICY,
                        "unfetchable the server ends in the middle of the policy"),
                arguments(
                        "Q08 a bad chunk",
                        ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                        "unfetchable a chunk without a size"),
                arguments(
                        "Q08 a bad length",
                        ok + "Content-Length: -1\r\n\r\n",
                        "unfetchable a content length that is no number"),
                arguments(
                        "Q08 compressed", ok + "Content-Encoding: gzip\r\n\r\nx", "unfetchable the server compresses"),
                arguments("Q10 64 KB", ok + "\r\n" + "x".repeat(65_536), "text/plain xxx"),
                arguments("Q10 65 KB", ok + "\r\n" + "x".repeat(66_560), "unfetchable the policy is longer than 64 KB"),
                arguments(
                        "Q10 65 KB announced",
                        ok + "Content-Length: 66560\r\n\r\n",
                        "unfetchable the policy is longer than 64 KB"),
                arguments(
                        "Q10 65 KB in a chunk",
                        ok + "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
                        "unfetchable the policy is longer than 64 KB"),
                arguments(
                        "Q10 an endless header",
                        ok + "X: y\r\n".repeat(4_000),
                        "unfetchable the header is longer than 16 KB"),
                arguments("Q11 text/html", ok.replace("plain", "html") + "\r\n<html>", "text/html <html>"),
                arguments("Q11 no type", "HTTP/1.1 200 OK\r\n\r\n" + POLICY, "null " + POLICY));
    }

    @Test
    void q07TheOnePathIsAskedForByName() throws IOException {
        try (LoopbackHttps server = new LoopbackHttps(GOOD.server(), LoopbackHttps.serving(POLICY))) {
            get(server, PATIENT);
            assertThat(server.heard)
                    .startsWith("GET /.well-known/mta-sts.txt HTTP/1.1", "Host: mta-sts.example.com")
                    .contains("Connection: close");
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("certificates")
    void aCertificateIsJudgedAsItsRowSays(String row, TestAuthority.Issued certificate, String expected)
            throws IOException {
        Fetched fetched = fetch(certificate, LoopbackHttps.serving(POLICY), PATIENT);
        assertThat(words(fetched)).startsWith(expected);
        assertThat(fetched.certificate()).isEqualTo(certificate.leaf());
    }

    static Stream<Arguments> certificates() {
        return Stream.of(
                arguments("Q09 for the host", GOOD, "text/plain version"),
                arguments("Q09 a wildcard", ROOT.server("*.example.com").issue(), "text/plain version"),
                arguments(
                        "Q09 half a wildcard",
                        ROOT.server("mta*.example.com").issue(),
                        "untrusted the certificate of mta-sts.example.com is for other names"),
                arguments(
                        "Q09 a common name only",
                        ROOT.server().commonName(HOST).issue(),
                        "untrusted the certificate of mta-sts.example.com is for other names"),
                arguments(
                        "Q09 expired",
                        ROOT.server(HOST)
                                .until(Instant.parse("2021-01-01T00:00:00Z"))
                                .issue(),
                        "untrusted the certificate of mta-sts.example.com is expired"),
                arguments(
                        "Q09 not yet valid",
                        ROOT.server(HOST)
                                .from(Instant.parse("2048-01-01T00:00:00Z"))
                                .issue(),
                        "untrusted the certificate of mta-sts.example.com is not valid yet"),
                arguments(
                        "Q09 an unknown authority",
                        TestAuthority.root("Root").server(HOST).issue(),
                        "untrusted the certificate of mta-sts.example.com is not from a trusted authority"),
                arguments(
                        "Q25 the provider's own name",
                        ROOT.server("sts.provider.example").issue(),
                        "untrusted the certificate of mta-sts.example.com is for other names"));
    }

    @Test
    void q10AServerThatDripsIsCutWhenTheTimeIsOver() throws IOException {
        long start = System.nanoTime();
        Fetched fetched = fetch(
                GOOD,
                out -> {
                    while (true) {
                        out.write("H".getBytes(US_ASCII));
                        out.flush();
                        LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
                    }
                },
                Duration.ofMillis(700));
        assertThat(words(fetched)).isEqualTo("unfetchable not done after 0.7 s");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void aDeadAddressIsFollowedByTheNext() throws IOException {
        try (LoopbackHttps server = new LoopbackHttps(GOOD.server(), LoopbackHttps.serving(POLICY))) {
            Fetched fetched = new PolicyFetch(PATIENT, trust, Clock.systemUTC())
                    .get(
                            HOST,
                            List.of(
                                    InetAddress.getByAddress(new byte[] {127, 0, 0, 99}),
                                    InetAddress.getLoopbackAddress()),
                            server.port());
            assertThat(words(fetched)).startsWith("text/plain version");
        }
    }

    @Test
    void aHostThatNoCertificateCanNameIsNoCrash() throws IOException {
        try (LoopbackHttps server = new LoopbackHttps(GOOD.server(), LoopbackHttps.serving(POLICY))) {
            assertThat(new PolicyFetch(PATIENT, trust, Clock.systemUTC())
                            .get("mta-sts.-a_b-.example", List.of(InetAddress.getLoopbackAddress()), server.port()))
                    .isNotInstanceOf(Fetched.Body.class);
        }
    }

    @Test
    void aClosedPortIsUnfetchable() throws IOException {
        try (Socket silent = new Socket()) { // holds the port and does not listen, so that nobody else does
            silent.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            assertThat(words(get(silent.getLocalPort(), PATIENT)))
                    .startsWith("unfetchable 127.0.0.1 port " + silent.getLocalPort() + " cannot be");
        }
    }

    private static Fetched fetch(TestAuthority.Issued certificate, LoopbackHttps.Conduct conduct, Duration timeout)
            throws IOException {
        try (LoopbackHttps server = new LoopbackHttps(certificate.server(), conduct)) {
            return get(server, timeout);
        }
    }

    private static Fetched get(LoopbackHttps server, Duration timeout) {
        return get(server.port(), timeout);
    }

    private static Fetched get(int port, Duration timeout) {
        return new PolicyFetch(timeout, trust, Clock.systemUTC())
                .get(HOST, List.of(InetAddress.getLoopbackAddress()), port);
    }

    private static String words(Fetched fetched) {
        return switch (fetched) {
            case Fetched.Body body -> body.mediaType() + " " + new String(body.bytes(), UTF_8);
            case Fetched.Unfetchable unfetchable -> "unfetchable " + unfetchable.why();
            case Fetched.NotTrusted untrusted -> "untrusted " + untrusted.why();
        };
    }
}

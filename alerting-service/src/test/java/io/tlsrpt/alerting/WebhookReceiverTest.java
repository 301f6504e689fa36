package io.tlsrpt.alerting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tlsrpt.alerting.Receiver.Attempt;
import io.tlsrpt.alerting.Receiver.Message;
import io.tlsrpt.alerting.Receiver.Result;
import io.tlsrpt.inspection.AddressGuard;
import io.tlsrpt.runtime.AlertingSettings;
import io.tlsrpt.runtime.Secret;
import io.tlsrpt.runtime.Settings.Severity;
import io.tlsrpt.topics.Alert;
import io.tlsrpt.topics.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Against real HTTP servers on the loopback address.
class WebhookReceiverTest {

    private static final Instant NOW = Instant.parse("2026-11-21T04:00:30Z");
    private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private static final Message FIRING =
            new Message.Alerts("a1-1-1", SampleAlerts.critical().alert());

    private final ExecutorService handlers = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpServer server;
    private final AtomicInteger requests = new AtomicInteger();
    private volatile byte[] body = {};
    private volatile Map<String, List<String>> headers = Map.of();

    WebhookReceiverTest() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(handlers);
    }

    @BeforeEach
    void serve() {
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        handlers.shutdownNow();
    }

    @Test
    void aFiringAlertIsPostedAsWritten() throws IOException {
        answer(204, Map.of());

        Attempt attempt = receiver().deliver(FIRING, NOW);

        assertThat(attempt).isEqualTo(Attempt.of(Result.DELIVERED, "status 204"));
        assertThat(header("Webhook-id")).isEqualTo("a1-1-1");
        assertThat(header("Webhook-timestamp")).isEqualTo("1795233630");
        assertThat(header("Content-type")).isEqualTo("application/json");
        assertThat(headers).doesNotContainKey("Webhook-signature");
        assertThat(pretty(body)).isEqualTo(golden("webhook-firing.json"));
    }

    @Test
    void aResolvedAlertIsPostedAsWritten() throws IOException {
        answer(200, Map.of());
        Alert resolved = SampleAlerts.critical()
                .resolved(Instant.parse("2026-11-23T05:00:00Z"))
                .alert();

        receiver().deliver(new Message.Alerts("a1-1-2", resolved), NOW);

        assertThat(pretty(body)).isEqualTo(golden("webhook-resolved.json"));
    }

    @Test
    void aSecretSignsTheBytesAsSent() {
        answer(200, Map.of());

        signing(new Secret(SECRET)).deliver(FIRING, NOW);

        String expected = WebhookReceiver.signature(
                Base64.getDecoder().decode(SECRET.substring(6)), "a1-1-1", "1795233630", body);
        assertThat(header("Webhook-signature")).isEqualTo("v1," + expected);
    }

    @Test
    void whileTheSecretChangesBothSign() {
        answer(200, Map.of());
        Secret before = new Secret("whsec_" + Base64.getEncoder().encodeToString(new byte[32]));
        AlertingSettings.Receiver one = settings(url(), new Secret(SECRET), true, Duration.ofSeconds(10));

        receiver(new AlertingSettings.Receiver(
                        one.name(),
                        one.kind(),
                        one.url(),
                        one.signingSecret(),
                        before,
                        null,
                        null,
                        null,
                        one.to(),
                        one.minSeverity(),
                        one.sendResolved(),
                        one.messagesPerMinute(),
                        one.allowPrivateAddresses(),
                        one.timeout()))
                .deliver(FIRING, NOW);

        assertThat(header("Webhook-signature"))
                .isEqualTo("v1,"
                        + WebhookReceiver.signature(
                                Base64.getDecoder().decode(SECRET.substring(6)), "a1-1-1", "1795233630", body)
                        + " v1,"
                        + WebhookReceiver.signature(new byte[32], "a1-1-1", "1795233630", body));
    }

    /// The vector that implementations of Standard Webhooks publish in their tests.
    @Test
    void theSignatureIsThatOfStandardWebhooks() {
        assertThat(WebhookReceiver.signature(
                        Base64.getDecoder().decode(SECRET.substring(6)),
                        "msg_p5jXN8AQM9LWM0D4loKWxJek",
                        "1614265330",
                        "{\"test\": 2432232314}".getBytes(StandardCharsets.UTF_8)))
                .isEqualTo("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    @ParameterizedTest
    @CsvSource({
        "200, DELIVERED",
        "201, DELIVERED",
        "202, DELIVERED",
        "400, REFUSED",
        "401, REFUSED",
        "403, REFUSED",
        "404, REFUSED",
        "408, THROTTLED",
        "410, GONE",
        "413, REFUSED",
        "425, THROTTLED",
        "429, THROTTLED",
        "500, SERVER_ERROR",
        "502, SERVER_ERROR",
        "503, SERVER_ERROR",
        "504, SERVER_ERROR"
    })
    void theStatusDecides(int status, Result result) {
        answer(status, Map.of());

        assertThat(receiver().deliver(FIRING, NOW)).isEqualTo(Attempt.of(result, "status " + status));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "120                           | PT2M",
                "0                             | PT0S",
                "86400                         | PT1H",
                "999999999                     | PT1H",
                "Sat, 21 Nov 2026 04:10:30 GMT | PT10M",
                "Sat, 21 Nov 2026 03:00:00 GMT | PT0S"
            })
    void retryAfterIsSecondsOrADateAndAtMostAnHour(String value, Duration expected) {
        answer(429, Map.of("Retry-After", value));
        assertThat(receiver().deliver(FIRING, NOW)).isEqualTo(new Attempt(Result.THROTTLED, "status 429", expected));
    }

    @ParameterizedTest
    @ValueSource(strings = {"soon", "-5", "1e9", "99999999999999999999"})
    void aRetryAfterThatMakesNoSenseIsNone(String value) {
        answer(503, Map.of("Retry-After", value));
        assertThat(receiver().deliver(FIRING, NOW).retryAfter()).isNull();
    }

    @ParameterizedTest
    @ValueSource(ints = {301, 302, 303, 307, 308})
    void aRedirectIsAFailureAndNotFollowed(int status) {
        answer(
                status,
                Map.of("Location", "http://127.0.0.1:" + server.getAddress().getPort() + "/elsewhere"));

        assertThat(receiver().deliver(FIRING, NOW).result()).isEqualTo(Result.REDIRECTED);
        assertThat(requests).hasValue(1);
    }

    @Test
    void aReceiverThatHangsIsATimeout() {
        CountDownLatch never = new CountDownLatch(1);
        handle(exchange -> {
            exchange.getRequestBody().readAllBytes();
            await(never);
        });

        Attempt attempt =
                receiver(settings(url(), null, true, Duration.ofMillis(300))).deliver(FIRING, NOW);

        never.countDown();
        assertThat(attempt.result()).isEqualTo(Result.TIMEOUT);
    }

    @Test
    void aHeaderThatDribblesIsATimeout() throws IOException {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CountDownLatch done = new CountDownLatch(1);
            handlers.execute(() -> dribble(listening, "HTTP/1.1 200 OK\r\nx-slow: " + "a".repeat(10_000), done));

            Attempt attempt = receiver(settings(
                            "http://127.0.0.1:" + listening.getLocalPort() + "/", null, true, Duration.ofMillis(500)))
                    .deliver(FIRING, NOW);

            done.countDown();
            assertThat(attempt.result()).isEqualTo(Result.TIMEOUT);
        }
    }

    @Test
    void anEndlessAnswerIsNotRead() throws IOException {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CountDownLatch done = new CountDownLatch(1);
            handlers.execute(() -> dribble(listening, "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n", done));

            Attempt attempt = receiver(settings(
                            "http://127.0.0.1:" + listening.getLocalPort() + "/", null, true, Duration.ofSeconds(30)))
                    .deliver(FIRING, NOW);

            done.countDown();
            assertThat(attempt).isEqualTo(Attempt.of(Result.DELIVERED, "status 200"));
        }
    }

    @Test
    void aConnectionThatBreaksMayHaveArrived() throws IOException {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            handlers.execute(() -> {
                try (Socket socket = listening.accept()) {
                    assertThat(socket.getInputStream().read()).isPositive();
                } catch (IOException closed) {
                    throw new IllegalStateException(closed);
                }
            });

            Attempt attempt = receiver(settings(
                            "http://127.0.0.1:" + listening.getLocalPort() + "/", null, true, Duration.ofSeconds(30)))
                    .deliver(FIRING, NOW);

            assertThat(attempt.result()).isEqualTo(Result.BROKEN);
            assertThat(attempt.result().mayHaveArrived()).isTrue();
        }
    }

    @Test
    void nobodyListeningIsUnreachable() throws IOException {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }

        assertThat(receiver(settings("http://127.0.0.1:" + port + "/", null, true, Duration.ofSeconds(5)))
                        .deliver(FIRING, NOW)
                        .result())
                .isEqualTo(Result.UNREACHABLE);
    }

    @Test
    void anUnknownHostIsUnreachable() {
        assertThat(receiver(settings("https://receiver.invalid/", null, false, Duration.ofSeconds(5)))
                        .deliver(FIRING, NOW)
                        .result())
                .isEqualTo(Result.UNREACHABLE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.1:9/",
                "http://localhost:9/",
                "http://[::1]:9/",
                "http://[::ffff:127.0.0.1]:9/",
                "http://2130706433:9/",
                "http://10.1.2.3:9/",
                "http://169.254.169.254/latest/meta-data/",
                "http://[fd00:ec2::254]/",
                "http://0.0.0.0:9/"
            })
    void privateAddressesAreNotCalledUnlessAllowed(String url) {
        assertThat(receiver(settings(url, null, false, Duration.ofSeconds(5)))
                        .deliver(FIRING, NOW)
                        .result())
                .isEqualTo(Result.FORBIDDEN);
    }

    @ParameterizedTest
    @CsvSource({
        "8.8.8.8, true",
        "192.0.2.1, false",
        "172.16.0.1, false",
        "172.32.0.1, true",
        "192.168.1.1, false",
        "100.64.0.1, false",
        "100.128.0.1, true",
        "198.18.0.1, false",
        "224.0.0.1, false",
        "255.255.255.255, false",
        "2606:4700::1111, true",
        "2001:db8::1, false",
        "2001::1, false",
        "2001:4860:4860::8888, true",
        "fe80::1, false",
        "fc00::1, false",
        "ff02::1, false",
        "fec0::1, false",
        "::, false",
        "2002:7f00:1::, false",
        "2002:808:808::, true",
        "64:ff9b::a00:1, false",
        "64:ff9b::808:808, true",
        "64:ff9b:1::808:808, false"
    })
    void publicAddressesAreKnown(String address, boolean isPublic) throws IOException {
        assertThat(AddressGuard.isPublic(InetAddress.getByName(address))).isEqualTo(isPublic);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ftp://secret.example/token",
                "secret.example/token",
                "https:///token",
                "https://secret.example/to ken"
            })
    void anAddressThatCannotBeUsedIsRefusedButNotQuoted(String url) {
        assertThatThrownBy(() -> settings(url, null, false, Duration.ofSeconds(5)))
                .hasMessageStartingWith("url must be an absolute http:// or https:// address")
                .hasMessageNotContaining("token")
                .hasNoCause();
    }

    @ParameterizedTest
    @ValueSource(strings = {"whsec_c2hvcnQ=", "whsec_!!!", "", "whsec_"})
    void aSecretThatCannotBeUsedIsRefusedButNotQuoted(String secret) {
        assertThatThrownBy(() -> signing(new Secret(secret)))
                .hasMessageStartingWith("signing-secret must be whsec_")
                .hasMessageNotContaining("c2hvcnQ")
                .hasNoCause();
    }

    @Test
    void aHugeAlertIsCutBelowTwentyKilobytes() {
        List<String> domains = Collections.nCopies(100, "d".repeat(63) + "." + "e".repeat(63) + ".example");
        List<String> codes = Collections.nCopies(50, "\u0001".repeat(1_000));
        Alert.Evidence evidence = new Alert.Evidence(
                LocalDate.parse("2026-11-20"), "A", 5, 55, 0, 1500, 1e-9, codes, List.of(), codes, domains, null);
        byte[] cut = WebhookReceiver.body(SampleAlerts.critical().alert(evidence, Map.of("note", "x".repeat(50_000))));

        assertThat(cut).hasSizeLessThan(WebhookReceiver.MAX_BODY_BYTES);
        assertThat(new String(cut, StandardCharsets.UTF_8)).contains("\"affected-domain-count\":100");
    }

    @Test
    void listsAreCutNoMoreThanNeeded() {
        Alert.Evidence evidence = new Alert.Evidence(
                LocalDate.parse("2026-11-20"),
                "A",
                5,
                55,
                0,
                1500,
                1e-9,
                List.of("google.com"),
                List.of(),
                List.of(),
                Collections.nCopies(300, "d".repeat(63) + ".example"),
                300);
        byte[] cut = WebhookReceiver.body(SampleAlerts.critical().alert(evidence, Map.of("team", "mail")));

        assertThat(Json.MAPPER
                        .readTree(cut)
                        .at("/data/evidence/affected-domains")
                        .size())
                .isEqualTo(100);
        assertThat(Json.MAPPER.readTree(cut).at("/data/labels/team").asString()).isEqualTo("mail");
    }

    private void answer(int status, Map<String, String> more) {
        handle(exchange -> {
            body = exchange.getRequestBody().readAllBytes();
            headers = Map.copyOf(exchange.getRequestHeaders());
            requests.incrementAndGet();
            more.forEach((name, value) -> exchange.getResponseHeaders().add(name, value));
            exchange.sendResponseHeaders(status, status == 204 ? -1 : 2);
            if (status != 204) {
                exchange.getResponseBody().write("ok".getBytes(StandardCharsets.US_ASCII));
            }
            exchange.close();
        });
    }

    private interface Handler {
        void handle(HttpExchange exchange) throws IOException;
    }

    private void handle(Handler handler) {
        server.createContext("/", handler::handle);
    }

    /// Answers one connection with the text, a byte every 20 ms, then with more bytes, until told to stop.
    private static void dribble(ServerSocket listening, String text, CountDownLatch done) {
        try (Socket socket = listening.accept();
                OutputStream out = socket.getOutputStream()) {
            int fast = text.indexOf("\r\n\r\n") < 0 ? 0 : text.length();
            out.write(text.substring(0, fast).getBytes(StandardCharsets.US_ASCII));
            for (int i = fast; done.getCount() > 0; i++) {
                out.write(i < text.length() ? text.charAt(i) : 'x');
                out.flush();
                if (done.await(20, TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        } catch (IOException hungUp) {
            done.countDown(); // as it should
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/hook/secret-token";
    }

    private String header(String name) {
        return Objects.requireNonNull(headers.get(name), name).getFirst();
    }

    private Receiver receiver() {
        return receiver(settings(url(), null, true, Duration.ofSeconds(10)));
    }

    private Receiver signing(Secret secret) {
        return receiver(settings(url(), secret, true, Duration.ofSeconds(10)));
    }

    private Receiver receiver(AlertingSettings.Receiver settings) {
        return Receiver.of(settings, null);
    }

    private static AlertingSettings.Receiver settings(
            String url, @Nullable Secret secret, boolean privateAllowed, Duration timeout) {
        return AlertingSettings.Receiver.webhook(
                "ops", new Secret(url), secret, Severity.WARNING, privateAllowed, timeout);
    }

    private static String pretty(byte[] json) {
        return Json.MAPPER.readTree(json).toPrettyString().strip();
    }

    private static String golden(String name) throws IOException {
        try (InputStream file = Objects.requireNonNull(WebhookReceiverTest.class.getResourceAsStream(name), name)) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }
}

package io.tlsrpt.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.helidon.http.Status;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BrowserGuardTest {

    private static final HostPort ANY_PORT = HostPort.parse("127.0.0.1:0");

    private HttpListener listener = serve(new BrowserGuard(ANY_PORT, "https://tlsrpt.example.com/"));

    @AfterEach
    void stop() {
        listener.close();
    }

    @ParameterizedTest
    @CsvSource({
        "evil.example,421,421",
        "evil.example:8080,421,421",
        "localhost.evil.example,421,421",
        "LOCALHOST:8080,200,200",
        "127.0.0.1,200,200",
        "[::1]:8080,200,200",
        "tlsrpt.example.com,200,200"
    })
    void onALoopbackAddressNoForeignNameIsServed(String host, int reading, int acting) throws IOException {
        assertThat(status("GET", host, "")).isEqualTo(reading);
        assertThat(status("POST", host, "")).isEqualTo(acting);
    }

    @ParameterizedTest
    @CsvSource({
        "Origin: https://evil.example,403",
        "Origin: http://127.0.0.1:8081,403",
        "Origin: null,403",
        "Origin: ::,403",
        "Origin: http://127.0.0.1:8080,200",
        "Origin: https://tlsrpt.example.com,200",
        "Sec-Fetch-Site: cross-site,403",
        "Sec-Fetch-Site: same-site,403",
        "Sec-Fetch-Site: same-origin,200",
        "Sec-Fetch-Site: none,200"
    })
    void aPageOfAnotherSiteMayNotAct(String header, int acting) throws IOException {
        assertThat(status("POST", "127.0.0.1:8080", header + "\r\n")).isEqualTo(acting);
        assertThat(status("GET", "127.0.0.1:8080", header + "\r\n")).isEqualTo(200);
    }

    @Test
    void beyondLoopbackAnyNameIsServedButNoOtherSiteMayAct() throws IOException {
        listener.close();
        listener = serve(new BrowserGuard(HostPort.parse("192.0.2.1:8080"), "https://tlsrpt.example.com/"));

        assertThat(status("GET", "api.example", "")).isEqualTo(200);
        assertThat(status("POST", "api.example", "Origin: https://evil.example\r\n"))
                .isEqualTo(403);
        assertThat(status("POST", "api.example", "Origin: https://api.example\r\n"))
                .isEqualTo(200);
    }

    private static HttpListener serve(BrowserGuard guard) {
        return HttpListener.start(
                List.of(new Routes(
                        "api",
                        ANY_PORT,
                        null,
                        routing -> routing.get(
                                        "/",
                                        (request, response) -> response.status(Status.create(guard.reading(request)
                                                        .map(BrowserGuard.Refusal::status)
                                                        .orElse(200)))
                                                .send())
                                .post(
                                        "/",
                                        (request, response) -> response.status(Status.create(guard.acting(request)
                                                        .map(BrowserGuard.Refusal::status)
                                                        .orElse(200)))
                                                .send()))),
                new SimpleMeterRegistry());
    }

    private int status(String method, String host, String headers) throws IOException {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), listener.address().port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write((method + " / HTTP/1.1\r\nHost: " + host + "\r\n" + headers
                                    + "Content-Length: 0\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return Integer.parseInt(answer.substring(9, 12));
        }
    }
}

package io.tlsrpt.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HttpListenerTest {

    @TempDir
    Path directory;

    @Test
    void twoPartsThatNameTheSameAddressShareIt() throws Exception {
        HostPort any = HostPort.parse("127.0.0.1:0");
        Routes intake = new Routes("intake", any, null, routing -> routing.get("/a", (q, s) -> s.send("a")));
        Routes api = new Routes("api", any, null, routing -> routing.get("/b", (q, s) -> s.send("b")));
        try (HttpListener listener = HttpListener.start(List.of(intake, api), new SimpleMeterRegistry())) {
            assertThat(raw(listener, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                    .endsWith("a");
            assertThat(raw(listener, "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                    .endsWith("b");
        }
    }

    @Test
    void whatTheServerItselfRefusesIsAProblemToo() throws Exception {
        Routes routes = new Routes("intake", HostPort.parse("127.0.0.1:0"), null, routing -> {});
        try (HttpListener listener = HttpListener.start(List.of(routes), new SimpleMeterRegistry())) {
            String answer = raw(
                    listener,
                    "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + "y".repeat(20_000) + "\r\n\r\n");
            assertThat(answer).containsPattern("HTTP/1.1 4\\d\\d").contains("application/problem+json");
        }
    }

    @Test
    void aTakenAddressNamesTheSettingThatMovesIt() {
        Routes routes = new Routes("intake", HostPort.parse("127.0.0.1:0"), null, routing -> {});
        try (HttpListener listener = HttpListener.start(List.of(routes), new SimpleMeterRegistry())) {
            Routes same = new Routes("api", listener.address(), null, routing -> {});
            assertThatThrownBy(() -> HttpListener.start(List.of(same), new SimpleMeterRegistry()))
                    .hasMessageContaining("set api.listen");
        }
    }

    @Test
    void theCertificateIsTakenAnewWhenTheKeyStoreChangesAndABadOneChangesNothing() throws Exception {
        Path store = directory.resolve("tls.p12");
        Files.copy(keyStore("one"), store);
        Settings.Tls tls = new Settings.Tls(store, new Secret("changeit"));
        Routes routes = new Routes("intake", HostPort.parse("127.0.0.1:0"), tls, routing -> {});
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        try (HttpListener listener = HttpListener.start(List.of(routes), meters)) {
            assertThat(subject(listener)).isEqualTo("CN=one");
            double end = meters.get("tlsrpt.certificate.not.after.seconds")
                    .tag("listener", "intake")
                    .gauge()
                    .value();
            assertThat(Instant.ofEpochSecond((long) end))
                    .isBetween(Instant.now(), Instant.now().plus(Duration.ofDays(100)));

            Files.writeString(store, "no key store");
            Files.setLastModifiedTime(store, FileTime.fromMillis(1000));
            listener.look();
            assertThat(subject(listener)).isEqualTo("CN=one");

            Files.write(store, Files.readAllBytes(keyStore("two")));
            Files.setLastModifiedTime(store, FileTime.fromMillis(2000));
            listener.look();
            assertThat(subject(listener)).isEqualTo("CN=two");
        }
    }

    @Test
    void whoStopsWithinATlsHandshakeIsCut() throws Exception {
        Settings.Tls tls = new Settings.Tls(keyStore("one"), new Secret("changeit"));
        Routes routes = new Routes("intake", HostPort.parse("127.0.0.1:0"), tls, routing -> {});
        try (HttpListener listener = HttpListener.start(List.of(routes), new SimpleMeterRegistry());
                Socket socket = new Socket(
                        java.net.InetAddress.getLoopbackAddress(),
                        listener.address().port())) {
            socket.setSoTimeout(25_000);
            socket.getOutputStream().write(0x16);
            assertThat(socket.getInputStream().readNBytes(100)).hasSizeLessThan(100);
        }
    }

    private Path keyStore(String name) throws Exception {
        Path file = directory.resolve(name + ".p12");
        if (!Files.exists(file)) {
            Process keytool = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "keytool")
                                    .toString(),
                            "-genkeypair",
                            "-alias",
                            name,
                            "-keyalg",
                            "EC",
                            "-dname",
                            "CN=" + name,
                            "-storetype",
                            "PKCS12",
                            "-keystore",
                            file.toString(),
                            "-storepass",
                            "changeit")
                    .redirectErrorStream(true)
                    .start();
            assertThat(keytool.waitFor()).isZero();
        }
        return file;
    }

    private static String subject(HttpListener listener) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new AnyCertificate()}, null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory()
                .createSocket("127.0.0.1", listener.address().port())) {
            socket.startHandshake();
            return ((X509Certificate) socket.getSession().getPeerCertificates()[0])
                    .getSubjectX500Principal()
                    .getName();
        }
    }

    private static String raw(HttpListener listener, String request) throws IOException {
        try (Socket socket = new Socket(
                java.net.InetAddress.getLoopbackAddress(), listener.address().port())) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    /// The test looks at the certificate itself.
    private static final class AnyCertificate implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}

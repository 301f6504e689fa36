package io.tlsrpt.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// `./tlsrpt alerts test` against a webhook and a real Postfix.
class AlertsTestIT {

    @TempDir
    Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String yaml, String... arguments) throws IOException {
        Path config = Files.writeString(directory.resolve("tlsrpt.yaml"), yaml);
        CommandLine commands = StandaloneMain.commands();
        CommandLine alerts = Objects.requireNonNull(commands.getSubcommands().get("alerts"));
        CommandLine test = Objects.requireNonNull(alerts.getSubcommands().get("test"));
        test.setOut(new PrintWriter(out, true));
        test.setErr(new PrintWriter(err, true));
        List<String> all = new java.util.ArrayList<>(List.of("alerts", "test", "--config", config.toString()));
        all.addAll(List.of(arguments));
        return commands.execute(all.toArray(String[]::new));
    }

    @Test
    void aReceiverIsToldOfAMarkedAlertAndItsResolution() throws IOException {
        List<String> bodies = new CopyOnWriteArrayList<>();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
        String yaml = "alerting: {receivers: [{name: ops, url: 'http://127.0.0.1:"
                + server.getAddress().getPort() + "/s3cret', allow-private-addresses: true}]}";
        try {
            assertThat(run(yaml, "--severity", "critical", "--resolve", "ops")).isZero();
            assertThat(out.toString().lines())
                    .containsExactly("ops: firing delivered (status 204)", "ops: resolved delivered (status 204)");
            assertThat(bodies).hasSize(2).allMatch(body -> body.contains("TEST of the receiver ops"));
            assertThat(bodies.getFirst()).contains("tlsrpt.alert.firing", "\"severity\":\"critical\"");
            assertThat(bodies.getLast()).contains("tlsrpt.alert.resolved");
        } finally {
            server.stop(0);
        }

        assertThat(run(yaml, "--resolve", "ops")).as("nobody listens any more").isEqualTo(1);
        assertThat(out.toString())
                .contains("ops: firing unreachable (no connection)")
                .doesNotContain("s3cret");
    }

    @Test
    void aReceiverThatIsNotThereIsWrongUsage() throws IOException {
        assertThat(run("alerting: {receivers: [{name: ops, url: 'https://example.com/'}]}", "pos"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("no receiver \"pos\"", "it has ops");
    }

    @Test
    void postfixTakesAlertsInPlaintextAndByStartTls() throws Exception {
        if (!Files.isExecutable(Path.of(Postfix.PROGRAM))) {
            String missing = "AlertsTestIT needs the Debian package postfix";
            assertThat(System.getenv("CI")).as(missing).isNull();
            System.out.println("skipped: " + missing);
            Assumptions.abort(missing);
        }
        Path chain = keyAndCertificate();
        try (Postfix postfix = new Postfix(
                directory,
                Map.of("example.com", "lmtp:inet:[127.0.0.1]:1"),
                Map.of("127.0.0.1", "-o smtpd_tls_security_level=may -o smtpd_tls_chain_files=" + chain))) {
            assertThat(run(mail(postfix, "plain", ""), "mail"))
                    .as(err.toString())
                    .isZero();
            assertThat(run(mail(postfix, "starttls", ", ca-file: '" + directory.resolve("ca.pem") + "'"), "mail"))
                    .as(out.toString())
                    .isZero();
            assertThat(run(mail(postfix, "starttls", ""), "mail")).isEqualTo(1);

            assertThat(out.toString().lines())
                    .containsExactly(
                            "mail: firing delivered (status 250)",
                            "mail: firing delivered (status 250)",
                            "mail: firing unreachable (TLS handshake failed)");
            await().untilAsserted(() -> assertThat(postfix.queue())
                    .hasSize(2)
                    .allSatisfy(waiting -> assertThat(waiting).contains("oncall@example.com", "tlsrpt@example.net")));
        }
    }

    private static String mail(Postfix postfix, String security, String more) {
        return "alerting: {mail-server: {host: localhost, port: "
                + postfix.address().port() + ", security: " + security
                + ", from: tlsrpt@example.net" + more + "}, receivers: [{name: mail, kind: email,"
                + " to: [oncall@example.com]}]}";
    }

    /// A key and a certificate of localhost as Postfix reads them; the certificate alone in `ca.pem`.
    private Path keyAndCertificate() throws Exception {
        Path store = directory.resolve("localhost.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "k",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "san=dns:localhost",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        "changeit")
                .redirectErrorStream(true)
                .start();
        keytool.getInputStream().readAllBytes();
        assertThat(keytool.waitFor()).isZero();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, "changeit".toCharArray());
        }
        String certificate = pem("CERTIFICATE", keys.getCertificate("k").getEncoded());
        Files.writeString(directory.resolve("ca.pem"), certificate);
        return Files.writeString(
                directory.resolve("chain.pem"),
                pem("PRIVATE KEY", keys.getKey("k", "changeit".toCharArray()).getEncoded()) + certificate);
    }

    private static String pem(String what, byte[] bytes) {
        return "-----BEGIN " + what + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes) + "\n-----END " + what + "-----\n";
    }
}

package io.tlsrpt.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// On a real listener whose answer is who asks, or why not.
class AccessTest {

    private static final HostPort ANY_PORT = HostPort.parse("127.0.0.1:0");
    private static final String READS = "tlsrpt_" + "r".repeat(43);
    private static final String OPERATES = "tlsrpt_" + "o".repeat(43);
    private static final String TOKENS = """
            api:
              tokens:
                - {name: wall, sha256: %s}
                - {name: laptop, sha256: %s, role: operate, labels: {team: mail}}
            """.formatted(sha256(READS), sha256(OPERATES));
    private static final String PROXY = """
            api:
              trusted-proxy:
                networks: [%s]
                groups-header: Remote-Groups
                user-header: Remote-User
                groups:
                  - {name: admins, role: operate}
                  - {name: mail, labels: {team: mail}}
            """;

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private volatile Settings settings = SettingsFile.defaults();
    private HttpListener listener = serve(ANY_PORT);
    private int refused;

    private HttpListener serve(HostPort listen) {
        Access access = new Access(() -> settings, listen, meters);
        return HttpListener.start(
                List.of(new Routes(
                        "api",
                        ANY_PORT,
                        null,
                        routing -> routing.get("/", (request, response) -> answer(access.reading(request), response))
                                .post("/", (request, response) -> answer(access.acting(request), response))
                                .put("/", (request, response) -> answer(access.byToken(token(request)), response)))),
                new SimpleMeterRegistry());
    }

    private static String token(ServerRequest request) {
        return request.headers().get(HeaderNames.create("Shown")).get();
    }

    private static void answer(Access.Decision decision, ServerResponse response) {
        switch (decision) {
            case Caller caller ->
                response.send(caller.name() + " " + caller.role().word() + " " + caller.labels() + " "
                        + caller.authentication().word());
            case Access.Refusal why -> {
                why.headers().forEach(response::header);
                response.status(Status.create(why.status())).send(why.why().word() + ": " + why.detail());
            }
        }
    }

    @AfterEach
    void everyRefusalWasCounted() {
        listener.close();
        assertThat(meters.find("tlsrpt.api.refused").counters().stream()
                        .mapToDouble(Counter::count)
                        .sum())
                .isEqualTo(refused);
    }

    @Test
    void untilTheSettingsSayWhoMayAskWhoeverIsOnThisMachineMay() throws IOException {
        assertThat(ask("POST", "")).endsWith("local operate {} none");
        assertThat(ask("GET", "Authorization: Bearer nonsense\r\n")).endsWith("local operate {} none");
    }

    @Test
    void withTokensNobodyIsAnsweredWithoutOneNotEvenOnThisMachine() throws IOException {
        use(TOKENS);

        assertThat(ask("GET", ""))
                .startsWith("HTTP/1.1 401")
                .containsIgnoringCase("WWW-Authenticate: Bearer realm=\"tlsrpt\"")
                .contains("no-token");
        assertThat(ask("GET", bearer(OPERATES))).endsWith("laptop operate {team=mail} token");
        assertThat(ask("GET", "authorization: bEARER  " + READS + "\r\n")).endsWith("wall read {} token");
        assertThat(ask("POST", bearer(OPERATES))).startsWith("HTTP/1.1 200");
        assertThat(ask("POST", bearer(READS))).startsWith("HTTP/1.1 403").contains("role: wall may ask, and not act");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Authorization: Bearer tlsrpt_oooo",
                "Authorization: Bearer ",
                "Authorization: Bearer",
                "Authorization: Basic b3BlcmF0b3I6eA==",
                "Authorization: Bearer oo\u00e9",
                "Cookie: tlsrpt-token=",
                "Cookie: other=x; tlsrpt-token=wrong",
                "Cookie: xtlsrpt-token=" + "tlsrpt_ooooooooooooooooooooooooooooooooooooooooooo",
                "X-Forwarded-User: root",
                "Remote-User: root"
            })
    void whatIsNoTokenOpensNothingAndIsNotRepeated(String header) throws IOException {
        use(TOKENS);

        String value = header.substring(header.indexOf(' ') + 1);
        assertThat(ask("GET", header + "\r\n")).startsWith("HTTP/1.1 401").doesNotContain(value.strip() + "\n");
        assertThat(ask("POST", header + "\r\n")).containsAnyOf("HTTP/1.1 401", "HTTP/1.1 403");
    }

    @Test
    void ofTwoAuthorizationsNoneIsBelieved() throws IOException {
        use(TOKENS);

        assertThat(ask("GET", bearer(OPERATES) + bearer(READS))).startsWith("HTTP/1.1 401");
        assertThat(ask("GET", "Authorization: Basic eA==\r\nCookie: tlsrpt-token=" + OPERATES + "\r\n"))
                .startsWith("HTTP/1.1 401");
    }

    @Test
    void aCookieIsATokenWhichOnlyOurOwnPageActsWith() throws IOException {
        use(TOKENS);
        String cookie = "Cookie: theme=dark; tlsrpt-token=" + OPERATES + "\r\n";

        assertThat(ask("GET", cookie)).endsWith("laptop operate {team=mail} token");
        assertThat(ask("POST", cookie)).startsWith("HTTP/1.1 403").contains("cross-origin");
        assertThat(ask("POST", cookie + "Origin: https://evil.example\r\n")).startsWith("HTTP/1.1 403");
        assertThat(ask("POST", cookie + "Sec-Fetch-Site: cross-site\r\n")).startsWith("HTTP/1.1 403");
        assertThat(ask("POST", cookie + "Sec-Fetch-Site: same-site\r\n")).startsWith("HTTP/1.1 403");
        assertThat(ask("POST", cookie + "Origin: null\r\n")).startsWith("HTTP/1.1 403");
        assertThat(ask("POST", cookie + "Sec-Fetch-Site: same-origin\r\n")).startsWith("HTTP/1.1 200");
        assertThat(ask("POST", cookie + "Origin: http://127.0.0.1\r\n")).startsWith("HTTP/1.1 200");
        assertThat(ask("POST", bearer(OPERATES) + "Origin: https://evil.example\r\n"))
                .startsWith("HTTP/1.1 403");
    }

    @Test
    void theTokenOfSomebodyWhoSignsInIsLookedAtAsEveryOther() throws IOException {
        use(TOKENS);

        assertThat(ask("PUT", "Shown: " + OPERATES + "\r\n")).endsWith("laptop operate {team=mail} token");
        assertThat(ask("PUT", "Shown: wrong\r\n")).startsWith("HTTP/1.1 401").contains("wrong-token");
        assertThat(ask("PUT", "Shown: " + OPERATES + "; Domain=evil.example\r\n"))
                .startsWith("HTTP/1.1 401");
    }

    @Test
    void theProxySaysWhoAsksAndInWhichGroups() throws IOException {
        use(PROXY.formatted("127.0.0.0/8"));

        assertThat(ask("POST", "Remote-User: alice\r\nRemote-Groups: users, admins\r\n"))
                .endsWith("alice operate {} proxy");
        assertThat(ask("GET", "Remote-User: bob\r\nRemote-Groups: mail,users\r\n"))
                .endsWith("bob read {team=mail} proxy");
        assertThat(ask("GET", "Remote-User: both\r\nRemote-Groups: mail,admins\r\n"))
                .endsWith("both operate {} proxy");
        assertThat(ask("GET", "Remote-User: eve\r\nRemote-Groups: Admins\r\n"))
                .startsWith("HTTP/1.1 403")
                .contains("no-group");
        assertThat(ask("GET", "Remote-User: eve\r\n")).startsWith("HTTP/1.1 403");
        assertThat(ask("GET", "Remote-Groups: admins\r\n")).startsWith("HTTP/1.1 401");
        assertThat(ask("GET", "Remote-User: \r\nRemote-Groups: admins\r\n")).startsWith("HTTP/1.1 401");
        assertThat(ask("GET", "Remote-User: alice\r\nRemote-User: eve\r\nRemote-Groups: admins\r\n"))
                .startsWith("HTTP/1.1 401");
        assertThat(ask("POST", "Remote-User: alice\r\nRemote-Groups: admins\r\nOrigin: https://evil.example\r\n"))
                .startsWith("HTTP/1.1 403");
    }

    @Test
    void withoutGroupsEveryUserOfTheProxyAsksAndAStarIsEveryUser() throws IOException {
        use("api: {trusted-proxy: {networks: [127.0.0.1/32]}}");
        assertThat(ask("GET", "X-Forwarded-User: alice\r\n")).endsWith("alice read {} proxy");
        assertThat(ask("POST", "X-Forwarded-User: alice\r\n")).startsWith("HTTP/1.1 403");

        use("api: {trusted-proxy: {networks: [127.0.0.1/32], groups: [{name: '*', role: operate}]}}");
        assertThat(ask("POST", "X-Forwarded-User: alice\r\n")).endsWith("alice operate {} proxy");
    }

    @Test
    void whatAStrangerSaysInTheHeadersOfTheProxyIsIgnored() throws IOException {
        use(PROXY.formatted("10.0.0.0/8"));

        assertThat(ask("GET", "Remote-User: alice\r\nRemote-Groups: admins\r\n"))
                .startsWith("HTTP/1.1 401");
    }

    @Test
    void behindTheProxyATokenIsForPrograms() throws IOException {
        use(TOKENS + PROXY.formatted("127.0.0.0/8").substring("api:\n".length()));

        assertThat(ask("GET", bearer(READS))).endsWith("wall read {} token");
        assertThat(ask("GET", bearer("eyJhbGciOi") + "Remote-User: alice\r\nRemote-Groups: admins\r\n"))
                .endsWith("alice operate {} proxy");
    }

    @ParameterizedTest
    @CsvSource({"GET, 421", "POST, 421"})
    void aForeignNameIsRefusedBeforeAnythingElse(String method, int status) throws IOException {
        use(TOKENS);

        assertThat(send(method, "evil.example", bearer(OPERATES))).startsWith("HTTP/1.1 " + status);
    }

    @Test
    void aTokenThatIsTakenOutOfTheFileOpensNothingFromThenOn() throws IOException {
        use(TOKENS);
        assertThat(ask("GET", bearer(READS))).startsWith("HTTP/1.1 200");

        use(TOKENS.replace(sha256(READS), sha256("another")));

        assertThat(ask("GET", bearer(READS))).startsWith("HTTP/1.1 401");
        assertThat(ask("GET", bearer(OPERATES))).startsWith("HTTP/1.1 200");
    }

    @Test
    void whoListensBeyondThisMachineStaysClosedWhenTheFileNoLongerSaysWhoMay() throws IOException {
        listener.close();
        listener = serve(HostPort.parse("0.0.0.0:8080"));
        use("api: {listen: 127.0.0.1:8080}"); // good for a restart

        assertThat(ask("GET", "")).startsWith("HTTP/1.1 401").contains("restart");

        use("api: {listen: 0.0.0.0:8080, allow-unauthenticated: true}");
        assertThat(ask("GET", "")).endsWith("local operate {} none");
    }

    private void use(String yaml) {
        settings = SettingsFile.parse("test", yaml, name -> null);
    }

    private static String bearer(String token) {
        return "Authorization: Bearer " + token + "\r\n";
    }

    private String ask(String method, String headers) throws IOException {
        return send(method, "127.0.0.1", headers);
    }

    private String send(String method, String host, String headers) throws IOException {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), listener.address().port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write((method + " / HTTP/1.1\r\nHost: " + host + "\r\n" + headers
                                    + "Content-Length: 0\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.ISO_8859_1));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (List.of("401", "403", "421").contains(answer.substring(9, 12))) {
                refused++;
            }
            return answer;
        }
    }

    private static String sha256(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII)));
        } catch (java.security.NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}

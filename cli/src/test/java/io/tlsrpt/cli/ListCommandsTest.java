package io.tlsrpt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ListCommandsTest {

    private final Map<String, String> answers = new TreeMap<>();
    private final List<String> asked = new ArrayList<>();
    private final Captured cli = new Captured(false);
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String target = exchange.getRequestURI().toString();
            asked.add(target);
            String answer = answers.get(target);
            byte[] body = (answer == null ? "{\"title\":\"Not Found\",\"detail\":\"no\\u001b[1m\"}" : answer)
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer == null ? 404 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void domainsOfAllPagesStandInOneTable() {
        answers.put("/api/v1/domains?limit=1000", """
                {"complete":false,"cursor":"a/b","rows":[{"domain":"a.example","state":"regular",
                "last-window":"2026-11-20","firing-alerts":1,"worst-failure-class":"certificate","last-30-days-totals":
                [{"policy-type":"sts","authentication":"dkim","total-successful-session-count":1500,
                "total-failure-session-count":5}]}]}""");
        answers.put("/api/v1/domains?cursor=a%2Fb&limit=1000", """
                {"complete":true,"rows":[{"domain":"b.example","state":"waiting","firing-alerts":0}]}""");

        assertThat(cli.run(url(), "domains")).isZero();

        assertThat(cli.lines()).hasSize(3);
        assertThat(cli.lines().get(1)).matches("a\\.example +regular +2026-11-20 +1 +certificate +sts dkim 1,500/5");
        assertThat(cli.lines().get(2)).matches("b\\.example +waiting +- +0 +-");
    }

    @Test
    void domainsAreAcceptedAndForgottenOneByOneAndOneThatFailsDoesNotStopTheOthers() {
        answers.put("/api/v1/domains/a.example/accept", "{\"policy-domain\":\"a.example\",\"state\":\"accepted\"}");
        answers.put("/api/v1/domains/b.example/forget", "{\"policy-domain\":\"b.example\",\"state\":\"pending\"}");

        assertThat(cli.run(url(), "domains", "accept", "../x\u001b", "a.example"))
                .isEqualTo(1);
        assertThat(cli.run(url(), "domains", "forget", "b.example")).isZero();

        assertThat(asked)
                .containsExactly(
                        "/api/v1/domains/..%2Fx%1B/accept",
                        "/api/v1/domains/a.example/accept", "/api/v1/domains/b.example/forget");
        assertThat(cli.lines()).containsExactly("a.example  accepted", "b.example  forgotten");
        assertThat(cli.err()).isEqualTo("../x\\u001b: " + url() + " says 404: no\\u001b[1m\n");
        assertThat(cli.run(url(), "domains", "accept")).isEqualTo(2);
    }

    @Test
    void alertsFireUnlessAllAreAskedFor() {
        answers.put("/api/v1/alerts?domain=a.example&state=firing", """
                {"complete":true,"rows":[{"alert-id":"0f3c0f3c0f3c0f3c","acknowledged":{"by":"al\\u001bice"},"state":"firing","severity":"critical","updated-at":"2026-11-21T10:00:00Z",
                "summary":"expired\\u001b[2J certificate"}]}""");
        answers.put("/api/v1/alerts", "{\"complete\":true,\"rows\":[]}");

        assertThat(cli.run(url(), "alerts", "list", "--domain", "a.example")).isZero();
        assertThat(cli.run(url(), "alerts", "list", "--all")).isZero();

        assertThat(cli.lines())
                .containsExactly(
                        "2026-11-21T10:00:00Z  0f3c0f3c0f3c  firing critical [al\\u001bice]  expired\\u001b[2J certificate",
                        "no alert");
    }

    @Test
    void rejectedReportsAreListedByReasonUpToTheLimit() {
        answers.put("/api/v1/rejected?reason=not-json", """
                {"complete":false,"cursor":"x","rows":[{"id":"2-1047","at":"2026-11-21T10:00:00Z","reason":"not-json",
                "source":"https","remote":"192.0.2.1","size":10,"detail":"at\\u202e line 1"},{"reason":"not-json"}]}""");

        assertThat(cli.run(url(), "rejected", "list", "--reason", "not-json", "--limit", "1"))
                .isZero();

        assertThat(asked).hasSize(1);
        assertThat(cli.lines()).hasSize(2);
        assertThat(cli.lines().get(1)).startsWith("2-1047  ").endsWith("at\\u202e line 1");
    }

    @Test
    void jsonIsOneAsciiObjectPerLine() {
        answers.put("/api/v1/rejected", "{\"complete\":true,\"rows\":[{\"detail\":\"\u009b\u202e\"}]}");

        cli.run(url(), "rejected", "list", "--json");

        assertThat(cli.lines()).containsExactly("{\"detail\":\"\\u009B\\u202E\"}");
    }

    @Test
    void aRefusalIsToldWithoutAStackTrace() {
        assertThat(cli.run(url(), "domains")).isEqualTo(1);
        assertThat(cli.err()).isEqualTo(url() + " says 404: no\\u001b[1m\n");

        answers.put("/api/v1/domains?limit=1000", "<html>");
        assertThat(cli.run(url(), "domains")).isEqualTo(1);
        assertThat(cli.err()).contains("is no tlsrpt: check --url").doesNotContain("\tat ");
    }

    @Test
    void wrongUsageIsTwo() {
        assertThat(cli.run(url(), "rejected", "list", "--limit", "x")).isEqualTo(2);
        assertThat(cli.run(url(), "nonsense")).isEqualTo(2);
        assertThat(cli.run(url(), "alerts")).isEqualTo(2);
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }
}
